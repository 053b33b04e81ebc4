"""One stream on its way in: facts gathered by type, merged in transactions that checkpoints end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb

from dora.connector import (
    Block,
    Checkpoint,
    Item,
    Note,
    Only,
    Rejected,
    Removed,
    Reread,
    Unread,
)
from dora.records import Record, columns
from dora.store import schema
from dora.store.merging import Merge, Within
from dora.store.spools import ahead, spools
from dora.store.staging import Stage
from dora.store.tally import Tally

if TYPE_CHECKING:
    from dora.store.writer import Writer

BATCH = 20_000
"""How many records are gathered before they are merged."""

Progress = Callable[[int], None]
"""Told, now and then, how many more rows have been taken in."""


class Stream:
    """One stream of one source on its way in."""

    def __init__(
        self, writer: Writer, source: str, stream: str, tally: Tally, on_progress: Progress
    ) -> None:
        self._writer = writer
        self._place = (source, stream)
        self._tally = tally
        self._on_progress = on_progress
        self._from_the_start = not writer.cursors.get(self._place)
        self._records: dict[type[Record], list[Record]] = {}
        self._gathered = 0
        self._within: dict[type[Record], list[Within]] = {}
        self._rejected: list[Rejected] = []
        self._unread: set[Unread] = set()
        self._pending = Tally()
        self._in_transaction = False

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """A connection of this thread's own, once there is something to write."""
        connection = self._writer.connection.cursor()
        connection.execute("set TimeZone = 'UTC'")
        return connection

    @cached_property
    def _stage(self) -> Stage:
        return Stage(self._connection, self._place[0], self._writer.identities)

    @cached_property
    def _merge(self) -> Merge:
        return Merge(self._connection, self._place[0])

    def take(self, items: Iterable[Item]) -> None:
        """Take all items, up to the last checkpoint if they end with an error."""
        try:
            for item in items:
                self._one(item)
            self._note_unread()
            self._commit(None)
        finally:
            self._roll_back()
            if "_connection" in self.__dict__:
                self._connection.close()

    def _one(self, item: Item) -> None:
        if isinstance(item, Record):
            self._gather(item)
        elif isinstance(item, Only):
            self._gather_only(item)
        elif isinstance(item, Block):
            self._flush()
            self._block(item)
        elif isinstance(item, Removed):
            self._flush()
            self._begin()
            self._count_removed(item.record_type, self._merge.remove(item.record_type, item.keys))
        elif isinstance(item, Rejected):
            self._refuse([item])
        elif isinstance(item, Reread):
            self._judge_anew(item.location)
        elif isinstance(item, Note):
            self._pending.notes.append(self._writer.identities.redact(item.message))
        elif isinstance(item, Unread):
            self._unread.add(item)
        else:
            self._commit(item)

    def _gather(self, fact: Record) -> None:
        """Keep a fact until there are enough to merge, or a checkpoint comes.

        Facts of several types come in turns, each pull request with its commits, say: merging
        them as they come would make a merge of nearly every one.
        """
        kind = type(fact)
        for within in self._within.get(kind, ()):
            if tuple(getattr(fact, name) for name in within.columns) in within.kept:
                self._flush()  # it came after the others were said to be gone
                break
        self._records.setdefault(kind, []).append(fact)
        self._gathered += 1
        if self._gathered >= BATCH:
            self._flush()

    def _gather_only(self, only: Only) -> None:
        at = tuple(only.where)
        named = tuple(name for name in (only.keys[0] if only.keys else ()) if name not in at)
        place = tuple(only.where.values())
        kept = [tuple(key[name] for name in named) for key in only.keys]
        gathered = self._within.setdefault(only.record_type, [])
        if any(one.columns == at and place in one.kept for one in gathered):
            self._flush()
            gathered = self._within.setdefault(only.record_type, [])
        for one in gathered:
            if (one.columns, one.key) == (at, named):
                one.kept[place] = kept
                return
        gathered.append(Within(at, named, {place: kept}))

    def _count_removed(self, record_type: type[Record], rows: int) -> None:
        self._pending.add(Tally(removed={record_type.table: rows}))

    def _block(self, block: Block) -> None:
        if block.frame is not None:
            with self._merging(block.record_type, len(block.frame)):
                self._refuse(self._stage.frame(block.record_type, block.columns, block.frame))
        with self._a_core_left():
            for spool in ahead(spools(block.delimited or ())):
                try:
                    with self._merging(block.record_type, spool.lines):
                        self._refuse(self._stage.spool(block.record_type, block.columns, spool))
                finally:
                    spool.close()

    @contextmanager
    def _a_core_left(self) -> Iterator[None]:
        """Leave a core to whoever makes the text, git say, as everything waits for it."""
        left = "greatest(current_setting('threads')::int - 1, 1)"
        self._connection.execute(f"set threads = {left}")
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # what went wrong inside is said, and nothing else
                self._connection.execute("reset threads")

    def _flush(self) -> None:
        gathered, self._records, self._gathered = self._records, {}, 0
        for kind, facts in gathered.items():
            with self._merging(kind, len(facts)):
                self._refuse(self._stage.records(facts))
        places, self._within = self._within, {}
        for kind, listed in places.items():
            self._begin()
            for within in listed:
                self._count_removed(kind, self._merge.keep_only(kind, within))

    @contextmanager
    def _merging(self, record_type: type[Record], rows: int) -> Iterator[None]:
        """Merge what is staged inside."""
        self._begin()
        yield
        new, updated = self._merge.staged(record_type)
        table = record_type.table
        self._pending.add(Tally(new={table: new}, updated={table: updated}))
        self._on_progress(rows)

    def _begin(self) -> None:
        if not self._in_transaction:
            self._writer.writing.acquire()
            self._in_transaction = True
            self._merge.begin()
            self._connection.execute("begin")

    def _commit(self, checkpoint: Checkpoint | None) -> None:
        self._flush()
        if checkpoint is not None and checkpoint.part == "" and "parts" in checkpoint.cursor:
            raise ValueError("`parts` in a cursor is where the cursors of parts stand")
        if not self._in_transaction and not self._rejected and not self._moves(checkpoint):
            self._tally.add(self._pending)
            self._pending = Tally()
            return
        self._begin()
        for table, dropped in self._merge.finish().items():
            self._pending.new[table] = self._pending.new.get(table, 0) - dropped
        self._quarantine()
        if checkpoint is not None:
            self._keep(checkpoint)
        if self._pending.changed:
            schema.write_meta(self._connection, "derived", None)
        self._connection.execute("commit")
        if checkpoint is not None:
            self._remember(checkpoint)
        self._end()
        self._tally.add(self._pending)
        self._pending = Tally()

    def _moves(self, checkpoint: Checkpoint | None) -> bool:
        """Whether a checkpoint says anything that is not known."""
        if checkpoint is None:
            return False
        known = self._writer.cursors.get(self._place, {}).get(checkpoint.part)
        return known != _stored(checkpoint)

    def _keep(self, checkpoint: Checkpoint) -> None:
        place = [*self._place, checkpoint.part]
        self._connection.execute(
            "delete from cursors where source = ? and stream = ? and coalesce(part, '') = ?", place
        )
        if (cursor := _stored(checkpoint)) is not None:
            self._connection.execute(
                "insert into cursors (source, stream, part, cursor, updated_at)"
                " values (?, ?, ?, ?, ?)",
                [*place, cursor, _now()],
            )

    def _remember(self, checkpoint: Checkpoint) -> None:
        known = self._writer.cursors.setdefault(self._place, {})
        if (cursor := _stored(checkpoint)) is None:
            known.pop(checkpoint.part, None)
        else:
            known[checkpoint.part] = cursor

    def _note_unread(self) -> None:
        """Keep what could not be read, in the place of what could not the time before."""
        self._pending.unread += sorted(self._unread, key=lambda one: one.part)
        known = self._writer.unread.get(self._place, set())
        found = {(one.record_type.table, one.part, one.reason) for one in self._unread}
        if found == known:
            return
        self._begin()
        place = list(self._place)
        self._connection.execute("delete from unread where source = ? and stream = ?", place)
        if found:
            lists = [list(column) for column in zip(*sorted(found), strict=True)]
            self._connection.execute(
                "insert into unread (source, stream, record_type, part, reason, noticed_at)"
                " select ?, ?, unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[]), ?",
                [*place, *lists, _now()],
            )
        self._writer.unread[self._place] = found

    def _roll_back(self) -> None:
        if self._in_transaction:
            with suppress(duckdb.Error):  # a failed commit has rolled back already
                self._connection.execute("rollback")
            self._end()

    def _end(self) -> None:
        self._in_transaction = False
        self._writer.writing.release()

    def _refuse(self, refused: list[Rejected]) -> None:
        self._rejected += refused
        for item in refused:
            self._pending.add(Tally(rejected={item.record_type.table: 1}))

    def _quarantine(self) -> None:
        """Keep aside what was refused; what is read again from the start is judged anew."""
        place = list(self._place)
        if self._from_the_start:
            self._connection.execute(
                "delete from quarantine where source = ? and stream = ?", place
            )
            self._from_the_start = False
        if not self._rejected:
            return
        by_location = {item.location: item for item in self._rejected}
        kept = list(by_location.values())
        self._rejected = []
        self._connection.execute(
            "delete from quarantine where source = ? and stream = ?"
            " and location in (select unnest(?::varchar[]))",
            [*place, list(by_location)],
        )
        self._connection.execute(
            "insert into quarantine select ?, ?, unnest(?::varchar[]), unnest(?::varchar[]),"
            " unnest(?::varchar[]), ?",
            [
                *place,
                [item.location for item in kept],
                [self._writer.identities.redact(item.reason) for item in kept],
                [self._said(item) for item in kept],
                _now(),
            ],
        )

    def _judge_anew(self, location: str) -> None:
        self._begin()
        self._connection.execute(
            "delete from quarantine where source = ? and stream = ?"
            " and (location = ? or starts_with(location, ?))",
            [*self._place, location, f"{location}:"],
        )

    def _said(self, item: Rejected) -> str:
        """What a refused row said, unless it may name a person."""
        names_people = any(column.identity for column in columns(item.record_type).values())
        withheld = names_people and self._writer.identities.mode == "pseudonyms"
        return "" if withheld else self._writer.identities.redact(item.content)


def _stored(checkpoint: Checkpoint) -> str | None:
    """A cursor as the store keeps it; none where a part is to be forgotten."""
    if checkpoint.part and not checkpoint.cursor:
        return None
    return json.dumps(checkpoint.cursor, sort_keys=True)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
