"""The definitions said again with plain sets of ancestors: slow, and sharing nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Expected:
    order: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    uncertain: list[bool] = field(default_factory=list)
    rollbacks: list[bool] = field(default_factory=list)
    cumulative: list[bool] = field(default_factory=list)
    undone: set[tuple[int, int]] = field(default_factory=set)
    label: dict[int, int] = field(default_factory=dict)


def contained(parents: list[list[int]]) -> list[set[int]]:
    """What each commit contains, itself included; parents may have any number."""
    sets: list[set[int]] = []
    for commit in range(len(parents)):
        found, todo = set(), [commit]
        while todo:
            current = todo.pop()
            if current not in found:
                found.add(current)
                todo += parents[current]
        sets.append(found)
    return sets


def in_order(deployments: list[tuple[int, int, bool]], inside: list[set[int]]) -> list[int]:
    """(finish, ancestor first, id): of those left, always the first that no other must precede."""
    left = list(range(len(deployments)))
    order = []
    while left:
        finish = min(deployments[d][1] for d in left)
        tied = [d for d in left if deployments[d][1] == finish]
        for candidate in tied:
            commit = deployments[candidate][0]
            if commit < 0 or not any(
                deployments[d][0] in inside[commit] - {commit}
                for d in tied
                if deployments[d][0] >= 0
            ):
                order.append(candidate)
                left.remove(candidate)
                break
    return order


def expect(
    parents: list[list[int]], deployments: list[tuple[int, int, bool]], head: int = -1
) -> Expected:
    """`deployments` are (commit or -1, finish, inferred), by id."""
    inside = contained(parents)
    expected = Expected(order=in_order(deployments, inside))
    reached: set[int] = set()
    walked: list[int] = []
    doubt = False
    for position, d in enumerate(expected.order):
        commit, _, inferred = deployments[d]
        new = inside[commit] - reached if commit >= 0 else set()
        for c in new:
            expected.label[c] = position
        if commit < 0:
            outcome = "unknown"
        elif all(c < 0 for c in walked):
            outcome = "baseline"
        else:
            outcome = "delivered" if new else "nothing"
        before = walked[-1] if walked else -1
        rollback = not inferred and min(commit, before) >= 0 and commit in inside[before] - {before}
        expected.outcomes.append(outcome)
        expected.rollbacks.append(rollback)
        expected.cumulative.append(
            commit >= 0 and all(c in inside[commit] for c in walked if c >= 0)
        )
        expected.uncertain.append(bool(new) and doubt)
        doubt = commit < 0 or (doubt and not new)
        if rollback:
            earlier = position - 1
            while earlier >= 0 and walked[earlier] not in inside[commit]:
                if not expected.rollbacks[earlier] and not deployments[expected.order[earlier]][2]:
                    expected.undone.add((earlier, position))
                earlier -= 1
        reached |= new
        walked.append(commit)
    if head >= 0:
        for c in inside[head] - reached:
            expected.label[c] = -1
    return expected
