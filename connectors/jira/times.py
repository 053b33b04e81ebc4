"""Times as Jira says and reads them; in a query they are local to the user, and whole minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WEST = "Etc/GMT+12"
"""The zone whose clocks are behind all others': a time read in it is never too late."""

_HOUR = timedelta(hours=1)


def instant(said: Any) -> datetime:
    """An instant as Jira writes it: text with an offset, or a number since 1970.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(said, int | float):
        seconds = said / 1000 if said > 100_000_000_000 else said  # both are documented
        return datetime.fromtimestamp(seconds, UTC)
    moment = datetime.fromisoformat(str(said))
    if moment.tzinfo is None:
        raise ValueError(f"a time without its offset: {said!r}")
    return moment.astimezone(UTC)


def zone(name: str | None) -> ZoneInfo:
    """The user's zone; where it is not known, the one in which nothing can be missed."""
    try:
        return ZoneInfo(name or _WEST)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_WEST)


def in_query(moment: datetime, where: ZoneInfo) -> str:
    """A time for a query that is read as this moment or earlier, whatever the clocks do.

    An hour that comes twice when clocks are set back could be read as the later one.
    """
    local = moment.astimezone(where)
    while local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
        moment -= _HOUR
        local = moment.astimezone(where)
    return local.strftime("%Y-%m-%d %H:%M")
