"""One stream of deployments walked over the commit graph: what each delivered, undid, left unsaid.

Plain functions over numbers; nothing here knows the store.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Literal

from dora.lineage.graph import UNCLAIMED, UNKNOWN, Ancestry, Claims, Graph

Outcome = Literal["baseline", "delivered", "nothing", "unknown"]

WAITING = -1
"""The label of a commit that is on the default branch and in no deployment."""

_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Stream:
    """The successful deployments of one service to one environment, by (finish, id).

    Attributes:
        commits: The commit of each, `UNKNOWN` where the sha is missing or not in the store.
        finished: When each finished, in any whole unit.
        inferred: Whether each was inferred from tags or merges, not reported.
    """

    commits: Sequence[int]
    finished: Sequence[int]
    inferred: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Walk:
    """What became of a stream; lists are by position unless said otherwise.

    Attributes:
        order: Which deployment of the stream stands at each position.
        outcomes: `baseline`, `delivered`, `nothing` or `unknown`.
        uncertain: Whether what it delivers may have been delivered by one with an unknown sha.
        rollbacks: Whether it went back to a proper ancestor of what it replaced.
        cumulative: Whether it contains all that was deployed before it, so that it contains
            exactly the commits labelled with its position or an earlier one.
        undone: Pairs of positions: a deployment and the rollback that undid it.
        label: By commit: the position of the first deployment that contains it, `WAITING`, or
            `UNCLAIMED` for a commit that is neither deployed nor on the default branch.
    """

    order: list[int]
    outcomes: list[Outcome]
    uncertain: list[bool]
    rollbacks: list[bool]
    cumulative: list[bool]
    undone: list[tuple[int, int]]
    label: list[int]


def walk(graph: Graph, stream: Stream, *, head: int = UNKNOWN, ancestry: Ancestry) -> Walk:
    """Walk a stream in the order (finish, ancestor first, id), once.

    A deployment delivers every commit reachable from its own that no earlier one reached, so the
    walk from each stops where an earlier one has been: each commit and each parent is looked at
    once. What rollbacks cost beyond that is told at `Ancestry`.

    Args:
        graph: The repository's commits.
        stream: Its deployments.
        head: The newest commit of the default branch, `UNKNOWN` if there is none.
        ancestry: The repository's, shared by all its streams.
    """
    claims = Claims.none(len(graph))
    order: list[int] = []
    outcomes: list[Outcome] = []
    cumulative: list[bool] = []
    newest: set[int] = set()
    for deployment in _ordered(graph, stream, claims, ancestry):
        commit = stream.commits[deployment]
        outcomes.append(_deliver(graph, claims, commit, newest))
        cumulative.append(newest == {commit})
        claims.deployed.append(commit)
        order.append(deployment)
    inferred = [stream.inferred[deployment] for deployment in order]
    rollbacks = _rollbacks(claims, outcomes, inferred, ancestry)
    undone = list(_undone(claims, rollbacks, inferred, ancestry))
    _claim(graph, claims.label, head, WAITING)
    return Walk(
        order, outcomes, _uncertain(outcomes), rollbacks, cumulative, undone, claims.label[:-1]
    )


def _deliver(graph: Graph, claims: Claims, commit: int, newest: set[int]) -> Outcome:
    """Claim what a deployment delivers.

    Args:
        graph: The repository's commits.
        claims: What was delivered before.
        commit: The commit deployed.
        newest: The commits deployed so far that no other one contains; brought up to date. Nothing
            that was claimed before lies between one of them and a commit that now goes beyond it,
            so each one that is contained is met by the walk.
    """
    if commit < 0:
        return "unknown"
    if claims.label[commit] != UNCLAIMED:
        return "nothing"
    begun = bool(newest)
    newest.difference_update(_claim(graph, claims.label, commit, len(claims.deployed)))
    newest.add(commit)
    return "delivered" if begun else "baseline"


def _claim(graph: Graph, label: list[int], start: int, mark: int) -> list[int]:
    """Label everything reachable from `start` that has no label yet.

    `UNKNOWN` is -1, the last entry of `label`, which is never free: a walk ends there by itself.

    Returns:
        Where the walk ended: the commits that had a label already.
    """
    first, others, free = graph.first, graph.others, UNCLAIMED
    stack, ends = [start], []
    while stack:
        commit = stack.pop()
        while label[commit] == free:
            label[commit] = mark
            if commit in others:
                stack.extend(others[commit])
            commit = first[commit]
        ends.append(commit)
    return ends


def _uncertain(outcomes: Iterable[Outcome]) -> list[bool]:
    """Those that deliver something first after an unknown sha."""
    marks: list[bool] = []
    doubt = False
    for outcome in outcomes:
        delivers = outcome in ("baseline", "delivered")
        marks.append(doubt and delivers)
        doubt = outcome == "unknown" or (doubt and not delivers)
    return marks


def _rollbacks(
    claims: Claims, outcomes: Sequence[Outcome], inferred: Sequence[bool], ancestry: Ancestry
) -> list[bool]:
    """Which deployments went back to a proper ancestor of what they replaced.

    Only one that delivers nothing can: a proper ancestor came with its descendant.
    """
    deployed = claims.deployed
    return [
        outcome == "nothing"
        and not inferred[position]
        and deployed[position - 1] not in (UNKNOWN, deployed[position])
        and ancestry.contains(deployed[position - 1], deployed[position], claims)
        for position, outcome in enumerate(outcomes)
    ]


def _undone(
    claims: Claims, rollbacks: Sequence[bool], inferred: Sequence[bool], ancestry: Ancestry
) -> Iterator[tuple[int, int]]:
    """The deployments that each rollback undid, newest first.

    Back to but excluding the newest one whose commit the rollback contains; an unknown sha is none.
    There are as many pairs as that says: each rollback to a version older than ever deployed before
    undoes all there is.
    """
    deployed = claims.deployed
    for rollback in (position for position, is_one in enumerate(rollbacks) if is_one):
        for position in range(rollback - 1, -1, -1):
            commit = deployed[position]
            if commit >= 0 and ancestry.contains(deployed[rollback], commit, claims):
                break
            if not rollbacks[position] and not inferred[position]:
                yield position, rollback


def _ordered(graph: Graph, stream: Stream, claims: Claims, ancestry: Ancestry) -> Iterator[int]:
    """By (finish, ancestor first, id); each is yielded when all before it have been claimed."""
    for _, tied in groupby(range(len(stream.commits)), key=stream.finished.__getitem__):
        group = list(tied)
        known = {stream.commits[deployment] for deployment in group} - {UNKNOWN}
        if len(known) < 2:
            yield from group
        else:
            nearest = _nearest(graph, known, claims, ancestry)
            yield from _ancestors_first(stream.commits, group, nearest)


def _nearest(
    graph: Graph, members: set[int], claims: Claims, ancestry: Ancestry
) -> dict[int, frozenset[int]]:
    """For each of the commits deployed at one instant, which of the others it builds on.

    Nearest ones are enough. Those that deliver something new lie in what is not claimed yet;
    those that deliver nothing are asked for one by one, unless there are very many.
    """
    label = claims.label
    old = [member for member in members if label[member] != UNCLAIMED]
    if len(old) * len(members) > len(graph):
        number = ancestry.index.number
        floor = min(number[member] for member in old)
        return _above(graph, members, lambda c: label[c] == UNCLAIMED or number[c] >= floor)
    near = _above(graph, members.difference(old), lambda c: label[c] == UNCLAIMED)
    for member in members if old else ():
        below = {o for o in old if o != member and ancestry.contains(member, o, claims)}
        near[member] = near.get(member, _NOTHING) | below
    return near


def _above(
    graph: Graph, members: set[int], within: Callable[[int], bool]
) -> dict[int, frozenset[int]]:
    """For each commit, the members directly below it, looking only at commits that are `within`."""
    near: dict[int, frozenset[int]] = {}
    entered: set[int] = set()
    stack = list(members)
    while stack:
        commit = stack.pop()
        if commit < 0:
            near[~commit] = _union(graph.parents(~commit), members, near)
        elif commit not in entered:
            entered.add(commit)
            stack.append(~commit)
            stack.extend(parent for parent in graph.parents(commit) if within(parent))
    return near


def _union(
    parents: Iterable[int], members: set[int], near: dict[int, frozenset[int]]
) -> frozenset[int]:
    parts = [
        frozenset((parent,)) if parent in members else near.get(parent, _NOTHING)
        for parent in parents
    ]
    distinct = [part for part in parts if part]
    return distinct[0] if len(distinct) == 1 else _NOTHING.union(*distinct)


def _ancestors_first(
    commits: Sequence[int], group: Sequence[int], nearest: dict[int, frozenset[int]]
) -> Iterator[int]:
    """Always the next by id among those whose ancestors in the group have all had their turn."""
    left: dict[int, int] = {}
    waiting: dict[int, list[int]] = {}
    for deployment in group:
        left[commits[deployment]] = left.get(commits[deployment], 0) + 1
    blockers = {commit: set(nearest.get(commit, _NOTHING)) for commit in left}
    above: dict[int, list[int]] = {}
    for commit, below in blockers.items():
        for ancestor in below:
            above.setdefault(ancestor, []).append(commit)
    ready: list[int] = []
    for deployment in group:
        commit = commits[deployment]
        (waiting.setdefault(commit, []) if blockers[commit] else ready).append(deployment)
    heapq.heapify(ready)
    while ready:
        deployment = heapq.heappop(ready)
        yield deployment
        commit = commits[deployment]
        left[commit] -= 1
        if left[commit]:
            continue
        for descendant in above.get(commit, ()):
            blockers[descendant].discard(commit)
            if not blockers[descendant]:
                for freed in waiting.pop(descendant, ()):
                    heapq.heappush(ready, freed)
    yield from sorted(chain.from_iterable(waiting.values()))  # only where facts make a ring
