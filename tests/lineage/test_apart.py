"""What is on one side and not on the other, held against whole sets of ancestors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dora.lineage import Graph
from dora.lineage.apart import Apart

FORK = Graph.of([[], [0], [1], [1], [2, 3], [3]])
# 0 - 1 - 2 - 4 (merges 3), and 1 - 3 - 5


def test_each_side_has_what_only_it_contains():
    assert Apart(FORK).between([2], [5]) == ([2], [5, 3])
    assert Apart(FORK).between([4], [5]) == ([4, 2], [5])
    assert Apart(FORK).between([2, 5], [4]) == ([5], [4])
    assert Apart(FORK).between([1], [1]) == ([], [])


def test_a_copy_on_the_other_side_counts_as_there():
    kin = {2: [3], 3: [2]}
    assert Apart(FORK, kin).between([2], [5]) == ([], [5])


def test_a_copy_that_both_sides_contain_is_found_below_what_tells_them_apart():
    line = Graph.of([[], [0], [1], [2], [3], [4]])
    assert Apart(line, {5: [1]}).between([5], [4]) == ([], [])
    assert Apart(line, {5: [4]}).between([5], [3]) == ([5, 4], [])


def contained(parents: list[list[int]], heads: list[int]) -> set[int]:
    return set(heads).union(*(contained(parents, parents[head]) for head in heads))


@st.composite
def histories(draw):
    """Parents of up to a dozen commits, numbered in any order, and two sides."""
    n = draw(st.integers(1, 12))
    order = draw(st.permutations(range(n)))
    parents: list[list[int]] = [[] for _ in range(n)]
    for place in range(1, n):
        above = st.sampled_from(order[:place])
        parents[order[place]] = draw(st.lists(above, max_size=2, unique=True))
    some = st.lists(st.integers(0, n - 1), min_size=1, max_size=2)
    pairs = st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=4)
    return parents, draw(some), draw(some), draw(pairs)


@given(histories())
def test_it_is_what_whole_sets_of_ancestors_say(history):
    parents, left, right, pairs = history
    kin: dict[int, set[int]] = {}
    for one, other in pairs:
        kin.setdefault(one, set()).add(other)
        kin.setdefault(other, set()).add(one)
    a, b = contained(parents, left), contained(parents, right)
    found = Apart(Graph.of(parents), kin).between(left, right)
    assert set(found[0]) == {c for c in a - b if not kin.get(c, set()) & b}
    assert set(found[1]) == {c for c in b - a if not kin.get(c, set()) & a}
