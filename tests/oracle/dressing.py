"""What release management looks at, put onto the random histories: drawn apart, so that they stay.

Starts, digests, labels and words of deployments; more of staging; CI runs; flags; changes by hand;
states of reviews. Times meet at whole hours here too, so that edges come up often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from dora.records import (
    Build,
    Commit,
    Deployment,
    FlagChange,
    ManualChange,
    PullRequest,
    Record,
    Review,
)
from tests.oracle.generator import random_world
from tests.oracle.planted import copied, several_repositories, unheard
from tests.oracle.scenes import at
from tests.oracle.world import World

HOUR = timedelta(hours=1)
STARTS = (timedelta(0), timedelta(minutes=5), timedelta(minutes=5), HOUR, 3 * HOUR, 24 * HOUR)
AHEAD = (timedelta(0), timedelta(minutes=5), HOUR, 24 * HOUR, 50 * HOUR)
CHECKS = ("test", "lint", "ship it")
MONTH = timedelta(days=30)


class Dresser:
    """Puts on what one random repository lacks."""

    def __init__(self, world: World, repository: str, seed: int) -> None:
        self.random = Random(seed + 2000)
        self.world = world
        self.repository = repository
        self.name = repository.split("/", 1)[1]
        self.services: list[str] = []

    def dress(self) -> None:
        self._change(Deployment, self._deployment)
        self._change(Review, self._review)
        self._change(PullRequest, self._pull)
        of_ours = [d for _, d in self.world.of(Deployment) if d.repository == self.repository]
        self.services = sorted({d.service for d in of_ours if d.service} or {self.name})
        for place, deployment in enumerate(of_ours):
            if self.random.random() < 0.5 and deployment.finished_at is not None:
                self.world.add(self._ahead(place, deployment))
        commits = [c for _, c in self.world.of(Commit) if c.repository == self.repository]
        self.world.add(*self._builds(commits), source="ci")
        last = max(d.finished_at for d in of_ours if d.finished_at)
        self.world.add(*self._flags(last), source="flags")
        self.world.add(*self._by_hand(last), source="hands")
        self.world.add(*self._canaries(of_ours))

    def _change(self, kind: type[Record], how: Any) -> None:
        self.world.facts[:] = [
            (s, how(r) if isinstance(r, kind) and _of(r) == self.repository else r)
            for s, r in self.world.facts
        ]

    def _deployment(self, fact: Deployment) -> Deployment:
        r = self.random
        began = None if fact.finished_at is None else fact.finished_at - r.choice(STARTS)
        sha = fact.sha
        if sha is not None and r.random() < 0.05:  # of no commit that is known: whole, or short
            sha = ("beef" + sha[4:])[: r.choice((40, 9))]
        labels = fact.labels if r.random() < 0.8 else r.choice(("Emergency", "risky,emergency"))
        return replace(
            fact,
            started_at=None if r.random() < 0.1 else began,
            sha=sha,
            labels=labels,
            digest=self._digest(sha),
            manual=r.choice((None, True, False)),
            automatic=r.choice((None, True, False)),
        )

    def _digest(self, sha: str | None) -> str | None:
        made = self.random.choice((None, "a", "a", "A", "b"))
        return f"sha256:{sha[:8] if sha else 'x'}{made}" if made else None

    def _ahead(self, place: int, fact: Deployment) -> Deployment:
        """The same on staging before, or at the very moment it starts."""
        r = self.random
        begun = fact.started_at or fact.finished_at
        assert begun is not None
        done = begun - r.choice(AHEAD)
        return replace(
            fact,
            id=f"{self.name}:s{place}",
            environment=r.choice(("staging", "staging", "pre-release")),
            status="succeeded" if r.random() < 0.9 else "failed",
            started_at=done - timedelta(minutes=5),
            finished_at=done,
            sha=fact.sha if r.random() < 0.9 else None,
            digest=self._digest(fact.sha),
            tier=None,
            fixes=None,
            rolls_back=None,
            url=None,
        )

    def _review(self, fact: Review) -> Review:
        said = ("approved", "approved", "changes_requested", "commented")
        return replace(fact, state=self.random.choice(said))

    def _pull(self, fact: PullRequest) -> PullRequest:
        if self.random.random() > 0.4:
            return fact
        flag = self.random.choice((f"{self.name}-f0", f"flag:{self.name}-f1"))
        return replace(fact, labels=",".join(x for x in (fact.labels, flag) if x))

    def _builds(self, commits: list[Commit]) -> Iterator[Build]:
        r = self.random
        number = 0
        for commit in commits:
            for name in CHECKS:
                if r.random() < 0.4:
                    continue
                branch = r.choice(("main", "main", "main", "topic", None))
                begun = commit.committed_at + r.choice((timedelta(0), HOUR, HOUR, 5 * HOUR))
                for attempt in range(1, r.choice((2, 2, 2, 3, 4))):
                    yield self._build(number, commit.sha, name, attempt, begun, branch)
                    number += 1
                    begun += r.choice((timedelta(0), HOUR, 2 * HOUR))
        newest = max(commits, key=lambda c: c.committed_at)
        for gap in (MONTH, MONTH + HOUR, 3 * MONTH):
            begun = newest.committed_at + r.choice((timedelta(0), HOUR, 5 * HOUR)) + gap
            yield self._build(number, newest.sha, r.choice(CHECKS[:2]), 9, begun, "main")
            number += 1

    def _build(
        self, number: int, sha: str, name: str, attempt: int, begun: datetime, branch: str | None
    ) -> Build:
        r = self.random
        status = r.choice(("succeeded", "succeeded", "failed", "failed", "cancelled", "running"))
        ended = begun + r.choice((timedelta(0), HOUR, HOUR, 2 * HOUR, 9 * HOUR, -HOUR))
        return Build(
            f"{self.name}:b{number}",
            self.repository,
            sha,
            name,
            attempt,
            branch,
            status,
            None if r.random() < 0.1 else begun,
            None if status == "running" or r.random() < 0.1 else ended,
        )

    def _flags(self, last: datetime) -> Iterator[FlagChange]:
        r = self.random
        hours = int((last - at(0)) / HOUR)
        for number in range(24):
            action = r.choice(("changed", "changed", "changed", "changed", "created", "removed"))
            yield FlagChange(
                f"{self.name}:{number:02}",
                f"{self.name}-f{r.randrange(3)}",
                r.choice(("production", "production", "prod-eu", "staging")),
                at(r.randrange(hours)),
                0.0 if action == "removed" else r.choice((0.0, 0.0, 0.25, 1.0, 1.0)),
                action,
                r.choice((None, True, False)),
                r.choice((*self.services, None)),
            )

    def _by_hand(self, last: datetime) -> Iterator[ManualChange]:
        r = self.random
        hours = int((last - at(0)) / HOUR)
        for number in range(r.randrange(4)):
            yield ManualChange(
                f"{self.name}:m{number}",
                r.choice(("production", "prod-us", "staging", "nowhere")),
                at(r.randrange(hours)),
                service=r.choice((*self.services, None)),
            )

    def _canaries(self, of_ours: list[Deployment]) -> Iterator[Deployment]:
        """A few were tried before on a canary, which is of no kind, or one of production."""
        r = self.random
        for place, fact in enumerate(d for d in of_ours if d.finished_at and r.random() < 0.2):
            environment, tier = r.choice((("eu-Canary", None), ("canary", "production")))
            yield replace(
                fact,
                id=f"{self.name}:c{place}",
                environment=environment,
                status=r.choice(("succeeded", "failed", "cancelled")),
                digest=None,
                tier=tier,
                fixes=None,
                rolls_back=None,
                url=None,
            )


def _of(record: Any) -> str:
    return str(record.repository)


def told_world(seeds: Iterable[int]) -> World:
    """Random histories with all that releases are told by, and the scenes planted for them."""
    world = dressed(random_world(seeds))
    for scene in (several_repositories, unheard, copied):
        scene(world)
    return world


def dressed(world: World) -> World:
    """A random world, with all that release management looks at."""
    found = World(list(world.facts), world.services, dict(world.kinds), world.covers)
    names = sorted({c.repository for _, c in world.of(Commit)})
    for number, name in enumerate(names):
        Dresser(found, name, number).dress()
    return found
