"""Incidents, judged deployments and recoveries, straight from the definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from dora.records import Deployment, FlagChange, Incident
from dora.rules import Rules
from tests.oracle.changes import Row, delivered_changes
from tests.oracle.failures import (
    CONFIDENCE,
    Attempt,
    Evidence,
    Production,
    deployment_failures,
    ended,
    evidence,
    hotfixes,
    repair_kind,
    reverts,
)
from tests.oracle.world import Known, World, us

IncidentKey = tuple[str, str]


@dataclass
class Marts:
    """Every table that the oracle makes, as rows."""

    delivered_changes: list[Row]
    deployment_failures: list[Row]
    judged_deployments: list[Row]
    linked_incidents: list[Row]
    recovered_deployments: list[Row]


class Incidents:
    """Incidents as the rules see them."""

    def __init__(self, known: Known, rules: Rules) -> None:
        self.known = known
        self.rules = rules
        self.facts: dict[IncidentKey, Incident] = {(s, i.id): i for s, i in known.incidents}
        self.services = {key: self.services_of(i) for key, i in self.facts.items()}
        self.first_state = {key: self._state(key) for key in self.facts}
        self.linkable = {
            key: i for key, i in self.facts.items() if self.first_state[key] == "linkable"
        }

    def services_of(self, incident: Incident) -> list[str]:
        if incident.service:
            return [incident.service]
        if incident.repository:
            return self.known.services_of(incident.repository, None)
        every = sorted(
            {
                s
                for _, d in self.known.world.of(Deployment)
                for s in self.known.services_of(d.repository, d.service)
            }
        )
        return every if len(every) == 1 else []

    def _state(self, key: IncidentKey) -> str:
        incident = self.facts[key]
        if incident.resolved_at is not None and incident.resolved_at < incident.detected_at:
            return "invalid"
        if self.root(key) != key:
            return "duplicate"
        if incident.external:
            return "external"
        if incident.not_planned and not self.rules.not_planned_incidents:
            return "not planned"
        if incident.severity is not None and not self._severe(incident.severity):
            return "less severe"
        return "linkable"

    def _severe(self, severity: str) -> bool:
        listed = self.rules.severities
        return not listed or any(fnmatchcase(severity.lower(), p.lower()) for p in listed)

    def root(self, key: IncidentKey) -> IncidentKey:
        """The original of a duplicate, along the chain; of a circle its first."""
        if self.rules.duplicate_incidents:
            return key
        chain = [key]
        while True:
            of = self.facts[chain[-1]].duplicate_of
            if of is None or (key[0], of) not in self.facts:
                return chain[-1]
            if (key[0], of) in chain:
                return min(chain[chain.index((key[0], of)) :])
            chain.append((key[0], of))

    def resolved(self, incident: Incident) -> datetime | None:
        return ended(incident, self.rules, self.known.as_of)


def marts(world: World, rules: Rules, as_of: datetime) -> Marts:
    """Every mart of a world, at an instant, by some rules."""
    known = Known(world, as_of)
    production = Production(known, rules)
    incidents = Incidents(known, rules)
    judged = evidence(
        production,
        incidents.linkable,
        incidents.services,
        {
            key: incidents.root(key)
            for key in incidents.facts
            if incidents.first_state[key] != "invalid"
        },
    )
    return Marts(
        delivered_changes(known, rules),
        deployment_failures(judged),
        judged_deployments(production, incidents, judged),
        linked_incidents(incidents, judged),
        recovered(production, incidents, judged),
    )


def linked_incidents(incidents: Incidents, judged: dict[Evidence, bool]) -> list[Row]:
    links = {e.incident for e, decides in judged.items() if decides and e.incident}
    rows = []
    for key, incident in incidents.facts.items():
        state = incidents.first_state[key]
        services: list[str | None] = [*incidents.services[key]] or [None]
        if state == "linkable":
            state = "linked" if key in links else "unlinked" if services[0] else "unmapped"
        end = incidents.resolved(incident)
        rows.extend(
            {
                "source": key[0],
                "incident": key[1],
                "service": service,
                "detected_at": incident.detected_at,
                "resolved_at": end,
                "open": end is None,
                "state": state,
            }
            for service in services
        )
    return rows


def covered_by(known: Known) -> set[str]:
    """Services that an incident source is mapped to, whether or not they had incidents by now."""
    incidents = Incidents(known, Rules())
    named = {s for _, i in known.world.of(Incident) for s in incidents.services_of(i)}
    return named | set(known.world.covers)


def judged_deployments(
    production: Production, incidents: Incidents, judged: dict[Evidence, bool]
) -> list[Row]:
    rework = rework_kinds(production)
    insured = covered_by(production.known)
    rows = []
    for one, facts in production.rows.items():
        fact = facts[0]
        mine = sorted(
            (e for e, d in judged.items() if d and e.failed == one),
            key=lambda e: _shown(incidents, e),
        )
        best = mine[0] if mine else None
        succeeded = fact.status == "succeeded"
        age = us(production.known.as_of) - us(fact.finished_at) if fact.finished_at else None
        limit = production.rules.judged_after
        mature = succeeded and age is not None and age >= us_of(limit)
        baselines = {s.steps[p].baseline for s, p in production.steps.get(one, [])}
        rows.append(
            {
                "source": one[0],
                "deployment": one[1],
                "service": one[2],
                "environment": one[3],
                "repository": fact.repository,
                "version": fact.version,
                "sha": fact.sha,
                "status": fact.status,
                "succeeded": succeeded,
                "started_at": fact.started_at,
                "finished_at": fact.finished_at,
                "baseline": baselines == {True},
                "rollback": production.is_rollback(one),
                "inferred": fact.inferred,
                "unplanned": fact.unplanned,
                "fixes": fact.fixes,
                "rolls_back": fact.rolls_back,
                "failure_label": any(
                    x.strip().lower() in production.rules.failure_labels
                    for f in facts
                    for x in (f.labels or "").split(",")
                ),
                "url": fact.url,
                "mature": mature,
                "pending": succeeded and not mature,
                "failed": bool(mine),
                "rule": best.rule if best else None,
                "confidence": CONFIDENCE[best.rule] if best else None,
                "incident_source": best.incident[0] if best and best.incident else None,
                "incident": best.incident[1] if best and best.incident else None,
                "links": len([e for e in mine if e.incident]),
                "covered": one[2] in insured,
                "rework_kind": rework.get(one),
            }
        )
    return rows


def us_of(length: timedelta) -> int:
    return (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds


def _shown(incidents: Incidents, e: Evidence) -> tuple[Any, ...]:
    """The strongest; of equals the incident that was noticed first."""
    noticed = us(incidents.facts[e.incident].detected_at) if e.incident else 0
    return (e.strength, e.incident is None, noticed, e.incident or ("", ""))


def rework_kinds(production: Production) -> dict[Attempt, str]:
    """Successful deployments made to repair, and what kind of repair each is."""
    fixing = hotfixes(production)
    reverting = {e.repair for e in reverts(production, of_baseline=True)}
    kinds = {}
    for one in production.steps:
        facts = production.rows[one]
        if production.is_rollback(one):
            kinds[one] = "rollback"
        elif one in fixing or any(f.unplanned or f.fixes for f in facts):
            kinds[one] = "hotfix"
        elif one in reverting:
            kinds[one] = "revert"
    return kinds


def recovered(
    production: Production, incidents: Incidents, judged: dict[Evidence, bool]
) -> list[Row]:
    if production.rules.caused_by != "deployment":
        return by_incident(production, incidents, judged)
    rows = []
    for one in sorted({e.failed for e, decides in judged.items() if decides}):
        mine = [e for e, decides in judged.items() if decides and e.failed == one]
        linked = sorted({e.incident for e in mine if e.incident})
        if linked:
            rows.append(_by_links(production, incidents, one, linked, judged))
        else:
            rows.append(_by_repair(production, one, mine))
    return rows


def _by_links(
    production: Production,
    incidents: Incidents,
    one: Attempt,
    linked: list[IncidentKey],
    judged: dict[Evidence, bool],
) -> Row:
    facts = {key: incidents.facts[key] for key in linked}
    since = min(i.detected_at for i in facts.values())
    ends = [incidents.resolved(i) for i in facts.values()]
    until = None if None in ends else max(e for e in ends if e)
    fact = production.fact(one)
    begun = begins(production.rules, since, fact.finished_at, fact.started_at)
    if until is None:
        return _recovery(one, begun, None, None)
    last = min(key for key in linked if incidents.resolved(incidents.facts[key]) == until)
    return _recovery(one, begun, until, how_it_ended(production, incidents, last, judged))


def begins(
    rules: Rules, detected: datetime, finished: datetime | None, started: datetime | None
) -> datetime | None:
    """When a recovery with an incident begins."""
    if rules.recovery_start == "deployment":
        return finished or started
    if rules.recovery_start == "earlier" and finished is not None:
        return min(detected, finished)
    return detected


def how_it_ended(
    production: Production,
    incidents: Incidents,
    key: IncidentKey,
    judged: dict[Evidence, bool],
) -> str:
    """The last repair of what it is linked to, or the last flag turned off just before it."""
    incident = incidents.facts[key]
    end = incidents.resolved(incident)
    assert end is not None
    deciding = [e for e, decides in judged.items() if decides]
    failed = {e.failed for e in deciding if e.incident == key}
    found = [
        (production.fact(e.repair).finished_at, repair_kind(production, e))
        for e in deciding
        if e.failed in failed and e.repair in production.steps
    ]
    soon = end - production.rules.flag_window
    found += [
        (flag.changed_at, "flag off")
        for flag in turned_off(production)
        if flag.service in incidents.services[key] and flag.changed_at >= soon
    ]
    between = [(t, kind) for t, kind in found if t and incident.detected_at <= t <= end]
    return max(between)[1] if between else "incident resolved"


def turned_off(production: Production) -> list[FlagChange]:
    """Changes of flags in production after which nobody sees what somebody may have seen."""
    found = []
    share: dict[tuple[str, str, str], float] = {}
    flags = production.known.world.of(FlagChange)
    for source, flag in sorted(flags, key=lambda f: (f[1].changed_at, f[1].id)):
        one = (source, flag.flag, flag.environment)
        kind = production.known.world.kinds.get(flag.environment, "other")
        if flag.share == 0 and share.get(one, 1) > 0 and kind in production.rules.environments:
            found.append(flag)
        share[one] = flag.share
    return found


def _by_repair(production: Production, one: Attempt, mine: list[Evidence]) -> Row:
    since = production.fact(one).finished_at or production.fact(one).started_at
    repairs = sorted(
        (production.fact(e.repair).finished_at, e.strength, e.repair, repair_kind(production, e))
        for e in mine
        if e.repair and e.repair in production.steps
    )
    if not repairs:
        return _recovery(one, since, None, None)
    until, _, _, kind = repairs[0]
    return _recovery(one, since, until, kind)


def _recovery(
    one: Attempt, since: datetime | None, until: datetime | None, kind: str | None
) -> Row:
    took = us(until) - us(since) if since and until else None
    return {
        "source": one[0],
        "deployment": one[1],
        "environment": one[3],
        "service": one[2],
        "failed_at": since,
        "recovered_at": until,
        "us": took,
        "open": until is None,
        "kind": kind if until else None,
        "left_out": "no time of failure"
        if since is None
        else "negative duration"
        if took is not None and took < 0
        else None,
    }


def by_incident(
    production: Production, incidents: Incidents, judged: dict[Evidence, bool]
) -> list[Row]:
    """A row for each incident and service: of any, or only of those that are linked."""
    rows = []
    for key in incidents.facts:
        services: list[str | None] = [*incidents.services[key]] or [None]
        failed = [e.failed for e, decides in judged.items() if decides and e.incident == key]
        if incidents.rules.caused_by == "linked" and not failed:
            continue
        for service in services:
            row = _of_incident(production, incidents, key, service, failed)
            kind = how_it_ended(production, incidents, key, judged) if row["recovered_at"] else None
            rows.append(row | {"kind": kind})
    return rows


def _of_incident(
    production: Production,
    incidents: Incidents,
    key: IncidentKey,
    service: str | None,
    failed: list[Attempt],
) -> Row:
    incident = incidents.facts[key]
    state = incidents.first_state[key]
    counts = state == "linkable" or (state == "external" and incidents.rules.external_incidents)
    end = incidents.resolved(incident)
    newest = sorted(failed, key=lambda a: _newest_of(production, service, a))
    fact = production.fact(newest[0]) if newest else None
    since = begins(incidents.rules, incident.detected_at, fact.finished_at if fact else None, None)
    since = since or incident.detected_at
    took = us(end) - us(since) if end else None
    return {
        "incident_source": key[0],
        "incident": key[1],
        "service": service or (newest[0][2] if newest else None),
        "failed_at": since,
        "recovered_at": end,
        "us": took,
        "open": end is None,
        "left_out": (None if counts else state)
        or ("negative duration" if took is not None and took < 0 else None),
    }


def _newest_of(production: Production, service: str | None, one: Attempt) -> tuple[Any, ...]:
    """Of the incident's own service first, then the newest success, then by name."""
    done = production.fact(one).finished_at if one in production.steps else None
    return (one[2] != service, -(us(done) if done else 0), one[2], one[3], one[0], one[1])
