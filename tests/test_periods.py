from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora import windows, zones
from dora.errors import BadWindow
from dora.periods import calendar, offsets
from dora.windows import GRAINS, Window

LATER = datetime(2040, 1, 1, tzinfo=UTC)
ZONES = [
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
]


def periods(window: Window, grain: str, as_of: datetime) -> list[tuple[date, date, bool]]:
    frame = calendar(window, [grain], as_of=as_of)
    columns = [frame[c].tolist() for c in ("period_start", "period_end", "partial")]
    return list(dict.fromkeys(zip(*columns, strict=True)))


def test_weeks_that_the_window_cuts_are_partial() -> None:
    march = Window(date(2026, 3, 1), date(2026, 4, 1))  # a Sunday to a Tuesday
    assert periods(march, "week", LATER) == [
        (date(2026, 2, 23), date(2026, 3, 2), True),
        (date(2026, 3, 2), date(2026, 3, 9), False),
        (date(2026, 3, 9), date(2026, 3, 16), False),
        (date(2026, 3, 16), date(2026, 3, 23), False),
        (date(2026, 3, 23), date(2026, 3, 30), False),
        (date(2026, 3, 30), date(2026, 4, 6), True),
    ]


def test_a_period_that_is_not_over_is_partial() -> None:
    quarter = Window(date(2026, 1, 1), date(2026, 4, 1))
    before_the_end = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert [p[2] for p in periods(quarter, "month", before_the_end)] == [False, True, True]
    over = windows.as_of("2026-02-28")
    assert [p[2] for p in periods(quarter, "month", over)] == [False, False, True]


def test_a_period_is_over_when_it_is_over_in_the_reporting_zone() -> None:
    january = Window(date(2026, 1, 1), date(2026, 2, 1), "America/New_York")
    assert periods(january, "month", datetime(2026, 2, 1, 4, 59, tzinfo=UTC))[0][2]
    assert not periods(january, "month", datetime(2026, 2, 1, 5, tzinfo=UTC))[0][2]


def test_the_window_is_a_grain_of_its_own() -> None:
    window = Window(date(2026, 3, 3), date(2026, 3, 6))
    frame = calendar(window, ["window", "quarter"], as_of=LATER)
    rows = list(frame.itertuples(index=False, name=None))
    assert rows == [
        (date(2026, 3, 3), "window", date(2026, 3, 3), date(2026, 3, 6), False),
        (date(2026, 3, 4), "window", date(2026, 3, 3), date(2026, 3, 6), False),
        (date(2026, 3, 5), "window", date(2026, 3, 3), date(2026, 3, 6), False),
        (date(2026, 3, 3), "quarter", date(2026, 1, 1), date(2026, 4, 1), True),
        (date(2026, 3, 4), "quarter", date(2026, 1, 1), date(2026, 4, 1), True),
        (date(2026, 3, 5), "quarter", date(2026, 1, 1), date(2026, 4, 1), True),
    ]


def test_the_columns_are_dates_for_the_engine() -> None:
    frame = calendar(Window(date(2026, 3, 3), date(2026, 3, 6)), ["day"], as_of=LATER)
    connection = duckdb.connect()
    connection.register("calendar", frame)
    types = connection.execute("select typeof(columns(*)) from calendar limit 1").fetchall()
    assert types == [("DATE", "VARCHAR", "DATE", "DATE", "BOOLEAN")]


def test_no_grain_makes_no_rows_and_an_unknown_one_is_refused() -> None:
    window = Window(date(2026, 3, 3), date(2026, 3, 6))
    assert calendar(window, [], as_of=LATER).empty
    with pytest.raises(BadWindow, match="year"):
        calendar(window, ["day", "year"], as_of=LATER)


@given(st.dates(date(1990, 1, 1), date(2035, 1, 1)), st.integers(1, 500), st.sampled_from(GRAINS))
@settings(max_examples=60)
def test_every_day_is_in_one_period_and_whole_periods_add_up(
    start: date, days: int, grain: str
) -> None:
    window = Window(start, start + timedelta(days=days))
    frame = calendar(window, [grain], as_of=LATER)
    assert frame["day"].tolist() == [start + timedelta(days=n) for n in range(days)]
    assert ((frame["period_start"] <= frame["day"]) & (frame["day"] < frame["period_end"])).all()
    sizes = frame.groupby(["period_start", "period_end", "partial"]).size()
    for (first, end, partial), size in sizes.items():
        assert partial == (size < (end - first).days)


def test_cairo_has_four_switches_in_two_years() -> None:
    found = offsets("Africa/Cairo", date(2025, 1, 1), date(2027, 1, 1))
    assert found[0][1] == 7200
    assert found[1:] == [
        (datetime(2025, 4, 24, 22, tzinfo=UTC), 10800),
        (datetime(2025, 10, 30, 21, tzinfo=UTC), 7200),
        (datetime(2026, 4, 23, 22, tzinfo=UTC), 10800),
        (datetime(2026, 10, 29, 21, tzinfo=UTC), 7200),
    ]


def test_a_zone_without_switches_has_one_offset() -> None:
    assert [s for _, s in offsets("Asia/Kolkata", date(2000, 1, 1), date(2030, 1, 1))] == [19800]
    assert [s for _, s in offsets("UTC", date(2000, 1, 1), date(2030, 1, 1))] == [0]


def day_by_offsets(instant: datetime, found: list[tuple[datetime, int]]) -> date:
    index = bisect_right([begins for begins, _ in found], instant) - 1
    assert index >= 0
    return (instant + timedelta(seconds=found[index][1])).date()


@given(
    st.sampled_from(ZONES),
    st.dates(date(1971, 1, 1), date(2036, 1, 1)),
    st.integers(0, 800),
    st.floats(0, 1),
)
@settings(max_examples=300)
def test_the_local_day_by_offsets_is_that_of_the_zone(
    zone: str, start: date, days: int, share: float
) -> None:
    window = Window(start, start + timedelta(days=days + 1), zone)
    instant = window.start_at + share * (window.end_at - window.start_at)
    found = offsets(zone, window.start, window.end)
    assert day_by_offsets(instant, found) == zones.local_day(instant, zone)


@given(st.sampled_from(ZONES), st.dates(date(1971, 1, 1), date(2036, 1, 1)))
@settings(max_examples=100)
def test_the_offsets_are_right_up_to_the_second_of_a_switch(zone: str, start: date) -> None:
    found = offsets(zone, start, start + timedelta(days=400))
    for (_, before), (switch, after) in pairwise(found):
        just_before = switch - timedelta(seconds=1)
        tz = zones.zone(zone)
        assert just_before.astimezone(tz).utcoffset() == timedelta(seconds=before)
        assert switch.astimezone(tz).utcoffset() == timedelta(seconds=after)


def test_every_zone_is_read_at_every_hour_of_a_year() -> None:
    start, end = date(2026, 1, 1), date(2026, 12, 31)
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(0, 8736, 7)]
    for zone in ("America/Havana", "America/Vancouver", "America/Coyhaique", "Antarctica/Troll"):
        found = offsets(zone, start, end)
        assert [day_by_offsets(h, found) for h in hours] == [
            zones.local_day(h, zone) for h in hours
        ]
