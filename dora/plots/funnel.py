"""Which services differ by more than chance? Their rates by size, amid what chance alone gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora import words
from dora.metrics.rollup import Side, groups_of
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes
from dora.stats.funnel import funnel_limits
from dora.words import rollup as text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

LEVELS = (0.95, 0.998)
"""Where the limits are drawn; the outer ones are passed by chance by one group in 500."""

MOST_NAMED = 8


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw every service's rate by how many deployments it has."""
    return of_groups(_services(result), "service", ax)


def alt_text(result: Result) -> str:
    """The picture in words: how many services lie outside of the limits."""
    return _described(_services(result), "service")


def _services(result: Result) -> Side:
    question = result.question
    return Side.of(result, groups_of(question.directory, question.scopes[0], "service"))


def of_groups(side: Side, by: str, ax: Axes | None = None) -> Axes:
    """Draw every group's rate by its size; only those outside of the limits are named."""
    ax = new_axes() if ax is None else ax
    result, shown = side.whole, _shown(side, by)
    lacking = _lacking(result, shown)
    if lacking is not None or result.value is None:
        furniture.say(ax, str(lacking))
    else:
        _limits(ax, int(shown["n"].max()), result.value)
        ax.scatter(shown["n"], shown["value"], s=30, gid="group",
                   color=palette.now().hue(result.name), zorder=3)  # fmt: skip
        for group in _outside(shown).sort_values("n").tail(MOST_NAMED).itertuples():
            ax.annotate(
                furniture.name(str(group.name)), (group.n, group.value), xytext=(5, 4),
                textcoords="offset points", fontsize=8,
            )  # fmt: skip
        scales.shares(ax, [*shown["value"], 3 * result.value])
        ax.set_xlim(0, shown["n"].max() * 1.1)
        furniture.plain(ax)
    note = "By size, not by rank. Lines: 95 and 99.8 % limits of chance around the whole."
    furniture.label(ax, result, f"{result.metric.title} by {by} and n", note)
    furniture.describe(ax, _described(side, by))
    return ax


def _lacking(result: Result, shown: pd.DataFrame) -> str | None:
    """Why there is nothing to draw; None where there is something."""
    if result.may_pass_one:
        return text.EVENTS
    if result.value is None or shown.empty:
        return result.reason or words.NOTHING_DEPLOYED
    return None


def _shown(side: Side, by: str) -> pd.DataFrame:
    """The groups that have a rate, with the limits of chance for their size."""
    numbers = {name: side.numbers(name) for name in ("n", "value")} | side.rates()
    names = [str(getattr(group, by)) for group in side.groups]
    return pd.DataFrame({"name": names, **numbers}).dropna()


def _limits(ax: Axes, most: int, share: float) -> None:
    sizes = np.unique(np.geomspace(1, most * 1.1, 600).astype(np.int64))
    grey = palette.now().grey
    for level, style in zip(LEVELS, ("--", "-"), strict=True):
        for limit in funnel_limits(sizes, share, level=level):
            ax.plot(sizes, limit / sizes, color=grey, lw=0.8, ls=style, gid=f"limit {level}")
    ax.axhline(share, color=grey, lw=0.8, alpha=0.6)


def _outside(shown: pd.DataFrame) -> pd.DataFrame:
    """The groups outside of the 95 % limits."""
    beyond = (shown["value"] < shown["limit_low"]) | (shown["value"] > shown["limit_high"])
    return shown[beyond]


def _described(side: Side, by: str) -> str:
    result, shown = side.whole, _shown(side, by)
    title = f"{result.metric.title} by {by} of {furniture.whose(result)}, {result.window}"
    lacking = _lacking(result, shown)
    if lacking is not None:
        return f"{title}: {lacking}."
    return f"{title}: {text.outside(by, len(shown), len(_outside(shown)), LEVELS[0])}"
