"""Issues that are incidents, and the causes they state; of their text nothing else is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, cast

from connectors.github import queries
from connectors.github.changing import Changing
from connectors.github.client import Client
from connectors.github.options import IncidentOptions
from connectors.github.paging import Size, whole
from connectors.github.values import Place, digest, instant, merged_labels
from dora.connector import Cursor, Item, Only, Removed
from dora.patterns import wildcard
from dora.records import Incident, IncidentCause, join_labels

JSON: TypeAlias = dict[str, Any]

CAUSED_BY = r"(?i)\b(?:caused|introduced)\s+by:?\s+<?(https?://[^\s<>)\]]+|[\w.-]+/[\w.-]+#\d+|#\d+|[0-9a-f]{7,64}\b)"
_COMMIT = re.compile(r"https?://[^/\s]+/[\w.-]+/[\w.-]+/commit/([0-9a-f]{7,64})", re.IGNORECASE)
_PULL = re.compile(r"https?://([^/\s]+/[\w.-]+/[\w.-]+)/pull/(\d+)")
_SHORT = re.compile(r"(?:([\w.-]+/[\w.-]+))?#(\d+)")


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of repositories.

    Attributes:
        client: Asks the host.
        options: Which issues are incidents.
        size: How many to ask for at once.
        since: The time before which nothing is read.
        service: The service they concern, where it is stated.
    """

    client: Client
    options: IncidentOptions
    size: Size
    since: datetime | None
    service: str | None

    def read(self, place: Place, cursor: Cursor | None) -> Iterator[Item]:
        """What changed in one repository since the cursor."""

        def ask(after: str | None) -> JSON | None:
            variables = {"repository": place.id, "after": after}
            data = self.client.ask(queries.ISSUES, variables, size=self.size)
            return cast("JSON | None", (data["node"] or {}).get("issues"))

        def items(rows: list[JSON], first: bool) -> Iterator[Item]:
            return self._items(place, rows, first)

        asked = digest([self.options.model_dump(), self.service])
        yield from Changing(place, ask, items, self.since, asked).read(cursor)

    def _items(self, place: Place, rows: list[JSON], first: bool) -> Iterator[Item]:
        gone = []
        for row in rows:
            listed = whole(
                self.client, row["labels"], queries.MORE_ISSUE_LABELS, row["id"], "labels"
            )
            labels = merged_labels(listed)
            causes: set[str] = set()
            if self._counts(labels):
                causes = self._causes(place, f"{row['title']}\n{row['body'] or ''}")
                yield self._incident(place, row, labels)
                for cause in sorted(causes):
                    yield IncidentCause(row["id"], cause)
            else:
                gone.append(row["id"])
            if not first:
                keys = tuple({"incident": row["id"], "cause": one} for one in sorted(causes))
                yield Only(IncidentCause, {"incident": row["id"]}, keys)
        if gone and not first:
            yield Removed(Incident, tuple({"id": id_} for id_ in gone))

    def _counts(self, labels: list[str]) -> bool:
        options = self.options
        any_, every, none = options.labels, options.all_labels, options.without_labels
        fits = [wildcard([pattern]) for pattern in every]
        return (
            (not any_ or _has(any_, labels))
            and all(any(one.match(label) for label in labels) for one in fits)
            and not _has(none, labels)
        )

    def _incident(self, place: Place, row: JSON, labels: list[str]) -> Incident:
        turns = whole(
            self.client, row["timelineItems"], queries.MORE_TURNS, row["id"], "timelineItems"
        )
        closed = [instant(t["createdAt"]) for t in turns if t["__typename"] == "ClosedEvent"]
        reopened = [t for t in turns if t["__typename"] == "ReopenedEvent"]
        ended = instant(row["closedAt"]) if row["closedAt"] else None
        resolved = (closed[-1] if closed else ended) if row["state"] == "CLOSED" else None
        originals = [t["canonical"] for t in turns if t["__typename"] == "MarkedAsDuplicateEvent"]
        reason = row["stateReason"] if row["state"] == "CLOSED" else None
        return Incident(
            id=row["id"],
            detected_at=instant(row["createdAt"]),
            resolved_at=resolved,
            first_resolved_at=min(closed, default=resolved),
            reopenings=len(reopened),
            service=self.service,
            repository=place.repository,
            title=row["title"],
            severity=self._severity(labels),
            labels=join_labels(labels),
            external=_has(self.options.external, labels),
            not_planned=reason == "NOT_PLANNED" and not self.options.not_planned,
            duplicate_of=(originals[-1] or {}).get("id") if originals else None,
            original_status=(reason or row["state"]).lower(),
            url=row["url"],
        )

    def _severity(self, labels: list[str]) -> str | None:
        for pattern in self.options.severity:
            for label in labels:
                if wildcard([pattern]).match(label):
                    head = pattern.partition("*")[0]
                    return label[len(head) :] if head[-1:] in {":", "/"} else label
        return None

    def _causes(self, place: Place, text: str) -> set[str]:
        pattern = self.options.caused_by or CAUSED_BY
        stated = (match[1] for match in re.finditer(pattern, text) if match[1])
        return {_cause(place, one.rstrip(".,;")) for one in stated}


def _has(patterns: tuple[str, ...], labels: list[str]) -> bool:
    fits = wildcard(patterns)
    return any(fits.match(label) for label in labels)


def _cause(place: Place, stated: str) -> str:
    """What is referred to, in the form that facts have."""
    if commit := _COMMIT.match(stated):
        return commit[1].lower()
    if pull := _PULL.match(stated):
        return f"{pull[1]}#{pull[2]}"
    if short := _SHORT.fullmatch(stated):
        host = place.repository.split("/")[0]
        return f"{host}/{short[1]}#{short[2]}" if short[1] else f"{place.repository}#{short[2]}"
    return stated
