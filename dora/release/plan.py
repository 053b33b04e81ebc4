"""The calendar as tables: which spans hold for which service and environment.

Services and environments for which the same entries hold share a *schedule*, so that a store of
thousands of services has its spans once. So do services as a whole: one that goes by several
schedules is frozen while all of them are, and its window is open while any of them is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dora import zones
from dora.config.calendar import Calendar
from dora.patterns import wildcard
from dora.release import occurrences
from dora.release.occurrences import BEFORE, Occurrence, Sort, microseconds

if TYPE_CHECKING:
    import pandas as pd

    from dora.config.calendar import Entry
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory

THAW = timedelta(days=5)
"""How long after a freeze what had waited for its end goes out."""

_SPANS = {
    "schedule": "INTEGER",
    "sort": "VARCHAR",
    "name": "VARCHAR",
    "from_us": "BIGINT",
    "until_us": "BIGINT",
}
_SCHEDULES = {"service": "VARCHAR", "environment": "VARCHAR", "schedule": "INTEGER"}
_WHOLE = {"service": "VARCHAR", "schedule": "INTEGER"}
_Key: TypeAlias = tuple[tuple[int, ...], ...]
"""Which windows, freezes and trains hold, by their numbers."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A calendar, laid out for the services and environments that there are.

    Attributes:
        calendar: What is configured.
        base: The folder that calendar files are seen from.
        question: Whose window, zone and directory it is laid out for.
    """

    calendar: Calendar
    base: Path
    question: Question

    def load(self, question: Question) -> None:
        """Make the tables `schedules`, `service_schedules` and `spans` where SELECTs can join them.

        `schedules` says which schedule a service has in an environment, `service_schedules` which
        it has over all of them; `spans` has each span of each schedule in microseconds: `window`,
        merged, `freeze`, `train`, `office` hours, `closed` for all freezes, merged; and of the
        freezes that begin in the window all `frozen` time so far, as long a time `before` it, and
        the `thaw` after it.
        """
        schedules, whole, spans = self._frames
        question.tables.load("schedules", schedules, _SCHEDULES)
        question.tables.load("service_schedules", whole, _WHOLE)
        question.tables.load("spans", spans, _SPANS)

    def governs(self, sort: Sort) -> bool:
        """Whether any entry of a sort holds for a service in scope."""
        return any(held[sort] for held in self._held.values())

    def days(self) -> dict[Sort, list[date]]:
        """The local days of the window that have a release window, and those that are frozen."""
        window = self.question.window
        found: dict[Sort, set[date]] = {"window": set(), "frozen": set()}
        for keys in self._numbered:
            for one in self._of_schedules(keys):
                if one.sort in found:
                    found[one.sort].update(_days(one, window.zone))
        return {
            sort: sorted(day for day in days if window.start <= day < window.end)
            for sort, days in found.items()
        }

    @cached_property
    def _entries(self) -> dict[Sort, tuple[Entry, ...]]:
        found = self.calendar
        return {"window": found.windows, "freeze": found.freezes, "train": found.trains}

    @cached_property
    def _limits(self) -> tuple[datetime, datetime]:
        window = self.question.window
        return (
            zones.first_instant(window.start, window.zone) - BEFORE,
            zones.first_instant(window.end, window.zone) + BEFORE,
        )

    @cached_property
    def _held(self) -> dict[tuple[str, str], dict[Sort, tuple[int, ...]]]:
        """Which entries hold for each service in each environment, by their numbers."""
        names = self.question.tables.query(
            "select distinct service, environment from production_deployments"
            " order by service, environment"
        )
        inside = {member.service for member in self.question.scopes[0].members}
        owned = _owned(self.question.directory)
        return {
            (service, environment): {
                sort: tuple(
                    number
                    for number, entry in enumerate(entries)
                    if _holds(entry, service, environment, owned)
                )
                for sort, entries in self._entries.items()
            }
            for service, environment in zip(names["service"], names["environment"], strict=True)
            if service in inside
        }

    @cached_property
    def _together(self) -> dict[str, tuple[_Key, ...]]:
        """What holds for each service, over its environments."""
        found: dict[str, set[_Key]] = {}
        for (service, _), held in self._held.items():
            found.setdefault(service, set()).add(tuple(held.values()))
        return {service: tuple(sorted(keys)) for service, keys in found.items()}

    @cached_property
    def _numbered(self) -> dict[tuple[_Key, ...], int]:
        """The number of each schedule, and of those that services have as a whole."""
        single = {(tuple(held.values()),) for held in self._held.values()}
        return {
            keys: number for number, keys in enumerate(sorted({*single, *self._together.values()}))
        }

    @cached_property
    def _frames(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The tables; made once, so that they are loaded once."""
        import pandas as pd

        return (
            pd.DataFrame(self._schedules, columns=list(_SCHEDULES), dtype=object),
            pd.DataFrame(self._whole, columns=list(_WHOLE), dtype=object),
            pd.DataFrame(self._spans, columns=list(_SPANS), dtype=object),
        )

    @property
    def _schedules(self) -> list[tuple[str, str, int]]:
        return [
            (*place, self._numbered[(tuple(held.values()),)]) for place, held in self._held.items()
        ]

    @property
    def _whole(self) -> list[tuple[str, int]]:
        return [(service, self._numbered[keys]) for service, keys in self._together.items()]

    @property
    def _spans(self) -> list[tuple[int, str, str, int, int]]:
        return [
            (schedule, one.sort, one.name, microseconds(one.begins), microseconds(one.ends))
            for keys, schedule in self._numbered.items()
            for one in self._of_schedules(keys)
        ]

    def _of_schedules(self, keys: tuple[_Key, ...]) -> Iterator[Occurrence]:
        if len(keys) == 1:
            yield from self._of_schedule(keys[0])
            return
        each = [list(self._of_schedule(key)) for key in keys]
        windows = [(o.begins, o.ends) for of in each for o in of if o.sort == "window"]
        yield from (Occurrence(*span, "", "window") for span in occurrences.merged(windows))
        frozen = [[(o.begins, o.ends) for o in of if o.sort == "frozen"] for of in each]
        shared = reduce(occurrences.common, frozen)
        yield from _around(
            [Occurrence(*span, "", "freeze") for span in shared], self.question.as_of
        )

    def _of_schedule(self, key: _Key) -> Iterator[Occurrence]:
        yield from self._office
        for (sort, entries), numbers in zip(self._entries.items(), key, strict=True):
            listed = [one for number in numbers for one in self._occurrences(sort, entries, number)]
            if sort == "window":
                spans = occurrences.merged((one.begins, one.ends) for one in listed)
                yield from (Occurrence(*span, "", "window") for span in spans)
            elif sort == "freeze":
                spans = occurrences.merged((one.begins, one.ends) for one in listed)
                yield from (Occurrence(*span, "", "closed") for span in spans)
                first, last = self._limits[0] + BEFORE, self._limits[1] - BEFORE
                freezes = [one for one in listed if first <= one.begins < last]
                yield from freezes
                yield from _around(freezes, self.question.as_of)
            else:
                yield from listed

    @cached_property
    def _office(self) -> list[Occurrence]:
        zone = self.question.window.zone
        return occurrences.office(self.calendar, *self._limits, zone=zone)

    def _occurrences(self, sort: Sort, entries: Sequence[Entry], number: int) -> list[Occurrence]:
        if (sort, number) not in self._known:
            zone = self.question.window.zone
            self._known[sort, number] = occurrences.of_entry(
                entries[number],
                sort,
                *self._limits,
                zone=zone,
                base=self.base,
            )
        return self._known[sort, number]

    @cached_property
    def _known(self) -> dict[tuple[Sort, int], list[Occurrence]]:
        return {}


def _around(freezes: Sequence[Occurrence], now: datetime) -> Iterator[Occurrence]:
    """Frozen time so far, as much time before each stretch of it, and the thaw after."""
    whole = occurrences.merged((one.begins, one.ends) for one in freezes)
    frozen = [(begins, min(ends, now)) for begins, ends in whole if begins < now]
    before = occurrences.merged((begins - (ends - begins), begins) for begins, ends in frozen)
    thaw = occurrences.merged((ends, min(ends + THAW, now)) for _, ends in frozen if ends < now)
    stretches: dict[Sort, list[tuple[datetime, datetime]]] = {
        "frozen": frozen,
        "before": before,
        "thaw": thaw,
    }
    for sort, spans in stretches.items():
        free = spans if sort == "frozen" else occurrences.without(spans, frozen)
        yield from (Occurrence(begins, ends, "", sort) for begins, ends in free)


def _days(one: Occurrence, zone: str) -> Iterator[date]:
    """The local days that an occurrence touches."""
    day = zones.local_day(one.begins, zone)
    while zones.first_instant(day, zone) < one.ends:
        yield day
        day += timedelta(days=1)


def _owned(directory: Directory) -> dict[str, set[str]]:
    return {team: {m.service for m in members} for team, members in directory.teams.items()}


def _holds(entry: Entry, service: str, environment: str, owned: dict[str, set[str]]) -> bool:
    if entry.services or entry.teams:
        named = wildcard(entry.services).match(service) is not None
        if not named and not any(service in owned.get(team, ()) for team in entry.teams):
            return False
    return not entry.environments or wildcard(entry.environments).match(environment) is not None
