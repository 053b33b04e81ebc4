"""The oracle itself, against rows worked out by hand from the definition's own examples."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dora.rules import Rules
from tests.oracle.changes import stages
from tests.oracle.intervals import median_ranks, poisson, quantile, wilson
from tests.oracle.marts import Marts, marts
from tests.oracle.planted import cherry_picks, pull_requests
from tests.oracle.scenes import KINDS, Scene, at, versions
from tests.oracle.world import World

HOUR = 3_600_000_000


def world_of(order: str) -> World:
    world = World(kinds=dict(KINDS))
    versions(Scene(world, "w"), order)
    return world


def failed(found: Marts) -> list[str]:
    return [row["deployment"][2:] for row in found.judged_deployments if row["failed"]]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("abab", ["1b"]),
        ("abca", ["1b", "2c"]),
        ("abcba", ["1b", "2c"]),
        ("aabb", []),
        ("ab?a", []),
        ("abcac", ["1b", "2c"]),
    ],
)
def test_a_rollback_fails_what_it_undid(order: str, expected: list[str]) -> None:
    assert failed(marts(world_of(order), Rules(), at(999))) == expected


def test_a_baseline_holds_all_but_its_own_commit_and_an_unknown_sha_casts_doubt() -> None:
    rows = marts(world_of("b?d"), Rules(), at(999)).delivered_changes
    left_out = {row["committed_at"]: row["left_out"] for row in rows}
    assert left_out == {at(0): "before the record", at(1): None, at(2): "uncertain delivery"}


def test_stages_add_up_though_boundaries_run_backwards() -> None:
    whole = stages(at(5), at(3), at(9), at(4), at(20))
    assert whole == [HOUR, 0, 4 * HOUR, 11 * HOUR]
    assert stages(at(5), None, at(9), at(4), at(20)) == [HOUR, None, 4 * HOUR, 11 * HOUR]
    assert stages(None, None, None, at(4), at(20)) == [None, None, None, 16 * HOUR]
    assert stages(at(5), at(30), at(9), at(4), at(20)) == [HOUR, 25 * HOUR, 0, -10 * HOUR]


def test_originals_stand_for_what_landed() -> None:
    world = World(kinds=dict(KINDS))
    pull_requests(world)
    scene = Scene(world, "pulls")
    landed = ("squash", "re1", "re2", "merge", "ff", "alone", "named", "tip")
    originals = ("o1", "o2", "q1", "q2", "m1", "m2", "n1")
    names = {scene.sha(name): name for name in landed + originals}
    rows = marts(world, Rules(), at(110)).delivered_changes
    counted = {names[r["sha"]] for r in rows if r["sha"] in names and r["left_out"] is None}
    assert counted == {"o1", "o2", "q1", "q2", "m1", "m2", "ff", "alone", "n1", "tip"}


def test_a_change_is_delivered_where_its_copy_is() -> None:
    world = World(kinds=dict(KINDS))
    cherry_picks(world)
    scene = Scene(world, "picks")
    rows = {r["sha"]: r["deployment"] for r in marts(world, Rules(), at(999)).delivered_changes}
    assert rows[scene.sha("c")] == scene.id("d2")
    assert scene.sha("c1") not in rows
    assert rows[scene.sha("hot")] == scene.id("d4")
    alone = marts(world, Rules(follow_cherry_picks=False), at(999)).delivered_changes
    assert {r["sha"]: r["deployment"] for r in alone}[scene.sha("c")] == scene.id("d5")


def test_intervals_are_those_of_the_books() -> None:
    assert wilson(0, 10)[1] == pytest.approx(0.2775, abs=5e-5)  # Brown, Cai and DasGupta 2001
    assert poisson(0) == (0.0, pytest.approx(3.6889, abs=5e-5))  # Garwood 1936
    assert poisson(10) == (pytest.approx(4.7954, abs=5e-5), pytest.approx(18.3904, abs=5e-5))
    assert [median_ranks(n) for n in (5, 6, 10, 20)] == [None, (1, 6), (2, 9), (6, 15)]
    assert quantile([1, 2, 3, 10], Fraction(9, 10)) == Fraction(79, 10)
