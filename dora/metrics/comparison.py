"""Did it change? A difference with its interval, and a word for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Literal

from dora import stats, words
from dora.words import compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dora.metrics.result import Result

Verdict = Literal["better", "worse", "no evidence", "too little data", "withheld"]

LEAST_TRIALS = 10
"""With fewer deployments on either side, rates that do not plainly differ say nothing."""
STANDSTILL = 0.05
"""Where not even a fall to this share of a frequency would have shown, nobody can tell."""
LEAST_LENGTHS = 6
"""With fewer values a median has no 95 % interval, and the values themselves are said."""
SURE = 0.05
"""A difference is plain where chance alone makes one as large less often than this."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a number differs from another.

    Attributes:
        kind: `difference` (now − before) or `ratio` (now ÷ before).
        value: The difference or the ratio.
        low: Low end of its 95 % interval.
        high: High end of its 95 % interval.
        chance: How often chance alone makes a difference as large; below 0.05 exactly where the
            interval does not hold "no difference".
        fall: The smallest detectable fall: one as large or larger would have shown four times in
            five; as the same kind as `value`. None where no fall would have.
        rise: The smallest detectable rise, likewise.
        enough: Whether there are enough records for "no evidence" to mean anything.
    """

    kind: Literal["difference", "ratio"]
    value: float
    low: float
    high: float
    chance: float
    fall: float | None
    rise: float | None
    enough: bool

    @property
    def direction(self) -> int:
        """1 for up, -1 for down, 0 where the interval holds no change."""
        neutral = 0.0 if self.kind == "difference" else 1.0
        return int(self.low > neutral) - int(self.high < neutral)


def rate_change(now: tuple[int, int], before: tuple[int, int]) -> Change | None:
    """The difference of two shares, each given as hits and trials."""
    if not now[1] or not before[1]:
        return None
    low, high = stats.rate_difference_interval(*now, *before)
    share = before[0] / before[1]
    fall, rise = stats.detectable_rates(share, now[1], before[1])
    return Change(
        "difference", now[0] / now[1] - share, float(low), float(high),
        stats.rates_chance(now, before), fall, rise,
        enough=min(now[1], before[1]) >= LEAST_TRIALS,
    )  # fmt: skip


def ratio_change(now: tuple[int, int], before: tuple[int, int]) -> Change | None:
    """The ratio of two frequencies, each given as events and days."""
    if now[0] + before[0] == 0 or not now[1] or not before[1]:
        return None
    low, high = stats.poisson_ratio_interval(*now, *before)
    value = now[0] / now[1] * before[1] / before[0] if before[0] else float("inf")
    fall, rise = stats.detectable_frequencies(before, now[1])
    if fall is not None and fall < STANDSTILL:
        fall = None
    return Change(
        "ratio", value, float(low), float(high), stats.frequencies_chance(now, before),
        fall, rise, enough=fall is not None,
    )  # fmt: skip


def shift_change(
    now: NDArray[np.float64],
    before: NDArray[np.float64],
    *,
    sizes: tuple[float, float] | None = None,
) -> Change | None:
    """The difference of the medians of two sets of lengths, each ascending.

    Args:
        now: The lengths.
        before: What they are held against.
        sizes: How many independent lengths either is worth, where some hang together.
    """
    import numpy as np

    detectable = stats.detectable_medians(now, before, sizes=sizes)
    if detectable is None:
        return None
    low, high = stats.median_difference(now, before, sizes=sizes)
    value = float(np.median(now) - np.median(before))
    chance = stats.medians_chance(now, before, sizes=sizes)
    return Change("difference", value, low, high, chance, *detectable, enough=True)


@dataclass(frozen=True)
class Comparison:
    """Two windows of one metric, held against each other.

    Attributes:
        now: The result.
        before: What it is compared with.
        change: The difference with its interval, None where it cannot be told.
        verdict: better, worse, no evidence, too little data, or withheld where the grade of either
            record is D or worse. "No evidence" is not "no change".
        chance: How often chance alone makes a difference as large, corrected for how many numbers
            are looked at together; None without a difference.
        among: How many numbers are looked at together.
    """

    now: Result
    before: Result
    change: Change | None
    verdict: Verdict
    chance: float | None = None
    among: int = 1

    @classmethod
    def of(cls, now: Result, before: Result) -> Comparison:
        """Compare two results of one metric."""
        valued = now.value is not None and before.value is not None
        change = now.metric.change(now, before) if valued else None
        chance = None if change is None else change.chance
        return cls(now, before, change, _verdict(now, before, change, chance), chance)

    @property
    def sentence(self) -> str:
        """What came out, in one plain sentence."""
        title, change, unit = self.now.metric.title, self.change, self.now.unit
        if change is None or self.verdict == "too little data":
            return compared.too_little(title, self._little())
        if self.verdict == "withheld":
            return compared.withheld(title, self._values(), self.doubts)
        figure = compared.moved(change.kind, change.value, unit)
        around = compared.plausible(change.kind, change.low, change.high, unit)
        if self.verdict != "no evidence":
            return compared.got(title, self.verdict, self._values(), figure, around)
        if change.direction:
            return compared.one_of_several(title, self._values(), figure, self.among)
        showing = compared.would_show(change.kind, change.fall, change.rise, unit)
        return compared.no_evidence(title, self._values(), around, showing)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is missing or wrong in the records, where that withholds the verdict."""
        return doubts(self.now, self.before) if self.change is not None else ()

    @property
    def difference(self) -> str:
        """The difference with its interval as text, or why there is none."""
        if self.change is not None:
            return compared.change(
                self.change.kind, self.change.value, self.change.low, self.change.high,
                self.now.unit,
            )  # fmt: skip
        for result in (self.now, self.before):
            if result.value is None:
                return f"{words.span(result.window)}: {result.reason}"
        return compared.few_records(self.now.n, self.before.n, self.now.metric.noun)

    def _values(self) -> str:
        """Both values with their windows."""
        sides = (self.now, self.before)
        (now, window), (before, window_before) = (
            (words.quantity(side.value, side.unit), words.span(side.window)) for side in sides
        )
        return compared.both(now, window, before, window_before)

    def _little(self) -> str:
        """What little there is on both sides."""
        for side in (self.now, self.before):
            if side.value is None:
                return compared.unknown(words.span(side.window), side.reason)
        told = (_told(side) for side in (self.now, self.before))
        return compared.both(
            next(told), words.span(self.now.window), next(told), words.span(self.before.window)
        )

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>"


def together(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons, judged by what chance makes of all of them together.

    Of five numbers one moves plainly by chance alone in nearly one window of four. Holm's
    correction keeps it at one in twenty for all together.
    """
    alone = tuple(comparisons)
    chances = stats.holm([c.chance for c in alone])
    among = sum(chance is not None for chance in chances)
    return tuple(
        replace(c, verdict=_verdict(c.now, c.before, c.change, chance), chance=chance, among=among)
        for c, chance in zip(alone, chances, strict=True)
    )


def _verdict(now: Result, before: Result, change: Change | None, chance: float | None) -> Verdict:
    if change is None or chance is None:
        return "too little data"
    if doubts(now, before):
        return "withheld"
    if change.direction and chance < SURE:
        return "better" if (change.direction > 0) is now.metric.higher_is_better else "worse"
    return "no evidence" if change.enough or change.direction else "too little data"


def doubts(now: Result, before: Result) -> tuple[str, ...]:
    """Why no verdict may be given, each reason once."""
    grades = [side.question.coverage.grade(side.name) for side in (now, before)]
    reasons = (reason for grade in grades if grade.withholds for reason in grade.reasons)
    return tuple(dict.fromkeys(reasons))


def _told(result: Result) -> str:
    """A value with what it is made from; the values themselves where they are few."""
    if result.unit == "share":
        share = words.quantity(result.value, result.unit)
        return compared.share_of(share, result.n, result.metric.noun)
    if result.unit != "seconds":
        return compared.records(result.n, result.metric.noun, [])
    if result.n < LEAST_LENGTHS:
        few = words.few(result.lengths.tolist(), result.unit)
        return compared.records(result.n, result.metric.noun, few)
    alike = result.effective_n < LEAST_LENGTHS
    return compared.together(result.n, result.metric.noun, alike=alike)
