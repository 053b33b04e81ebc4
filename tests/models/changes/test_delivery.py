"""Which deployment delivers a change, and which changes do not count: given and expected rows."""

from __future__ import annotations

import pytest

from tests.models.harness import HOUR, REPOSITORY, Given, at, sha

BEFORE = "before the record"


def test_first_deployment_only_marks_where_the_record_begins(given: Given) -> None:
    given.line("a b c d")
    given.deploy("v1", "b", 10)
    given.deploy("v2", "d", 20)
    assert given.counted() == {"b": "v1", "c": "v2", "d": "v2"}  # b itself was deployed
    assert given.left_out() == {"a": BEFORE}


def test_baseline_counts_when_the_rules_ask_for_it(given: Given) -> None:
    given.line("a b")
    given.deploy("v1", "b", 10)
    assert given.counted(baseline=False) == {"a": "v1", "b": "v1"}


def test_pull_request_that_is_the_baseline_counts(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 5)
    given.pull(7, "squash", 5)
    given.original(7, "one", 1)
    given.original(7, "two", 2)
    given.deploy("v1", "squash", 10)
    assert given.counted() == {"one": "v1", "two": "v1"}
    assert given.left_out() == {"a": BEFORE}


def test_rolling_back_and_forward_delivers_nothing_again(given: Given) -> None:
    given.line("a b c d")
    for hour, name in enumerate("abcbcd", start=10):
        given.deploy(f"v{hour}", name, hour)
    assert given.counted() == {"a": "v10", "b": "v11", "c": "v12", "d": "v15"}


def test_only_what_begins_a_record_or_goes_back_is_marked(given: Given) -> None:
    given.line("a b c")
    given.deploy("v1", "a", 10)
    given.deploy("v2", "c", 20)
    given.deploy("v1 again", "b", 30)
    given.deploy("v3", "c", 40)
    found = given.rows("marked_deployments", "deployment, baseline, rollback")
    assert [(name, bool(first), bool(back)) for name, first, back in found] == [
        ("v1", True, False),
        ("v1 again", False, True),
    ]
    marked = given.rows("production_deployments", "deployment, baseline, rollback")
    assert [name for name, first, back in marked if first or back] == ["v1", "v1 again"]


def test_failed_attempt_delivers_with_the_next_success(given: Given) -> None:
    given.line("a b c")
    given.deploy("v1", "a", 10)
    given.deploy("v2", "b", 11, status="failed")
    given.deploy("v3", "c", 12)
    assert given.counted() == {"a": "v1", "b": "v3", "c": "v3"}


def test_delivery_after_an_unknown_sha_is_uncertain(given: Given) -> None:
    given.line("a b c d")
    given.deploy("v1", "a", 10)
    given.deploy("v2", None, 11)
    given.deploy("v3", "c", 12)
    given.deploy("v4", "d", 13)
    assert given.counted() == {"a": "v1", "d": "v4"}
    assert given.left_out() == {"b": "uncertain delivery", "c": "uncertain delivery"}


def test_waiting_changes_are_on_the_default_branch_and_show_since_when(given: Given) -> None:
    given.line("a b c")
    given.commit("stray", "a", 3)
    given.head("c")
    given.deploy("v1", "a", 10)
    columns = "change, committed_at, delivered_at, us, merge_to_deploy_us, left_out"
    assert given.rows("delivered_changes", columns) == [
        ("a", at(0), at(10), 10 * HOUR, 10 * HOUR, None),
        ("b", at(1), None, None, None, "not delivered"),
        ("c", at(2), None, None, None, "not delivered"),
    ]


def test_what_happened_after_as_of_does_not_exist(given: Given) -> None:
    given.line("a b c d")
    given.commit("late", "d", 50)
    given.head("late")
    given.deploy("v1", "a", 10)
    given.deploy("v2", "c", 20)
    given.deploy("v3", "d", 30)
    assert given.counted(as_of=25) == {"a": "v1", "b": "v2", "c": "v2"}
    assert given.left_out(as_of=25) == {"d": "not delivered"}
    assert given.left_out(as_of=60) == {"late": "not delivered"}


def test_bots_are_left_out_unless_the_rules_count_them(given: Given) -> None:
    given.line("a")
    given.commit("bump", "a", 2, is_bot=True)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "bump", 11)
    assert given.left_out() == {"bump": "bot"}
    assert given.counted(bot_changes=True) == {"a": "v1", "bump": "v2"}


def test_change_authored_after_its_delivery_is_put_aside(given: Given) -> None:
    given.line("a")
    given.commit("skewed", "a", 2, authored_at=at(12.5))
    given.deploy("v1", "a", 10)
    given.deploy("v2", "skewed", 12)
    assert given.left_out() == {"skewed": "negative duration"}
    found = given.rows("delivered_changes", "us, merge_to_deploy_us, change")
    assert (-HOUR // 2, -HOUR // 2, "skewed") in found


def test_merges_are_no_changes(given: Given) -> None:
    given.line("a")
    given.commit("b", "a", 2)
    given.commit("merge", "a b", 3)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "merge", 11)
    assert given.counted() == {"a": "v1", "b": "v2"}


def test_first_environment_counts_by_default(given: Given) -> None:
    given.line("a b c")
    given.deploy("e1", "a", 10, environment="prod-eu")
    given.deploy("u1", "a", 11, environment="prod-us")
    given.deploy("e2", "c", 20, environment="prod-eu")
    given.deploy("u2", "b", 25, environment="prod-us")
    given.deploy("u3", "c", 30, environment="prod-us")
    given.deploy("s1", "c", 12, environment="staging")
    assert given.counted() == {"a": "e1", "b": "e2", "c": "e2"}
    assert given.counted(delivered="fully") == {"a": "e1", "b": "u2", "c": "u3"}


def test_environment_unused_for_90_days_is_not_waited_for(given: Given) -> None:
    day = 24
    given.line("a b c")
    given.deploy("u1", "a", 10, environment="prod-us")
    given.deploy("e1", "a", 11, environment="prod-eu")
    given.deploy("e2", "b", 10 + 90 * day, environment="prod-eu")  # just 90 days: still in use
    given.deploy("e3", "c", 11 + 90 * day, environment="prod-eu")  # an hour more: no longer
    assert given.counted(delivered="fully") == {"a": "u1", "c": "e3"}
    assert given.left_out(delivered="fully") == {"b": "not delivered"}


def test_baseline_of_any_environment_is_before_the_record(given: Given) -> None:
    given.line("a b c d")
    given.deploy("e1", "a", 10, environment="prod-eu")
    given.deploy("e2", "c", 20, environment="prod-eu")
    given.deploy("u1", "c", 30, environment="prod-us")
    given.deploy("e3", "d", 40, environment="prod-eu")
    assert given.left_out() == {"a": BEFORE, "b": BEFORE}
    assert given.counted() == {"c": "e2", "d": "e3"}


def test_other_kinds_of_environment_count_when_the_rules_say_so(given: Given) -> None:
    given.line("a b")
    given.deploy("s1", "a", 10, environment="staging")
    given.deploy("s2", "b", 11, environment="staging")
    assert given.counted() == {}
    assert given.counted(environments="staging") == {"a": "s1", "b": "s2"}


def test_services_of_one_repository_have_their_own_deliveries(given: Given) -> None:
    given.line("a b c")
    given.services = [(REPOSITORY, name, name, True) for name in ("web", "api")]
    given.commit_services = [("a", "web"), ("b", "web"), ("c", "api"), ("a", "api")]
    given.deploy("w1", "a", 10, service="web")
    given.deploy("w2", "c", 11, service="web")
    given.deploy("a1", "a", 12, service="api")
    given.deploy("a2", "c", 13, service="api")
    assert given.rows("delivered_changes", "service, change, deployment") == [
        ("api", "a", "a1"),
        ("api", "c", "a2"),
        ("web", "a", "w1"),
        ("web", "b", "w2"),
    ]


@pytest.mark.parametrize("follow", [True, False])
def test_cherry_pick_delivers_what_it_copies(given: Given, follow: bool) -> None:
    given.line("a b c d")
    given.commit("copy", "a", 6)
    given.says("copy", "cherry_picked_from", "0" * 40)  # unknown here: says nothing
    given.says("copy", "cherry_picked_from", sha("c")[:9])
    given.deploy("v1", "a", 10)
    given.deploy("v1.1", "copy", 11)
    given.deploy("v2", "d", 12)
    followed = {"a": "v1", "b": "v2", "c": "v1.1", "d": "v2"}
    apart = {"a": "v1", "b": "v2", "c": "v2", "copy": "v1.1", "d": "v2"}
    assert given.counted(follow_cherry_picks=follow) == (followed if follow else apart)


def test_copy_of_an_unknown_commit_is_a_change_itself(given: Given) -> None:
    given.line("a")
    given.commit("copy", "a", 6)
    given.says("copy", "cherry_picked_from", "0" * 40)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "copy", 11)
    assert given.counted() == {"a": "v1", "copy": "v2"}


def test_lead_time_may_run_from_the_merge(given: Given) -> None:
    """Pull request 1 was authored at 2, merged at 20 and delivered at 30; c has no pull request."""
    given.line("a b c")
    given.head("c")
    given.pull(1, "b", 20)
    given.original(1, "o", 2)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "c", 30)
    columns = "change, us, coding_us, review_us, merge_to_deploy_us, left_out"
    found = given.rows("delivered_changes", columns, clock_start="merge")
    assert found == [
        ("a", None, None, None, None, "no merge is known"),
        ("c", None, None, None, None, "no merge is known"),
        ("o", 10 * HOUR, None, None, 10 * HOUR, None),
    ]
    assert given.counted(clock_start="merge", change="pull_request") == {"example.org/shop#1": "v2"}
