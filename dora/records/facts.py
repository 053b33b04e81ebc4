"""The facts one by one; a field's type gives the column's type, its text the column's comment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from dora.errors import RecordError
from dora.records.columns import Record, fact

DeploymentStatus = Literal["succeeded", "failed", "cancelled", "running"]
PullRequestState = Literal["open", "merged", "closed"]
ReviewState = Literal["approved", "changes_requested", "commented"]
ReviewBy = Literal["author", "bot", "person"]


@dataclass(frozen=True, slots=True)
class Repository(Record):
    """Where code lives."""

    table: ClassVar[str] = "repositories"
    key: ClassVar[tuple[str, ...]] = ("repository",)

    repository: str = fact("Canonical name, host/owner/name; local/name for a clone without remote")
    default_branch: str | None = fact("Branch that work lands on", default=None)
    head_sha: str | None = fact("Newest commit of the default branch", default=None)
    incomplete: bool = fact("History is cut short, as in a shallow clone", default=False)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class Commit(Record):
    """A commit of a repository."""

    table: ClassVar[str] = "commits"
    key: ClassVar[tuple[str, ...]] = ("repository", "sha")

    repository: str = fact("Repository the commit was read from")
    sha: str = fact("Full object id")
    parents: str = fact("Parents' object ids, separated by a space; empty for a root")
    authored_at: datetime = fact("When the change was first committed by its author")
    committed_at: datetime = fact("When this commit was made")
    author: str | None = fact("Pseudonym of the author", identity=True, default=None)
    is_bot: bool = fact("Authored by a machine account", default=False)
    subject: str | None = fact("First line of the message", free_text=True, default=None)
    pull_request: int | None = fact("Pull request named by the subject", default=None)
    lines_added: int | None = fact("Lines added, where asked for", default=None)
    lines_deleted: int | None = fact("Lines deleted, where asked for", default=None)


@dataclass(frozen=True, slots=True)
class CommitPath(Record):
    """A path a commit changed, a merge on its first parent; read where a service has paths."""

    table: ClassVar[str] = "commit_paths"
    key: ClassVar[tuple[str, ...]] = ("repository", "sha", "path")

    repository: str = fact("Repository of the commit")
    sha: str = fact("Commit")
    path: str = fact("Changed path, from the top of the repository")


@dataclass(frozen=True, slots=True)
class CommitReference(Record):
    """What one commit says of another: that it reverts it, or is a copy of it."""

    table: ClassVar[str] = "commit_references"
    key: ClassVar[tuple[str, ...]] = ("repository", "sha", "kind", "target")

    repository: str = fact("Repository of the commit")
    sha: str = fact("Commit that refers")
    kind: Literal["reverts", "cherry_picked_from"] = fact("What it says of the other")
    target: str = fact("Commit referred to; may be shortened, may be unknown here")
    rule: Literal["message", "patch-id"] = fact("How the reference was found", default="message")


@dataclass(frozen=True, slots=True)
class PullRequest(Record):
    """A proposed change: pull request or merge request."""

    table: ClassVar[str] = "pull_requests"
    key: ClassVar[tuple[str, ...]] = ("repository", "number")

    repository: str = fact("Repository it is merged into")
    number: int = fact("Its number there")
    state: PullRequestState = fact("open, merged or closed")
    opened_at: datetime = fact("When it was opened")
    ready_at: datetime | None = fact("When it last left draft; null if never one", default=None)
    approved_at: datetime | None = fact("First approval", default=None)
    merged_at: datetime | None = fact("When it was merged", default=None)
    closed_at: datetime | None = fact("When it was closed, merged or not", default=None)
    title: str | None = fact("Title", free_text=True, default=None)
    labels: str | None = fact("Labels, separated by a comma", default=None)
    head_branch: str | None = fact("Branch it comes from", default=None)
    base_branch: str | None = fact("Branch it goes to", default=None)
    head_sha: str | None = fact("Newest commit of its branch", default=None)
    merge_sha: str | None = fact("Commit that landed: merge, squash or last rebased", default=None)
    author: str | None = fact("Pseudonym of the author", identity=True, default=None)
    is_bot: bool = fact("Opened by a machine account", default=False)
    reverts: int | None = fact("Pull request that this one reverts", default=None)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class PullRequestCommit(Record):
    """An original commit of a pull request, as its author made it."""

    table: ClassVar[str] = "pull_request_commits"
    key: ClassVar[tuple[str, ...]] = ("repository", "number", "sha")

    repository: str = fact("Repository of the pull request")
    number: int = fact("Pull request")
    sha: str = fact("Original commit")
    authored_at: datetime = fact("When its author first committed it")
    author: str | None = fact("Pseudonym of the author", identity=True, default=None)
    is_bot: bool = fact("Authored by a machine account", default=False)
    merges: bool = fact("Has several parents", default=False)


@dataclass(frozen=True, slots=True)
class Review(Record):
    """A review of a pull request; who gave it is not kept, only in what role."""

    table: ClassVar[str] = "reviews"
    key: ClassVar[tuple[str, ...]] = ("repository", "number", "id")

    repository: str = fact("Repository of the pull request")
    number: int = fact("Pull request")
    id: str = fact("The provider's id")
    submitted_at: datetime = fact("When it was given")
    state: ReviewState = fact("approved, changes_requested or commented")
    by: ReviewBy = fact("author of the pull request, bot, or another person")


@dataclass(frozen=True, slots=True)
class Deployment(Record):
    """An attempt to put a version into an environment; one row for each repository in it."""

    table: ClassVar[str] = "deployments"
    key: ClassVar[tuple[str, ...]] = ("source", "id", "repository", "environment")

    id: str = fact("The provider's id, or the tag or commit it was inferred from")
    repository: str = fact(
        "Repository deployed; of one that names none, the only one that has its commit",
        nameless=True,
    )
    environment: str = fact("Environment as the provider names it")
    status: DeploymentStatus = fact("succeeded once it ever has; failed, cancelled or running")
    started_at: datetime | None = fact("When the attempt began", default=None)
    finished_at: datetime | None = fact(
        "When it first became successful; for other attempts, when they ended", default=None
    )
    sha: str | None = fact("Commit deployed; null if not known", default=None)
    service: str | None = fact("Service as stated by the source", default=None)
    name: str | None = fact("What the provider calls it", default=None)
    version: str | None = fact("Version deployed", default=None)
    tier: str | None = fact("Kind of environment as the provider states it", default=None)
    labels: str | None = fact("Labels, separated by a comma", default=None)
    fixes: str | None = fact("Deployment or incident that it says it fixes", default=None)
    rolls_back: str | None = fact("Deployment that it says it undoes", default=None)
    unplanned: bool = fact("Stated to be unplanned work", default=False)
    digest: str | None = fact("Digest of the artifact deployed, such as sha256:…", default=None)
    manual: bool | None = fact(
        "Changed by hand in place, past the pipeline; null if not known", default=None
    )
    automatic: bool | None = fact(
        "Begun by a machine, without a person asking for it; null if not known", default=None
    )
    inferred: bool = fact("Inferred from tags or merges, not reported", default=False)
    rule: str | None = fact("Rule that made it a deployment, such as tags:v*", default=None)
    original_status: str | None = fact("The provider's own word for the status", default=None)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class Incident(Record):
    """Something that hurt users."""

    table: ClassVar[str] = "incidents"
    key: ClassVar[tuple[str, ...]] = ("source", "id")

    id: str = fact("The provider's id")
    detected_at: datetime = fact("When it was first noticed")
    resolved_at: datetime | None = fact("Last close; null while open or reopened", default=None)
    first_resolved_at: datetime | None = fact("First close", default=None)
    reopenings: int = fact("How often it was reopened", default=0)
    service: str | None = fact(
        "Service as stated by the source, or several separated by a comma", default=None
    )
    repository: str | None = fact("Repository it was filed in", default=None)
    title: str | None = fact("Title", free_text=True, default=None)
    severity: str | None = fact("Severity as stated by the source", default=None)
    labels: str | None = fact("Labels, separated by a comma", default=None)
    external: bool = fact("Caused outside: a provider, the network", default=False)
    not_planned: bool = fact("Closed as not planned or invalid", default=False)
    duplicate_of: str | None = fact(
        "Incident of the same source that this one repeats", default=None
    )
    original_status: str | None = fact("The provider's own word for the status", default=None)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class IncidentCause(Record):
    """A cause that an incident states: a deployment, a commit or a pull request."""

    table: ClassVar[str] = "incident_causes"
    key: ClassVar[tuple[str, ...]] = ("source", "incident", "cause")

    incident: str = fact("Incident")
    cause: str = fact("Deployment id or URL, commit sha, or repository#number")


@dataclass(frozen=True, slots=True)
class Build(Record):
    """A CI run of a commit."""

    table: ClassVar[str] = "builds"
    key: ClassVar[tuple[str, ...]] = ("source", "id")

    id: str = fact("The provider's id, attempt included")
    repository: str = fact("Repository built")
    sha: str = fact("Commit built")
    name: str = fact("Name of the check, workflow or job")
    attempt: int = fact("1 for the first run, more for re-runs", default=1)
    branch: str | None = fact("Branch of this repository that it ran on", default=None)
    status: DeploymentStatus = fact("succeeded, failed, cancelled or running", default="running")
    started_at: datetime | None = fact("When it began", default=None)
    finished_at: datetime | None = fact("When it ended", default=None)
    original_status: str | None = fact("The provider's own word for the status", default=None)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class FlagChange(Record):
    """A feature flag turned on, off, or to a share, in an environment."""

    table: ClassVar[str] = "flag_changes"
    key: ClassVar[tuple[str, ...]] = ("source", "id")

    id: str = fact("The provider's id")
    flag: str = fact("Key of the flag")
    environment: str = fact("Environment as the provider names it")
    changed_at: datetime = fact("When it was changed")
    share: float = fact("Share of users who see it from then on, 0 to 1")
    action: Literal["changed", "created", "removed"] = fact(
        "changed, or that the flag was created or removed altogether", default="changed"
    )
    temporary: bool | None = fact(
        "Whether it is meant to be removed; null if not known", default=None
    )
    service: str | None = fact("Service as stated by the source", default=None)
    url: str | None = fact("Web address", default=None)


@dataclass(frozen=True, slots=True)
class ManualChange(Record):
    """Something changed by hand in an environment, past the pipeline, that deploys no commit."""

    table: ClassVar[str] = "manual_changes"
    key: ClassVar[tuple[str, ...]] = ("source", "id")

    id: str = fact("The provider's id")
    environment: str = fact("Environment as the provider names it")
    changed_at: datetime = fact("When it was changed")
    name: str | None = fact("What was changed, in a few words", free_text=True, default=None)
    service: str | None = fact("Service as stated by the source", default=None)
    labels: str | None = fact("Labels, separated by a comma", default=None)
    url: str | None = fact("Web address", default=None)


RECORD_TYPES: tuple[type[Record], ...] = (
    Repository,
    Commit,
    CommitPath,
    CommitReference,
    PullRequest,
    PullRequestCommit,
    Review,
    Deployment,
    Incident,
    IncidentCause,
    Build,
    FlagChange,
    ManualChange,
)
"""All facts, in the order in which a sync reads them."""


def record_type(table: str) -> type[Record]:
    """The fact kept in a table.

    Raises:
        RecordError: No fact table has that name.
    """
    for candidate in RECORD_TYPES:
        if candidate.table == table:
            return candidate
    raise RecordError(
        f"There is no fact table {table!r}.",
        hint=f"The fact tables are: {', '.join(t.table for t in RECORD_TYPES)}.",
    )


def join_labels(labels: list[str]) -> str | None:
    """Labels as one text, in the form the fact tables keep: separated by a comma, none as null."""
    kept = [label.replace(",", " ").strip() for label in labels]
    return ",".join(label for label in kept if label) or None
