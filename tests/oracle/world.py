"""A small world of facts, and what its owner would have configured; the oracle's only input."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TypeVar

from dora.records import (
    Commit,
    CommitPath,
    CommitReference,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)

R = TypeVar("R", bound=Record)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(instant: datetime) -> int:
    """Whole microseconds since 1970, by whole numbers only."""
    passed = instant - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


@dataclass(frozen=True)
class Service:
    """A service as it would stand in the configuration."""

    name: str
    repositories: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    team: str = ""


@dataclass
class World:
    """Facts with the source each came from, and the configuration's mapping."""

    facts: list[tuple[str, Record]] = field(default_factory=list)
    services: tuple[Service, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    covers: tuple[str, ...] = ()

    def add(self, *records: Record, source: str = "src") -> None:
        self.facts.extend((source, record) for record in records)

    def of(self, record_type: type[R]) -> list[tuple[str, R]]:
        return [(s, r) for s, r in self.facts if isinstance(r, record_type)]


class Known:
    """The facts that exist at `as_of`, looked up by what they are about."""

    def __init__(self, world: World, as_of: datetime) -> None:
        self.world = world
        self.as_of = as_of
        self.commits: dict[str, dict[str, Commit]] = defaultdict(dict)
        self.paths: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.references: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self.heads: dict[str, str | None] = {}
        self.pulls: dict[tuple[str, int], PullRequest] = {}
        self.originals: dict[tuple[str, int], list[PullRequestCommit]] = defaultdict(list)
        self.reviews: dict[tuple[str, int], list[Review]] = defaultdict(list)
        self.listed: dict[str, set[str]] = defaultdict(set)
        self._pull_requests()
        self._history()
        self.deployments = [
            (s, d) for s, d in world.of(Deployment) if self._exists(d.finished_at or d.started_at)
        ]
        self.later = [
            (s, d)
            for s, d in world.of(Deployment)
            if not self._exists(d.finished_at or d.started_at)
        ]
        self.incidents = [(s, i) for s, i in world.of(Incident) if self._exists(i.detected_at)]
        self.causes = world.of(IncidentCause)

    def _exists(self, instant: datetime | None) -> bool:
        return instant is None or instant <= self.as_of

    def _history(self) -> None:
        for _, repository in self.world.of(Repository):
            self.heads[repository.repository] = repository.head_sha
        for _, commit in self.world.of(Commit):
            self.commits[commit.repository][commit.sha] = commit
        for _, path in self.world.of(CommitPath):
            self.paths[path.repository, path.sha].add(path.path)
        for _, said in self.world.of(CommitReference):
            target = self.resolve(said.repository, said.target)
            if target is not None:
                self.references[said.repository, said.sha].append((said.kind, target))

    def _pull_requests(self) -> None:
        for _, pull in self.world.of(PullRequest):
            if pull.opened_at <= self.as_of:
                self.pulls[pull.repository, pull.number] = pull
        for _, original in self.world.of(PullRequestCommit):
            self.originals[original.repository, original.number].append(original)
            self.listed[original.repository].add(original.sha)
        for _, review in self.world.of(Review):
            if review.submitted_at <= self.as_of:
                self.reviews[review.repository, review.number].append(review)

    def resolve(self, repository: str, text: str) -> str | None:
        """The one commit that a full or shortened id names, if there is exactly one."""
        there = {*self.commits[repository], *self.listed[repository]}
        found = {text} & there or {sha for sha in there if sha.startswith(text)}
        return found.pop() if len(found) == 1 else None

    def merged(self, repository: str, number: int) -> bool:
        pull = self.pulls.get((repository, number))
        return (
            pull is not None
            and pull.state == "merged"
            and pull.merged_at is not None
            and pull.merged_at <= self.as_of
        )

    def kind(self, deployment: Deployment) -> str:
        ours = ("production", "staging", "test", "development", "other")
        if deployment.tier in ours:
            return str(deployment.tier)
        return self.world.kinds.get(deployment.environment, "other")

    def services_of(self, repository: str, stated: str | None) -> list[str]:
        if stated:
            return [stated]
        configured = [
            service.name
            for service in self.world.services
            if any(fnmatchcase(repository, pattern) for pattern in service.repositories)
        ]
        return sorted(set(configured)) or [repository.split("/", 1)[1]]

    def globs(self, service: str) -> tuple[str, ...]:
        return next((s.paths for s in self.world.services if s.name == service), ())

    def touches(self, service: str, repository: str, sha: str) -> bool:
        globs = self.globs(service)
        return not globs or any(
            fnmatchcase(path, glob) for path in self.paths[repository, sha] for glob in globs
        )
