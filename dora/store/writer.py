"""The one writer of a store: facts and the place they were read up to, in one transaction."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import duckdb

from dora.connector import Block, Checkpoint, Cursor, Item, Note, Rejected, Removed, Reread
from dora.identities import Identities
from dora.records import RECORD_TYPES, Record, columns
from dora.store import files, schema
from dora.store.merging import Merge
from dora.store.spools import ahead, spools
from dora.store.staging import Stage

BATCH = 20_000
"""How many records are gathered before they are merged."""

Progress = Callable[[int], None]
"""Told, now and then, how many more rows have been taken in."""

S = TypeVar("S", bound="Writer")


@dataclass(slots=True)
class Tally:
    """What came of reading: rows by table, counted where their checkpoint was reached."""

    new: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether any fact is not as it was."""
        return any(n for counts in (self.new, self.updated, self.removed) for n in counts.values())

    def add(self, other: Tally) -> None:
        """Count in what another has counted."""
        for name in ("new", "updated", "removed", "rejected"):
            mine: dict[str, int] = getattr(self, name)
            for table, n in getattr(other, name).items():
                if n or table in mine:
                    mine[table] = mine.get(table, 0) + n
        self.notes += (note for note in other.notes if note not in self.notes)


class Writer:
    """Writes to the work file beside a store, and makes it the store in the end.

    Attributes:
        connection: The work file; for what is derived from the facts. Facts go through `write`.
        notes: What the user should know about how the work file was found.
    """

    def __init__(
        self, place: files.Place, lock: files.Lock, identities: Identities, *, afresh: bool
    ) -> None:
        self._place = place
        self._lock = lock
        self.identities = identities
        self.connection, self.notes = files.open_work(place, identities.fingerprint, afresh=afresh)
        self.writing = threading.Lock()  # held by one transaction at a time, whoever reads
        self.cursors: dict[tuple[str, str], str] = {
            (source, stream): cursor
            for source, stream, cursor in self.connection.execute(
                "select source, stream, cursor from cursors"
            ).fetchall()
        }

    @classmethod
    def open(cls: type[S], path: Path, *, identities: Identities, afresh: bool = False) -> S:
        """Take the store's lock and open its work file: resumed, copied, or new; and migrated.

        Args:
            path: The published store, whether it is there yet or not.
            identities: How names of people are kept.
            afresh: Whether to begin with an empty store where names were kept differently so far.

        Raises:
            StoreBusy: Another sync is writing.
            StoreUnreadable: What is there cannot be read, or its names were kept differently.
            StoreTooNew: A newer version of this package wrote it.
            StoreFull: There is no room for the work file.
        """
        place = files.place(path)
        lock = files.Lock(place.lock)
        try:
            with files.room(place.store):
                return cls(place, lock, identities, afresh=afresh)
        except BaseException:
            lock.release()
            raise

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def cursor(self, source: str, stream: str) -> Cursor | None:
        """Where a stream of a source stands; None where it has not been read, or was forgotten."""
        kept: Cursor | None = json.loads(self.cursors.get((source, stream), "null"))
        return kept

    def forget(self, source: str) -> None:
        """Let every stream of a source be read from its beginning again."""
        with self.writing:
            self.connection.execute("delete from cursors where source = ?", [source])
            self.cursors = {place: c for place, c in self.cursors.items() if place[0] != source}

    def has_facts(self) -> bool:
        """Whether there is any fact at all."""
        looks = " union all ".join(f"(select 1 from {t.table} limit 1)" for t in RECORD_TYPES)
        return bool(self.connection.execute(looks).fetchall())

    def write(
        self,
        source: str,
        items: Iterable[Item],
        *,
        stream: str,
        on_progress: Progress | None = None,
        tally: Tally | None = None,
    ) -> Tally:
        """Take in what a connector hands over, one transaction for each checkpoint.

        Several sources may be written from threads of their own. When the items end with an error,
        what came before the last checkpoint is kept and what came after it is not.

        Args:
            source: Name of the source in dora.toml.
            items: What its connector hands over.
            stream: The fact table that is being read.
            on_progress: Told how many more rows have been taken in.
            tally: Where to count; told of every checkpoint, also when an error follows.

        Raises:
            StoreFull: There was no room; what was finished before is kept.
        """
        counted = tally if tally is not None else Tally()
        taking = _Stream(self, source, stream, counted, on_progress or _nobody)
        with files.room(self._place.store):
            taking.take(items)
        return counted

    def publish(self, last: Callable[[], None] | None = None) -> None:
        """Make the work file the store, for all who open it from now on; the writer is closed.

        Args:
            last: What else to write on `connection`, in the transaction that ends it all.

        Raises:
            StoreFull: There was no room; the store is as it was.
        """
        with files.room(self._place.store):
            self.connection.execute("begin")
            if last is not None:
                last()
            schema.write_meta(self.connection, "generation", uuid.uuid4().hex)
            self.connection.execute("commit; checkpoint")
            self.connection.close()
            files.publish(self._place)
        self._lock.release()

    def abandon(self) -> None:
        """Throw the work file away; the store is as it was."""
        self.connection.close()
        files.discard(self._place)
        self._lock.release()

    def close(self) -> None:
        """Let go of the work file, which stays for the next sync to go on with."""
        self.connection.close()
        self._lock.release()


class _Stream:
    """One stream of one source on its way in."""

    def __init__(
        self, writer: Writer, source: str, stream: str, tally: Tally, on_progress: Progress
    ) -> None:
        self._writer = writer
        self._place = (source, stream)
        self._tally = tally
        self._on_progress = on_progress
        self._from_the_start = self._place not in writer.cursors
        self._records: list[Record] = []
        self._rejected: list[Rejected] = []
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
            self._commit(None)
        finally:
            self._roll_back()
            if "_connection" in self.__dict__:
                self._connection.close()

    def _one(self, item: Item) -> None:
        if isinstance(item, Record):
            if self._records and type(item) is not type(self._records[0]):
                self._flush()
            self._records.append(item)
            if len(self._records) >= BATCH:
                self._flush()
        elif isinstance(item, Block):
            self._flush()
            self._block(item)
        elif isinstance(item, Removed):
            self._flush()
            self._begin()
            gone = self._merge.remove(item.record_type, item.keys)
            self._pending.add(Tally(removed={item.record_type.table: gone}))
        elif isinstance(item, Rejected):
            self._refuse([item])
        elif isinstance(item, Reread):
            self._judge_anew(item.location)
        elif isinstance(item, Note):
            self._pending.notes.append(self._writer.identities.redact(item.message))
        else:
            self._commit(item)

    def _block(self, block: Block) -> None:
        if block.frame is not None:
            with self._merging(block.record_type, len(block.frame)):
                self._refuse(self._stage.frame(block.record_type, block.columns, block.frame))
        for spool in ahead(spools(block.delimited or ())):
            try:
                with self._merging(block.record_type, spool.lines):
                    self._refuse(self._stage.spool(block.record_type, block.columns, spool))
            finally:
                spool.close()

    def _flush(self) -> None:
        facts, self._records = self._records, []
        if facts:
            with self._merging(type(facts[0]), len(facts)):
                self._refuse(self._stage.records(facts))

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
        cursor = json.dumps(checkpoint.cursor, sort_keys=True) if checkpoint else None
        if (
            not self._in_transaction
            and not self._rejected
            and cursor in (None, self._writer.cursors.get(self._place))
        ):
            self._tally.add(self._pending)
            self._pending = Tally()
            return
        self._begin()
        for table, dropped in self._merge.finish().items():
            self._pending.new[table] = self._pending.new.get(table, 0) - dropped
        self._quarantine()
        if cursor is not None:
            self._keep(cursor)
        if self._pending.changed:
            schema.write_meta(self._connection, "derived", None)
        self._connection.execute("commit")
        if cursor is not None:
            self._writer.cursors[self._place] = cursor
        self._end()
        self._tally.add(self._pending)
        self._pending = Tally()

    def _keep(self, cursor: str) -> None:
        place = list(self._place)
        self._connection.execute("delete from cursors where source = ? and stream = ?", place)
        self._connection.execute(
            "insert into cursors values (?, ?, ?, ?)", [*place, cursor, _now()]
        )

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


def _nobody(rows: int) -> None:
    """Nobody wants to know of progress."""
    del rows


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
