"""How large would a change have had to be to show, with so many records?

"No evidence" of a change means little where only a huge one would have shown. For counts the
answers are exact: every count that may come up before, by its chance, with the chance of a count
now that shows against it. The usual formulas are far too bold where counts are small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.comparing import median_interval
from dora.stats.intervals import LEVEL, rate_difference_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

POWER = 0.8
"""How often a change of the smallest detectable size is found."""
_SURE = 6.0
"""Beyond so many standard errors nothing ever lies."""
_MOST = 1e6
"""No frequency rises to so many times itself."""


def detectable_rates(
    rate: float, trials: int, trials_before: int
) -> tuple[float | None, float | None]:
    """The smallest fall and rise of a rate that would have shown four times in five.

    Shown by Newcombe's interval, as in `rates_chance`.

    Args:
        rate: The rate before.
        trials: How many trials there are now.
        trials_before: How many there were before.

    Returns:
        The differences of the lower and the higher rate from the one before, the first below zero;
        None where even a rate of nothing, or of one, would not have shown.
    """
    hits, chances = _binomial(rate, trials_before)

    def nearest(end: float) -> float | None:
        up = end > rate

        def shows(now: Floats) -> Bools:
            low, high = rate_difference_interval(now, trials, hits, trials_before)
            return (low > 0) if up else (high < 0)

        telling = _telling(shows, (len(hits), trials), up=up)
        return _nearest(
            lambda other: float((chances * _hits_tail(telling, trials, other, up=up)).sum()),
            rate, end,
        )  # fmt: skip

    fall, rise = nearest(0.0), nearest(1.0)
    return None if fall is None else fall - rate, None if rise is None else rise - rate


def detectable_frequencies(
    before: tuple[int, float], days: float
) -> tuple[float | None, float | None]:
    """The smallest fall and rise of a frequency that would have shown four times in five.

    Shown by the exact interval of the ratio, as in `frequencies_chance`.

    Args:
        before: Events and days before.
        days: How many days there are now.

    Returns:
        The ratios of the lower and the higher frequency to the one before; None where not even
        standing still would have shown, or there was nothing before.
    """
    events, days_before = before
    if not events:
        return None, None
    counts, chances = _poisson(events)
    expected = events * days / days_before
    most = int(4 * (counts[-1] + 20) * max(1.0, days / days_before))

    def nearest(end: float) -> float | None:
        up = end > 1
        telling = _telling(
            lambda now: _plain_ratio(now, counts, days / (days + days_before), up=up),
            (len(counts), most), up=up,
        )  # fmt: skip
        return _nearest(
            lambda ratio: float((chances * _events_tail(telling, expected * ratio, up=up)).sum()),
            1.0, end,
        )  # fmt: skip

    return nearest(0.0), nearest(min(_MOST, most / expected))


def detectable_medians(
    now: Floats, before: Floats, *, sizes: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """The smallest fall and rise of a median that would have shown about four times in five.

    By the widths of both order-statistic intervals on a log scale, as durations twice as long
    also vary twice as much.

    Args:
        now: The values, ascending.
        before: The values before, ascending.
        sizes: How many independent values either is worth, where some hang together.

    Returns:
        The differences from the median before, the first below zero; None without an interval.
    """
    from math import exp, hypot, log

    from scipy.special import ndtri

    worth = sizes or (len(now), len(before))
    known = [
        median_interval(values, size=size)
        for values, size in zip((now, before), worth, strict=True)
    ]
    ends = [found for found in known if found is not None]
    if len(ends) < len(known):
        return None
    floor = 1.0  # a second, as a log has no place for zero
    widths = [log(max(high, floor) / max(low, floor)) / 2 for _, low, high in ends]
    shown = float(ndtri(0.5 + LEVEL / 2))
    factor = exp(hypot(*widths) * (shown + float(ndtri(POWER))) / shown)
    middle = ends[1][0]
    return middle * (1 / factor - 1), middle * (factor - 1)


def _nearest(power: Callable[[float], float], start: float, end: float) -> float | None:
    """The nearest place on the way from one to another at which a change shows often enough."""
    if end == start or power(end) < POWER:
        return None
    near, far = start, end
    for _ in range(40):
        middle = (near + far) / 2
        near, far = (near, middle) if power(middle) >= POWER else (middle, far)
    return far


def _plain_ratio(now: Floats, before: Floats, share: float, *, up: bool) -> Bools:
    """Whether the exact interval of the ratio of two counts does not hold one."""
    import numpy as np
    from scipy.special import betainc

    if up:
        chance = np.where(now > 0, betainc(np.maximum(now, 1), before + 1, share), 1.0)
    else:
        chance = np.where(before > 0, betainc(np.maximum(before, 1), now + 1, 1 - share), 1.0)
    return np.asarray(chance < (1 - LEVEL) / 2)


def _telling(shows: Callable[[Floats], Bools], size: tuple[int, int], *, up: bool) -> Floats:
    """From what count now on (or down) a difference shows, for each count before, by bisection.

    Args:
        shows: Whether it does for each count now.
        size: How many counts before there are, and the largest count there can be now.
        up: Whether the count now is to be larger.

    Returns:
        One beyond what there can be where none shows.
    """
    import numpy as np

    number, most = size
    beyond, other = (most + 1.0, -1.0) if up else (-1.0, most + 1.0)
    far, near = np.full(number, beyond), np.full(number, other)
    while (np.abs(far - near) > 1).any():
        middle = np.clip(np.floor((far + near) / 2), 0, most)
        does, settled = shows(middle), np.abs(far - near) <= 1
        far, near = (
            np.where(~settled & does, middle, far), np.where(~settled & ~does, middle, near)
        )  # fmt: skip
    return far


def _around(expected: float, variance: float, most: float) -> Floats:
    """The whole numbers that may come up."""
    import numpy as np

    reach = _SURE * (1 + variance**0.5)
    low, high = max(0, int(expected - reach)), min(most, int(expected + reach) + 1)
    return np.arange(low, high + 1, dtype=float)


def _binomial(rate: float, trials: int) -> tuple[Floats, Floats]:
    """The counts of hits that may come up, with the chance of each."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    hits = _around(rate * trials, rate * (1 - rate) * trials, trials)
    ways = gammaln(trials + 1) - gammaln(hits + 1) - gammaln(trials - hits + 1)
    return hits, np.exp(ways + xlogy(hits, rate) + xlog1py(trials - hits, -rate))


def _poisson(expected: float) -> tuple[Floats, Floats]:
    """The counts of events that may come up, with the chance of each."""
    import numpy as np
    from scipy.special import gammaln, xlogy

    counts = _around(expected, expected, float("inf"))
    return counts, np.exp(xlogy(counts, expected) - expected - gammaln(counts + 1))


def _hits_tail(telling: Floats, trials: int, rate: float, *, up: bool) -> Floats:
    """The chance of at least (or at most) so many hits."""
    import numpy as np
    from scipy.special import betainc

    if up:
        inside = np.clip(telling, 1, trials)
        found = betainc(inside, trials - inside + 1, rate)
        return np.where(telling > trials, 0.0, np.where(telling < 1, 1.0, found))
    inside = np.clip(telling, 0, trials - 1)
    found = betainc(trials - inside, inside + 1, 1 - rate)
    return np.where(telling < 0, 0.0, np.where(telling >= trials, 1.0, found))


def _events_tail(telling: Floats, expected: float, *, up: bool) -> Floats:
    """The chance of at least (or at most) so many events."""
    import numpy as np
    from scipy.special import pdtr, pdtrc

    if up:
        return np.where(telling < 1, 1.0, pdtrc(np.maximum(telling - 1, 0), expected))
    return np.where(telling < 0, 0.0, pdtr(np.maximum(telling, 0), expected))
