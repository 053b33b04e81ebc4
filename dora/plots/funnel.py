"""Which services differ by more than chance? Their rates by size, amid what chance alone gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes
from dora.stats.funnel import funnel_limits
from dora.words import rollup as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dora.metrics.result import Result
    from dora.metrics.rollup import RollUp

LEVELS = (0.95, 0.998)
"""Where the limits are drawn; the outer ones are passed by chance by one group in 500."""

MOST_NAMED = 8


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw every service's rate by how many deployments it has."""
    return of_groups(result.rollup(), ax)


def of_groups(rolled: RollUp, ax: Axes | None = None) -> Axes:
    """Draw every group's rate by its size; only those outside of the limits are named."""
    ax = new_axes() if ax is None else ax
    result, frame = rolled.now.whole, _shown(rolled)
    if result.value is None or frame.empty:
        furniture.say(ax, result.reason or words.NOTHING_DEPLOYED)
    else:
        sizes = frame["n"].to_numpy(np.int64)
        _limits(ax, int(sizes.max()), result.value)
        ax.scatter(sizes, frame["value"].to_numpy(float), s=30, gid="group",
                   color=palette.now().hue(result.name), zorder=3)  # fmt: skip
        for name, n, value in _outside(rolled, frame):
            ax.annotate(
                furniture.name(name), (n, value), xytext=(5, 4), textcoords="offset points",
                fontsize=8,
            )  # fmt: skip
        scales.shares(ax, [*frame["value"].to_numpy(float), 3 * result.value])
        ax.set_xlim(0, sizes.max() * 1.1)
        furniture.plain(ax)
    note = "By size, not by rank. Lines: 95 and 99.8 % limits of chance around the whole."
    furniture.label(ax, result, f"{result.metric.title} by {rolled.by} and n", note)
    furniture.describe(ax, _described(rolled))
    return ax


def alt_text(result: Result) -> str:
    """The picture in words: how many services lie outside of the limits."""
    return _described(result.rollup())


def _shown(rolled: RollUp) -> pd.DataFrame:
    return rolled.frame.dropna(subset=["value", "n", "limit_low"])


def _limits(ax: Axes, most: int, share: float) -> None:
    sizes = np.unique(np.geomspace(1, most * 1.1, 600).astype(np.int64))
    grey = palette.now().grey
    for level, style in zip(LEVELS, ("--", "-"), strict=True):
        for limit in funnel_limits(sizes, share, level=level):
            ax.plot(sizes, limit / sizes, color=grey, lw=0.8, ls=style, gid=f"limit {level}")
    ax.axhline(share, color=grey, lw=0.8, alpha=0.6)


def _outside(rolled: RollUp, frame: pd.DataFrame) -> list[tuple[str, int, float]]:
    """The groups outside of the 95 % limits, the largest first."""
    beyond = frame[(frame["value"] < frame["limit_low"]) | (frame["value"] > frame["limit_high"])]
    largest = beyond.sort_values("n", ascending=False).head(MOST_NAMED)
    named = zip(largest[rolled.by], largest["n"], largest["value"], strict=True)
    return [(str(name), int(n), float(value)) for name, n, value in named]


def _described(rolled: RollUp) -> str:
    result, frame = rolled.now.whole, _shown(rolled)
    title = f"{result.metric.title} by {rolled.by} of {furniture.whose(result)}, {result.window}"
    if result.value is None or frame.empty:
        return f"{title}: {result.reason or words.NOTHING_DEPLOYED}."
    low, high = frame["limit_low"], frame["limit_high"]
    beyond = int(((frame["value"] < low) | (frame["value"] > high)).sum())
    return f"{title}: {text.outside(rolled.by, len(frame), beyond, LEVELS[0])}"
