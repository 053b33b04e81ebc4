"""Windows of time: half-open runs of local days, and the words that name them.

A window is made of days of the calendar in a reporting zone, not of hours: an instant is in it if
the local day on which it falls is. So windows that touch add up, whatever the clocks do.

| text | window |
|---|---|
| `90d`, `12w` | that many days, or weeks of seven, ending with today's |
| `12mo`, `2y` | that many months or years, ending with today |
| `2026`, `2026-H1`, `2026-Q2`, `2026-03` | year, half, quarter, month |
| `2026-W07` | ISO week, Monday to Sunday |
| `2026-03-01` | one day |
| `2026-03-01..2026-04-01` | from the first day up to, and without, the second |
| `last-month`, `this-week` … | the day, week, month, quarter, half or year before, or of, today |

"Today" is the local day of `as_of`, never that of the machine's clock.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dora import zones
from dora.errors import BadWindow

GRAINS = ("day", "week", "month", "quarter")
"""The periods that a window can be cut into."""

FORMS = (
    "90d, 12w, 12mo, 2y, 2026, 2026-H1, 2026-Q2, 2026-03, 2026-W07, 2026-03-01, "
    "2026-03-01..2026-04-01, last-week, last-month, last-quarter, last-year, this-month"
)

_INSTANT = timedelta(microseconds=1)
_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_ROLLING = re.compile(r"([0-9]{1,6})(d|w|mo|y)")
_LATER_ROLLING = re.compile(r"([0-9]{1,6})(mo|y)\b")


@dataclass(frozen=True, slots=True)
class Window:
    """A run of local days, from `start` up to and without `end`.

    Attributes:
        start: The first day.
        end: The day after the last.
        zone: IANA name of the zone whose days they are.
        name: The words it was asked for with, such as `last-month`.
    """

    start: date
    end: date
    zone: str = "UTC"
    name: str = ""

    def __post_init__(self) -> None:
        zones.zone(self.zone)
        if self.start >= self.end:
            raise BadWindow(
                f"The window {self.start}..{self.end} has no day in it.",
                hint="Its end is the day after its last, and so later than its start.",
            )

    def __str__(self) -> str:
        return self.name or f"{self.start}..{self.end}"

    @property
    def start_at(self) -> datetime:
        """The first instant of the first day, in UTC."""
        return zones.first_instant(self.start, self.zone)

    @property
    def end_at(self) -> datetime:
        """The first instant after the window, in UTC."""
        return zones.first_instant(self.end, self.zone)

    @property
    def days(self) -> int:
        """How many days of the calendar it has."""
        return (self.end - self.start).days

    def over(self, as_of: datetime) -> bool:
        """Whether nothing more can fall into it: `as_of` has reached its last microsecond."""
        return as_of >= self.end_at - _INSTANT

    def before(self) -> Window:
        """The window of equal meaning that ends where this one starts.

        Whole months, quarters and years go back by as many months, rolling months (`12mo`) too;
        everything else by as many days.

        Raises:
            BadWindow: The calendar does not go back that far.
        """
        rolling = _LATER_ROLLING.match(self.name)
        months = _months_in(self.start, self.end)
        if rolling:
            months = int(rolling[1]) * (12 if rolling[2] == "y" else 1)
            start = _add_months(self.end, -2 * months)
        elif months and not re.match(r"[0-9]+[dw]\b", self.name):
            start = _add_months(self.start, -months)
        else:
            start = _add_days(self.start, -self.days)
        return Window(start, self.start, self.zone, self._name_before(start))

    def _name_before(self, start: date) -> str:
        length = _ROLLING.match(self.name)
        if length:
            return f"{length[0]} before {self.start}"
        return _unit_name(start, self.start)


def window(text: str, *, as_of: datetime, zone: str = "UTC") -> Window:
    """The window that a text such as `90d`, `2026-H1` or `last-month` stands for.

    Args:
        text: One of the forms listed at the top of this module; case does not matter.
        as_of: What stands for now, an aware datetime.
        zone: IANA name of the reporting zone.

    Raises:
        BadWindow: The text, the zone or `as_of` cannot be understood; the hint lists the forms.
    """
    if as_of.tzinfo is None:
        raise BadWindow("`as_of` has no time zone.", hint="Give it one, for example UTC.")
    today = zones.local_day(as_of, zone)
    clean = text.strip().casefold()
    for pattern, read in _READERS:
        match = pattern.fullmatch(clean)
        if match:
            start, end = _days_of(text, read, match, today)
            return Window(start, end, zone, text.strip())
    raise _bad(text, "it has none of the forms of a window")


def as_of(text: str, *, zone: str = "UTC") -> datetime:
    """The instant that stands for now, from a date or a time; in UTC.

    A date means the last microsecond of that day in the zone, so that the day itself is over and
    is the last one of `90d`.

    Raises:
        BadWindow: Neither a date nor a time with an offset.
    """
    clean = text.strip()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", clean):
            return zones.first_instant(_add_days(date.fromisoformat(clean), 1), zone) - _INSTANT
        instant = datetime.fromisoformat(clean)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        instant = None
    reason = "has no offset from UTC" if instant is not None else "is neither a date nor a time"
    raise BadWindow(
        f"{text!r} {reason}.", hint="Write a date, 2026-03-01, or a time, 2026-03-01T12:00:00Z."
    )


_Days = tuple[date, date]
_Reader = Callable[["re.Match[str]", date], _Days]


def _days_of(text: str, read: _Reader, match: re.Match[str], today: date) -> _Days:
    try:
        start, end = read(match, today)
    except (ValueError, OverflowError) as error:
        raise _bad(text, str(error)) from None
    if start >= end:
        raise _bad(text, "its end is not after its start; the end is the day after the last")
    return start, end


def _bad(text: object, reason: str) -> BadWindow:
    return BadWindow(f"{text!r} is no window: {reason}.", hint=f"Windows look like: {FORMS}.")


def _rolling(match: re.Match[str], today: date) -> _Days:
    count, unit, end = int(match[1]), match[2], _add_days(today, 1)
    if count == 0:
        raise ValueError("it has no day in it")
    if unit in ("d", "w"):
        return _add_days(end, -count * (7 if unit == "w" else 1)), end
    return _add_months(end, -count * (12 if unit == "y" else 1)), end


def _calendar_unit(match: re.Match[str], _: date) -> _Days:
    year, kind, number = int(match[1]), match[2] or "y", int(match[3] or 1)
    months = {"y": 12, "h": 6, "q": 3}[kind]
    if not 1 <= number <= 12 // months:
        raise ValueError(f"a year has no {(match[2] or '').upper()}{number}")
    start = date(year, (number - 1) * months + 1, 1)
    return start, _add_months(start, months)


def _month(match: re.Match[str], _: date) -> _Days:
    start = date(int(match[1]), int(match[2]), 1)
    return start, _add_months(start, 1)


def _iso_week(match: re.Match[str], _: date) -> _Days:
    start = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return start, _add_days(start, 7)


def _day(match: re.Match[str], _: date) -> _Days:
    start = date.fromisoformat(match[0])
    return start, _add_days(start, 1)


def _range(match: re.Match[str], _: date) -> _Days:
    return date.fromisoformat(match[1]), date.fromisoformat(match[2])


def _named(match: re.Match[str], today: date) -> _Days:
    which, unit = match[1], match[2]
    start, end = period(today, unit)
    if which == "this":
        return start, end
    return period(_add_days(start, -1), unit)


_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_ROLLING, _rolling),
    (re.compile("([0-9]{4})(?:-([hq])([0-9]))?"), _calendar_unit),
    (re.compile("([0-9]{4})-([0-9]{2})"), _month),
    (re.compile("([0-9]{4})-w([0-9]{2})"), _iso_week),
    (re.compile(_DATE), _day),
    (re.compile(f"({_DATE})\\.\\.({_DATE})"), _range),
    (re.compile("(this|last)-(day|week|month|quarter|half|year)"), _named),
)


def period(day: date, grain: str) -> _Days:
    """The first day of the period that a day falls into, and the day after its last.

    Weeks are ISO weeks: they begin on Monday.

    Raises:
        BadWindow: There is no such grain.
    """
    if grain == "day":
        return day, _add_days(day, 1)
    if grain == "week":
        start = _add_days(day, -day.weekday())
        return start, _add_days(start, 7)
    months = _MONTHS.get(grain)
    if months is None:
        raise BadWindow(f"There is no period {grain!r}.", hint=f"Periods: {', '.join(GRAINS)}.")
    start = date(day.year, (day.month - 1) // months * months + 1, 1)
    return start, _add_months(start, months)


def _add_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise _beyond() from None


def _add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise _beyond()
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _beyond() -> BadWindow:
    return BadWindow(
        "The window reaches beyond the years 1 to 9999.", hint=f"Windows look like: {FORMS}."
    )


def _months_in(start: date, end: date) -> int:
    """How many months a run of days is, 0 if it is not whole months."""
    if start.day != 1 or end.day != 1:
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _unit_name(start: date, end: date) -> str:
    """The shortest text that stands for these days."""
    months = _months_in(start, end)
    if months in (1, 3, 6, 12) and (start.month - 1) % months == 0:
        number = (start.month - 1) // months + 1
        suffix = {1: f"-{number:02d}", 3: f"-Q{number}", 6: f"-H{number}", 12: ""}[months]
        return f"{start.year:04d}{suffix}"
    if (end - start).days == 7 and start.weekday() == 0:
        year, week, _ = start.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return f"{start}" if (end - start).days == 1 else f"{start}..{end}"
