"""A calendar written down once: as a `dora.toml` has it, and as times worked out day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase

from tests.oracle.periods import DAY, zone
from tests.oracle.world import us

AROUND = timedelta(days=400)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
Span = tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """A window, a freeze or a train: on some weekdays from its first time on, or once.

    Attributes:
        begins: Its first time by the clock of its zone.
        lasts: How long; for what happens once it may end `until` a time by the clock instead.
    """

    name: str
    begins: str
    clock: str
    weekdays: tuple[int, ...] = ()
    lasts: timedelta = timedelta(0)
    until: str | None = None
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    cutoff: timedelta = timedelta(0)
    tolerance: timedelta = timedelta(hours=4)

    def holds(self, service: str, environment: str) -> bool:
        def fits(name: str, patterns: tuple[str, ...]) -> bool:
            return not patterns or any(fnmatchcase(name, p) for p in patterns)

        return fits(service, self.services) and fits(environment, self.environments)

    def spans(self, first: date, last: date) -> list[Span]:
        """Every time from 400 days before a day until as long after another."""
        if not self.weekdays:
            return [self._span(datetime.fromisoformat(self.begins))]
        found = []
        begins = datetime.fromisoformat(self.begins)
        day = max(begins.date(), first - AROUND)
        while day <= last + AROUND:
            if day.weekday() in self.weekdays:
                found.append(self._span(datetime.combine(day, begins.time())))
            day += DAY
        return found

    def _span(self, local: datetime) -> Span:
        begun = us(local.replace(tzinfo=zone(self.clock)))
        if self.until is not None:
            until = datetime.fromisoformat(self.until)
            return begun, us(until.replace(tzinfo=zone(self.clock)))
        return begun, begun + self.lasts // timedelta(microseconds=1)

    def lines(self, sort: str) -> Iterator[str]:
        yield f"[[calendar.{sort}]]"
        yield f'name = "{self.name}"'
        yield f"start = {self.begins}"
        yield f'timezone = "{self.clock}"'
        if self.weekdays:
            yield f'rrule = "FREQ=WEEKLY;BYDAY={",".join(DAYS[d] for d in self.weekdays)}"'
        for key in ("services", "environments", "exempt"):
            if getattr(self, key):
                yield f"{key} = {list(getattr(self, key))}"
        if sort == "trains":
            yield f'cutoff = "{self.cutoff // timedelta(minutes=1)}m"'
            yield f'tolerance = "{self.tolerance // timedelta(minutes=1)}m"'
        elif self.until is not None:
            yield f"until = {self.until}"
        else:
            yield f'duration = "{self.lasts // timedelta(minutes=1)}m"'


@dataclass(frozen=True)
class Almanac:
    """All that a calendar says."""

    windows: tuple[Entry, ...] = ()
    freezes: tuple[Entry, ...] = ()
    trains: tuple[Entry, ...] = ()
    checks: tuple[str, ...] = ()
    office: tuple[int, int] = (9, 17)
    released_share: float = 1.0

    def text(self) -> str:
        lines = ["[calendar]", f'office_hours = "{self.office[0]:02}:00-{self.office[1]:02}:00"']
        lines.append(f"released_share = {self.released_share}")
        if self.checks:
            lines.append(f"checks = {list(self.checks)}")
        for sort in ("windows", "freezes", "trains"):
            lines += [line for entry in getattr(self, sort) for line in entry.lines(sort)]
        return "\n".join(lines)


def joined(spans: list[Span]) -> list[Span]:
    """Spans that touch or overlap as one."""
    found: list[Span] = []
    for begun, ended in sorted(spans):
        if found and begun <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((begun, ended))
    return found


def shared(one: list[Span], other: list[Span]) -> list[Span]:
    """What both cover."""
    both = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return [(begun, ended) for begun, ended in both if begun < ended]


def within(spans: list[Span], instant: int) -> bool:
    return any(begun <= instant < ended for begun, ended in spans)


def midnight(day: date, where: str) -> int:
    """The first instant of a local day: a midnight that its clock leaves out is that much later."""
    return us(datetime.combine(day, time(), tzinfo=zone(where)))
