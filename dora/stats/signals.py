"""Signal or noise: which points of a series lie further out than chance takes them.

Process behaviour charts. Around the level of a series stand limits that one point in some 400
passes while nothing changes; a point beyond them is a signal, a reason to ask. Runs and the other
patterns are hints: of the series in which nothing changes, one in several has some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.spread import MEAN_RANGE, spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

BEYOND = 3.0
"""Limits stand three standard deviations from the level."""
LEAST_POINTS = 8
"""With fewer points there is no telling how far chance takes them."""
RUN, RISE = 8, 6
"""So many points in a row on one side of the level, or each above the one before, are a hint."""
_RANGE_LIMIT = 3.267
"""Upper limit of moving ranges, in mean ranges: the D4 of control charts."""


@dataclass(frozen=True, eq=False)
class Chart:
    """A series with its level and limits, point by point.

    Attributes:
        values: The points.
        centre: The level at each point; it steps where the level was fitted anew.
        lower: The lower limit; NaN where no value would be too low.
        upper: The upper limit; NaN where no value would be too high.
        signals: 1 where a point lies above its limit, -1 below, else 0.
        hints: What else is odd about each point: run, rise, fall, two of three, jump.
        moving: The distance to the point before; NaN for the first of a level. Empty where the
            chart is not about distances.
        moving_upper: The limit of that distance.
    """

    values: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    signals: NDArray[np.int8]
    hints: tuple[tuple[str, ...], ...]
    moving: Floats
    moving_upper: Floats


def x_mr(
    values: ArrayLike, behind: ArrayLike | None = None, *, starts: Sequence[int] = (0,)
) -> Chart:
    """Limits from moving ranges, for numbers that are about normal, such as logged durations.

    The XmR chart (Shewhart 1931; Wheeler, Understanding Variation, 1993): the level ± 2.66 mean
    moving ranges. Not for small counts, whose steps are too coarse. Where points have unequally
    many records behind them the limits are wider at those with few.

    Args:
        values: The points, at least two a level.
        behind: How many records each point is made from.
        starts: Where each level begins.
    """
    import numpy as np

    points = np.asarray(values, float)
    records = None if behind is None else np.asarray(behind, float)
    pieces = [
        _x_mr(points[part], None if records is None else records[part])
        for part in parts(len(points), starts)
    ]
    return joined(pieces)


def _x_mr(points: Floats, records: Floats | None) -> Chart:
    import numpy as np

    found = spread(points, records)
    level, deviations = found.level(points), found.deviations
    scores = np.divide(points - level, deviations, out=np.zeros_like(points), where=deviations > 0)
    steps = np.abs(np.diff(points))
    usual = MEAN_RANGE * np.sqrt((deviations[1:] ** 2 + deviations[:-1] ** 2) / 2)
    nothing = np.array([np.nan])
    moving = np.concatenate([nothing, steps])
    moving_upper = np.concatenate([nothing, _RANGE_LIMIT * usual])
    signals = np.where(np.abs(scores) > BEYOND, np.sign(scores), 0).astype(np.int8)
    return Chart(
        points, np.full(len(points), level), level - BEYOND * deviations,
        level + BEYOND * deviations, signals,
        hints_of(points, scores, jumps=moving > moving_upper), moving, moving_upper,
    )  # fmt: skip


def parts(points: int, starts: Sequence[int]) -> list[slice]:
    """The stretch of points of each level."""
    ends = [*starts[1:], points]
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def joined(charts: list[Chart]) -> Chart:
    """One chart of several, level after level."""
    import numpy as np

    columns = ("values", "centre", "lower", "upper", "signals", "moving", "moving_upper")
    whole = {name: np.concatenate([getattr(chart, name) for chart in charts]) for name in columns}
    return Chart(**whole, hints=tuple(hint for chart in charts for hint in chart.hints))


def hints_of(
    values: Floats, scores: Floats, jumps: NDArray[np.bool_] | None = None
) -> tuple[tuple[str, ...], ...]:
    """Patterns that may mean something, each at the point that completes it."""
    import numpy as np

    side, steps = np.sign(scores), np.sign(np.diff(values, prepend=values[:1]))
    far = np.where(np.abs(scores) > BEYOND * 2 / 3, side, 0)
    found: list[tuple[str, ...]] = []
    for i in range(len(values)):
        last, moves, near = (
            side[: i + 1][-RUN:],
            steps[: i + 1][1:][-(RISE - 1) :],
            far[: i + 1][-3:],
        )
        told = []
        if len(last) == RUN and abs(last.sum()) == RUN:
            told.append("run")
        if len(moves) == RISE - 1 and abs(moves.sum()) == RISE - 1:
            told.append("rise" if moves[0] > 0 else "fall")
        if far[i] and (near == far[i]).sum() >= 2:
            told.append("two of three")
        if jumps is not None and jumps[i]:
            told.append("jump")
        found.append(tuple(told))
    return tuple(found)
