"""Lists of PagerDuty: windows of time that are made smaller where they hold too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.http.offsets import by_offset
from connectors.http.rest import Answer, Rest
from connectors.pagerduty.incidents import State, ended, instant, state
from dora.errors import SourceError

JSON: TypeAlias = dict[str, Any]

SIZE = 100
MOST = 10_000
"""Rows of a list that can be reached; what is behind them is not to be had."""

LONGEST = timedelta(days=180)
"""What a window may have; the limit is six months."""

_DAY = timedelta(days=1)
_SHORTEST = timedelta(minutes=1)


class TooMany(SourceError):
    """A list has more rows than can be reached."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"PagerDuty has more than {MOST} {where}, and shows no more.",
            hint="Name fewer services: some in each source.",
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists incidents and their logs.

    Attributes:
        rest: Asks the host.
        filters: Which services and urgencies.
    """

    rest: Rest
    filters: Mapping[str, Any]

    def created(self, begin: datetime, until: datetime) -> Iterator[tuple[list[JSON], datetime]]:
        """Incidents created from `begin` on, by windows, each with the time up to which it goes.

        Windows begin and end with days, as the host may not look at the time of day.

        Raises:
            SourceError: The host refuses, or does not answer.
        """
        while begin < until:
            end = min(until, begin + LONGEST)
            found, end = self._fitting("incidents", begin, end, self.filters, _by_number)
            yield found, end
            begin = end

    def open(self) -> list[JSON]:
        """All incidents that are not resolved, however old.

        Raises:
            SourceError: The host refuses, or does not answer.
        """
        asked = {**self.filters, "date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
        asked["sort_by"] = "incident_number:asc"
        return [row for page in self._pages("incidents", asked, _by_number) for row in page]

    def resolved(self, since: datetime) -> list[JSON]:
        """All incidents that were resolved since then, however old.

        Raises:
            SourceError: The host refuses, or does not answer.
            TooMany: There are more than can be reached.
        """
        asked = {**self.filters, "date_range": "all", "statuses[]": ["resolved"]}
        asked["sort_by"] = "resolved_at:desc"
        found: list[JSON] = []
        for page in self._pages("incidents", asked, _by_end):
            found += [row for row in page if ended(row) >= since]
            if ended(page[-1]) < since:
                break
        return found

    def first(self) -> Answer:
        """The incident that was created first, if there is any, and what time it is there.

        Raises:
            SourceError: The host refuses, or does not answer.
        """
        asked = {**self.filters, "date_range": "all", "sort_by": "created_at:asc"}
        return self._ask("incidents", {**asked, "limit": 1, "offset": 0})

    def one(self, id_: str) -> JSON:
        """One incident.

        Raises:
            Absent: It is not there.
            SourceError: The host refuses, or does not answer.
        """
        answer = self.rest.get(f"incidents/{id_}", whole=lambda said: _has(said, "incident"))
        found: JSON = answer.content["incident"]
        return found

    def log(self, id_: str) -> list[State]:
        """What happened to one incident.

        Raises:
            SourceError: The host refuses, or does not answer.
        """
        asked = {"is_overview": "true"}
        pages = self._pages(f"incidents/{id_}/log_entries", asked, _by_age)
        return [found for page in pages for entry in page if (found := state(entry))]

    def logs(self, begin: datetime, end: datetime, wanted: int) -> dict[str, list[State]] | None:
        """What happened to all incidents within a time, or None where that costs more requests.

        Args:
            begin: The beginning.
            end: The end.
            wanted: How many incidents it is wanted for, each of which has a log of its own.
        """
        asked = {"is_overview": "true", "limit": 1, "total": "true", **_window(begin, end)}
        total = self._ask("log_entries", asked).content.get("total")
        if not isinstance(total, int) or total / SIZE >= wanted:
            return None
        found: dict[str, list[State]] = {}
        while begin < end:
            filters = {"is_overview": "true"}
            entries, begin = self._fitting("log_entries", begin, end, filters, _by_age)
            for entry in entries:
                if one := state(entry):
                    found.setdefault(entry["incident"]["id"], []).append(one)
        return found

    def _fitting(
        self, path: str, begin: datetime, end: datetime, filters: Mapping[str, Any], place: Any
    ) -> tuple[list[JSON], datetime]:
        """The rows of the longest window from `begin` on that can be reached, and its end."""
        while True:
            asked = {**filters, **_window(begin, end)}
            if path == "incidents":
                asked["sort_by"] = "incident_number:asc"
            try:
                return [row for page in self._pages(path, asked, place) for row in page], end
            except TooMany:
                end = _halved(begin, end)

    def _pages(self, path: str, asked: Mapping[str, Any], place: Any) -> Iterator[list[JSON]]:
        key = path.rpartition("/")[2]

        def ask(start: int) -> tuple[list[JSON], bool]:
            if start + SIZE > MOST:
                raise TooMany(f"rows in {path}")
            more: JSON = {"offset": start, "limit": SIZE}
            if "since" in asked and not start:
                more["total"] = "true"  # so that a window too large is known at once
            said = self._ask(path, {**asked, **more}).content
            if (said.get("total") or 0) > MOST:
                raise TooMany(f"rows in {path}")
            return said[key], bool(said.get("more"))

        yield from by_offset(ask, place, size=SIZE)

    def _ask(self, path: str, asked: Mapping[str, Any]) -> Answer:
        key = path.rpartition("/")[2]
        return self.rest.get(
            path, {"time_zone": "UTC", **asked}, whole=lambda said: _are_rows(said, key)
        )


def days(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """A window with whole days around it; the host may take only the day of a time."""
    first = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return first, last + 2 * _DAY


def _halved(begin: datetime, end: datetime) -> datetime:
    """The end of a window half as long: a day's where there are several."""
    half = (end - begin) / 2
    if half >= _DAY:
        return begin + timedelta(days=half.days)
    if half < _SHORTEST:
        raise TooMany(f"rows at {begin:%Y-%m-%d %H:%M}")
    return begin + half


def _window(begin: datetime, end: datetime) -> dict[str, str]:
    return {"since": _written(begin), "until": _written(end)}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _has(said: Any, key: str) -> bool:
    return isinstance(said, dict) and isinstance(said.get(key), dict)


def _are_rows(said: Any, key: str) -> bool:
    rows = said.get(key) if isinstance(said, dict) else None
    needed = {"id", "created_at"} | ({"status"} if key == "incidents" else set())
    return isinstance(rows, list) and all(isinstance(r, dict) and needed <= set(r) for r in rows)


def _by_number(row: JSON) -> Any:
    return (row.get("incident_number") or 0, row["id"])


def _by_end(row: JSON) -> Any:
    return (-ended(row).timestamp(), row["id"])


def _by_age(entry: JSON) -> Any:
    return (-instant(entry["created_at"]).timestamp(), entry["id"])
