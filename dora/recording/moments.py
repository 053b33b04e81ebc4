"""Times as pipelines write them: ISO 8601 with an offset, or a number since 1970 in any unit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_START = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"(\d{9,19})(?:\.(\d+))?", re.ASCII)
_UNITS = ((10**8, 1_000_000), (10**11, 1_000), (10**14, 1))
_NANOSECONDS = 10**17
_SPAN = 100
"""From where a number of seconds, milliseconds … means a time of 1973, and how far: until 2286.
What lies between two units is no time, so that 20260301120000 is not taken for one."""


def moment(said: object, zone: tzinfo | None = None) -> datetime:
    """The instant that a text or a number means, in UTC.

    Args:
        said: ISO 8601, or seconds, milliseconds, microseconds or nanoseconds since 1970.
        zone: The zone of a time that states none; without it such a time is refused.

    Raises:
        ValueError: It is no time; the message says why.
    """
    text = str(said).strip()
    try:
        if isinstance(said, bool):
            raise ValueError
        if number := _NUMBER.fullmatch(text):
            return _START + timedelta(microseconds=_microseconds(int(number[1]), number[2] or ""))
        parsed = datetime.fromisoformat(text.removesuffix(" UTC") + "Z" * text.endswith(" UTC"))
    except ValueError:
        raise ValueError(f"it is no time: {text[:40]!r}") from None
    if parsed.tzinfo is None:
        if zone is None:
            raise ValueError(f"it has no time zone: {text[:40]!r}")
        parsed = parsed.replace(tzinfo=zone)
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"it is no time: {text[:40]!r}") from None


def _microseconds(count: int, fraction: str) -> int:
    for first, factor in _UNITS:
        if first <= count < first * _SPAN:
            return count * factor + int(fraction[:6].ljust(6, "0")) * factor // 1_000_000
    if _NANOSECONDS <= count < _NANOSECONDS * _SPAN:
        return count // 1_000
    raise ValueError(count)


def written(instant: datetime) -> str:
    """An instant as every line has it: ISO 8601 in UTC, no more digits than it needs."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
