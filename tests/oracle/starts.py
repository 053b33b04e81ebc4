"""Successful production deployments by when they started."""

from __future__ import annotations

from datetime import datetime

from tests.oracle.changes import Row
from tests.oracle.failures import Production
from tests.oracle.marts import Incidents, Marts
from tests.oracle.world import us

REPAIRS = ("rollback", "hotfix")


def started_deployments(production: Production, incidents: Incidents, marts: Marts) -> list[Row]:
    rows = []
    for judged in marts.judged_deployments:
        if not judged["succeeded"]:
            continue
        one = (
            judged["source"],
            judged["deployment"],
            judged["service"],
            judged["environment"],
        )
        begun = judged["started_at"] or judged["finished_at"]
        changes = [
            c
            for c in marts.delivered_changes
            if (c["source"], c["deployment"], c["service"], c["environment"]) == one
            and c["left_out"] is None
        ]
        kept = ("source", "deployment", "service", "environment", "mature", "failed", "covered")
        rows.append(
            {name: judged[name] for name in (*kept, "rework_kind", "version", "url")}
            | {
                "started_at": begun,
                "us": us(begun),
                "start_known": judged["started_at"] is not None,
                "repair": judged["rework_kind"] in REPAIRS,
                "changes": len(changes),
                "amid_incident": amid(incidents, judged["service"], begun),
                "labels": production.fact(one).labels,
            }
        )
    return rows


def amid(incidents: Incidents, service: str, begun: datetime) -> bool:
    """Whether an incident of the service was open at that time."""
    for key, incident in incidents.linkable.items():
        end = incidents.resolved(incident)
        hurt = service in incidents.services[key] and incident.detected_at <= begun
        if hurt and (end is None or begun < end):
            return True
    return False
