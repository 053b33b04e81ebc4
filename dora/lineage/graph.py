"""The commit graph of one repository, and who is an ancestor of whom.

Commits are numbered 0, 1, 2 … in any order. A parent that is not known (a shallow clone's boundary)
is simply absent. Histories may have several roots and merges of any width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

UNKNOWN = -1
"""No commit: a missing first parent, a head or a deployed sha that the store does not know."""

UNCLAIMED = 2**31 - 1
"""The label of a commit that no deployment contains; larger than any position."""

PATIENCE = 16
"""Steps that ancestry questions may cost by plain walking, per commit, before the index is built.

Building it costs about as much as that many steps, so a repository with a few near rollbacks
never pays for an index, and one with many far ones pays for it once.
"""


@dataclass(frozen=True, slots=True)
class Graph:
    """Parents by commit number.

    Attributes:
        first: The first parent of each commit, `UNKNOWN` where there is none.
        others: The further parents of merges.
    """

    first: list[int]
    others: dict[int, list[int]]

    @classmethod
    def of(cls, parents: Sequence[Sequence[int]]) -> Graph:
        """The graph of a list of parents for each commit, in their order."""
        return cls(
            first=[known[0] if known else UNKNOWN for known in parents],
            others={c: list(known[1:]) for c, known in enumerate(parents) if len(known) > 1},
        )

    def __len__(self) -> int:
        return len(self.first)

    def parents(self, commit: int) -> list[int]:
        """The known parents of a commit, in order."""
        first = self.first[commit]
        return ([] if first < 0 else [first]) + self.others.get(commit, [])


@dataclass(frozen=True, slots=True)
class Claims:
    """Which deployment of one stream first contained each commit, so far.

    Attributes:
        label: For each commit the position of that deployment, `UNCLAIMED` for none; one more
            entry at the end stands for "no such commit".
        deployed: The commit of the deployment at each position.
    """

    label: list[int]
    deployed: list[int]

    @classmethod
    def none(cls, commits: int) -> Claims:
        """The claims before the first deployment."""
        return cls(label=[UNCLAIMED] * commits + [UNKNOWN], deployed=[])

    def floor(self, ancestor: int) -> int:
        """The smallest label that a commit between `ancestor` and a descendant can have.

        What a deployment claimed is contained in its own commit, so above that commit the labels
        are larger.
        """
        position = self.label[ancestor]
        return position + (position < len(self.deployed) and self.deployed[position] == ancestor)


class Ancestry:
    """Answers "is this commit an ancestor of that one?" for one repository.

    The question is asked for deployments that deliver nothing, so both commits are labelled with
    the first deployment that contains them, and an ancestor's label is never the larger one. A
    search therefore stays within what was delivered since the ancestor first was: the usual
    rollback, one or two versions back, looks at those versions' commits and at no others.

    Where such searches add up to more than `PATIENCE` steps a commit, an index is built in one
    linear pass. After that an ancestor along first parents (a main line, a release branch) is found
    at once however far back it is, most unrelated pairs are refused at once, and what is left
    is a search that the labels and the index cut short.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._index: Index | None = None
        self._left = PATIENCE * len(graph)
        self._known: dict[tuple[int, int], bool] = {}

    @property
    def index(self) -> Index:
        """The index, built when first needed."""
        if self._index is None:
            self._index = Index(self._graph)
        return self._index

    def contains(self, commit: int, ancestor: int, claims: Claims) -> bool:
        """Whether `ancestor` is `commit` itself or an ancestor of it; `claims` of one stream."""
        if commit == ancestor:
            return True
        if claims.label[ancestor] > claims.label[commit]:
            return False
        pair = (commit, ancestor)
        answer = self._known.get(pair)
        if answer is None:
            answer = self._known[pair] = self._search(commit, ancestor, claims)
        return answer

    def _search(self, commit: int, ancestor: int, claims: Claims) -> bool:
        label, floor = claims.label, claims.floor(ancestor)
        first, others = self._graph.first, self._graph.others
        seen: set[int] = set()
        stack = [commit]
        while stack and self._left >= len(seen):
            current = stack.pop()
            while current != ancestor and label[current] >= floor and current not in seen:
                seen.add(current)
                stack.extend(others.get(current, ()))
                current = first[current]
            if current == ancestor:
                self._left -= len(seen)
                return True
        self._left -= len(seen)
        return self._left < 0 and self.index.reaches(commit, ancestor, claims)


class Index:
    """Where each commit stands in two walks over the whole graph and on its first-parent line.

    The walks take the heads, and the parents of each merge, in opposite directions. In a walk every
    commit is numbered after its parents; `low` is the smallest number among the commits it
    contains. What a commit contains lies between its `low` and its own number in both walks
    (Yildirim, Chaoji and Zaki, GRAIL, PVLDB 2010), so a pair that breaks this is unrelated.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        heads, rest = _heads(graph)
        order = list(_parents_first(graph, heads + rest, forward=True))
        back = list(_parents_first(graph, heads[::-1] + rest, forward=False))
        self._walks = (_numbered(graph, order), _numbered(graph, back))
        self.number = self._walks[0][0]
        self._enter, self._leave = _lines(graph, order)

    def on_line(self, commit: int, ancestor: int) -> bool:
        """Whether following first parents from `commit` meets `ancestor`."""
        return self._enter[ancestor] <= self._enter[commit] < self._leave[ancestor]

    def may_reach(self, commit: int, ancestor: int) -> bool:
        """False where `ancestor` is certainly no ancestor of `commit`."""
        return all(
            low[commit] <= low[ancestor] and number[ancestor] < number[commit]
            for number, low in self._walks
        )

    def reaches(self, commit: int, ancestor: int, claims: Claims) -> bool:
        """Whether `ancestor` is a proper ancestor of `commit`."""
        label, floor = claims.label, claims.floor(ancestor)
        seen = {commit}
        stack = [commit]
        while stack:
            current = stack.pop()
            if self.on_line(current, ancestor):
                return True
            for parent in self._graph.parents(current):
                if parent == ancestor:
                    return True
                if parent in seen or label[parent] < floor:
                    continue
                if self.may_reach(parent, ancestor):
                    seen.add(parent)
                    stack.append(parent)
        return False


def numbered(graph: Graph) -> list[int]:
    """A number for each commit, larger than those of its parents."""
    heads, rest = _heads(graph)
    return _numbered(graph, list(_parents_first(graph, heads + rest, forward=True)))[0]


def _heads(graph: Graph) -> tuple[list[int], list[int]]:
    """The commits that are nobody's parent, and the rest: not seen from them only in a ring."""
    has_child = bytearray(len(graph) + 1)
    for parent in graph.first:
        has_child[parent] = 1
    for parents in graph.others.values():
        for parent in parents:
            has_child[parent] = 1
    heads = [commit for commit in range(len(graph)) if not has_child[commit]]
    rest = [commit for commit in range(len(graph)) if has_child[commit]]
    return heads, rest


def _parents_first(graph: Graph, heads: Sequence[int], *, forward: bool) -> Iterator[int]:
    """Every commit that the heads contain, each after its parents, depth first."""
    entered = bytearray(len(graph))
    first, others = graph.first, graph.others
    stack: list[int] = []
    for head in heads:
        stack.append(head)
        while stack:
            commit = stack.pop()
            if commit < 0:
                yield ~commit
                continue
            if entered[commit]:
                continue
            entered[commit] = 1
            stack.append(~commit)
            if commit in others:
                parents = graph.parents(commit)
                stack.extend(reversed(parents) if forward else parents)
            elif first[commit] >= 0:
                stack.append(first[commit])


def _numbered(graph: Graph, order: Sequence[int]) -> tuple[list[int], list[int]]:
    number = [0] * len(graph)
    low = [0] * len(graph)
    first, others = graph.first, graph.others
    for place, commit in enumerate(order):
        number[commit] = place
        lowest = low[first[commit]] if first[commit] >= 0 else place
        for parent in others.get(commit, ()):
            lowest = min(lowest, low[parent])
        low[commit] = lowest
    return number, low


def _lines(graph: Graph, order: Sequence[int]) -> tuple[list[int], list[int]]:
    """Intervals of the tree of first parents: an ancestor's encloses its descendants'."""
    size = [1] * len(graph)
    for commit in reversed(order):
        if graph.first[commit] >= 0:
            size[graph.first[commit]] += size[commit]
    enter = [0] * len(graph)
    free = [0] * (len(graph) + 1)
    for commit in order:
        parent = graph.first[commit]
        enter[commit] = free[parent]
        free[parent] += size[commit]
        free[commit] = enter[commit] + 1
    return enter, [start + length for start, length in zip(enter, size, strict=True)]
