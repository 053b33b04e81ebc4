"""Which incidents count, and which deployment each comes after: given and expected rows."""

from __future__ import annotations

import pytest

from tests.models.failures.world import DAY, HOUR, World, at


def test_incident_at_the_very_second_of_a_deployment_is_put_down_to_it(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I", "2 10:00", "2 11:00")
    assert world.failed() == [("V2", "window", "I")]


def test_incident_between_two_deployments_is_put_down_to_the_earlier(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 12:00")
    world.incident("I", "1 11:59:59.999999", "1 13:00")
    assert world.failed() == [("V1", "window", "I")]


def test_incident_before_the_first_deployment_is_put_down_to_none(world: World) -> None:
    world.deploy("V1", "2 10:00")
    world.incident("I", "2 09:59:59.999999", "2 13:00")
    assert world.failed() == []
    assert world.rows("linked_incidents", "state", "reason") == [
        ("unlinked", "no deployment of its service came before it")
    ]


@pytest.mark.parametrize(
    ("detected", "failed"),
    [("2 10:00", [("V1", "window", "I")]), ("2 10:00:00.000001", [])],
)
def test_failure_window_includes_its_end_and_no_microsecond_more(
    world: World, detected: str, failed: list[object]
) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", detected, "3")
    assert world.failed() == failed


def test_incident_too_late_says_so(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "9 10:00", "9 11:00")
    assert world.rows("linked_incidents", "state", "reason") == [
        ("unlinked", "the last deployment of its service finished too long before it")
    ]


def test_failure_window_without_limit_reaches_back_as_far_as_there_is_a_deployment(
    world: World,
) -> None:
    world.rules["failure_window_us"] = None
    world.deploy("V1", "1 10:00")
    world.incident("I", "29 10:00", "29 11:00")
    assert world.rows("deployment_failures", "deployment", "gap_us") == [("V1", 28 * DAY)]


def test_nearer_deployment_of_another_service_is_left_alone(world: World) -> None:
    world.deploy("shop-1", "1 10:00")
    world.deploy("mail-1", "1 11:00", services=["mail"])
    world.incident("I", "1 12:00", "1 13:00", services=["shop"])
    assert world.failed() == [("shop-1", "window", "I")]


def test_last_deployment_over_all_production_environments_is_meant(world: World) -> None:
    world.deploy("eu-1", "1 10:00", environment="eu")
    world.deploy("us-1", "1 12:00", environment="us")
    world.incident("I1", "1 11:00", "1 11:30")
    world.incident("I2", "1 13:00", "1 14:00")
    assert world.failed() == [("eu-1", "window", "I1"), ("us-1", "window", "I2")]


def test_failed_attempt_is_passed_over_by_the_window(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 11:00", status="failed")
    world.incident("I", "1 12:00", "1 13:00")
    assert world.failed() == [("V1", "window", "I")]


def test_incident_of_two_services_is_linked_in_each(world: World) -> None:
    world.deploy("shop-1", "1 10:00")
    world.deploy("mail-1", "1 11:00", services=["mail"])
    world.incident("I", "1 12:00", "1 13:00", services=["shop", "mail"])
    assert world.failed() == [("mail-1", "window", "I"), ("shop-1", "window", "I")]
    assert world.links() == [("I", "mail", "linked"), ("I", "shop", "linked")]


def test_two_incidents_on_one_deployment_fail_it_once(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I2", "1 12:00", "1 13:00")
    world.incident("I1", "1 14:00", "1 15:00")
    assert world.failed() == [("V1", "window", "I2")]
    assert world.evidence() == [("V1", "window", "I1", True), ("V1", "window", "I2", True)]


def test_incident_after_a_rollback_is_put_down_to_what_was_undone(world: World) -> None:
    world.line("a", "b", "c")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "1 11:00", "b")
    world.deploy("V3", "1 12:00", "c")
    world.deploy("R", "1 13:00", "a")
    world.incident("I", "1 13:30", "1 14:00")
    assert world.evidence() == [
        ("V2", "rollback", "R", True),
        ("V3", "rollback", "R", True),
        ("V3", "window", "I", True),
    ]
    # From the finish of V3 at 12:00, not from that of the rollback.
    assert world.rows("deployment_failures", "gap_us", where="m.rule = 'window'") == [
        (3 * HOUR // 2,)
    ]


def test_incident_after_a_stated_rollback_is_put_down_to_what_it_names(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 11:00")
    world.deploy("R", "1 12:00", rolls_back="V2")
    world.incident("I", "1 13:00", "1 14:00")
    assert world.evidence() == [("V2", "stated", "R", True), ("V2", "window", "I", True)]


def test_incident_after_a_rollback_of_what_nobody_knows_stays_unlinked(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("R", "1 12:00", rolls_back="V0")
    world.incident("I", "1 13:00", "1 14:00")
    assert world.failed() == []


def test_duplicates_follow_their_original_however_long_the_chain(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 13:00")
    world.incident("I1", "1 12:00", "1 13:00")
    world.incident("I2", "1 14:00", "1 15:00", duplicate_of="I1")
    world.incident("I3", "1 14:30", "1 15:00", duplicate_of="I2")
    assert world.failed() == [("V1", "window", "I1")]
    assert world.rows("linked_incidents", "incident", "state", "reason") == [
        ("I1", "linked", "window"),
        ("I2", "duplicate", "repeats I1"),
        ("I3", "duplicate", "repeats I1"),
    ]


def test_what_a_duplicate_names_its_original_names(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I1", "2 12:00", "2 13:00")
    world.incident("I2", "2 14:00", "2 15:00", duplicate_of="I1", causes=["V1"])
    assert world.evidence() == [("V1", "stated", "I1", True), ("V2", "window", "I1", False)]


def test_duplicate_of_an_unknown_incident_stands_for_itself(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I2", "1 12:00", "1 13:00", duplicate_of="I1")
    assert world.failed() == [("V1", "window", "I2")]


def test_original_of_another_source_is_not_meant(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I1", "5 12:00", "5 13:00", source="jira")
    world.incident("I2", "1 12:00", "1 13:00", duplicate_of="I1")
    assert world.failed() == [("V1", "window", "I2")]


def test_circle_of_duplicates_counts_once(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I1", "1 12:00", "1 13:00", duplicate_of="I2")
    world.incident("I2", "1 12:30", "1 13:00", duplicate_of="I1")
    world.incident("I3", "1 12:40", "1 13:00", duplicate_of="I3")
    world.incident("I4", "1 12:50", "1 13:00", duplicate_of="I2")
    assert world.links() == [
        ("I1", "shop", "linked"),
        ("I2", "shop", "duplicate"),
        ("I3", "shop", "linked"),
        ("I4", "shop", "duplicate"),
    ]


def test_external_invalid_and_not_planned_incidents_fail_nothing(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("external", "1 12:00", "1 13:00", external=True, causes=["V1"])
    world.incident("invalid", "1 12:00", "1 11:59")
    world.incident("earlier close", "1 12:00", "1 13:00", first_resolved="1 11:00")
    world.incident("unwanted", "1 12:00", "1 13:00", not_planned=True)
    assert world.failed() == []
    assert world.links() == [
        ("earlier close", "shop", "invalid"),
        ("external", "shop", "external"),
        ("invalid", "shop", "invalid"),
        ("unwanted", "shop", "not planned"),
    ]


def test_invalid_is_said_before_anything_else(world: World) -> None:
    world.incident("I1", "1 12:00", "1 13:00")
    world.incident("I2", "1 12:00", "1 11:00", duplicate_of="I1", external=True)
    world.incident("I3", "1 12:00", "1 13:00", duplicate_of="I1", external=True)
    world.incident("I4", "1 12:00", "1 13:00", external=True, not_planned=True)
    assert [state for _, _, state in world.links()] == [
        "unlinked",
        "invalid",
        "duplicate",
        "external",
    ]


def test_resolved_in_the_instant_of_detection_is_valid(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 12:00", "1 12:00")
    assert world.failed() == [("V1", "window", "I")]


def test_not_planned_incidents_count_where_the_rules_say_so(world: World) -> None:
    world.rules["not_planned_incidents"] = True
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 12:00", "1 13:00", not_planned=True)
    assert world.failed() == [("V1", "window", "I")]


def test_incident_without_a_service_is_unmapped_unless_it_names_a_deployment(
    world: World,
) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I1", "1 12:00", "1 13:00", services=[])
    world.incident("I2", "1 12:00", "1 13:00", services=[], causes=["V1"])
    assert world.links() == [("I1", None, "unmapped"), ("I2", None, "linked")]
    assert world.failed() == [("V1", "stated", "I2")]


def test_what_is_later_than_now_is_not_known(world: World) -> None:
    world.as_of = at("1 13:00")
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 13:00:00.000001")
    world.incident("I1", "1 12:00", "1 14:00")
    world.incident("I2", "1 13:30", "1 14:00", causes=["V1"])
    world.incident("I3", "1 13:00", "1 13:00", duplicate_of="I2")
    assert world.rows("linked_incidents", "incident", "state", "resolved_at", "open") == [
        ("I1", "linked", None, True),
        ("I3", "linked", at("1 13:00"), False),
    ]
    assert world.failed() == [("V1", "window", "I1")]


def test_links_do_not_depend_on_the_rules_of_another_kind(world: World) -> None:
    world.rules["rule_window"] = False
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 12:00", "1 13:00")
    assert world.failed() == []
    assert world.rows("linked_incidents", "state", "reason") == [
        ("unlinked", "it states no deployment")
    ]


def test_deployments_are_mature_at_the_age_the_rules_ask_for_to_the_microsecond(
    world: World,
) -> None:
    world.as_of = at("3 10:00")
    world.deploy("V1", "2 10:00")
    world.deploy("V2", "2 10:00:00.000001")
    world.deploy("V3", "1 10:00", status="failed")
    world.incident("I", "2 11:00", "2 12:00")
    assert world.rows("judged_deployments", "deployment", "mature", "pending", "failed") == [
        ("V1", True, False, False),
        ("V2", False, True, True),
        ("V3", False, False, False),
    ]


def test_covered_are_the_services_that_an_incident_source_is_mapped_to(world: World) -> None:
    world.deploy("V1", "1 10:00", services=["shop", "mail"])
    world.tables["covered_services"] = [{"service": "mail"}]
    assert world.rows("judged_deployments", "service", "covered") == [
        ("mail", True),
        ("shop", False),
    ]
