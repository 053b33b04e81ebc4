"""What reads each kind of fact from one project, and how what was deleted is found."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from connectors.forge.deploying import Target
from connectors.forge.whole import without_the_rest
from connectors.gitlab.client import Client
from connectors.gitlab.commits import Commits, Tips
from connectors.gitlab.deploys import Deployments
from connectors.gitlab.incidents import Incidents
from connectors.gitlab.merging import MergeRequests
from connectors.gitlab.options import Options
from connectors.gitlab.pipelines import Builds
from connectors.gitlab.values import Project
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import (
    Build,
    Commit,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    Record,
    Repository,
)


class Reader(Protocol):
    """Reads one kind of fact from one project."""

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        """What is new since `part`; if it is due, also what is no more."""

    def settled(self, part: Cursor) -> bool:
        """Whether all was read up to `part`, and what is asked for is still the same."""


class _Reads(Protocol):
    def read(self, project: Project, cursor: Cursor | None, whole: bool) -> Iterator[Item]: ...


class _Asks(_Reads, Protocol):
    @property
    def asked(self) -> str: ...


def reader(
    record_type: type[Record],
    client: Client,
    options: Options,
    tips: Tips,
    cloned: Collection[str],
    pool: Executor,
) -> Reader | None:
    """What reads a kind of fact; None where the options leave it out."""
    since, service = options.since, options.service
    if record_type is Repository:
        return _Repositories(tips if options.commits else None, cloned, since is not None)
    if record_type is Commit and options.commits:
        deployed = [rule.argument for rule in options.rules if rule.kind == "merges"]
        return _Plain(Commits(client, tips, (*options.branches, *deployed), since), "repository")
    if record_type is PullRequest and options.merge_requests:
        return _Listed(MergeRequests(client, since, options.commits, options.reviews, cloned, pool))
    if record_type is Deployment and options.rules:
        target = Target(options.environment, service)
        return _Plain(Deployments(client, options.rules, target, since))
    if record_type is Incident and options.incidents is not None:
        return _Incidents(Incidents(client, options.incidents, since, service))
    if record_type is Build and options.builds:
        return _Whole(Build, Builds(client, since), "builds")
    return None


@dataclass(frozen=True, slots=True)
class _Repositories:
    """The projects themselves, with the commit that their default branch stands at.

    Those that are cloned the clone tells of, and where it stands itself.
    """

    tips: Tips | None
    cloned: Collection[str]
    incomplete: bool

    def settled(self, part: Cursor) -> bool:
        del part
        return False  # asked each time

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        del due  # what left is seen by its absence
        if project.repository.casefold() in self.cloned:
            yield Checkpoint({"id": project.id}, part=project.repository)
            return
        head = self.tips.of(project) if self.tips is not None else None
        fact = Repository(
            repository=project.repository,
            default_branch=project.default_branch if head or self.tips is None else None,
            head_sha=head,
            incomplete=self.incomplete,
            url=project.url,
        )
        told = [fact.default_branch, head, project.url, self.incomplete]
        if part is None or part.get("told") != told:
            yield fact
        yield Checkpoint({"id": project.id, "told": told}, part=project.repository)


@dataclass(frozen=True, slots=True)
class _Plain:
    """What finds out by itself what is no more."""

    reading: _Reads
    switch: str = ""

    def settled(self, part: Cursor) -> bool:
        del part
        return False  # asked each time

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        if self.switch in project.hidden:
            yield Checkpoint({"id": project.id}, part=project.repository)
        else:
            yield from self.reading.read(project, part, due)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Merge requests: too dear to read again, so a list of those that are left does."""

    reading: MergeRequests

    def settled(self, part: Cursor) -> bool:
        return "reading" not in part and part.get("rules") == self.reading.asked

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        if "merge_requests" in project.hidden:
            yield Checkpoint({"id": project.id}, part=project.repository)
            return
        anew = due and part is None
        yield from _ruled(self.reading.read(project, part, anew), self.reading.asked)
        if due:
            yield from self.reading.left(project)


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is read again from its beginning where it is due, or other facts are asked for."""

    kind: type[Record]
    reading: _Asks
    switch: str = ""

    def settled(self, part: Cursor) -> bool:
        return "reading" not in part and part.get("rules") == self.reading.asked

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        asked, known = self.reading.asked, part or {}
        if self.switch in project.hidden:
            yield Checkpoint({"id": project.id}, part=project.repository)
        elif due or known.get("rules", asked) != asked:
            names = tuple(name for name in self.kind.key if name != "source")
            within = {"repository": project.repository}
            items = _ruled(self.reading.read(project, part, True), asked)
            yield from without_the_rest(items, known, self.kind, names, within)
        else:
            yield from _ruled(self.reading.read(project, part, False), asked)


@dataclass(frozen=True, slots=True)
class _Incidents:
    """Incidents; what those stated that are no more goes with them."""

    reading: Incidents

    def settled(self, part: Cursor) -> bool:
        return _Whole(Incident, self.reading, "issues").settled(part)

    def read(self, project: Project, part: Cursor | None, due: bool) -> Iterator[Item]:
        whole = _Whole(Incident, self.reading, "issues")
        causing: set[str] = set((part or {}).get("causing", ()))
        for item in whole.read(project, part, due):
            if isinstance(item, Checkpoint):
                left = set(item.cursor.get("causing", ()))
                for id_ in sorted(causing - left):
                    yield Only(IncidentCause, {"incident": id_}, ())
                causing = left
            yield item


def _ruled(items: Iterator[Item], asked: str) -> Iterator[Item]:
    """The same, with cursors that say by which rules facts were made."""
    for item in items:
        if isinstance(item, Checkpoint):
            yield Checkpoint({**item.cursor, "rules": asked}, part=item.part)
        else:
            yield item
