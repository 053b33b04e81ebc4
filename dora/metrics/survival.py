"""How long things take when some are not over yet: curves of a window's beginnings.

What began in the window is followed until now: delivered or recovered from, given up, or still
waiting. Numbers of finished things alone are too short, and the more so the more is stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Literal

from dora import stats, words
from dora.errors import UsageError
from dora.metrics import privacy
from dora.words import waiting

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result
    from dora.windows import Window

SHARES = (0.5, 0.75, 0.9)
"""The shares whose times are told."""
LEAST = 6
"""Fewer than this are told one by one, and not compared."""
SURE = 0.05
OPEN, OVER, GIVEN_UP = 0, 1, 2


@dataclass(frozen=True, eq=False, repr=False)
class Survival:
    """How long what began in a window takes, with what is not over counted for as long as it waits.

    Attributes:
        result: The metric's result for the window, which counts by the day of the end instead.
        seconds: How long each took, has waited until now, or lasted until it was given up.
        outcomes: What became of each: 0 still waiting, 1 over, 2 given up.
        curve: The share that is over after so long (Kaplan and Meier; Aalen and Johansen where
            some were given up), with its 95 % interval.
        veiled: Whether too few people are behind it for it to be shown.
    """

    result: Result
    seconds: NDArray[np.float64]
    outcomes: NDArray[np.int64]
    curve: stats.Curve
    veiled: bool = False

    @classmethod
    def of(cls, result: Result) -> Survival:
        """Follow what began in a result's window until now.

        Raises:
            UsageError: The metric does not count how long things take.
        """
        import numpy as np

        sql = result.metric.sql(result.question, "spells")
        if not sql:
            raise UsageError(
                f"{result.name} is no length of time.",
                hint="Ask lead_time or time_to_restore for survival().",
            )
        question = result.question.pooled()
        question.tables.need(*result.metric.models, *result.metric.spell_models)
        veiled = result.veiled or privacy.few_began(question)
        spells = question.query(sql).iloc[: 0 if veiled else None]
        seconds = spells["us"].to_numpy(np.float64) / 1_000_000
        outcomes = spells["outcome"].to_numpy(np.int64)
        curve = stats.cumulative_incidence(seconds, outcomes)
        return cls(result, seconds, outcomes, curve, veiled)

    @property
    def n(self) -> int:
        """How many began in the window."""
        return len(self.seconds)

    @property
    def over(self) -> int:
        """How many of them are over."""
        return int((self.outcomes == OVER).sum())

    @property
    def waiting(self) -> int:
        """How many of them are not over yet."""
        return int((self.outcomes == OPEN).sum())

    @property
    def given_up(self) -> int:
        """How many of them were given up, and will never be over."""
        return int((self.outcomes == GIVEN_UP).sum())

    @property
    def median(self) -> stats.Quantile:
        """After how many seconds half are over; its `value` is None where that is not reached."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> stats.Quantile:
        """After how many seconds a share of them is over, with its interval."""
        return self.curve.quantile(share)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The curve, one row for each moment at which something ended.

        Columns: seconds; over, the share that is over by then, with its interval low and high;
        at_risk, how many were under way just before; ended, how many ended just then.
        """
        import pandas as pd

        curve = self.curve
        return pd.DataFrame(
            {
                "seconds": curve.times,
                "over": curve.over,
                "low": curve.low,
                "high": curve.high,
                "at_risk": curve.at_risk,
                "ended": curve.events,
            }
        )

    @cached_property
    def quantiles(self) -> pd.DataFrame:
        """After how long half, three quarters and nine in ten are over.

        Columns: share; value, low and high in seconds, NA where not reached; told, all as words.
        """
        import pandas as pd

        found = [self.quantile(share) for share in SHARES]
        ends = {
            name: pd.array([getattr(q, name) for q in found], dtype="Float64")
            for name in ("value", "low", "high")
        }
        told = [waiting.quantile(q.value, q.low, q.high) for q in found]
        return pd.DataFrame({"share": list(SHARES), **ends, "told": pd.Series(told, dtype=object)})

    @property
    def sentence(self) -> str:
        """After how long half are over, and what became of the rest."""
        metric, window = self.result.metric, words.span(self.result.window)
        if not self.n:
            least = self.result.question.least_authors
            return waiting.nothing(
                metric.noun, window, words.few_people(least) if self.veiled else None
            )
        rest = waiting.rest(self.waiting, self.given_up, metric.asides["open"])
        if self.n < LEAST:
            return waiting.few(metric.noun, window, self._each(), metric.done)
        median = self.median
        told = waiting.quantile(median.value, median.low, median.high)
        many = words.count(self.n, metric.noun)
        if median.value is None:
            return waiting.not_reached(many, window, metric.done, (self.over, told), rest)
        return waiting.reached(many, window, metric.done, told, rest)

    def _each(self) -> list[tuple[float, int]]:
        """How long each took or waits, and what became of it, shortest first."""
        return sorted(zip(self.seconds.tolist(), self.outcomes.tolist(), strict=True))

    def compare(self, other: Window | str | None = None) -> SurvivalComparison:
        """Hold the whole curve against that of another window, by default of the one before.

        Raises:
            UsageError: The windows overlap.
        """
        return SurvivalComparison.of(self, Survival.of(self.result.compare(other).before))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve against that of the window before, and return the axes."""
        return self.result.plot("survival", ax)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{words.share(share)}</td><td>{escape(told)}</td></tr>"
            for share, told in zip(SHARES, self.quantiles["told"], strict=True)
        )
        done = escape(self.result.metric.done)
        head = f"<tr><th>this share</th><th>{done} within (95 % interval)</th></tr>"
        caption = words.caption(self.result, n=self.n)
        return (
            f"<p>{escape(self.sentence)}<br><small>{escape(caption)}</small></p>"
            f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        )


Verdict = Literal["better", "worse", "no evidence", "too little data", "withheld"]


@dataclass(frozen=True, eq=False, repr=False)
class SurvivalComparison:
    """Whether what began in one window takes as long as what began in another.

    Attributes:
        now: The curve.
        before: What it is held against.
        log_rank: Mantel's log-rank test of both; what was given up counts until then.
        verdict: better (quicker), worse, no evidence, too little data, or withheld where the grade
            of either record is D or worse.
    """

    now: Survival
    before: Survival
    log_rank: stats.LogRank
    verdict: Verdict

    @classmethod
    def of(cls, now: Survival, before: Survival) -> SurvivalComparison:
        """Compare two curves of one metric."""
        found = stats.log_rank(*((s.seconds, s.outcomes == OVER) for s in (now, before)))
        return cls(now, before, found, _verdict(now, before, found))

    @property
    def sentence(self) -> str:
        """What came out, in one plain sentence."""
        metric = self.now.result.metric
        sides = [(words.span(s.result.window), s.median, s.n) for s in (self.now, self.before)]
        told = [(window, waiting.quantile(q.value, q.low, q.high), n) for window, q, n in sides]
        doubts = _doubts(self.now, self.before) if self.verdict == "withheld" else ()
        return waiting.compared(metric.title, metric.noun, self.verdict, told[0], told[1], doubts)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>"


def _verdict(now: Survival, before: Survival, found: stats.LogRank) -> Verdict:
    if found.chance is None or found.statistic is None or min(now.n, before.n) < LEAST:
        return "too little data"
    if _doubts(now, before):
        return "withheld"
    if found.chance < SURE:
        return "better" if found.statistic > 0 else "worse"
    return "no evidence"


def _doubts(now: Survival, before: Survival) -> tuple[str, ...]:
    from dora.metrics.comparison import doubts

    return doubts(now.result, before.result)
