"""Facts from events in files: CDEvents, and the calls of other products.

Events are a record of what happened, kept in files which only grow: as JSON Lines, or a file each.
Whatever order they come in, however often each is delivered and over however many syncs, the facts
are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.cdevents import toggles
from connectors.cdevents.builds import Builds
from connectors.cdevents.calls import SHAPES, Calls
from connectors.cdevents.events import Event, is_event, parsed, unwrapped
from connectors.cdevents.incidents import Incidents
from connectors.cdevents.names import Names, Where
from connectors.cdevents.options import CDEventsOptions
from connectors.cdevents.services import Services, event_id, stated
from connectors.cdevents.shapes import repository
from connectors.journal import Bad, Fact, Facts, JournalConnector, News, Position, Said, shown
from connectors.spool.folding import Folding
from connectors.spool.values import text_of
from dora import zones
from dora.records import (
    Deployment,
    FlagChange,
    Incident,
    IncidentCause,
    ManualChange,
    Record,
)

_OF = {"service": ("deployment", Deployment), "incident": ("incident", Incident)}
_ANYWHERE = {
    "deployment": "Deployments",
    "flag_change": "Changes of flags",
    "manual_change": "Manual changes",
}
_CARRIED = (Incident, IncidentCause, FlagChange, ManualChange)
_READ: Mapping[str, Collection[str]] = {
    "service": {"deployed", "upgraded", "rolledback", "removed", "published"},
    "incident": {"detected", "reported", "resolved"},
    "artifact": {"packaged", "published"},
    "change": {"merged"},
    "environment": {"created", "modified"},
    "flag": toggles.PREDICATES.keys(),
}


class CDEvents(JournalConnector):
    """What events tell."""

    kind: ClassVar[str] = "cdevents"
    provides: ClassVar[tuple[type[Record], ...]] = (Deployment, *_CARRIED)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {Deployment: _CARRIED}
    Options: ClassVar[type[BaseModel]] = CDEventsOptions

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, CDEventsOptions):
            raise TypeError(f"the options of cdevents are CDEventsOptions, not {type(options)}")
        super().__init__(name, options, options.path, base)
        self._options = options

    def facts(self, lines: Iterable[Said | Bad], news: News) -> Facts:
        """Every fact that the events come to and that is touched."""
        return _Reading(self._options, news).facts(lines)


class _Reading:
    """One reading of all lines."""

    def __init__(self, options: CDEventsOptions, news: News) -> None:
        self._options = options
        self._news = news
        self._zone = zones.zone(options.timezone) if options.timezone else None
        self._where = Where(options.incident_environments)
        self._calls = Calls(options, self._zone, self._where)
        self._events: dict[str, Event] = {}
        self._copies: dict[str, list[Position]] = {}
        self._others: dict[str, int] = {}
        self._facts = Facts()

    def facts(self, lines: Iterable[Said | Bad]) -> Facts:
        for said in lines:
            if isinstance(said, Bad):
                self._facts.bad.append(said)
                continue
            try:
                self._take(said)
            except ValueError as error:
                text = shown(text_of(said.value))
                self._facts.bad.append(Bad(said.position, None, str(error), text))
        self._facts.facts.extend(self._of_events())
        folding = Folding(self._news)
        self._calls.tell(folding)
        self._facts.facts.extend(folding.facts())
        self._facts.bad.extend(folding.bad)
        self._note(folding)
        return self._facts

    def _take(self, said: Said) -> None:
        value, shape = unwrapped(said.value), self._options.shape
        if shape == "cdevents" or (shape is None and is_event(value)):
            self._event(said, value)
        elif not self._calls.take(value, said.position, shape):
            known = ", ".join(SHAPES)
            raise ValueError(f"it is no CDEvent and no call that is known: {known}")

    def _event(self, said: Said, value: Mapping[str, Any]) -> None:
        """Keep an event once, whatever it is delivered as."""
        alone = said.kept() if value is said.value else value
        event = parsed(value, said.position, self._zone, alone)
        if event is None or event.predicate not in _READ.get(event.subject, ()):
            name = f"{event.subject} {event.predicate}" if event else "custom events"
            self._others[name] = self._others.get(name, 0) + 1
            return
        if event.subject in _OF:
            stated(_OF[event.subject][0], event)
        elif event.subject == "flag":
            toggles.event_values(event)
        place = event_id(event)
        self._copies.setdefault(place, []).append(said.position)
        known = self._events.get(place)
        if known is None or event.text() > known.text():
            self._events[place] = event

    def _of_events(self) -> Iterator[Fact]:
        options, events = self._options, list(self._events.values())
        copies = {id(event): self._copies[place] for place, event in self._events.items()}
        builds = Builds(options.host, copies)
        builds.take(events)
        names = Names(events, copies)
        named = repository(options.repository or "", options)
        services = Services(options, builds, names, named, self._news)
        yield from services.facts((e for e in events if e.subject == "service"), copies)
        incidents = Incidents(names, self._where)
        yield from incidents.facts((e for e in events if e.subject == "incident"), copies)
        switched = (event for event in events if event.subject == "flag")
        yield from toggles.facts(switched, copies, names, options.environment)
        if services.unknown:
            self._facts.notes.append(
                f"Deployments whose artifact no event ties to a commit: {services.unknown}; "
                "they are in no lead time."
            )

    def _note(self, folding: Folding) -> None:
        notes = self._facts.notes
        if self._where.elsewhere:
            notes.append(
                f"Incidents of other environments than production: {self._where.elsewhere}; "
                "they do not count."
            )
        for kind, what in _ANYWHERE.items():
            if count := self._calls.anywhere[kind]:
                notes.append(
                    f"{what} that name no environment: {count}; "
                    f"taken to be in {self._options.environment}."
                )
        others = {**self._others, **self._calls.others}
        if others:
            listed = ", ".join(f"{name} ({n})" for name, n in sorted(others.items()))
            notes.append(f"Events that are not read: {listed}.")
        if folding.strange:
            listed = ", ".join(f"{key} ({n})" for key, n in sorted(folding.strange.items()))
            notes.append(f"Not read, as no fact has them: {listed}.")
