"""Merging staged facts into their table: new, changed or known, by key, the last one winning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from dora.records import Commit, Record, columns
from dora.store.schema import COMMIT_ID


@dataclass(frozen=True, slots=True)
class Within:
    """What to keep of several places, told apart by the same columns.

    Attributes:
        columns: The columns that say which place.
        key: The columns that say which facts stay there.
        kept: For each place the facts that stay, both as values of these columns.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    kept: dict[tuple[Any, ...], list[tuple[Any, ...]]] = field(default_factory=dict)


class Merge:
    """Merges into the tables within one transaction after the other.

    Rows of a repository or source that the table knows nothing of are appended without looking,
    and one look at the end of the transaction sees to it that no key came twice: looking at every
    batch would make a first load quadratic.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:
        self._connection = connection
        self._source = source
        self._fresh: dict[type[Record], set[str]] = {}
        self._last_commit: int | None = None

    def begin(self) -> None:
        """Forget what was learnt in the transaction before."""
        self._fresh.clear()
        self._last_commit = None

    def staged(self, record_type: type[Record]) -> tuple[int, int]:
        """Merge `staged` into the fact's table; gives how many rows are new and updated."""
        if self._all_fresh(record_type):
            return self._insert(record_type, "staged"), 0
        self._connection.execute(
            "create or replace temp table compared as"
            " select * from staged where reason is null order by row"
        )
        self._drop_repeated("compared", record_type, "")
        same_key = self._same_key(record_type)
        updated = self._update(record_type, same_key)
        known = f"select 1 from {record_type.table} t where {same_key}"
        unknown = f"(select * from compared s where not exists ({known}))"
        return self._insert(record_type, unknown), updated

    def finish(self) -> dict[str, int]:
        """Drop all but the last of what was appended twice; gives how many rows, by table."""
        dropped = {}
        for record_type, values in self._fresh.items():
            if not values:
                continue
            listed = ", ".join(_quoted(value) for value in sorted(values))
            among = f"where {_scope(record_type)} in ({listed})"
            dropped[record_type.table] = self._drop_repeated(record_type.table, record_type, among)
        return dropped

    def remove(self, record_type: type[Record], keys: Sequence[Mapping[str, Any]]) -> int:
        """Delete this source's facts by the key columns given; gives how many there were."""
        known = columns(record_type)
        removed = 0
        for names in {tuple(sorted(set(key) & set(known))) for key in keys}:
            lists = [[key[n] for key in keys if set(key) & set(known) == set(names)] for n in names]
            listed = self._unnested(record_type, names, 2)
            same = " and ".join(f"t.{n} = gone.{n}" for n in names)
            removed += self._count(
                f"delete from {record_type.table} t using (select {listed}) gone"
                f" where t.source = $1 and {same}",
                [self._source, *lists],
            )
        return removed

    def keep_only(self, record_type: type[Record], within: Within) -> int:
        """Delete this source's facts within places, but for some; gives how many there were.

        Args:
            record_type: The facts that are meant.
            within: What to keep in each place.
        """
        table, at = record_type.table, within.columns
        known = tuple(dict.fromkeys((*at, *within.key)))
        kept = [(*place, *one) for place, keys in within.kept.items() for one in keys]
        among = stays = ""
        if at:
            places = self._unnested(record_type, at, 2)
            among = f" join (select {places}) w on {_alike('w', at)}"
        if kept:
            staying = self._unnested(record_type, known, len(at) + 2)
            stays = (
                f" and not exists (select 1 from (select {staying}) k where {_alike('k', known)})"
            )
        lists = [
            list(column) for rows in (list(within.kept), kept) for column in zip(*rows, strict=True)
        ]
        return self._count(
            f"delete from {table} where rowid in (select t.rowid from {table} t{among}"
            f" where t.source = $1{stays})",
            [self._source, *lists],
        )

    def _unnested(self, record_type: type[Record], names: Sequence[str], first: int) -> str:
        """Columns made of lists that are parameters from `first` on."""
        kinds = columns(record_type)
        return ", ".join(
            f"unnest(${place}::{kinds[name].sql_type}[]) as {name}"
            for place, name in enumerate(names, first)  # DuckDB 1.4 counts `?` in another order
        )

    def _all_fresh(self, record_type: type[Record]) -> bool:
        """Whether the table held nothing of these repositories or this source before."""
        scope = _scope(record_type)
        rows = self._connection.execute(f"select distinct {scope} from staged").fetchall()
        values = {value for (value,) in rows}
        fresh = self._fresh.setdefault(record_type, set())
        if unsure := values - fresh:
            listed = ", ".join(_quoted(value) for value in sorted(unsure))
            known = self._connection.execute(
                f"select 1 from {record_type.table} where {scope} in ({listed}) limit 1"
            ).fetchall()
            if known:
                return False
        fresh |= values
        return True

    def _same_key(self, record_type: type[Record]) -> str:
        return " and ".join(f't."{name}" = s."{name}"' for name in record_type.key)

    def _update(self, record_type: type[Record], same_key: str) -> int:
        names = [n for n in ("source", *columns(record_type)) if n not in record_type.key]
        if not names:
            return 0
        values = ", ".join(f'"{name}" = s."{name}"' for name in names)
        changed = " or ".join(f't."{name}" is distinct from s."{name}"' for name in names)
        return self._count(
            f"update {record_type.table} t set {values} from compared s"
            f" where {same_key} and ({changed})"
        )

    def _insert(self, record_type: type[Record], rows: str) -> int:
        """Append those of the rows that are facts, in their order."""
        named = ", ".join(f'"{name}"' for name in ("source", *columns(record_type)))
        facts = f"select {named} from {rows} where reason is null order by row"
        if record_type is not Commit:
            return self._count(f"insert into {record_type.table} ({named}) {facts}")
        if self._last_commit is None:
            self._last_commit = self._count(
                f"select coalesce(max({COMMIT_ID}), 0) from {record_type.table}"
            )
        inserted = self._count(
            f"insert into {record_type.table} ({named}, {COMMIT_ID})"
            f" select *, {self._last_commit} + row_number() over () from ({facts})"
        )
        self._last_commit += inserted
        return inserted

    def _drop_repeated(self, table: str, record_type: type[Record], among: str) -> int:
        """Delete all rows but the last of each key."""
        key = ", ".join(f'"{name}"' for name in record_type.key)
        repeated = self._connection.execute(
            f"select count(*) <> count(distinct hash({key})) from {table} {among}"
        ).fetchall()[0][0]
        if not repeated:
            return 0
        return self._count(
            f"delete from {table} where rowid in (select rowid from (select rowid,"
            f" row_number() over (partition by {key} order by rowid desc) as place"
            f" from {table} {among}) where place > 1)"
        )

    def _count(self, statement: str, parameters: list[Any] | None = None) -> int:
        return int(self._connection.execute(statement, parameters or []).fetchall()[0][0])


def _scope(record_type: type[Record]) -> str:
    """The column whose values tell apart what one reading brings from all else in the table."""
    return "source" if "source" in record_type.key else "repository"


def _alike(other: str, names: Sequence[str]) -> str:
    """That a row of another table has the same values as one of `t`."""
    return " and ".join(f"t.{name} is not distinct from {other}.{name}" for name in names)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
