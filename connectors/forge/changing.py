"""Lists that are read from the row changed last down to where the last sync began.

Oldest first would lose rows: one that changes while the list is read moves to the end and shifts
those behind it onto pages already read. Newest first, only rows that are touched meanwhile are
missed, and the next sync begins above them, as the watermark is taken from the first row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from dora.connector import Checkpoint, Cursor, Item, Note

JSON: TypeAlias = dict[str, Any]

OVERLAP = timedelta(minutes=10)
"""How far behind the newest row a later sync looks again, for rows that became visible late."""

PENDING = timedelta(days=30)
"""How long a row that may change without moving is asked for by its id."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: Its rows, the newest first.
        after: Where the next page begins, as JSON; None with the last one.
        hidden: How many rows the host has and does not show.
    """

    rows: Sequence[JSON]
    after: Any = None
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Changing:
    """One list of one part of a source: the pull requests of a repository, say.

    Rows are JSON with an `id`. What they are in facts is asked of `facts` only for rows that are
    new or different.

    Attributes:
        part: The part's name in checkpoints.
        pages: Gives the page that begins at a place; the first one for None.
        facts: What rows are in facts; told whether none of them was ever handed over before.
        since: The time before which nothing is read.
        by: The row's time that the list is ordered by.
        asked: What the facts depend on beside the source; another value reads all again.
        overlap: How far behind the newest row a later sync looks again.
        again: Gives rows by their ids as they are now, as many as are still there.
        pending: Which rows may change without moving up, and so are asked for again.
        gathered: Pages that are made into facts together, where that saves questions.
        kept: What else stands in the cursor of the part.
    """

    part: str
    pages: Callable[[Any], Page]
    facts: Callable[[Sequence[JSON], bool], Iterator[Item]]
    since: datetime | None = None
    by: str = "updatedAt"
    asked: str = ""
    overlap: timedelta = OVERLAP
    again: Callable[[Sequence[str]], Sequence[JSON]] | None = None
    pending: Callable[[JSON], bool] | None = None
    gathered: int = 1
    kept: Mapping[str, Any] = field(default_factory=dict)

    def read(self, cursor: Cursor | None, *, whole: bool = False) -> Iterator[Item]:
        """Everything that changed since the cursor, with a checkpoint for each page.

        Args:
            cursor: Where the part stands.
            whole: Whether all is read, though some of it is known.
        """
        state = dict(cursor or {})
        fresh = not state
        if whole or state.get("asked", self._asked) != self._asked:
            state = {}
        if "reading" in state:  # the last sync was cut off: finish what it had begun
            reading = dict(state["reading"])
            yield from self._down(state, reading, "newest" not in state and "again" not in state)
            yield from self._pending(state, reading)
            state = self._ended(state, reading)
        state = yield from self._newer(state, fresh)
        if whole:  # what was touched meanwhile has moved up, and must not be taken for gone
            state = yield from self._newer(state, False)
        yield self._checkpoint(state)

    def settled(self, cursor: Cursor | None, newest: str | None) -> bool:
        """Whether nothing is to be read, given the time of the newest row as the host tells it.

        Args:
            cursor: Where the part stands.
            newest: The time of the row that would come first; None if there are no rows.
        """
        state = cursor or {}
        return self.finished(state) and bool(state.get("settled")) and state.get("newest") == newest

    def finished(self, cursor: Cursor) -> bool:
        """Whether the last reading came to its end and nothing of it may still change.

        Args:
            cursor: Where the part stands.
        """
        return (
            cursor.get("asked") == self._asked
            and not cursor.get("pending")
            and "reading" not in cursor
        )

    @property
    def _asked(self) -> str:
        """What the facts depend on beside the source, in short."""
        return digest([self.asked, str(self.since)])

    def _newer(self, state: JSON, fresh: bool) -> Generator[Item, None, JSON]:
        """What is newer than a state; gives back the state after it."""
        reading: JSON = {"after": None, "newest": None, "seen": {}, "pending": {}}
        yield from self._down(state, reading, fresh)
        yield from self._pending(state, reading)
        return self._ended(state, reading)

    def _down(self, state: JSON, reading: JSON, fresh: bool) -> Iterator[Item]:
        """Page by page to the watermark; `reading` is brought up to date as it goes."""
        newest = state.get("newest")
        floor = _instant(newest) - self.overlap if newest else None
        known: Mapping[str, str] = {**state.get("pending", {}), **state.get("seen", {})}
        waiting: list[JSON] = []
        number = 0
        while True:
            page = self.pages(reading["after"])
            number += 1
            if page.hidden:
                yield Note(f"{self.part}: {page.hidden} rows of a page are not shown to the token.")
            rows = [row for row in page.rows if not self._before(row, floor, self.since)]
            if rows and reading["newest"] is None:
                reading["newest"] = rows[0][self.by]
            waiting += [
                row for row in rows if row["id"] not in known or known[row["id"]] != digest(row)
            ]
            self._remember(reading, rows)
            reading["after"] = page.after
            last = page.after is None or len(rows) < len(page.rows)
            if last or number % self.gathered == 0:
                yield from self.facts(waiting, fresh)
                if waiting and not last:
                    yield self._checkpoint({**state, "again": not fresh, "reading": dict(reading)})
                waiting = []
            if last:
                return

    def _pending(self, state: JSON, reading: JSON) -> Iterator[Item]:
        """Rows that may have changed without moving, asked for by their ids."""
        known: Mapping[str, str] = state.get("pending", {})
        ids = [id_ for id_ in known if id_ not in reading["seen"] and id_ not in reading["pending"]]
        if not ids or self.again is None:
            return
        rows = list(self.again(ids))
        yield from self.facts([row for row in rows if known[row["id"]] != digest(row)], False)
        self._remember(reading, rows)

    def _before(self, row: JSON, *limits: datetime | None) -> bool:
        at = _instant(row[self.by])
        return any(limit is not None and at < limit for limit in limits)

    def _remember(self, reading: JSON, rows: Sequence[JSON]) -> None:
        """Keep what is needed to see, next time, whether a row is new."""
        if reading["newest"] is not None:
            floor = _instant(reading["newest"]) - self.overlap
            seen = {row["id"]: digest(row) for row in rows if _instant(row[self.by]) >= floor}
            reading["seen"] = {**reading["seen"], **seen}
        if self.pending is not None:
            oldest = datetime.now(UTC) - PENDING
            may_change = {
                row["id"]: digest(row)
                for row in rows
                if self.pending(row) and _instant(row[self.by]) > oldest
            }
            reading["pending"] = {**reading["pending"], **may_change}

    def _ended(self, state: JSON, reading: JSON) -> JSON:
        newest = reading["newest"] or state.get("newest")
        settled = newest is None or datetime.now(UTC) - _instant(newest) > OVERLAP
        return {
            "newest": newest,
            "seen": reading["seen"] or state.get("seen", {}),
            "pending": reading["pending"],
            "settled": settled,
        }

    def _checkpoint(self, state: JSON) -> Checkpoint:
        kept = {name: value for name, value in state.items() if value not in ({}, None, False)}
        return Checkpoint({"asked": self._asked, **self.kept, **kept}, part=self.part)


def digest(row: Any) -> str:
    """What tells a row from what it was; short, as a cursor keeps some."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
