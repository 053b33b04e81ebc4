"""Commits of GitHub: only what is new is read, and what a branch lost is noticed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.github.history import Walk
from connectors.testing import Reading, read
from dora.records import Commit, CommitReference
from tests.connectors.github.asking import on, source
from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation, Repository, at
from tests.forges.scenario import ADA

BEGIN = at("03-01 00:00")


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation("acme")
    made.add("shop")
    return made


@pytest.fixture
def shop(organisation: Organisation) -> Repository:
    return organisation["shop"]


def shas(reading: Reading) -> set[str]:
    return {one.sha for one in reading.facts().values() if isinstance(one, Commit)}


def commits(shop: Repository, count: int, branch: str = "main", **more: Any) -> list[str]:
    """Some commits, a minute apart, after all there are."""
    first = len(shop.commits)
    return [
        shop.commit(f"Change {n}", BEGIN + timedelta(minutes=n), ADA, branch=branch, **more)
        for n in range(first, first + count)
    ]


def test_a_later_reading_asks_for_as_many_pages_as_are_new(
    host: GitHubHost, shop: Repository
) -> None:
    old = commits(shop, 250)
    first = read(source(host), Commit)
    assert shas(first) == set(old)
    assert host.count("History") == 3
    new = commits(shop, 30)
    with host.counting() as asked:
        later = read(source(host), Commit, first.cursor)
    assert shas(later) == set(new)
    assert sum(one.kind == "History" for one in asked) == 1
    with host.counting() as asked:
        assert read(source(host), Commit, later.cursor).given == []
    assert sum(one.kind == "History" for one in asked) == 0


def test_a_branch_that_was_rewritten_loses_what_no_branch_has(
    host: GitHubHost, shop: Repository
) -> None:
    old = commits(shop, 120)
    gone = shop.commit(
        "Undo", BEGIN + timedelta(days=1), ADA, body=f"This reverts commit {old[5]}."
    )
    first = read(source(host), Commit)
    assert sum(isinstance(one, CommitReference) for one in first.records) == 1
    shop.force_push("main", old[99])
    new = shop.commit("Another", BEGIN + timedelta(days=2), ADA)
    later = read(source(host), Commit, first.cursor)
    assert later.notes == ["acme/shop: history was rewritten on main."]
    held = on(first, later)
    assert shas(held) == {*old[:100], new}
    assert gone not in shas(held)
    assert not any(isinstance(one, CommitReference) for one in held.facts().values())
    assert read(source(host), Commit, held.cursor).given == []


def test_other_branches_are_read_where_they_are_named_and_forgotten_with_them(
    host: GitHubHost, shop: Repository
) -> None:
    main = commits(shop, 110)
    shop.branches["release/1"] = main[50]
    side = commits(shop, 5, "release/1")
    shop.branches["topic"] = main[50]
    commits(shop, 5, "topic")
    asked = {"branches": ["release/*"]}
    first = read(source(host, **asked), Commit)
    assert shas(first) == {*main, *side}
    assert len(first.records) == len(main) + len(side)
    more = commits(shop, 3, "release/1")
    second = on(first, read(source(host, **asked), Commit, first.cursor))
    assert shas(second) == {*main, *side, *more}
    del shop.branches["release/1"]
    third = on(second, read(source(host, **asked), Commit, second.cursor))
    assert shas(third) == set(main)


def test_a_branch_that_was_merged_may_go_without_a_loss(host: GitHubHost, shop: Repository) -> None:
    main = commits(shop, 10)
    shop.branches["release/1"] = main[4]
    side = commits(shop, 3, "release/1")
    asked = {"branches": ["release/*"]}
    first = read(source(host, **asked), Commit)
    merged = shop.commit(
        "Merge release/1", BEGIN + timedelta(days=1), ADA, parents=[main[-1], side[-1]]
    )
    del shop.branches["release/1"]
    later = read(source(host, **asked), Commit, first.cursor)
    assert later.notes == []
    assert shas(on(first, later)) == {*main, *side, merged}


def test_a_default_branch_of_another_name_loses_nothing(host: GitHubHost, shop: Repository) -> None:
    old = commits(shop, 20)
    first = read(source(host), Commit)
    shop.branches["trunk"] = shop.branches.pop("main")
    shop.default_branch = "trunk"
    new = commits(shop, 2, "trunk")
    later = read(source(host), Commit, first.cursor)
    assert later.notes == []
    assert shas(later) == set(new)
    assert shas(on(first, later)) == {*old, *new}


def test_nothing_before_the_day_is_read(host: GitHubHost, shop: Repository) -> None:
    old = commits(shop, 300)
    day = BEGIN + timedelta(minutes=280)
    found = read(source(host, since=day), Commit)
    assert shas(found) == set(old[280:])
    assert host.count("History") == 2


def test_what_a_clone_has_is_not_asked_for(host: GitHubHost, shop: Repository) -> None:
    commits(shop, 3)
    spared = source(host)
    spared.cloned = ["127.0.0.1/Acme/Shop"]
    assert read(spared, Commit).records == []
    assert host.count("History") == 0


def test_reading_everything_again_leaves_nothing_of_what_vanished(
    host: GitHubHost, shop: Repository
) -> None:
    old = commits(shop, 5)
    first = read(source(host), Commit)
    shop.force_push("main", old[2])
    anew = read(source(host, reconcile=True), Commit, None)  # its cursors were forgotten
    assert shas(on(first, anew)) == set(old[:3])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_walk_gives_just_what_is_behind_the_new_head_and_not_behind_the_old_one(
    data: st.DataObject,
) -> None:
    parents: dict[str, list[str]] = {}
    for number in range(data.draw(st.integers(1, 14))):
        some = data.draw(st.sets(st.sampled_from(sorted(parents)), max_size=3)) if parents else ()
        parents[f"c{number:02}"] = sorted(some)
    names = sorted(parents)
    old, new = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    rows = [row(name, parents) for name in reversed(names) if name in behind(new, parents)]
    walk, found = Walk({old}), []
    for start in range(0, len(rows), 3):
        found += walk.new(rows[start : start + 3])
        if walk.finished:
            break
    missed = behind(new, parents) - behind(old, parents) - {one["oid"] for one in found}
    assert not missed
    if old in behind(new, parents):
        assert walk.met(old)
    else:
        assert not walk.met(old)


def row(name: str, parents: dict[str, list[str]]) -> dict[str, Any]:
    return {"oid": name, "parents": {"nodes": [{"oid": one} for one in parents[name]]}}


def behind(name: str, parents: dict[str, list[str]]) -> set[str]:
    found, pending = set(), [name]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += parents[one]
    return found
