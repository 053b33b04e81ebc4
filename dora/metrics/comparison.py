"""Did it change? A difference with its interval, and a word for it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from dora import stats, words

if TYPE_CHECKING:
    from dora.metrics.result import Result

Verdict = Literal["better", "worse", "no evidence", "too little data"]

LEAST_TRIALS = 10
"""With fewer deployments on either side, rates that do not plainly differ say nothing."""
LEAST_EVENTS = 6
"""Fewer events than this in both windows together cannot differ at 95 %, however they fall."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a number differs from another.

    Attributes:
        kind: `difference` (now − before) or `ratio` (now ÷ before).
        value: The difference or the ratio.
        low: Low end of its 95 % interval.
        high: High end of its 95 % interval.
        enough: Whether there are enough records for "no evidence" to mean anything.
    """

    kind: Literal["difference", "ratio"]
    value: float
    low: float
    high: float
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
    value = now[0] / now[1] - before[0] / before[1]
    return Change(
        "difference", value, float(low), float(high), min(now[1], before[1]) >= LEAST_TRIALS
    )


def ratio_change(now: tuple[int, int], before: tuple[int, int]) -> Change | None:
    """The ratio of two frequencies, each given as events and days."""
    if now[0] + before[0] == 0 or not now[1] or not before[1]:
        return None
    low, high = stats.poisson_ratio_interval(*now, *before)
    value = now[0] / now[1] * before[1] / before[0] if before[0] else float("inf")
    return Change("ratio", value, float(low), float(high), now[0] + before[0] >= LEAST_EVENTS)


def shift_change(
    now: tuple[float | None, float | None, float | None, int],
    before: tuple[float | None, float | None, float | None, int],
) -> Change | None:
    """The difference of two medians, each given as value, low, high and n."""
    if None in now or None in before:
        return None
    low, high = stats.difference_interval(now[:3], before[:3])  # type: ignore[arg-type]
    return Change("difference", now[0] - before[0], float(low), float(high), True)  # type: ignore[operator]


@dataclass(frozen=True)
class Comparison:
    """Two windows of one metric, held against each other.

    Attributes:
        now: The result.
        before: What it is compared with.
        change: The difference with its interval, None where it cannot be told.
        verdict: better, worse, no evidence, or too little data. "No evidence" is not "no change".
    """

    now: Result
    before: Result
    change: Change | None
    verdict: Verdict

    @classmethod
    def of(cls, now: Result, before: Result) -> Comparison:
        """Compare two results of one metric."""
        valued = now.value is not None and before.value is not None
        change = now.metric.change(now, before) if valued else None
        return cls(now, before, change, _verdict(change, higher=now.metric.higher_is_better))

    @property
    def sentence(self) -> str:
        """What came out, in one sentence."""
        return words.verdict_sentence(
            self.now.metric.title,
            self.verdict,
            f"{words.quantity(self.now.value, self.now.unit)} in {self.now.window}",
            f"{words.quantity(self.before.value, self.before.unit)} in {self.before.window}",
            self.difference,
        )

    @property
    def difference(self) -> str:
        """The difference with its interval as text, or why there is none."""
        if self.change is None:
            return self._lacking()
        return words.change(
            self.change.kind, self.change.value, self.change.low, self.change.high, self.now.unit
        )

    def _lacking(self) -> str:
        for result in (self.now, self.before):
            if result.value is None:
                return f"{result.window}: {result.reason}"
        return words.few_records(self.now.n, self.before.n, self.now.metric.noun)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>"


def _verdict(change: Change | None, *, higher: bool) -> Verdict:
    if change is None:
        return "too little data"
    if change.direction:
        return "better" if (change.direction > 0) is higher else "worse"
    return "no evidence" if change.enough else "too little data"
