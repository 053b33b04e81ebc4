"""From a calendar to times: when its windows, freezes and trains were, for whom, in UTC.

Rules run by the clock on the wall of their zone, so that a window at ten stays at ten when the
clocks change. A time that a clock leaves out is that much later; of one that it shows twice it is
the first. A length of hours is that long in true time, as RFC 5545 has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dora import zones
from dora.errors import ConfigError

if TYPE_CHECKING:
    from dora.config.calendar import Calendar, Entry

Sort = Literal["window", "freeze", "closed", "train", "office", "frozen", "before", "thaw"]

BEFORE = timedelta(days=400)
"""How far around the window of time that is asked for the calendar is laid out."""

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
"""Lengths of time in microseconds, as SELECTs count them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One window, freeze, departure or working day as it was.

    Attributes:
        begins: Its first instant; a train's departure.
        ends: The first instant after it; for a train its departure, too.
        name: What the calendar calls it.
        sort: What it is: a window, a freeze, a train, office hours, or what is told from freezes.
    """

    begins: datetime
    ends: datetime
    name: str
    sort: Sort


def of_entry(
    entry: Entry, sort: Sort, first: datetime, last: datetime, *, zone: str, base: Path
) -> list[Occurrence]:
    """The occurrences of one entry that touch the time from `first` to `last`.

    Raises:
        ConfigError: Its calendar file cannot be read.
    """
    if entry.ics is not None:
        found = _of_file(base / entry.ics, entry.name, sort, first, last)
    else:
        lasts = _length(entry)
        begins = _starts(entry, first - lasts, last, entry.timezone or zone)
        found = [Occurrence(at, _end(entry, at, lasts, zone), entry.name, sort) for at in begins]
    return [one for one in found if one.ends >= first and one.begins < last]


def _length(entry: Entry) -> timedelta:
    return getattr(entry, "duration", None) or timedelta(0)


def _end(entry: Entry, begins: datetime, lasts: timedelta, zone: str) -> datetime:
    until = getattr(entry, "until", None)
    return begins + lasts if until is None else instant(until, entry.timezone or zone)


def _starts(entry: Entry, first: datetime, last: datetime, zone: str) -> Iterator[datetime]:
    assert entry.start is not None
    if entry.rrule is None:
        yield instant(entry.start, zone)
        return
    from dateutil.rrule import rrulestr

    local = [moment.astimezone(zones.zone(zone)).replace(tzinfo=None) for moment in (first, last)]
    rule = rrulestr(entry.rrule, dtstart=entry.start)
    margin = timedelta(days=1)  # what clocks do moves a time by less
    for at in rule.between(local[0] - margin, local[1] + margin, inc=True):
        yield instant(at, zone)


def instant(local: datetime, zone: str) -> datetime:
    """What a clock on the wall of a zone shows, in UTC."""
    return local.replace(tzinfo=zones.zone(zone)).astimezone(UTC)


def _of_file(
    path: Path, name: str, sort: Sort, first: datetime, last: datetime
) -> list[Occurrence]:
    try:
        import icalendar
    except ImportError as error:
        raise ConfigError(
            f"{path} is a calendar file, which needs a library that is not installed.",
            hint='Install it: pip install "dora-metrics[calendars]".',
        ) from error
    try:
        events = icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
        return sorted(one for e in events for one in _of_event(e, name, sort, first, last))
    except KeyError as error:
        raise ConfigError(
            f"{path} has an event without {error}.", hint="Correct it, or name another .ics file."
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read as a calendar: {error}.", hint="Name an .ics file."
        ) from error


def _of_event(
    event: Any, name: str, sort: Sort, first: datetime, last: datetime
) -> Iterator[Occurrence]:
    from dateutil.rrule import rrulestr

    begins, zone = _local(event.decoded("DTSTART"))
    lasts = _lasting(event, begins)
    if "RRULE" in event:
        left_out = {_local(one.dt)[0] for one in _exceptions(event)}
        rule = rrulestr(event["RRULE"].to_ical().decode(), dtstart=begins, ignoretz=True)
        margin = timedelta(days=1)
        plain = [m.astimezone(zones.zone(zone)).replace(tzinfo=None) for m in (first, last)]
        starts = rule.between(plain[0] - lasts - margin, plain[1] + margin, inc=True)
        starts = [at for at in starts if at not in left_out]
    else:
        starts = [begins]
    for at in starts:
        from_then = instant(at, zone)
        yield Occurrence(from_then, from_then + lasts, name, sort)


def _exceptions(event: Any) -> Iterable[Any]:
    listed = event.get("EXDATE", [])
    for one in listed if isinstance(listed, list) else [listed]:
        yield from one.dts


def _local(moment: date | datetime) -> tuple[datetime, str]:
    """A time of a calendar file by the clock of its zone, and the zone."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time()), "UTC"
    zone = str(moment.tzinfo) if moment.tzinfo else "UTC"
    return moment.replace(tzinfo=None), zone


def _lasting(event: Any, begins: datetime) -> timedelta:
    if "DURATION" in event:
        lasts: timedelta = event.decoded("DURATION")
        return lasts
    if "DTEND" in event:
        return _local(event.decoded("DTEND"))[0] - begins
    whole_day = not isinstance(event.decoded("DTSTART"), datetime)
    return timedelta(days=1) if whole_day else timedelta(0)


def office(calendar: Calendar, first: datetime, last: datetime, *, zone: str) -> list[Occurrence]:
    """The working hours from `first` to `last`: Monday to Friday without holidays.

    Raises:
        ConfigError: Holidays are asked for whose library is not installed, or of no known country.
    """
    opens, closes = (_clock(text) for text in calendar.office_hours.split("-"))
    day = zones.local_day(first, zone)
    end = zones.local_day(last, zone)
    closed = _holidays(calendar.holidays, range(day.year, end.year + 1))
    found = []
    while day <= end:
        if day.weekday() < 5 and day not in closed:
            midnight = datetime.combine(day, time())
            found.append(
                Occurrence(
                    instant(midnight + opens, zone), instant(midnight + closes, zone), "", "office"
                )
            )
        day += timedelta(days=1)
    return found


def _clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _holidays(where: str | None, years: Iterable[int]) -> frozenset[date]:
    if where is None:
        return frozenset()
    try:
        import holidays
    except ImportError as error:
        raise ConfigError(
            "Holidays need a library that is not installed.",
            hint='Install it: pip install "dora-metrics[calendars]".',
        ) from error
    country, _, part = where.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=years))
    except NotImplementedError as error:
        raise ConfigError(
            f"No holidays are known of {where!r}.",
            hint="Write a country, or one of its parts, by its ISO 3166 code: DE, DE-BY.",
        ) from error


def without(
    spans: Iterable[tuple[datetime, datetime]], others: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What is left of spans where others do not cover them; the others are merged."""
    left = []
    for begins, ends in spans:
        for other, until in others:
            if until <= begins or ends <= other:
                continue
            if begins < other:
                left.append((begins, other))
            begins = max(begins, until)
        if begins < ends:
            left.append((begins, ends))
    return left


def common(
    spans: Sequence[tuple[datetime, datetime]], others: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What spans and others both cover; both are merged."""
    return without(spans, without(spans, others))


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that touch or overlap as one."""
    joined: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        elif begins < ends:
            joined.append((begins, ends))
    return joined


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
