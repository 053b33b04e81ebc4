"""Controls of deployments, each turned once, on both engines."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from dora.records import Build
from dora.release import pack
from tests.models.harness import REPOSITORY, Given, at, sha
from tests.release.facts import ask

CALENDAR = """
[calendar]
checks = ["build", "test*"]

[[calendar.windows]]
name = "mornings"
rrule = "FREQ=DAILY"
start = 2026-01-01T08:00:00
duration = "4h"

[[calendar.freezes]]
name = "audit"
start = 2026-03-20
until = 2026-03-22
exempt = ["emergency"]
"""
DAY = 10 * 24 + 9  # the eleventh, at nine


@pytest.fixture(params=["duckdb", "sqlite"])
def given(request: pytest.FixtureRequest) -> Given:
    return Given(request.param)


def build(given: Given, name: str, commit: str, hour: float, status: Any = "succeeded") -> None:
    took = {"started_at": at(hour - 0.5), "finished_at": at(hour)}
    number = f"{name}-{commit}-{len(given.facts)}"
    given.facts.append(Build(number, REPOSITORY, sha(commit), name, status=status, **took))


BY = {"approved by its author": "author", "approved by a bot": "bot"}


def world(given: Given, turned: str = "", hour: float = DAY, **more: Any) -> Given:
    """One deployment that passes every control, but for what is turned."""
    given.line("a b")
    given.deploy("s0", "a", -25, environment="staging")
    given.deploy("base", "a", -24)
    given.pull(7, "a" if turned == "no pull request" else "b", DAY - 5)
    if turned != "no pull request":
        given.original(7, "b", 1)
    given.review(7, DAY - 4 if turned == "approved late" else DAY - 6, BY.get(turned, "person"))
    build(given, "build", "b", DAY - 4, "failed" if turned == "red" else "succeeded")
    if turned != "a check did not run":
        build(given, "test-unit", "b", DAY + 1 if turned == "green too late" else DAY - 4)
    if turned != "no staging":
        given.deploy("s1", "b", DAY - 3, environment="staging")
    given.deploy("p", "b", hour, **more)
    return given


def told(given: Given, **more: Any) -> dict[str, str]:
    """What the controls say of the deployment p, but what they all pass."""
    rows = ask("evidence", given, CALENDAR, **more).evidence.set_index("deployment")
    controls = rows.loc["p", ["reviewed", "checks", "staging", "window", "freeze", "linked"]]
    return {name: state for name, state in controls.items() if state != "passed"}


def test_what_passes_every_control_has_no_exception(given):
    assert told(world(given)) == {}


@pytest.mark.parametrize(
    ("turned", "control"),
    [
        ("approved late", "reviewed"),
        ("approved by its author", "reviewed"),
        ("approved by a bot", "reviewed"),
        ("red", "checks"),
        ("green too late", "checks"),
        ("a check did not run", "checks"),
        ("no staging", "staging"),
    ],
)
def test_each_control_is_an_exception_when_turned(given, turned, control):
    assert told(world(given, turned)) == {control: "exception"}


def test_without_a_pull_request_it_is_neither_reviewed_nor_linked(given):
    assert told(world(given, "no pull request")) == {
        "reviewed": "exception",
        "linked": "exception",
    }


def test_saying_what_it_fixes_links_it(given):
    said = told(world(given, "no pull request", fixes="base"))
    assert said == {"reviewed": "exception"}


def test_outside_of_its_window_is_an_exception(given):
    assert told(world(given, hour=DAY + 4)) == {"window": "exception"}


def test_in_a_freeze_it_needs_an_excuse(given):
    assert told(world(given, hour=19 * 24 + 9)) == {"freeze": "exception"}


def test_an_exempt_label_is_one(given):
    assert told(world(given, hour=19 * 24 + 9, labels="emergency")) == {}


@pytest.mark.parametrize(
    ("ends", "status", "said"),
    [
        (2, "succeeded", {"checks": "unknown"}),  # the pipeline that deployed is over after it
        (0.25, "succeeded", {"checks": "exception"}),  # another one ends while it is deployed
        (2, "failed", {"checks": "exception"}),
        (2, "cancelled", {"checks": "exception"}),
        (-0.5, "succeeded", {}),
    ],
)
def test_a_run_around_a_deployment_may_be_what_made_it(given, ends, status, said):
    world(given, started_at=at(DAY - 0.25), hour=DAY + 0.5)
    took = {"started_at": at(DAY - 1), "finished_at": at(DAY + ends)}
    given.facts.append(Build("pipeline", REPOSITORY, sha("b"), "test", status=status, **took))
    assert told(given) == said


def test_what_is_not_known_does_not_pass(given):
    given.line("a b")
    given.deploy("base", "a", -24)
    given.deploy("p", "b", DAY)
    assert told(given) == {
        "reviewed": "unknown",
        "checks": "unknown",
        "staging": "none",
        "linked": "unknown",
    }
    answer = ask("evidence", given, CALENDAR)
    assert (answer["reviewed_share"].value, answer["reviewed_share"].n) == (None, 1)
    assert answer["reviewed_share"].reason == "of no deployment is it known"
    assert "; checks green unknown for all" in answer.sentence
    assert answer["staging_share"].value is None
    assert answer["complete_share"].value == 0


def test_an_unknown_commit_is_unknown(given):
    world(given)
    given.deploy("x", None, DAY + 0.5)
    rows = ask("evidence", given, CALENDAR).evidence.set_index("deployment")
    assert rows.loc["x", "exceptions"] == (
        "reviewed: unknown, checks: unknown, staging: unknown, linked: unknown"
    )


def test_a_shortened_id_stands_for_its_commit(given):
    world(given)
    given.facts[-1] = replace(given.facts[-1], sha=sha("b")[:9])
    assert told(given) == {}


def test_going_back_has_nothing_to_review(given):
    world(given)
    given.deploy("back", "a", DAY + 0.5)
    rows = ask("evidence", given, CALENDAR).evidence.set_index("deployment")
    assert rows.loc["back", ["reviewed", "linked"]].tolist() == ["none", "none"]


def test_without_a_calendar_it_says_what_else_could_be_controlled(given):
    answer = ask("evidence", world(given))
    assert answer["window_share"].value is None
    assert answer["freeze_share"].value is None
    assert "[[calendar.windows]]" in answer.sentence
    assert answer["checks_share"].value == 1


def test_the_pack_has_a_manifest_that_holds(given, tmp_path):
    answer = ask("evidence", world(given, "red"), CALENDAR)
    files = pack.write(answer, tmp_path / "pack")
    assert [path.name for path in files] == [
        "deployments.csv", "exceptions.csv", "controls.csv", "manifest.csv",
    ]  # fmt: skip
    with (tmp_path / "pack/manifest.csv").open() as lines:
        for row in csv.DictReader(lines):
            held = (tmp_path / "pack" / row["file"]).read_bytes()
            assert row["sha256"] == hashlib.sha256(held).hexdigest()
            assert int(row["bytes"]) == len(held)
    with (tmp_path / "pack/exceptions.csv").open() as lines:
        [row] = csv.DictReader(lines)
    assert (row["deployment"], row["exceptions"]) == ("p", "checks")
    assert not [name for name in row if "author" in name or "reviewer" in name]


def test_it_is_drawn(given):
    world(given).deploy("x", None, DAY + 0.5)
    names = [
        label.get_text() for label in ask("evidence", given, CALENDAR).plot().get_xticklabels()
    ]
    assert len(names) == 6
    assert names[0] == "approved before merge\n1 unknown\nn = 2"
