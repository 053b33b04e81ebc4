"""The default engine: DuckDB, in memory, over facts that are attached read-only."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from dora.engines import Offsets
from dora.store.reader import quiet

if TYPE_CHECKING:
    import pandas as pd

_SHELF = "dora_built"


class _Table:
    """A table in memory that goes when the last engine that shows it has gone."""

    _numbers = count()

    def __init__(self, root: duckdb.DuckDBPyConnection) -> None:
        self.name = f"{_SHELF}.main.built_{next(self._numbers)}"
        weakref.finalize(self, _drop, root, self.name).atexit = False


def _drop(root: duckdb.DuckDBPyConnection, table: str) -> None:
    with suppress(duckdb.Error):  # the database may have been closed before
        root.cursor().execute(f"drop table if exists {table}")


class DuckDB:
    """Models on DuckDB.

    What it builds lies in a database in memory beside the facts, seen through temporary views, so
    that forks share what they have in common and never see more of each other.

    Args:
        connection: Where the facts are, as tables or views of the current schema. The engine
            works on a cursor of its own.
    """

    name: ClassVar[str] = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._root = connection  # closing a connection closes the cursors made from it
        self._connection = connection.cursor()
        quiet(self._connection)
        self._connection.execute(
            f"attach if not exists ':memory:' as {_SHELF};"
            " set preserve_insertion_order = false"  # every SELECT that needs an order asks for it
        )
        self._tables: dict[str, _Table] = {}

    @classmethod
    def empty(cls) -> DuckDB:
        """An engine without any table yet."""
        return cls(duckdb.connect(config={"autoinstall_known_extensions": "false"}))

    def prepare(self, *, offsets: Offsets, patterns: Sequence[str]) -> None:
        """Define the prelude for one reporting zone."""
        macros = {
            "dora_us(moment)": "epoch_us(moment)",
            "dora_day(moment)": _day(offsets),
            "dora_ratio(a, b)": "cast(a as double) / nullif(cast(b as double), 0)",
            "dora_matches(content, pattern)": _matches(patterns),
        }
        for head, body in macros.items():
            self._connection.execute(f"create or replace temp macro {head} as {body}")

    def build(self, table: str, select: str) -> None:
        """Make a table from a SELECT."""
        made = _Table(self._root)
        self._connection.execute(f"create table {made.name} as {select}")
        self._show(table, made)

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Make a table from a frame."""
        stated = types or {}
        picked = ", ".join(
            f'cast("{name}" as {stated[name]}) as "{name}"' if name in stated else f'"{name}"'
            for name in map(str, frame)
        )
        self._connection.register("dora_frame", _plain(frame))
        try:
            self.build(table, f"select {picked} from dora_frame")
        finally:
            self._connection.unregister("dora_frame")

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        found: list[tuple[Any, ...]] = self._run(sql, parameters).fetchall()
        return found

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a SELECT as a frame."""
        frame: pd.DataFrame = self._run(sql, parameters).df()
        return frame

    def fork(self, keep: Collection[str] = ()) -> DuckDB:
        """Another engine over the same facts."""
        other = DuckDB(self._root)
        for name in keep:
            other._show(name, self._tables[name])
        return other

    def close(self) -> None:
        """Let go of the tables it built."""
        self._connection.close()
        self._tables.clear()

    def _show(self, name: str, table: _Table) -> None:
        self._connection.execute(
            f'create or replace temp view "{name}" as select * from {table.name}'
        )
        self._tables[name] = table

    def _run(self, sql: str, parameters: Mapping[str, Any] | None) -> duckdb.DuckDBPyConnection:
        if parameters is None:
            return self._connection.execute(sql)
        return self._connection.execute(sql, {k: _utc(v) for k, v in parameters.items()})


def _day(offsets: Offsets) -> str:
    """The latest offsets first, as most facts are recent."""
    if all(seconds == 0 for _, seconds in offsets):
        return "cast(moment as date)"
    later = "".join(
        f" when moment >= timestamp '{_utc(since)}' then {seconds * 1_000_000}"
        for since, seconds in reversed(offsets[1:])
    )
    first = offsets[0][1] * 1_000_000
    shift = f"(case{later} else {first} end)" if later else f"({first})"
    return f"cast(make_timestamp(epoch_us(moment) + {shift}) as date)"


def _matches(patterns: Sequence[str]) -> str:
    """DuckDB compiles a pattern once only where it is written out: 140 times quicker."""
    quoted = ["'" + pattern.replace("'", "''") + "'" for pattern in dict.fromkeys(patterns)]
    known = "".join(f" when {q} then regexp_matches(content, {q}, 'i')" for q in quoted)
    other = "regexp_matches(content, pattern, 'i')"
    found = f"case pattern{known} else {other} end" if known else other
    return f"coalesce({found}, false)"


def _utc(value: Any) -> Any:
    """DuckDB reads aware times in the session's zone; ours are UTC without saying so."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with naive UTC times and without types that older versions cannot read."""
    import pandas as pd

    def plain(column: pd.Series[Any]) -> pd.Series[Any]:
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            naive: pd.Series[Any] = column.dt.tz_convert("UTC").dt.tz_localize(None)
            return naive
        if isinstance(column.dtype, pd.StringDtype):
            return column.astype(object).where(column.notna(), None)
        return column

    return pd.DataFrame({name: plain(frame[name]) for name in frame}, index=frame.index)
