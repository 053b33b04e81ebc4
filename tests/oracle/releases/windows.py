"""Release windows: what went out inside of them, and what waited for the next to open."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.oracle.changes import Row
from tests.oracle.periods import zone
from tests.oracle.releases.almanac import within
from tests.oracle.releases.asked import (
    DAY,
    Asked,
    Figures,
    failing,
    landed,
    middle,
    share,
    stratified,
)

SATURDAY = 5


def windows(asked: Asked) -> Figures:
    governed = [row for row in asked.starts if _spans(asked, row)]
    inside = [row for row in governed if within(_spans(asked, row), row["us"])]
    outside = [row for row in governed if not within(_spans(asked, row), row["us"])]
    sides = [[r for r in side if not r["repair"]] for side in (inside, outside)]
    crude = [failing(inside), failing(outside)]
    repairs = [row for row in governed if row["repair"]]
    at_weekend = [r for r in asked.starts if _local(asked, r["started_at"]).weekday() >= SATURDAY]
    at_odds = [r for r in asked.starts if not _in_office(asked, r["started_at"])]
    waits = [wait for change in asked.changes if (wait := _wait(asked, change)) is not None]
    return {
        "inside_share": share(len(inside), len(governed)),
        "off_hours_share": share(len(at_odds), len(asked.starts)),
        "weekend_share": share(len(at_weekend), len(asked.starts)),
        "repairs_outside_share": share(len([r for r in repairs if r in outside]), len(repairs)),
        "failure_rate_inside": failing(sides[0]),
        "failure_rate_outside": failing(sides[1]),
        "crude_difference": (_less(crude[1][0], crude[0][0]), crude[0][1] + crude[1][1]),
        "stratified_difference": stratified(*sides),
        "window_tax_median": middle(waits, DAY),
        "window_tax_mean": (sum(waits) / len(waits) / DAY if waits else None, len(waits)),
        "window_tax_total": (sum(waits) / DAY if waits else None, len(waits)),
    }


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _spans(asked: Asked, row: Row) -> list[tuple[int, int]]:
    return asked.spans("windows", row["service"], row["environment"])


def _local(asked: Asked, instant: datetime) -> datetime:
    return instant.astimezone(zone(asked.clock))


def _in_office(asked: Asked, instant: datetime) -> bool:
    local = _local(asked, instant)
    hour = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    opens, closes = (timedelta(hours=h) for h in asked.almanac.office)
    return local.weekday() < SATURDAY and opens <= hour < closes


def _wait(asked: Asked, change: Row) -> int | None:
    """Until the next window of the service to open, in any environment that has any."""
    since = landed(change)
    if not asked.inside(since):
        return None
    waits = []
    for service, environment in asked.places:
        if service == change["service"]:
            spans = asked.spans("windows", service, environment)
            if within(spans, since):
                return 0
            waits += [begun - since for begun, _ in spans if begun >= since]
    return min(waits, default=None)
