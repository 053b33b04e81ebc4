"""Facts on their way in: whatever form they have, they become one temporary view `staged`.

It has the columns of the fact's table with names of people already replaced, and beside them
`row`, the place in what was handed over, and `reason`, why the row is no fact. What it is made of
lives in temporary tables, in memory: what names people never reaches the store's file or its log.
A view, as a copy of the rows would take longer than all that is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from dora.connector import Rejected
from dora.identities import Identities
from dora.records import Column, Record, columns
from dora.store.schema import text
from dora.store.spools import Spool

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = "\x1f"
_FIRST_SECOND = -62_135_596_800  # 0001-01-01
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59


class Stage:
    """Makes `staged` from records, frames and spools, one batch after the other."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: str, identities: Identities
    ) -> None:
        self._connection = connection
        self._source = source
        self._identities = identities

    def records(self, facts: Sequence[Record]) -> list[Rejected]:
        """Stage records, all of one type; gives those that were refused."""
        record_type = type(facts[0])
        given = columns(record_type)
        lists = [
            [_stored(getattr(fact, name)) for fact in facts]
            if column.python_type is datetime
            else [getattr(fact, name) for fact in facts]
            for name, column in given.items()
        ]
        kinds = [column.sql_type for column in given.values()]
        self._unnest("incoming", list(given), kinds, lists)
        return self._stage(record_type, tuple(given), delimited=False)

    def frame(
        self, record_type: type[Record], given: tuple[str, ...], frame: pd.DataFrame
    ) -> list[Rejected]:
        """Stage the rows of a frame; gives those that were refused."""
        listed = ", ".join(f'"{name}"' for name in given)
        self._connection.register("handed_over", frame)
        try:
            self._connection.execute(
                f"create or replace temp table incoming as select {listed} from handed_over"
            )
        finally:
            self._connection.unregister("handed_over")
        return self._stage(record_type, given, delimited=False)

    def spool(
        self, record_type: type[Record], given: tuple[str, ...], spool: Spool
    ) -> list[Rejected]:
        """Stage the lines of a spool; gives those that were refused."""
        whole = self._read_csv(given, spool)
        malformed = {} if whole else self._line_by_line(given, spool)
        refused = self._stage(record_type, given, delimited=True, first=spool.first)
        return [
            Rejected(record_type, one.location, malformed.get(one.location, one.reason))
            for one in refused
        ]

    def _read_csv(self, given: tuple[str, ...], spool: Spool) -> bool:
        """Let DuckDB read the lines; gives whether it took all of them."""
        if spool.returns:
            return False
        listed = ", ".join(f"{text(name)}: 'VARCHAR'" for name in given)
        rows = self._connection.execute(
            "create or replace temp table incoming as select * from read_csv("
            f"{text(spool.path)}, delim = '{SEPARATOR}', quote = '', escape = '',"
            r" header = false, auto_detect = false, new_line = '\n', ignore_errors = true,"
            f" columns = {{{listed}}})"
        ).fetchall()
        return bool(rows[0][0] == spool.lines)

    def _line_by_line(self, given: tuple[str, ...], spool: Spool) -> dict[str, str]:
        """The slow way, where the CSV reader would drop a line: it stays, but empty.

        Returns:
            What is wrong with such a line, by its place.
        """
        malformed: dict[str, str] = {}
        lines: list[list[str | None]] = []
        for number, line in enumerate(spool.text().split(b"\n")[:-1], spool.first):
            fields = line.decode(errors="replace").split(SEPARATOR)
            if len(fields) != len(given):
                reason = f"it has {len(fields)} fields instead of {len(given)}"
                malformed[f"row {number}"] = reason
                fields = [""] * len(given)
            lines.append([field or None for field in fields])
        lists = [list(column) for column in zip(*lines, strict=True)]
        self._unnest("incoming", list(given), ["VARCHAR"] * len(given), lists)
        return malformed

    def _unnest(
        self, table: str, names: Sequence[str], kinds: Sequence[str], lists: Sequence[list[Any]]
    ) -> None:
        listed = ", ".join(
            f'unnest(?::{kind}[]) as "{name}"' for name, kind in zip(names, kinds, strict=True)
        )
        self._connection.execute(f"create or replace temp table {table} as select {listed}", lists)

    def _stage(
        self, record_type: type[Record], given: tuple[str, ...], *, delimited: bool, first: int = 1
    ) -> list[Rejected]:
        """Turn `incoming` into `staged`; gives the rows that were refused."""
        kinds = {
            name: str(kind)
            for name, kind in self._connection.execute(
                "select column_name, data_type from duckdb_columns() where table_name = 'incoming'"
                " and database_name = 'temp'"
            ).fetchall()
        }
        if not self._identities.titles:
            texts = {c.name for c in columns(record_type).values() if c.free_text}
            given = tuple(name for name in given if name not in texts)
        shape = _Shape(record_type, given, kinds, delimited=delimited)
        join = self._name_people(shape.identity) if shape.identity else ""
        self._connection.execute(
            f"create or replace temp view staged as select {text(self._source)} as source,"
            f" {shape.selected}, incoming.rowid - {self._first_row()} as row,"
            f" {shape.reason} as reason from incoming {join}"
        )
        return self._refused(record_type, first)

    def _first_row(self) -> int:
        """Where the rows of `incoming` begin to be counted, which is anywhere in a transaction."""
        rows = self._connection.execute("select min(rowid) from incoming").fetchall()
        return int(rows[0][0] or 0)

    def _name_people(self, column: str) -> str:
        """Make `people`, what the store keeps for each name that came; gives the join to it."""
        rows = self._connection.execute(
            f'select distinct "{column}"::varchar from incoming where "{column}" is not null'
        ).fetchall()
        raws = [raw for (raw,) in rows]
        known = self._identities.known(raws)
        self._unnest(
            "people",
            ["raw", "kept", "machine"],
            ["VARCHAR", "VARCHAR", "BOOLEAN"],
            [raws, [kept for kept, _ in known], [machine for _, machine in known]],
        )
        return f'left join people on people.raw = incoming."{column}"::varchar'

    def _refused(self, record_type: type[Record], first: int) -> list[Rejected]:
        named = ", ".join(f'"{name}"' for name in record_type.key if name != "source")
        refused = self._connection.execute(
            f"select row, nullif(trim(concat_ws(' ', {named})), ''), reason from staged"
            " where reason is not null order by row"
        ).fetchall()
        return [
            Rejected(record_type, f"row {first + row}" + (f" ({name})" if name else ""), reason)
            for row, name, reason in refused
        ]


class _Shape:
    """How the columns that came become the columns of the table, as SQL over `incoming`."""

    def __init__(
        self,
        record_type: type[Record],
        given: tuple[str, ...],
        kinds: dict[str, str],
        *,
        delimited: bool,
    ) -> None:
        wanted = columns(record_type)
        unknown = set(given) - set(wanted)
        if unknown:
            raise ValueError(f"{record_type.table} has no column {', '.join(sorted(unknown))}")
        self._kinds = kinds
        self._delimited = delimited
        self._given = set(given)
        self.identity = next(
            (c.name for c in wanted.values() if c.identity and c.name in given), ""
        )
        self.selected = ", ".join(f'{self._value(c)} as "{c.name}"' for c in wanted.values())
        faults = [
            f"when {test} then {text(why)}"
            for column in wanted.values()
            for test, why in self._faults(column, is_key=column.name in record_type.key)
        ]
        self.reason = f"case {' '.join(faults)} end" if faults else "null::varchar"

    def _value(self, column: Column) -> str:
        default = _literal(column)
        if column.identity and self.identity == column.name:
            return "people.kept"
        if column.name == "is_bot" and self.identity:
            stated = (
                f"coalesce({self._cast(column)}, false)" if "is_bot" in self._given else "false"
            )
            return f"({stated} or coalesce(people.machine, false))"
        if column.name not in self._given:
            return default
        cast = self._cast(column)
        if column.required and self._delimited and column.python_type is str:
            return f"coalesce({cast}, '')"
        return cast if default.startswith("null") else f"coalesce({cast}, {default})"

    def _cast(self, column: Column) -> str:
        raw = f'incoming."{column.name}"'
        kind = self._kinds[column.name]
        if self._delimited and column.python_type is datetime:
            seconds = f"try_cast({raw} as bigint)"
            fits = f"{seconds} between {_FIRST_SECOND} and {_LAST_SECOND}"
            return f"case when {fits} then make_timestamp({seconds} * 1000000) end"
        if self._delimited and column.python_type is bool:
            return f"case {raw} when '1' then true when '0' then false end"
        if kind == column.sql_type:
            return raw
        if column.python_type is datetime and kind in ("VARCHAR", "TIMESTAMP WITH TIME ZONE"):
            return f"try_cast({raw} as timestamptz)::timestamp"
        return f"try_cast({raw} as {column.sql_type})"

    def _faults(self, column: Column, *, is_key: bool) -> list[tuple[str, str]]:
        """What can be wrong with a value, as a test and the reason to give."""
        if column.name not in self._given:
            return [("true", f"{column.name} is missing")] if column.required else []
        raw, cast = f'incoming."{column.name}"', self._cast(column)
        faults = []
        text_may_be_empty = self._delimited and column.python_type is str and not is_key
        if column.required and not text_may_be_empty:
            faults.append((f"{raw} is null", f"{column.name} is missing"))
        if cast != raw:
            what = {"datetime": "time", "int": "whole number", "float": "number"}.get(
                column.python_type.__name__, column.python_type.__name__
            )
            faults.append((f"{raw} is not null and {cast} is null", f"{column.name} is no {what}"))
        if column.words:
            words = ", ".join(text(word) for word in column.words)
            listed = ", ".join(column.words)
            faults.append((f"{raw} not in ({words})", f"{column.name} is none of {listed}"))
        return faults


def _literal(column: Column) -> str:
    if column.default is None:
        return f"null::{column.sql_type}"
    if isinstance(column.default, bool):
        return str(column.default).lower()
    return text(column.default) if isinstance(column.default, str) else str(column.default)


def _stored(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)
