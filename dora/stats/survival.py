"""How long things take when some of them are not over yet.

What is still waiting counts for as long as it has been seen to wait ("right-censored"). Leaving it
out would make every number too short, and the more so the more is stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dora.stats.intervals import LEVEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

_SAME = 1e-9
"""Shares that differ by less are the same: products of fractions are off in their last digits."""

OPEN, OVER, ABANDONED = 0, 1, 2
"""What became of each: still waiting, over, or given up."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """After how long a share of them is over.

    Attributes:
        share: The share.
        value: The time; None where that many are not over yet ("not reached").
        low: Low end of its interval; None where even that is not reached.
        high: High end of its interval; None where it is not reached: the interval is open above.
    """

    share: float
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class Curve:
    """The share that is over after so long, in steps; between steps it stays as it is.

    Attributes:
        times: When something ended, ascending.
        over: The share that is over by then.
        low: Low end of the share's interval.
        high: High end of the share's interval.
        at_risk: How many were still under way just before.
        events: How many ended just then.
        n: How many there are in all.
        waiting: How long those have waited that are not over, ascending.
    """

    times: Floats
    over: Floats
    low: Floats
    high: Floats
    at_risk: Ints
    events: Ints
    n: int
    waiting: Floats

    @cached_property
    def ended(self) -> int:
        """How many are over."""
        return int(self.events.sum())

    def at(self, time: float) -> tuple[float, float, float]:
        """The share that is over after so long, with its interval; 0 before the first end."""
        import numpy as np

        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return 0.0, 0.0, 0.0
        return float(self.over[place]), float(self.low[place]), float(self.high[place])

    def quantile(self, share: float) -> Quantile:
        """After how long a share is over, by inverting the curve and its band.

        Where the curve stays exactly at the share for a while, the middle of that while is taken,
        so that without anything waiting the median is the usual one (as R's `survfit` has it).
        The interval is Brookmeyer and Crowley's (Biometrics 1982).
        """
        value = self._reached(self.over, share, middle=True)
        return Quantile(
            share,
            value,
            self._reached(self.high, share),
            self._reached(self.low, share),
        )

    @property
    def median(self) -> Quantile:
        """After how long half of them are over."""
        return self.quantile(0.5)

    def _reached(self, shares: Floats, share: float, *, middle: bool = False) -> float | None:
        """The first time at which a step reaches the share, None if none does."""
        import numpy as np

        with np.errstate(invalid="ignore"):
            reached = np.flatnonzero(shares >= share - _SAME)
        if not len(reached):
            return None
        first = int(reached[0])
        if middle and abs(shares[first] - share) <= _SAME:
            later = np.flatnonzero(shares > share + _SAME)
            if len(later):
                return float(self.times[first] + self.times[later[0]]) / 2
        return float(self.times[first])


def kaplan_meier(times: ArrayLike, over: ArrayLike, *, level: float = LEVEL) -> Curve:
    """The share that is over after so long, what still waits counted for as long as it waits.

    Kaplan and Meier (JASA 1958), with Greenwood's variance on the log(-log) scale (Kalbfleisch and
    Prentice, 1.4.1), whose band stays between 0 and 1 and keeps its level for few records.

    Args:
        times: How long each took, or has waited until now; none below zero.
        over: Whether each is over.
        level: How often an interval holds.
    """
    import numpy as np

    ended = np.asarray(over, bool)
    return cumulative_incidence(times, np.where(ended, OVER, OPEN), level=level)


def cumulative_incidence(times: ArrayLike, outcomes: ArrayLike, *, level: float = LEVEL) -> Curve:
    """The share that is over after so long, where some are given up and will never be over.

    Aalen and Johansen (Scandinavian Journal of Statistics 1978). What was given up is neither over
    nor still waiting: treating it as waiting would pretend that it may yet come. Where nothing was
    given up this is Kaplan and Meier's curve. The band is on the log(-log) scale, with Greenwood's
    variance or the delta method's (Marubini and Valsecchi 1995, 10.14).

    Args:
        times: How long each took, was under way until given up, or has waited until now.
        outcomes: 0 still waiting, 1 over, 2 given up.
        level: How often an interval holds.
    """
    import numpy as np

    lengths = np.asarray(times, float)
    states = np.asarray(outcomes, np.int64)
    if len(lengths) != len(states):
        raise ValueError("times and outcomes are not equally many")
    if len(lengths) and not lengths.min() >= 0:
        raise ValueError("a time is negative or no number")
    moments, place = np.unique(lengths, return_inverse=True)
    at_risk = len(lengths) - np.concatenate([[0], np.cumsum(np.bincount(place))[:-1]])
    events, given_up = (
        np.bincount(place[states == state], minlength=len(moments)) for state in (OVER, ABANDONED)
    )
    over, spread = _shares(at_risk, events, given_up)
    keep = events > 0
    low, high = _band(over[keep], spread[keep], level)
    return Curve(
        moments[keep], over[keep], low, high, at_risk[keep].astype(np.int64), events[keep],
        len(lengths), np.sort(lengths[states == OPEN]),
    )  # fmt: skip


def _shares(at_risk: Ints, events: Ints, given_up: Ints) -> tuple[Floats, Floats]:
    """The share that is over by each moment, and its standard error."""
    import numpy as np

    n, d, both = at_risk.astype(float), events.astype(float), (events + given_up).astype(float)
    under_way = np.cumprod(1 - both / n)  # the share that is neither over nor given up
    before = np.concatenate([[1.0], under_way[:-1]])
    if not given_up.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = under_way * np.sqrt(np.cumsum(d / (n * (n - d))))
        return 1 - under_way, spread
    over = np.cumsum(before * d / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(n > both, both / (n * (n - both)), 0.0)
    step = before * d / n**2
    variance = (
        over**2 * np.cumsum(hazard)
        - 2 * over * np.cumsum(over * hazard)
        + np.cumsum(over**2 * hazard)
        + np.cumsum(before**2 * d * (n - d) / n**3)
        - 2 * over * np.cumsum(step)
        + 2 * np.cumsum(over * step)
    )
    return over, np.sqrt(np.maximum(variance, 0))


def _band(over: Floats, spread: Floats, level: float) -> tuple[Floats, Floats]:
    """The interval of each share on the log(-log) scale of what is left.

    Where nothing is left it has no width to go by, and reaches from the step before to one.
    """
    import numpy as np
    from scipy.special import ndtri

    left = 1 - over
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(-np.log(left))
        width = ndtri(0.5 + level / 2) * spread / (left * np.abs(np.log(left)))
        low, high = 1 - np.exp(-np.exp(centre - width)), 1 - np.exp(-np.exp(centre + width))
    done = left <= _SAME
    before = np.concatenate([[0.0], low[:-1]])
    return np.where(done, before, low), np.where(done, 1.0, high)


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether two groups take equally long.

    Attributes:
        statistic: How far the first group's ends are from what is expected if both take equally
            long, in standard errors; above zero where the first is quicker. None where nothing can
            be compared.
        chance: How often a difference at least as large comes up by chance alone; None likewise.
    """

    statistic: float | None
    chance: float | None


def log_rank(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]) -> LogRank:
    """Compare how long two groups take, over the whole curve and with what still waits.

    Mantel's log-rank test (Cancer Chemotherapy Reports 1966), by `scipy.stats.logrank`.

    Args:
        first: The lengths of a group, and whether each is over.
        second: The same of the group that it is compared with.
    """
    import numpy as np

    groups = [(np.asarray(times, float), np.asarray(over, bool)) for times, over in (first, second)]
    if not all(len(times) for times, _ in groups) or not any(over.any() for _, over in groups):
        return LogRank(None, None)
    from scipy import stats

    censored = [
        stats.CensoredData(uncensored=times[over], right=times[~over]) for times, over in groups
    ]
    with np.errstate(divide="ignore", invalid="ignore"):  # never both under way: nothing to say
        found = stats.logrank(*censored)
    if not np.isfinite(found.statistic):
        return LogRank(None, None)
    return LogRank(float(found.statistic), float(found.pvalue))
