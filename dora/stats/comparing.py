"""How plain is a difference?

The chance that goes with a difference is that of its interval: it is below one in twenty exactly
where the 95 % interval does not hold "no difference".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.intervals import (
    LEVEL,
    difference_interval,
    quantile_ranks,
    rate_difference_interval,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ends: TypeAlias = tuple[float, float]
    Sizes: TypeAlias = tuple[float, float] | None

_SURE = 8.0
"""So many standard errors leave no chance worth telling apart from none."""


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """What the chances of several differences are when all of them are looked at together.

    Holm's step-down correction (Scandinavian Journal of Statistics 1979): if nothing changed, the
    chance that any of them falls below a limit is at most that limit.

    Args:
        chances: One for each; None where nothing was compared, which does not count.
    """
    known = sorted((c, place) for place, c in enumerate(chances) if c is not None)
    adjusted: list[float | None] = [None] * len(chances)
    largest = 0.0
    for rank, (chance, place) in enumerate(known):
        largest = max(largest, min(1.0, chance * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted


def rates_chance(now: tuple[int, int], before: tuple[int, int]) -> float:
    """How often two rates differ as much by chance alone, each given as hits and trials.

    Newcombe's interval, inverted.
    """
    return _inverted(lambda level: _floats(rate_difference_interval(*now, *before, level=level)))


def frequencies_chance(now: tuple[int, float], before: tuple[int, float]) -> float:
    """How often two frequencies differ as much by chance alone, each given as events and days.

    Exact: given the total, the first count is binomial (Przyborowski and Wilenski 1940).
    """
    from scipy.special import bdtr, bdtrc

    (k, days), (m, days_before) = now, before
    share = days / (days + days_before)
    up = float(bdtrc(k - 1, k + m, share)) if k else 1.0
    return min(1.0, 2 * min(up, float(bdtr(k, k + m, share))))


def medians_chance(now: Floats, before: Floats, *, sizes: Sizes = None) -> float:
    """How often two medians differ as much by chance alone.

    Args:
        now: The values, ascending.
        before: What they are held against, ascending.
        sizes: How many independent values either is worth, where some hang together.
    """
    return _inverted(lambda level: median_difference(now, before, sizes=sizes, level=level))


def median_difference(
    now: Floats, before: Floats, *, sizes: Sizes = None, level: float = LEVEL
) -> Ends:
    """The interval of the difference of two medians; from minus to plus infinity if there is none.

    The order-statistic intervals of both, squared and added (see `difference_interval`).

    Args:
        now: The values, ascending.
        before: The values that are subtracted, ascending.
        sizes: How many independent values either is worth, where some hang together.
        level: How often such an interval holds.
    """
    import math

    worth = sizes or (len(now), len(before))
    first = median_interval(now, size=worth[0], level=level)
    second = median_interval(before, size=worth[1], level=level)
    if first is None or second is None:
        return -math.inf, math.inf
    return _floats(difference_interval(first, second))


def median_interval(
    values: Floats, *, size: float | None = None, level: float = LEVEL
) -> tuple[float, float, float] | None:
    """A median with the order statistics that bound it; None where too few values reach the level.

    Args:
        values: The values, ascending.
        size: How many independent values they are worth; the ranks are those of so many, spread
            over all (Woodruff, JASA 1952).
        level: How often such an interval holds.
    """
    import math

    import numpy as np

    worth = len(values) if size is None else min(len(values), int(size))
    low, high = (int(rank) for rank in quantile_ranks(worth, level=level))
    if not low:
        return None
    scale = len(values) / worth
    first = max(1, math.floor((low - 0.5) * scale + 0.5))
    last = min(len(values), math.ceil((high - 0.5) * scale + 0.5))
    return float(np.median(values)), float(values[first - 1]), float(values[last - 1])


def effective_size(values: Floats, groups: NDArray[np.int64]) -> float:
    """How many independent values the values of several groups are worth for their median.

    Values of a group are alike, as the lead times of changes are that one deployment delivers:
    five times as many are then less than five times as sure. By the variance between groups of
    being below the median (Kish, Survey Sampling, 1965: the design effect).

    Args:
        values: The values, in any order.
        groups: The number of each value's group, from 0.
    """
    import numpy as np

    n, groups_there = len(values), len(np.unique(groups))
    if groups_there < 2 or groups_there == n:
        return float(groups_there)
    below = (values <= np.median(values)).astype(float)
    share = below.mean()
    if share >= 1:
        return float(n)
    surplus = np.bincount(groups, weights=below - share)
    between = float((surplus**2).sum()) * groups_there / (groups_there - 1)
    return float(n / max(1.0, between / (n * share * (1 - share))))


def _inverted(interval: Callable[[float], Ends]) -> float:
    """One minus the highest level at which an interval does not hold zero."""
    from scipy.special import ndtr

    low, high = 0.0, _SURE
    for _ in range(40):
        z = (low + high) / 2
        start, end = interval(float(1 - 2 * ndtr(-z)))
        low, high = (z, high) if start > 0 or end < 0 else (low, z)
    return float(2 * ndtr(-low))


def _floats(ends: tuple[Floats, Floats]) -> Ends:
    return float(ends[0]), float(ends[1])
