"""The package's tables and numbers equal the oracle's, every cell, on every engine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from dora.engines import Engine
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from dora.metrics import base as metrics_base
from dora.models import Model, Workspace, models
from dora.rules import FAILURE_RULES, Hotfix, Rules
from tests.oracle.compare import differences
from tests.oracle.generator import random_world
from tests.oracle.loading import duckdb_with, sqlite_with
from tests.oracle.marts import Marts, marts
from tests.oracle.metrics import Asked, Report
from tests.oracle.periods import zone
from tests.oracle.planted import planted
from tests.oracle.questions import METRICS, unequal_numbers
from tests.oracle.scenes import KINDS, Scene, at, versions
from tests.oracle.world import Known, World

LATEST = at(24 * 400)
TABLES = (
    "delivered_changes",
    "deployment_failures",
    "judged_deployments",
    "linked_incidents",
    "recovered_deployments",
)
ZONES = ("UTC", "Africa/Cairo", "America/Los_Angeles")
SEEDS = (1, 3, 4, 6, 13, 15, 16, 22, 27, 32, 37, 39)
"""Random worlds; each of these told one of two implementations from the other at some time."""
SESSIONS = ("UTC", "America/Los_Angeles", "Asia/Kolkata")

VARIANTS: dict[str, dict[str, Any]] = {
    "as dora.dev has it": {},
    "pull requests": {"change": "pull_request"},
    "no baseline": {"baseline": False},
    "fully delivered": {"delivered": "fully"},
    "fully delivered pull requests": {"delivered": "fully", "change": "pull_request"},
    "cherry-picks stand alone": {"follow_cherry_picks": False},
    "bots count": {"bot_changes": True},
    "until the first close": {"recovery": "first_close"},
    "any incident": {"caused_by": "any", "external_incidents": True},
    "not planned counts": {"not_planned_incidents": True, "caused_by": "any"},
    "an hour's window": {"failure_window": "1h", "maturity": "30d", "hotfix_window": "12h"},
    "no limit": {"failure_window": None},
    "staging too": {"environments": ["production", "staging"]},
    "other words": {
        "hotfix": Hotfix(labels=("bug",), branches=("*",), titles=(r"c1\d",)),
        "failure_labels": ["x"],
    },
    **{
        f"without {rule}": {"failure_rules": [r for r in FAILURE_RULES if r != rule]}
        for rule in FAILURE_RULES
    },
    "only the window": {"failure_rules": ["window"]},
    "linked incidents": {"caused_by": "linked"},
    "recovery from the deployment on": {"recovery_start": "deployment"},
    "recovery from the earlier": {"recovery_start": "earlier", "caused_by": "any"},
    "linked, from the deployment on": {"recovery_start": "deployment", "caused_by": "linked"},
    "from the merge": {"clock_start": "merge", "change": "pull_request"},
    "commits from the merge": {"clock_start": "merge", "average": "mean"},
    "lower medians": {"average": "lower_median", "caused_by": "any"},
    "only severe incidents": {"severities": ["sev1", "*2"], "caused_by": "any"},
    "duplicates count": {"duplicate_incidents": True, "failures_counted": "incidents"},
    "incidents counted": {"failures_counted": "incidents", "external_incidents": True},
    "links counted": {"failures_counted": "links", "failed_attempts": "counted"},
    "attempts are failures": {"failed_attempts": "failures", "maturity": "1h"},
    "the same commit again": {"rollback_by": "same_sha"},
    "the same commit, blaming the first": {"rollback_by": "same_sha", "rollback_blames": "first"},
    "ancestry, blaming the first": {"rollback_blames": "first"},
    "the last of any service": {"incident_link": "last_of_any", "failure_window": None},
    "any service within a day": {"incident_link": "last_of_any"},
    "while open": {"incident_link": "while_open", "failure_window": None},
    "while open, a day before": {"incident_link": "while_open", "recovery": "first_close"},
    "a longer flag window": {"flag_window": "2h"},
}
MOMENTS = (at(-1), at(31), at(105), at(224), at(24 * 90 + 30))


class Portable(DuckDB):
    """DuckDB with the portable text of everything, its own versions left aside."""

    name = "portable"


ENGINES = ["duckdb", "sqlite"] + ["portable"] * (models("duckdb") != models(Portable.name))


class Databases:
    """One world in every engine, and what the oracle says of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection = duckdb_with(world)
        self.sqlite = sqlite_with(self.connection)
        self._known: dict[Any, Marts] = {}

    def oracle(self, rules: Rules, as_of: datetime) -> Marts:
        key = (repr(rules), as_of)
        if key not in self._known:
            self._known[key] = marts(self.world, rules, as_of)
        return self._known[key]

    def engine(self, name: str) -> Engine:
        if name == "sqlite":
            return SQLite(self.sqlite).fork()
        return {"duckdb": DuckDB, "portable": Portable}[name](self.connection)

    def workspace(self, name: str, rules: Rules, as_of: datetime, zone: str = "UTC") -> Workspace:
        return Workspace(self.engine(name), rules=rules, as_of=as_of, zone=zone)


@pytest.fixture(scope="module")
def databases() -> Databases:
    world = random_world(SEEDS)
    scenes = planted()
    return Databases(
        World(
            scenes.facts + world.facts,
            scenes.services + world.services,
            scenes.kinds,
            scenes.covers,
        )
    )


def unequal(
    databases: Databases, workspace: Workspace, tables: tuple[str, ...] = TABLES
) -> list[str]:
    expected = databases.oracle(workspace.rules, workspace.as_of)
    return [
        line for table in tables for line in differences(workspace, table, getattr(expected, table))
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_table_equals_the_oracle_by_any_rules(
    databases: Databases, variant: str, engine: str
) -> None:
    rules = Rules().but(**VARIANTS[variant])
    workspace = databases.workspace(engine, rules, LATEST)
    assert unequal(databases, workspace) == []
    workspace.close()


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_every_table_equals_the_oracle_as_of_any_time(
    databases: Databases, as_of: datetime, engine: str
) -> None:
    workspace = databases.workspace(engine, Rules(), as_of)
    assert unequal(databases, workspace) == []
    workspace.close()


def asked(databases: Databases, zone: str) -> Asked:
    services = sorted(
        {row["service"] for row in databases.oracle(Rules(), LATEST).judged_deployments}
    )
    single = [frozenset([name]) for name in (*services[::9], "window", "never-known")]
    return Asked(
        date(2026, 4, 20),
        date(2026, 5, 9),
        ("day", "week", "month", "quarter"),
        zone,
        (frozenset(services), *single, frozenset(["mono-web", "mono-api"])),
    )


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[str]:
    """The zone that the process runs in, which must not matter."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.parametrize("engine", ["duckdb", "portable", "sqlite"])
@pytest.mark.parametrize(
    ("zone", "session"), list(zip(ZONES, SESSIONS, strict=True)), indirect=["session"]
)
def test_every_metric_equals_the_oracle_in_any_zone(
    databases: Databases, zone: str, session: str, engine: str
) -> None:
    workspace = databases.workspace(engine, Rules(), LATEST, zone)
    if engine != "sqlite":
        workspace.engine.rows(f"set timezone = '{session}'")
    report = Report(
        Known(databases.world, LATEST), databases.oracle(Rules(), LATEST), asked(databases, zone)
    )
    whole = Report(report.known, report.marts, replace(report.asked, grains=()))
    for metric in METRICS:
        assert unequal_numbers(workspace, report, metric) == []
        assert engine == "portable" or unequal_numbers(workspace, whole, metric) == []
    assert engine not in ENGINES or unequal(databases, workspace) == []
    workspace.close()


@pytest.mark.parametrize(
    "variant",
    [
        "any incident",
        "pull requests",
        "fully delivered",
        "linked, from the deployment on",
        "from the merge",
        "commits from the merge",
        "lower medians",
        "duplicates count",
        "incidents counted",
        "links counted",
        "attempts are failures",
    ],
)
def test_every_metric_equals_the_oracle_by_other_rules(databases: Databases, variant: str) -> None:
    rules = Rules().but(**VARIANTS[variant])
    workspace = databases.workspace("duckdb", rules, at(24 * 12), "Africa/Cairo")
    report = Report(
        Known(databases.world, at(24 * 12)),
        databases.oracle(rules, at(24 * 12)),
        asked(databases, "Africa/Cairo"),
        rules,
    )
    for metric in METRICS:
        assert unequal_numbers(workspace, report, metric) == []
    workspace.close()


def test_the_world_has_a_midnight_that_does_not_exist() -> None:
    """Cairo's clocks go from 24 April 00:00 to 01:00, within the window that is asked for."""
    midnight = datetime(2026, 4, 23, 22, tzinfo=at(0).tzinfo)
    assert midnight.astimezone(zone("Africa/Cairo")).isoformat() == "2026-04-24T01:00:00+03:00"


FAULTS = {
    "the window's edge does not count": (
        "evidence_window",
        "f.gap_us <= r.failure_window_us",
        "f.gap_us < r.failure_window_us",
    ),
    "the wrong one of two at one instant": (
        "production_sequence",
        "coalesce(o.position, -1)",
        "-coalesce(o.position, -1)",
    ),
    "the weakest evidence decides": (
        "deployment_failures",
        "e.strength = min(e.strength)",
        "e.strength = max(e.strength)",
    ),
    "the first resolution ends it": (
        "recovered_deployments",
        "max(i.resolved_at)",
        "min(i.resolved_at)",
    ),
    "mature a moment late": ("judged_deployments", ">= r.maturity_us", "> r.maturity_us"),
    "hotfixes a moment too late": (
        "evidence_hotfix",
        "<= r.hotfix_window_us",
        "< r.hotfix_window_us",
    ),
}


FAULTS_BY_RULES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "flags a moment too early": (
        {"caused_by": "any"},
        "incident_ends",
        "<= r.flag_window_us",
        "< r.flag_window_us",
    ),
    "flags that were off already": (
        {"caused_by": "any"},
        "flag_states",
        "coalesce(l.share_before, 1) > 0",
        "true",
    ),
    "undone is what it went back to": (
        {"rollback_by": "same_sha"},
        "evidence_rollback",
        "f.place > b.place_before",
        "f.place >= b.place_before",
    ),
    "a redeployment is a rollback": (
        {"rollback_by": "same_sha"},
        "production_sequence",
        "and coalesce(a.sha_before, '') <> a.sha",
        "",
    ),
    "all but the first": (
        {"rollback_blames": "first"},
        "evidence_rollback",
        "o.place = o.first_place",
        "o.place > o.first_place",
    ),
    "the first of any service": (
        {"incident_link": "last_of_any"},
        "deployments_around_incidents",
        "order by q.us, q.service, ",
        "order by q.us, q.service desc, ",
    ),
    "what finishes with its end": (
        {"incident_link": "while_open"},
        "deployments_around_incidents",
        "q.us < dora_us(k.resolved_at)",
        "q.us <= dora_us(k.resolved_at)",
    ),
    "all severities": (
        {"severities": ["sev1"]},
        "known_incidents",
        "not dora_matches(i.severity, r.counted_severity)",
        "false",
    ),
    "from the later": (
        {"recovery_start": "earlier"},
        "recovered_deployments",
        "dora_us(j.finished_at) < dora_us(i.failed_at)",
        "dora_us(j.finished_at) > dora_us(i.failed_at)",
    ),
    "a link counts once": (
        {},
        "judged_deployments",
        "coalesce(f.links, 0)",
        "least(coalesce(f.links, 0), 1)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS_BY_RULES)
def test_a_fault_planted_where_other_rules_lead_is_caught(databases: Databases, fault: str) -> None:
    changed, model, right, wrong = FAULTS_BY_RULES[fault]
    workspace = databases.workspace("duckdb", Rules().but(**changed), LATEST)
    plant(workspace, model, right, wrong)
    assert unequal(databases, workspace) != []
    workspace.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_a_model_is_caught(databases: Databases, fault: str) -> None:
    model, right, wrong = FAULTS[fault]
    workspace = databases.workspace("duckdb", Rules(), MATURE_TO_THE_MOMENT)
    plant(workspace, model, right, wrong)
    assert unequal(databases, workspace) != []
    workspace.close()


MATURE_TO_THE_MOMENT = at(224)
"""Exactly a day after a deployment of the scene of windows."""


def plant(workspace: Workspace, model: str, right: str, wrong: str) -> None:
    known: dict[str, Model] = dict(workspace._models)
    assert right in known[model].sql, f"{model} no longer says {right!r}"
    known[model] = replace(known[model], sql=known[model].sql.replace(right, wrong))
    workspace._models = known


METRIC_FAULTS = {
    "p80 in place of p90": ("lead_time", "9 * (r.n - 1)", "8 * (r.n - 1)"),
    "the mean of no middle": ("time_to_restore", "2 * r.place - (r.n - 1)", "2 * r.place - r.n"),
    "young ones count too": ("change_failure_rate", "then j.mature", "then true"),
    "attempts count too": (
        "deployment_frequency",
        "sum(case when succeeded then 1 else 0 end)",
        "sum(1)",
    ),
}


@pytest.mark.parametrize("fault", METRIC_FAULTS)
def test_a_fault_planted_in_a_metric_is_caught(
    databases: Databases, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric, right, wrong = METRIC_FAULTS[fault]
    text = dict(metrics_base.parts(metric, Portable.name))
    assert right in text["cells"], f"{metric} no longer says {right!r}"
    text["cells"] = text["cells"].replace(right, wrong)
    monkeypatch.setattr(metrics_base, "parts", lambda *_: text)
    workspace = databases.workspace("portable", Rules(), MATURE_TO_THE_MOMENT)
    report = Report(
        Known(databases.world, MATURE_TO_THE_MOMENT),
        databases.oracle(Rules(), MATURE_TO_THE_MOMENT),
        asked(databases, "UTC"),
    )
    assert unequal_numbers(workspace, report, metric) != []
    workspace.close()


def test_with_one_service_an_incident_needs_no_mapping() -> None:
    world = World(kinds=dict(KINDS))
    scene = Scene(world, "alone")
    versions(scene, "ab")
    scene.incident("i", 111, 112, service=None)
    alone = Databases(world)
    for engine in ("duckdb", "sqlite"):
        workspace = alone.workspace(engine, Rules(), LATEST)
        assert unequal(alone, workspace) == []
        found = workspace.rows("select service, state from linked_incidents")
        assert found == [("alone", "linked")]
        workspace.close()


def test_the_engine_is_the_one_that_was_asked_for() -> None:
    """So that a run on an older version cannot silently be a run on another."""
    assert duckdb.__version__ == os.environ.get("DORA_EXPECT_DUCKDB", duckdb.__version__)
