"""What every incident was put down to, and why every deployment failed or did not.

    V1 10   V2 34   V3 40   V4 44   V5 100   (hours; V5 carries a hotfix)   W1 41 (another service)

`seen` was detected at 45 and names V2; `soon` at 46; `late` at 70; `cloud` is external.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dora import metrics
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from dora.errors import UsageError
from dora.metrics.explaining import Explanation
from dora.metrics.question import Question
from dora.metrics.result import Result
from dora.models import Workspace
from dora.rules import Rules
from tests.metrics.test_presets import ASKED
from tests.oracle.loading import duckdb_with, sqlite_with
from tests.oracle.metrics import Asked
from tests.oracle.questions import question
from tests.oracle.scenes import KINDS, Scene, at
from tests.oracle.world import World

HOUR = 3600.0
BOTH = Asked(ASKED.start, ASKED.end, (), "UTC", (frozenset({"shop", "web"}),))


def facts() -> World:
    world = World(kinds=dict(KINDS))
    s = Scene(world, "shop")
    s.line("a", "b", "c", "d")
    s.commit("fix", "d", 90, subject="hotfix: d")
    s.head("fix")
    for name, sha, hour in (("V1", "a", 10), ("V2", "b", 34), ("V3", "c", 40), ("V4", "d", 44)):
        s.deploy(name, sha, hour)
    s.deploy("V5", "fix", 100)
    s.deploy("broken", "fix", 99, status="failed")
    s.incident("seen", 45, 50)
    s.cause("seen", s.id("V2"))
    s.incident("soon", 46, 47)
    s.incident("late", 70, 71)
    s.incident("cloud", 46, 47, external=True)
    web = Scene(world, "web")
    web.line("a")
    web.deploy("W1", "a", 41)
    web.incident("nobody", 60, 61, service=None)
    return world


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def space(request: pytest.FixtureRequest) -> Workspace:
    connection = duckdb_with(facts())
    engine: Any = DuckDB(connection)
    if request.param == "sqlite":
        engine = SQLite(sqlite_with(connection))
    return Workspace(engine, rules=Rules(), as_of=at(120))


def result_of(space: Workspace, asked: Asked = BOTH, **rules: Any) -> Result:
    asking: Question = question(space, asked)
    changed = asking.under(Rules().but(**rules))
    return metrics.find("change_failure_rate").ask(changed)


def candidates(told: Explanation, incident: str) -> list[tuple[Any, ...]]:
    rows = told.incidents[told.incidents["incident"] == incident]
    hours = rows["seconds"] / HOUR
    names = rows["deployment"].str.removeprefix("shop:")
    return list(zip(names, rows["rule"], hours, rows["outcome"], strict=True))


def test_each_incident_says_what_it_was_put_down_to_and_what_else_it_could_be(
    space: Workspace,
) -> None:
    told = result_of(space).explain()
    assert candidates(told, "shop:seen") == [
        ("V2", "stated", 11, "linked"),
        ("V4", "window", 1, "a stronger rule decides"),
        ("V3", None, 5, "not the last one before it"),
        ("V5", None, -55, "finished only after it was detected"),
    ]
    assert candidates(told, "shop:soon") == [
        ("V4", "window", 2, "linked"),
        ("V3", None, 6, "not the last one before it"),
        ("V2", None, 12, "not the last one before it"),
        ("V5", None, -54, "finished only after it was detected"),
    ]
    assert candidates(told, "shop:late") == [
        ("V4", None, 26, "finished too long before it"),
        ("V5", None, -30, "finished only after it was detected"),
    ]


def test_each_incident_has_its_state_and_reason(space: Workspace) -> None:
    told = result_of(space).explain().incidents.drop_duplicates("incident")
    shown = {row["incident"]: (row["state"], row["reason"]) for _, row in told.iterrows()}
    assert shown == {
        "shop:seen": ("linked", "stated"),
        "shop:soon": ("linked", "window"),
        "shop:late": ("unlinked", "the last deployment of its service finished too long before it"),
        "shop:cloud": ("external", "caused outside"),
        "web:nobody": ("unmapped", "no service is mapped to it"),
    }


WEAKER = (
    "a stronger rule decides otherwise, though incident shop:seen followed it, 1 h after it "
    "finished"
)


def standings(told: Explanation) -> list[tuple[str, str, str]]:
    rows = told.deployments
    names = rows["deployment"].str.split(":").str[1]
    return list(zip(names, rows["standing"], rows["why"], strict=True))


def test_each_deployment_says_why_it_is_failed_fine_or_pending(space: Workspace) -> None:
    assert standings(result_of(space).explain()) == [
        ("V1", "fine", "nothing speaks against it"),
        ("V2", "failed", "incident shop:seen names it, 11 h after it finished"),
        ("V3", "fine", "nothing speaks against it"),
        ("W1", "not judged", "no incident source covers its service"),
        ("V4", "failed", "shop:V5 brought a hotfix, 2.3 d after it finished"),
        (
            "V4",
            "failed",
            WEAKER,
        ),
        ("V4", "failed", "incident shop:soon followed it, 2 h after it finished"),
        ("broken", "not judged", "the attempt failed"),
        ("V5", "pending", "younger than 24 h"),
    ]


def test_one_incident_is_found_whenever_it_was(space: Workspace) -> None:
    later = Asked(ASKED.end, ASKED.end.replace(month=6), (), "UTC", BOTH.scopes)
    told = result_of(space, later).explain(incident="SHOP:so*")
    assert list(told.incidents["incident"].unique()) == ["shop:soon"]
    assert told.deployments.empty


def test_one_deployment_is_found_whenever_it_was(space: Workspace) -> None:
    told = result_of(space).explain(deployment="shop:V2")
    assert list(told.deployments["deployment"]) == ["shop:V2"]
    assert told.incidents.empty


@pytest.mark.parametrize("asked", [{"incident": "nope"}, {"deployment": "nope"}])
def test_what_is_not_there_is_an_error_that_helps(space: Workspace, asked: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=f"no {next(iter(asked))} 'nope'") as caught:
        result_of(space).explain(**asked)
    assert "dora explain change_failure_rate" in str(caught.value.hint)


def test_another_service_is_not_shown(space: Workspace) -> None:
    alone = Asked(ASKED.start, ASKED.end, (), "UTC", (frozenset({"web"}),))
    told = result_of(space, alone).explain()
    assert list(told.incidents["incident"]) == ["web:nobody"]
    assert list(told.deployments["deployment"]) == ["web:W1"]
    with pytest.raises(UsageError):
        result_of(space, alone).explain(incident="shop:soon")


def test_without_the_window_rule_the_last_deployment_says_so(space: Workspace) -> None:
    told = result_of(space, failure_rules=["stated"]).explain(incident="shop:soon")
    assert candidates(told, "shop:soon")[0] == ("V4", None, 2, "the window is not asked")


def test_metrics_without_links_are_refused(space: Workspace) -> None:
    lead = metrics.find("lead_time").ask(question(space, BOTH))
    for ask in (lead.explain, lead.sensitivity):
        with pytest.raises(UsageError, match="No incident is linked for lead_time"):
            ask()


def test_a_notebook_shows_it(space: Workspace) -> None:
    told = result_of(space).explain()
    assert told._repr_html_().count("<table>") == 2
    assert repr(told) == (
        "explanation of change_failure_rate: 12 rows of incidents and their candidates, "
        "9 rows of deployments and their evidence"
    )
    with pytest.raises(AttributeError):
        told.metric = "other"


def test_nothing_is_explained_where_too_few_people_are_behind_the_number(
    space: Workspace,
) -> None:
    told = replace(result_of(space), veiled=True).explain()
    assert (len(told.incidents), len(told.deployments)) == (0, 0)
    assert told._repr_html_() == "<p>Nothing to explain.</p>"


def test_an_incident_after_a_rollback_shows_what_is_meant() -> None:
    world = World(kinds=dict(KINDS))
    s = Scene(world, "shop")
    s.line("a", "b")
    for name, sha, hour in (("V1", "a", 10), ("V2", "b", 20), ("V3", "a", 30)):
        s.deploy(name, sha, hour)
    s.incident("after", 31, 32)
    space = Workspace(DuckDB(duckdb_with(world)), rules=Rules(), as_of=at(120))
    told = result_of(space).explain(incident="shop:after")
    assert candidates(told, "shop:after")[:2] == [
        ("V2", "window", 11, "linked"),
        ("V3", None, 1, "a rollback: what it undid is meant"),
    ]
    far = result_of(space, failure_window="6h").explain(incident="shop:after")
    assert candidates(far, "shop:after") == [
        ("V3", None, 1, "a rollback: what it undid is meant"),
        ("V2", None, 11, "finished too long before it"),
    ]
