"""When did it change? Points at which the level of a series shifts, each with a range.

A change point says when, never why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.spread import spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

PENALTY = 3.0
"""A change has to pay for itself by so many times log n; less, and noise is taken for changes."""
LEAST = 4
"""Points a level has at least."""
_UNCERTAIN = 7.35
"""How much worse another place may fit and still be possible, at 95 % (Hansen, Econometrica
2000, table 1)."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where the level of a series shifts.

    Attributes:
        place: The first point at the new level, counted from 0.
        earliest: The first place where that may have been.
        latest: The last place where that may have been.
        before: The level before.
        after: The level after.
    """

    place: int
    earliest: int
    latest: int
    before: float
    after: float


def change_points(
    values: ArrayLike, behind: ArrayLike | None = None, *, least_spread: float = 0.0
) -> tuple[ChangePoint, ...]:
    """Find where a series changed its level: none in most series in which nothing changed.

    PELT (Killick, Fearnhead and Eckley, JASA 2012, by `ruptures`) with squared distances in
    standard deviations, told by moving ranges; a change costs 3 log n, a level has at least four
    points. Points weigh by the records behind them. Durations are to be logged before.

    Args:
        values: The series; fewer than eight points have no change point.
        behind: How many records each point is made from; equally many if not given.
        least_spread: The standard deviation of a single record where theory knows it.
    """
    import numpy as np

    points = np.asarray(values, float)
    if len(points) < 2 * LEAST:
        return ()
    found = spread(points, behind, least=least_spread)
    if not found.deviations.max() > 0:
        return ()
    levels = _Levels.of(points, 1 / found.deviations**2)
    places = [0, *_pelt(levels, len(points))]
    return tuple(_ranged(levels, places[i : i + 3]) for i in range(len(places) - 2))


@dataclass(frozen=True, eq=False)
class _Levels:
    """The level of any stretch of points and their distances from it, by sums made once."""

    weights: Floats
    firsts: Floats
    seconds: Floats

    @classmethod
    def of(cls, points: Floats, weights: Floats) -> _Levels:
        import numpy as np

        return cls(
            *(np.concatenate([[0.0], np.cumsum(weights * points**power)]) for power in (0, 1, 2))
        )

    def level(self, start: int, end: int) -> float:
        """The weighted mean of a stretch."""
        return float(self._sum(self.firsts, start, end) / self._sum(self.weights, start, end))

    def distance(self, start: int, end: int) -> float:
        """The squared distances of a stretch from its level."""
        first = self._sum(self.firsts, start, end)
        weight = self._sum(self.weights, start, end)
        return float(self._sum(self.seconds, start, end) - first**2 / weight)

    @staticmethod
    def _sum(sums: Floats, start: int, end: int) -> float:
        return float(sums[end] - sums[start])


def _pelt(levels: _Levels, points: int) -> list[int]:
    """Where levels end, by the cheapest cut of the series; the last is the series' own end."""
    import numpy as np
    from ruptures import Pelt
    from ruptures.base import BaseCost

    class Distance(BaseCost):
        model, min_size = "weighted l2", LEAST

        def fit(self, signal: Floats) -> Distance:
            self.signal = signal
            return self

        def error(self, start: int, end: int) -> float:
            return levels.distance(start, end)

    search = Pelt(custom_cost=Distance(), min_size=LEAST, jump=1).fit(np.zeros((points, 1)))
    return [int(place) for place in search.predict(pen=PENALTY * np.log(points))]


def _ranged(levels: _Levels, places: list[int]) -> ChangePoint:
    """A change point with the places between its neighbours that fit almost as well."""
    start, place, end = places
    fits = {
        at: levels.distance(start, at) + levels.distance(at, end) for at in range(start + 1, end)
    }
    possible = [at for at, fit in fits.items() if fit - fits[place] <= _UNCERTAIN]
    before, after = levels.level(start, place), levels.level(place, end)
    return ChangePoint(place, min(possible), max(possible), before, after)
