"""Freezes: what went out in them all the same, what hurt, what waited, and what came after."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from tests.oracle.changes import Row
from tests.oracle.releases.almanac import Entry, Span, joined, shared, within
from tests.oracle.releases.asked import DAY, Asked, Figures, failing, landed
from tests.oracle.world import us

THAW = 5 * DAY


def freezes(asked: Asked) -> Figures:
    found = _figures(asked)
    if any(asked.governing("freezes", *place) for place in asked.places):
        return found
    return dict.fromkeys(found, (None, 0))  # there is nothing to look at


def _figures(asked: Asked) -> Figures:
    phases = {row_key(row): phase(asked, row) for row in asked.facts.starts}
    held = [row for row in asked.facts.starts if row["service"] in asked.services]
    frozen = [r for r in held if phases[row_key(r)] == "frozen"]
    thaw = [r for r in held if phases[row_key(r)] == "thaw"]
    other = [r for r in asked.starts if phases[row_key(r)] == "other"]
    excused = [row for row in frozen if _excused(asked, row)]
    wild = len(frozen) - len(excused)
    spans = {span for service, env in asked.places for span in _named(asked, service, env)}
    waits = [wait for change in asked.changes if (wait := _wait(asked, change)) is not None]
    rates = failing(thaw), failing(other)
    known = rates[0][0] is not None and rates[1][0] is not None
    return {
        "freezes": (float(len(spans)), len(spans)),
        "freeze_days": (sum(e - b for _, b, e in spans) / DAY, len(spans)),
        "violations": (float(wild), len(frozen)),
        "exemptions": (float(len(excused)), len(frozen)),
        "violation_share": (wild / len(frozen) if frozen else None, len(frozen)),
        "incident_ratio": _ratio(asked),
        "change_days_waited": (sum(waits) / DAY, len(waits)),
        "batch_thaw": _batch(thaw),
        "batch_otherwise": _batch(other),
        "failure_rate_thaw": rates[0],
        "failure_rate_otherwise": rates[1],
        "thaw_difference": (
            (rates[0][0] or 0) - (rates[1][0] or 0) if known else None,
            rates[0][1] + rates[1][1],
        ),
    }


def row_key(row: Row) -> tuple[str, ...]:
    return (row["source"], row["deployment"], row["service"], row["environment"])


def _batch(rows: list[Row]) -> tuple[float | None, int]:
    return (float(median(r["changes"] for r in rows)) if rows else None), len(rows)


def beginning(asked: Asked, service: str, environment: str) -> list[tuple[Entry, Span]]:
    """The freezes of a service in an environment that begin in the window."""
    return [
        (entry, span)
        for entry in asked.governing("freezes", service, environment)
        for span in entry.spans(asked.first, asked.last)
        if asked.inside(span[0])
    ]


def _named(asked: Asked, service: str, environment: str) -> set[tuple[str, int, int]]:
    return {(e.name, *span) for e, span in beginning(asked, service, environment)}


def frozen_time(asked: Asked, service: str, environment: str) -> list[Span]:
    """Frozen time so far."""
    spans = joined([span for _, span in beginning(asked, service, environment)])
    return [(b, min(e, asked.now)) for b, e in spans if b < asked.now]


def wholly_frozen(asked: Asked, service: str) -> list[Span]:
    """Frozen time so far in which all environments of a service are frozen."""
    each = [frozen_time(asked, s, e) for s, e in asked.places if s == service]
    found = each[0] if each else []
    for spans in each[1:]:
        found = shared(found, spans)
    return found


def phase(asked: Asked, row: Row) -> str:
    """Where a deployment stands: in frozen time, in the thaw after it, or neither."""
    frozen = frozen_time(asked, row["service"], row["environment"])
    if within(frozen, row["us"]):
        return "frozen"
    if within([(e, e + THAW) for _, e in frozen], row["us"]):
        return "thaw"
    return "other"


def _excused(asked: Asked, row: Row) -> bool:
    """By itself, or by its labels in every freeze that it started in."""
    if row["repair"] or row["amid_incident"]:
        return True
    labels = {x.strip().lower() for x in (row["labels"] or "").split(",")}
    return all(
        labels & {x.lower() for x in entry.exempt}
        for entry, span in beginning(asked, row["service"], row["environment"])
        if within([span], row["us"])
    )


def _before(frozen: list[Span]) -> list[Span]:
    """As much time just before each stretch, as far as that was not frozen itself."""
    found = []
    for begun, ended in joined([(b - (e - b), b) for b, e in frozen]):
        edges = sorted({begun, ended, *(x for span in frozen for x in span if begun < x < ended)})
        found += [(one, two) for one, two in pairwise(edges) if not within(frozen, one)]
    return found


def _ratio(asked: Asked) -> tuple[float | None, int]:
    """Incidents for each service and day: in frozen time over before it."""
    counts = [0, 0]
    exposure = [0, 0]
    incidents = asked.facts.incidents
    for service in sorted(asked.services & asked.facts.covered):
        frozen = wholly_frozen(asked, service)
        for side, spans in enumerate((frozen, _before(frozen))):
            exposure[side] += sum(e - b for b, e in spans)
            counts[side] += sum(
                service in incidents.services[key] and within(spans, us(one.detected_at))
                for key, one in incidents.linkable.items()
            )
    if not counts[1] or not exposure[0]:
        return None, sum(counts)
    return counts[0] / exposure[0] / (counts[1] / exposure[1]), sum(counts)


def _wait(asked: Asked, change: Row) -> int | None:
    since = landed(change)
    spans = wholly_frozen(asked, change["service"])
    for begun, ended in spans:
        if begun <= since < ended:
            out = us(change["delivered_at"]) if change["delivered_at"] else ended
            return max(0, min(ended, out) - since)
    return None
