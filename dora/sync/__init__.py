"""Bringing a store up to date: every source is read from where it stood, then all is published.

Sources are read at the same time, each in a thread; one that fails stops no other. A sync that is
killed or interrupted loses nothing it had finished: the next one goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from dora import connector
from dora.config import Config, Source
from dora.connector import Clones, Connector, Item, Patient, Reconciles, Spares, Spends
from dora.errors import DoraError, StoreError, UsageError
from dora.identities import Identities
from dora.patience import Patience
from dora.records import RECORD_TYPES, CommitPath, Record
from dora.store import Tally, Writer
from dora.store.schema import READ_BY, read_all_meta, write_meta
from dora.sync.settling import derive, erase
from dora.sync.summaries import SourceSummary, Summary, missing

__all__ = ["Progress", "SourceSummary", "Summary", "sync", "wanted"]

AT_ONCE = 8
"""How many sources are read at the same time; most of them wait for a network."""

KEPT_SYNCS = 100
"""How many past syncs of each source the store remembers."""

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Told how far a sync is; called from several threads."""

    def started(self, source: str) -> None:
        """A source is being read from now on."""

    def advanced(self, source: str, table: str, rows: int) -> None:
        """So many rows of a table have come from a source since it was started."""

    def waiting(self, source: str, why: str, seconds: float) -> None:
        """A source is being waited for, and so many seconds are left of it; told again and again.

        0 seconds are left when it is over.
        """

    def finished(self, source: str) -> None:
        """A source has been read, or has failed."""


def sync(
    config: Config,
    *,
    only: str | None = None,
    full: bool = False,
    reconcile: bool = False,
    max_wait: timedelta | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Read what is new from every source, derive what follows from it, and publish the store.

    Args:
        config: Where the facts come from, and the store they go to.
        only: The name of the one source to read.
        full: Read everything again, not only what is new.
        reconcile: Find now what was deleted or rewritten at the sources in silence; connectors
            that can do so do it by themselves at intervals.
        max_wait: How long the readers of a source may wait for it in all, for its rate limits, say;
            the source has failed then, with everything kept that was read.
        progress: Told how far it is.

    Raises:
        UsageError: There is no source, or none of that name.
        StoreError: The store cannot be written: another sync is running, the disk is full, or it
            is damaged. What was published before stays as it was.
    """
    chosen = _chosen(config, only)
    identities = Identities.for_store(
        config.store, config.identities, config.rules.bots, titles=config.store_titles
    )
    # With everything read again a store may begin anew; with only one source it may not.
    afresh = full and only is None
    with Writer.open(config.store, identities=identities, afresh=afresh) as writer:
        for source in chosen if full else ():
            writer.forget(source.name)
        summaries = _read_all(
            writer, config, chosen, progress, _Manner(full or reconcile, max_wait, _cloned(config))
        )
        notes = tuple(writer.notes)
        failed = all(one.error for one in summaries)
        if failed and not config.store.exists() and not writer.has_facts():
            writer.abandon()  # an empty store would only hide that nothing could be read
            return Summary(summaries, notes)
        derive(writer, config)
        erased = erase(writer, config)
        writer.publish(partial(_record, writer, config, summaries))
    return Summary(summaries, (*notes, *erased))


def _chosen(config: Config, only: str | None) -> Sequence[Source]:
    names = [source.name for source in config.sources]
    if not names:
        raise UsageError(
            "There is no source to read.", hint="Add one to dora.toml under [[sources]]."
        )
    if only is None:
        return config.sources
    if only not in names:
        raise UsageError(
            f"There is no source {only!r}.", hint=f"The sources are: {', '.join(names)}."
        )
    return [source for source in config.sources if source.name == only]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How sources are read.

    Attributes:
        reconcile: Whether what vanished in silence is looked for.
        max_wait: How long their readers may wait.
        cloned: Repositories whose commits a clone has, so that nobody else need read them.
        stop: Set when the sync is being ended.
    """

    reconcile: bool = False
    max_wait: timedelta | None = None
    cloned: frozenset[str] = frozenset()
    stop: threading.Event = field(default_factory=threading.Event)


def _cloned(config: Config) -> frozenset[str]:
    """The repositories of which a source has a clone; one that cannot tell has none."""
    names: set[str] = set()
    for source in config.sources:
        with suppress(DoraError):
            reading = connector.load(source.kind)(source.name, source.options, base=config.base)
            if isinstance(reading, Clones):
                names.update(reading.clones())
    return frozenset(names)


def _read_all(
    writer: Writer,
    config: Config,
    sources: Sequence[Source],
    progress: Progress | None,
    manner: _Manner,
) -> tuple[SourceSummary, ...]:
    readers = [_Reader(writer, config, source, progress, manner) for source in sources]
    with ThreadPoolExecutor(min(AT_ONCE, len(readers)), "dora-source") as pool:
        running = [pool.submit(reader.read) for reader in readers]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:  # an interrupt, or a store that cannot be written: let go of the others too
            if any(not task.done() for task in running):
                manner.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
    for task in running:  # what went wrong first, not what stopped because of it
        if not task.cancelled() and isinstance(task.exception(), StoreError):
            task.result()
    return tuple(task.result() for task in running)


class _Stopped(Exception):
    """The sync is being ended from outside."""


class _Reader:
    """Reads one source to its end."""

    def __init__(
        self,
        writer: Writer,
        config: Config,
        source: Source,
        progress: Progress | None,
        manner: _Manner,
    ) -> None:
        self._writer = writer
        self._config = config
        self._source = source
        self._progress = progress
        self._manner = manner
        self._tally = Tally()
        self._spent: Mapping[str, int] = {}

    def read(self) -> SourceSummary:
        """Read every stream; what goes wrong with the source is part of the summary.

        Raises:
            StoreError: The store cannot be written, which concerns all sources.
        """
        name = self._source.name
        started = datetime.now(UTC)
        error, hint = None, ""
        if self._progress:
            self._progress.started(name)
        try:
            self._streams()
        except StoreError:
            raise
        except DoraError as known:
            error, hint = known.message, known.hint
        except Exception as unknown:  # a faulty connector must not stop the others
            log.debug("%s failed", name, exc_info=True)
            error = f"{type(unknown).__name__}: {unknown}"
            hint = "This is a fault in the connector; -v shows where."
        finally:
            if self._progress:
                self._progress.finished(name)
        return self._summary(started, error, hint)

    def _streams(self) -> None:
        source = self._source
        kind = connector.load(source.kind)
        reading = kind(source.name, source.options, base=self._config.base)
        if isinstance(reading, Patient):
            reading.patience = Patience(
                self._manner.max_wait, stopped=self._manner.stop, told=self._waiting
            )
        if isinstance(reading, Spares):
            reading.cloned = self._manner.cloned
        if self._manner.reconcile and isinstance(reading, Reconciles):
            reading.reconcile()
        try:
            for record_type in wanted(kind, self._config):
                self._stream(reading, record_type)
        finally:
            if isinstance(reading, Spends):
                self._spent = dict(reading.spent)

    def _stream(self, reading: Connector, record_type: type[Record]) -> None:
        name, table = self._source.name, record_type.table
        rows = _Counting(name, table, self._progress)
        cursor = self._writer.cursor(name, table)
        log.info("%s: reading %s since %s", name, table, _shortened(cursor))
        with closing(self._until_stopped(reading, record_type, cursor)) as items:
            self._writer.write(
                name, items, stream=table, on_progress=rows.advanced, tally=self._tally
            )

    def _until_stopped(
        self, reading: Connector, record_type: type[Record], cursor: connector.Cursor | None
    ) -> Generator[Item, None, None]:
        items = reading.records(record_type, cursor)
        try:
            for item in items:
                if self._manner.stop.is_set():
                    raise _Stopped
                yield item
        finally:  # readers of its own must not go on when nobody takes what they read
            if isinstance(items, Generator):
                items.close()

    def _waiting(self, why: str, seconds: float) -> None:
        if self._progress:
            self._progress.waiting(self._source.name, why, seconds)

    def _summary(self, started: datetime, error: str | None, hint: str) -> SourceSummary:
        tally = self._tally
        return SourceSummary(
            name=self._source.name,
            started=started,
            finished=datetime.now(UTC),
            new=dict(tally.new),
            updated=dict(tally.updated),
            removed=dict(tally.removed),
            rejected=dict(tally.rejected),
            spent=self._spent,
            notes=(*tally.notes, *missing(tally.unread)),
            error=error,
            hint=hint,
        )


def _shortened(cursor: connector.Cursor | None) -> str:
    """A cursor for the log; that of a stream in thousands of parts would fill it."""
    parts = (cursor or {}).get("parts")
    return f"{len(parts)} parts" if parts else str(cursor)


class _Counting:
    """Adds up the rows of one table."""

    def __init__(self, source: str, table: str, progress: Progress | None) -> None:
        self._source = source
        self._table = table
        self._progress = progress
        self._rows = 0

    def advanced(self, rows: int) -> None:
        self._rows += rows
        if self._progress:
            self._progress.advanced(self._source, self._table, self._rows)


def wanted(kind: type[Connector], config: Config) -> list[type[Record]]:
    """The facts to ask a connector for, in order; paths only where a service is made of them."""
    asked = connector.streams(kind)
    by_paths = any(service.paths for service in config.services)
    return [
        record_type
        for record_type in RECORD_TYPES
        if record_type in asked and (by_paths or record_type is not CommitPath)
    ]


def _record(writer: Writer, config: Config, summaries: Sequence[SourceSummary]) -> None:
    """Keep when each source was read and what came of it, and how the store is meant to be read."""
    connection = writer.connection
    known = read_all_meta(connection)
    for key in READ_BY:
        if known.get(key) != getattr(config, key):
            write_meta(connection, key, getattr(config, key))
    rows: list[object] = []
    for one in summaries:
        status = "failed" if one.error else "finished"
        moments = [moment.replace(tzinfo=None) for moment in (one.started, one.finished)]
        rows += [one.name, *moments, status, one.as_json()]
    listed = ", ".join(["(?, ?, ?, ?, ?)"] * len(summaries))
    connection.execute(f"insert into syncs values {listed}", rows)
    connection.execute(
        "delete from syncs where rowid in (select rowid from syncs"
        " qualify row_number() over (partition by source, status order by started_at desc) > ?)",
        [KEPT_SYNCS],
    )
