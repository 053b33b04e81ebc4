"""Local days and the periods they fall in, by the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def zone(name: str) -> ZoneInfo:
    """The zone as the `tzdata` package has it, whatever the system says."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def local_day(instant: datetime, where: ZoneInfo) -> date:
    return instant.astimezone(where).date()


def period_of(day: date, grain: str) -> tuple[date, date]:
    """The day, ISO week, month or quarter of a day, half-open."""
    if grain == "day":
        return day, day + DAY
    if grain == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    length = 1 if grain == "month" else 3
    first = date(day.year, (day.month - 1) // length * length + 1, 1)
    following = first.month + length
    return first, date(first.year + (following > 12), (following - 1) % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    grain: str
    start: date
    end: date
    partial: bool


def periods(start: date, end: date, grains: tuple[str, ...], today: date) -> list[Period]:
    """The window itself, and every period that has a day in it."""
    found = [Period("window", start, end, end > today)]
    for grain in grains:
        day = start
        while day < end:
            first, last = period_of(day, grain)
            cut = first < start or last > end
            found.append(Period(grain, first, last, cut or last > today))
            day = last
    return found
