"""How long a failed deployment took to recover, and which deployments were rework."""

from __future__ import annotations

import pytest

from tests.models.failures.test_conflicts import (
    fixed,
    hotfixed,
    revert_and_hotfix,
    reverted,
    rolled_back,
)
from tests.models.failures.world import World, at

RESOLVED = "incident resolved"


def test_from_the_earliest_detection_to_the_latest_resolution(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I1", "1 12:00", "1 13:00")
    world.incident("I2", "1 11:00", "1 15:00")
    world.incident("I3", "1 11:30", "1 12:00")
    assert world.recovered() == [("V1", "I2", 4.0, RESOLVED, None)]
    assert world.rows("recovered_deployments", "failed_at", "recovered_at", "rule", "open") == [
        (at("1 11:00"), at("1 15:00"), "window", False)
    ]


def test_open_while_one_incident_is_open(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I1", "1 12:00", "1 13:00")
    world.incident("I2", "1 14:00")
    assert world.recovered() == [("V1", "I1", None, None, None)]
    assert world.rows("recovered_deployments", "failed_at", "recovered_at", "open") == [
        (at("1 12:00"), None, True)
    ]


def test_incident_naming_two_deployments_gives_both_its_time(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I", "2 11:00", "2 14:00", causes=["V1", "V2"])
    assert world.recovered() == [
        ("V1", "I", 3.0, RESOLVED, None),
        ("V2", "I", 3.0, RESOLVED, None),
    ]


def test_reopened_and_unclosed_is_open(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", None, first_resolved="1 12:00")
    assert world.recovered() == [("V1", "I", None, None, None)]


def test_time_closed_before_a_reopening_counts_as_open(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", "1 20:00", first_resolved="1 12:00")
    assert world.recovered() == [("V1", "I", 9.0, RESOLVED, None)]


@pytest.mark.parametrize("last", [None, "1 20:00"])
def test_first_close_ends_it_where_the_rules_say_so(world: World, last: str | None) -> None:
    world.rules["recovery"] = "first_close"
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", last, first_resolved="1 12:00")
    assert world.recovered() == [("V1", "I", 1.0, RESOLVED, None)]


def test_last_close_serves_where_the_first_is_not_told(world: World) -> None:
    world.rules["recovery"] = "first_close"
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", "1 13:00")
    assert world.recovered() == [("V1", "I", 2.0, RESOLVED, None)]


def test_resolved_later_than_now_is_open(world: World) -> None:
    world.as_of = at("1 13:00")
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", "1 13:00:00.000001")
    assert world.recovered() == [("V1", "I", None, None, None)]


@pytest.mark.parametrize(
    ("scene", "kind"),
    [
        (fixed, "fix forward"),
        (rolled_back, "rollback"),
        (reverted, "revert"),
        (hotfixed, "fix forward"),
    ],
)
def test_without_incidents_the_first_repair_ends_it(world: World, scene: object, kind: str) -> None:
    assert callable(scene)
    scene(world)
    assert world.recovered() == [("V2", None, 24.0, kind, None)]


def test_linked_incident_goes_before_the_repair(world: World) -> None:
    rolled_back(world)
    world.incident("I", "2 11:00", "2 12:00")
    assert world.recovered() == [("V2", "I", 1.0, RESOLVED, None)]
    assert world.rows("recovered_deployments", "rule") == [("rollback",)]


def test_first_of_several_repairs_counts(world: World) -> None:
    world.line("a", "b")
    world.commit("undo", "b", reverts="b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("back", "2 12:00", "a")
    world.deploy("V3", "2 20:00", "undo")
    assert world.recovered() == [("V2", None, 2.0, "rollback", None)]


def test_candidates_repair_nothing(world: World) -> None:
    revert_and_hotfix(world)
    assert world.recovered() == [("V2", None, 48.0, "revert", None)]


def test_failed_repair_does_not_end_it(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 11:00", status="failed", fixes="V1")
    assert world.failed() == [("V1", "stated", None)]
    assert world.recovered() == [("V1", None, None, None, None)]


def test_label_alone_leaves_it_open(world: World) -> None:
    world.deploy("V1", "1 10:00", failure_label=True)
    assert world.recovered() == [("V1", None, None, None, None)]


def test_stated_rollback_is_a_rollback(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 12:00", rolls_back="V1")
    assert world.recovered() == [("V1", None, 2.0, "rollback", None)]


def test_attempt_that_never_succeeded_has_a_restore_time(world: World) -> None:
    world.deploy("V1", "1 10:00", status="failed")
    world.deploy("V2", "1 12:00", status="failed")
    world.deploy("V3", "1 15:00", fixes="V2")
    world.incident("I", "1 10:30", "1 11:00", causes=["V1"])
    assert world.recovered() == [
        ("V1", "I", 0.5, RESOLVED, None),
        ("V2", None, 3.0, "fix forward", None),
    ]


def test_repair_before_the_failure_is_left_out(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V0", "1 08:00", fixes="V1")
    assert world.recovered() == [("V1", None, -2.0, "fix forward", "negative duration")]


def test_running_attempt_without_any_time_is_left_out(world: World) -> None:
    world.deploy("V1", None, status="running")
    world.deploy("V2", "1 10:00", fixes="V1")
    assert world.recovered() == [("V1", None, None, "fix forward", "no time of failure")]


def test_regions_recover_each_in_its_own_time(world: World) -> None:
    world.line("a", "b")
    for region, back in (("eu", "2 12:00"), ("us", "2 15:00")):
        world.deploy(f"{region}-1", "1 10:00", "a", environment=region)
        world.deploy(f"{region}-2", "2 10:00", "b", environment=region)
        world.deploy(f"{region}-3", back, "a", environment=region)
    assert world.recovered() == [
        ("eu-2", None, 2.0, "rollback", None),
        ("us-2", None, 5.0, "rollback", None),
    ]


def test_link_points_at_the_incident_and_else_at_the_deployment(world: World) -> None:
    world.deploy("V1", "1 10:00", url="https://ci/1")
    world.deploy("V2", "2 10:00", url="https://ci/2")
    world.deploy("V3", "3 10:00", fixes="V2")
    world.incident("I", "1 11:00", "1 14:00", url="https://pager/1")
    assert world.rows("recovered_deployments", "url") == [("https://ci/2",), ("https://pager/1",)]


# --- recovery of any incident -------------------------------------------------------------------


def incidents_of_all_sorts(world: World) -> None:
    world.rules["caused_by"] = "any"
    world.deploy("V1", "1 10:00", url="https://ci/1")
    world.incident("linked", "1 11:00", "1 13:00")
    world.incident("unlinked", "9 11:00", "9 14:00")
    world.incident("open", "9 11:00")
    world.incident("unmapped", "9 11:00", "9 12:00", services=[])
    world.incident("external", "9 11:00", "9 16:00", external=True)
    world.incident("again", "9 11:00", "9 16:00", duplicate_of="unlinked")
    world.incident("invalid", "9 11:00", "9 10:00")
    world.incident("unwanted", "9 11:00", "9 12:00", not_planned=True)


def test_any_incident_recovers_linked_or_not(world: World) -> None:
    incidents_of_all_sorts(world)
    assert world.recovered() == [
        ("V1", "linked", 2.0, RESOLVED, None),
        (None, "again", 5.0, RESOLVED, "duplicate"),
        (None, "external", 5.0, RESOLVED, "external"),
        (None, "invalid", -1.0, RESOLVED, "invalid"),
        (None, "open", None, None, None),
        (None, "unlinked", 3.0, RESOLVED, None),
        (None, "unmapped", 1.0, RESOLVED, None),
        (None, "unwanted", 1.0, RESOLVED, "not planned"),
    ]


def test_external_incidents_count_where_asked_for(world: World) -> None:
    world.rules["external_incidents"] = True
    incidents_of_all_sorts(world)
    assert (None, "external", 5.0, RESOLVED, None) in world.recovered()


def test_any_incident_naming_two_deployments_counts_once(world: World) -> None:
    world.rules["caused_by"] = "any"
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I", "2 11:00", "2 14:00", causes=["V1", "V2"])
    assert world.recovered() == [("V2", "I", 3.0, RESOLVED, None)]


def test_any_incident_without_a_service_takes_that_of_the_deployment_it_names(
    world: World,
) -> None:
    world.rules["caused_by"] = "any"
    world.deploy("V1", "1 10:00")
    world.incident("I", "2 11:00", "2 14:00", services=[], causes=["V1"])
    assert world.rows("recovered_deployments", "service", "deployment", "rule") == [
        ("shop", "V1", "stated")
    ]


# --- rework -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (fixed, ("repair", "hotfix", "V2")),
        (rolled_back, ("V3", "rollback", "V2")),
        (reverted, ("V3", "revert", "V2")),
        (hotfixed, ("V3", "hotfix", "V2")),
        (revert_and_hotfix, ("V4", "hotfix", "V2")),
    ],
)
def test_deployment_made_to_repair_says_what_it_repairs(
    world: World, scene: object, expected: tuple[str, ...]
) -> None:
    assert callable(scene)
    scene(world)
    assert world.rework() == [expected]


def test_hotfix_that_came_too_late_to_blame_anything_is_rework_still(world: World) -> None:
    world.line("a")
    world.commit("fix", "a", subject="hotfix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "20 10:00", "fix")
    assert world.failed() == []
    assert world.rework() == [("V2", "hotfix", None)]


def test_naming_an_incident_makes_rework(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 12:00", fixes="I")
    assert world.rework() == [("V2", "hotfix", None)]


def test_rollback_of_several_repairs_the_newest(world: World) -> None:
    world.line("a", "b", "c")
    for name, day, commit in (("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "c"), ("back", 4, "a")):
        world.deploy(name, f"{day} 10:00", commit)
    assert world.rework() == [("back", "rollback", "V3")]


def test_failed_attempts_are_no_rework(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 12:00", fixes="V1", unplanned=True, status="failed")
    assert world.rework() == []
