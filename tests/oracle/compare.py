"""Every cell of a model against the oracle's, without any tolerance."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from dora.models import Workspace
from tests.oracle.changes import Row
from tests.oracle.world import us

Cells = tuple[Any, ...]

KEYS = {
    "delivered_changes": ["service", "change"],
    "deployment_failures": [
        "deployment",
        "service",
        "environment",
        "rule",
        "incident",
        "repair_deployment",
        "repair_service",
        "repair_environment",
    ],
    "judged_deployments": ["source", "deployment", "service", "environment"],
    "linked_incidents": ["source", "incident", "service"],
    "recovered_deployments": ["deployment", "service", "environment", "incident"],
    "started_deployments": ["source", "deployment", "service", "environment"],
    "staged_steps": ["source", "deployment", "repository", "service", "environment"],
    "staged_deployments": ["source", "deployment", "service", "environment"],
    "production_artifacts": ["source", "deployment", "service", "environment"],
    "ci_runs": ["source", "build"],
    "trunk_checks": ["repository", "name", "source", "build"],
    "flag_states": ["source", "id", "service"],
    "manual_changes_in_production": ["source", "id", "service"],
}


def plain(value: Any) -> Any:
    """One way to write every value: times as microseconds, whole numbers as int."""
    if isinstance(value, datetime):
        return us(value.replace(tzinfo=UTC) if value.tzinfo is None else value)
    if isinstance(value, date) or value is None:
        return value
    return int(value) if isinstance(value, bool) else value


def rows_of(workspace: Workspace, model: str, columns: list[str]) -> Counter[Cells]:
    workspace.need(model)
    found = workspace.rows(f"select {', '.join(columns)} from {model}")
    return Counter(tuple(plain(value) for value in row) for row in found)


def rows_expected(rows: list[Row], columns: list[str]) -> Counter[Cells]:
    return Counter(tuple(plain(row[column]) for column in columns) for row in rows)


def differences(workspace: Workspace, model: str, rows: list[Row]) -> list[str]:
    """What is in one and not in the other, for people to read; empty when all cells are equal."""
    columns = list(rows[0]) if rows else ["service"]  # none expected: whatever is there is wrong
    engine, oracle = rows_of(workspace, model, columns), rows_expected(rows, columns)
    key = [column for column in KEYS[model] if column in columns]
    sides = [_by_key(extra, columns, key) for extra in (engine - oracle, oracle - engine)]
    said = []
    for which in sorted(set(sides[0]) | set(sides[1]), key=str):
        one, other = sides[0].get(which), sides[1].get(which)
        if one and other:
            cells = (f"{c} {one[c]!r}, not {other[c]!r}" for c in columns if one[c] != other[c])
            said.append(f"{model} {which}: {'; '.join(cells)}")
        else:
            said.append(f"{model} {which}: {'too much' if one else f'missing: {other}'}")
    return said


def _by_key(
    extra: Counter[Cells], columns: list[str], key: list[str]
) -> dict[Cells, dict[str, Any]]:
    named = [dict(zip(columns, row, strict=True)) for row in extra.elements()]
    return {tuple(cells[k] for k in key): cells for cells in named}
