"""What GraphQL shows of pull requests and issues, which share their numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.forges import facts
from tests.forges.github_host.connections import Connection, listed
from tests.forges.github_host.values import CLOSING_REASONS, REVIEW_STATES, Seen, time
from tests.forges.github_host.views import CommitView, RefView, View, actor
from tests.forges.organisation import Repository


class LabelView(View):
    """A label."""

    type_name = "Label"

    def __init__(self, name: str) -> None:
        self.id = f"LA_{name}"
        self.name = name
        self.color = "ededed"


def labels(names: tuple[str, ...], arguments: dict[str, Any]) -> Connection:
    """Labels in their order."""
    return listed(names, LabelView, arguments)


class PullRequestView(View):
    """A pull request."""

    type_name = "PullRequest"

    def __init__(self, seen: Seen, repository: Repository, pull: facts.PullRequest) -> None:
        self._seen = seen
        self._repository = repository
        self._pull = pull
        self.id = f"PR_{repository.id}_{pull.number}"
        self.databaseId = pull.id
        self.fullDatabaseId = str(pull.id)
        self.number = pull.number
        self.title = pull.title
        self.body = _text(repository, pull)
        self.state = pull.state.upper()
        self.merged = pull.merged_at is not None
        self.closed = pull.closed_at is not None
        self.isDraft = pull.draft
        self.isCrossRepository = False
        self.url = f"{seen.web}/{repository.path}/pull/{pull.number}"
        self.createdAt = time(pull.opened_at)
        self.updatedAt = time(pull.updated_at)
        self.mergedAt = time(pull.merged_at)
        self.closedAt = time(pull.closed_at)
        self.headRefName = pull.head
        self.headRefOid = pull.commits[-1]
        self.baseRefName = pull.base
        self.author = actor(seen, pull.author)

    def baseRefOid(self, info: Any) -> str:
        """The newest commit of what it goes to."""
        return self._repository.branches[self._pull.base]

    def headRef(self, info: Any) -> RefView | None:
        """Its branch, while it is there."""
        there = self._pull.head in self._repository.branches
        return (
            RefView(self._seen, self._repository, "refs/heads/", self._pull.head) if there else None
        )

    def mergeCommit(self, info: Any) -> CommitView | None:
        """What landed."""
        sha = self._pull.merge_sha
        if sha is None:
            return None
        return CommitView(self._seen, self._repository, self._repository.commits[sha])

    def labels(self, info: Any, **arguments: Any) -> Connection:
        """Its labels."""
        return labels(self._pull.labels, arguments)

    def commits(self, info: Any, **arguments: Any) -> Connection:
        """Its original commits, the oldest first; no more than the host cares to show."""
        shown = self._pull.commits[: self._seen.commit_cap]
        return listed(shown, self._original, arguments, total=len(self._pull.commits))

    def _original(self, sha: str) -> _Original:
        return _Original(self._seen, self._repository, self._pull, sha)

    def reviews(self, info: Any, **arguments: Any) -> Connection:
        """What was said of it, the oldest first."""
        wanted = arguments.get("states")
        rows = [
            one for one in self._pull.reviews if not wanted or REVIEW_STATES[one.state] in wanted
        ]
        return Connection(
            rows, lambda one: (time(one.submitted_at), one.id), self._review, arguments
        )

    def _review(self, one: facts.Review) -> ReviewView:
        return ReviewView(self._seen, self, one)

    def timelineItems(self, info: Any, **arguments: Any) -> Connection:
        """What happened to it, of the kinds that are known here."""
        events: list[tuple[datetime, str]] = []
        pull = self._pull
        if pull.ready_at:
            events.append((pull.ready_at, "ReadyForReviewEvent"))
        if pull.merged_at:
            events.append((pull.merged_at, "MergedEvent"))
        if pull.closed_at:
            events.append((pull.closed_at, "ClosedEvent"))
        events = _wanted(events, arguments)
        return Connection(
            sorted(events),
            lambda one: (time(one[0]), one[1]),
            lambda one: _Happened(self.id, one[1], one[0]),
            arguments,
        )


def _text(repository: Repository, pull: facts.PullRequest) -> str:
    if pull.reverts is None:
        return pull.body
    return f"Reverts {repository.path}#{pull.reverts}\n{pull.body}".strip()


def _wanted(events: list[Any], arguments: dict[str, Any]) -> list[Any]:
    """Those of the kinds asked for; enum values such as CLOSED_EVENT name types as ClosedEvent."""
    kinds = arguments.get("itemTypes")
    if kinds is None:
        return events
    names = {kind.title().replace("_", "") for kind in kinds}
    return [one for one in events if one[1] in names]


class _Original(View):
    type_name = "PullRequestCommit"

    def __init__(
        self, seen: Seen, repository: Repository, pull: facts.PullRequest, sha: str
    ) -> None:
        self.id = f"PRC_{repository.id}_{pull.number}_{sha}"
        self.url = f"{seen.web}/{repository.path}/pull/{pull.number}/commits/{sha}"
        self.commit = CommitView(seen, repository, repository.commits[sha])


class ReviewView(View):
    """What somebody said of a pull request."""

    type_name = "PullRequestReview"

    def __init__(self, seen: Seen, pull: PullRequestView, review: facts.Review) -> None:
        self.id = f"PRR_{review.id}"
        self.databaseId = review.id
        self.fullDatabaseId = str(review.id)
        self.state = REVIEW_STATES[review.state]
        self.createdAt = self.submittedAt = self.updatedAt = time(review.submitted_at)
        self.author = actor(seen, review.by)
        self.url = f"{pull.url}#pullrequestreview-{review.id}"
        self.body = ""


class _Happened(View):
    """Something that happened to a pull request."""

    def __init__(self, owner: str, kind: str, moment: datetime) -> None:
        self.type_name = kind
        self.id = f"{kind}_{owner}"
        self.createdAt = time(moment)


class IssueView(View):
    """An issue."""

    type_name = "Issue"

    def __init__(self, seen: Seen, repository: Repository, issue: facts.Issue) -> None:
        self._seen = seen
        self._repository = repository
        self._issue = issue
        self.id = f"I_{repository.id}_{issue.number}"
        self.databaseId = issue.id
        self.fullDatabaseId = str(issue.id)
        self.number = issue.number
        self.title = issue.title
        self.body = blaming(seen, repository, issue)
        self.state = "CLOSED" if issue.closed else "OPEN"
        self.closed = issue.closed is not None
        self.url = f"{seen.web}/{repository.path}/issues/{issue.number}"
        self.createdAt = time(issue.opened_at)
        self.updatedAt = time(issue.updated_at)
        self.closedAt = time(issue.closed.at if issue.closed else None)
        self.author = actor(seen, issue.author)

    def stateReason(self, info: Any, **arguments: Any) -> str | None:
        """Why it stands so; a duplicate is only told where it is asked for."""
        if not self._issue.events:
            return None
        reason = CLOSING_REASONS[self._issue.events[-1].kind]
        return (
            "NOT_PLANNED"
            if reason == "DUPLICATE" and not arguments.get("enableDuplicate")
            else reason
        )

    def labels(self, info: Any, **arguments: Any) -> Connection:
        """Its labels."""
        return labels(self._issue.labels, arguments)

    def timelineItems(self, info: Any, **arguments: Any) -> Connection:
        """Its closings and reopenings, and what it repeats."""
        events: list[tuple[facts.IssueEvent, str]] = []
        for one in self._issue.events:
            if one.kind == "duplicate":
                events.append((one, "MarkedAsDuplicateEvent"))
            events.append((one, "ReopenedEvent" if one.kind == "reopened" else "ClosedEvent"))
        return listed(_wanted(events, arguments), lambda row: self._event(*row), arguments)

    def _event(self, event: facts.IssueEvent, kind: str) -> EventView:
        return EventView(self._seen, self._repository, event, kind)


def blaming(seen: Seen, repository: Repository, issue: facts.Issue) -> str:
    """An issue's text, with what it blames."""
    said = [issue.body]
    if issue.caused_by:
        said.append(f"Caused by {issue.caused_by}")
    if issue.caused_by_deployment:
        said.append(f"Caused by {log_url(seen, repository, issue.caused_by_deployment)}.")
    return "\n\n".join(filter(None, said))


def log_url(seen: Seen, repository: Repository, deployment: int) -> str:
    """Where what a deployment wrote can be read."""
    return f"{seen.web}/{repository.path}/actions/runs/{deployment}/job/{deployment}"


class EventView(View):
    """A closing, a reopening, or that an issue was found to repeat another."""

    def __init__(
        self, seen: Seen, repository: Repository, event: facts.IssueEvent, kind: str
    ) -> None:
        self.type_name = kind
        self.id = f"{kind}_{event.id}"
        self.createdAt = time(event.at)
        self.actor = actor(seen, event.by)
        self.stateReason = CLOSING_REASONS[event.kind]
        original = repository.issues.get(event.original or 0)
        self.canonical = IssueView(seen, repository, original) if original else None
        self.isCrossRepository = False
