"""What GraphQL shows of repositories and of what is deployed from them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.forges import facts
from tests.forges.github_host.connections import Connection
from tests.forges.github_host.pulls import IssueView, PullRequestView, log_url
from tests.forges.github_host.values import DEPLOYMENT_STATES, Seen, time
from tests.forges.github_host.views import Account, CommitView, RefView, TagView, View
from tests.forges.organisation import Repository


class RepositoryView(View):
    """A repository."""

    type_name = "Repository"

    def __init__(self, seen: Seen, repository: Repository) -> None:
        self._seen = seen
        self._repository = repository
        self.id = f"R_{repository.id}"
        self.databaseId = repository.id
        self.name = repository.name
        self.nameWithOwner = repository.path
        self.url = f"{seen.web}/{repository.path}"
        self.isArchived = repository.archived
        self.isFork = repository.fork
        self.isEmpty = not repository.branches
        self.isDisabled = False
        self.isLocked = False
        self.isPrivate = True
        self.hasIssuesEnabled = True
        self.visibility = "PRIVATE"
        self.viewerPermission = "READ"
        self.createdAt = time(repository.created_at)
        self.pushedAt = time(repository.pushed_at)
        self.updatedAt = self.pushedAt or self.createdAt
        self.owner = Account(seen, repository.owner, "Organization")

    # Code
    def defaultBranchRef(self, info: Any) -> RefView | None:
        """The branch that work lands on."""
        return self.ref(info, qualifiedName=f"refs/heads/{self._repository.default_branch}")

    def ref(self, info: Any, **arguments: Any) -> RefView | None:
        """A branch or tag by its name."""
        self._seen.need("contents", self._repository)
        asked = arguments["qualifiedName"]
        name = asked.removeprefix("refs/heads/")
        if name in self._repository.branches:
            return RefView(self._seen, self._repository, "refs/heads/", name)
        name = asked.removeprefix("refs/tags/")
        if name in self._repository.tags:
            return RefView(self._seen, self._repository, "refs/tags/", name)
        return None

    def object(self, info: Any, oid: str | None = None, expression: str | None = None) -> Any:
        """A commit or tag by its id, or by a branch's name."""
        self._seen.need("contents", self._repository)
        sha = oid or self._repository.branches.get((expression or "").removeprefix("refs/heads/"))
        commit = self._repository.commits.get(sha or "")
        return CommitView(self._seen, self._repository, commit) if commit else None

    def refs(self, info: Any, **arguments: Any) -> Connection:
        """Branches or tags."""
        self._seen.need("contents", self._repository)
        here, prefix = self._repository, arguments["refPrefix"]
        if prefix == "refs/heads/":
            listed = dict(here.branches)
        else:
            listed = {name: tag.sha for name, tag in here.tags.items()}
        wanted = arguments.get("query") or ""
        names = [name for name in listed if wanted in name]
        order = arguments.get("orderBy") or {"field": "ALPHABETICAL", "direction": "ASC"}

        def key(name: str) -> tuple[Any, ...]:
            moment = time(here.commits[listed[name]].committed_at)
            return (moment, name) if order["field"] == "TAG_COMMIT_DATE" else (name,)

        return Connection(
            names,
            key,
            lambda name: RefView(self._seen, here, prefix, name),
            arguments,
            descending=order["direction"] == "DESC",
        )

    # Work
    def pullRequests(self, info: Any, **arguments: Any) -> Connection:
        """Pull requests."""
        self._seen.need("pull_requests", self._repository)
        states = arguments.get("states")
        base, head = arguments.get("baseRefName"), arguments.get("headRefName")
        rows: Collection[facts.PullRequest] = self._repository.pulls.values()
        if states or base or head:
            rows = [
                one
                for one in rows
                if (not states or one.state.upper() in states)
                and base in (None, one.base)
                and head in (None, one.head)
            ]
        return _dated(rows, self._pull, arguments)

    def pullRequest(self, info: Any, number: int) -> PullRequestView | None:
        """One pull request."""
        self._seen.need("pull_requests", self._repository)
        found = self._repository.pulls.get(number)
        return self._pull(found) if found else None

    def _pull(self, pull: facts.PullRequest) -> PullRequestView:
        return PullRequestView(self._seen, self._repository, pull)

    def issues(self, info: Any, **arguments: Any) -> Connection:
        """Issues; pull requests are none here."""
        self._seen.need("issues", self._repository)
        filters = arguments.get("filterBy") or {}
        wanted = set(arguments.get("labels") or filters.get("labels") or ())
        states = arguments.get("states") or filters.get("states")
        since = filters.get("since")
        rows: Collection[facts.Issue] = self._repository.issues.values()
        if wanted or states or since:
            rows = [
                one
                for one in rows
                if (not wanted or wanted & set(one.labels))
                and (not states or ("CLOSED" if one.closed else "OPEN") in states)
                and (not since or str(time(one.updated_at)) >= since)
            ]
        return _dated(rows, self._issue, arguments)

    def _issue(self, issue: facts.Issue) -> IssueView:
        return IssueView(self._seen, self._repository, issue)

    # Delivery
    def deployments(self, info: Any, **arguments: Any) -> Connection:
        """The forge's own deployments."""
        self._seen.need("deployments", self._repository)
        wanted = arguments.get("environments")
        rows: Collection[facts.Deployment] = self._repository.deployments.values()
        if wanted:
            rows = [one for one in rows if one.environment in wanted]
        order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
        return Connection(
            rows,
            lambda one: (time(one.created_at), one.id),
            lambda one: DeploymentView(self._seen, self._repository, one),
            arguments,
            descending=order["direction"] == "DESC",
        )

    def releases(self, info: Any, **arguments: Any) -> Connection:
        """Releases; drafts only for those who may write."""
        self._seen.need("contents", self._repository)
        order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "DESC"}
        return Connection(
            list(self._repository.releases.values()),
            lambda one: (time(one.created_at), one.id),
            lambda one: ReleaseView(self._seen, self._repository, one),
            arguments,
            descending=order["direction"] == "DESC",
        )


def _dated(rows: Collection[Any], view: Any, arguments: dict[str, Any]) -> Connection:
    """Pull requests or issues, by when they were opened unless another order is asked for."""
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    name = {"CREATED_AT": "opened_at", "UPDATED_AT": "updated_at"}[order["field"]]
    return Connection(
        rows,
        lambda one: (time(getattr(one, name)), one.id),
        view,
        arguments,
        descending=order["direction"] == "DESC",
    )


class DeploymentView(View):
    """A deployment."""

    type_name = "Deployment"

    def __init__(self, seen: Seen, repository: Repository, deployment: facts.Deployment) -> None:
        self._seen = seen
        self._repository = repository
        self._deployment = deployment
        self.id = f"DE_{deployment.id}"
        self.databaseId = deployment.id
        self.createdAt = time(deployment.created_at)
        self.updatedAt = time(deployment.updated_at)
        self.environment = self.originalEnvironment = deployment.environment
        self.latestEnvironment = deployment.environment
        self.commitOid = deployment.sha
        self.task = "deploy"
        self.description = ""
        self.payload = None
        self.state = _standing(deployment)

    def ref(self, info: Any) -> RefView | None:
        """What was deployed, while that name is there."""
        name = self._deployment.ref
        here = self._repository
        prefix = "refs/heads/" if name in here.branches else "refs/tags/"
        there = name in here.branches or name in here.tags
        return RefView(self._seen, here, prefix, name) if there else None

    def commit(self, info: Any) -> CommitView | None:
        """The commit deployed, while it is there."""
        found = self._repository.commits.get(self._deployment.sha)
        return CommitView(self._seen, self._repository, found) if found else None

    def latestStatus(self, info: Any) -> StatusView | None:
        """How it stands."""
        listed = self._deployment.statuses
        return self._status(listed[-1]) if listed else None

    def statuses(self, info: Any, **arguments: Any) -> Connection:
        """Everything it went through, the newest first."""
        return Connection(
            self._deployment.statuses,
            lambda one: (time(one.at), one.id),
            self._status,
            arguments,
            descending=True,
        )

    def _status(self, one: facts.DeploymentStatus) -> StatusView:
        return StatusView(self._seen, self._repository, self._deployment, one)


def _standing(deployment: facts.Deployment) -> str:
    last = deployment.statuses[-1].state if deployment.statuses else "queued"
    return "ACTIVE" if last == "succeeded" else DEPLOYMENT_STATES[last]


class StatusView(View):
    """How a deployment stood."""

    type_name = "DeploymentStatus"

    def __init__(
        self,
        seen: Seen,
        repository: Repository,
        deployment: facts.Deployment,
        status: facts.DeploymentStatus,
    ) -> None:
        self.id = f"DES_{status.id}"
        self.state = DEPLOYMENT_STATES[status.state]
        self.createdAt = self.updatedAt = time(status.at)
        self.environment = deployment.environment
        self.environmentUrl = None
        self.logUrl = log_url(seen, repository, deployment.id)
        self.description = ""


class ReleaseView(View):
    """A release."""

    type_name = "Release"

    def __init__(self, seen: Seen, repository: Repository, release: facts.Release) -> None:
        self._seen = seen
        self._repository = repository
        self._release = release
        self.id = f"RE_{release.id}"
        self.databaseId = release.id
        self.name = release.name
        self.tagName = release.tag
        self.url = f"{seen.web}/{repository.path}/releases/tag/{release.tag}"
        self.isDraft = release.draft
        self.isPrerelease = release.prerelease
        self.isLatest = False
        self.createdAt = time(release.created_at)
        self.publishedAt = time(release.published_at)
        self.updatedAt = time(release.updated_at)

    def tag(self, info: Any) -> RefView | None:
        """Its tag, while it is there."""
        if self._release.tag not in self._repository.tags:
            return None
        return RefView(self._seen, self._repository, "refs/tags/", self._release.tag)

    def tagCommit(self, info: Any) -> CommitView | None:
        """The commit of its tag."""
        ref = self.tag(info)
        target = ref.target if ref else None
        return target.target if isinstance(target, TagView) else target
