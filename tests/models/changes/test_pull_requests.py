"""Changes known from pull requests: what stands for what, their stages: given and expected rows."""

from __future__ import annotations

import pytest

from tests.models.harness import HOUR, REPOSITORY, Given, at, sha

STAGES = "change, us, coding_us, pickup_us, review_us, merge_to_deploy_us"


def hours(rows: list[tuple[object, ...]]) -> dict[object, tuple[float | None, ...]]:
    """The durations of each change in hours."""
    return {
        change: tuple(None if us is None else us / HOUR for us in durations)
        for change, *durations in rows
    }


def test_originals_stand_for_the_squash(given: Given) -> None:
    given.line("a b")
    given.commit("squash", "b", 8)
    given.pull(7, "squash", 8)
    given.original(7, "one", 3)
    given.original(7, "two", 5)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "squash", 20)
    columns = "change, landed_sha, pull_request, deployment, us"
    assert given.rows("delivered_changes", columns) == [
        ("a", "a", None, "v1", 10 * HOUR),
        ("b", "b", None, "v2", 19 * HOUR),
        ("one", "squash", 7, "v2", 17 * HOUR),
        ("two", "squash", 7, "v2", 15 * HOUR),
    ]


def test_n_does_not_depend_on_how_a_team_merges(given: Given) -> None:
    """The same two commits as merged, squashed, rebased and fast-forwarded pull requests."""
    given.line("root")
    given.commit("m1", "root", 1)
    given.commit("m2", "m1", 2)
    given.commit("merge", "root m2", 3)
    given.commit("squash", "merge", 6)
    given.commit("r1'", "squash", 9, authored_at=at(7))
    given.commit("r2'", "r1'", 9, authored_at=at(8))
    given.commit("f1", "r2'", 10)
    given.commit("f2", "f1", 11)
    landed = {
        1: ("merge", "m1", 1),
        2: ("squash", "s1", 4),
        3: ("r2'", "r1", 7),
        4: ("f2", "f1", 10),
    }
    for number, (lands, first, hour) in landed.items():
        given.pull(number, lands, hour + 2)
        given.original(number, first, hour)
        given.original(number, f"{first[0]}2", hour + 1)
    given.deploy("v1", "root", 0.5)
    given.deploy("v2", "f2", 20)
    assert sorted(given.counted()) == ["f1", "f2", "m1", "m2", "r1", "r2", "root", "s1", "s2"]
    assert sorted(given.counted(change="pull_request")) == [
        f"{REPOSITORY}#{number}" for number in landed
    ]


def test_commits_before_a_rebase_stay_changes(given: Given) -> None:
    """One authored at the very time of an original, but not in the chain back from the merge."""
    given.line("root")
    given.commit("twin", "root", 4, authored_at=at(1))
    given.commit("between", "twin", 5)
    given.commit("r'", "between", 6, authored_at=at(1))
    given.pull(1, "r'", 6)
    given.original(1, "r", 1)
    given.deploy("v1", "root", 1)
    given.deploy("v2", "r'", 10)
    assert given.counted() == {"root": "v1", "twin": "v2", "between": "v2", "r": "v2"}


def test_landed_commit_stands_where_originals_are_unknown(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 8, pull_request=7)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "squash", 20)
    assert given.counted() == {"a": "v1", "squash": "v2"}
    found = given.rows("delivered_changes", "change, sha, pull_request", change="pull_request")
    assert found == [(f"{REPOSITORY}#7", "squash", 7)]


@pytest.mark.parametrize(
    ("merge", "number", "head", "rule"),
    [
        ("landed", None, None, "merge sha"),
        (None, 7, None, "subject"),
        ("unknown", 7, "other", "subject"),
        (None, None, "landed", "head"),
    ],
)
def test_pull_request_is_found_by_merge_sha_then_subject_then_head(
    given: Given, merge: str | None, number: int | None, head: str | None, rule: str
) -> None:
    given.line("a other")
    given.commit("landed", "other", 8, pull_request=number)
    given.pull(7, merge, 8, head_sha=head and sha(head))
    given.deploy("v1", "landed", 10)
    found = given.rows("landed_pull_requests", "number, landed_sha, rule")
    assert found == [(7, "landed", rule)]


def test_subjects_name_pull_requests(given: Given) -> None:
    given.line("a b")
    given.commit("squash", "b", 8, pull_request=7)
    given.commit("again", "squash", 9, pull_request=7)
    found = given.rows("numbered_commits", "number, sha, us")
    hours = [int(at(hour).timestamp()) * 1_000_000 for hour in (8, 9)]
    assert set(found) == {(7, "squash", hours[0]), (7, "again", hours[1])}


def test_what_several_commits_name_landed_as_the_first_unless_its_merge_is_known(
    given: Given,
) -> None:
    given.line("a")
    given.commit("first", "a", 8, pull_request=7)
    given.commit("second", "first", 9, pull_request=7)
    given.commit("named", "second", 10, pull_request=8)
    given.pull(8, "a", 11)
    given.pull(9, None, 11, state="open", merged_at=None)
    given.commit("open", "named", 12, pull_request=9)
    found = given.rows("landed_pull_requests", "number, landed_sha, rule")
    assert sorted(found) == [(7, "first", "subject"), (8, "a", "merge sha")]


def test_open_and_closed_pull_requests_have_not_landed(given: Given) -> None:
    given.line("a")
    given.commit("b", "a", 1, pull_request=7)
    given.pull(7, None, 30, state="open", merged_at=None)
    given.pull(8, "b", 30)
    given.deploy("v1", "b", 10)
    assert given.rows("landed_pull_requests", "number", as_of=20) == []
    assert given.rows("landed_pull_requests", "number", as_of=40) == [(8,)]


def test_nested_pull_request_is_delivered_with_the_outermost(given: Given) -> None:
    """3 was squashed into the branch of 2, that one into the branch of 1, that one into main."""
    given.line("a")
    given.commit("squash", "a", 20)
    given.pull(1, "squash", 20)
    given.original(1, "one", 2)
    given.original(1, "squash-of-2", 15)
    given.pull(2, "squash-of-2", 15)
    given.original(2, "two", 3)
    given.original(2, "squash-of-3", 12)
    given.pull(3, "squash-of-3", 12)
    given.original(3, "three", 4)
    given.deploy("v1", "a", 10)
    given.deploy("v2", "squash", 30)
    columns = "change, pull_request, landed_sha, deployment"
    assert given.rows("delivered_changes", columns)[1:] == [
        ("one", 1, "squash", "v2"),
        ("three", 3, "squash", "v2"),
        ("two", 2, "squash", "v2"),
    ]


def test_shared_original_belongs_to_the_pull_request_merged_first(given: Given) -> None:
    given.line("a")
    given.commit("first", "a", 8)
    given.commit("second", "first", 9)
    given.pull(5, "second", 9)
    given.pull(6, "first", 8)
    for number in (5, 6):
        given.original(number, "shared", 1)
    given.original(5, "own", 2)
    given.deploy("v1", "a", 7)
    given.deploy("v2", "first", 10)
    given.deploy("v3", "second", 11)
    assert given.counted() == {"a": "v1", "shared": "v2", "own": "v3"}


def test_merges_among_originals_are_no_changes(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 8)
    given.pull(7, "squash", 8)
    given.original(7, "one", 3)
    given.original(7, "update branch", 4, merges=True)
    given.deploy("v1", "a", 1)
    given.deploy("v2", "squash", 10)
    assert given.counted() == {"a": "v1", "one": "v2"}


def test_copy_by_a_pull_request_delivers_the_original(given: Given) -> None:
    """A backport: squashed onto a release branch, its original says what it was picked from."""
    given.line("a")
    given.commit("squash", "a", 5)
    given.commit("backport", "a", 6)
    given.pull(1, "squash", 5)
    given.original(1, "one", 3)
    given.original(1, "two", 4)
    given.pull(2, "backport", 6)
    given.original(2, "picked", 5)
    given.says("picked", "cherry_picked_from", sha("squash"))
    given.deploy("v1", "a", 1)
    given.deploy("v1.1", "backport", 10)
    given.deploy("v2", "squash", 20)
    assert given.counted() == {"a": "v1", "one": "v1.1", "two": "v1.1"}
    assert given.counted(change="pull_request") == {f"{REPOSITORY}#1": "v1.1"}


def test_original_touching_another_service_does_not_count_for_this_one(given: Given) -> None:
    """Only where it is known what each original touches; else they go where the squash does."""
    given.services = [(REPOSITORY, name, name, True) for name in ("web", "api")]
    given.line("a")
    given.commit("squash", "a", 5)
    given.pull(1, "squash", 5)
    given.original(1, "one", 3)
    given.commit_services = [(n, s) for n in ("a", "squash") for s in ("web", "api")]
    for service in ("web", "api"):
        given.deploy(f"{service}1", "a", 1, service=service)
        given.deploy(f"{service}2", "squash", 10, service=service)
    found = given.rows("delivered_changes", "change, service, deployment")
    assert found[2:] == [("one", "api", "api2"), ("one", "web", "web2")]


def test_stages_run_between_the_boundaries_and_add_up(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 30)
    given.pull(7, "squash", 30, opened_at=at(6), ready_at=at(8))
    given.original(7, "one", 5)
    given.review(7, 9, by="bot")
    given.review(7, 10, by="author")
    given.review(7, 14)
    given.review(7, 13)
    given.deploy("v1", "a", 4)
    given.deploy("v2", "squash", 40)
    assert hours(given.rows("delivered_changes", STAGES)) == {
        "a": (4, None, None, None, 4),
        "one": (35, 3, 5, 17, 10),
    }


def test_unknown_boundary_is_skipped(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 30)
    given.pull(7, "squash", 30, opened_at=at(6))
    given.original(7, "one", 5)
    given.deploy("v1", "a", 4)
    given.deploy("v2", "squash", 40)
    assert hours(given.rows("delivered_changes", STAGES))["one"] == (35, 1, None, 24, 10)


def test_boundary_earlier_than_its_predecessor_moves_up_to_it(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 30)
    given.pull(7, "squash", 30, opened_at=at(2))
    given.original(7, "late", 5)  # opened before it was committed, reviewed after the merge
    given.review(7, 33)
    given.deploy("v1", "a", 4)
    given.deploy("v2", "squash", 40)
    assert hours(given.rows("delivered_changes", STAGES))["late"] == (35, 0, 28, 0, 7)


def test_pull_request_as_change_begins_with_its_first_commit(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 30)
    given.pull(7, "squash", 30, is_bot=False)
    given.original(7, "two", 6)
    given.original(7, "one", 5, is_bot=True)
    given.deploy("v1", "a", 4)
    given.deploy("v2", "squash", 40)
    columns = "change, sha, landed_sha, pull_request, committed_at, delivered_at, is_bot, left_out"
    assert given.rows("delivered_changes", columns, change="pull_request") == [
        (f"{REPOSITORY}#7", "one", "squash", 7, at(5), at(40), False, None)
    ]


def test_hotfixes_and_reverts_are_marked(given: Given) -> None:
    given.line("a b")
    given.commit("titled", "b", 4, subject="Hotfix: pay again")
    given.commit("undo", "titled", 5)
    given.says("undo", "reverts", sha("b"))
    given.commit("labelled", "undo", 6)
    given.pull(1, "labelled", 6, labels="ui,Emergency")
    given.commit("branched", "labelled", 7)
    given.pull(2, "branched", 7, head_branch="hotfix/pay", reverts=1)
    given.deploy("v1", "branched", 10)
    found = given.rows("delivered_changes", "change, is_hotfix, reverts_change", baseline=False)
    assert [(change, bool(hot), bool(undoes)) for change, hot, undoes in found] == [
        ("a", False, False),
        ("b", False, False),
        ("branched", True, True),
        ("labelled", True, False),
        ("titled", True, False),
        ("undo", False, True),
    ]


def test_links_lead_to_the_pull_request_or_the_commit(given: Given) -> None:
    given.head("b", url="https://example.org/shop")
    given.line("a b")
    given.pull(1, "b", 1, url="https://example.org/shop/pull/1")
    given.deploy("v1", "b", 10)
    assert given.rows("delivered_changes", "change, url") == [
        ("a", f"https://example.org/shop/commit/{sha('a')}"),
        ("b", "https://example.org/shop/pull/1"),
    ]
