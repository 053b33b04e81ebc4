from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora import windows, zones
from dora.errors import BadWindow
from dora.windows import Window, window

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # a Wednesday
ZONES = (
    "UTC",
    "Africa/Cairo",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
)
INSTANTS = st.integers(631_152_000_000_000, 2_051_222_400_000_000).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)
DAYS = st.dates(date(1972, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("90d", date(2025, 12, 19), date(2026, 3, 19)),
        ("1d", date(2026, 3, 18), date(2026, 3, 19)),
        ("2w", date(2026, 3, 5), date(2026, 3, 19)),
        ("12mo", date(2025, 3, 19), date(2026, 3, 19)),
        ("1y", date(2025, 3, 19), date(2026, 3, 19)),
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-H1", date(2026, 1, 1), date(2026, 7, 1)),
        ("2026-h2", date(2026, 7, 1), date(2027, 1, 1)),
        ("2026-Q2", date(2026, 4, 1), date(2026, 7, 1)),
        ("2026-03", date(2026, 3, 1), date(2026, 4, 1)),
        ("2025-12", date(2025, 12, 1), date(2026, 1, 1)),
        ("2026-W07", date(2026, 2, 9), date(2026, 2, 16)),
        ("2026-02-28", date(2026, 2, 28), date(2026, 3, 1)),
        ("2026-03-01..2026-04-01", date(2026, 3, 1), date(2026, 4, 1)),
        (" Last-Month ", date(2026, 2, 1), date(2026, 3, 1)),
        ("last-day", date(2026, 3, 17), date(2026, 3, 18)),
        ("last-week", date(2026, 3, 9), date(2026, 3, 16)),
        ("last-quarter", date(2025, 10, 1), date(2026, 1, 1)),
        ("last-half", date(2025, 7, 1), date(2026, 1, 1)),
        ("last-year", date(2025, 1, 1), date(2026, 1, 1)),
        ("this-week", date(2026, 3, 16), date(2026, 3, 23)),
        ("this-month", date(2026, 3, 1), date(2026, 4, 1)),
        ("this-quarter", date(2026, 1, 1), date(2026, 4, 1)),
        ("this-year", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_text_names_the_days_it_says(text: str, start: date, end: date) -> None:
    found = window(text, as_of=NOW)
    assert (found.start, found.end) == (start, end)
    assert str(found) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "0d", "-5d", "9999999d", "999999w", "999999y", "2026-13", "2026-Q5",
        "2026-Q0", "2026-H3", "2025-W53", "2026-W00", "2026-02-29", "2026-03-01..2026-03-01",
        "2026-04-01..2026-03-01", "2026-3", "last-decade", "٩٠d", "0000", "2026-03-01...2026-04-01",
        "90 d ago", "9999",
    ],
)  # fmt: skip
def test_a_text_that_is_no_window_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(BadWindow) as caught:
        window(text, as_of=NOW)
    assert "2026-H1" in caught.value.hint
    assert "last-month" in caught.value.hint


def test_iso_weeks_at_the_end_of_the_year_belong_to_the_year_of_their_thursday() -> None:
    last = window("2026-W53", as_of=NOW)  # 2026 ends on a Thursday, so it has 53 weeks
    first = window("2027-W01", as_of=NOW)
    assert (last.start, last.end) == (date(2026, 12, 28), date(2027, 1, 4))
    assert last.end == first.start
    assert window("2025-W01", as_of=NOW).start == date(2024, 12, 30)


def test_today_is_the_local_day_of_as_of() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert window("1d", as_of=late, zone="Asia/Tokyo").start == date(2026, 4, 1)
    assert window("last-month", as_of=late, zone="Asia/Tokyo").start == date(2026, 3, 1)
    assert window("last-month", as_of=late).start == date(2026, 2, 1)


def test_as_of_without_a_zone_is_refused() -> None:
    with pytest.raises(BadWindow, match="time zone"):
        window("90d", as_of=datetime(2026, 3, 1))  # noqa: DTZ001 - the fault that is tested


@pytest.mark.parametrize("zone", ["Europe/Berlln", "", "../../etc/passwd", "Mars/Olympus"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadWindow, match="no time zone"):
        window("90d", as_of=NOW, zone=zone)


def test_a_misspelt_zone_is_met_with_the_nearest() -> None:
    with pytest.raises(BadWindow) as caught:
        zones.zone("europe/berlln")
    assert "Europe/Berlin" in caught.value.hint


def test_a_backward_window_cannot_be_made() -> None:
    with pytest.raises(BadWindow):
        Window(date(2026, 3, 2), date(2026, 3, 2))


@pytest.mark.parametrize(
    ("text", "start", "end", "name"),
    [
        ("2026-03", date(2026, 2, 1), date(2026, 3, 1), "2026-02"),
        ("2026-01", date(2025, 12, 1), date(2026, 1, 1), "2025-12"),
        ("last-month", date(2026, 1, 1), date(2026, 2, 1), "2026-01"),
        ("2026-H1", date(2025, 7, 1), date(2026, 1, 1), "2025-H2"),
        ("2026-Q1", date(2025, 10, 1), date(2026, 1, 1), "2025-Q4"),
        ("2026", date(2025, 1, 1), date(2026, 1, 1), "2025"),
        ("2026-W01", date(2025, 12, 22), date(2025, 12, 29), "2025-W52"),
        ("90d", date(2025, 9, 20), date(2025, 12, 19), "90d before 2025-12-19"),
        ("12mo", date(2024, 3, 19), date(2025, 3, 19), "12mo before 2025-03-19"),
        ("2026-03-01..2026-05-01", date(2026, 1, 1), date(2026, 3, 1), "2026-01-01..2026-03-01"),
        ("2026-03-10..2026-03-20", date(2026, 2, 28), date(2026, 3, 10), "2026-02-28..2026-03-10"),
        ("2026-03-01", date(2026, 2, 28), date(2026, 3, 1), "2026-02-28"),
    ],
)
def test_the_window_before_means_the_same(text: str, start: date, end: date, name: str) -> None:
    before = window(text, as_of=NOW).before()
    assert (before.start, before.end, before.name) == (start, end, name)


def test_days_stay_days_even_where_they_happen_to_be_a_month() -> None:
    april = window("30d", as_of=datetime(2026, 4, 30, 12, tzinfo=UTC))
    assert (april.start, april.end) == (date(2026, 4, 1), date(2026, 5, 1))
    assert april.before().start == date(2026, 3, 2)
    assert april.before().before().start == date(2026, 1, 31)


def test_rolling_months_follow_each_other_without_a_gap() -> None:
    end_of_march = window("1mo", as_of=datetime(2026, 3, 30, tzinfo=UTC))
    assert (end_of_march.start, end_of_march.end) == (date(2026, 2, 28), date(2026, 3, 31))
    before = end_of_march.before()
    assert (before.start, before.end) == (date(2026, 1, 31), date(2026, 2, 28))


def test_a_window_does_not_reach_before_the_calendar() -> None:
    with pytest.raises(BadWindow, match="beyond the years"):
        window("0001", as_of=NOW).before()


def test_a_day_that_has_no_midnight_begins_when_the_clock_goes_on() -> None:
    # Cairo put its clocks from 00:00 to 01:00 on 2026-04-24: the day begins at 01:00, 22:00 UTC.
    day = Window(date(2026, 4, 24), date(2026, 4, 25), "Africa/Cairo")
    assert day.start_at == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert day.start_at.astimezone(zones.zone("Africa/Cairo")).hour == 1
    assert day.end_at - day.start_at == timedelta(hours=23)


def test_a_day_whose_last_hour_comes_twice_has_25_hours() -> None:
    # Cairo put its clocks from 24:00 back to 23:00 on 2026-10-29.
    day = Window(date(2026, 10, 29), date(2026, 10, 30), "Africa/Cairo")
    assert day.start_at == datetime(2026, 10, 28, 21, tzinfo=UTC)
    assert day.end_at == datetime(2026, 10, 29, 22, tzinfo=UTC)


def test_new_york_has_days_of_23_and_25_hours() -> None:
    spring = Window(date(2026, 3, 8), date(2026, 3, 9), "America/New_York")
    autumn = Window(date(2026, 11, 1), date(2026, 11, 2), "America/New_York")
    assert spring.end_at - spring.start_at == timedelta(hours=23)
    assert autumn.end_at - autumn.start_at == timedelta(hours=25)


def test_a_gap_around_midnight_begins_the_day_after_the_gap() -> None:
    # Toronto, 1919-03-30: the clocks went from 23:30 to 00:30, so the 31st begins at 00:30.
    begins = zones.first_instant(date(1919, 3, 31), "America/Toronto")
    assert begins == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


def test_a_day_that_a_zone_left_out_begins_with_the_day_after() -> None:
    # Samoa went from the 29th of December 2011 straight to the 31st.
    missing = zones.first_instant(date(2011, 12, 30), "Pacific/Apia")
    assert missing == zones.first_instant(date(2011, 12, 31), "Pacific/Apia")
    assert missing == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_the_whole_calendar_is_a_window() -> None:
    everything = Window(date.min, date.max, "Pacific/Kiritimati")
    assert everything.start_at < datetime(2, 1, 1, tzinfo=UTC)
    assert everything.end_at > datetime(9999, 12, 1, tzinfo=UTC)


@given(st.sampled_from(ZONES), DAYS)
def test_a_day_begins_at_its_first_instant(zone: str, day: date) -> None:
    begins = zones.first_instant(day, zone)
    assert zones.local_day(begins, zone) >= day
    assert zones.local_day(begins - timedelta(microseconds=1), zone) < day


@given(st.sampled_from(ZONES), DAYS, st.integers(1, 400), st.integers(1, 400))
def test_windows_that_touch_add_up(zone: str, start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    one, two = Window(start, middle, zone), Window(middle, end, zone)
    whole = Window(start, end, zone)
    assert one.days + two.days == whole.days
    assert one.end_at == two.start_at
    assert (one.end_at - one.start_at) + (two.end_at - two.start_at) == (
        whole.end_at - whole.start_at
    )


@given(
    st.sampled_from(["90d", "2w", "12mo", "1y", "last-month", "this-quarter", "last-week"]),
    INSTANTS,
    st.sampled_from(ZONES),
)
def test_the_window_before_touches_and_is_as_long(text: str, now: datetime, zone: str) -> None:
    found = window(text, as_of=now, zone=zone)
    before = found.before()
    assert before.end == found.start
    assert abs(before.days - found.days) <= (0 if text[-1] in "dwk" else 3)
    assert before.before().end == before.start


@given(
    INSTANTS,
    st.sampled_from(ZONES),
)
def test_the_days_that_end_today_hold_now(now: datetime, zone: str) -> None:
    found = window("7d", as_of=now, zone=zone)
    assert found.start <= zones.local_day(now, zone) == found.end - timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-01", "UTC", datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-01", "Asia/Tokyo", datetime(2026, 3, 1, 14, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", "Asia/Tokyo", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00+02:00", "UTC", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (" 2026-03-01 12:00Z ", "UTC", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_as_of_is_read_from_a_date_or_a_time(text: str, zone: str, expected: datetime) -> None:
    assert windows.as_of(text, zone=zone) == expected


def test_a_date_as_of_is_the_last_day_of_the_window_and_that_day_is_over() -> None:
    now = windows.as_of("2026-03-31", zone="America/New_York")
    march = window("31d", as_of=now, zone="America/New_York")
    assert (march.start, march.end) == (date(2026, 3, 1), date(2026, 4, 1))
    assert march.over(now)
    assert not march.over(now - timedelta(microseconds=1))


@pytest.mark.parametrize("text", ["", "now", "2026-03-01T12:00", "2026-02-30", "20260301", "9999"])
def test_as_of_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(BadWindow):
        windows.as_of(text)


def test_a_period_holds_its_day_and_weeks_begin_on_monday() -> None:
    sunday = date(2027, 1, 3)
    assert windows.period(sunday, "day") == (sunday, date(2027, 1, 4))
    assert windows.period(sunday, "week") == (date(2026, 12, 28), date(2027, 1, 4))
    assert windows.period(sunday, "month") == (date(2027, 1, 1), date(2027, 2, 1))
    assert windows.period(sunday, "quarter") == (date(2027, 1, 1), date(2027, 4, 1))
    with pytest.raises(BadWindow, match="fortnight"):
        windows.period(sunday, "fortnight")
