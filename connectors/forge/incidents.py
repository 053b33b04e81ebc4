"""Issues that are incidents, and the causes they state; of their text nothing else is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from connectors.causes import causes
from connectors.forge.boolean import Condition, Values
from connectors.forge.options import IncidentOptions
from dora.patterns import wildcard
from dora.records import Incident, IncidentCause, join_labels


@dataclass(frozen=True, slots=True)
class Turn:
    """An issue was closed or reopened."""

    at: datetime
    to: Literal["closed", "open"]


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as forges have them, with what is needed to see whether it is an incident.

    Attributes:
        id: The source's id, by which its incident is known.
        repository: Canonical name of where it was filed.
        title: Its title.
        body: Its text; searched for causes and not kept.
        labels: Its labels.
        type: Its type as the forge states it.
        severity: Its severity, where the forge itself states one.
        opened: When it was filed.
        closed: Whether it is closed now.
        closed_at: When it was closed, as the forge says; for where `turns` are not known.
        turns: Every closing and reopening, in order.
        not_planned: Whether it was closed as not planned, or the like.
        duplicate_of: The id of the issue that it repeats.
        status: The forge's own word for how it stands.
        url: Web address.
    """

    id: str
    repository: str
    title: str
    body: str
    labels: Sequence[str]
    type: str | None
    severity: str | None
    opened: datetime
    closed: bool
    closed_at: datetime | None
    turns: Sequence[Turn]
    not_planned: bool
    duplicate_of: str | None
    status: str
    url: str | None


class Rules:
    """Tells which issues are incidents, and makes facts of them.

    Args:
        options: What the user says an incident is.
        service: The service that they concern, where it is stated.
        called: Knows what some causes are called in facts, where the text alone does not tell.
    """

    def __init__(
        self,
        options: IncidentOptions,
        service: str | None = None,
        called: Callable[[str], str | None] | None = None,
    ) -> None:
        self._options = options
        self._service = service
        self._called = called
        self._where = Condition.parse(options.where) if options.where else None
        self._every = [wildcard([label]) for label in options.all_labels]
        self._severity = [wildcard([label]) for label in options.severity]

    @property
    def looks_at_types(self) -> bool:
        """Whether it matters of which type issues are."""
        where = self._where.fields if self._where is not None else frozenset()
        return bool(self._options.types) or "type" in where

    def counts(self, issue: Issue) -> bool:
        """Whether an issue is an incident."""
        options, labels = self._options, issue.labels
        values: Values = {
            "label": labels,
            "type": [issue.type] if issue.type else [],
            "severity": [found] if (found := self.severity(issue)) else [],
            "title": [issue.title],
        }
        return (
            _fits(options.labels, labels, True)
            and all(any(one.match(label) for label in labels) for one in self._every)
            and not _fits(options.without_labels, labels, False)
            and _fits(options.types, values["type"], True)
            and _fits(options.severities, values["severity"], True)
            and (self._where is None or self._where.holds(values))
        )

    def incident(self, issue: Issue) -> Incident:
        """The incident that an issue is; it lasts until its last closing."""
        closings = [turn.at for turn in issue.turns if turn.to == "closed"]
        ended = issue.closed_at or (closings[-1] if closings else None)
        resolved = (closings[-1] if closings else ended) if issue.closed else None
        return Incident(
            id=issue.id,
            detected_at=issue.opened,
            resolved_at=resolved,
            first_resolved_at=min(closings, default=resolved),
            reopenings=sum(1 for turn in issue.turns if turn.to == "open"),
            service=self._service,
            repository=issue.repository,
            title=issue.title,
            severity=self.severity(issue),
            labels=join_labels(list(issue.labels)),
            external=_fits(self._options.external, issue.labels, False),
            not_planned=issue.closed and issue.not_planned and not self._options.not_planned,
            duplicate_of=issue.duplicate_of,
            original_status=issue.status,
            url=issue.url,
        )

    def causes(self, issue: Issue) -> list[IncidentCause]:
        """What an issue states as its causes, in title and text."""
        text = f"{issue.title}\n{issue.body}"
        found = causes(text, issue.repository, self._options.caused_by, self._called)
        return [IncidentCause(issue.id, cause) for cause in sorted(found)]

    def severity(self, issue: Issue) -> str | None:
        """The severity that the forge or a label states; of `severity:high` it is `high`."""
        if issue.severity:
            return issue.severity
        for pattern, fits in zip(self._options.severity, self._severity, strict=True):
            for label in issue.labels:
                if fits.match(label):
                    head = pattern.partition("*")[0]
                    behind = label[len(head) :].lstrip(":/ ")
                    return behind if head[-1:] in {":", "/"} and behind else label
        return None


def _fits(patterns: Sequence[str], texts: Sequence[str], without: bool) -> bool:
    """Whether any of the texts fits any pattern; `without` where there is none to fit."""
    if not patterns:
        return without
    fits = wildcard(patterns)
    return any(fits.match(text) for text in texts)
