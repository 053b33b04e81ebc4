"""What a forge knows, in neither forge's words; hosts say it in theirs.

Frozen facts that are replaced, never changed: a host may hold one while the next is made. Times are
aware and in UTC. `updated_at` is when the forge would say that the thing was last touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MergeMethod = Literal["merge", "squash", "rebase"]
ReviewState = Literal["approved", "changes_requested", "commented", "dismissed"]
DeploymentState = Literal["queued", "running", "succeeded", "failed", "replaced"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "skipped"]
IssueEventKind = Literal["closed", "not_planned", "duplicate", "reopened"]


@dataclass(frozen=True, slots=True)
class Person:
    """An account; commits carry its name and address, everything else its login."""

    login: str
    name: str
    email: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `account` is whether the forge knows whose address it carries."""

    sha: str
    parents: tuple[str, ...]
    subject: str
    body: str
    author: Person
    authored_at: datetime
    committed_at: datetime
    account: bool = True


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; annotated if it says when it was made."""

    name: str
    sha: str
    tagged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a tag; a draft is not published."""

    id: int
    tag: str
    name: str
    created_at: datetime
    published_at: datetime | None
    updated_at: datetime
    prerelease: bool = False

    @property
    def draft(self) -> bool:
        """Whether only its authors see it."""
        return self.published_at is None


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of a pull request; by nobody if the account was deleted."""

    id: int
    by: Person | None
    state: ReviewState
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A proposed change: pull request or merge request.

    Attributes:
        id: The forge's id, unique over all repositories.
        number: Its number in the repository, which issues share.
        commits: Its original commits, the oldest first.
        ready_at: When it last left draft; None if it never was one.
        merge_sha: What landed: the merge, the squash, or the last of those rebased.
        reverts: The pull request that its text says it reverts.
    """

    id: int
    number: int
    title: str
    author: Person | None
    head: str
    base: str
    commits: tuple[str, ...]
    opened_at: datetime
    updated_at: datetime
    body: str = ""
    draft: bool = False
    ready_at: datetime | None = None
    labels: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    method: MergeMethod | None = None
    merge_sha: str | None = None
    reverts: int | None = None

    @property
    def state(self) -> Literal["open", "merged", "closed"]:
        """How it stands."""
        return "merged" if self.merged_at else "closed" if self.closed_at else "open"


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """How a deployment stood from a moment on; `replaced` says that a later one took over."""

    id: int
    state: DeploymentState
    at: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """The forge's own record of a deployment, with everything it went through."""

    id: int
    sha: str
    ref: str
    environment: str
    created_at: datetime
    updated_at: datetime
    statuses: tuple[DeploymentStatus, ...] = ()

    def first(self, *states: DeploymentState) -> datetime | None:
        """When it first stood so."""
        return next((one.at for one in self.statuses if one.state in states), None)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of one attempt of a run; a re-run of failed jobs leaves the others where they ran."""

    id: int
    name: str
    attempt: int
    state: JobState
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow, or a pipeline, with the jobs of all its attempts."""

    id: int
    workflow: str
    number: int
    sha: str
    branch: str
    created_at: datetime
    updated_at: datetime
    jobs: tuple[Job, ...] = ()

    @property
    def attempts(self) -> int:
        """How often it was started."""
        return max((job.attempt for job in self.jobs), default=1)

    def of(self, attempt: int) -> tuple[Job, ...]:
        """The jobs that ran in an attempt."""
        return tuple(job for job in self.jobs if job.attempt == attempt)


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """Something that changed an issue's state."""

    id: int
    kind: IssueEventKind
    at: datetime
    by: Person | None
    original: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue with its history; `caused_by` is a commit that its text blames."""

    id: int
    number: int
    title: str
    author: Person | None
    opened_at: datetime
    updated_at: datetime
    body: str = ""
    labels: tuple[str, ...] = ()
    events: tuple[IssueEvent, ...] = ()
    caused_by: str | None = None
    caused_by_deployment: int | None = None

    @property
    def closed(self) -> IssueEvent | None:
        """What closed it, while it is."""
        last = self.events[-1] if self.events else None
        return last if last and last.kind != "reopened" else None
