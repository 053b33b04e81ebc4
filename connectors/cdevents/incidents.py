"""Incidents from their events: detected or reported, resolved, and perhaps detected again.

Events of one incident share the id of their subject. It begins with the first that was detected or
reported and ends when it was resolved; being detected after that is a reopening, being reported is
not, as a ticket is often written when all is over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.cdevents.events import Event
from connectors.cdevents.names import Names, Where
from connectors.cdevents.services import service_name, stated
from connectors.histories import History
from connectors.journal import Fact, Position, shown
from connectors.spool.values import every_name, listed
from dora.connector import Only
from dora.records import Incident, IncidentCause

_BEGINS = frozenset({"detected", "reported"})


class Incidents:
    """Makes incidents of their events.

    Args:
        names: What environments are called.
        where: In which environments they count.
    """

    def __init__(self, names: Names, where: Where) -> None:
        self._names = names
        self._where = where

    def facts(
        self, events: Iterable[Event], copies: Mapping[int, list[Position]]
    ) -> Iterator[Fact]:
        """The incidents and their causes.

        Args:
            events: Incident events, each once.
            copies: Where else an event stands that was delivered several times.
        """
        by_id: dict[str, list[Event]] = {}
        for event in sorted(events, key=_in_order):
            by_id.setdefault(event.subject_id, []).append(event)
        for id_, told in by_id.items():
            whole = [position for event in told for position in copies[id(event)]]
            owners = sorted({e.subject_source for e in told if e.predicate in _BEGINS})
            if len(owners) < 2:
                yield from self._incident(id_, told, whole, ())
                continue
            alone = (Only(Incident, {"id": id_}, ()), Only(IncidentCause, {"incident": id_}, ()))
            for owner in sorted({event.subject_source for event in told}):
                part = [event for event in told if event.subject_source == owner]
                yield from self._incident(f"{owner}#{id_}", part, whole, alone)

    def _incident(
        self, id_: str, told: Sequence[Event], lines: list[Position], only: tuple[Only, ...]
    ) -> Iterator[Fact]:
        environment, groups = self._names.of(_first(told, "environment"))
        if not self._where.counts(environment):
            gone = (Only(Incident, {"id": id_}, ()), Only(IncidentCause, {"incident": id_}, ()))
            yield Fact(Incident, lines, groups, (*only, *gone))
            return
        begins = [event for event in told if event.predicate in _BEGINS]
        if not begins and not any("detected_at" in event.extra for event in told):
            why = "nothing says when it was detected"
            said = json.dumps({"id": id_, "resolved": told[-1].happened_at.isoformat()})
            yield Fact(Incident, lines, groups, only, lacks=why, content=shown(said))
            return
        values = _values(id_, told, begins)
        yield Fact(Incident(**values), lines, groups, only)
        named = {cause for event in told for cause in listed(event.extra.get("caused_by"))}
        for cause in every_name(named):
            yield Fact(IncidentCause(id_, cause), lines, groups)


def _in_order(event: Event) -> tuple[datetime, bool, tuple[datetime, str, str]]:
    """By time; of those at once, what was resolved comes last."""
    return event.happened_at, event.predicate == "resolved", event.order


def _values(id_: str, told: Sequence[Event], begins: Sequence[Event]) -> dict[str, Any]:
    """The columns of an incident; what the events' own data says goes first, the newest last."""
    tickets = (e.content.get("ticketURI") for e in begins)
    values: dict[str, Any] = {
        "id": id_,
        "detected_at": begins[0].happened_at if begins else None,
        "service": service_name(_first(told, "service")) or None,
        "title": next((str(t) for e in told if (t := e.content.get("description"))), None),
        "url": next((str(ticket) for ticket in tickets if ticket), None),
        "original_status": told[-1].predicate,
    }
    values.update(_course(told))
    for event in told:
        values.update(stated("incident", event))
    return values


def _course(told: Sequence[Event]) -> dict[str, Any]:
    """How often an incident was closed and detected again."""
    states = ((e.happened_at, e.predicate == "resolved") for e in told if e.predicate != "reported")
    history = History.of(states)
    return {
        "resolved_at": history.last,
        "first_resolved_at": history.first,
        "reopenings": len(history.reopenings),
    }


def _first(told: Sequence[Event], key: str) -> str:
    return next((named for event in told if (named := event.reference(key))), "")
