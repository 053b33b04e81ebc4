"""Everything at a glance: each metric's trend, and when deployments happened, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dora import words
from dora.plots import calendar, furniture, palette, trend
from dora.plots.figure import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

_ACROSS = 2
_SIZE = (6.6, 3.5)


def draw(results: Sequence[Result]) -> Axes:
    """Draw the results two in a row, the calendar of deployments last; the first axes are given."""
    pictures = [(trend, result) for result in results]
    pictures += [(calendar, r) for r in results if r.name == "deployment_frequency"]
    down = -(-len(pictures) // _ACROSS)
    figure = Figure(figsize=(_SIZE[0] * _ACROSS, _SIZE[1] * down), layout="constrained")
    FigureCanvasAgg(figure)
    axes = []
    for place, (kind, result) in enumerate(pictures, start=1):
        ax = cast(Picture, figure.add_subplot(down, _ACROSS, place, axes_class=Picture))
        kind.draw(result, ax)
        title = f"{ax.get_title(loc='left')}\n{_figure(result)}"
        ax.set_title(title, loc="left", fontsize=10, color=palette.now().ink)
        ax.set_xlabel("")
        axes.append(ax)
    if results:
        about = f"{furniture.whose(results[0])}; {words.caption(results[0])}"
        figure.suptitle(furniture.literal(about), x=0.01, ha="left", fontsize=9)
        axes[0].alt_text = alt_text(results)
    return axes[0] if axes else figure.add_subplot(axes_class=Picture)


def _figure(result: Result) -> str:
    return words.estimate(result.value, result.low, result.high, result.unit)


def alt_text(results: Sequence[Result]) -> str:
    """The page in words: every metric's value."""
    said = [f"{result.metric.title} {result.summary}" for result in results]
    return f"{furniture.whose(results[0])}, {results[0].window}: {'; '.join(said)}."
