"""What had been on staging before it went out: given and expected rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.models.harness import HOUR, Given, at, sha


def stage(given: Given, name: str, commit: str | None, hour: float, **more: Any) -> None:
    given.deploy(name, commit, hour, **{"environment": "staging", "version": "s"} | more)


def told(given: Given, **rules: Any) -> dict[str, tuple[str, float | None]]:
    """The state of each production deployment, and the hours it soaked."""
    rows = given.rows("staged_deployments", "deployment, state, soak_us", **rules)
    return {name: (state, None if us is None else us / HOUR) for name, state, us in rows}


def test_what_was_on_staging_before_has_passed_and_soaked_until_it_first_went_out(given: Given):
    given.line("a b c")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 20)
    given.deploy("p1", "a", 13)
    given.deploy("p2", "b", 25)
    given.deploy("p3", "c", 30)
    stage(given, "s3", "c", 31)  # afterwards
    assert told(given) == {"p1": ("passed", 3), "p2": ("passed", 5), "p3": ("skipped", None)}


def test_it_has_to_be_there_before_production_starts(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 20)
    given.deploy("p", "b", 21, started_at=at(19))
    assert told(given) == {"p": ("skipped", None)}


def test_a_tag_anew_is_the_same_commit_and_soaks_once(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 1)
    stage(given, "s2", "b", 10, version="v2-rc")
    given.deploy("p", "b", 12, version="v2")
    given.deploy("again", "b", 40, version="v2.0")
    assert told(given) == {"p": ("passed", 2), "again": ("passed", None)}


def test_a_rollback_goes_back_to_what_had_passed(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 20)
    given.deploy("p1", "a", 11)
    given.deploy("p2", "b", 21)
    given.deploy("back", "a", 22)
    assert told(given)["back"] == ("passed", None)


def test_a_copy_is_another_commit(given: Given):
    given.line("a b")
    given.commit("b2", "a", 3)
    given.says("b2", "cherry_picked_from", sha("b"))
    stage(given, "s", "b", 10)
    given.deploy("p", "b2", 20)
    assert told(given) == {"p": ("skipped", None)}


def test_any_of_several_staging_environments_will_do(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 20, environment="uat")
    given.deploy("p", "b", 26)
    given.deploy("p-eu", "b", 27, environment="prod-eu")
    assert told(given) == {"p": ("passed", 6), "p-eu": ("passed", None)}


def test_unknown_is_never_skipped(given: Given):
    given.line("a b c")
    stage(given, "s", "a", 10)
    given.deploy("nothing said", None, 20)
    given.deploy("short", None, 30)
    given.facts[-1] = replace(given.facts[-1], sha="abcdef1")
    given.deploy("whole but not in the store", None, 40)
    given.facts[-1] = replace(given.facts[-1], sha="f" * 40)
    assert {name: state for name, (state, _) in told(given).items()} == {
        "nothing said": "unknown",
        "short": "unknown",
        "whole but not in the store": "skipped",  # its id is no other's
    }


def test_what_staging_had_may_have_been_it(given: Given):
    given.line("a b c d")
    stage(given, "s1", "a", 10)
    given.deploy("p1", "b", 20)
    stage(given, "s2", None, 30)
    given.deploy("p2", "c", 40)
    given.deploy("p3", "d", 50)
    states = {name: state for name, (state, _) in told(given).items()}
    assert states == {"p1": "skipped", "p2": "unknown", "p3": "skipped"}


def test_before_the_first_known_staging_there_was_none(given: Given):
    given.line("a b")
    given.deploy("p", "a", 10)
    stage(given, "s", "b", 20)
    assert told(given) == {"p": ("none", None)}


def test_what_counts_as_production_is_no_staging(given: Given):
    given.line("a")
    stage(given, "s", "a", 10)
    given.deploy("p", "a", 20)
    rules = {"environments": ["production", "staging"]}
    assert told(given, **rules) == {"p": ("none", None), "s": ("none", None)}


def test_of_several_repositories_all_have_to_have_been_there(given: Given):
    given.line("a b")
    given.commit("x", repository="example.org/till")
    given.commit("y", "x", repository="example.org/till")
    given.services += [("example.org/shop", "", "shop", False)]
    given.services += [("example.org/till", "", "shop", False)]
    for name, environment, hour, shop, till in (
        ("s1", "staging", 10, "a", "x"),
        ("s2", "staging", 14, "b", "x"),
        ("p1", "production", 20, "b", "x"),
        ("p2", "production", 30, "b", "y"),
    ):
        both = {"environment": environment}
        given.deploy(name, shop, hour, **both)
        given.deploy(name, till, hour, repository="example.org/till", **both)
    assert told(given) == {"p1": ("passed", 6), "p2": ("skipped", None)}


ONE, TWO, THREE = ("sha256:" + letter * 64 for letter in "abc")


def test_the_same_artifact_was_there_whatever_its_commit_is_called(given: Given):
    """Of p2 and p4 no commit is known, of p3 another one than staging said."""
    given.line("a b c")
    stage(given, "s1", "a", 10, digest=ONE)
    stage(given, "s2", None, 12, digest=TWO)
    stage(given, "s3", "b", 14, digest=THREE)
    given.deploy("p1", "a", 13, digest=ONE)
    given.deploy("p2", None, 17, digest=TWO.upper())
    given.deploy("p3", "c", 24, digest=THREE)
    given.deploy("p4", None, 30, digest=ONE)  # it soaked once
    assert told(given) == {
        "p1": ("passed", 3),
        "p2": ("passed", 5),
        "p3": ("passed", 10),
        "p4": ("passed", None),
    }


def test_it_soaked_from_when_either_its_commit_or_its_artifact_was_first_there(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 11, digest=ONE)
    stage(given, "s3", "a", 12, digest=ONE)
    given.deploy("p1", "a", 20, digest=ONE)
    given.deploy("p2", "b", 21, digest=TWO)
    assert told(given) == {"p1": ("passed", 10), "p2": ("passed", 10)}


def test_another_digest_alone_does_not_tell_that_it_was_not_there(given: Given):
    """The same commit may have been built again."""
    given.line("a")
    stage(given, "s1", "a", 10, digest=ONE)
    given.deploy("p1", None, 20, digest=TWO)
    assert told(given) == {"p1": ("unknown", None)}


def contents(given: Given) -> dict[str, str]:
    """For each deployment of which it is told: the one up to which all is in it, by place."""
    given_names = given.rows(
        "staged_contents",
        "(select s.deployment from staged_steps s where s.stream = staged_contents.stream"
        " and s.position = staged_contents.position) as name,"
        " (select s.environment || ' ' || s.deployment from staged_steps s"
        " where s.stream = staged_contents.told_stream"
        " and s.position = staged_contents.told_position) as told",
    )
    return dict(given_names)


def test_what_contains_all_before_it_contains_what_was_delivered_up_to_it(given: Given):
    """Back at b, production contains what p1 delivered, and again what p2 did when it is at c."""
    given.line("a b c")
    stage(given, "s1", "b", 1)
    given.deploy("p1", "b", 10)
    given.deploy("p2", "c", 20)
    given.deploy("back", "b", 30)
    given.deploy("again", "c", 40)
    assert contents(given) == {
        "s1": "staging s1",
        "p1": "production p1",
        "p2": "production p2",
        "back": "production p1",
        "again": "production p2",
    }


def test_what_came_late_to_staging_is_told_by_production(given: Given):
    """Staging had c before b, so that b contains a part of what s1 delivered; p1 tells which."""
    given.line("a b c")
    stage(given, "s1", "c", 1)
    stage(given, "s2", "b", 2)
    stage(given, "s3", "a", 3)
    given.deploy("p1", "b", 10)
    assert contents(given) == {"s1": "staging s1", "s2": "production p1", "p1": "production p1"}


def test_a_side_branch_that_is_never_merged_leaves_it_untold(given: Given):
    given.line("a b c")
    given.commit("fix", "a", 4)
    given.deploy("p1", "a", 10)
    given.deploy("hotfix", "fix", 20)
    given.deploy("p2", "b", 30)
    given.deploy("unknown", None, 40)
    given.commit("merge", "c fix", 5)
    given.deploy("p3", "merge", 50)
    assert contents(given) == {
        "p1": "production p1",
        "hotfix": "production hotfix",
        "p3": "production p3",
    }


def test_copies_are_kin_to_one_another_and_to_what_they_copy(given: Given):
    """c is a copy of b, which is one of a; so is d; all four carry the same change."""
    given.line("a x")
    for name, of in (("b", "a"), ("c", "b"), ("d", "a")):
        given.commit(name, "x", 5)
        given.says(name, "cherry_picked_from", sha(of))
    told = {(one, other) for one, other in given.rows("kindred_commits", "sha, other")}
    assert told == {(one, other) for one in "abcd" for other in "abcd" if one != other}
