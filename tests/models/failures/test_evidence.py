"""Each kind of evidence by itself: given and expected rows."""

from __future__ import annotations

import pytest

from tests.models.failures.world import DAY, HOUR, World, sha

# --- stated -----------------------------------------------------------------------------------


def test_incident_names_a_deployment_by_id_or_url(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00", url="https://ci/2")
    world.deploy("V3", "3 10:00")
    world.incident("I1", "3 11:00", "3 12:00", causes=["V1"])
    world.incident("I2", "3 11:00", "3 12:00", causes=["https://ci/2"])
    assert world.failed() == [("V1", "stated", "I1"), ("V2", "stated", "I2")]


def test_stated_links_have_no_time_limit_and_say_how_far_apart(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "29 10:00", "29 11:00", causes=["V1"])
    assert world.rows("deployment_failures", "rule", "confidence", "gap_us") == [
        ("stated", "stated", 28 * DAY)
    ]


def test_one_incident_naming_two_deployments_fails_both(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00")
    world.deploy("V3", "3 10:00")
    world.incident("I", "3 11:00", "3 12:00", causes=["V1", "V2"])
    assert world.failed() == [("V1", "stated", "I"), ("V2", "stated", "I")]


def test_failed_attempt_can_be_named(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00", status="failed")
    world.incident("I", "2 10:30", "2 12:30", causes=["V2"])
    assert world.rows("judged_deployments", "deployment", "succeeded", "failed") == [
        ("V1", True, False),
        ("V2", False, True),
    ]


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_commit_names_the_deployment_of_exactly_it(world: World, digits: int) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.incident("I", "2 11:00", "2 12:00", causes=[sha("a")[:digits].upper()])
    assert world.failed() == [("V1", "stated", "I")]


def test_six_digits_name_no_commit(world: World) -> None:
    world.line("a")
    world.deploy("V1", "1 10:00", "a")
    world.incident("I", "9 11:00", "9 12:00", causes=[sha("a")[:6]])
    assert world.failed() == []


def test_commit_deployed_again_names_its_first_deployment(world: World) -> None:
    world.line("a", "b")
    for name, day, commit in (("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "a"), ("V4", 4, "b")):
        world.deploy(name, f"{day} 10:00", commit, inferred=True)
    world.incident("I", "9 11:00", "9 12:00", causes=[sha("b")])
    assert world.failed() == [("V2", "stated", "I")]


def test_commit_inside_a_deployment_names_the_one_that_first_delivered_it(world: World) -> None:
    world.line("a", "b", "c", "d")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "c")
    world.deploy("V3", "3 10:00", "d")
    world.incident("I", "3 11:00", "3 12:00", causes=[sha("b")])
    assert world.failed() == [("V2", "stated", "I")]


def test_commit_inside_a_baseline_names_the_baseline(world: World) -> None:
    world.line("a", "b", "c")
    world.deploy("V1", "1 10:00", "b")
    world.deploy("V2", "2 10:00", "c")
    world.incident("I", "2 11:00", "2 12:00", causes=[sha("a")])
    assert world.failed() == [("V1", "stated", "I")]


def test_commit_in_two_regions_names_the_deployment_that_came_first(world: World) -> None:
    world.line("a", "b")
    for region, hour in (("eu", 10), ("us", 12)):
        world.deploy(f"{region}-1", f"1 {hour}:00", "a", environment=region)
        world.deploy(f"{region}-2", f"2 {hour}:00", "b", environment=region)
    world.incident("I", "2 13:00", "2 14:00", causes=[sha("b")])
    assert world.failed() == [("eu-2", "stated", "I")]


def test_failed_attempt_then_success_of_one_commit_names_the_success(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b", status="failed")
    world.deploy("V3", "2 11:00", "b")
    world.incident("I", "2 12:00", "2 13:00", causes=[sha("b")])
    assert world.failed() == [("V3", "stated", "I")]


def test_commit_that_was_only_attempted_names_the_first_attempt(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b", status="failed")
    world.deploy("V3", "2 11:00", "b", status="failed")
    world.incident("I", "2 12:00", "2 13:00", causes=[sha("b")])
    assert world.failed() == [("V2", "stated", "I")]


@pytest.mark.parametrize("cause", ["hub/shop#7", "#7", "https://hub/shop/pull/7"])
def test_pull_request_names_the_deployment_that_delivered_what_landed(
    world: World, cause: str
) -> None:
    world.line("a", "b", "c")
    world.pull_request(7, "b", url="https://hub/shop/pull/7")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "c")
    world.incident("I", "5 11:00", "5 12:00", causes=[cause], repository="hub/shop")
    assert world.failed() == [("V2", "stated", "I")]


def test_number_alone_means_a_pull_request_of_the_repository_the_incident_is_in(
    world: World,
) -> None:
    world.line("a", "b")
    world.pull_request(7, "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.incident("I", "5 11:00", "5 12:00", causes=["#7"], repository="hub/mail")
    world.incident("J", "5 11:00", "5 12:00", causes=["#7"])
    assert world.failed() == []


def test_original_commit_of_a_squash_names_what_landed(world: World) -> None:
    world.line("a", "squash")
    world.commit("original", "a")
    world.tables["originals"] = [
        {"repository": "hub/shop", "sha": sha("original"), "number": 7, "landed_sha": sha("squash")}
    ]
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "squash")
    world.incident("I", "5 11:00", "5 12:00", causes=[sha("original")[:10]])
    assert world.failed() == [("V2", "stated", "I")]


def test_commit_names_the_deployment_that_first_delivered_it_or_a_copy(world: World) -> None:
    world.line("a", "fix")
    world.commit("copy", "a", copies="fix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "copy")
    world.deploy("V3", "3 10:00", "fix")
    world.incident("I", "5 11:00", "5 12:00", causes=[sha("fix")])
    # Exactly this commit was deployed as V3; that goes before its copy in V2.
    assert world.failed() == [("V3", "stated", "I")]


def test_copies_are_followed_only_where_the_rules_say_so(world: World) -> None:
    world.rules["follow_cherry_picks"] = False
    world.line("a", "fix", "end")
    world.commit("copy", "a", copies="fix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "copy")
    world.deploy("V3", "3 10:00", "end")
    world.incident("I", "5 11:00", "5 12:00", causes=[sha("fix")])
    assert world.failed() == [("V3", "stated", "I")]


def test_copy_in_production_is_the_delivery_of_a_named_commit(world: World) -> None:
    world.line("a", "fix", "end")
    world.commit("copy", "a", copies="fix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "copy")
    world.deploy("V3", "3 10:00", "end")
    world.incident("I", "5 11:00", "5 12:00", causes=[sha("fix")])
    assert world.failed() == [("V2", "stated", "I")]


def test_id_goes_before_digits_of_a_commit(world: World) -> None:
    world.line("a", "b")
    world.deploy(sha("a")[:8], "1 10:00", "b")
    world.deploy("V2", "2 10:00", "a")
    world.incident("I", "5 11:00", "5 12:00", causes=[sha("a")[:8]])
    assert world.failed() == [(sha("a")[:8], "stated", "I")]


def test_deployment_of_several_services_is_named_for_the_incidents_own(world: World) -> None:
    world.deploy("V1", "1 10:00", services=["shop", "mail"])
    world.incident("I", "5 11:00", "5 12:00", services=["mail"], causes=["V1"])
    assert world.rows("deployment_failures", "service") == [("mail",)]


def test_incident_of_a_shared_library_fails_every_service_it_names(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a", services=["shop", "mail"])
    world.deploy("V2", "2 10:00", "b", services=["shop", "mail"])
    world.incident("I", "5 11:00", "5 12:00", services=["library"], causes=[sha("b")])
    assert world.rows("deployment_failures", "deployment", "service", "rule") == [
        ("V2", "mail", "stated"),
        ("V2", "shop", "stated"),
    ]


def test_cause_that_nothing_bears_leaves_the_window_to_decide(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.incident("I", "1 11:00", "1 12:00", causes=["a bad hair day", "V9", "#3"])
    assert world.failed() == [("V1", "window", "I")]


@pytest.mark.parametrize("word", ["fixes", "rolls_back"])
def test_deployment_says_which_one_it_repairs(world: World, word: str) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "2 10:00", url="https://ci/2")
    world.deploy("V3", "3 10:00", **{word: "V1"})
    world.deploy("V4", "4 10:00", **{word: "https://ci/2"})
    assert world.evidence() == [("V1", "stated", "V3", True), ("V2", "stated", "V4", True)]


def test_naming_an_incident_is_not_naming_a_deployment(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "5 10:00", fixes="I")
    world.incident("I", "4 11:00", "5 12:00")
    assert world.failed() == []


def test_deployment_cannot_repair_itself(world: World) -> None:
    world.deploy("V1", "1 10:00", fixes="V1")
    assert world.failed() == []


def test_nearest_of_several_deployments_of_one_name_is_meant(world: World) -> None:
    world.deploy("7", "1 10:00", environment="eu")
    world.deploy("7", "1 11:00", environment="us")
    world.deploy("7", "1 12:00", environment="us", source="other")
    world.deploy("8", "2 10:00", environment="us", fixes="7")
    assert world.rows("deployment_failures", "source", "deployment", "environment") == [
        ("ci", "7", "us")
    ]


def test_repair_may_stand_in_another_environment_or_source(world: World) -> None:
    world.deploy("V1", "1 10:00", environment="eu")
    world.deploy("V2", "2 10:00", environment="us", source="other", fixes="V1")
    assert world.evidence() == [("V1", "stated", "V2", True)]


def test_failure_label_speaks_for_itself(world: World) -> None:
    world.deploy("V1", "1 10:00", failure_label=True)
    assert world.evidence() == [("V1", "stated", None, True)]


# --- rollback ---------------------------------------------------------------------------------


def test_v1_v2_v1_v2_fails_the_first_v2(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("back", "2 12:00", "a")
    world.deploy("again", "3 10:00", "b")
    assert world.evidence() == [("V2", "rollback", "back", True)]
    assert world.rows("deployment_failures", "gap_us") == [(2 * HOUR,)]


def test_v1_v2_v3_v1_fails_both_between(world: World) -> None:
    world.line("a", "b", "c")
    for name, day, commit in (("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "c"), ("back", 4, "a")):
        world.deploy(name, f"{day} 10:00", commit)
    assert world.evidence() == [("V2", "rollback", "back", True), ("V3", "rollback", "back", True)]


def test_rollback_of_a_rollback_fails_no_rollback(world: World) -> None:
    world.line("a", "b", "c")
    for name, day, commit in (
        ("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "c"), ("to V2", 4, "b"), ("to V1", 5, "a"),
    ):  # fmt: skip
        world.deploy(name, f"{day} 10:00", commit)
    # To V1 goes back over the rollback to V2, over V3 and over the first V2.
    assert world.evidence() == [
        ("V2", "rollback", "to V1", True),
        ("V3", "rollback", "to V1", True),
        ("V3", "rollback", "to V2", True),
    ]


def test_deployments_inferred_from_tags_are_never_rollbacks(world: World) -> None:
    world.line("a", "b")
    world.deploy("v2.0", "1 10:00", "b", inferred=True)
    world.deploy("v1.1", "2 10:00", "a", inferred=True)
    assert world.failed() == []


def test_regions_roll_back_each_by_itself(world: World) -> None:
    world.line("a", "b")
    for region in ("eu", "us"):
        world.deploy(f"{region}-1", "1 10:00", "a", environment=region)
        world.deploy(f"{region}-2", "2 10:00", "b", environment=region)
    world.deploy("us-3", "3 10:00", "a", environment="us")
    assert world.evidence() == [("us-2", "rollback", "us-3", True)]


def test_rollback_later_than_now_is_not_known(world: World) -> None:
    world.line("a", "b")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("back", "3 10:00", "a")
    world.as_of = world.as_of.replace(day=2)
    assert world.failed() == []


# --- revert -----------------------------------------------------------------------------------


def three_releases_with_a_revert(world: World, target: str | None = None) -> None:
    """V2 delivers `bad`, V3 something else, V4 the revert of `bad`."""
    world.line("a", "bad", "b")
    world.commit("undo", "b", reverts=target or "bad")
    for name, day, commit in (
        ("V1", 1, "a"),
        ("V2", 2, "bad"),
        ("V3", 12, "b"),
        ("V4", 22, "undo"),
    ):
        world.deploy(name, f"{day} 10:00", commit, inferred=True)


def test_revert_fails_the_deployment_of_the_reverted_change_however_old(world: World) -> None:
    three_releases_with_a_revert(world)
    assert world.evidence() == [("V2", "revert", "V4", True)]
    assert world.rows("deployment_failures", "confidence", "gap_us") == [("high", 20 * DAY)]


def test_reverted_commit_may_be_named_by_its_first_digits(world: World) -> None:
    three_releases_with_a_revert(world, sha("bad")[:7])
    assert world.evidence() == [("V2", "revert", "V4", True)]


def test_revert_of_what_nobody_knows_is_no_evidence(world: World) -> None:
    three_releases_with_a_revert(world, "0123456789")
    assert world.evidence() == []


def test_revert_within_the_same_deployment_is_no_evidence(world: World) -> None:
    world.line("a", "bad")
    world.commit("undo", "bad", reverts="bad")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "undo")
    assert world.evidence() == []


def test_revert_of_what_was_there_before_the_record_is_no_evidence(world: World) -> None:
    world.line("bad", "a")
    world.commit("undo", "a", reverts="bad")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "undo")
    assert world.evidence() == []
    assert world.rework() == [("V2", "revert", None)]


def test_without_baselines_the_first_deployment_delivers_too(world: World) -> None:
    world.rules["baseline"] = False
    world.line("bad", "a")
    world.commit("undo", "a", reverts="bad")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "undo")
    assert world.evidence() == [("V1", "revert", "V2", True)]


def test_revert_of_a_revert_is_no_evidence(world: World) -> None:
    world.line("a", "bad")
    world.commit("undo", "bad", reverts="bad")
    world.commit("redo", "undo", reverts="undo")
    for name, day, commit in (
        ("V1", 1, "a"),
        ("V2", 2, "bad"),
        ("V3", 3, "undo"),
        ("V4", 4, "redo"),
    ):
        world.deploy(name, f"{day} 10:00", commit)
    assert world.evidence() == [("V2", "revert", "V3", True)]
    assert world.rework() == [("V3", "revert", "V2")]


def test_pull_request_that_reverts_another_fails_what_delivered_it(world: World) -> None:
    world.line("a", "b", "c", "d")
    world.pull_request(1, "b")
    world.pull_request(2, "c", reverts=1)
    world.pull_request(3, "d", reverts=2)
    for name, day, commit in (("V1", 1, "a"), ("V2", 2, "b"), ("V3", 3, "c"), ("V4", 4, "d")):
        world.deploy(name, f"{day} 10:00", commit)
    assert world.evidence() == [("V2", "revert", "V3", True)]


def test_revert_in_two_regions_fails_the_deployment_of_each(world: World) -> None:
    world.line("a", "bad")
    world.commit("undo", "bad", reverts="bad")
    for region, hour in (("eu", 10), ("us", 12)):
        for number, commit in ((1, "a"), (2, "bad"), (3, "undo")):
            world.deploy(f"{region}-{number}", f"{number} {hour}:00", commit, environment=region)
    assert world.evidence() == [("eu-2", "revert", "eu-3", True), ("us-2", "revert", "us-3", True)]


def test_change_and_revert_may_reach_production_as_copies(world: World) -> None:
    world.line("a", "bad")
    world.commit("undo", "bad", reverts="bad")
    world.commit("bad copy", "a", copies="bad")
    world.commit("undo copy", "bad copy", copies="undo")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "bad copy")
    world.deploy("V3", "3 10:00", "undo copy")
    assert world.evidence() == [("V2", "revert", "V3", True)]


# --- hotfix -----------------------------------------------------------------------------------


def test_change_marked_hotfix_fails_the_deployment_before_it(world: World) -> None:
    world.line("a", "b")
    world.commit("fix", "b", subject="HotFix: no more double charges")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", "2 15:00", "fix")
    assert world.evidence() == [("V2", "hotfix", "V3", True)]
    assert world.rows("deployment_failures", "confidence", "gap_us") == [("medium", 5 * HOUR)]


@pytest.mark.parametrize(
    "marks",
    [
        {"title": "Hotfix the cart"},
        {"labels": "bug,Emergency"},
        {"labels": "hotfix"},
        {"head_branch": "hotfix/cart"},
    ],
)
def test_pull_request_may_bear_the_mark(world: World, marks: dict[str, str]) -> None:
    world.line("a", "b", "c")
    world.pull_request(1, "c", **marks)
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", "2 15:00", "c")
    assert world.evidence() == [("V2", "hotfix", "V3", True)]


@pytest.mark.parametrize(
    "marks",
    [{"title": "About hotfixes"}, {"labels": "no-hotfix"}, {"head_branch": "feature/hotfix"}],
)
def test_what_only_sounds_like_the_mark_is_none(world: World, marks: dict[str, str]) -> None:
    world.line("a", "b")
    world.pull_request(1, "b", **marks)
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    assert world.evidence() == []


def test_subject_of_a_merge_is_no_mark(world: World) -> None:
    world.line("a", "b")
    world.commit("side", "a")
    world.commit("merge", "b", "side", subject="hotfix branch merged")
    world.deploy("V1", "1 10:00", "b")
    world.deploy("V2", "2 10:00", "merge")
    assert world.evidence() == []


def test_hotfix_two_deployments_later_blames_the_nearest(world: World) -> None:
    world.line("a", "bad", "b")
    world.commit("fix", "b", subject="hotfix")
    for name, day, commit in (("V1", 1, "a"), ("V2", 2, "bad"), ("V3", 3, "b"), ("V4", 4, "fix")):
        world.deploy(name, f"{day} 10:00", commit)
    assert world.evidence() == [("V3", "hotfix", "V4", True)]


def test_hotfixes_and_rollbacks_between_are_passed_over(world: World) -> None:
    world.line("a", "bad")
    world.commit("fix", "bad", subject="hotfix one")
    world.commit("fix 2", "fix", subject="hotfix two")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "bad")
    world.deploy("stated back", "2 11:00", "bad", rolls_back="nobody knows")
    world.deploy("V3", "2 12:00", "fix")
    world.deploy("V4", "2 13:00", "fix 2")
    assert world.evidence() == [("V2", "hotfix", "V3", True), ("V2", "hotfix", "V4", True)]


@pytest.mark.parametrize(
    ("finish", "found"),
    [("9 10:00", [("V2", "hotfix", "V3", True)]), ("9 10:00:00.000001", [])],
)
def test_hotfix_window_includes_its_end(world: World, finish: str, found: list[object]) -> None:
    world.line("a", "b")
    world.commit("fix", "b", subject="hotfix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V2", "2 10:00", "b")
    world.deploy("V3", finish, "fix")
    assert world.evidence() == found


def test_hotfix_looks_back_in_its_own_service_and_environment(world: World) -> None:
    world.line("a", "b")
    world.commit("fix", "b", subject="hotfix")
    world.deploy("eu-1", "1 10:00", "a", environment="eu")
    world.deploy("eu-2", "1 11:00", "b", environment="eu")
    world.deploy("us-2", "1 12:00", "b", environment="us")
    world.deploy("mail-1", "1 13:00", "b", environment="eu", services=["mail"])
    world.deploy("eu-3", "1 14:00", "fix", environment="eu")
    assert world.evidence() == [("eu-2", "hotfix", "eu-3", True)]


def test_hotfix_and_its_copies_are_delivered_once(world: World) -> None:
    world.line("a", "b")
    world.commit("fix", "a", subject="hotfix")
    world.commit("copy", "b", subject="hotfix", copies="fix")
    world.deploy("V1", "1 10:00", "a")
    world.deploy("V1.1", "1 12:00", "fix")
    world.deploy("V2", "2 10:00", "copy")
    assert world.evidence() == [("V1", "hotfix", "V1.1", True)]


def test_hotfix_inside_a_baseline_or_deployed_again_is_none(world: World) -> None:
    world.line("a")
    world.commit("fix", "a", subject="hotfix")
    world.line("fix", "b")
    world.deploy("V1", "1 10:00", "b")
    world.deploy("V2", "1 11:00", "b")
    assert world.evidence() == []
    assert world.rework() == []


def test_unplanned_alone_is_rework_and_no_failure(world: World) -> None:
    world.deploy("V1", "1 10:00")
    world.deploy("V2", "1 11:00", unplanned=True)
    assert world.failed() == []
    assert world.rework() == [("V2", "hotfix", None)]
