"""How long a change takes from its first commit to production."""

from __future__ import annotations

from dora import words
from dora.metrics.base import Duration

METRIC = Duration(
    name="lead_time",
    title="Change lead time",
    aliases=("change_lead_time",),
    definition=(
        "From the time a change was first committed to the first production deployment that "
        "delivered it; the median of the changes delivered in the window."
    ),
    order=2,
    noun="change",
    models=("change_times",),
    record_models=("delivered_changes",),
    table="change_times",
    nothing=words.NOTHING_DELIVERED,
    asides={"open": "not delivered"},
    spell_models=("production_deployments", "unlanded_changes"),
    done="delivered",
)
