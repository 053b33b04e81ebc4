"""Limits for what is counted: rates, counts, and how long nothing rare happens.

A normal curve is a poor likeness of small counts, and its limits raise false alarms in one stable
series of five or more. These limits are quantiles of the distributions that counts have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.signals import BEYOND, Chart, hints_of, joined, parts, x_mr
from dora.stats.spread import MEAN_RANGE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Tails: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]

NELSON = 3.6
"""Times between rare events to the power of 1/3.6 are near enough normal (Nelson, JQT 1994)."""
_MOST_EXCESS = 1e5
"""No series is taken to vary so many times as much as chance."""


def laney_p(hits: ArrayLike, trials: ArrayLike, *, starts: Sequence[int] = (0,)) -> Chart:
    """Limits for rates, such as the failed share of each week's deployments.

    Laney's p′ chart (Quality Engineering 2002): limits widen by as much as rates vary beyond
    chance, told by moving ranges, and never narrow. For few trials a normal curve is a poor
    likeness; the limits are then quantiles of the binomial, and where rates vary of the
    beta-binomial, beyond which as little lies as beyond three standard deviations.

    Args:
        hits: How many of each point's trials count.
        trials: How many trials each point has; at least one.
        starts: Where each level begins.
    """
    import numpy as np

    k, n = np.asarray(hits, float), np.asarray(trials, float)
    return joined([_rate_part(k[part], n[part]) for part in parts(len(k), starts)])


def _rate_part(hits: Floats, trials: Floats) -> Chart:
    share = float(hits.sum() / trials.sum())
    if share in (0, 1):
        return _flat(hits / trials, share)
    excess = _excess(hits, lambda counts, e: _rate_tails(counts, trials, share, e))

    def tails(counts: Floats) -> tuple[Floats, Floats]:
        return _rate_tails(counts, trials, share, excess)

    return _attributes(hits, trials, share, tails, most=trials)


def laney_u(
    counts: ArrayLike, exposure: ArrayLike | None = None, *, starts: Sequence[int] = (0,)
) -> Chart:
    """Limits for counts, such as deployments a week: Laney's u′ chart, as `laney_p` for counts.

    The limits are quantiles of the Poisson distribution, and where counts vary more than that of
    the negative binomial one.

    Args:
        counts: How many events each point has.
        exposure: How long each was looked at; equally long if not given.
        starts: Where each level begins.
    """
    import numpy as np

    k = np.asarray(counts, float)
    time = np.ones(len(k)) if exposure is None else np.asarray(exposure, float)
    return joined([_count_part(k[part], time[part]) for part in parts(len(k), starts)])


def _count_part(counts: Floats, time: Floats) -> Chart:
    rate = float(counts.sum() / time.sum())
    if rate == 0:
        return _flat(counts / time, 0.0)
    expected = rate * time
    excess = _excess(counts, lambda given, e: _count_tails(given, expected, e))

    def tails(given: Floats) -> tuple[Floats, Floats]:
        return _count_tails(given, expected, excess)

    return _attributes(counts, time, rate, tails, most=None)


def g_chart(between: ArrayLike, share: float) -> Chart:
    """Limits for how many go well between two rare failures.

    The g chart (Benneyan, Health Care Management Science 2001) with quantiles of the geometric
    distribution. So few are usual that a gap is hardly ever too short; one may be too long.

    Args:
        between: How many went well before each failure, since the one before.
        share: The share that fails, over all of them.
    """
    import numpy as np

    gaps = np.asarray(between, float)
    if not 0 < share < 1:
        return _flat(gaps, 0.0)

    def tails(given: Floats) -> tuple[Floats, Floats]:
        with np.errstate(over="ignore"):
            return 1 - (1 - share) ** (given + 1), (1 - share) ** given

    return _attributes(gaps, np.ones(len(gaps)), (1 - share) / share, tails, most=None)


def t_chart(times: ArrayLike) -> Chart:
    """Limits for the time between two rare events.

    The t chart: the times to the power of 1/3.6, which are near enough normal if events come by
    chance (Nelson, Journal of Quality Technology 1994), on an XmR chart, and back.

    Args:
        times: The time before each event since the one before.
    """
    import numpy as np

    raw = np.asarray(times, float)
    chart = x_mr(raw ** (1 / NELSON))
    lower = np.where(chart.lower > 0, np.abs(chart.lower) ** NELSON, np.nan)
    empty = np.zeros(0)
    return Chart(
        raw, chart.centre**NELSON, lower, chart.upper**NELSON, chart.signals, chart.hints,
        empty, empty,
    )  # fmt: skip


def _excess(counts: Floats, tails: Callable[[Floats, float], tuple[Floats, Floats]]) -> float:
    """How many times as much a series varies as chance alone would make it; at least once.

    So many times that the moving ranges of the points' normal scores are those of normal values.
    Laney takes moving ranges of z-scores, which are too short where counts are skewed.
    """
    import numpy as np

    if len(counts) < 2:
        return 1.0

    def restless(excess: float) -> bool:
        steps = np.abs(np.diff(_scores(*tails(counts, excess))))
        return float(steps.mean()) > MEAN_RANGE

    low = high = 1.0
    while high < _MOST_EXCESS and restless(high):
        low, high = high, high * 2
    for _ in range(20 if high > 1 else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if restless(middle) else (low, middle)
    return high


def _scores(down: Floats, up: Floats) -> Floats:
    """Normal scores of points, halfway between the two tails."""
    import numpy as np
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip((down + 1 - up) / 2, 1e-300, 1 - 1e-16)), float)


def _count_tails(counts: Floats, expected: Floats, excess: float) -> tuple[Floats, Floats]:
    """The chances of so few or fewer, and of so many or more."""
    import numpy as np
    from scipy.special import betainc, pdtr, pdtrc

    fewer = np.maximum(counts - 1, 0)
    if excess <= 1 + 1e-9:
        down, up = pdtr(counts, expected), pdtrc(fewer, expected)
    else:
        size, keep = expected / (excess - 1), 1 / excess
        down = betainc(size, counts + 1, keep)
        up = betainc(np.maximum(counts, 1), size, 1 - keep)
    return down, np.where(counts > 0, up, 1.0)


def _rate_tails(hits: Floats, trials: Floats, share: float, excess: float) -> tuple[Floats, Floats]:
    """The chances of so few hits or fewer, and of so many or more."""
    import numpy as np
    from scipy.special import betainc

    some, others = np.maximum(hits, 1), np.maximum(trials - hits, 1)
    if excess <= 1 + 1e-9:
        down = betainc(others, hits + 1, 1 - share)
        up = betainc(some, trials - some + 1, share)
    else:
        from scipy.stats import betabinom

        # how alike the trials of a point are: their variance is `excess` times the binomial's
        alike = np.clip((excess - 1) / np.maximum(trials - 1, 1), 1e-9, 0.999)
        a, b = share * (1 / alike - 1), (1 - share) * (1 / alike - 1)
        down, up = betabinom.cdf(hits, trials, a, b), betabinom.sf(some - 1, trials, a, b)
    return np.where(hits < trials, down, 1.0), np.where(hits > 0, up, 1.0)


def _attributes(
    counts: Floats, size: Floats, centre: float, tails: Tails, *, most: Floats | None
) -> Chart:
    """A chart of counts or of their shares, whose limits are whole numbers that may still occur."""
    import numpy as np
    from scipy.special import ndtr

    rare = float(ndtr(-BEYOND))
    down, up = tails(counts)
    signals = (up < rare).astype(np.int8) - (down < rare).astype(np.int8)
    lower, upper = _limits(tails, len(counts), rare, most)
    empty = np.zeros(0)
    return Chart(
        counts / size, np.full(len(counts), centre), lower / size, upper / size, signals,
        hints_of(counts / size, _scores(down, up)), empty, empty,
    )  # fmt: skip


def _limits(tails: Tails, points: int, rare: float, most: Floats | None) -> tuple[Floats, Floats]:
    """The least and the largest count that is no signal; NaN where every count is none."""
    import numpy as np

    top = np.full(points, 1.0)
    while most is None and (tails(top)[1] >= rare).any():
        top = np.where(tails(top)[1] >= rare, top * 2, top)
    ceiling = top if most is None else most
    upper = _largest(lambda k: tails(k)[1] >= rare, np.zeros(points), ceiling)
    lower = _largest(lambda k: tails(k)[0] < rare, np.full(points, -1.0), ceiling) + 1
    beyond = upper >= ceiling if most is not None else np.zeros(points, bool)
    return np.where(lower <= 0, np.nan, lower), np.where(beyond, np.nan, upper)


def _largest(holds: Callable[[Floats], NDArray[np.bool_]], low: Floats, high: Floats) -> Floats:
    """The largest whole number for which something holds that holds for all smaller ones."""
    import numpy as np

    least, top = low.copy(), high.copy()
    while (least < top).any():
        middle = np.ceil((least + top) / 2)
        does = np.where(middle < 0, True, holds(np.maximum(middle, 0)))
        least, top = np.where(does, middle, least), np.where(does, top, middle - 1)
    return least


def _flat(values: Floats, centre: float) -> Chart:
    """A chart of what is always the same: nothing of it is a signal."""
    import numpy as np

    n, empty = len(values), np.zeros(0)
    none = np.full(n, np.nan)
    return Chart(
        values, np.full(n, centre), none, none, np.zeros(n, np.int8), ((),) * n, empty, empty
    )
