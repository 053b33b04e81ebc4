"""The files beside a store: its lock, the copy a sync works on, and how that becomes the store.

dora.duckdb           what everybody reads; only ever replaced as a whole
dora.duckdb.sync      what a sync works on; left there by a killed one, and resumed
dora.duckdb.sync.new  a copy being made
dora.duckdb.lock      locked while a sync runs; says who holds it
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import duckdb

from dora.errors import StoreBusy, StoreError, StoreFull, StoreUnreadable
from dora.store import reader, schema

_FULL = ("no space left", "file too large", "disk quota", "disk full", "out of disk")
_NEW = "a new store"
_UNNAMED = "a store that no sync has published"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of one store are."""

    store: Path

    @property
    def work(self) -> Path:
        """The file a sync works on."""
        return self._beside(".sync")

    @property
    def copy(self) -> Path:
        """The work file while it is being copied."""
        return self._beside(".sync.new")

    @property
    def lock(self) -> Path:
        """The file that is locked while a sync runs."""
        return self._beside(".lock")

    def _beside(self, suffix: str) -> Path:
        return self.store.with_name(self.store.name + suffix)


def place(path: Path) -> Place:
    """The files of the store at a path; links are followed, so that publishing replaces the file.

    Raises:
        StoreUnreadable: The path is a folder, or its folder cannot be made.
    """
    store = Path(path).resolve()
    if store.is_dir():
        raise StoreUnreadable(f"{path} is a folder.", hint="Name a file in it as `store`.")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(store, error) from error
    return Place(store)


def unwritable(path: Path, error: Exception) -> StoreError:
    """The error of ours for a place that cannot be written to."""
    return StoreUnreadable(
        f"{path} cannot be written: {error}.",
        hint="Name a `store` in a folder where this user may write.",
    )


@contextlib.contextmanager
def room(path: Path) -> Iterator[None]:
    """Say in our words that the disk is full, whoever noticed it.

    Raises:
        StoreFull: No room was left; the published store is as it was.
    """
    try:
        yield
    except (OSError, duckdb.Error) as error:
        full = isinstance(error, OSError) and error.errno in (
            errno.ENOSPC,
            errno.EFBIG,
            errno.EDQUOT,
        )
        if full or any(words in str(error).lower() for words in _FULL):
            raise StoreFull(
                f"There is no room left to write {path}.",
                hint="The store is as it was before. Make room and run `dora sync` again.",
            ) from error
        raise


class Lock:
    """Held by the one sync that may write to a store.

    Raises:
        StoreBusy: Another process holds it; who, and since when, is said.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            _lock(self._file)
        except OSError as error:
            said = _holder(self._file)
            self._file.close()
            raise StoreBusy(
                f"Another sync is writing to this store{said}.",
                hint="Wait until it has finished, or end it; nothing it has finished is lost.",
            ) from error
        self._file.truncate(0)
        with contextlib.suppress(OSError):  # a full disk must not stand in the way of the lock
            since = datetime.now(UTC).isoformat(timespec="seconds")
            self._file.write(json.dumps({"pid": os.getpid(), "since": since}))
            self._file.flush()

    def release(self) -> None:
        """Let the next sync in; the file stays, as removing it would let two in at once."""
        with contextlib.suppress(OSError):
            self._file.close()


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 30)  # beyond the text, which others must still be able to read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(file: IO[str]) -> str:
    try:
        file.seek(0)
        said = json.loads(file.read())
        return f": process {said['pid']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def open_work(
    place: Place, identities: str, *, afresh: bool
) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """Open the work file: the one a killed sync left, else a copy of the store, else an empty one.

    Args:
        place: Where the files are; their lock is held.
        identities: How names of people are kept, as `Identities.fingerprint` has it.
        afresh: Whether to begin empty where they were kept differently so far.

    Returns:
        The connection, and what the user should know.

    Raises:
        StoreUnreadable: The published file is damaged, or no store of ours, or its names were
            kept differently.
        StoreTooNew: A newer version of this package wrote it.
        StoreFull: There is no room for the copy.
    """
    notes: list[str] = []
    if place.work.exists():
        connection = _resumed(place, identities)
        if connection is not None:
            return connection, ["Went on where a sync that was cut short had stopped."]
        notes.append("Threw away what a sync that was cut short had left, as it does not fit.")
    discard(place)
    if not place.store.exists():
        return _begun(place, _NEW, identities), notes
    _copy(place)
    connection, base, kept = _opened(place)
    if kept in (None, identities):
        _prepare(connection, base, identities)
        return connection, notes
    connection.close()
    discard(place)
    if not afresh:
        raise _kept_differently(place.store)
    notes.append("Began with an empty store, as names of people are kept differently now.")
    return _begun(place, base, identities), notes


def _opened(place: Place) -> tuple[duckdb.DuckDBPyConnection, str, str | None]:
    """The copy of the store, which edition of it that is, and how it keeps names of people.

    Raises:
        StoreError: It cannot be opened, or is no store that this package can read.
    """
    try:
        connection = _connect(place.work)
    except duckdb.Error as error:
        discard(place)
        raise reader.unreadable(place.store, error) from error
    try:
        said = _said(connection, place.store)
        schema.migrate(connection, place.store, said)
        return connection, said.get("generation") or _UNNAMED, said.get("identities")
    except BaseException:
        connection.close()
        discard(place)
        raise


def _said(connection: duckdb.DuckDBPyConnection, store: Path) -> dict[str, str]:
    try:
        return schema.read_all_meta(connection)
    except duckdb.Error as error:
        raise reader.unreadable(store, error) from error


def _begun(place: Place, base: str, identities: str) -> duckdb.DuckDBPyConnection:
    """A work file with no facts in it."""
    connection = _connect(place.work)
    schema.create_store(connection, {"identities": identities, "base": base})
    return connection


def _prepare(connection: duckdb.DuckDBPyConnection, base: str, identities: str) -> None:
    connection.execute(
        "begin; delete from meta where key in ('identities', 'base');"
        f" insert into meta values ('identities', {schema.text(identities)}),"
        f" ('base', {schema.text(base)}); commit"
    )


def _kept_differently(store: Path) -> StoreError:
    return StoreUnreadable(
        f"{store} keeps names of people in another way or under another key than is asked for.",
        hint=f"Restore {store}.key (or DORA_IDENTITY_KEY) and `identities` in dora.toml, or "
        "read everything again with `dora sync --full`.",
    )


def _published(store: Path) -> str:
    """Which edition of the store is published.

    Raises:
        StoreError: It cannot be read at all.
    """
    if not store.exists():
        return _NEW
    with reader.memory() as connection:
        reader.attach(connection, store)
        try:
            schema.checked_version(reader.said(connection, "schema_version"), store)
            return reader.said(connection, "generation") or _UNNAMED
        except duckdb.Error as error:
            raise reader.unreadable(store, error) from error


def _resumed(place: Place, identities: str) -> duckdb.DuckDBPyConnection | None:
    """The work file that was left, if it can be opened and belongs to what is published now."""
    base = _published(place.store)
    try:
        connection = _connect(place.work)
    except (duckdb.Error, OSError):
        return None
    try:
        said = schema.read_all_meta(connection)
        if said.get("base") == base and said.get("identities") == identities:
            schema.migrate(connection, place.work, said)
            return connection
    except (duckdb.Error, StoreError):
        pass
    connection.close()
    return None


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        **reader.SETTINGS,
        "storage_compatibility_version": "v1.4.0",  # else DuckDB 1.4 could not read the store
        "temp_directory": str(Path(tempfile.gettempdir()) / "dora-spill"),
        "temp_file_encryption": True,  # what is spilled may name people
    }
    connection = duckdb.connect(str(path), config=settings)
    connection.execute("set TimeZone = 'UTC'")
    reader.quiet(connection)
    with contextlib.suppress(duckdb.CatalogException):  # DuckDB 1.4 does so by itself
        # Rows are compressed and written as they come, not held and compressed at the end.
        connection.execute("set write_buffer_row_group_count = 1")
    return connection


def _copy(place: Place) -> None:
    """Copy the store, so that only ever a whole copy bears the work file's name."""
    with room(place.store), _unwritten(place.store):
        shutil.copyfile(place.store, place.copy)
        if wal(place.store).exists():  # left by another program that wrote to the store
            shutil.copyfile(wal(place.store), wal(place.work))
        place.copy.replace(place.work)


@contextlib.contextmanager
def _unwritten(store: Path) -> Iterator[None]:
    """See that no other program writes to the store, by the lock DuckDB itself would hold.

    Asking for that lock is quicker than opening the store for it; the copy shows any damage.

    Raises:
        StoreBusy: Another program has it open for writing.
        StoreUnreadable: This user may not read it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        _published(store)
        yield
        return
    try:
        file = store.open("rb")
    except OSError as error:
        raise reader.unreadable(store, error) from error
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise reader.busy(store) from error
            # else this file system knows no locks
        yield


def discard(place: Place) -> None:
    """Remove the work file and all that belongs to it."""
    for leftover in (place.work, wal(place.work), place.copy, wal(place.copy)):
        leftover.unlink(missing_ok=True)


def wal(path: Path) -> Path:
    """DuckDB's own log beside a database file."""
    return path.with_name(f"{path.name}.wal")


def rewrite(place: Place) -> None:
    """Write the closed work file anew, so that nothing of what was deleted stays in its bytes."""
    with room(place.store):
        for leftover in (place.copy, wal(place.copy)):
            leftover.unlink(missing_ok=True)
        with reader.memory() as connection:
            connection.execute(
                f"attach {schema.text(str(place.work))} as whole (read_only);"
                f" attach {schema.text(str(place.copy))} as fresh (storage_version 'v1.4.0');"
                " copy from database whole to fresh;"
                f" delete from fresh.meta where key = '{schema.ERASED}';"
                " checkpoint fresh; detach fresh; detach whole"
            )
        place.copy.replace(place.work)


def publish(place: Place) -> None:
    """Make the closed work file the store, in one step that either happens or does not."""
    with room(place.store):
        if wal(place.work).exists():
            raise StoreUnreadable(
                f"{place.work} was not written out whole.", hint="Run `dora sync` again."
            )
        if place.store.exists():
            shutil.copymode(place.store, place.work)
        _flush(place.work)
        wal(place.store).unlink(missing_ok=True)  # it belongs to the file that goes away
        place.work.replace(place.store)
        if os.name == "posix":
            _flush(place.store.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
