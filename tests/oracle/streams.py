"""Which deployment delivered which commit, by whole sets of ancestors: slow and obvious."""

from __future__ import annotations

from dataclasses import dataclass, field

from dora.records import Commit, Deployment
from dora.rules import Rules
from tests.oracle.world import Known

Key = tuple[str, str, str]
"""Repository, service, environment."""


class Graph:
    """The history of one repository."""

    def __init__(self, commits: dict[str, Commit]) -> None:
        self.commits = commits
        self._reached: dict[str, frozenset[str]] = {}

    def reach(self, sha: str | None) -> frozenset[str]:
        """A commit and all its ancestors, as far as they are known."""
        if sha is None or sha not in self.commits:
            return frozenset()
        if sha not in self._reached:
            seen = {sha}
            todo = [sha]
            while todo:
                for parent in self.commits[todo.pop()].parents.split():
                    if parent in self.commits and parent not in seen:
                        seen.add(parent)
                        todo.append(parent)
            self._reached[sha] = frozenset(seen)
        return self._reached[sha]

    def precedes(self, one: str | None, other: str | None) -> bool:
        """Whether `one` is a proper ancestor of `other`."""
        return one is not None and one != other and one in self.reach(other)

    def first_parents(self, sha: str) -> list[str]:
        chain: list[str] = []
        here = sha
        while here in self.commits and self.commits[here].parents:
            here = self.commits[here].parents.split()[0]
            if here in self.commits:
                chain.append(here)
        return chain


@dataclass
class Step:
    """A successful deployment in its stream."""

    source: str
    fact: Deployment
    known: bool
    takes: frozenset[str] = frozenset()
    baseline: bool = False
    uncertain: bool = False
    rollback: bool = False
    undid: list[int] = field(default_factory=list)


@dataclass
class Stream:
    """The successful deployments of one service from one repository into one environment."""

    key: Key
    graph: Graph
    steps: list[Step]
    taken_by: dict[str, int] = field(default_factory=dict)


def in_order(graph: Graph, found: list[tuple[str, Deployment]]) -> list[tuple[str, Deployment]]:
    """By finish; at one instant an ancestor before its descendants, then by id."""
    left = sorted(found, key=lambda sd: (sd[1].finished_at, sd[1].id, sd[0]))
    ordered: list[tuple[str, Deployment]] = []
    while left:
        instant = left[0][1].finished_at
        tied = [sd for sd in left if sd[1].finished_at == instant]
        free = [sd for sd in tied if not any(graph.precedes(o[1].sha, sd[1].sha) for o in tied)]
        ordered.append(free[0])
        left.remove(free[0])
    return ordered


def walk(stream: Stream) -> None:
    """Say of each step what it delivers, and what it takes back."""
    taken: set[str] = set()
    cloudy = False
    recorded = False
    for position, step in enumerate(stream.steps):
        if not step.known:
            cloudy = True
            continue
        reached = stream.graph.reach(step.fact.sha)
        step.takes = reached - taken
        step.baseline = not recorded
        recorded = True
        if step.takes:
            step.uncertain, cloudy = cloudy, False
        for sha in step.takes:
            stream.taken_by[sha] = position
        taken |= reached
        _look_back(stream, position)


def _look_back(stream: Stream, position: int) -> None:
    step = stream.steps[position]
    if position == 0 or step.fact.inferred:
        return
    if not stream.graph.precedes(step.fact.sha, stream.steps[position - 1].fact.sha):
        return
    step.rollback = True
    contained = stream.graph.reach(step.fact.sha)
    for before in range(position - 1, -1, -1):
        if stream.steps[before].fact.sha in contained:
            return
        if not stream.steps[before].fact.inferred:
            step.undid.append(before)


def streams(known: Known, rules: Rules) -> dict[Key, Stream]:
    """Every stream into a production environment, walked."""
    graphs = {name: Graph(commits) for name, commits in known.commits.items()}
    found: dict[Key, list[tuple[str, Deployment]]] = {}
    for source, deployment in known.deployments:
        if deployment.status != "succeeded" or known.kind(deployment) not in rules.environments:
            continue
        for service in known.services_of(deployment.repository, deployment.service):
            key = (deployment.repository, service, deployment.environment)
            found.setdefault(key, []).append((source, deployment))
    made = {}
    for key, pairs in found.items():
        graph = graphs.get(key[0]) or Graph({})
        steps = [Step(s, d, d.sha in graph.commits) for s, d in in_order(graph, pairs)]
        made[key] = Stream(key, graph, steps)
        walk(made[key])
    return made
