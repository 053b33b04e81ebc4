"""Reading an account incrementally: what is open now, and what was resolved since the last time.

A cursor has `since` (what the host's clock showed when the last reading began), `open` and `seen`
(open incidents, and those resolved near that time, to tell what is new), `compared` (when all was
read last) and, while everything is being read, `reading` with the day it has come to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from connectors.http.errors import UNREADABLE, Absent
from connectors.pagerduty.incidents import Incidents, State, digest, ended, is_resolved
from connectors.pagerduty.listing import LONGEST, Listing, TooMany, days
from dora.connector import Checkpoint, Cursor, Item, Only, Rejected, Removed, Reread, Unread
from dora.records import Incident, IncidentCause

JSON: TypeAlias = dict[str, Any]

OVERLAP = timedelta(minutes=10)
"""How far behind the last reading a later one looks again, for what was shown late."""

_INCIDENTS = "incidents"


@dataclass(slots=True)
class Reading:
    """One reading of an account.

    Attributes:
        listing: Lists incidents.
        incidents: Understands them.
        clock: What time it was there when it was asked.
        oldest: When the first incident was created.
        asked: What the facts depend on beside the source; another value reads all again.
        compare_after: How long to go without reading everything.
        compare: Whether to read everything now.
    """

    listing: Listing
    incidents: Incidents
    clock: datetime
    oldest: datetime
    asked: str
    compare_after: timedelta
    compare: bool
    _read: dict[str, str] = field(default_factory=dict, init=False)

    def items(self, cursor: Cursor | None) -> Iterator[Item]:
        """What is new since the cursor, with checkpoints wherever a restart could go on."""
        state: JSON = dict(cursor or {})
        if state.get("asked") != self.asked:
            state = {"asked": self.asked}
        if "reading" in state:
            yield from self._finish(state, dict(state["reading"]), resumed=True)
        elif self._is_due(state):
            yield from self._whole(state, fresh=cursor is None and not self.compare)
        else:
            try:
                yield Checkpoint((yield from self._changes(state)))
            except TooMany:  # it is too long ago
                yield from self._whole(state, fresh=False)

    def _is_due(self, state: JSON) -> bool:
        """Whether it is time to read everything, and so to find what is no longer there."""
        compared = state.get("compared")
        if self.compare or compared is None:
            return True
        return self.clock - datetime.fromisoformat(compared) > self.compare_after

    # --- everything

    def _whole(self, state: JSON, *, fresh: bool) -> Iterator[Item]:
        since = self.incidents.options.since  # what was open then may be older
        begin = max(self.oldest, since - LONGEST) if since else self.oldest
        first, until = days(begin, self.clock)
        reading = {"began": self.clock.isoformat(), "at": first.isoformat(), "fresh": fresh}
        yield Reread(Incident, _INCIDENTS)
        yield from self._finish(state, {**reading, "until": until.isoformat()}, resumed=False)

    def _finish(self, state: JSON, reading: JSON, *, resumed: bool) -> Iterator[Item]:
        """Read windows from where a reading stands to its end, then what changed meanwhile."""
        at, until = (datetime.fromisoformat(reading[name]) for name in ("at", "until"))
        for rows, end in self.listing.created(at, until):
            yield from self._window(rows, at, end)
            reading["at"], at = end.isoformat(), end
            yield Checkpoint({**state, "reading": dict(reading)})
        complete = not resumed or reading["fresh"]
        then = {"since": reading["began"], "open": {}, "seen": {}, "asked": self.asked}
        then["compared"] = reading["began"] if complete else state.get("compared")
        finished = yield from self._changes(then)
        if complete and not reading["fresh"]:
            yield Only(Incident, {}, tuple({"id": one} for one in sorted(self._read)))
            yield Only(IncidentCause, {}, tuple({"incident": one} for one in sorted(self._read)))
        yield Checkpoint(finished)

    def _window(self, rows: Sequence[JSON], begin: datetime, end: datetime) -> Iterator[Item]:
        counting = [row for row in rows if self._counts(row) and row["id"] not in self._read]
        logs = self._logs(counting, begin, end)
        told = min(end, self.clock) - OVERLAP
        for row in counting:
            within = logs is not None and is_resolved(row) and ended(row) < told
            yield from self._facts(row, logs.get(row["id"], ()) if logs and within else None)

    def _logs(
        self, rows: Sequence[JSON], begin: datetime, end: datetime
    ) -> Mapping[str, Sequence[State]] | None:
        if not self.incidents.options.reopenings or not rows:
            return None
        try:
            return self.listing.logs(begin, min(end, self.clock + OVERLAP), len(rows))
        except Absent:  # not for this token; each incident may still have its own
            return None

    def _counts(self, row: JSON) -> bool:
        """Whether an incident is asked for: not one that was over before the time asked for."""
        since = self.incidents.options.since
        return since is None or not is_resolved(row) or ended(row) >= since

    # --- what changed

    def _changes(self, state: JSON) -> Generator[Item, None, JSON]:
        """What is open, or was resolved since; gives the state that this leads to."""
        known = {**state["open"], **state["seen"], **self._read}
        rows = {row["id"]: row for row in self.listing.open()}
        resolved = self.listing.resolved(datetime.fromisoformat(state["since"]) - OVERLAP)
        rows |= {row["id"]: row for row in resolved if self._counts(row)}
        for id_ in sorted(set(state["open"]) - set(rows)):
            try:
                rows[id_] = self.listing.one(id_)  # another service's now, say
            except Absent:
                yield Removed(Incident, ({"id": id_},))
                yield Only(IncidentCause, {"incident": id_}, ())
        for id_, row in rows.items():
            if known.get(id_) != digest(row):
                yield from self._facts(row)
        return self._ended(state, list(rows.values()))

    def _ended(self, state: JSON, rows: Sequence[JSON]) -> JSON:
        near = self.clock - OVERLAP
        open_ = {row["id"]: digest(row) for row in rows if not is_resolved(row)}
        seen = {r["id"]: digest(r) for r in rows if is_resolved(r) and ended(r) >= near}
        return {**state, "since": self.clock.isoformat(), "open": open_, "seen": seen}

    def _facts(self, row: JSON, log: Sequence[State] | None = None) -> Iterator[Item]:
        """The facts of an incident; its own log is read where none is given."""
        id_ = row["id"]
        self._read[id_] = digest(row)
        try:
            if log is None:
                log = self.listing.log(id_) if self.incidents.options.reopenings else ()
        except Absent as error:  # its last end stands in the incident itself
            yield Unread(Incident, "reopenings and first ends", error.message)
            log = ()
        try:
            yield from self.incidents.facts(row, log)
        except UNREADABLE as error:
            yield Rejected(Incident, f"{_INCIDENTS}:{id_}", f"it cannot be understood: {error}")
