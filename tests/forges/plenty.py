"""Repositories with very much in them, made as it is asked for: nothing of it is kept.

Every pull request was squashed and has one to five commits, two reviews and a label; each
thousandth has 120 commits, more than a page. Deployments go through four statuses. What a number
stands for does not depend on anything else, so that pages are the same however often they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Generic, TypeVar

from tests.forges.facts import (
    Commit,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    PullRequest,
    Review,
)
from tests.forges.github_host.connections import InOrder
from tests.forges.organisation import Organisation, Repository, at
from tests.forges.scenario import ADA, GRACE

BEGAN = at("01-01 00:00")
STEP = timedelta(minutes=1)
LONG = 120
"""Commits of each thousandth pull request."""


def originals(number: int) -> int:
    """How many commits a pull request has."""
    return LONG if number % 1000 == 0 else 1 + number % 5


T = TypeVar("T")


class Numbered(Mapping[int, T], Generic[T]):
    """Things with numbers from 1 on, made when they are looked at."""

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, self._count + 1))

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 1 <= number <= self._count

    def __getitem__(self, number: int) -> T:
        if number not in self:
            raise KeyError(number)
        return self._make(number)

    def values(self) -> Any:
        """All of them, the lowest number first."""
        return InOrder(_Made(self._count, lambda place: self._make(place + 1)))


class _Made(Sequence[T], Generic[T]):
    """A sequence of things that are made when they are looked at."""

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._make(one) for one in range(*place.indices(self._count))]
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return self._make(place % self._count)


class _Commits(Mapping[str, Commit]):
    """Commits by their ids, which say what they are."""

    def __init__(self, pulls: int) -> None:
        self._pulls = pulls

    def __len__(self) -> int:
        return self._pulls

    def __iter__(self) -> Iterator[str]:
        return (landed(number) for number in range(1, self._pulls + 1))

    def __getitem__(self, sha: str) -> Commit:
        if len(sha) != 40 or not 1 <= int(sha[:16], 16) <= self._pulls:
            raise KeyError(sha)
        number, place = int(sha[:16], 16), int(sha[16:], 16)
        moment = _moment(number)
        if place == 0:
            parents = (landed(number - 1),) if number > 1 else ()
            subject = f"Change {number} (#{number})"
            return Commit(sha, parents, subject, "", ADA, moment, moment)
        made = moment - timedelta(minutes=1 + LONG - place)
        before = original(number, place - 1) if place > 1 else landed(max(1, number - 1))
        return Commit(sha, (before,), f"Work {place}", "", ADA, made, made)


def landed(number: int) -> str:
    """What a pull request was squashed to."""
    return f"{number:016x}{0:024x}"


def original(number: int, place: int) -> str:
    """One of a pull request's commits, from 1 on."""
    return f"{number:016x}{place:024x}"


def _moment(number: int) -> datetime:
    return BEGAN + number * STEP


@dataclass(slots=True)
class Plenty(Repository):
    """A repository with so many pull requests and deployments."""

    many_pulls: int = 0
    many_deployments: int = 0

    def fill(self) -> None:
        """Put everything there."""
        self.pulls = Numbered(self.many_pulls, self._pull)
        self.deployments = Numbered(self.many_deployments, self._deployment)
        self.commits = _Commits(self.many_pulls)
        self.branches = {"main": landed(self.many_pulls)}

    @property
    def pushed_at(self) -> datetime | None:
        """When the newest pull request landed, without a look at all of them."""
        return _moment(self.many_pulls)

    def history(self, *heads: str) -> Sequence[Commit]:
        """What landed, the newest first."""
        newest = int(heads[0][:16], 16)
        return _Made(newest, lambda place: self.commits[landed(newest - place)])

    def _pull(self, number: int) -> PullRequest:
        merged = _moment(number)
        opened = merged - timedelta(hours=3)
        reviews = tuple(
            Review(number * 2 + place, GRACE, "approved", merged - timedelta(hours=2 - place))
            for place in range(2)
        )
        return PullRequest(
            id=number,
            number=number,
            title=f"Change {number}",
            author=ADA,
            head=f"change-{number}",
            base="main",
            commits=tuple(original(number, place) for place in range(1, originals(number) + 1)),
            opened_at=opened,
            updated_at=merged,
            labels=("size/S",),
            reviews=reviews,
            merged_at=merged,
            closed_at=merged,
            method="squash",
            merge_sha=landed(number),
        )

    def _deployment(self, number: int) -> Deployment:
        began = _moment(number)
        share = max(1, number * self.many_pulls // self.many_deployments)
        states: tuple[DeploymentState, ...] = ("queued", "running", "succeeded", "replaced")
        statuses = tuple(
            DeploymentStatus(number * 4 + place, state, began + timedelta(seconds=10 * place))
            for place, state in enumerate(states)
        )
        end = statuses[-1].at
        return Deployment(number, landed(share), "main", "production", began, end, statuses)


def plenty(repositories: int, pulls: int, deployments: int) -> Organisation:
    """An organisation whose repositories have so many pull requests and deployments in all."""
    organisation = Organisation("acme")
    for number in range(repositories):
        here = Plenty(
            number + 1,
            "acme",
            f"service-{number:04}",
            count(),
            many_pulls=pulls // repositories,
            many_deployments=deployments // repositories,
        )
        here.fill()
        organisation.repositories[here.id] = here
    return organisation
