"""Did the services change, or only how much of each there is? A roll-up, taken apart.

A rate is split by Kitagawa's method, with an interval. A median has no parts that add up over
groups; it is split by weighing records, without an interval. A frequency is a sum: it has no mix,
only groups that were there before and groups that are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, singledispatch
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dora import words
from dora.errors import UsageError
from dora.metrics.base import Duration, Frequency, Metric, Rate
from dora.metrics.result import Result
from dora.metrics.scopes import Directory, Scope
from dora.stats.funnel import funnel_limits, shrink
from dora.stats.rollup import Split, Standardised, kitagawa, mixed_median, split_median, standardise
from dora.windows import Window
from dora.words import compared
from dora.words import rollup as text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def groups_of(directory: Directory, scope: Scope, by: str) -> tuple[Scope, ...]:
    """The groups a scope is made of: its services, or the uppermost teams within it.

    Raises:
        UsageError: Neither `service` nor `team`.
    """
    within = directory.each(scope, (by,))
    if by != "team":
        return within
    named = set(scope.team.split(", ")) if scope.team else set()
    names = {str(group.team) for group in within}
    whole = {name for name in named if any(name in directory.groups_of(n) for n in names)}
    upper = names - whole
    return tuple(
        group
        for group in within
        if group.team in upper and not upper & set(directory.groups_of(str(group.team)))
    )


@dataclass(frozen=True, eq=False)
class Side:
    """One window of a roll-up: the whole, and each group beside it.

    Attributes:
        whole: The result of the whole scope.
        groups: The groups.
        frame: A row a group, as the metric gives them; the numbers of a group that is not shown
            are missing.
    """

    whole: Result
    groups: tuple[Scope, ...]
    frame: pd.DataFrame

    @classmethod
    def of(cls, whole: Result, groups: tuple[Scope, ...]) -> Side:
        """Ask for every group what was asked for the whole."""
        asked = replace(whole.question.pooled(), scopes=(whole.question.scopes[0], *groups))
        frame = whole.metric.ask(asked).frame
        return cls(whole, groups, frame.iloc[1:].reset_index(drop=True))

    def numbers(self, column: str) -> Floats:
        """A column, NaN where there is no number."""
        import numpy as np

        return self.frame[column].to_numpy(np.float64, na_value=np.nan)

    @property
    def apart(self) -> NDArray[np.bool_]:
        """Which groups have numbers of their own, be it that there are no records."""
        import numpy as np

        found: NDArray[np.bool_] = ~np.isnan(self.numbers("value")) | (self.numbers("n") == 0)
        return found

    def counted(self, column: str, total: int, apart: NDArray[np.bool_]) -> Floats:
        """Whole numbers of the groups that stand apart; what is left of the total comes last."""
        import numpy as np

        known = np.where(apart, self.numbers(column), 0.0)
        return np.append(known, total - known.sum())

    def lengths(self, apart: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
        """How long each record took in seconds, and its group; the last group is all others."""
        import numpy as np

        question = self.whole.question.pooled()
        rows = question.query(self.whole.metric.sql(question, "lengths"))
        days = rows["day"].to_numpy().astype("datetime64[D]")
        groups = np.full(len(rows), len(self.groups), np.int64)
        places = rows.groupby("service", sort=False).indices
        for number, scope in enumerate(self.groups):
            for m in scope.members if apart[number] else ():
                there = places.get(m.service, np.zeros(0, np.int64))
                since, until = np.array([m.from_day, m.until_day], "datetime64[D]")
                groups[there[(since <= days[there]) & (days[there] < until)]] = number
        return rows["us"].to_numpy(np.float64) / 1_000_000, groups

    def rates(self) -> dict[str, Floats]:
        """For a share: partial pooling, and the limits of chance around the whole; else nothing."""
        import numpy as np

        if not isinstance(self.whole.metric, Rate) or self.whole.may_pass_one:
            return {}
        known = ~np.isnan(self.numbers("value"))
        hits = np.where(known, self.numbers("hits"), 0)
        trials = np.where(known, self.numbers("n"), 0).astype(np.int64)
        found = shrink(hits, trials)
        some = np.where(trials > 0, trials, np.nan)
        low, high = (limit / some for limit in funnel_limits(trials, self.whole.value or 0.0))
        shrunk = np.where(trials > 0, found.values, np.nan)
        return {"shrunk": shrunk, "limit_low": low, "limit_high": high}


@singledispatch
def _split(
    metric: Metric, now: Side, before: Side, apart: NDArray[np.bool_]
) -> tuple[Split, Standardised]:
    """The change taken apart, and what the number would be in the mix of before.

    Every kind of metric registers its own way.
    """
    raise NotImplementedError(metric.name)


@_split.register
def _(_: Rate, now: Side, before: Side, apart: Any) -> tuple[Split, Standardised]:
    hits, trials, was, of = (
        side.counted(column, total, apart)
        for side in (now, before)
        for column, total in (("hits", side.whole.counts["hits"]), ("n", side.whole.n))
    )
    events = now.whole.may_pass_one
    return (
        kitagawa(hits, trials, was, of, events=events),
        standardise(hits, trials, of, events=events),
    )


@_split.register
def _(_: Duration, now: Side, before: Side, apart: Any) -> tuple[Split, Standardised]:
    lengths, lengths_before = now.lengths(apart), before.lengths(apart)
    found = split_median(*lengths, *lengths_before)
    mixed = mixed_median(*lengths, *lengths_before)
    return found, Standardised(mixed, float("nan"), float("nan"), 0.0)


@_split.register
def _(_: Frequency, now: Side, before: Side, apart: Any) -> tuple[Split, Standardised]:
    import numpy as np

    value, was = now.numbers("value"), before.numbers("value")
    new = apart & np.isnan(was) & ~np.isnan(value)
    steps = np.where(apart, np.nan_to_num(value) - np.nan_to_num(was), 0.0)
    whole = float(now.whole.value or 0)
    change = whole - float(before.whole.value or 0)
    rates = np.append(np.where(new, 0.0, steps), change - steps.sum())
    mixes = np.append(np.where(new, steps, 0.0), 0.0)
    split = Split(change, float(rates.sum()), float(mixes.sum()), np.nan, np.nan, rates, mixes)
    return split, Standardised(whole - split.mix, np.nan, np.nan, 0.0)


@dataclass(frozen=True, eq=False, repr=False)
class RollUp:
    """A number and its groups, now and before.

    Attributes:
        by: `service` or `team`.
        now: The window asked about.
        before: The window it is held against.
        split: The change taken apart; None where it cannot be.
        standardised: What the number would be in the mix of before, with an interval for a rate;
            for a frequency, without the groups that are new.
        reason: Why it is not taken apart.
    """

    by: str
    now: Side
    before: Side
    split: Split | None
    standardised: Standardised | None
    reason: str | None

    @classmethod
    def of(cls, now: Result, before: Result, by: str) -> RollUp:
        """Take the change between two results apart."""
        groups = groups_of(now.question.directory, now.question.scopes[0], by)
        sides = Side.of(now, groups), Side.of(before, groups)
        reason = _hindrance(*sides)
        if reason is not None:
            return cls(by, *sides, None, None, reason)
        apart = sides[0].apart & sides[1].apart
        return cls(by, *sides, *_split(now.metric, *sides, apart), None)

    @property
    def reverses(self) -> bool:
        """Whether the groups went one way and the whole the other (Simpson's paradox)."""
        return self.split is not None and self.split.reverses

    @property
    def misleads(self) -> bool:
        """Whether less of the change comes from the groups themselves than from their mix."""
        return self.split is not None and abs(self.split.rate) < abs(self.split.mix)

    @cached_property
    def sentence(self) -> str:
        """The change and its two parts in a few sentences, or why it has none."""
        whole, split = self.now.whole, self.split
        title, unit = whole.metric.title, whole.unit
        if split is None or self.standardised is None:
            return text.impossible(title, str(self.reason))
        before = self.before.whole
        values = (
            f"{words.quantity(whole.value, unit)} in {words.span(whole.window)} after "
            f"{words.quantity(before.value, unit)} in {words.span(before.window)}"
        )
        parts = [compared.signed(part, unit) for part in (split.change, split.rate, split.mix)]
        ends = [compared.signed(end, unit) for end in (split.low, split.high) if end == end]
        parts[1] = text.between(parts[1], *ends) if ends else parts[1]
        mixed = self.standardised
        standardised = words.estimate(mixed.value, mixed.low, mixed.high, unit)
        if isinstance(whole.metric, Frequency):
            said = [text.summed(title, values, parts[0], self.by, *parts[1:])]
            said += [text.without_new(standardised)] if split.mix else []
        else:
            said = [text.split(title, values, parts[0], self.by, *parts[1:])]
            span = words.span(before.window)
            said += [text.standardised(standardised, span, mixed.missing)]
        return " ".join([*said, *([self.warning] if self.warning else [])])

    @property
    def warning(self) -> str:
        """Where the mix misleads, that it does; empty where it does not."""
        import numpy as np

        if self.split is None or not self.misleads:
            return ""
        if not self.reverses:
            return text.mostly_mix(self.by)
        known = not np.isnan(self.split.low)
        return text.reversed_sign(self.by, certain=self.split.certain if known else None)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a group, in order of name: no ranking.

        Columns: service or team; value, unit, n, low, high and share (of all records), now;
        value_before, n_before and share_before; rate and mix, what the group adds to either part of
        the change (none for a median, whose parts do not add up); for a share also shrunk (drawn
        towards the whole by empirical Bayes, the more the smaller the group),
        limit_low and limit_high, between which chance alone puts a group of its size.
        """
        import numpy as np
        import pandas as pd

        now, before = self.now, self.before
        columns: dict[str, Any] = {
            name: now.numbers(name) for name in ("value", "n", "low", "high")
        }
        columns["share"] = _shares(now)
        columns |= {f"{name}_before": before.numbers(name) for name in ("value", "n")}
        columns["share_before"] = _shares(before)
        size, split = len(now.groups), self.split
        for name, parts in (("rate", "rates"), ("mix", "mixes")):
            told = np.full(size, np.nan) if split is None else getattr(split, parts)[:size]
            told = told if len(told) else np.full(size, np.nan)
            columns[name] = np.where(now.apart & before.apart, told, np.nan)
        columns |= now.rates()
        frame = pd.DataFrame(columns).astype("Float64")
        frame = frame.mask(frame.isna()).astype({"n": "Int64", "n_before": "Int64"})
        frame.insert(0, self.by, [getattr(g, self.by) for g in now.groups])
        frame.insert(2, "unit", now.whole.unit)
        return frame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the groups' rates by size with the limits of chance.

        Raises:
            UsageError: It is no rate.
        """
        from dora.plots import funnel

        if not isinstance(self.now.whole.metric, Rate):
            raise UsageError(
                f"There is no funnel of {self.now.whole.name}.", hint="It is drawn of shares."
            )
        return funnel.of_groups(self.now, self.by, ax)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        shown = text.table(self.frame, self.by)
        return f"<p>{escape(self.sentence)}</p>{words.html_table(shown)}"


def roll_up(result: Result, by: str = "service", against: Window | str | None = None) -> RollUp:
    """A result and its groups, held against another window.

    Raises:
        UsageError: Neither `service` nor `team`, or the windows overlap.
    """
    return RollUp.of(result, result.over(against), by)


def _hindrance(now: Side, before: Side) -> str | None:
    """Why a change is not taken apart; None where it can be."""
    for side in (now, before):
        if side.whole.value is None:
            return f"{words.span(side.whole.window)}: {side.whole.reason}"
    if len(now.groups) < 2:
        return text.ONE_GROUP
    return text.OVERLAP if _overlap(now.groups) else None


def _overlap(groups: Sequence[Scope]) -> bool:
    """Whether a service is in two groups on the same day."""
    owned = sorted(
        (m.service, m.from_day, m.until_day, number)
        for number, group in enumerate(groups)
        for m in group.members
    )
    return any(
        service == other and since < until and number != following
        for (service, _, until, number), (other, since, _, following) in pairwise(owned)
    )


def _shares(side: Side) -> Floats:
    import numpy as np

    sizes = side.numbers("n")
    whole = np.nansum(sizes)
    return sizes / (whole if whole else np.nan)
