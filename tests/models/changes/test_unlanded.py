"""Pull requests that have not landed, as changes that wait or were given up: given and expected."""

from __future__ import annotations

from tests.models.harness import HOUR, REPOSITORY, Given, at

WAITS = "number, sha, given_up, us, left_out"


def shop(given: Given) -> None:
    given.line("a b")
    given.head("b")
    given.deploy("v1", "a", 10)
    given.deploy("v2", "b", 20)


def opened(given: Given, number: int, hour: float, **more: object) -> None:
    given.pull(number, None, hour + 24, **({"state": "open", "merged_at": None} | more))


def closed(given: Given, number: int, hour: float, end: float, **more: object) -> None:
    opened(given, number, hour, state="closed", closed_at=at(end), **more)


def hours(given: Given, **rules: object) -> list[tuple[object, ...]]:
    found = given.rows("unlanded_changes", WAITS, as_of=100, **rules)
    return [(number, name, bool(up), us / HOUR, out) for number, name, up, us, out in found]


def test_originals_wait_until_now_or_until_they_were_given_up(given: Given) -> None:
    shop(given)
    opened(given, 1, 30)
    given.original(1, "one", 28)
    given.original(1, "two", 29)
    closed(given, 2, 40, 60)
    given.original(2, "three", 35)
    assert hours(given) == [
        (1, "one", False, 72, None),
        (1, "two", False, 71, None),
        (2, "three", True, 25, None),
    ]


def test_as_pull_requests_each_is_one_from_its_first_commit(given: Given) -> None:
    shop(given)
    opened(given, 1, 30)
    given.original(1, "one", 28)
    given.original(1, "two", 29)
    assert hours(given, change="pull_request") == [(1, "", False, 72, None)]


def test_without_originals_a_pull_request_is_one_from_its_opening(given: Given) -> None:
    shop(given)
    closed(given, 3, 40, 45)
    assert hours(given) == [(3, "", True, 5, None)]


def test_what_landed_otherwise_is_not_given_up(given: Given) -> None:
    shop(given)
    closed(given, 4, 0, 15)
    given.original(4, "b", 1)  # on the deployed branch by itself
    closed(given, 5, 0, 15)
    given.original(5, "b'", 1)  # rebased: the same author and time as b
    closed(given, 6, 30, 50)
    given.original(6, "again", 29)  # closed here, and open in another
    opened(given, 7, 55)
    given.original(7, "again", 29)
    assert hours(given) == [(7, "again", False, 71, None)]
    assert hours(given, change="pull_request") == [(7, "", False, 71, None)]


def test_merged_ones_are_no_part_of_it_and_later_ones_not_known_yet(given: Given) -> None:
    given.line("a b")
    given.deploy("v1", "a", 10)
    given.commit("m", "b", 30)
    given.pull(1, "m", 30)
    given.original(1, "own", 25)
    given.pull(2, None, 500)
    assert hours(given) == []
    given.pull(3, None, 110, opened_at=at(90))  # merged only after now
    assert hours(given) == [(3, "", False, 10, None)]


def test_machines_and_other_branches_are_left_out(given: Given) -> None:
    shop(given)
    opened(given, 1, 30, is_bot=True)
    opened(given, 2, 30, base_branch="release")
    opened(given, 3, 30, base_branch="main")
    assert hours(given) == [(1, "", False, 70, "bot"), (3, "", False, 70, None)]
    assert hours(given, bot_changes=True)[0] == (1, "", False, 70, None)


def test_of_services_with_paths_nothing_is_known(given: Given) -> None:
    shop(given)
    given.services.append((REPOSITORY, "", "web", True))
    opened(given, 1, 30)
    assert hours(given) == []
