"""Everything as files: each metric, the records behind it, and every fact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dora import frames
from dora.errors import UsageError
from dora.records import RECORD_TYPES, Column, Record, columns

if TYPE_CHECKING:
    import duckdb

    from dora.delivery import Delivery

Form = Literal["csv", "parquet"]


def export(delivery: Delivery, out: Path, *, form: Form = "csv") -> Iterator[Path]:
    """Write `metrics/`, `evidence/` and `facts/` under a folder, giving each file once it is there.

    Durations are in seconds, times in ISO 8601 and UTC, rates are shares; an empty cell is no
    value. Facts are as the sources gave them; what names a person is left out.

    Raises:
        UsageError: The folder cannot be written to.
    """
    for name in delivery.metrics:
        result = delivery.metric(name)
        for folder, frame in (("metrics", result.frame), ("evidence", result.evidence)):
            path = _place(out, folder, name, form)
            frames.write(frame, path, form)
            yield path
    connection = delivery.connect()
    try:
        for record_type in RECORD_TYPES:
            path = _place(out, "facts", record_type.table, form)
            _copy_facts(connection, record_type, path, form)
            yield path
    finally:
        connection.close()


def _place(out: Path, folder: str, name: str, form: Form) -> Path:
    path = out / folder / f"{name}.{form}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be made: {error.strerror}.", hint="Name another folder."
        ) from error
    return path


def _copy_facts(
    connection: duckdb.DuckDBPyConnection, record_type: type[Record], path: Path, form: Form
) -> None:
    """One fact table, in the order of its key, by the engine itself: it may hold millions."""
    shown = ["source", *(_shown(c, form) for c in columns(record_type).values() if not c.identity)]
    select = f"select {', '.join(shown)} from {record_type.table} order by {_order(record_type)}"
    options = "format csv, header" if form == "csv" else "format parquet"
    frames.copy(connection, select, path, options)


def _order(record_type: type[Record]) -> str:
    return ", ".join(dict.fromkeys((*record_type.key, "source")))


def _shown(column: Column, form: Form) -> str:
    if column.sql_type == "TIMESTAMP" and form == "csv":
        return f'strftime("{column.name}", \'%Y-%m-%dT%H:%M:%S.%fZ\') as "{column.name}"'
    return f'"{column.name}"'
