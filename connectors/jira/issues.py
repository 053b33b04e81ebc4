"""From an issue and its history to an incident and the causes that it states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.causes import REFERENCE, causes
from connectors.histories import History
from connectors.jira import times
from connectors.jira.options import Options
from connectors.jira.site import Site
from connectors.jira.texts import plain
from dora.patterns import wildcard
from dora.records import Incident, join_labels

JSON: TypeAlias = dict[str, Any]

FIELDS = (
    "summary", "description", "status", "created", "updated", "resolutiondate", "resolution",
    "priority", "labels", "components", "issuelinks",
)  # fmt: skip
"""What is asked for of every issue; of the description only causes are kept."""


@dataclass(frozen=True, slots=True)
class Read:
    """What an issue says.

    Attributes:
        incident: It, as a fact.
        causes: What it says caused it.
        former: The keys it had before it was moved.
    """

    incident: Incident
    causes: tuple[str, ...]
    former: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issues:
    """Understands the issues of one site.

    Attributes:
        options: What is an incident's end, service, severity, cause.
        site: Where they are from.
    """

    options: Options
    site: Site

    @property
    def fields(self) -> list[str]:
        """What to ask for."""
        return [*FIELDS, *self.site.fields.values()]

    def read(self, row: JSON, changes: Sequence[JSON]) -> Read:
        """What an issue says.

        Raises:
            ValueError: A time of it cannot be understood.
        """
        fields, key = row["fields"], row["key"]
        history = self._history(fields, changes)
        labels = [str(label) for label in fields.get("labels") or ()]
        services = list(self._said(self.options.service_from, fields, labels))
        severity = next(iter(self._said(self.options.severity_from, fields, labels)), None)
        resolution = _name(fields.get("resolution")) or ""
        incident = Incident(
            id=key,
            detected_at=self._detected(fields),
            resolved_at=history.last,
            first_resolved_at=history.first,
            reopenings=len(history.reopenings),
            service=self.options.service or join_labels(services),
            title=fields.get("summary"),
            severity=self.options.severities.get(severity, severity) if severity else None,
            labels=join_labels(labels),
            external=any(map(wildcard(self.options.external).match, labels)),
            not_planned=resolution.casefold() in {n.casefold() for n in self.options.not_planned},
            duplicate_of=next(_linked(fields, self.options.duplicate_links), (None, ""))[0],
            original_status=_name(fields.get("status")),
            url=f"{self.site.web}/browse/{key}",
        )
        return Read(incident, tuple(sorted(self._causes(fields))), _former(changes, key))

    def _detected(self, fields: JSON) -> datetime:
        stated = fields.get(self.site.fields.get(self.options.detected_field or "", ""))
        return times.instant(stated or fields["created"])

    def _history(self, fields: JSON, changes: Sequence[JSON]) -> History:
        history = History.of(self._states(fields, changes))
        stated = fields.get(self.site.fields.get(self.options.resolved_field or "", ""))
        return history.corrected(times.instant(stated)) if stated else history

    def _states(self, fields: JSON, changes: Sequence[JSON]) -> Iterator[tuple[datetime, bool]]:
        """When it was over and when no longer, the status it has now being the last word."""
        over = False
        turns = [(times.instant(c["created"]), item) for c in changes for item in _turns(c)]
        now_over = self._is_over((fields.get("status") or {}).get("id"))
        if turns and self._is_over(turns[0][1].get("from")):
            over = True
            yield times.instant(fields["created"]), True
        for moment, item in turns:
            over = self._is_over(item.get("to"))
            yield moment, over
        if over != now_over:  # imported, or changed in a way that leaves no trace
            ended = fields.get("resolutiondate") if now_over else None
            yield times.instant(ended or fields["updated"]), now_over

    def _is_over(self, status: Any) -> bool:
        return str(status) in self.site.over

    def _said(self, place: str, fields: JSON, labels: Sequence[str]) -> Iterator[str]:
        """What stands at a place of the options."""
        kind, _, named = place.partition(":")
        if kind == "label":
            pattern = named.strip()
            head = pattern.partition("*")[0]
            for label in labels:
                if wildcard([pattern]).match(label):
                    yield label[len(head) :] or label
            return
        ids = {"component": "components", "priority": "priority"}
        yield from _names(fields.get(ids.get(kind) or self.site.fields[named.strip()]))

    def _causes(self, fields: JSON) -> set[str]:
        text = f"{fields.get('summary') or ''}\n{plain(fields.get('description'))}"
        found = set(causes(text, pattern=self.options.caused_by))
        for key, title in _linked(fields, self.options.caused_by_links):
            found |= {key, *causes(title, pattern=REFERENCE)}
        return found


def _linked(fields: JSON, phrases: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Keys and titles of the issues that are linked by one of these phrases, as this one has it."""
    wanted = {phrase.casefold() for phrase in phrases}
    for link in fields.get("issuelinks") or ():
        for way in ("inward", "outward"):
            other = link.get(f"{way}Issue")
            if other and str(link["type"].get(way, "")).casefold() in wanted:
                yield other["key"], (other.get("fields") or {}).get("summary") or ""


def _turns(change: JSON) -> list[JSON]:
    return [item for item in change.get("items") or () if item.get("field") == "status"]


def _former(changes: Sequence[JSON], key: str) -> tuple[str, ...]:
    """The keys that an issue had before; moving it to another project changes its key."""
    moved = (
        str(item.get("fromString"))
        for change in changes
        for item in change.get("items") or ()
        if item.get("field") == "Key"
    )
    return tuple(dict.fromkeys(one for one in moved if one != key))


def _name(value: Any) -> str | None:
    return next(_names(value), None)


def _names(value: Any) -> Iterator[str]:
    """The words of a field, whatever its kind; a person's is none."""
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, dict):
        word = value.get("value") or value.get("name") or value.get("label")
        if word and "accountId" not in value and "displayName" not in value:
            yield str(word)
    elif value not in (None, ""):
        yield str(value)
