"""Groups rolled up into one number: is it they that changed, or only how much of each there is?

A pooled number moves when its groups move, and also when records shift from one group to another
while none of them changes. Kitagawa's split tells the two apart. A group that has records on one
side only is taken to be on the other as it is on this one, so that its coming or going is all mix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora.stats.intervals import LEVEL, poisson_interval, wilson_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


_ROUNDING = 1e-9
"""Less of a change than this is what floating point makes of nothing."""


@dataclass(frozen=True, eq=False)
class Split:
    """A change of a pooled number, taken apart.

    Attributes:
        change: The pooled number now less before.
        rate: What of it comes from the groups themselves, each weighing what it weighs on average.
        mix: The rest: what comes from other shares of the groups.
        low: Low end of the 95 % interval of `rate`; NaN where none is known.
        high: High end.
        rates: What each group adds to `rate`; all NaN where it does not add up over groups.
        mixes: What each group adds to `mix`: its share grew, times how far it is from the pooled.
    """

    change: float
    rate: float
    mix: float
    low: float
    high: float
    rates: Floats
    mixes: Floats

    @property
    def reverses(self) -> bool:
        """Whether the groups themselves went the other way than the pooled number (Simpson)."""
        return self.rate * self.change < 0 and abs(self.rate) > _ROUNDING * abs(self.change)

    @property
    def certain(self) -> bool:
        """Whether the direction of the groups themselves is more than chance."""
        return self.low > 0 or self.high < 0


def kitagawa(
    hits: ArrayLike,
    trials: ArrayLike,
    hits_before: ArrayLike,
    trials_before: ArrayLike,
    *,
    level: float = LEVEL,
    events: bool = False,
) -> Split:
    """A change of a pooled rate as the sum of what the groups' rates and their mix did.

    Kitagawa, "Components of a difference between two rates" (JASA 1955): differences of rates by
    average shares, and differences of shares by average rates. The interval of the first squares
    and adds the arms of each group's Wilson intervals (Zou, Huang and Zhang, Computational
    Statistics & Data Analysis 2009), holding the shares as they are.

    Args:
        hits: Of each group.
        trials: Of each group; the groups with none on either side take no part.
        hits_before: Of each group, in the same order.
        trials_before: Of each group.
        level: How often such an interval holds.
        events: Whether hits are events, which may outnumber trials; the arms are Poisson's then.

    Returns:
        All NaN where there are no trials on either side.
    """
    import numpy as np

    now = _Side.of(hits, trials, level, events=events)
    before = _Side.of(hits_before, trials_before, level, events=events)
    if not now.trials.sum() or not before.trials.sum():
        return _nothing(len(now.trials))
    shares, shares_before = now.shares, before.shares
    both = (now.trials > 0) & (before.trials > 0)
    rate = np.where(now.trials > 0, now.rate, before.rate)
    rate_before = np.where(before.trials > 0, before.rate, now.rate)
    rate, rate_before = np.nan_to_num(rate), np.nan_to_num(rate_before)
    weight = np.where(both, (shares + shares_before) / 2, 0.0)
    rates = np.where(both, weight * (rate - rate_before), 0.0)
    pooled, pooled_before = shares @ rate, shares_before @ rate_before
    middle = (pooled + pooled_before) / 2
    mixes = ((rate + rate_before) / 2 - middle) * (shares - shares_before)
    down = np.hypot(now.rate - now.low, before.high - before.rate)
    up = np.hypot(now.high - now.rate, before.rate - before.low)
    low, high = (
        float(np.sqrt(np.nansum(np.where(both, weight * arm, 0.0) ** 2))) for arm in (down, up)
    )
    total = float(rates.sum())
    change = float(pooled - pooled_before)
    some = bool(both.any())
    return Split(
        change,
        total,
        change - total,
        total - low if some else np.nan,
        total + high if some else np.nan,
        rates,
        mixes,
    )


def _nothing(groups: int) -> Split:
    """A split where one side has no records."""
    import numpy as np

    none = np.full(groups, np.nan)
    return Split(np.nan, np.nan, np.nan, np.nan, np.nan, none, none)


@dataclass(frozen=True, eq=False)
class _Side:
    """The groups on one side of a comparison; NaN for the rate of a group without trials."""

    trials: Floats
    rate: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, hits: ArrayLike, trials: ArrayLike, level: float, *, events: bool) -> _Side:
        import numpy as np

        n = np.asarray(trials, float)
        rate = np.asarray(hits, float) / np.where(n > 0, n, np.nan)
        if not events:
            return cls(n, rate, *wilson_interval(hits, trials, level=level))
        low, high = poisson_interval(hits, level=level)
        some = np.where(n > 0, n, np.nan)
        return cls(n, rate, low / some, high / some)

    @property
    def shares(self) -> Floats:
        """How much of all trials each group has."""
        shares: Floats = self.trials / self.trials.sum()
        return shares


@dataclass(frozen=True, slots=True)
class Standardised:
    """What a pooled rate would be, were the groups mixed in another way.

    Attributes:
        value: The rate; NaN where no group of the other mix has trials.
        low: Low end of its 95 % interval.
        high: High end.
        missing: The share of the other mix whose groups have no trials here, and so no rate.
    """

    value: float
    low: float
    high: float
    missing: float


def standardise(
    hits: ArrayLike,
    trials: ArrayLike,
    weights: ArrayLike,
    *,
    level: float = LEVEL,
    events: bool = False,
) -> Standardised:
    """The rate that the groups would have together in another mix: direct standardisation.

    Args:
        hits: Of each group.
        trials: Of each group.
        weights: How much of the other mix each group is, such as its trials before.
        level: How often such an interval holds; that of Zou, Huang and Zhang, as for `kitagawa`.
        events: Whether hits are events, as for `kitagawa`.
    """
    import numpy as np

    side = _Side.of(hits, trials, level, events=events)
    weight = np.asarray(weights, float)
    there = (side.trials > 0) & (weight > 0)
    total, known = float(weight.sum()), float(weight[there].sum())
    if not known:
        return Standardised(np.nan, np.nan, np.nan, 1.0 if total else np.nan)
    share = weight[there] / known
    rate, low, high = (ends[there] for ends in (side.rate, side.low, side.high))
    value = float(share @ rate)
    down = float(np.sqrt(((share * (rate - low)) ** 2).sum()))
    up = float(np.sqrt(((share * (high - rate)) ** 2).sum()))
    return Standardised(value, value - down, value + up, 1 - known / total)


def split_median(
    values: ArrayLike,
    groups: ArrayLike,
    values_before: ArrayLike,
    groups_before: ArrayLike,
) -> Split:
    """A change of a pooled median as the sum of what the groups and their mix did.

    A median does not add up over groups as a rate does. So one side's records are weighed until
    their groups are mixed as on the other side (DiNardo, Fortin and Lemieux, Econometrica 1996),
    and the median is taken of these. Done from both sides and averaged, which for a rate is
    exactly Kitagawa's split. No interval is known, and no single group's part.

    Args:
        values: The records now.
        groups: The group of each, a whole number.
        values_before: The records before.
        groups_before: The group of each.
    """
    import numpy as np

    now = np.asarray(values, float), np.asarray(groups, np.int64)
    before = np.asarray(values_before, float), np.asarray(groups_before, np.int64)
    if not len(now[0]) or not len(before[0]):
        return _nothing(0)
    pooled, pooled_before = float(np.median(now[0])), float(np.median(before[0]))
    change = pooled - pooled_before
    of_now = pooled - mixed_median(*before, *now)
    of_before = mixed_median(*now, *before) - pooled_before
    rate = (of_now + of_before) / 2
    none = np.full(0, np.nan)
    return Split(change, rate, change - rate, np.nan, np.nan, none, none)


def mixed_median(
    values: ArrayLike,
    groups: ArrayLike,
    other_values: ArrayLike,
    other_groups: ArrayLike,
) -> float:
    """The median of one side's records in the mix of the other: direct standardisation.

    A group that has records on the other side alone keeps those.
    """
    import numpy as np

    mine, own = np.asarray(values, float), np.asarray(groups, np.int64)
    theirs, other = np.asarray(other_values, float), np.asarray(other_groups, np.int64)
    size = int(max(own.max(initial=0), other.max(initial=0))) + 1
    have, want = np.bincount(own, minlength=size), np.bincount(other, minlength=size)
    lacking = (have == 0)[other]
    weights = (want / np.maximum(have, 1))[own]
    return weighted_median(
        np.concatenate([mine, theirs[lacking]]),
        np.concatenate([weights, np.ones(int(lacking.sum()))]),
    )


def weighted_median(values: ArrayLike, weights: ArrayLike) -> float:
    """The median of records that count more or less than once; the usual one where all count alike.

    Each record stands at the middle of its own weight, and between neighbours the line is straight.
    """
    import numpy as np

    x, w = np.asarray(values, float), np.asarray(weights, float)
    x, w = x[w > 0], w[w > 0]
    if not len(x):
        return float("nan")
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(w[order])
    return float(np.interp(reached[-1] / 2, reached - w[order] / 2, x[order]))
