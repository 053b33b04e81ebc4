"""An organisation's facts as records: what any connector to it should come to, ids apart.

Told from the organisation itself, without a forge's words and without the connectors' code, so that
rows in a store can be held against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dora.records import (
    Build,
    Commit,
    Deployment,
    DeploymentStatus,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Review,
    ReviewBy,
    join_labels,
)
from dora.records import Repository as RepositoryRecord
from tests.forges import facts
from tests.forges.organisation import Organisation, Repository
from tests.forges.scenario import INCIDENT_LABELS

_ENDED: dict[str, DeploymentStatus | None] = {
    "queued": "running",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "skipped": None,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """The facts of an organisation on a host, by the rules of the scenario."""

    organisation: Organisation
    host: str

    def records(self) -> Iterator[Record]:
        """All facts of the repositories that are read by default."""
        for one in self.organisation.repositories.values():
            if not (one.archived or one.fork or "repository" in one.forbidden):
                yield from self._of(one)

    def _of(self, one: Repository) -> Iterator[Record]:
        name = f"{self.host}/{one.path}"
        head = one.branches.get(one.default_branch)
        yield RepositoryRecord(name, one.default_branch if head else None, head)
        for commit in one.history(head) if head else ():
            yield _commit(name, commit)
        for pull in one.pulls.values():
            yield _pull(name, pull)
            for sha in pull.commits:
                yield _original(name, pull.number, one.commits[sha])
            for review in pull.reviews:
                yield Review(
                    repository=name,
                    number=pull.number,
                    id=str(review.id),
                    submitted_at=review.submitted_at,
                    state="commented" if review.state == "dismissed" else review.state,
                    by=_role(pull, review),
                )
        for deployment in one.deployments.values():
            yield _reported(name, deployment)
        for run in one.runs.values():
            yield from _jobs(name, run)
            yield from _builds(name, run)
        yield from _named(name, one)
        for issue in one.issues.values():
            yield from _incident(name, one, issue)


def _commit(repository: str, one: facts.Commit) -> Commit:
    number = re.search(r"\(#(\d+)\)$|^Merge pull request #(\d+) ", one.subject)
    return Commit(
        repository=repository,
        sha=one.sha,
        parents=" ".join(one.parents),
        authored_at=one.authored_at,
        committed_at=one.committed_at,
        author=f"{one.author.name} <{one.author.email}>",
        is_bot=one.author.bot,
        subject=one.subject,
        pull_request=int(number[1] or number[2]) if number else None,
    )


def _pull(repository: str, pull: facts.PullRequest) -> PullRequest:
    approvals = [
        one.submitted_at
        for one in pull.reviews
        if one.state == "approved" and _role(pull, one) == "person"
    ]
    return PullRequest(
        repository=repository,
        number=pull.number,
        state=pull.state,
        opened_at=pull.opened_at,
        ready_at=None if pull.draft else pull.ready_at,
        approved_at=min(approvals, default=None),
        merged_at=pull.merged_at,
        closed_at=pull.closed_at,
        title=pull.title,
        labels=join_labels(list(pull.labels)),
        head_branch=pull.head,
        base_branch=pull.base,
        head_sha=pull.commits[-1],
        merge_sha=pull.merge_sha,
        is_bot=pull.author is not None and pull.author.bot,
        reverts=pull.reverts,
    )


def _original(repository: str, number: int, one: facts.Commit) -> PullRequestCommit:
    return PullRequestCommit(
        repository=repository,
        number=number,
        sha=one.sha,
        authored_at=one.authored_at,
        author=f"{one.author.name} <{one.author.email}>",
        is_bot=one.author.bot,
        merges=len(one.parents) > 1,
    )


def _role(pull: facts.PullRequest, review: facts.Review) -> ReviewBy:
    if review.by is not None and review.by == pull.author:
        return "author"
    return "bot" if review.by is not None and review.by.bot else "person"


def _reported(repository: str, one: facts.Deployment) -> Deployment:
    succeeded, failed = one.first("succeeded"), one.first("failed")
    status: DeploymentStatus = "running"
    if succeeded or failed:
        status = "succeeded" if succeeded else "failed"
    return Deployment(
        id=str(one.id),
        repository=repository,
        environment=one.environment,
        status=status,
        finished_at=succeeded or failed,
        sha=one.sha,
        rule="deployments",
    )


def _jobs(repository: str, run: facts.Run) -> Iterator[Deployment]:
    for job in run.jobs:
        status = _ENDED[job.state]
        if run.workflow == "Deploy" and job.name == "production" and status:
            yield Deployment(
                id=f"{run.id}/{job.id}",
                repository=repository,
                environment="production",
                status=status,
                finished_at=job.finished_at if status != "running" else None,
                sha=run.sha,
                rule="workflow:^Deploy$ job:^production$",
            )


def _builds(repository: str, run: facts.Run) -> Iterator[Build]:
    for attempt in range(1, run.attempts + 1):
        jobs = run.of(attempt)
        states = {job.state for job in jobs}
        unfinished = bool(states & {"queued", "running"})
        yield Build(
            id=f"{run.id}/{attempt}",
            repository=repository,
            sha=run.sha,
            name=run.workflow,
            attempt=attempt,
            branch=run.branch,
            status="running" if unfinished else "failed" if "failed" in states else "succeeded",
        )


def _named(repository: str, one: Repository) -> Iterator[Deployment]:
    """Releases that are published, then tags; one for each commit and environment."""
    found: dict[tuple[str, str], Deployment] = {}
    releases = sorted(
        (r.published_at, r.tag, r.prerelease) for r in one.releases.values() if r.published_at
    )
    made: list[tuple[datetime, str, bool, str]] = [
        (published, tag, early, "releases") for published, tag, early in releases
    ]
    tags = [
        (tag.tagged_at or one.commits[tag.sha].committed_at, name, "-rc" in name, "tags:v*")
        for name, tag in one.tags.items()
        if name.startswith("v")
    ]
    for moment, name, early, rule in [*made, *sorted(tags)]:
        environment = "pre-release" if early else "production"
        sha = one.tags[name].sha
        made_here = Deployment(
            id=name,
            repository=repository,
            environment=environment,
            status="succeeded",
            finished_at=moment,
            sha=sha,
            inferred=True,
            rule=rule,
        )
        found.setdefault((environment, sha), made_here)
    yield from found.values()


def _incident(repository: str, one: Repository, issue: facts.Issue) -> Iterator[Record]:
    if not set(INCIDENT_LABELS) & set(issue.labels):
        return
    closed = [event for event in issue.events if event.kind != "reopened"]
    last = issue.closed
    original = one.issues.get(last.original or 0) if last else None
    yield Incident(
        id=str(issue.id),
        detected_at=issue.opened_at,
        resolved_at=last.at if last else None,
        first_resolved_at=closed[0].at if closed else None,
        reopenings=sum(event.kind == "reopened" for event in issue.events),
        repository=repository,
        title=issue.title,
        labels=join_labels(list(issue.labels)),
        not_planned=last is not None and last.kind == "not_planned",
        duplicate_of=str(original.id) if original else None,
    )
    if issue.caused_by:
        yield IncidentCause(str(issue.id), issue.caused_by)
