"""Frequent and far rollbacks do not make the walk quadratic: steps are counted, not time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from dora.lineage import Ancestry, Graph, Stream, graph, walk


class Counting(list[int]):
    """Labels that count how often they are looked at."""

    looks = 0

    def __getitem__(self, place: int) -> int:
        Counting.looks += 1
        return super().__getitem__(place)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Counting]]:
    original = graph.Claims.none
    monkeypatch.setattr(
        graph.Claims,
        "none",
        lambda commits: graph.Claims(Counting(original(commits).label), []),
    )
    Counting.looks = 0
    return Counting


def line(size: int) -> list[list[int]]:
    return [[commit - 1] if commit else [] for commit in range(size)]


def merged(size: int) -> list[list[int]]:
    """A main line of merges; every third commit is on a side branch cut well before."""
    parents: list[list[int]] = [[]]
    main = side = 0
    for commit in range(1, size):
        if commit % 3 == 1:
            parents.append([max(0, commit - 31)])
            side = commit
        else:
            parents.append([main, side] if commit % 3 == 2 else [main])
            main = commit
    return parents


def there_and_back(size: int) -> list[int]:
    """One version forward, then back to the first, again and again."""
    return [what for commit in range(2, size, 3) for what in (commit, 2)]


def back_to_any(size: int) -> list[int]:
    """One version forward, then back to any before it, near or far."""
    chosen = random.Random(size)
    return [
        what
        for commit in range(5, size, 3)
        for what in (commit, 2 + 3 * chosen.randrange(commit // 3))
    ]


@pytest.mark.parametrize("shape", [line, merged])
@pytest.mark.parametrize("story", [there_and_back, back_to_any])
def test_far_rollbacks_cost_a_bounded_number_of_steps_a_commit(
    shape: Callable[[int], list[list[int]]],
    story: Callable[[int], list[int]],
    looks: type[Counting],
) -> None:
    steps = {}
    for size in (1_000, 4_000):
        known = Graph.of(shape(size))
        commits = story(size)
        looks.looks = 0
        walked = walk(
            known,
            Stream(commits, list(range(len(commits))), [False] * len(commits)),
            ancestry=Ancestry(known),
        )
        steps[size] = looks.looks
        assert sum(walked.rollbacks) > size / 4
    assert steps[4_000] < 5 * steps[1_000]
    assert steps[4_000] < 60 * 4_000


def test_many_deployments_at_one_instant_cost_no_more_than_the_commits() -> None:
    known = Graph.of(line(5_000))
    commits = list(range(4_999, -1, -1))
    stream = Stream(commits, [0] * len(commits), [False] * len(commits))
    walked = walk(known, stream, ancestry=Ancestry(known))
    assert walked.order == list(range(4_999, -1, -1))
    again = Stream(commits + commits, [0] * 5_000 + [1] * 5_000, [False] * 10_000)
    assert walk(known, again, ancestry=Ancestry(known)).order[5_000:] == list(
        range(9_999, 4_999, -1)
    )
