"""What `[privacy]` says: how few people may stand behind a cell, and how long facts are kept."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from dora.errors import ConfigError

LEAST_AUTHORS = 5
"""What `k` is unless it is set: the floor found in agreements with works councils."""

_SPAN = re.compile(r"([1-9][0-9]{0,4})\s*(d|w|mo|y)")
_MONTHS = {"mo": 1, "y": 12}
_DAYS = {"d": 1, "w": 7}


@dataclass(frozen=True, slots=True)
class Retention:
    """How long facts are kept.

    Attributes:
        count: How many units.
        unit: d, w, mo or y.
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Retention:
        """What a text such as `3y`, `18mo`, `26w` or `90d` stands for.

        Raises:
            ConfigError: It is none of these.
        """
        found = _SPAN.fullmatch(text.strip().casefold())
        if found is None:
            raise ConfigError(
                f"{text!r} is no time to keep facts for.",
                hint="Write it like 3y, 18mo, 26w or 90d.",
            )
        return cls(int(found[1]), found[2])

    def limit(self, now: datetime) -> datetime:
        """The earliest time that is kept: midnight UTC that long ago."""
        today = now.astimezone(UTC).date()
        if self.unit in _DAYS:
            day = today - timedelta(days=self.count * _DAYS[self.unit])
        else:
            months = today.year * 12 + today.month - 1 - self.count * _MONTHS[self.unit]
            year, month = max(1, months // 12), months % 12 + 1
            last = calendar.monthrange(year, month)[1]
            day = today.replace(year=year, month=month, day=min(today.day, last))
        return datetime.combine(day, time(), UTC)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@dataclass(frozen=True, slots=True)
class Privacy:
    """How the people behind the facts are protected.

    Attributes:
        k: A cell below the level of a service is shown from so many distinct authors on.
        retention: How long facts are kept; None for good.
    """

    k: int = LEAST_AUTHORS
    retention: Retention | None = None
