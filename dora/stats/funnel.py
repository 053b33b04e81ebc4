"""Many groups beside each other without a league table: who differs by more than chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora.stats.intervals import LEVEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def funnel_limits(
    trials: ArrayLike, share: float, *, level: float = LEVEL
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How few and how many hits chance alone gives, where every group has the same rate.

    Exact binomial control limits (Spiegelhalter, Statistics in Medicine 2005). Fewer hits than the
    first, or more than the second, come with a probability of at most (1 - level) / 2 each.

    Args:
        trials: Of each group.
        share: The rate that all are held against, such as the pooled one.
        level: Which share of groups lies within by chance.
    """
    import numpy as np

    n = np.asarray(trials, np.int64)
    tail = (1 - level) / 2
    return _least(n, share, tail, beyond=True), _least(n, share, 1 - tail, beyond=False)


def _least(n: NDArray[np.int64], share: float, target: float, *, beyond: bool) -> NDArray[np.int64]:
    """The least number of hits whose cumulated probability reaches (or passes) the target.

    By bisection on the exact distribution, since inverting it in floating point is off by one.
    """
    import numpy as np
    from scipy.special import bdtr

    low, high = np.zeros_like(n), n.copy()
    safe = np.maximum(n, 1)
    for _ in range(int(safe.max(initial=1)).bit_length() + 1):
        middle = (low + high) // 2
        reached = np.where(middle >= n, 1.0, bdtr(np.minimum(middle, safe), safe, share))
        does = reached > target if beyond else reached >= target
        high = np.where(does, middle, high)
        low = np.where(does, low, np.minimum(middle + 1, n))
    return high


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Rates drawn towards the pooled one, each the more the less it is known.

    Attributes:
        raw: Each group's own rate; NaN without trials.
        values: Each group's rate as the other groups make it plausible.
        share: The pooled rate.
        strength: How many trials' worth of weight the pooled rate has; infinite where the groups
            differ by no more than chance, so that every one is the pooled rate.
    """

    raw: Floats
    values: Floats
    share: float
    strength: float


def shrink(hits: ArrayLike, trials: ArrayLike) -> Shrunk:
    """Partial pooling of rates: beta-binomial, empirical Bayes.

    Mean and spread of the groups' true rates by Kleinman's moments, weighed by trials (JASA 1973).
    A small group's rate is mostly the pooled one, a large one's its own. For seeing past the noise
    of small numbers; the raw rates stay beside them.
    """
    import numpy as np

    x, n = np.asarray(hits, float), np.asarray(trials, float)
    total = float(n.sum())
    raw = x / np.where(n > 0, n, np.nan)
    if not total:
        return Shrunk(raw, np.full_like(raw, np.nan), float("nan"), float("nan"))
    share = float(x.sum()) / total
    strength = _strength(x[n > 0], n[n > 0], share)
    weight = n / np.maximum(n + strength, 1e-9)
    values = share + weight * (np.where(n > 0, raw, share) - share)
    return Shrunk(raw, values, share, strength)


def _strength(x: Floats, n: Floats, share: float) -> float:
    """Trials' worth of the pooled rate: 1/γ - 1, γ being how alike the trials of one group are."""
    total, groups = n.sum(), len(n)
    spread = share * (1 - share)
    room = total - (n**2).sum() / total - (groups - 1)
    if groups < 2 or spread == 0 or room <= 0:
        return float("inf")
    seen = (n * (x / n - share) ** 2).sum()
    alike = (seen - spread * (groups - 1)) / (spread * room)
    return float("inf") if alike <= 0 else float(max(1 / alike - 1, 0.0))
