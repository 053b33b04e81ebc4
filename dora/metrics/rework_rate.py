"""How many deployments are repairs that nobody planned."""

from __future__ import annotations

from dora.metrics.base import Rate

METRIC = Rate(
    name="rework_rate",
    title="Deployment rework rate",
    aliases=("deployment_rework_rate",),
    definition=(
        "The share of successful production deployments that were made to repair: rollbacks, "
        "hotfixes and deployments that carry a revert."
    ),
    order=5,
    unit="share",
    noun="deployment",
    hit="repair",
    models=("judged_deployments",),
    further=("rollbacks", "hotfixes", "reverts"),
)
