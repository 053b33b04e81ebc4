"""What is contained in some commits and not in others, without looking at what both contain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from heapq import heappop, heappush

from dora.lineage.graph import Graph, numbered

_LEFT, _RIGHT = 1, 2
_BOTH = _LEFT | _RIGHT


class Apart:
    """Tells two sides of one repository apart.

    Commits are looked at from the newest down, each before its parents, until all that is left to
    look at is on both sides. So the cost is that of the difference, not that of the history.

    Args:
        graph: The repository's commits.
        kin: Which commits are copies of one another; a copy on the other side counts as there.
    """

    def __init__(self, graph: Graph, kin: Mapping[int, Collection[int]] | None = None) -> None:
        self._graph = graph
        self._kin = kin or {}
        self._number = numbered(graph)
        self._known: dict[tuple[frozenset[int], frozenset[int]], tuple[list[int], list[int]]] = {}

    def between(self, left: Iterable[int], right: Iterable[int]) -> tuple[list[int], list[int]]:
        """The commits that only the left side contains, and those that only the right one does.

        Args:
            left: Commits; what one of them contains is on the left side.
            right: Commits of the other side.
        """
        key = (frozenset(left), frozenset(right))
        if key not in self._known:
            sides = dict.fromkeys(key[0], _LEFT)
            for commit in key[1]:
                sides[commit] = sides.get(commit, 0) | _RIGHT
            self._known[key] = self._tell(sides)
        return self._known[key]

    def _tell(self, sides: dict[int, int]) -> tuple[list[int], list[int]]:
        alone: tuple[list[int], list[int]] = ([], [])
        heap = sorted((-self._number[commit], commit) for commit in sides)
        single = sum(side != _BOTH for side in sides.values())
        lowest = len(self._graph)  # where the lowest copy is that is still to be looked up
        while heap and (single or -heap[0][0] >= lowest):
            _, commit = heappop(heap)
            side = sides[commit]
            if side != _BOTH:
                single -= 1
                alone[side - 1].append(commit)
                copies = self._kin.get(commit, ())
                lowest = min([lowest, *(self._number[copy] for copy in copies)])
            for parent in self._graph.parents(commit):
                before = sides.get(parent, 0)
                sides[parent] = before | side
                if not before:
                    heappush(heap, (-self._number[parent], parent))
                single += (sides[parent] != _BOTH) - (before in (_LEFT, _RIGHT))
        return self._without_copies(alone[0], _RIGHT, sides), self._without_copies(
            alone[1], _LEFT, sides
        )

    def _without_copies(self, commits: list[int], other: int, sides: dict[int, int]) -> list[int]:
        """Those of which no copy is on the other side."""
        return [
            commit
            for commit in commits
            if not any(sides.get(copy, 0) & other for copy in self._kin.get(commit, ()))
        ]
