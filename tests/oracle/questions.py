"""The five metrics asked of the package, set against the oracle's report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from dora.metrics import find
from dora.metrics.base import Duration
from dora.metrics.question import Question
from dora.metrics.scopes import Directory, Member, Scope
from dora.models import Workspace
from dora.windows import Window
from tests.oracle.changes import Row
from tests.oracle.metrics import Asked, Report

METRICS = (
    "deployment_frequency",
    "lead_time",
    "change_failure_rate",
    "time_to_restore",
    "rework_rate",
)
EXACT = {
    "p50_x2": ("p50", 2),
    "p75_x4": ("p75", 4),
    "p90_x10": ("p90", 10),
    "p95_x20": ("p95", 20),
    "low_us": ("low_rank", 1),
    "high_us": ("high_rank", 1),
}
DURATIONS = ("lead_time", "time_to_restore")


def question(workspace: Workspace, asked: Asked) -> Question:
    scopes = tuple(
        Scope("services", members=tuple(Member(name) for name in sorted(scope)))
        for scope in asked.scopes
    )
    return Question(
        workspace,
        Window(asked.start, asked.end, asked.zone),
        asked.grains,
        workspace.as_of,
        workspace.rules,
        scopes,
        Directory.read(workspace),
    )


def unequal_numbers(workspace: Workspace, report: Report, metric: str) -> list[str]:
    """Cells that differ: whole numbers exactly, the shown floats to their last digits."""
    asking = question(workspace, report.asked)
    expected = report.table(getattr(report, metric))
    found = find(metric)
    workspace.need(*found.models)
    said = list(_numbers(metric, asking, found.judge(asking), expected))
    if isinstance(found, Duration):
        said += _exact(asking, found, expected)
    return said


def unlooked_at(asking: Question, row: Row) -> bool:
    """Cut into periods, only the first scope's whole window is filled in."""
    return bool(row["grain"] == "window" and row["scope_id"] and asking.grains)


def _numbers(metric: str, asking: Question, judged: Any, expected: list[Row]) -> Iterator[str]:
    grid = asking.grid
    scale = 1_000_000 if metric in DURATIONS else 1
    columns: dict[str, Any] = {
        "n": judged.n,
        "low": judged.low,
        "high": judged.high,
        "value": judged.value,
    } | judged.further
    for place, row in enumerate(expected):
        where = f"{metric} {row['scope_id']} {row['grain']} {row['period_start']}"
        if (str(grid.grain[place]), grid.start[place].item()) != (
            row["grain"],
            row["period_start"],
        ):
            yield f"{where}: stands at another place"
        if bool(grid.partial[place]) != row["partial"]:
            yield f"{where}: partial is {bool(grid.partial[place])}"
        if unlooked_at(asking, row):
            continue
        for name in [c for c in row if c in columns]:
            shown, known = columns[name][place], row[name]
            if name not in ("n", "hits", "pending") and known is not None:
                known = float(Fraction(known) / scale)
            if not _same(shown, known):
                yield f"{where}: {name} is {shown}, not {known}"


def _same(shown: Any, known: Any) -> bool:
    if known is None:
        return math.isnan(shown)
    if isinstance(known, int):
        return int(shown) == known
    return math.isclose(shown, known, rel_tol=1e-12, abs_tol=1e-12)


def _exact(asking: Question, metric: Duration, expected: list[Row]) -> Iterator[str]:
    """The numbers before they become seconds, whole microseconds: no tolerance at all."""
    _, us = metric._ranked(asking)
    for place, row in enumerate(expected):
        for column, (name, times) in EXACT.items():
            shown, known = us[column][place], row[name]
            if unlooked_at(asking, row) or (known is None and math.isnan(shown)):
                continue
            if known is None or math.isnan(shown) or Fraction(int(shown)) != known * times:
                yield f"{metric.name} {row}: {column} is {shown}"
