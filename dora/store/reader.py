"""Opening a published store to read it, without ever standing in a sync's way."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dora.errors import StoreBusy, StoreError, StoreMissing, StoreUnreadable
from dora.records import RECORD_TYPES, columns
from dora.store import schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
"""Nothing is downloaded, and no Python variable is ever taken for a table."""


def quiet(connection: DuckDBPyConnection) -> None:
    """Have a session show a notebook results alone, not DuckDB's progress bar among them."""
    with suppress(duckdb.InvalidInputException):  # where DuckDB could not draw one anyway
        connection.execute("set enable_progress_bar = false")


def memory() -> DuckDBPyConnection:
    """An empty in-memory database with this package's settings; UTC is its time zone."""
    folder = str(Path(tempfile.gettempdir()) / "dora-spill")
    connection = duckdb.connect(":memory:", config={**SETTINGS, "temp_directory": folder})
    connection.execute("set TimeZone = 'UTC'")
    quiet(connection)
    return connection


def connect(path: Path) -> DuckDBPyConnection:
    """Open a published store for reading: an in-memory database with one view per table.

    The file is attached read-only as `facts`; what is derived or tried out stays in memory. A
    sync that publishes meanwhile is not seen until the store is opened again. A store of an
    older version is read as it is: tables and columns it lacks are empty.

    Raises:
        StoreMissing: There is no file.
        StoreUnreadable: The file is damaged, or no store of ours.
        StoreTooNew: A newer version of this package wrote it.
    """
    path = Path(path)
    connection = memory()
    _keep_blocks(connection)
    try:
        attach(connection, path)
        version = schema.checked_version(said(connection, "schema_version"), path)
        _create_views(connection, complete=version == schema.SCHEMA_VERSION)
    except duckdb.Error as error:
        connection.close()
        raise unreadable(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_blocks(connection: DuckDBPyConnection) -> None:
    """Have tables built one after the other use the same memory, not ever new one from the system.

    Those of ten million commits took a sixth less time so. Memory that nothing was ever put into
    is not taken, and all is given back when the connection is closed.
    """
    with suppress(duckdb.Error):  # versions before 2.0 cannot
        connection.execute("set block_allocator_memory = '25%'")


def attach(connection: DuckDBPyConnection, path: Path) -> None:
    """Attach a store's file read-only under the name `facts`."""
    if not path.exists():
        raise StoreMissing(
            f"There is no store at {path}.", hint="Run `dora sync` or `dora quickstart PATH` first."
        )
    try:
        connection.execute(f"attach {schema.text(str(path))} as facts (read_only)")
    except duckdb.Error as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> StoreError:
    """The error of ours that says why DuckDB could not open a file."""
    said = str(error).splitlines()[0]
    if "Could not set lock" in said or "Conflicting lock" in said:
        return busy(path)
    if "ermission denied" in said:
        return StoreUnreadable(
            f"{path} may not be read by this user.", hint="Ask its owner for the right to read it."
        )
    if "version number" in said:
        return StoreUnreadable(
            f"{path} was written by another version of DuckDB: {said}",
            hint="Upgrade duckdb, or move the file away and run `dora sync`.",
        )
    return StoreUnreadable(
        f"{path} cannot be opened: {said}",
        hint="If it is a store, it is damaged: move it away and run `dora sync` to read all again.",
    )


def busy(path: Path) -> StoreBusy:
    """The error of ours for a store that somebody else writes to."""
    return StoreBusy(
        f"Another program has {path} open for writing.",
        hint="Close it (a DuckDB shell, perhaps) and try again.",
    )


def said(connection: DuckDBPyConnection, key: str) -> str | None:
    """What the store attached as `facts` says of itself under a key; None where it says nothing."""
    try:
        rows = connection.execute(
            "select value from facts.main.meta where key = ?", [key]
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):  # no such table or column
        return None
    return str(rows[0][0]) if rows else None


def _create_views(connection: DuckDBPyConnection, *, complete: bool) -> None:
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'facts'"
        " and schema_name = 'main' and not internal order by table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append(column)
    for table in found:
        connection.execute(f'create view "{table}" as select * from facts.main."{table}"')
    for table, (_, described) in schema.tables().items():
        if complete and set(described) <= set(found.get(table, ())):
            continue
        known = set(found.get(table, ()))
        listed = ", ".join(
            f'"{name}"' if name in known else f'null::{kind} as "{name}"'
            for name, (kind, _) in described.items()
        )
        rows = f"facts.main.{table}" if known else "(select 1 where false)"
        connection.execute(f"create or replace view {table} as select {listed} from {rows}")


def meant_to_be_read(connection: DuckDBPyConnection) -> dict[str, str]:
    """The reporting zone and what stands for now, as the configuration of the last sync had it."""
    known = schema.read_all_meta(connection)
    return {key: known[key] for key in schema.READ_BY if key in known}


def freshness(connection: DuckDBPyConnection) -> dict[str, datetime]:
    """For each source, when its last finished sync began: what happened later is not known."""
    rows = connection.execute(
        "select source, max(started_at) from syncs where status = 'finished'"
        " group by source order by source"
    ).fetchall()
    return {source: started.replace(tzinfo=UTC) for source, started in rows}


def newest_fact(connection: DuckDBPyConnection) -> datetime | None:
    """The latest time any fact names, None in an empty store.

    Times after the last sync began come from wrong clocks and are passed over.
    """
    times = " union all ".join(
        f"select {column.name} as moment from {record_type.table}"
        for record_type in RECORD_TYPES
        for column in columns(record_type).values()
        if column.python_type is datetime
    )
    rows = connection.execute(
        f"select max(moment) from ({times}) where moment <= coalesce("
        "(select max(started_at) from syncs), timestamp '9999-12-31')"
    ).fetchall()
    return rows[0][0].replace(tzinfo=UTC) if rows[0][0] is not None else None


def duplicates(connection: DuckDBPyConnection) -> dict[str, int]:
    """How many rows of each fact table repeat another's key; tables without any are left out."""
    found = {}
    for record_type in RECORD_TYPES:
        key = ", ".join(record_type.key)
        rows = connection.execute(
            f"select coalesce(sum(n - 1), 0)::bigint from"
            f" (select count(*) as n from {record_type.table} group by {key} having n > 1)"
        ).fetchall()
        if rows[0][0]:
            found[record_type.table] = int(rows[0][0])
    return found
