"""How often a deployment hurts users."""

from __future__ import annotations

from dora.metrics.base import Rate

METRIC = Rate(
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
