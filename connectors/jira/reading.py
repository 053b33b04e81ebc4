"""Reading a site incrementally: by the time of the last change, with an overlap.

A cursor has `since` (what the host's clock showed when the last reading began), `seen` (what was
read near that time, to tell what is new in the overlap), `compared` (when all was read last) and,
while a reading is under way, `reading` with the place it has come to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from connectors.http.errors import UNREADABLE
from connectors.jira import times
from connectors.jira.issues import Issues, Read
from connectors.jira.searching import Found, Search
from connectors.jira.site import Site
from dora.connector import Checkpoint, Cursor, Item, Only, Rejected, Removed, Reread
from dora.records import Incident, IncidentCause

JSON: TypeAlias = dict[str, Any]

OVERLAP = timedelta(minutes=10)
"""How far behind the last reading a later one begins, for what the host's index showed late."""


_ISSUES = "issues"


@dataclass(slots=True)
class Reading:
    """One reading of a site.

    Attributes:
        search: Finds issues.
        issues: Understands them.
        jql: Which ones.
        asked: What the facts depend on beside the source; another value reads all again.
        compare_after: How long to go without reading everything.
        compare: Whether to read everything now.
    """

    search: Search
    issues: Issues
    jql: str
    asked: str
    compare_after: timedelta
    compare: bool

    def items(self, cursor: Cursor | None) -> Iterator[Item]:
        """What is new since the cursor, and a checkpoint after each page."""
        state: JSON = dict(cursor or {})
        if state.get("asked") != self.asked:
            state = {"asked": self.asked}
        if "reading" in state:  # the last sync was cut off: finish what it had begun
            yield from self._finish(state, state["reading"])
            state = self._ended(state, state["reading"])
            self.compare = False if state["compared"] == state["since"] else self.compare
        yield from self._begin(state)

    def _begin(self, state: JSON) -> Iterator[Item]:
        clock = self.site.clock.isoformat()
        reading: JSON = {"began": clock, "created": None, "whole": self._is_due(state), "seen": {}}
        if reading["whole"]:
            yield Reread(Incident, _ISSUES)
        yield from self._finish(state, reading)
        yield Checkpoint(self._ended(state, reading))

    @property
    def site(self) -> Site:
        """The site that is read."""
        return self.issues.site

    def _is_due(self, state: JSON) -> bool:
        """Whether it is time to read everything, and so to find what is no longer there."""
        compared = state.get("compared")
        if self.compare or compared is None:
            return True
        return self.site.clock - datetime.fromisoformat(compared) > self.compare_after

    def _ended(self, state: JSON, reading: JSON) -> JSON:
        began = reading["began"]
        compared = began if reading["whole"] else state["compared"]
        return {"asked": self.asked, "since": began, "compared": compared, "seen": reading["seen"]}

    def _finish(self, state: JSON, reading: JSON) -> Iterator[Item]:
        """Read from where a reading stands to its end; `reading` moves on with it."""
        for page in self.search.issues(self._query(state, reading), self.issues.fields):
            for found in page:
                yield from self._items(found, state, reading)
            if page:
                reading["created"] = page[-1].row["fields"]["created"]
            yield Checkpoint({**state, "reading": {**reading, "seen": dict(reading["seen"])}})
        if reading["whole"]:
            yield from self._only_these()

    def _query(self, state: JSON, reading: JSON) -> str:
        limits = [("updated", since)] if (since := _since(state, reading)) else []
        if reading["created"]:
            limits.append(("created", times.instant(reading["created"])))
        clauses = [f'{name} >= "{times.in_query(at, self.site.zone)}"' for name, at in limits]
        return " AND ".join([f"({self.jql})", *clauses])

    def _items(self, found: Found, state: JSON, reading: JSON) -> Iterator[Item]:
        key, since = found.row["key"], _since(state, reading)
        known: Mapping[str, str] = state.get("seen", {}) if since else {}
        place = f"{_ISSUES}:{key}"
        if found.changes is None:
            yield Rejected(Incident, place, "Jira gives only a part of its history")
            return
        try:
            read = self.issues.read(found.row, found.changes)
        except UNREADABLE as error:
            yield Rejected(Incident, place, f"it cannot be understood: {error}")
            return
        digest = _digest(read)
        updated = times.instant(found.row["fields"]["updated"])
        if updated >= datetime.fromisoformat(reading["began"]) - OVERLAP:
            reading["seen"][key] = digest
        if known.get(key) != digest and (since is None or updated >= since):
            yield from _facts(read)

    def _only_these(self) -> Iterator[Item]:
        """What was deleted, moved away or no longer fits the query."""
        keys = list(self.search.keys(f"({self.jql})"))
        yield Only(Incident, {}, tuple({"id": key} for key in keys))
        yield Only(IncidentCause, {}, tuple({"incident": key} for key in keys))


def _since(state: JSON, reading: JSON) -> datetime | None:
    """The last change from which on issues are read; None where all are."""
    return None if reading["whole"] else datetime.fromisoformat(state["since"]) - OVERLAP


def _facts(read: Read) -> Iterator[Item]:
    key = read.incident.id
    if read.former:
        yield Removed(Incident, tuple({"id": one} for one in read.former))
        for one in read.former:
            yield Only(IncidentCause, {"incident": one}, ())
    yield read.incident
    causes = [IncidentCause(key, cause) for cause in read.causes]
    yield from causes
    kept = tuple({"incident": one.incident, "cause": one.cause} for one in causes)
    yield Only(IncidentCause, {"incident": key}, kept)


def _digest(read: Read) -> str:
    """What tells facts from what they were."""
    said = repr((read.incident, read.causes))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
