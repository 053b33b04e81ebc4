"""The five metrics by scope and period, from the oracle's own marts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from dora.rules import Rules
from tests.oracle.changes import Row
from tests.oracle.intervals import median_ranks, poisson, quantile, wilson
from tests.oracle.marts import Marts, covered_by
from tests.oracle.periods import Period, local_day, periods, zone
from tests.oracle.world import Known

SHARES = {
    "p50": Fraction(1, 2),
    "p75": Fraction(3, 4),
    "p90": Fraction(9, 10),
    "p95": Fraction(19, 20),
}


@dataclass(frozen=True)
class Asked:
    """A window in a zone, cut into periods, for named groups of services."""

    start: date
    end: date
    grains: tuple[str, ...]
    zone: str
    scopes: tuple[frozenset[str], ...]


class Report:
    """Every cell of every metric, as rows of numbers; times in microseconds, as fractions."""

    def __init__(
        self, known: Known, marts: Marts, asked: Asked, rules: Rules | None = None
    ) -> None:
        self.known = known
        self.rules = rules or Rules()
        self.marts = marts
        self.asked = asked
        self.zone: ZoneInfo = zone(asked.zone)
        self.as_of = known.as_of
        self.today = local_day(known.as_of, self.zone)
        self.covered = covered_by(known)
        self._first_days: dict[frozenset[str], date | None] = {}
        self.periods = periods(asked.start, asked.end, asked.grains, self.today)

    def cells(self) -> Iterable[tuple[int, frozenset[str], Period]]:
        for number, scope in enumerate(self.asked.scopes):
            for period in self.periods:
                yield number, scope, period

    def table(self, cell: Callable[[frozenset[str], Period], Row]) -> list[Row]:
        return [
            {
                "scope_id": number,
                "grain": period.grain,
                "period_start": period.start,
                "partial": self._partial(scope, period),
            }
            | cell(scope, period)
            for number, scope, period in self.cells()
        ]

    def inside(self, instant: datetime | None, period: Period) -> bool:
        """On a day of the period that is also a day of the window."""
        if instant is None:
            return False
        day = local_day(instant, self.zone)
        return max(period.start, self.asked.start) <= day < min(period.end, self.asked.end)

    def first_day(self, scope: frozenset[str]) -> date | None:
        if scope not in self._first_days:
            days = [
                local_day(j["finished_at"], self.zone)
                for j in self.marts.judged_deployments
                if j["service"] in scope and j["succeeded"]
            ]
            self._first_days[scope] = min(days, default=None)
        return self._first_days[scope]

    def _partial(self, scope: frozenset[str], period: Period) -> bool:
        first = self.first_day(scope)
        return period.partial or (first is not None and period.start <= first < period.end)

    def unknown(self, scope: frozenset[str], period: Period) -> bool:
        """Before the first known deployment, or still to come."""
        first = self.first_day(scope)
        return first is None or period.end <= first or period.start > self.today

    def deployments(self, scope: frozenset[str], period: Period) -> list[Row]:
        return [
            j
            for j in self.marts.judged_deployments
            if j["service"] in scope and self.inside(j["finished_at"], period)
        ]

    def deployment_frequency(self, scope: frozenset[str], period: Period) -> Row:
        found = [j for j in self.deployments(scope, period) if j["succeeded"]]
        days = (
            min(period.end, self.today.fromordinal(self.today.toordinal() + 1)) - period.start
        ).days
        factor = Fraction(7, days) if period.grain == "window" and days > 0 else Fraction(1)
        low, high = poisson(len(found))
        value = len(found) * factor
        gone = self.unknown(scope, period)
        return {
            "n": len(found),
            "value": None if gone else value,
            "low": None if gone else low * float(factor),
            "high": None if gone else high * float(factor),
        }

    def rate(self, scope: frozenset[str], counted: list[Row], hit: str) -> Row:
        """A share over the services whose incidents are known; of none, a lower bound."""
        pooled = [j for j in counted if j["service"] in self.covered]
        if not scope & self.covered:
            hits = sum(bool(j[hit]) for j in counted)
            low = Fraction(hits, len(counted)) if counted else None
            return {"n": len(counted), "hits": hits, "value": None, "low": low, "high": None}
        hits = sum(bool(j[hit]) for j in pooled)
        if not pooled:
            return {"n": 0, "hits": 0, "value": None, "low": None, "high": None}
        low, high = wilson(hits, len(pooled))
        return {
            "n": len(pooled),
            "hits": hits,
            "value": Fraction(hits, len(pooled)),
            "low": low,
            "high": high,
        }

    def change_failure_rate(self, scope: frozenset[str], period: Period) -> Row:
        found = self.deployments(scope, period)
        tried = {"failed", "cancelled"} if self.rules.failed_attempts != "apart" else set()
        judged = [
            j | {"failed": j["failed"] or self._fails_by_itself(j)}
            for j in found
            if (j["mature"] if j["succeeded"] else j["status"] in tried)
        ]
        pending = {"pending": sum(j["pending"] for j in found if j["succeeded"])}
        if self.rules.failures_counted == "deployments":
            return self.rate(scope, judged, "failed") | pending
        covered = [j for j in judged if j["service"] in self.covered]
        counted = covered if scope & self.covered else judged
        hits = sum(j["links"] for j in counted)
        if self.rules.failures_counted == "incidents":
            hits = len(self.incidents(scope, period))
        return self.per_deployment(hits, len(counted), bool(scope & self.covered)) | pending

    def _fails_by_itself(self, j: Row) -> bool:
        return self.rules.failed_attempts == "failures" and not j["succeeded"]

    def incidents(self, scope: frozenset[str], period: Period) -> set[tuple[str, str]]:
        """Incidents of the scope that were detected in the period, linked or not."""
        states = {"linked", "unlinked"} | ({"external"} if self.rules.external_incidents else set())
        return {
            (i["source"], i["incident"])
            for i in self.marts.linked_incidents
            if i["service"] in scope
            and i["state"] in states
            and self.inside(i["detected_at"], period)
        }

    def per_deployment(self, hits: int, n: int, covered: bool) -> Row:
        """Events for each deployment, with Poisson's interval; it has no upper end at 1."""
        if not covered or not n:
            low = Fraction(hits, n) if n else None
            return {"n": n, "hits": hits, "value": None, "low": low, "high": None}
        low, high = poisson(hits)
        return {
            "n": n, "hits": hits, "value": Fraction(hits, n), "low": low / n, "high": high / n
        }  # fmt: skip

    def rework_rate(self, scope: frozenset[str], period: Period) -> Row:
        found = [j for j in self.deployments(scope, period) if j["succeeded"]]
        return self.rate(scope, found, "rework_kind")

    def duration(self, lengths: list[int]) -> Row:
        ranks = median_ranks(len(lengths))
        ordered = sorted(lengths)
        row = (
            {"n": len(lengths)}
            | {
                name: quantile(lengths, share) if lengths else None
                for name, share in SHARES.items()
            }
            | {
                "low_rank": ordered[ranks[0] - 1] if ranks else None,
                "high_rank": ordered[ranks[1] - 1] if ranks else None,
            }
        )
        if self.rules.average == "mean":
            mean = Fraction(sum(lengths), len(lengths)) if lengths else None
            return row | {"value": mean, "low": None, "high": None}
        middle = row["p50"]
        if self.rules.average == "lower_median" and lengths:
            middle = ordered[(len(lengths) - 1) // 2]
        return row | {"value": middle, "low": row["low_rank"], "high": row["high_rank"]}

    def lead_time(self, scope: frozenset[str], period: Period) -> Row:
        """Each change once, at its first delivery to any service of the scope."""
        first: dict[tuple[str, str], Row] = {}
        mine = [c for c in self.marts.delivered_changes if c["service"] in scope]
        late = datetime.max.replace(tzinfo=self.as_of.tzinfo)
        for change in sorted(mine, key=lambda c: (c["delivered_at"] or late, c["service"])):
            first.setdefault((change["repository"], change["change"]), change)
        return self.duration(
            [
                c["us"]
                for c in first.values()
                if c["left_out"] is None and self.inside(c["delivered_at"], period)
            ]
        )

    def time_to_restore(self, scope: frozenset[str], period: Period) -> Row:
        seen: set[Any] = set()
        lengths = []
        for row in sorted(self.marts.recovered_deployments, key=lambda r: str(r["service"])):
            if row["service"] not in scope or row["service"] not in self.covered:
                continue
            one = (
                row.get("incident")
                if "deployment" not in row
                else (row["deployment"], row["service"], row["environment"])
            )
            if one in seen or row["left_out"] is not None or row["open"]:
                continue
            seen.add(one)
            if self.inside(row["recovered_at"], period):
                lengths.append(row["us"])
        return self.duration(lengths)
