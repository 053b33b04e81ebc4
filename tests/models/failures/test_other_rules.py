"""Choices that other products make: how rollbacks are told, what incidents are linked to, when a
recovery begins, which incidents count, and what ended one."""

from __future__ import annotations

import pytest

from tests.models.failures.world import HOUR, World


def releases(world: World, commits: str) -> None:
    """Deployments V1, V2 … of these commits, one a day at ten."""
    world.line(*sorted(set(commits)))
    for day, commit in enumerate(commits, start=1):
        world.deploy(f"V{day}", f"{day} 10:00", commit)


# --- severity and duplicates --------------------------------------------------------------------


def test_incident_below_the_severity_threshold_fails_nothing(world: World) -> None:
    world.rules["counted_severity"] = "^(?:sev1|sev2)$"
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.deploy("V3", "3 10:00")
    world.incident("severe", "1 11:00", "1 12:00", severity="SEV2")
    world.incident("minor", "2 11:00", "2 12:00", severity="sev3", causes=["V2"])
    world.incident("unstated", "3 11:00", "3 12:00")
    assert world.links() == [
        ("minor", "shop", "less severe"),
        ("severe", "shop", "linked"),
        ("unstated", "shop", "linked"),
    ]
    assert [d for d, *_ in world.failed()] == ["V1", "V3"]
    reason = world.rows("linked_incidents", "reason", where="m.incident = 'minor'")
    assert reason == [("its severity is below the threshold",)]


def test_incident_below_the_threshold_is_left_out_of_recovery_of_any(world: World) -> None:
    world.rules |= {"counted_severity": "^(?:sev1)$", "caused_by": "any"}
    world.incident("minor", "2 11:00", "2 12:00", severity="sev3")
    world.incident("severe", "2 11:00", "2 13:00", severity="sev1")
    assert world.recovered() == [
        (None, "minor", 1.0, "incident resolved", "less severe"),
        (None, "severe", 2.0, "incident resolved", None),
    ]


def test_duplicates_count_by_themselves_where_the_rules_say_so(world: World) -> None:
    world.rules["duplicate_incidents"] = True
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("first", "1 11:00", "1 12:00")
    world.incident("again", "2 11:00", "2 12:00", duplicate_of="first")
    assert world.failed() == [("V1", "window", "first"), ("V2", "window", "again")]


# --- how a rollback is told ---------------------------------------------------------------------

SAME_SHA = [
    # Without ancestry the last V2 is a rollback of the second V1, too; rollbacks do not fail.
    ("abab", [("V2", "rollback", None)]),
    ("abca", [("V2", "rollback", None), ("V3", "rollback", None)]),
    ("abbc", []),  # deployed again, and nothing was in between
    ("abcb", [("V3", "rollback", None)]),
    ("cba", []),  # older, and never deployed before
]


@pytest.mark.parametrize(("commits", "failed"), SAME_SHA, ids=[c for c, _ in SAME_SHA])
def test_same_commit_again_undoes_what_is_between(
    world: World, commits: str, failed: list[object]
) -> None:
    world.rules["rollback_by"] = "same_sha"
    releases(world, commits)
    assert world.failed() == failed


@pytest.mark.parametrize("rollback_by", ["same_sha", "ancestry"])
def test_only_the_first_after_the_target_is_blamed_where_the_rules_say_so(
    world: World, rollback_by: str
) -> None:
    """V1 V2 V3 V1: both between were undone, V2 came first."""
    world.rules |= {"rollback_by": rollback_by, "rollback_blames": "first"}
    releases(world, "abca")
    assert world.failed() == [("V2", "rollback", None)]


def test_same_commit_is_looked_for_in_each_environment_alone(world: World) -> None:
    world.rules["rollback_by"] = "same_sha"
    world.line("a", "b")
    world.deploy("E1", "1 10:00", "a", environment="eu")
    world.deploy("U1", "2 10:00", "b", environment="us")
    world.deploy("E2", "3 10:00", "a", environment="eu")
    assert world.failed() == []


def test_same_commit_does_not_tell_rollbacks_of_deployments_inferred_from_tags(
    world: World,
) -> None:
    world.rules["rollback_by"] = "same_sha"
    world.line("a", "b")
    for day, commit in enumerate("aba", start=1):
        world.deploy(f"V{day}", f"{day} 10:00", commit, inferred=True)
    assert world.failed() == []


def test_rework_follows_the_way_rollbacks_are_told(world: World) -> None:
    world.rules["rollback_by"] = "same_sha"
    releases(world, "abcb")
    assert world.rework() == [("V4", "rollback", "V3")]


# --- what an incident is put down to ------------------------------------------------------------


def test_last_of_any_service_is_blamed_however_old(world: World) -> None:
    world.rules |= {"incident_link": "last_of_any", "failure_window_us": None}
    world.deploy("shop-1", "1 10:00")
    world.deploy("mail-1", "1 11:00", services=["mail"])
    world.incident("of-shop", "9 10:00", "9 12:00")
    world.incident("of-nobody", "9 10:00", "9 12:00", services=[])
    assert world.failed() == [("mail-1", "window", "of-nobody")]
    assert [link[2] for link in world.links()] == ["linked", "linked"]


def test_last_of_any_service_keeps_to_the_window(world: World) -> None:
    world.rules["incident_link"] = "last_of_any"
    world.deploy("mail-1", "1 10:00", services=["mail"])
    world.incident("in-time", "2 10:00", "2 12:00")
    world.incident("too-late", "2 10:00:00.000001", "2 12:00")
    assert world.failed() == [("mail-1", "window", "in-time")]
    reason = world.rows("linked_incidents", "reason", where="m.incident = 'too-late'")
    assert reason == [("no deployment finished shortly enough before it",)]


def test_last_of_any_may_be_a_rollback(world: World) -> None:
    world.rules |= {"incident_link": "last_of_any", "rule_rollback": False}
    releases(world, "aba")
    world.incident("I", "3 11:00", "3 12:00")
    assert world.failed() == [("V3", "window", "I")]


def test_deployments_made_while_it_is_open_are_blamed_as_well(world: World) -> None:
    """Before it V1; while it is open V2 and, to its very end and without, no more."""
    world.rules["incident_link"] = "while_open"
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 12:00")
    world.deploy("V3", "1 13:00")
    world.deploy("mail", "1 12:30", services=["mail"])
    world.incident("I", "1 11:00", "1 13:00")
    assert world.failed() == [("V1", "window", "I"), ("V2", "window", "I")]
    gaps = world.rows("deployment_failures", "deployment", "gap_us")
    assert gaps == [("V1", HOUR), ("V2", -HOUR)]


def test_open_incident_blames_whatever_follows_it_where_the_rules_say_so(world: World) -> None:
    world.rules["incident_link"] = "while_open"
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00")
    world.deploy("V2", "9 12:00")
    assert [d for d, *_ in world.failed()] == ["V1", "V2"]


def test_two_incidents_are_two_links(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00", failure_label=True)
    world.incident("I", "1 11:00", "1 12:00")
    world.incident("J", "1 11:30", "1 12:00", causes=["V1"])
    links = world.rows("judged_deployments", "deployment", "links")
    assert links == [("V1", 2), ("V2", 0)]


# --- when a recovery begins ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "late", "early"),
    [("detection", 1.0, 3.0), ("deployment", 2.0, 1.0), ("earlier", 2.0, 3.0)],
)
def test_recovery_may_begin_with_the_deployment(
    world: World, start: str, late: float, early: float
) -> None:
    """V1 at ten, noticed at eleven, over at twelve; J was there two hours before V2 made it so."""
    world.rules["recovery_start"] = start
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.incident("I", "1 11:00", "1 12:00")
    world.incident("J", "2 08:00", "2 11:00", causes=["V2"])
    assert [(d, us) for d, _, us, *_ in world.recovered()] == [("V1", late), ("V2", early)]


def test_without_an_incident_it_begins_with_the_deployment_anyway(world: World) -> None:
    world.rules["recovery_start"] = "earlier"
    releases(world, "aba")
    assert world.recovered() == [("V2", None, 24.0, "rollback", None)]


def test_recovery_of_linked_incidents_counts_each_by_itself(world: World) -> None:
    world.rules |= {"caused_by": "linked", "recovery_start": "deployment"}
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", "1 12:00")
    world.incident("J", "1 11:00", "1 13:00")
    world.incident("far", "9 11:00", "9 13:00")
    world.deploy("V2", "20 10:00")
    world.incident("open", "20 11:00")
    assert world.recovered() == [
        ("V1", "I", 2.0, "incident resolved", None),
        ("V1", "J", 3.0, "incident resolved", None),
        ("V2", "open", None, None, None),
    ]


def test_any_incident_begins_with_the_deployment_it_is_linked_to(world: World) -> None:
    world.rules |= {"caused_by": "any", "recovery_start": "earlier"}
    world.deploy("V1", "1 10:00")
    world.incident("far", "9 11:00", "9 13:00")
    world.incident("near", "1 11:00", "1 13:00")
    assert [(i, us) for _, i, us, *_ in world.recovered()] == [("near", 3.0), ("far", 2.0)]


# --- what ended it ------------------------------------------------------------------------------


def kinds(world: World) -> list[object]:
    return [kind for *_, kind, _ in world.recovered()]


def test_repair_before_the_end_is_what_ended_it(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.incident("I", "2 11:00", "2 13:00")
    world.deploy("V3", "2 13:00", "a")
    assert world.recovered() == [("V2", "I", 2.0, "rollback", None)]


@pytest.mark.parametrize("finish", ["2 10:59", "2 13:01"])
def test_repair_before_detection_or_after_the_end_did_not_end_it(world: World, finish: str) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", finish, "a")
    world.incident("I", "2 11:00", "2 13:00", causes=["V2"])
    assert kinds(world) == ["incident resolved"]


@pytest.mark.parametrize(
    ("when", "share", "more", "kind"),
    [
        ("2 12:30", 0.0, {}, "flag off"),
        ("2 12:00", 0.0, {}, "flag off"),  # an hour before the end
        ("2 11:59:59", 0.0, {}, "incident resolved"),
        ("2 13:00", 0.0, {}, "flag off"),
        ("2 13:00:01", 0.0, {}, "incident resolved"),
        ("2 12:30", 0.1, {}, "incident resolved"),
        ("2 12:30", 0.0, {"service": "mail"}, "incident resolved"),
        ("2 12:30", 0.0, {"environment": "staging"}, "incident resolved"),
        ("2 12:30", 0.0, {"action": "removed"}, "incident resolved"),
        ("2 12:30", 0.0, {"action": "created"}, "incident resolved"),
    ],
)
def test_flag_of_the_service_turned_off_shortly_before_the_end_ended_it(
    world: World, when: str, share: float, more: dict[str, str], kind: str
) -> None:
    world.deploy("V1", "2 10:00")
    world.incident("I", "2 11:00", "2 13:00")
    world.flag(when, share, **more)
    assert world.recovered() == [("V1", "I", 2.0, kind, None)]


def test_flag_that_was_off_already_ended_nothing(world: World) -> None:
    world.deploy("V1", "2 10:00")
    world.incident("I", "2 11:00", "2 13:00")
    world.flag("1 10:00", 0.0)
    world.flag("2 12:30", 0.0)
    assert kinds(world) == ["incident resolved"]


def test_last_of_flag_and_repair_ended_it(world: World) -> None:
    """The flag went off at half past twelve, the rollback came at a quarter to one."""
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.incident("I", "2 11:00", "2 13:00")
    world.flag("2 12:30", 0.0)
    world.deploy("V3", "2 12:45", "a")
    assert kinds(world) == ["rollback"]


def test_deployment_recovered_by_what_ended_its_last_incident(world: World) -> None:
    world.deploy("V1", "2 10:00")
    world.incident("I", "2 11:00", "2 12:00")
    world.incident("J", "2 11:00", "2 13:00")
    world.flag("2 11:55", 0.0)  # 65 minutes before the end of J
    assert world.recovered() == [("V1", "I", 2.0, "incident resolved", None)]


def test_flag_ends_no_failure_without_an_incident(world: World) -> None:
    world.deploy("V1", "2 10:00", failure_label=True)
    world.flag("2 10:30", 0.0)
    assert world.recovered() == [("V1", None, None, None, None)]


def test_any_incident_says_what_ended_it_too(world: World) -> None:
    world.rules["caused_by"] = "any"
    world.incident("I", "2 11:00", "2 13:00")
    world.flag("2 12:30", 0.0)
    assert world.recovered() == [(None, "I", 2.0, "flag off", None)]


def test_two_regions_fail_at_different_times(world: World) -> None:
    """Both get b; eu fails at once and goes back, us is blamed by the incident a day later."""
    world.line("a", "b")
    for name, environment in (("E", "eu"), ("U", "us")):
        world.deploy(f"{name}1", "1 10:00", "a", environment=environment)
    world.deploy("E2", "2 10:00", "b", environment="eu")
    world.deploy("E3", "2 11:00", "a", environment="eu")
    world.deploy("U2", "3 10:00", "b", environment="us")
    world.incident("I", "3 12:00", "3 13:00")
    assert world.failed() == [("E2", "rollback", None), ("U2", "window", "I")]
    assert world.recovered() == [
        ("E2", None, 1.0, "rollback", None),
        ("U2", "I", 1.0, "incident resolved", None),
    ]
