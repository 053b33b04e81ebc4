"""An answer: a value, a table, the records behind it, HTML and a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from dora import words
from dora.metrics.comparison import Comparison
from dora.metrics.question import Question
from dora.metrics.tidying import tidy
from dora.rules import Rules
from dora.windows import Window

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.base import Metric
    from dora.metrics.explaining import Explanation
    from dora.metrics.fan import Fan
    from dora.metrics.rollup import RollUp
    from dora.metrics.sensitivity import Sensitivity
    from dora.metrics.signals import Signals
    from dora.metrics.survival import Survival
    from dora.metrics.trend import Trend

_LONG = 200
"""A window of more days is cut into months rather than weeks."""
MOST_LISTED = 5
"""So few values are said themselves, as no interval of their median exists."""


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What a metric says of a window, and how sure it is.

    Attributes:
        metric: The metric.
        question: What was asked.
        frame: One row a scope and period: metric, scope, service, team, period_start, period_end
            (days of the reporting zone, half-open), partial, value, unit, n, low, high, reason;
            for durations p75, p90, p95 (seconds); then what else there is to say.
        value: The window's value for the first scope; None with a reason if there is none.
        n: How many records it is made from.
        low: Low end of its 95 % interval; where there is no value, a lower bound.
        high: High end of its 95 % interval.
        reason: Why there is no value.
        veiled: Whether too few people are behind the number for it to be shown.
        counts: The other counts of the window: pending, open, failed attempts.
    """

    metric: Metric
    question: Question
    frame: pd.DataFrame
    value: float | None
    n: int
    low: float | None
    high: float | None
    reason: str | None
    counts: dict[str, int]
    veiled: bool = False

    @classmethod
    def of(
        cls, metric: Metric, question: Question, frame: pd.DataFrame, window: pd.DataFrame
    ) -> Result:
        """What was asked for, and the window's own row."""
        row = window.iloc[0]
        veiled = words.missing(row["n"])
        whole_numbers = [str(name) for name in window if window[name].dtype.kind == "i"]
        counts = {name: 0 if veiled else int(row[name]) for name in whole_numbers}
        return cls(
            metric,
            question,
            frame,
            _real(row["value"]),
            counts.pop("n"),
            _real(row["low"]),
            _real(row["high"]),
            row["reason"],
            counts,
            veiled,
        )

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.metric.name

    @property
    def unit(self) -> str:
        """The unit of `value`: seconds, share, or words that follow the number."""
        return self.metric.unit

    @property
    def window(self) -> Window:
        """The window."""
        return self.question.window

    @property
    def rules(self) -> Rules:
        """The rules it was made with."""
        return self.question.rules

    @property
    def pending(self) -> int:
        """Deployments too young to be judged."""
        return self.counts.get("pending", 0)

    @property
    def open(self) -> int:
        """What is not over yet: changes not delivered, failures not recovered from."""
        return self.counts.get("open", 0)

    @property
    def sql(self) -> str:
        """The SELECT behind the frame."""
        return self.metric.sql(self.question)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The records behind the number, with links; times in UTC, lengths in seconds.

        None are shown where too few people are behind the number.
        """
        return self._records("evidence")

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """The records that do not count, each with the reason.

        Columns: record, reason, service, url, and where and when it happened.
        """
        return self._records("left_out")

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """How long each record took, in seconds, ascending; empty where n counts no durations.

        None are shown where too few people are behind the number.
        """
        import numpy as np

        return np.sort(self._lengths["us"].to_numpy(np.float64)) / 1_000_000

    @cached_property
    def effective_n(self) -> float:
        """How many independent records a median is worth: what rode together counts for less."""
        import numpy as np

        from dora import stats

        found = self._lengths
        if "together" not in found or found["together"].isna().any():
            return float(len(found))
        _, groups = np.unique(found["together"].to_numpy(np.int64), return_inverse=True)
        return stats.effective_size(found["us"].to_numpy(np.float64), groups)

    @cached_property
    def _lengths(self) -> pd.DataFrame:
        import pandas as pd

        sql = self.metric.sql(self.question, "lengths")
        if not sql or self.veiled:
            return pd.DataFrame({"us": pd.Series(dtype="float64")})
        return self.question.pooled().query(sql)

    def _records(self, part: str) -> pd.DataFrame:
        self.question.tables.need(*self.metric.models, *self.metric.record_models)
        frame = self.question.pooled().query(self.metric.sql(self.question, part))
        return tidy(frame.iloc[:0] if self.veiled else frame)

    def compare(self, other: Window | str | None = None) -> Comparison:
        """Hold it against another window, by default the one before.

        Raises:
            UsageError: The windows overlap.
        """
        return Comparison.of(self, self.over(other))

    def over(self, other: Window | str | None = None) -> Result:
        """The same of another window that shares no day with this one; by default the one before.

        Raises:
            UsageError: The windows overlap.
        """
        from dora.errors import UsageError

        question = self.question.pooled().over(other)
        if question.window.start < self.window.end and self.window.start < question.window.end:
            raise UsageError(
                f"The windows {self.window} and {question.window} overlap.",
                hint="Compare windows that share no day, such as 2026-Q1 and 2025-Q4.",
            )
        return self.metric.ask(question)

    def periods(self, *, weeks: bool = False) -> Result:
        """The same of the first scope alone and cut into periods, if that was not asked for.

        Args:
            weeks: Whether to take weeks also for a long window, which else is cut into months.
        """
        question = self.question
        if question.grains and len(question.grains) == len(question.scopes) == 1:
            return self
        short = weeks or question.window.days <= _LONG
        grains = question.grains[:1] or ("week" if short else "month",)
        return self.metric.ask(replace(question, scopes=question.scopes[:1], grains=grains))

    def signals(self) -> Signals:
        """Tell signal from noise, period by period: what stands out, and when a level changed."""
        from dora.metrics.signals import Signals

        return Signals.of(self)

    def trend(self) -> Trend:
        """Say whether it moves steadily in one direction, over at least eight whole periods."""
        from dora.metrics.trend import Trend

        return Trend.of(self)

    def survival(self) -> Survival:
        """Follow what began in the window until now, counting also what is not over yet.

        Raises:
            UsageError: The metric is no length of time.
        """
        from dora.metrics.survival import Survival

        return Survival.of(self)

    def rollup(self, by: str = "service", against: Window | str | None = None) -> RollUp:
        """Take its change apart: what the services or teams did, and what their mix did.

        Args:
            by: `service` or `team`.
            against: The window it is held against, by default the one before.

        Raises:
            UsageError: Another `by`, or the windows overlap.
        """
        from dora.metrics.rollup import roll_up

        return roll_up(self, by, against)

    def fan(self) -> Fan:
        """The same by the formulas of other products, side by side."""
        return self._fan

    @cached_property
    def _fan(self) -> Fan:
        from dora.metrics.fan import Fan

        return Fan.of(self)

    @property
    def may_pass_one(self) -> bool:
        """Whether incidents are counted for each deployment, instead of a share of them."""
        counted = self.rules.failures_counted
        return self.name == "change_failure_rate" and counted != "deployments"

    @property
    def links_matter(self) -> bool:
        """Whether the number hangs on what incidents are put down to."""
        from dora.metrics.sensitivity import JUDGED

        return self.name in JUDGED

    def explain(self, incident: str | None = None, deployment: str | None = None) -> Explanation:
        """Which deployment each incident was put down to, and why each deployment failed or not.

        Args:
            incident: Only incidents of that id, whenever they were; `*` stands for anything.
            deployment: Only deployments of that id, whenever they were; `*` stands for anything.

        Raises:
            UsageError: The metric hangs on no link, or nothing has such an id.
        """
        from dora.metrics.explaining import Explanation

        return Explanation.of(self, incident=incident, deployment=deployment)

    def sensitivity(self) -> Sensitivity:
        """How the number moves with other failure windows, or by stated links alone.

        Raises:
            UsageError: The metric hangs on no link.
        """
        from dora.metrics.sensitivity import Sensitivity

        return Sensitivity.of(self)

    def plot(self, kind: str = "trend", ax: Axes | None = None, *, theme: str = "light") -> Axes:
        """Draw it on `ax`, or on a figure of its own, and return the axes.

        Args:
            kind: The picture, one of `dora.plots.KINDS`.
            ax: Where to draw.
            theme: `light`, or `dark` for dark screens.

        Raises:
            UsageError: There is no such kind of picture.
        """
        from dora import plots

        return plots.draw(self, kind, ax, theme=theme)

    @cached_property
    def summary(self) -> str:
        """The number, its interval, n and what is open, in a line."""
        if self.veiled:
            return str(self.reason)
        return words.summary(
            words.estimate(self.value, self.low, self.high, self.unit),
            self.n,
            aside=self.asides,
            reason=self.reason,
            values=self._few(),
        )

    @property
    def asides(self) -> list[str]:
        """What stands beside the number, such as `3 not delivered`."""
        said = ((self.counts.get(column), text) for column, text in self.metric.asides.items())
        return [f"{count:,} {text}" for count, text in said if count]

    def _few(self) -> list[str]:
        if self.value is None or self.n > MOST_LISTED or self.unit != "seconds":
            return []
        return words.few(self.lengths.tolist(), self.unit)

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Services that deploy, and of whose incidents nothing is known."""
        return self.question.directory.uncovered(self.question.scopes[0])

    def __repr__(self) -> str:
        return f"{self.name} {self.summary}"

    def _repr_html_(self) -> str:
        scope = self.question.scopes[0].label
        return (
            f"<p><b>{escape(self.metric.title)}</b>: {escape(self.summary)}<br>"
            f"<small>{escape(scope)}, {escape(words.caption(self))}</small></p>"
            f"{words.html_table(self.frame)}"
        )


def _real(value: Any) -> float | None:
    return None if words.missing(value) else float(value)
