"""Is a series moving steadily in one direction?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora.stats.intervals import LEVEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEAST_POINTS = 8
"""A trend of fewer points says nothing."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A steady movement, or what there is of it.

    Attributes:
        slope: The change from one point to the next.
        low: Low end of its interval.
        high: High end of its interval.
        chance: How often a series without any trend rises or falls as steadily.
        n: How many points there are.
    """

    slope: float
    low: float
    high: float
    chance: float
    n: int

    @property
    def direction(self) -> int:
        """1 for rising, -1 for falling, 0 where there is no evidence of either."""
        if self.chance > 1 - LEVEL:
            return 0
        return int(self.low > 0) - int(self.high < 0)


def theil_sen(
    values: ArrayLike, places: ArrayLike | None = None, *, level: float = LEVEL
) -> Trend | None:
    """The median of the slopes between all pairs of points, which no outlier moves much.

    Theil (1950) and Sen (JASA 1968) by `scipy.stats.theilslopes`, with Kendall's tau as the test.
    Points that hang together from one to the next make trends seem surer than they are.

    Args:
        values: The series; None is returned for fewer than eight points.
        places: Where each point stands, if there are gaps between them.
        level: How often the interval holds.
    """
    import numpy as np

    points = np.asarray(values, float)
    at = np.arange(len(points), dtype=float) if places is None else np.asarray(places, float)
    if len(points) < LEAST_POINTS:
        return None
    if np.ptp(points) == 0:
        return Trend(0.0, 0.0, 0.0, 1.0, len(points))
    from scipy import stats

    slope = stats.theilslopes(points, at, alpha=level)
    chance = float(stats.kendalltau(at, points).pvalue)
    return Trend(
        float(slope.slope), float(slope.low_slope), float(slope.high_slope), chance, len(points)
    )
