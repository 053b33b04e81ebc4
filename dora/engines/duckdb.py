"""The default engine: DuckDB, in memory, over facts that are attached read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from dora.engines import Offsets

if TYPE_CHECKING:
    import pandas as pd


class DuckDB:
    """Models on DuckDB; its own tables are temporary, so that forks never see each other's.

    Args:
        connection: Where the facts are, as tables or views of the current schema. The engine
            works on a cursor of its own.
    """

    name: ClassVar[str] = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection.cursor()

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
        """Make a temporary table from a SELECT."""
        self._connection.execute(f'create or replace temp table "{table}" as {select}')

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Make a temporary table from a frame."""
        stated = types or {}
        picked = ", ".join(
            f'cast("{c}" as {stated[c]}) as "{c}"' if c in stated else f'"{c}"' for c in frame
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

    def fork(self) -> DuckDB:
        """Another engine over the same facts."""
        return DuckDB(self._connection)

    def close(self) -> None:
        """Drop the temporary tables."""
        self._connection.close()

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

    def plain(column: pd.Series) -> pd.Series:
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            return column.dt.tz_convert("UTC").dt.tz_localize(None)
        if isinstance(column.dtype, pd.StringDtype):
            return column.astype(object).where(column.notna(), None)
        return column

    return pd.DataFrame({name: plain(frame[name]) for name in frame}, index=frame.index)
