"""The calendar in `dora.toml`: its faults with their lines, and the times it means."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dora.config import calendar
from dora.config.checks import Faults
from dora.errors import ConfigError
from dora.release import occurrences
from dora.release.occurrences import Occurrence
from tests.release.harness import planned

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def faults(text: str) -> tuple[str, ...]:
    found = Faults(text)
    calendar.read(tomllib.loads(text)["calendar"], found)
    return found.listed()


def times(text: str, sort: str = "windows", base: Path = Path()) -> list[tuple[str, str]]:
    """The beginnings and ends, in UTC, of the only entry of a sort."""
    [entry] = getattr(planned(text), sort)
    found = occurrences.of_entry(entry, "window", FIRST, LAST, zone="UTC", base=base)
    return [(f"{one.begins:%m-%dT%H:%M}", f"{one.ends:%m-%dT%H:%M}") for one in found]


def window(body: str, sort: str = "windows") -> str:
    return f'[[calendar.{sort}]]\nname = "w"\n{body}\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (window('rrule = "FREQ=SOMETIMES"\nstart = 2026-01-01\nduration = "1h"'), 3, "RFC 5545"),
        (window('start = 2026-01-01T10:00:00Z\nduration = "1h"'), 1, "without an offset"),
        (window("start = 2026-01-01"), 1, "`duration` or `until`"),
        (window('duration = "1h"'), 1, "`start`, its first time"),
        (window("start = 2026-02-01\nuntil = 2026-01-01"), 1, "ends before it begins"),
        (window('start = 2026-01-01\nduration = "soon"'), 4, "length of time"),
        (window('start = 2026-01-01\nduration = "1h"\ntimezone = "Mars"'), 5, "Mars"),
        (window('start = 2026-01-01\ncutof = "1h"', "trains"), 4, "did you mean 'cutoff'"),
        ("[calendar]\nwindow = []\n", 2, "did you mean 'windows'"),
        ('[calendar]\nholidays = "Germany"\n', 2, "holidays"),
        ('[calendar]\noffice_hours = "9 to 5"\n', 2, "office_hours"),
        ("[calendar]\nchecks = 3\n", 2, "checks"),
        ("[calendar]\nfreezes = 3\n", 2, "[[calendar.freezes]]"),
        (2 * window('start = 2026-01-01\nduration = "1h"'), 6, "already"),
    ],
)
def test_a_fault_has_its_line_and_says_what_is_wrong(text: str, line: int, words: str) -> None:
    listed = faults(text)
    assert len(listed) == 1, listed
    assert listed[0].startswith(f"line {line}:")
    assert words in listed[0]


def test_a_time_that_the_clock_leaves_out_is_that_much_later() -> None:
    """Cairo's clocks go from 24 April 2026, 00:00, straight to 01:00."""
    text = window('start = 2026-04-24\nduration = "1h"\ntimezone = "Africa/Cairo"')
    assert times(text) == [("04-23T22:00", "04-23T23:00")]


def test_a_window_over_the_night_of_a_change_lasts_its_hours() -> None:
    text = window(
        'rrule = "FREQ=DAILY;COUNT=2"\nstart = 2026-03-28T22:00:00\nduration = "8h"\n'
        'timezone = "Europe/Berlin"'
    )
    assert times(text) == [("03-28T21:00", "03-29T05:00"), ("03-29T20:00", "03-30T04:00")]


def test_a_freeze_has_days() -> None:
    text = window("start = 2026-12-18\nuntil = 2027-01-04", "freezes")
    assert times(text, "freezes") == [("12-18T00:00", "01-04T00:00")]


def test_only_what_touches_the_time_asked_for_is_found() -> None:
    text = window('rrule = "FREQ=YEARLY"\nstart = 2020-12-31T12:00:00\nduration = "24h"')
    assert times(text) == [("12-31T12:00", "01-01T12:00"), ("12-31T12:00", "01-01T12:00")]


def test_a_calendar_file_says_the_same(tmp_path: Path) -> None:
    """Written as calendar programs write it: folded lines, a zone, an exception, a whole day."""
    (tmp_path / "releases.ics").write_bytes(
        "\r\n".join(
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//test//EN",
                "BEGIN:VEVENT",
                "UID:1",
                "SUMMARY:Release",
                "DTSTART;TZID=Europe/Berlin:20260324T100000",
                "DTEND;TZID=Europe/Berlin:20260324T140000",
                "RRULE:FREQ=WEEKLY;COUNT=3",
                "EXDATE;TZID=Europe/Berlin:20260407T100000",
                "END:VEVENT",
                "BEGIN:VEVENT",
                "UID:2",
                "SUMMARY:Whole",
                "  day",
                "DTSTART;VALUE=DATE:20260501",
                "END:VEVENT",
                "END:VCALENDAR",
                "",
            ]
        ).encode()
    )
    assert times(window('ics = "releases.ics"'), base=tmp_path) == [
        ("03-24T09:00", "03-24T13:00"),
        ("03-31T08:00", "03-31T12:00"),
        ("05-01T00:00", "05-02T00:00"),
    ]


def test_a_file_that_is_no_calendar_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.ics").write_text("no calendar")
    for name in ("x.ics", "missing.ics"):
        with pytest.raises(ConfigError, match=name):
            times(window(f'ics = "{name}"'), base=tmp_path)


def test_an_event_without_a_beginning_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    with pytest.raises(ConfigError, match=r"x\.ics has an event without 'DTSTART'"):
        times(window('ics = "x.ics"'), base=tmp_path)


def test_working_hours_leave_out_weekends_and_holidays() -> None:
    """Good Friday and Easter Monday of 2026 are 3 and 6 April."""
    text = '[calendar]\nholidays = "DE-BY"\noffice_hours = "08:30-16:00"\n'
    first, last = datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 4, 7, tzinfo=UTC)
    found = occurrences.office(planned(text), first, last, zone="UTC")
    assert [one.begins.date() for one in found] == [date(2026, 4, 2), date(2026, 4, 7)]
    assert (found[0].begins.hour, found[0].begins.minute, found[0].ends.hour) == (8, 30, 16)


def test_holidays_of_nowhere_are_a_clear_error() -> None:
    text = '[calendar]\nholidays = "DE-XX"\n'
    with pytest.raises(ConfigError, match="DE-XX"):
        occurrences.office(planned(text), FIRST, LAST, zone="UTC")


def test_spans_that_touch_are_one() -> None:
    hours = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(10)]
    spans = [(hours[4], hours[5]), (hours[0], hours[2]), (hours[1], hours[3]), (hours[3], hours[3])]
    assert occurrences.merged(spans) == [(hours[0], hours[3]), (hours[4], hours[5])]
    assert Occurrence(hours[0], hours[1], "a", "window") < Occurrence(
        hours[1], hours[2], "a", "window"
    )
