"""Who wrote a change: counted, never shown."""

from __future__ import annotations

from tests.models.harness import Given


def authors(given: Given, **rules: str) -> set[tuple[object, object]]:
    """Each change, by the place its commits were told in, and its authors."""
    return set(given.rows("change_authors", "change_id, author", **rules))


def test_a_commit_has_its_author_machines_and_unknown_ones_left_out(given: Given) -> None:
    given.line("a")
    given.commit("b", "a", 1, author="ben")
    given.commit("c", "b", 2, author="renovate", is_bot=True)
    given.commit("d", "c", 3, author=None)
    assert authors(given) == {(1, "ann"), (2, "ben")}


def test_a_pull_request_has_the_authors_of_its_originals_each_once(given: Given) -> None:
    given.line("a")
    given.commit("squash", "a", 8, author="ann")
    given.pull(7, "squash", 8)
    given.original(7, "one", 3, author="ben")
    given.original(7, "two", 4, author="ben")
    given.original(7, "three", 5, author="cleo")
    given.original(7, "four", 6, author="renovate", is_bot=True)
    given.deploy("v1", "a", 1)
    given.deploy("v2", "squash", 20)
    found = authors(given, change="pull_request")
    # the only pull request, so -1; landed commits stand for themselves where they are changes
    assert {author for change, author in found if change == -1} == {"ben", "cleo"}
