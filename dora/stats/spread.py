"""How much a series moves from point to point, where not every point has as much behind it.

The median of three changes jumps about more than that of thirty, also while nothing changes. Limits
that ignore this call the weeks with few records signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

MEAN_RANGE = 2 / 3.141592653589793**0.5
"""Mean distance of two normal values in standard deviations, 1.128: the d2 of control charts."""

_SHARES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
"""How large the spread between points may be against that of a single record, to choose from."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How far each point may lie from the level by chance.

    Attributes:
        weights: What each point weighs: more where more records are behind it.
        deviations: The standard deviation of each point, from moving ranges.
    """

    weights: Floats
    deviations: Floats

    def level(self, values: Floats) -> float:
        """The weighted mean."""
        return float((values * self.weights).sum() / self.weights.sum())


def spread(values: Floats, behind: ArrayLike | None = None, *, least: float = 0.0) -> Spread:
    """Estimate the spread of a series from the steps between neighbours.

    Moving ranges (Shewhart; Wheeler, Understanding Variation) stay as they are when the level
    shifts, which a standard deviation does not. With numbers of records the variance of a point
    is taken as `a + b / records`, and the ratio of `a` to `b` is the likeliest of a few.

    Args:
        values: At least two points.
        behind: How many records each point is made from; equally many if not given.
        least: What a single record's standard deviation is at least, where theory knows that.
    """
    import numpy as np

    records = np.ones(len(values)) if behind is None else np.asarray(behind, float)
    shapes = [1 / records]
    if np.ptp(records) > 0:
        shapes = [share + 1 / records for share in _SHARES]
    shape = max(shapes, key=lambda variances: _likelihood(values, variances))
    steps = np.abs(np.diff(values)) / np.sqrt((shape[1:] + shape[:-1]) / 2)
    scale = max(float(steps.mean()) / MEAN_RANGE, least)
    return Spread(1 / shape, scale * np.sqrt(shape))


def _likelihood(values: Floats, variances: Floats) -> float:
    """How likely normal values around one level are, with these variances up to a factor."""
    import numpy as np

    weights = 1 / variances
    level = (values * weights).sum() / weights.sum()
    factor = ((values - level) ** 2 * weights).mean()
    if not factor > 0:
        return 0.0
    return float(-len(values) * np.log(factor) - np.log(variances).sum())
