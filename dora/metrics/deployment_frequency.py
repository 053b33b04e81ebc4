"""How often the service is deployed."""

from __future__ import annotations

from dora.metrics.base import Frequency

METRIC = Frequency(
    name="deployment_frequency",
    title="Deployment frequency",
    definition=(
        "Successful production deployments, each service and environment for itself: "
        "per week over the whole window, the plain count in a period."
    ),
    order=1,
    unit="per week",
    period_unit="deployments",
    noun="deployment",
    models=("judged_deployments", "production_deployments"),
    asides={"failed_attempts": "failed attempts"},
)
