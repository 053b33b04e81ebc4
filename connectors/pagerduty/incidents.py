"""From an incident of PagerDuty and its log to a fact and the causes that its title states."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from connectors.causes import causes
from connectors.histories import History
from connectors.pagerduty.options import Options
from dora.connector import Item, Only
from dora.records import Incident, IncidentCause

JSON: TypeAlias = dict[str, Any]

State: TypeAlias = tuple[datetime, bool]
"""When something happened to an incident, and whether it was resolved from then on."""

_OPEN = {
    "trigger_log_entry",
    "acknowledge_log_entry",
    "unacknowledge_log_entry",
    "reopen_log_entry",
}
_CHANGING = (
    "status", "title", "urgency", "priority", "service", "resolve_reason", "resolved_at",
    "last_status_change_at", "created_at",
)  # fmt: skip


def instant(said: str) -> datetime:
    """An instant as PagerDuty writes it.

    Raises:
        ValueError: It is none.
    """
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise ValueError(f"a time without its offset: {said!r}")
    return moment.astimezone(UTC)


def is_resolved(row: JSON) -> bool:
    """Whether it is over: acknowledged is not."""
    return bool(row["status"] == "resolved")


def ended(row: JSON) -> datetime:
    """When a resolved incident was resolved last."""
    return instant(row.get("resolved_at") or row["last_status_change_at"])


def digest(row: JSON) -> str:
    """What tells an incident from what it was, whatever else its answer has."""
    said = json.dumps([row.get(name) for name in _CHANGING], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def state(entry: JSON) -> State | None:
    """What an entry of a log says of the state; None where it says nothing."""
    kind = entry.get("type", "").removesuffix("_reference")
    if kind == "resolve_log_entry":
        return instant(entry["created_at"]), True
    return (instant(entry["created_at"]), False) if kind in _OPEN else None


@dataclass(frozen=True, slots=True)
class Incidents:
    """Understands incidents.

    Attributes:
        options: What states severity and cause.
    """

    options: Options

    def facts(self, row: JSON, log: Iterable[State]) -> Iterator[Item]:
        """An incident, its causes, and that there are no others.

        Raises:
            ValueError: A time of it cannot be understood.
        """
        history = History.of(_settled(row, log))
        stated = causes(row.get("title") or "", pattern=self.options.caused_by)
        yield Incident(
            id=row["id"],
            detected_at=instant(row["created_at"]),
            resolved_at=history.last,
            first_resolved_at=history.first,
            reopenings=len(history.reopenings),
            service=(row.get("service") or {}).get("summary"),
            title=row.get("title"),
            severity=self._severity(row),
            duplicate_of=_merged_into(row),
            original_status=row["status"],
            url=row.get("html_url"),
        )
        yield from (IncidentCause(row["id"], cause) for cause in stated)
        kept = tuple({"incident": row["id"], "cause": cause} for cause in stated)
        yield Only(IncidentCause, {"incident": row["id"]}, kept)

    def _severity(self, row: JSON) -> str | None:
        priority = row.get("priority") or {}
        stated = priority.get("summary") or priority.get("name")
        said = row.get("urgency") if self.options.severity_from == "urgency" else stated
        return self.options.severities.get(said, said) if said else None


def _settled(row: JSON, log: Iterable[State]) -> list[State]:
    """The states of a log, the incident's own being the last word."""
    states = sorted(log, key=lambda one: one[0])
    over = History.of(states).last is not None
    if is_resolved(row):
        states.append((ended(row), True))
    elif over:
        states.append((instant(row["last_status_change_at"]), False))
    return states


def _merged_into(row: JSON) -> str | None:
    """The incident that an incident was merged into, and so repeats."""
    reason = row.get("resolve_reason") or {}
    merged = str(reason.get("type", "")).startswith("merge_resolve_reason")
    return (reason.get("incident") or {}).get("id") if merged else None
