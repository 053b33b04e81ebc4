"""When a service could have been released, and what was ready and waited."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import pairwise

from dora.records import Deployment
from tests.oracle.changes import Row
from tests.oracle.pipelines import trunk_checks
from tests.oracle.releases.almanac import Span, joined, shared, within
from tests.oracle.releases.asked import DAY, HOUR, Asked, Figures, landed
from tests.oracle.world import us

STATES = ("red", "frozen", "blocked", "available")


def required(asked: Asked, name: str) -> bool:
    return not asked.almanac.checks or any(
        fnmatchcase(name, pattern) for pattern in asked.almanac.checks
    )


@dataclass(frozen=True)
class Branches:
    """The default branches of a service's repositories."""

    asked: Asked
    service: str

    @cached_property
    def repositories(self) -> set[str]:
        """Those deployed as it, and those that are it where a deployment says nothing."""
        known = self.asked.facts.known
        return {
            d.repository
            for _, d in known.world.of(Deployment)
            for stated in (d.service, None)
            if self.service in known.services_of(d.repository, stated)
        }

    @cached_property
    def checks(self) -> list[Row]:
        return [
            row
            for row in trunk_checks(self.asked.facts.known)
            if row["repository"] in self.repositories and required(self.asked, row["name"])
        ]

    @property
    def known_from(self) -> int | None:
        """From when on something is known of all repositories that have builds."""
        first: dict[str, int] = {}
        for row in self.checks:
            name, since = row["repository"], row["from_us"]
            first[name] = min(since, first.get(name, since))
        return max(first.values(), default=None)

    def red(self, repository: str | None = None) -> list[Span]:
        return joined(
            [
                (row["from_us"], self.asked.now if row["until_us"] is None else row["until_us"])
                for row in self.checks
                if row["red"] and repository in (None, row["repository"])
                if row["until_us"] is None or row["until_us"] > row["from_us"]
            ]
        )

    def ready_at(self, change: Row) -> int | None:
        """When a required run that began after a change landed had ended with nothing red."""
        red = self.red(change["repository"])
        return min(
            (
                row["from_us"]
                for row in self.checks
                if row["repository"] == change["repository"]
                if row["begun_us"] >= landed(change) and not within(red, row["from_us"])
            ),
            default=None,
        )


def frozen(asked: Asked, service: str) -> list[Span]:
    """When a freeze holds in every environment of a service."""
    each = [asked.spans("freezes", s, e) for s, e in asked.places if s == service]
    found = each[0] if each else []
    for spans in each[1:]:
        found = shared(found, spans)
    return found


def blocked(asked: Asked, service: str) -> list[Span]:
    incidents = asked.facts.incidents
    found = []
    for key, incident in incidents.linkable.items():
        if service in incidents.services[key]:
            end = incidents.resolved(incident)
            found.append((us(incident.detected_at), us(end) if end else asked.now))
    return joined(found)


def _states(asked: Asked, branches: Branches) -> list[tuple[str, Span]]:
    """The known time of a service so far, cut wherever anything changes."""
    first, last = asked.so_far
    since = max(first, branches.known_from or 0)
    kinds = (
        branches.red(),
        frozen(asked, branches.service),
        blocked(asked, branches.service),
    )
    edges = {x for spans in kinds for span in spans for x in span if since < x < last}
    moments = sorted({since, last, *edges})
    found = []
    for begun, ended in pairwise(moments):
        held = [k for k, spans in zip(STATES, kinds, strict=False) if within(spans, begun)]
        found.append((held[0] if held else "available", (begun, ended)))
    return found


def availability(asked: Asked) -> Figures:
    first, last = asked.so_far
    time = dict.fromkeys(STATES, 0)
    reds: list[int] = []
    closed: list[int] = []
    services = unknown = 0
    for service in sorted(asked.services):
        branches = Branches(asked, service)
        if branches.known_from is None or branches.known_from >= last:
            unknown += last - first
            continue
        services += 1
        unknown += max(0, branches.known_from - first)
        states = _states(asked, branches)
        for state, (begun, ended) in states:
            time[state] += ended - begun
        reds += _lengths([span for state, span in states if state == "red"])
        closed += _lengths([span for state, span in states if state != "available"])
    known = sum(time.values())
    figures: Figures = {
        f"{state}_share": (time[state] / known if known else None, services) for state in STATES
    }
    figures["unknown_share"] = (unknown / (unknown + known), len(asked.services))
    figures["red_longest"] = (max(reds) / HOUR if reds else None, len(reds))
    figures["closed_longest"] = (max(closed) / HOUR if closed else None, len(closed))
    return figures | _waiting(asked)


def _lengths(spans: list[Span]) -> list[int]:
    return [ended - begun for begun, ended in joined(spans)]


def _waiting(asked: Asked) -> Figures:
    first, last = asked.so_far
    waits: list[Span] = []
    there = 0
    for service in sorted(asked.services):
        branches = Branches(asked, service)
        if branches.known_from is None or branches.known_from >= last:
            continue
        for change in asked.changes:
            if change["service"] != service or landed(change) >= last:
                continue
            out = us(change["delivered_at"]) if change["delivered_at"] else None
            there += out is None or out >= last
            ready = branches.ready_at(change)
            if ready is not None and ready < last and (out is None or out > max(ready, first)):
                waits.append((ready, last if out is None else min(out, last)))
    now = [begun for begun, ended in waits if ended == last]
    total = sum(ended - max(begun, first) for begun, ended in waits)
    return {
        "waiting": (float(len(now)), there),
        "waiting_oldest": ((last - min(now)) / DAY if now else None, len(now)),
        "waiting_mean": (total / (last - first), len(waits)),
    }
