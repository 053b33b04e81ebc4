"""How good are we, and how sure? Each number with its interval over DORA's survey answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING

from dora import metrics, words
from dora.metrics.levels import TAKEN, Level, Standing
from dora.plots import furniture, palette
from dora.plots.figure import new_axes
from dora.stats import levels
from dora.words import levels as text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

_HOUR, _DAY, _WEEK, _MONTH = levels.HOUR, levels.DAY, levels.WEEK, levels.MONTH
_LENGTHS = (36 * _MONTH, 6 * _MONTH, _MONTH, _WEEK, _DAY, _HOUR, 60.0)
"""The ends of the answers, from the slowest on; the first and the last are where the strip ends."""

_FREQUENCIES = tuple(_WEEK / seconds for seconds in (*_LENGTHS[:-1], _HOUR / 10))
_ODDS = (1.0, -6.0)
"""Where the strip of failure rates ends, as doublings of the odds: 67 % and 1.5 %."""

_RATES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the strip of all numbers that have levels, of the newest year that had any."""
    return strip(_level(result), ax)


def alt_text(result: Result) -> str:
    """The picture in words: the level, and what each number is."""
    return described(_level(result))


def _level(result: Result) -> Level:
    question = result.question.pooled()
    return Level.of([metrics.find(name).ask(question) for name in TAKEN], levels.NEWEST)


def strip(level: Level, ax: Axes | None = None) -> Axes:
    """Draw where each number and its interval lie among the answers, best to the right."""
    ax = new_axes() if ax is None else ax
    rows = dict(enumerate(reversed(level.standings)))
    for height, standing in rows.items():
        title = f"{standing.result.metric.title}: {_figure(standing)}"
        ax.text(0.515, height + 0.45, furniture.literal(title), va="center", fontsize=8.5)
        _answers(ax, height, standing, level)
        _number(ax, height, standing)
    ax.set(xlim=(0.5, 6.5), ylim=(-0.45, len(rows) - 0.35), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    note = f"{level.sentence} Grey words: where a level's profile lies. Right is better."
    furniture.label(ax, level.standings[0].result, f"Among DORA's levels of {level.year}", note)
    furniture.describe(ax, described(level))
    return ax


def described(level: Level) -> str:
    """The picture in words: the level, and what each number is."""
    said = [
        f"{s.result.metric.title} {_figure(s)}, {s.answer(s.value, level.year) or s.reason}"
        for s in level.standings
    ]
    result = level.standings[0].result
    whose = f"{furniture.whose(result)}, {result.window}"
    return f"DORA's levels of {level.year}, {whose}: {level.sentence} {'; '.join(said)}."


def _figure(standing: Standing) -> str:
    return words.estimate(standing.value, standing.low, standing.high, standing.unit)


def _answers(ax: Axes, height: int, standing: Standing, level: Level) -> None:
    """The answers of one number side by side, and which levels gave them."""
    part = TAKEN[standing.result.name]
    profiles = levels.REPORTS[level.year].profiles
    if part == "failure_rate":
        ax.barh(height, 6, left=0.5, height=0.66, color=palette.now().faint, alpha=0.4)
        for rate in _RATES:
            _write(ax, rate_place(rate), height + 0.2, words.share(rate))
        given = {name: _middle(profile.failure_rate) for name, profile in profiles.items()}
    else:
        names = text.FREQUENCIES if part == "frequency" else text.LENGTHS
        for answer, name in names.items():
            ax.barh(
                height, 0.97, left=answer - 0.485, height=0.66, color=palette.now().faint, alpha=0.4
            )
            _write(ax, answer, height + 0.16, fill(name, 16))
        given = {name: float(getattr(profile, part)) for name, profile in profiles.items()}
    for place, who in _together(given).items():
        _write(ax, place, height - 0.25, who, weight="bold")


def _middle(ends: tuple[float, float]) -> float:
    return rate_place(sum(ends) / 2)


def _together(given: Mapping[str, float]) -> dict[float, str]:
    """The levels that lie at one place, as one label."""
    found: dict[float, list[str]] = {}
    for name, place in given.items():
        found.setdefault(place, []).append(name)
    return {place: ", ".join(who) for place, who in found.items()}


def _write(ax: Axes, x: float, y: float, what: str, weight: str = "normal") -> None:
    ax.text(
        x, y, what, ha="center", va="center", fontsize=6.5, color=palette.now().grey, weight=weight
    )


def _number(ax: Axes, height: int, standing: Standing) -> None:
    """The value as a mark on the line of its interval; words where there is none."""
    if standing.value is None:
        reason = words.shortened(str(standing.reason), most=90)
        ax.text(3.5, height - 0.07, furniture.literal(reason), ha="center", va="center", fontsize=8)
        return
    hue = palette.now().hue(standing.result.name)
    place = place_of(standing, standing.value)
    if standing.low is not None and standing.high is not None:
        ends = [place_of(standing, end) for end in (standing.low, standing.high)]
        ax.plot(ends, [height - 0.07] * 2, color=hue, lw=5, alpha=0.45, solid_capstyle="butt")
    ax.scatter([place], [height - 0.07], s=52, color=hue, zorder=3, gid="value")


def place_of(standing: Standing, value: float) -> float:
    """Where a value lies from left to right; an answer is as wide as 1 and has its middle at it."""
    part = TAKEN[standing.result.name]
    if part == "failure_rate":
        return rate_place(value)
    return _between(value, _FREQUENCIES if part == "frequency" else _LENGTHS)


def rate_place(share: float) -> float:
    """Where a rate lies, by its log-odds."""
    share = min(max(share, 1e-9), 1 - 1e-9)
    doublings = min(max(math.log2(share / (1 - share)), _ODDS[1]), _ODDS[0])
    return 0.5 + 6 * (_ODDS[0] - doublings) / (_ODDS[0] - _ODDS[1])


def _between(value: float, edges: tuple[float, ...]) -> float:
    """Where a value lies between the ends of the answers, by its logarithm."""
    rising = edges[0] < edges[-1]
    low, high = min(edges), max(edges)
    value = min(max(value, low), high)
    for answer, (start, end) in enumerate(pairwise(edges)):
        if value < end if rising else value > end:
            return 0.5 + answer + math.log(value / start) / math.log(end / start)
    return 6.5
