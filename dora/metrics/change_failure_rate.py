"""How often a deployment hurts users."""

from __future__ import annotations

from typing import Any

from dora import stats
from dora.metrics.base import Rate
from dora.metrics.comparison import Change, ratio_change
from dora.metrics.question import Question
from dora.metrics.result import Result


class ChangeFailureRate(Rate):
    """Failed deployments; or, as other products have it, incidents, which can pass 100 %."""

    def interval(self, question: Question, hits: Any, n: Any) -> tuple[Any, Any]:
        """Wilson's for a share; for incidents, Poisson's over the deployments."""
        if question.rules.failures_counted == "deployments":
            return super().interval(question, hits, n)
        import numpy as np

        some = np.where(n > 0, n, np.nan)
        low, high = stats.poisson_interval(hits)
        return low / some, high / some

    def change(self, now: Result, before: Result) -> Change | None:
        """The difference of two shares, the ratio of two rates of incidents."""
        if not now.may_pass_one:
            return super().change(now, before)
        return ratio_change((now.counts["hits"], now.n), (before.counts["hits"], before.n))


METRIC = ChangeFailureRate(
    name="change_failure_rate",
    title="Change fail rate",
    aliases=("change_fail_rate",),
    definition=(
        "The share of successful production deployments, old enough to be judged, that failed "
        "by the evidence the rules accept."
    ),
    order=3,
    unit="share",
    noun="deployment",
    hit="failure",
    models=("judged_deployments", "linked_incidents"),
    further=("pending", "pending_failed", "failed_attempts"),
    asides={"pending": "pending"},
)
