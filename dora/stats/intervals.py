"""Intervals that hold for small numbers, for whole columns at once.

Every function takes numbers or arrays, which broadcast, and gives arrays of floats; NaN stands
where no interval exists. The level is that of a two-sided interval, 0.95 unless told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Pair: TypeAlias = tuple[Floats, Floats]

LEVEL = 0.95


def wilson_interval(hits: ArrayLike, trials: ArrayLike, *, level: float = LEVEL) -> Pair:
    """The range a rate plausibly lies in, given so many hits in so many trials.

    Wilson's score interval (Wilson 1927; recommended for small n by Brown, Cai and DasGupta,
    Statistical Science 2001). Never leaves 0 to 1, and 0 of 10 gives 0 to 0.28, not 0 to 0.

    Returns:
        Low and high, as shares of one; NaN where there were no trials.
    """
    import numpy as np
    from scipy.special import ndtri

    k, n = np.broadcast_arrays(np.asarray(hits, float), np.asarray(trials, float))
    n = np.where(n > 0, n, np.nan)
    z = ndtri(0.5 + level / 2)
    share = k / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = np.where(k == 0, np.where(np.isnan(n), np.nan, 0.0), centre - half)
    high = np.where(k == n, 1.0, centre + half)
    return low, high


def poisson_interval(counts: ArrayLike, *, level: float = LEVEL) -> Pair:
    """The range that the expected number of events plausibly lies in, given how many there were.

    Garwood's exact interval (Biometrika 1936) by chi-square quantiles. None seen gives 0 to 3.7.
    """
    import numpy as np
    from scipy.special import chdtri

    k = np.asarray(counts, float)
    tail = (1 - level) / 2
    positive = np.where(k > 0, k, np.nan)
    low = np.where(k > 0, chdtri(2 * positive, 1 - tail) / 2, np.where(np.isnan(k), np.nan, 0.0))
    return low, np.asarray(chdtri(2 * k + 2, tail) / 2)


def quantile_ranks(
    n: ArrayLike, quantile: float = 0.5, *, level: float = LEVEL
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of n sorted values bound a quantile of what they were drawn from.

    The exact order-statistic interval, free of any assumption about the distribution (Conover,
    Practical Nonparametric Statistics, 3.2): as few values as possible are cut off at each end,
    so that either end errs with a probability of at most (1 - level) / 2.

    Returns:
        Ranks from 1 to n of the low and the high value; 0 and 0 where none reach the level. For
        the median at 95 % that is so below six values.
    """
    import numpy as np
    from scipy.special import bdtr

    sizes = np.asarray(n, dtype=np.int64)
    tail = (1 - level) / 2
    low = _first_rank(sizes, quantile, tail)
    high = sizes + 1 - _first_rank(sizes, 1 - quantile, tail)
    safe = np.maximum(sizes, 1)
    none = (sizes < 1) | (bdtr(0, safe, quantile) > tail) | (bdtr(0, safe, 1 - quantile) > tail)
    return np.where(none, 0, low), np.where(none, 0, high)


def _first_rank(sizes: NDArray[np.int64], quantile: float, tail: float) -> NDArray[np.int64]:
    """The largest rank with P(fewer than rank values below the quantile) <= tail, by bisection.

    Bisection on the exact distribution, since inverting it in floating point is off by one at ties.
    """
    import numpy as np
    from scipy.special import bdtr

    safe = np.maximum(sizes, 1)
    least, most = np.zeros_like(safe), safe.copy()  # ranks known to do; ranks known to be too high
    for _ in range(int(safe.max(initial=1)).bit_length() + 1):
        middle = (least + most + 1) // 2
        does = bdtr(np.maximum(middle - 1, 0), safe, quantile) <= tail
        least = np.where(does, middle, least)
        most = np.where(does, most, middle - 1)
    return least


def difference_interval(
    now: tuple[ArrayLike, ArrayLike, ArrayLike], before: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> Pair:
    """The range that a difference of two independent numbers plausibly lies in.

    Square-and-add of the two intervals' own arms (Zou and Donner, Statistics in Medicine 2008,
    "MOVER"), which keeps their asymmetry and needs no assumption about the distribution.

    Args:
        now: Value, low and high.
        before: Value, low and high of what is subtracted.
    """
    import numpy as np

    value, low, high = (np.asarray(part, float) for part in now)
    value_before, low_before, high_before = (np.asarray(part, float) for part in before)
    difference = value - value_before
    down = np.hypot(value - low, high_before - value_before)
    up = np.hypot(high - value, value_before - low_before)
    return difference - down, difference + up


def rate_difference_interval(
    hits: ArrayLike,
    trials: ArrayLike,
    hits_before: ArrayLike,
    trials_before: ArrayLike,
    *,
    level: float = LEVEL,
) -> Pair:
    """The range that the difference of two rates plausibly lies in.

    Newcombe's hybrid score interval, method 10 (Statistics in Medicine 1998): Wilson's two
    intervals, squared and added.
    """
    import numpy as np

    n, m = np.asarray(trials, float), np.asarray(trials_before, float)
    share = np.asarray(hits, float) / np.where(n > 0, n, np.nan)
    share_before = np.asarray(hits_before, float) / np.where(m > 0, m, np.nan)
    return difference_interval(
        (share, *wilson_interval(hits, trials, level=level)),
        (share_before, *wilson_interval(hits_before, trials_before, level=level)),
    )


def poisson_ratio_interval(
    count: ArrayLike,
    exposure: ArrayLike,
    count_before: ArrayLike,
    exposure_before: ArrayLike,
    *,
    level: float = LEVEL,
) -> Pair:
    """The range that the ratio of two frequencies plausibly lies in.

    Exact: given the total, the first count is binomial (Przyborowski and Wilenski, Biometrika
    1940), whose Clopper-Pearson interval is turned into a ratio.

    Args:
        count: Events now.
        exposure: Days, or any measure of how long was looked.
        count_before: Events before.
        exposure_before: The same measure, before.
        level: How often such an interval holds.

    Returns:
        Low and high of (count / exposure) / (count_before / exposure_before); high is infinite
        where there was nothing before, NaN where there was nothing at all.
    """
    import numpy as np
    from scipy.special import betaincinv

    k, m = np.asarray(count, float), np.asarray(count_before, float)
    time = np.asarray(exposure_before, float) / np.asarray(exposure, float)
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(k > 0, betaincinv(np.maximum(k, 1), m + 1, tail), 0.0)
        high = np.where(m > 0, betaincinv(k + 1, np.maximum(m, 1), 1 - tail), 1.0)
        nothing = (k + m) == 0
        return (
            np.where(nothing, np.nan, low / (1 - low) * time),
            np.where(nothing, np.nan, high / (1 - high) * time),
        )
