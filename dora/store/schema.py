"""The shape of the store: tables made from the facts, their version, and how older ones catch up.

Every fact table has the columns of its record behind a first column `source`, the name of the
source in dora.toml that wrote the row last. There are no primary keys (loading would be seven times
slower); the writer keeps keys unique and `duplicates` proves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import duckdb

from dora.errors import StoreTooNew, StoreUnreadable
from dora.records import RECORD_TYPES, Commit, Record, columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA_VERSION = 1
"""The version this package writes. It rises with every change that older readers cannot stand."""

MIGRATIONS: tuple[Callable[[DuckDBPyConnection], None], ...] = ()
"""The steps from version 1 upwards; tables and columns that are merely new need none."""

COMMIT_ID = "commit_id"
_SOURCE_DOC = "Source in dora.toml that wrote this row last"
_COMMIT_ID_DOC = "Small number standing for the commit, given when it was first stored"

_BOOKKEEPING: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "meta": (
        "What the store knows about itself.",
        {"key": ("VARCHAR", "What is meant"), "value": ("VARCHAR", "Its value, as text")},
    ),
    "cursors": (
        "How far each stream of each source has been read.",
        {
            "source": ("VARCHAR", "Source in dora.toml"),
            "stream": ("VARCHAR", "Fact table that is read"),
            "part": (
                "VARCHAR",
                "Part of the stream, a repository say; else empty",
            ),
            "cursor": ("VARCHAR", "Where the next sync goes on, as JSON of the connector's own"),
            "updated_at": ("TIMESTAMP", "When it was last moved"),
        },
    ),
    "syncs": (
        "When each source was read, and what came of it.",
        {
            "source": ("VARCHAR", "Source in dora.toml"),
            "started_at": ("TIMESTAMP", "When reading began; what happened later is not known"),
            "finished_at": ("TIMESTAMP", "When reading ended"),
            "status": ("VARCHAR", "finished or failed"),
            "summary": ("VARCHAR", "What came, as JSON"),
        },
    ),
    "unread": (
        "What was asked for and could not be read, as for want of a permission.",
        {
            "source": ("VARCHAR", "Source in dora.toml"),
            "stream": ("VARCHAR", "Fact table that was read"),
            "record_type": ("VARCHAR", "Fact table that is missing"),
            "part": ("VARCHAR", "Of what it is missing, a repository say"),
            "reason": ("VARCHAR", "Why"),
            "noticed_at": ("TIMESTAMP", "When it was last asked for in vain"),
        },
    ),
    "quarantine": (
        "Rows and answers that are no facts, kept aside with the reason.",
        {
            "source": ("VARCHAR", "Source in dora.toml"),
            "stream": ("VARCHAR", "Fact table that was read"),
            "location": ("VARCHAR", "Where it stood at the source"),
            "reason": ("VARCHAR", "Why it was refused"),
            "content": ("VARCHAR", "What it said; withheld where it may name a person"),
            "noticed_at": ("TIMESTAMP", "When it was refused"),
        },
    ),
}


def table_columns(record_type: type[Record]) -> dict[str, tuple[str, str]]:
    """Type and meaning of each column of a fact's table, by name, `source` first."""
    own = {c.name: (c.sql_type, c.doc) for c in columns(record_type).values()}
    extra = {COMMIT_ID: ("BIGINT", _COMMIT_ID_DOC)} if record_type is Commit else {}
    return {"source": ("VARCHAR", _SOURCE_DOC), **own, **extra}


def tables() -> dict[str, tuple[str, dict[str, tuple[str, str]]]]:
    """Every table the store itself keeps: its meaning, and the type and meaning of its columns."""
    facts = {
        t.table: ((t.__doc__ or "").strip().splitlines()[0], table_columns(t)) for t in RECORD_TYPES
    }
    return {**facts, **_BOOKKEEPING}


def create_tables(connection: DuckDBPyConnection) -> None:
    """Make the empty tables of a store in the connection's current database and schema.

    What is there already stays; a table or column that an older store lacks is added. Only a file
    gets the comments: in memory nobody would read them, and they take most of the time.
    """
    on_file = connection.execute(
        "select path is not null from duckdb_databases() where database_name = current_database()"
    ).fetchall()[0][0]
    script = _missing(_existing(connection), commented=on_file)
    if script:
        connection.execute(";".join(script))
    if read_meta(connection, "schema_version") is None:
        write_meta(connection, "schema_version", str(SCHEMA_VERSION))


def create_store(connection: DuckDBPyConnection, said: Mapping[str, str]) -> None:
    """Make an empty store of a new file, in one transaction.

    Args:
        connection: The file, with nothing in it.
        said: What the store says of itself from the beginning, beside its version.
    """
    known = {**said, "schema_version": str(SCHEMA_VERSION), "layout": _layout()}
    rows = ", ".join(f"({text(key)}, {text(value)})" for key, value in known.items())
    script = [*_missing({}, commented=True), f"insert into meta values {rows}"]
    # Two hundred statements, each done before a second core or the optimizer could be of any help.
    connection.execute(
        "set threads = 1; pragma disable_optimizer; begin;"
        f"{';'.join(script)}; commit; pragma enable_optimizer; reset threads"
    )


def _missing(known: Mapping[str, set[str]], *, commented: bool) -> list[str]:
    """The statements that make what is missing of the tables, given the columns there are."""
    script: list[str] = []
    for table, (doc, described) in tables().items():
        if known.get(table, set()) >= set(described):
            continue
        listed = ", ".join(f'"{name}" {kind}' for name, (kind, _) in described.items())
        script.append(f"create table if not exists {table} ({listed})")
        for name, (kind, _) in described.items():
            if table in known and name not in known[table]:
                script.append(f'alter table {table} add column "{name}" {kind}')
        script += _comments(table, doc, described) if commented else ()
    return script


def _comments(table: str, doc: str, described: dict[str, tuple[str, str]]) -> list[str]:
    return [
        f"comment on table {table} is {text(doc)}",
        *(f'comment on column {table}."{n}" is {text(m)}' for n, (_, m) in described.items()),
    ]


def _existing(connection: DuckDBPyConnection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns()"
        " where database_name = current_database() and schema_name = current_schema()"
    ).fetchall():
        found.setdefault(table, set()).add(column)
    return found


def text(value: str) -> str:
    """A text as an SQL literal, for the few statements that take no parameters."""
    return "'" + value.replace("'", "''") + "'"


ERASED = "erased"
"""Says in a work file that facts were deleted for good, and the file has to be written anew."""

READ_BY = ("timezone", "as_of")
"""What a store remembers of its configuration, for those who open it without one."""


def read_meta(connection: DuckDBPyConnection, key: str) -> str | None:
    """What the store says of itself under a key; None where it says nothing."""
    rows = connection.execute("select value from meta where key = ?", [key]).fetchall()
    return rows[0][0] if rows else None


def read_all_meta(connection: DuckDBPyConnection) -> dict[str, str]:
    """Everything the store says of itself, in one look; nothing where it is no store of ours."""
    try:
        return dict(connection.execute("select key, value from meta").fetchall())
    except (duckdb.CatalogException, duckdb.BinderException):  # no such table or column
        return {}


def write_meta(connection: DuckDBPyConnection, key: str, value: str | None) -> None:
    """Let the store say something of itself; None takes it back."""
    connection.execute("delete from meta where key = ?", [key])
    if value is not None:
        connection.execute("insert into meta values (?, ?)", [key, value])


def checked_version(found: str | None, path: object) -> int:
    """The schema version a store says it has, if this package can read it.

    Raises:
        StoreUnreadable: It says none, so it is no store of ours.
        StoreTooNew: A newer version of this package wrote it.
    """
    if found is None or not found.isdigit():
        raise StoreUnreadable(
            f"{path} is a DuckDB file, but no store of this package.",
            hint="Name another file as `store`, or move this one away and run `dora sync`.",
        )
    if int(found) > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{path} has schema version {found}; this version of dora knows up to "
            f"{SCHEMA_VERSION}.",
            hint='Upgrade it: pip install --upgrade "dora-metrics".',
        )
    return int(found)


def migrate(connection: DuckDBPyConnection, path: object, said: Mapping[str, str]) -> None:
    """Bring the store open for writing to this package's schema.

    Each step is a transaction of its own, so that one that was killed is gone on with.

    Args:
        connection: The store.
        path: Where it is, for messages.
        said: All that it says of itself, as `read_all_meta` gives it.

    Raises:
        StoreUnreadable: It is no store of ours.
        StoreTooNew: A newer version of this package wrote it.
    """
    version = checked_version(said.get("schema_version"), path)
    layout = _layout()
    if version == SCHEMA_VERSION and said.get("layout") == layout:
        return
    for number, step in enumerate(MIGRATIONS[version - 1 : SCHEMA_VERSION - 1], version + 1):
        connection.execute("begin")
        step(connection)
        write_meta(connection, "schema_version", str(number))
        connection.execute("commit")
    connection.execute("begin")
    create_tables(connection)
    write_meta(connection, "layout", layout)
    connection.execute("commit")


def _layout() -> str:
    """What changes whenever a table, a column or what is said of them does."""
    return hashlib.sha256(repr(tables()).encode()).hexdigest()
