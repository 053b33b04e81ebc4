"""What every engine promises, on each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from dora.engines import UTC_OFFSETS, Engine
from dora.engines.duckdb import DuckDB
from dora.periods import offsets

EARLIEST = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
PATTERNS = (r"^hotfix\b", "it's")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    engine.prepare(offsets=UTC_OFFSETS, patterns=PATTERNS)
    return engine


def one(engine: Engine, sql: str, **parameters: object) -> object:
    [[value]] = engine.rows(f"select {sql} as value", parameters)
    return value


@pytest.mark.parametrize(
    ("moment", "us"),
    [
        (EARLIEST, 1),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1_000_000),
        (datetime(2026, 3, 29, 1, 0, 0, 123_456, tzinfo=UTC), 1_774_746_000_123_456),
        (datetime(2026, 3, 29, 3, 0, tzinfo=timezone(timedelta(hours=2))), 1_774_746_000_000_000),
    ],
)
def test_microseconds_are_whole_and_exact(engine: Engine, moment: datetime, us: int) -> None:
    engine.load("facts", pd.DataFrame({"made_at": [moment]}))
    assert engine.rows("select dora_us(made_at) as us from facts") == [(us,)]


def test_ratio_has_no_value_without_a_denominator(engine: Engine) -> None:
    assert one(engine, "dora_ratio(1, 3)") == 1 / 3
    assert one(engine, "dora_ratio(7, 0)") is None
    assert one(engine, "dora_ratio(7, null)") is None


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("HOTFIX: pay", r"^hotfix\b", True),
        ("hotfixes", r"^hotfix\b", False),
        (None, r"^hotfix\b", False),
        ("say that it's so", "it's", True),
        ("other", "not known [a-z]+ beforehand", False),
        ("Not known by anyone beforehand", "not known [a-z ]+ beforehand", True),
        ("anything", "a^", False),
    ],
)
def test_patterns_are_looked_for_ignoring_case(
    engine: Engine, text: str | None, pattern: str, found: bool
) -> None:
    frame = pd.DataFrame({"content": [text], "pattern": [pattern]}, dtype=object)
    engine.load("facts", frame, {"content": "VARCHAR", "pattern": "VARCHAR"})
    assert engine.rows("select dora_matches(content, pattern) as hit from facts") == [(found,)]


@pytest.mark.parametrize("name", ["UTC", "America/New_York", "Africa/Cairo", "Asia/Kolkata"])
def test_days_are_those_of_the_reporting_zone(engine: Engine, name: str) -> None:
    engine.prepare(offsets=offsets(name, date(2025, 1, 1), date(2027, 1, 1)), patterns=())
    start = datetime(2025, 1, 2, tzinfo=UTC)
    moments = [start + timedelta(minutes=30 * n, microseconds=n % 2) for n in range(48 * 700)]
    engine.load("facts", pd.DataFrame({"n": range(len(moments)), "made_at": moments}))
    found = engine.rows("select n, dora_day(made_at) as day from facts order by n")
    zone = ZoneInfo(name)
    assert [day for _, day in found] == [moment.astimezone(zone).date() for moment in moments]


def test_frames_come_back_as_they_went_in(engine: Engine) -> None:
    frame = pd.DataFrame(
        {
            "name": pd.Series(["a", None, "c"], dtype="str"),
            "number": pd.array([1, None, 3], dtype="Int64"),
            "share": [0.5, np.nan, 1.0],
            "made_at": pd.to_datetime(["2026-03-01T12:00:00.000001Z", None, "2026-03-02T00:00Z"],
                                      format="ISO8601"),
            "day": [date(2026, 3, 1), None, date(2026, 3, 2)],
            "sure": [True, None, False],
        }
    )  # fmt: skip
    types = {"name": "VARCHAR", "number": "BIGINT", "share": "DOUBLE", "made_at": "TIMESTAMP",
             "day": "DATE", "sure": "BOOLEAN"}  # fmt: skip
    engine.load("facts", frame, types)
    assert engine.rows("select * from facts order by name") in (
        _with_nulls_at(-1),
        _with_nulls_at(0),
    )
    back = engine.query("select * from facts where name = $name", {"name": "a"})
    assert back["made_at"].tolist() == [pd.Timestamp("2026-03-01 12:00:00.000001")]
    assert back["day"].tolist() == [pd.Timestamp("2026-03-01")]


def _with_nulls_at(place: int) -> list[tuple[object, ...]]:
    first, last = map(datetime.fromisoformat, ("2026-03-01 12:00:00.000001", "2026-03-02"))
    rows: list[tuple[object, ...]] = [
        ("a", 1, 0.5, first, date(2026, 3, 1), True),
        ("c", 3, 1.0, last, date(2026, 3, 2), False),
    ]
    rows.insert(place if place == 0 else len(rows), (None,) * 6)
    return rows


def test_parameters_may_be_times_of_any_zone(engine: Engine) -> None:
    engine.load("facts", pd.DataFrame({"made_at": [datetime(2026, 3, 1, 12, tzinfo=UTC)]}))
    noon = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    same = "select count(*) as n from facts where made_at = $moment"
    assert engine.rows(same, {"moment": noon}) == [(1,)]


def test_forks_share_what_is_kept_and_nothing_else(engine: Engine) -> None:
    engine.build("kept", "select 1 as n")
    engine.build("own", "select 1 as n")
    fork = engine.fork(keep=["kept"])
    fork.build("own", "select 2 as n")
    engine.build("kept", "select 3 as n")
    assert fork.rows("select kept.n, own.n from kept, own") == [(1, 2)]
    assert engine.rows("select kept.n, own.n from kept, own") == [(3, 1)]
    fork.close()
    assert engine.rows("select n from own") == [(1,)]


def test_tables_in_memory_go_with_the_last_engine_that_shows_them() -> None:
    engine = DuckDB.empty()
    fork = engine.fork()
    fork.build("big", "select 1 as n")
    other = fork.fork(keep=["big"])
    built = "select count(*) as n from duckdb_tables() where database_name = 'dora_built'"
    fork.close()
    assert engine.rows(built) == [(1,)]
    assert other.rows("select n from big") == [(1,)]
    other.close()
    assert engine.rows(built) == [(0,)]
