"""Figures without pyplot: nothing is shown, kept or leaked until somebody asks."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, cast

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SIZE = (8.0, 4.0)
DOTS_PER_INCH = 144

_STABLE: dict[Any, Any] = {"svg.hashsalt": "dora", "svg.fonttype": "none", "pdf.fonttype": 42}
"""The same picture is the same bytes, and its words stay words that can be searched."""
_NO_DATE: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


class Picture(Axes):
    """Axes that a notebook shows by themselves, with words for those who cannot see them."""

    name = "dora"
    alt_text = ""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        buffer = io.BytesIO()
        render(self, buffer, "png")
        data = {"image/png": buffer.getvalue(), "text/plain": self.alt_text or repr(self)}
        return data, {"image/png": {"alt": self.alt_text}}


def new_axes() -> Picture:
    """Axes on a new figure of their own."""
    figure = Figure(figsize=SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    return cast(Picture, figure.add_subplot(axes_class=Picture))


def figure_of(ax: Axes) -> Figure:
    """The whole figure that axes are on."""
    return cast(Figure, ax.get_figure(root=True))


def write(ax: Axes, path: Path, form: str) -> None:
    """Write the whole figure to a file."""
    buffer = io.BytesIO()
    render(ax, buffer, form)
    path.write_bytes(buffer.getvalue())


def render(ax: Axes, buffer: io.BytesIO, form: str, *, outlines: bool = False) -> None:
    """Write the whole figure into a buffer.

    Args:
        ax: The picture.
        buffer: Where its bytes go.
        form: png, svg or pdf.
        outlines: Whether an svg has its letters as outlines, which look alike everywhere.
    """
    metadata = dict(_NO_DATE[form])
    described = getattr(ax, "alt_text", "")
    if described:
        key = {"png": "Description", "svg": "Description", "pdf": "Subject"}[form]
        metadata[key] = described
    letters = {"svg.fonttype": "path"} if outlines else {}
    with rc_context(_STABLE | letters), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # an emoji in a name is a box then
        figure_of(ax).savefig(buffer, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
