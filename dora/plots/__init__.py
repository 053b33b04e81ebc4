"""Pictures of results: drawn on an `ax`, with nothing global, and described in words as well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dora.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

__all__ = ["alt_text", "draw", "save"]

FORMATS = ("png", "svg", "pdf")
KINDS = ("trend",)


def draw(result: Result, kind: str = "trend", ax: Axes | None = None) -> Axes:
    """Draw a result on `ax`, or on a figure of its own, and return the axes.

    Args:
        result: What to draw; without periods it is cut into weeks, or months if it is long.
        kind: The picture; only `trend` so far: each period's value with its interval.
        ax: Where to draw.

    Raises:
        UsageError: There is no such picture.
    """
    from dora.plots import trend

    if kind != "trend":
        raise UsageError(f"There is no plot {kind!r}.", hint=f"There are: {', '.join(KINDS)}.")
    return trend.draw(result, ax)


def alt_text(result: Result) -> str:
    """What the picture shows, for those who cannot see it."""
    from dora.plots import trend

    return trend.alt_text(result)


def save(ax: Axes, path: str | Path) -> Path:
    """Write a picture to a png, svg or pdf file, the same bytes for the same numbers.

    Raises:
        UsageError: Another kind of file, or a place that cannot be written to.
    """
    from dora.plots.figure import write

    target = Path(path)
    form = target.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UsageError(
            f"{target.name}: a picture is no {form or 'file without an ending'}.",
            hint=f"Let the name end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(ax, target, form)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", hint="Name another place."
        ) from error
    return target
