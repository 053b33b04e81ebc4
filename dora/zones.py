"""Time zones: where they come from, and on which instant a local day begins.

Editions of the time zone database differ between systems, and with them the day on which a thing
falls. So the zones of the `tzdata` package are read before the system's own, and everything that
needs a local day, SQL included, goes by `offsets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from dora.errors import BadWindow
from dora.spelling import closest

_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_FIRST, _LAST = date.min.toordinal() + 4, date.max.toordinal() - 4
_STEP = timedelta(days=1)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name, such as `Europe/Berlin`.

    Raises:
        BadWindow: There is no such zone.
    """
    if not _NAME.fullmatch(name):
        raise _unknown(name)
    try:
        with files("tzdata").joinpath("zoneinfo", name).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ModuleNotFoundError, ValueError):
        pass
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):
        raise _unknown(name) from None


def _unknown(name: str) -> BadWindow:
    try:
        known = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    except (OSError, ModuleNotFoundError):
        known = []
    close = closest(name, known)
    meant = f"Did you mean {close[0]}? " if close else ""
    return BadWindow(
        f"There is no time zone {name!r}.",
        hint=f"{meant}Use an IANA name, such as UTC, Europe/Berlin or America/New_York.",
    )


def local_day(instant: datetime, name: str) -> date:
    """The day on which an instant falls in a zone."""
    return instant.astimezone(zone(name)).date()


@lru_cache(maxsize=256)
def first_instant(day: date, name: str) -> datetime:
    """The first instant of a local day, in UTC.

    Midnight may not exist: the day then begins where the clock goes on. A day that a zone left
    out altogether begins, and ends, with the day after it.
    """
    tz = zone(name)
    midnight = _clamped(day, 0)
    end = midnight + timedelta(days=2)
    segments = list(_switches(tz, midnight - timedelta(days=2), end))
    ends = [begins for begins, _ in segments[1:]] + [end]
    found = (
        min(max(midnight - timedelta(seconds=seconds), begins), until)
        for (begins, seconds), until in zip(segments, ends, strict=True)
    )
    return min(instant for instant in found if instant.astimezone(tz).date() >= midnight.date())


def offsets(name: str, start: date, end: date) -> list[tuple[datetime, int]]:
    """What a zone adds to UTC, and from when, for all instants of the local days [start, end).

    Returns:
        Pairs of an instant in UTC and the seconds east of UTC that hold from it on, until the next
        pair; the first begins before `start` in every zone, the last holds to the end.
    """
    return list(_offsets(name, start, end))


@lru_cache(maxsize=64)
def _offsets(name: str, start: date, end: date) -> tuple[tuple[datetime, int], ...]:
    return tuple(_switches(zone(name), _clamped(start, -2), _clamped(end, 2)))


def _clamped(day: date, days: int) -> datetime:
    """Midnight in UTC some days later, kept where every zone's clock can still be read."""
    ordinal = min(max(day.toordinal() + days, _FIRST), _LAST)
    return datetime.combine(date.fromordinal(ordinal), time(), UTC)


def _switches(tz: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """The offset at `start`, then every change of it up to `end`."""
    before, seconds = start, _seconds(tz, start)
    yield start, seconds
    while before < end:
        after = min(before + _STEP, end)
        if _seconds(tz, after) != seconds:
            switch = _bisect(tz, before, after)
            seconds = _seconds(tz, switch)
            yield switch, seconds
            after = switch
        before = after


def _bisect(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole second after `before` at which the offset is another."""
    seconds, low, high = _seconds(tz, before), 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _seconds(tz, before + timedelta(seconds=middle)) == seconds:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _seconds(tz: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(tz).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
