"""A second engine, from the standard library: SQLite.

It is here to prove that the models are portable and that their numbers do not hang on one
engine. Times are kept as text of one fixed width (`2026-03-01 12:00:00.000000`, UTC), so that
they compare as they should, to the microsecond; days as `2026-03-01`; booleans as 0 and 1.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from dora.engines import Offsets, is_day, is_time

if TYPE_CHECKING:
    import pandas as pd

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (UTC throughout, without saying so)
_MICROSECOND = timedelta(microseconds=1)
_AFFINITIES = {"BIGINT": "INTEGER", "INTEGER": "INTEGER", "BOOLEAN": "INTEGER", "DOUBLE": "REAL"}


class SQLite:
    """Models on SQLite.

    Args:
        connection: Where the facts are; by default an empty database in memory.
    """

    name: ClassVar[str] = "sqlite"

    def __init__(self, connection: sqlite3.Connection | None = None) -> None:
        self._connection = connection or sqlite3.connect(":memory:")

    def prepare(self, *, offsets: Offsets, patterns: Sequence[str]) -> None:  # noqa: ARG002  (each is compiled when met)
        """Define the prelude for one reporting zone."""
        functions: dict[str, tuple[int, Callable[..., Any]]] = {
            "dora_us": (1, _microseconds),
            "dora_day": (1, _day(offsets)),
            "dora_ratio": (2, _ratio),
            "dora_matches": (2, _matches),
            "greatest": (
                -1,
                lambda *values: max((v for v in values if v is not None), default=None),
            ),
            "least": (-1, lambda *values: min((v for v in values if v is not None), default=None)),
        }
        for name, (arguments, function) in functions.items():
            self._connection.create_function(name, arguments, function, deterministic=True)

    def build(self, table: str, select: str) -> None:
        """Make a table from a SELECT."""
        self._connection.execute(f'drop table if exists "{table}"')
        self._connection.execute(f'create table "{table}" as {select}')

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Make a table from a frame."""
        stated = types or {}
        names = [str(name) for name in frame]
        columns = ", ".join(f'"{name}" {_affinity(stated.get(name))}' for name in names)
        self._connection.execute(f'drop table if exists "{table}"')
        self._connection.execute(f'create table "{table}" ({columns})')
        marks = ", ".join("?" * len(frame.columns))
        plain = frame.astype(object).where(frame.notna(), None)
        values = zip(*(_stored(plain[c].tolist(), stated.get(c, "")) for c in names), strict=True)
        self._connection.executemany(f'insert into "{table}" values ({marks})', values)
        self._connection.commit()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._read(sql, parameters)[1]

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a SELECT as a frame."""
        import pandas as pd

        names, rows = self._read(sql, parameters)
        frame = pd.DataFrame(rows, columns=names)
        for name in names:
            if is_time(name) or is_day(name):
                frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
        return frame

    def fork(self, keep: Collection[str] = ()) -> SQLite:  # noqa: ARG002  (all are kept)
        """Another engine over a copy of everything."""
        copy = sqlite3.connect(":memory:")
        self._connection.backup(copy)
        return SQLite(copy)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _read(
        self, sql: str, parameters: Mapping[str, Any] | None
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        values = {name: _value(value) for name, value in (parameters or {}).items()}
        cursor = self._connection.execute(sql, values)
        names = [description[0] for description in cursor.description]
        readers = [_reader(name) for name in names]
        return names, [
            tuple(v if r is None else r(v) for r, v in zip(readers, row, strict=True))
            for row in cursor.fetchall()
        ]


def _affinity(sql_type: str | None) -> str:
    """SQLite's CAST and columns turn what looks like a number into one; texts must be TEXT."""
    return "" if sql_type is None else _AFFINITIES.get(sql_type, "TEXT")


def _stored(values: list[Any], sql_type: str) -> list[Any]:
    stored = [_value(value) for value in values]
    if sql_type in ("BIGINT", "INTEGER", "BOOLEAN"):
        return [None if value is None else int(value) for value in stored]
    return stored


def _value(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return naive.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value


def _reader(name: str) -> Callable[[Any], Any] | None:
    if is_time(name):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if is_day(name):
        return lambda value: None if value is None else date.fromisoformat(value)
    return None


def _microseconds(text: str | None) -> int | None:
    return None if text is None else (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def _day(offsets: Offsets) -> Callable[[str | None], str | None]:
    since = [_value(moment) for moment, _ in offsets[1:]]
    shifts = [timedelta(seconds=seconds) for _, seconds in offsets]

    def day(text: str | None) -> str | None:
        if text is None:
            return None
        shift = shifts[bisect_right(since, text)]
        return (datetime.fromisoformat(text) + shift).date().isoformat()

    return day


def _ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _matches(content: str | None, pattern: str | None) -> bool:
    if content is None or pattern is None:
        return False
    return _compiled(pattern).search(content) is not None
