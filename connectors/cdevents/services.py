"""Deployments from service events, and which deployment a rollback undid.

Deployed, upgraded and rolled back are deployments; what the event names as its artifact leads to
the commit. Of one service in one environment the events follow each other by their time, whatever
order they come in: going back to an artifact undoes what was deployed since.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.cdevents.builds import Builds, Origin, digest, key, version
from connectors.cdevents.events import Event
from connectors.cdevents.names import Names
from connectors.cdevents.options import CDEventsOptions
from connectors.journal import Fact, News, Position
from connectors.spool.values import checked
from dora.connector import Only
from dora.records import Deployment

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_KINDS = re.compile(
    r"(?:service|deployment|daemonset|statefulset|replicaset|cronjob|job|pod)s?/(?=[^/]+$)",
    re.IGNORECASE,
)
_NOT_STATED = frozenset({"record", "id", "recorded_at", "caused_by", "removed"})


def service_name(id_: str) -> str:
    """A service by its name alone: `deployment/checkout` is `checkout`."""
    return _KINDS.sub("", id_, count=1)


def event_id(event: Event) -> str:
    """What a deployment is known by: the event's id, and its source where that is no UUID."""
    return event.id if _UUID.fullmatch(event.id) else f"{event.source}#{event.id}"


@dataclass(slots=True)
class _Stream:
    """The service events of one service in one environment."""

    events: list[Event] = field(default_factory=list)
    lines: list[Position] = field(default_factory=list)


class _Undone(NamedTuple):
    """What a rollback undid: the newest deployment, and whether that surely was all."""

    newest: Event
    alone: bool


class _Live:
    """What is deployed, oldest first; going back takes the newest away."""

    def __init__(self) -> None:
        self._events: list[tuple[str, Event]] = []
        self._artifacts: Counter[str] = Counter()

    def take(self, event: Event) -> _Undone | None:
        """Follow an event; gives what it undoes, if it goes back."""
        artifact = key(str(event.content.get("artifactId") or ""))
        if event.predicate in ("deployed", "upgraded"):
            self._events.append((artifact, event))
            self._artifacts[artifact] += 1
        elif event.predicate == "removed":
            self._events.clear()
            self._artifacts.clear()
        elif event.predicate == "rolledback":
            return self._back_to(artifact)
        return None

    def _back_to(self, artifact: str) -> _Undone | None:
        """All that came after the artifact is undone; of one from before the record, the newest."""
        known = self._artifacts[artifact] > 0
        undone: list[Event] = []
        while self._events and (known or not undone) and self._events[-1][0] != artifact:
            gone, event = self._events.pop()
            self._artifacts[gone] -= 1
            undone.append(event)
        return _Undone(undone[0], known and len(undone) == 1) if undone else None


class Services:
    """Makes deployments of service events.

    Args:
        options: Which of them are deployments, and where those are that do not say.
        builds: What artifacts were built from.
        names: What environments are called.
        repository: Of deployments whose artifact leads to none.
        news: Tells which deployments are touched.

    Attributes:
        unknown: Of those, how many have no commit.
    """

    def __init__(
        self,
        options: CDEventsOptions,
        builds: Builds,
        names: Names,
        repository: str,
        news: News,
    ) -> None:
        self._news = news
        self._predicates = frozenset(options.deployments)
        self._environment = options.environment
        self._builds = builds
        self._names = names
        self._repository = repository
        self.unknown = 0

    def facts(
        self, events: Iterable[Event], copies: Mapping[int, list[Position]]
    ) -> Iterator[Fact]:
        """The deployments.

        Args:
            events: Service events, each once.
            copies: Where else an event stands that was delivered several times.
        """
        streams: dict[tuple[str, str], _Stream] = {}
        for event in sorted(events, key=lambda event: event.order):
            place = (service_name(event.subject_id), event.reference("environment"))
            stream = streams.setdefault(place, _Stream())
            stream.events.append(event)
            stream.lines += copies[id(event)]
        for stream in streams.values():
            yield from self._of_stream(stream, copies)

    def _of_stream(self, stream: _Stream, copies: Mapping[int, list[Position]]) -> Iterator[Fact]:
        live = _Live()
        artifact = ""
        for event in stream.events:
            named = str(event.content.get("artifactId") or "")
            undone = live.take(event)
            artifact = named or artifact
            if event.predicate in self._predicates:
                yield from self._fact(event, artifact, undone, stream.lines, copies[id(event)])

    def _fact(
        self,
        event: Event,
        artifact: str,
        undone: _Undone | None,
        stream: Sequence[Position],
        lines: list[Position],
    ) -> Iterator[Fact]:
        environment = event.reference("environment")
        names, groups = self._names.of(environment)
        origin = self._builds.origin(artifact, event.chain)
        groups += origin.groups
        if event.predicate in ("rolledback", "published"):
            groups += (stream,)
        if not self._news.touched(lines, groups):
            return
        values = self._values(event, artifact, origin)
        if not values.get("sha"):
            self.unknown += 1
        if undone is not None and (undone.alone or not values.get("sha")):
            values.setdefault("rolls_back", event_id(undone.newest))
        values["environment"] = names or self._environment
        record = Deployment(**values)
        stays = {"repository": record.repository, "environment": record.environment}
        yield Fact(record, lines, groups, (Only(Deployment, {"id": record.id}, (stays,)),))

    def _values(self, event: Event, artifact: str, origin: Origin) -> dict[str, Any]:
        """The columns of a deployment; what the event's own data says goes first."""
        known = {
            "id": event_id(event),
            "repository": origin.repository or self._repository,
            "status": "succeeded",
            "finished_at": event.happened_at,
            "sha": origin.sha or None,
            "service": service_name(event.subject_id),
            "name": artifact or None,
            "version": version(artifact) or None,
            "digest": digest(artifact) or None,
            "original_status": event.predicate,
        }
        return {**known, **stated("deployment", event)}


def stated(kind: str, event: Event) -> dict[str, Any]:
    """What an event's own data says, by columns of the fact."""
    if not event.extra:
        return {}
    said = {name: value for name, value in event.extra.items() if name not in _NOT_STATED}
    _, values = checked({**said, "record": kind}, {})
    return {name: value for name, value in values.items() if value is not None}
