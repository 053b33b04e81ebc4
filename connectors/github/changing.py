"""Lists that are read from the row changed last down to where the last sync began.

Oldest first would lose rows: one that changes while the list is read moves to the end and shifts
those behind it onto pages already read. Newest first, only rows that are touched meanwhile are
missed, and the next sync begins above them, as the watermark is taken from the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from connectors.github.paging import follow
from connectors.github.values import OVERLAP, UNFINISHED, Place, digest, instant
from dora.connector import Checkpoint, Cursor, Item

JSON: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[str | None], "Mapping[str, Any] | None"]


@dataclass(frozen=True, slots=True)
class Changing:
    """One list of one repository.

    Attributes:
        place: The repository.
        ask: Gives the page after a cursor.
        items: What a page of rows is in facts; told whether this is the first reading ever.
        since: The time before which nothing is read.
        asked: What the facts depend on beside the source; another value reads all again.
        by: The row's time that the list is ordered by.
        unfinished: Which rows are looked at again though the order does not tell that they
            changed; for a month at most.
        gathered: Pages that are made into facts together, where that saves questions.
    """

    place: Place
    ask: Ask
    items: Callable[[list[JSON], bool], Iterator[Item]]
    since: datetime | None
    asked: str = ""
    by: str = "updatedAt"
    unfinished: Callable[[JSON], bool] | None = None
    gathered: int = 1

    def read(self, cursor: Cursor | None) -> Iterator[Item]:
        """Everything that changed since the cursor, with a checkpoint for each page."""
        state = dict(cursor or {})
        if state.get("asked", self.asked) != self.asked:
            state = {}
        if "reading" in state:  # the last sync was cut off: finish what it had begun
            yield from self._down(state, state["reading"])
            state = self._ended(state, state["reading"])
        yield from self._again(state)

    def _again(self, state: JSON) -> Iterator[Item]:
        reading: JSON = {"after": None, "newest": None, "seen": {}}
        yield from self._down(state, reading)
        yield self._checkpoint(self._ended(state, reading))

    def _down(self, state: JSON, reading: JSON) -> Iterator[Item]:
        """Page by page to the watermark; `reading` is brought up to date as it goes."""
        newest = state.get("newest")
        overlap = instant(newest) - OVERLAP if newest else None
        floor = instant(state["floor"]) if state.get("floor") else overlap
        known: Mapping[str, str] = state.get("seen", {})
        waiting: list[JSON] = []
        for number, (rows, after) in enumerate(follow(self.ask, reading["after"]), 1):
            if rows and reading["newest"] is None:
                reading["newest"] = rows[0][self.by]
            fresh = [row for row in rows if not self._before(row, floor, self.since)]
            waiting += [
                row
                for row in fresh
                if known.get(row["id"]) != digest(row)
                and (row["id"] in known or not self._before(row, overlap))
            ]
            self._remember(reading, fresh)
            reading["after"] = after
            last = after is None or len(fresh) < len(rows)
            if last or number % self.gathered == 0:
                yield from self.items(waiting, newest is None)
                waiting = []
                if last:
                    return
                yield self._checkpoint({**state, "reading": dict(reading)})

    def _before(self, row: JSON, *limits: datetime | None) -> bool:
        at = instant(row[self.by])
        return any(limit is not None and at < limit for limit in limits)

    def _remember(self, reading: JSON, rows: list[JSON]) -> None:
        """Keep what is needed to see, next time, whether a row is new."""
        if reading["newest"] is None:
            return
        newest = instant(reading["newest"])
        for row in rows:
            unfinished = (
                self.unfinished is not None
                and self.unfinished(row)
                and instant(row[self.by]) > newest - UNFINISHED
            )
            if unfinished:
                reading["floor"] = row[self.by]
            if unfinished or instant(row[self.by]) >= newest - OVERLAP:
                reading["seen"] = {**reading["seen"], row["id"]: digest(row)}

    def _ended(self, state: JSON, reading: JSON) -> JSON:
        newest = reading["newest"] or state.get("newest")
        seen = reading["seen"] or state.get("seen", {})
        settled = newest is None or datetime.now(UTC) - instant(newest) > OVERLAP
        ended = {"newest": newest, "seen": seen, "settled": settled}
        return ended | ({"floor": reading["floor"]} if reading.get("floor") else {})

    def _checkpoint(self, state: JSON) -> Checkpoint:
        full = {"id": self.place.id, "asked": self.asked, **state}
        return Checkpoint(full, part=self.place.repository)
