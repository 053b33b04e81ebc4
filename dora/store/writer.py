"""The one writer of a store: facts and the place they were read up to, in one transaction."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from dora.connector import Cursor, Item
from dora.identities import Identities
from dora.records import RECORD_TYPES
from dora.store import files, schema
from dora.store.taking import Progress, Stream
from dora.store.tally import Tally

S = TypeVar("S", bound="Writer")


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
        self.cursors: dict[tuple[str, str], dict[str, str]] = {}
        for source, stream, part, cursor in self.connection.execute(
            "select source, stream, coalesce(part, ''), cursor from cursors"
        ).fetchall():
            self.cursors.setdefault((source, stream), {})[part] = cursor
        self.unread: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
        for source, stream, *missing in self.connection.execute(
            "select source, stream, record_type, part, reason from unread"
        ).fetchall():
            self.unread.setdefault((source, stream), set()).add(tuple(missing))

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
        """Where a stream of a source stands; None where it has not been read, or was forgotten.

        The cursors of its parts stand under `parts`, by name.
        """
        kept = {part: json.loads(at) for part, at in self.cursors.get((source, stream), {}).items()}
        whole: Cursor | None = kept.pop("", None)
        return {**(whole or {}), "parts": kept} if kept else whole

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
        taking = Stream(self, source, stream, counted, on_progress or _nobody)
        with files.room(self._place.store):
            taking.take(items)
        return counted

    @contextmanager
    def erasing(self) -> Iterator[dict[str, int]]:
        """A transaction that deletes for good: what is published has no byte of it left.

        Whoever deletes counts the rows of each table into what is given.
        """
        gone: dict[str, int] = {}
        with self.writing:
            self.connection.execute("begin")
            try:
                yield gone
                if gone:
                    schema.write_meta(self.connection, schema.ERASED, "yes")
                    schema.write_meta(self.connection, "derived", None)
            except BaseException:
                self.connection.execute("rollback")
                raise
            self.connection.execute("commit")

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
            erased = schema.read_meta(self.connection, schema.ERASED) is not None
            self.connection.close()
            if erased:
                files.rewrite(self._place)
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


def _nobody(rows: int) -> None:
    """Nobody wants to know of progress."""
    del rows
