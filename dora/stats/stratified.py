"""Two groups held against each other within strata, so that what differs between strata cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora.stats.intervals import LEVEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two rates.

    Attributes:
        value: The first less the second; NaN where no stratum has both.
        low: Low end of its interval.
        high: High end of its interval.
        n: How many trials of either group are in strata that have both.
    """

    value: float
    low: float
    high: float
    n: int


def stratified_difference(
    hits: ArrayLike,
    trials: ArrayLike,
    other_hits: ArrayLike,
    other_trials: ArrayLike,
    *,
    level: float = LEVEL,
) -> Difference:
    """The common difference of two rates over strata, weighted as Mantel and Haenszel do.

    Greenland and Robins, Estimation of a Common Effect Parameter from Sparse Follow-up Data
    (Biometrics 41, 1985), with the variance of Sato, Greenland and Robins (Biometrics 45, 1989),
    which holds for few large strata as for many small ones.

    Args:
        hits: Events of the first group, a number for each stratum.
        trials: How many could have been.
        other_hits: Events of the second group.
        other_trials: How many could have been.
        level: Of the two-sided interval.
    """
    import numpy as np
    from scipy.special import ndtri

    a, n, c, m = (np.asarray(x, float) for x in (hits, trials, other_hits, other_trials))
    both = (n > 0) & (m > 0)
    a, n, c, m = a[both], n[both], c[both], m[both]
    if not len(n):
        return Difference(float("nan"), float("nan"), float("nan"), 0)
    whole = n + m
    weight = n * m / whole
    value = float(np.sum((a * m - c * n) / whole) / weight.sum())
    p = (n**2 * c - m**2 * a + n * m * (m - n) / 2) / whole**2
    q = (a * (m - c) + c * (n - a)) / (2 * whole)
    half = float(ndtri(0.5 + level / 2) * np.sqrt(max(0.0, value * p.sum() + q.sum())))
    half /= float(weight.sum())
    return Difference(value, max(-1.0, value - half), min(1.0, value + half), int(whole.sum()))
