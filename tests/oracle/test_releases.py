"""The models behind release management equal the oracle's, every cell, on every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from dora.models import Workspace
from dora.rules import Rules
from tests.oracle import flags, pipelines, staging
from tests.oracle.changes import Row
from tests.oracle.compare import differences
from tests.oracle.dressing import told_world
from tests.oracle.failures import Production
from tests.oracle.marts import Incidents, marts
from tests.oracle.scenes import at
from tests.oracle.starts import started_deployments
from tests.oracle.test_conformance import LATEST, VARIANTS, Databases, plant
from tests.oracle.world import Known, World

SEEDS = (1, 3, 4, 6, 13, 15, 16, 22)
MOMENTS = (at(31), at(90), at(160), LATEST)
BY_RULES = (
    "fully delivered pull requests",
    "bots count",
    "until the first close",
    "staging too",
    "only severe incidents",
    "the same commit again",
)


@dataclass
class Releases:
    """What the oracle makes of a world, at an instant, by some rules."""

    world: World
    rules: Rules
    as_of: datetime
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = Known(self.world, self.as_of)
        production, incidents = Production(known, self.rules), Incidents(known, self.rules)
        staged = staging.Staging(known, self.rules)
        self.tables = {
            "started_deployments": started_deployments(
                production, incidents, marts(self.world, self.rules, self.as_of)
            ),
            "staged_steps": staging.staged_steps(staged),
            "staged_deployments": staging.staged_deployments(staged),
            "production_artifacts": staging.production_artifacts(staged),
            "ci_runs": pipelines.ci_runs(known),
            "trunk_checks": pipelines.trunk_checks(known),
            "flag_states": flags.flag_states(known, self.rules),
            "manual_changes_in_production": flags.manual_changes(known, self.rules),
        }


@pytest.fixture(scope="module")
def databases() -> Databases:
    return Databases(told_world(SEEDS))


def unequal(databases: Databases, workspace: Workspace) -> list[str]:
    expected = Releases(databases.world, workspace.rules, workspace.as_of)
    return [
        line
        for table, rows in expected.tables.items()
        for line in differences(workspace, table, rows)
    ]


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_every_table_equals_the_oracle_as_of_any_time(
    databases: Databases, as_of: datetime, engine: str
) -> None:
    workspace = databases.workspace(engine, Rules(), as_of)
    assert unequal(databases, workspace) == []
    workspace.close()


@pytest.mark.parametrize("variant", BY_RULES)
def test_every_table_equals_the_oracle_by_any_rules(databases: Databases, variant: str) -> None:
    workspace = databases.workspace("duckdb", Rules().but(**VARIANTS[variant]), at(160))
    assert unequal(databases, workspace) == []
    workspace.close()


def test_the_world_has_every_case() -> None:
    """So that no rule goes unasked."""
    tables = Releases(told_world(SEEDS), Rules(), LATEST).tables
    said: dict[str, dict[str, set[Any]]] = {
        "staged_deployments": {"state": {"passed", "skipped", "unknown", "none"}},
        "production_artifacts": {
            "artifact": {
                *("same digest", "rebuilt", "same commit", "other commit"),
                *("unknown", "none"),
            }
        },
        "started_deployments": {"amid_incident": {True, False}, "start_known": {True, False}},
        "staged_steps": {"certain": {True, False, None}, "staging": {True, False}},
        "ci_runs": {"status": {"succeeded", "failed", "cancelled", "running"}},
        "flag_states": {"turned_off": {True, False}, "in_production": {True, False}},
    }
    for table, columns in said.items():
        for column, words in columns.items():
            assert {row[column] for row in tables[table]} == words, (table, column)
    assert any(row["soak_us"] == 0 for row in tables["staged_deployments"])
    assert tables["manual_changes_in_production"]


FAULTS = {
    "changes of another deployment": (
        "started_deployments",
        "where t.left_out is null",
        "where true",
    ),
    "an incident of any standing": ("started_deployments", "k.standing = 'counts'", "true"),
    "over is open": (
        "started_deployments",
        "dora_us(k.resolved_at) > dora_us(s.started_at)",
        "dora_us(k.resolved_at) >= dora_us(s.started_at)",
    ),
    "a revert is a repair": (
        "started_deployments",
        "in ('rollback', 'hotfix')",
        "in ('rollback', 'hotfix', 'revert')",
    ),
    "staging a moment late": (
        "staged_deployments",
        "when k.staged_us <= p.start_us",
        "when k.staged_us < p.start_us",
    ),
    "every deployment soaks": ("staged_deployments", "min(j.turn) = 1", "true"),
    "the least of several repositories": (
        "staged_deployments",
        "case max(j.state)",
        "case min(j.state)",
    ),
    "doubt that an earlier one ended": (
        "staged_deployments",
        "l.blind_us > coalesce(w.before_us, 0)",
        "l.blind_us > 0",
    ),
    "some digest is another": ("production_artifacts", "when o.blind = 0", "when o.blind >= 0"),
    "digests of staging later on": (
        "production_artifacts",
        "when g.us <= p.start_us",
        "when g.us > 0",
    ),
    "a short id is certain": ("staged_steps", "40", "4"),
    "the future of a run": ("ci_runs", "> dora_us(r.as_of)", "> dora_us(r.as_of) + 7200000000"),
    "a run without a start takes no time": (
        "ci_runs",
        "dora_us(b.started_at) as",
        "dora_us(coalesce(b.started_at, b.finished_at)) as",
    ),
    "what ends last is newest": (
        "trunk_checks",
        "order by b.first_us, t.sha, t.attempt,",
        "order by t.ended_us,",
    ),
    "cancelled for a newer commit": (
        "trunk_checks",
        "where c.on_trunk\n    group",
        "where c.on_trunk and c.ended_us is not null\n    group",
    ),
    "another artifact was there": ("staged_deployments", "f.mark = m.mark", "f.kind <> 1"),
    "red for good": (
        "trunk_checks",
        "s.from_us + 2592000000000 as after_us",
        "s.from_us + 25920000000000 as after_us",
    ),
    "created is turned off": ("flag_states", "action = 'changed'", "action <> 'removed'"),
    "what was off is turned off": ("flag_states", "coalesce(l.share_before, 1) > 0", "true"),
    "flags of all environments at once": (
        "flag_states",
        "partition by f.source, f.flag, f.environment",
        "partition by f.source, f.flag",
    ),
    "by hand anywhere": (
        "manual_changes_in_production",
        "join production_kinds",
        "left join production_kinds",
    ),
}


SEEN_AT = {"red for good": LATEST, "the future of a run": at(90)}
"""When a fault shows, where it does not by the end of most histories."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_a_model_is_caught(databases: Databases, fault: str) -> None:
    model, right, wrong = FAULTS[fault]
    workspace = databases.workspace("duckdb", Rules(), SEEN_AT.get(fault, at(160)))
    plant(workspace, model, right, wrong)
    assert unequal(databases, workspace) != []
    workspace.close()
