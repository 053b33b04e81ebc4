"""The walk equals the definitions said with sets, on histories of every shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora.lineage import UNCLAIMED, Ancestry, Graph, Stream, Walk, graph, walk
from tests.lineage.oracle import contained, expect

Parents = list[list[int]]
Deployments = list[tuple[int, int, bool]]


@st.composite
def histories(draw: st.DrawFn, largest: int = 24) -> Parents:
    """Criss-cross and octopus merges, several roots, disconnected parts, shuffled numbers."""
    size = draw(st.integers(1, largest))
    parents: Parents = []
    for commit in range(size):
        near = st.integers(max(0, commit - 4), commit - 1) if commit else st.nothing()
        far = st.integers(0, commit - 1) if commit else st.nothing()
        width = draw(st.sampled_from([0, 1, 1, 1, 1, 2, 2, 3])) if commit else 0
        parents.append(
            draw(
                st.lists(near | far, min_size=width, max_size=width, unique=True)
                if width <= commit
                else st.just([commit - 1])
            )
        )
    names = draw(st.permutations(range(size)))
    shuffled: Parents = [[] for _ in range(size)]
    for commit, known in enumerate(parents):
        shuffled[names[commit]] = [names[p] for p in known]
    return shuffled


@st.composite
def cases(draw: st.DrawFn) -> tuple[Parents, Deployments, int]:
    parents = draw(histories())
    commits = st.integers(-1, len(parents) - 1)
    inferred = draw(st.sampled_from([st.just(False), st.booleans()]))
    latest = draw(st.sampled_from([0, 2, 30]))
    deployments = draw(st.lists(st.tuples(commits, st.integers(0, latest), inferred), max_size=14))
    return parents, sorted(deployments, key=lambda d: d[1]), draw(commits)


def walked(parents: Parents, deployments: Deployments, head: int) -> Walk:
    known = Graph.of(parents)
    stream = Stream(
        commits=[d[0] for d in deployments],
        finished=[d[1] for d in deployments],
        inferred=[d[2] for d in deployments],
    )
    return walk(known, stream, head=head, ancestry=Ancestry(known))


@pytest.mark.parametrize("patience", [0, 4], ids=["index at once", "index when it pays"])
@settings(max_examples=250, deadline=None)
@given(case=cases())
def test_a_walk_equals_the_definitions(
    patience: int, case: tuple[Parents, Deployments, int]
) -> None:
    parents, deployments, head = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "PATIENCE", patience)
        actual = walked(parents, deployments, head)
    expected = expect(parents, deployments, head)
    assert actual.order == expected.order
    assert actual.outcomes == expected.outcomes
    assert {c: n for c, n in enumerate(actual.label) if n != UNCLAIMED} == expected.label
    assert actual.uncertain == expected.uncertain
    assert actual.rollbacks == expected.rollbacks
    assert actual.cumulative == expected.cumulative
    inside = contained(parents)
    for position in (p for p, whole in enumerate(actual.cumulative) if whole):
        commit = deployments[actual.order[position]][0]
        up_to = {c for c, label in enumerate(actual.label) if 0 <= label <= position}
        assert up_to == inside[commit]
    assert set(actual.undone) == expected.undone
    assert len(actual.undone) == len(expected.undone)


@pytest.mark.parametrize("patience", [0, 1000], ids=["by index", "by walking"])
@settings(max_examples=120, deadline=None)
@given(parents=histories(largest=30))
def test_ancestry_is_reachability(patience: int, parents: Parents) -> None:
    known = Graph.of(parents)
    inside = contained(parents)
    claims = graph.Claims.none(len(parents))
    claims.label[:-1] = [0] * len(parents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "PATIENCE", patience)
        ancestry = Ancestry(known)
    for commit in range(len(parents)):
        for other in range(len(parents)):
            assert ancestry.contains(commit, other, claims) == (other in inside[commit])


@settings(max_examples=120, deadline=None)
@given(parents=histories(largest=30))
def test_the_index_never_refuses_an_ancestor(parents: Parents) -> None:
    index = graph.Index(Graph.of(parents))
    for commit, inside in enumerate(contained(parents)):
        for other in inside - {commit}:
            assert index.may_reach(commit, other)
        line, current = {commit}, parents[commit][:1]
        while current:
            line.add(current[0])
            current = parents[current[0]][:1]
        assert {o for o in range(len(parents)) if index.on_line(commit, o)} == line
