"""Axes that people can read: hours, days and weeks; percentages; counts from zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from dora import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
HUMAN_TICKS = {
    1: "1 s", 10: "10 s",
    _MINUTE: "1 min", 5 * _MINUTE: "5 min", 15 * _MINUTE: "15 min",
    _HOUR: "1 h", 4 * _HOUR: "4 h", 12 * _HOUR: "12 h",
    _DAY: "1 d", 3 * _DAY: "3 d", 7 * _DAY: "1 w", 14 * _DAY: "2 w",
    30 * _DAY: "30 d", 90 * _DAY: "90 d", 180 * _DAY: "180 d",
    365 * _DAY: "1 y", 1095 * _DAY: "3 y", 3650 * _DAY: "10 y",
}  # fmt: skip
"""Where a ruler for lengths of time has its marks, in seconds, and what they are called."""

GUIDES = (0.5, 0.85, 0.95)
"""Shares of all at which it is looked up how long they took."""

_MOST_TICKS = 9
_FIRST_TICKS = (1, _MINUTE, _HOUR, _DAY, 7 * _DAY, 30 * _DAY, 365 * _DAY)
"""The marks that stay where there is no room for all."""


def durations(ax: Axes, values: Sequence[float], axis: Literal["x", "y"] = "y") -> None:
    """A log axis whose marks are 1 h, 1 d, 1 w; it holds all values with a mark on either side."""
    low, high = min(values, default=_HOUR), max(values, default=_DAY)
    low = max(low, 0.5)  # a log axis has no place for zero
    marks: list[float] = sorted(HUMAN_TICKS)
    bottom = max((m for m in marks if m <= low), default=low)
    top = min((m for m in marks if m >= high), default=high * 1.2)
    if top <= bottom:
        top = min((m for m in marks if m > bottom), default=bottom * 10)
    inside = [m for m in marks if bottom <= m <= top]
    inside = inside if len(inside) > 1 else [bottom, top]
    ruler = ax.xaxis if axis == "x" else ax.yaxis
    ax.set(**{f"{axis}scale": "log", f"{axis}lim": (bottom * 0.92, top * 1.08)})
    ruler.set_major_locator(FixedLocator(_thinned(inside)))
    ruler.set_major_formatter(FuncFormatter(_human))
    ruler.set_minor_locator(NullLocator())
    ruler.set_minor_formatter(NullFormatter())


def _human(seconds: float, _: int | None = None) -> str:
    return HUMAN_TICKS.get(round(seconds), words.duration(seconds))


def _thinned(marks: list[float]) -> list[float]:
    return marks if len(marks) <= _MOST_TICKS else [m for m in marks if m in _FIRST_TICKS]


def shares(ax: Axes, values: Sequence[float]) -> None:
    """Percentages from zero, past a hundred only where incidents are counted instead of shares."""
    most = max(values, default=0)
    room = max(most * 1.08, 0.05)
    ax.set_ylim(0, room if most > 1 else min(1.0, room))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.share(value)))


def done(ax: Axes) -> None:
    """Which share of all is over, told at the shares that are looked up."""
    ax.set_ylim(0, 1.02)
    told = [0, 0.25, *GUIDES, 1]
    ax.set_yticks(told, [words.share(share) if share else "0" for share in told], fontsize=8)


def counts(ax: Axes, values: Sequence[float]) -> None:
    """Numbers from zero."""
    ax.set_ylim(0, max(max(values, default=0) * 1.08, 1))
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
