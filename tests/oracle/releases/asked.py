"""A window of time and services of which an analysis is asked, and all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from statistics import median

from dora.rules import Rules
from tests.oracle.changes import Row
from tests.oracle.failures import Production
from tests.oracle.marts import Incidents, Marts, covered_by, marts
from tests.oracle.periods import local_day, zone
from tests.oracle.releases.almanac import Almanac, Entry, Span, joined, midnight
from tests.oracle.staging import Staging
from tests.oracle.starts import started_deployments
from tests.oracle.world import EPOCH, Known, World, us

HOUR = 3_600_000_000
DAY = 24 * HOUR
Figures = dict[str, tuple[float | None, int]]
"""Of each figure its value and its n."""


class Facts:
    """What is known of a world at an instant, whatever is asked of it."""

    def __init__(self, world: World, rules: Rules, as_of: datetime) -> None:
        self.world, self.rules, self.as_of = world, rules, as_of
        self.known = Known(world, as_of)
        self.production = Production(self.known, rules)
        self.incidents = Incidents(self.known, rules)
        self.marts: Marts = marts(world, rules, as_of)
        self.starts = started_deployments(self.production, self.incidents, self.marts)
        self.staging = Staging(self.known, rules)
        self.covered = covered_by(self.known)


@dataclass(frozen=True)
class Asked:
    """The question."""

    facts: Facts
    almanac: Almanac
    first: date
    last: date
    clock: str
    services: frozenset[str]

    @cached_property
    def window(self) -> Span:
        return midnight(self.first, self.clock), midnight(self.last, self.clock)

    @cached_property
    def now(self) -> int:
        return (self.facts.as_of - EPOCH) // timedelta(microseconds=1)

    @property
    def so_far(self) -> Span:
        """The window as far as it has been."""
        return self.window[0], min(self.window[1], self.now)

    def day(self, instant: int) -> date:
        return local_day(EPOCH.astimezone(UTC) + timedelta(microseconds=instant), zone(self.clock))

    def inside(self, instant: int) -> bool:
        return self.window[0] <= instant < self.window[1]

    @cached_property
    def starts(self) -> list[Row]:
        """Production deployments of the services that started in the window."""
        return [
            row
            for row in self.facts.starts
            if row["service"] in self.services and self.inside(row["us"])
        ]

    @cached_property
    def changes(self) -> list[Row]:
        """Changes of the services that count in lead time, or will once they are delivered."""
        return [
            row
            for row in self.facts.marts.delivered_changes
            if row["service"] in self.services and row["left_out"] in (None, "not delivered")
        ]

    def governing(self, sort: str, service: str, environment: str) -> list[Entry]:
        return [e for e in getattr(self.almanac, sort) if e.holds(service, environment)]

    def spans(self, sort: str, service: str, environment: str) -> list[Span]:
        """All times of a sort of a service in an environment, those that touch as one."""
        key = (sort, service, environment)
        if key not in self._spans:
            found = self.governing(*key)
            listed = [span for entry in found for span in entry.spans(self.first, self.last)]
            self._spans[key] = joined(listed)
        return self._spans[key]

    @cached_property
    def _spans(self) -> dict[tuple[str, str, str], list[Span]]:
        return {}

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        """Every service of the scope, with each environment that it was ever attempted in."""
        rows = self.facts.production.rows
        return sorted({(a[2], a[3]) for a in rows if a[2] in self.services})


def landed(change: Row) -> int:
    """When a change was merged; without a pull request, when it was committed."""
    return us(change["merged_at"] or change["committed_at"])


def share(hits: int, n: int) -> tuple[float | None, int]:
    return (hits / n if n else None), n


def failing(rows: list[Row]) -> tuple[float | None, int]:
    """Change fail rate of those that are old enough, and of services whose incidents are known."""
    judged = [row for row in rows if row["mature"] and row["covered"]]
    return share(sum(bool(row["failed"]) for row in judged), len(judged))


def middle(values: list[int], unit: int) -> tuple[float | None, int]:
    return (float(Fraction(median(map(Fraction, values)), unit)) if values else None), len(values)


def stratified(one: list[Row], other: list[Row]) -> tuple[float | None, int]:
    """Other less one, like compared with like: Mantel-Haenszel's difference of risks."""
    strata: dict[tuple[str, int], list[list[Row]]] = {}
    for side, rows in enumerate((one, other)):
        for row in rows:
            if row["mature"] and row["covered"]:
                key = (row["service"], band(row["changes"]))
                strata.setdefault(key, [[], []])[side].append(row)
    above, below, n = Fraction(0), Fraction(0), 0
    for left, right in strata.values():
        if left and right:
            fails = [sum(bool(r["failed"]) for r in rows) for rows in (left, right)]
            size = len(left) + len(right)
            above += Fraction(fails[1] * len(left) - fails[0] * len(right), size)
            below += Fraction(len(left) * len(right), size)
            n += size
    return (float(above / below) if below else None), n


def band(changes: int) -> int:
    """How large a deployment is."""
    return sum(changes > most for most in (0, 1, 5, 20))
