"""A tracker's key that an incident states, and the commits that bear it: given, expected rows."""

from __future__ import annotations

import pytest

from tests.models.failures.world import World


def keyed(world: World, **subjects: str) -> None:
    """One line of commits, each deployed the day after the one before, with these subjects."""
    before: list[str] = []
    for day, (name, subject) in enumerate(subjects.items(), 1):
        world.commit(name, *before, subject=subject)
        world.deploy(f"V{day}", f"{day} 10:00", name)
        before = [name]


def test_key_of_a_tracker_names_the_deployment_of_the_commit_that_bears_it(world: World) -> None:
    keyed(world, a="start", b="CHG-7: rename the basket", c="more")
    world.incident("I", "5 11:00", "5 12:00", causes=["CHG-7"])
    assert world.evidence() == [("V2", "stated", "I", True)]


@pytest.mark.parametrize(
    "subject",
    ["fix(CHG-7): it", "[chg-7] it", "Merge branch 'feature/chg-7-basket'", "Rename it (CHG-7)"],
)
def test_key_stands_anywhere_in_a_subject_in_any_case(world: World, subject: str) -> None:
    keyed(world, a="start", b=subject, c="more")
    world.incident("I", "5 11:00", "5 12:00", causes=["CHG-7"])
    assert world.failed() == [("V2", "stated", "I")]


@pytest.mark.parametrize(
    "subject", ["CHG-70: it", "XCHG-7: it", "CHG-7b", "CHG-7_b", "CHG 7", "CHGX7", ""]
)
def test_key_within_a_longer_word_is_another(world: World, subject: str) -> None:
    keyed(world, a="start", b=subject, c="more")
    world.incident("I", "9 11:00", "9 12:00", causes=["CHG-7"])
    assert world.failed() == []


@pytest.mark.parametrize("cause", ["chg-7", "C-7", "CHG-", "7-7", "CHG-7b", "X CHG-7"])
def test_only_capital_letters_with_a_number_are_a_key(world: World, cause: str) -> None:
    keyed(world, a="start", b=f"{cause} and CHG-7", c="more")
    world.incident("I", "9 11:00", "9 12:00", causes=[cause])
    assert world.failed() == []


def test_key_of_several_deployments_names_the_last_before_the_incident(world: World) -> None:
    world.rules["rule_window"] = False
    keyed(world, a="start", b="CHG-7: begin", c="other", d="CHG-7: end", e="CHG-7: mend")
    world.incident("I", "4 10:00", "6 12:00", causes=["CHG-7"])  # the very moment of V4
    world.incident("J", "4 09:59", "6 12:00", causes=["CHG-7"])
    world.incident("K", "2 09:59", "6 12:00", causes=["CHG-7"])  # none was there yet
    assert world.failed() == [("V2", "stated", "J"), ("V4", "stated", "I")]


def test_what_takes_a_change_back_does_not_stand_for_its_key(world: World) -> None:
    world.commit("a")
    world.commit("b", "a", subject="CHG-7: rename")
    world.commit("c", "b", subject='Revert "CHG-7: rename"', reverts="b")
    for day, name in enumerate("abc", 1):
        world.deploy(f"V{day}", f"{day} 10:00", name)
    world.incident("I", "3 11:00", "3 12:00", causes=["CHG-7"])
    assert world.failed() == [("V2", "stated", "I")]


@pytest.mark.parametrize("words", [{"title": "CHG-7: it"}, {"head_branch": "chg-7-basket"}])
def test_key_of_a_pull_request_names_what_landed(world: World, words: dict[str, str]) -> None:
    world.line("a", "b", "c")
    world.pull_request(7, "b", **words)
    for day, name in enumerate("abc", 1):
        world.deploy(f"V{day}", f"{day} 10:00", name)
    world.incident("I", "5 11:00", "5 12:00", causes=["CHG-7"])
    assert world.failed() == [("V2", "stated", "I")]


def test_key_that_is_a_deployment_names_that(world: World) -> None:
    keyed(world, a="start", b="CHG-7: it", c="more")
    world.deploy("CHG-7", "4 10:00", "c")
    world.incident("I", "5 11:00", "5 12:00", causes=["CHG-7"])
    assert world.failed() == [("CHG-7", "stated", "I")]


def test_key_in_two_services_means_the_incidents_own(world: World) -> None:
    world.rules["rule_window"] = False
    world.commit("a", subject="CHG-7: it")
    world.commit("m", subject="CHG-7: mail too", repository="hub/mail")
    world.deploy("shop-1", "1 10:00", "a")
    world.deploy("mail-1", "1 11:00", "m", services=["mail"])
    world.incident("I", "1 12:00", "1 13:00", causes=["CHG-7"])
    world.incident("J", "1 12:00", "1 13:00", services=["blog"], causes=["CHG-7"])
    assert world.evidence() == [
        ("mail-1", "stated", "J", True),
        ("shop-1", "stated", "I", True),
        ("shop-1", "stated", "J", True),
    ]
