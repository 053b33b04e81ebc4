"""Why does our number differ from theirs? One metric by the formula of each product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.fan import Blade
    from dora.metrics.result import Result


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw a row a preset: its value with the interval; a line where the rules in force are."""
    ax = new_axes() if ax is None else ax
    blades = [blade for blade in result.fan().blades if blade.result is not None]
    known = [blade for blade in blades if blade.result and blade.result.value is not None]
    if not known:
        furniture.say(ax, result.reason or "no preset has a value")
    else:
        _axes(ax, result, blades)
        for row, blade in enumerate(blades):
            _row(ax, result, blade, row)
        if result.value is not None:
            ax.axvline(result.value, color=palette.now().grey, lw=0.8, ls=":", gid="yours")
    note = "A row a product's formula, on the same facts. Bars: 95 % intervals. Dotted: your rules."
    furniture.label(ax, result, f"{result.metric.title} by other products' formulas", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _axes(ax: Axes, result: Result, blades: list[Blade]) -> None:
    ax.set_yticks(range(len(blades)), [blade.product for blade in blades], fontsize=8)
    ax.set_ylim(len(blades) - 0.4, -0.6)
    ends = [end for blade in blades for end in _span(blade)]
    if result.unit == "seconds":
        scales.durations(ax, ends, axis="x")
    else:
        ax.set_xlim(0, max(max(ends) * 1.08, 0.05))
        ax.xaxis.set_major_locator(MaxNLocator(6))
        show = words.share if result.unit == "share" else words.number
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))
    ax.tick_params(labelsize=8)
    furniture.plain(ax, "x")


def _span(blade: Blade) -> list[float]:
    now = blade.result
    ends = (now.value, now.low, now.high) if now is not None else ()
    return [end for end in ends if end is not None]


def _row(ax: Axes, result: Result, blade: Blade, row: int) -> None:
    now = blade.result
    if now is None or now.value is None:
        return
    colour = furniture.colour_of(result)
    if now.low is not None and now.high is not None:
        ax.plot([now.low, now.high], [row, row], color=colour, alpha=0.35, lw=4)
    ax.scatter([now.value], [row], s=44, color=colour, zorder=3, gid="preset")
    ax.annotate(
        words.quantity(now.value, result.unit), (now.value, row), xytext=(0, 7),
        textcoords="offset points", ha="center", fontsize=8,
    )  # fmt: skip


def alt_text(result: Result) -> str:
    """The picture in words: the value of each preset."""
    said = [
        f"{blade.product} {words.quantity(blade.result.value, result.unit)}"
        for blade in result.fan().blades
        if blade.result is not None
    ]
    whose = f"{furniture.whose(result)}, {result.window}"
    return f"{result.metric.title} by other products' formulas of {whose}: {'; '.join(said)}."
