"""A repository on a forge that lives, and everything that can happen in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from tests.forges.facts import (
    Commit,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Issue,
    IssueEvent,
    IssueEventKind,
    Job,
    JobState,
    MergeMethod,
    Person,
    PullRequest,
    Release,
    Review,
    ReviewState,
    Run,
    Tag,
)

Moment: TypeAlias = str | datetime
"""A time as stories tell it: `03-02 09:00` of 2026, or an aware datetime."""

JobTold: TypeAlias = tuple[str, Moment | None, Moment | None, JobState]
"""A job's name, when it began and ended, and how."""


def at(text: str) -> datetime:
    """A moment of 2026 in UTC, as `03-02 09:00`."""
    return datetime.strptime(f"2026-{text} +0000", "%Y-%m-%d %H:%M %z").astimezone(UTC)


@dataclass(slots=True)
class Repository:
    """A repository and all that happened in it.

    Attributes:
        id: Stays the same when it is renamed.
        owner: The organisation, or a group.
        name: Its name there.
        forbidden: Facts that no token may see: `repository`, or a name such as `deployments`.
    """

    id: int
    owner: str
    name: str
    ids: Iterator[int]
    default_branch: str = "main"
    archived: bool = False
    fork: bool = False
    created_at: datetime = field(default_factory=lambda: at("01-01 00:00"))
    forbidden: frozenset[str] = frozenset()
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    numbers: int = 0

    @property
    def path(self) -> str:
        """owner/name."""
        return f"{self.owner}/{self.name}"

    @property
    def pushed_at(self) -> datetime | None:
        """When something was last committed."""
        return max((one.committed_at for one in self.commits.values()), default=None)

    # Commits
    def commit(
        self,
        subject: str,
        when: Moment,
        by: Person,
        *,
        branch: str | None = "main",
        parents: Sequence[str] | None = None,
        authored: Moment | None = None,
        body: str = "",
        account: bool = True,
    ) -> str:
        """A commit on a branch, or on none."""
        if parents is None:
            parents = [self.branches[branch]] if branch in self.branches else []
        made = _time(when)
        authored = authored if authored is None else _time(authored)
        text = f"{self.id}\0{' '.join(parents)}\0{subject}\0{made}\0{authored}\0{by.email}\0{body}"
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        began = authored or made
        self.commits[sha] = Commit(sha, tuple(parents), subject, body, by, began, made, account)
        if branch is not None:
            self.branches[branch] = sha
        return sha

    def history(self, *heads: str) -> Sequence[Commit]:
        """Everything behind some commits, they too, the newest first, children before parents."""
        reached: set[str] = set()
        pending = list(heads)
        while pending:
            sha = pending.pop()
            if sha not in reached:
                reached.add(sha)
                pending += self.commits[sha].parents
        order = {sha: place for place, sha in enumerate(self.commits)}
        return [self.commits[sha] for sha in sorted(reached, key=lambda one: -order[one])]

    def force_push(self, branch: str, sha: str) -> None:
        """Let a branch forget what it had."""
        self.branches[branch] = sha

    # Pull requests
    def propose(
        self,
        title: str,
        when: Moment,
        by: Person | None,
        commits: Sequence[str],
        *,
        head: str,
        draft: bool = False,
        **more: Any,
    ) -> int:
        """Open a pull request for some commits."""
        self.numbers += 1
        self.branches[head] = commits[-1]
        self.pulls[self.numbers] = PullRequest(
            id=next(self.ids),
            number=self.numbers,
            title=title,
            author=by,
            head=head,
            base=self.default_branch,
            commits=tuple(commits),
            opened_at=_time(when),
            updated_at=_time(when),
            draft=draft,
            **more,
        )
        return self.numbers

    def touch(self, number: int, when: Moment, **changes: Any) -> None:
        """Change something about a pull request: labels, title, commits after a force push."""
        pull = replace(self.pulls[number], updated_at=_time(when), **changes)
        self.pulls[number] = pull
        if "commits" in changes:
            self.branches[pull.head] = pull.commits[-1]

    def make_ready(self, number: int, when: Moment) -> None:
        """Let it leave draft."""
        self.touch(number, when, draft=False, ready_at=_time(when))

    def review(self, number: int, when: Moment, by: Person | None, state: ReviewState) -> int:
        """Say something of it."""
        review = Review(next(self.ids), by, state, _time(when))
        self.touch(number, when, reviews=(*self.pulls[number].reviews, review))
        return review.id

    def merge(
        self, number: int, when: Moment, method: MergeMethod, by: Person, body: str = ""
    ) -> str:
        """Let it land on its base, and give back what landed there."""
        pull = self.pulls[number]
        base = self.branches[pull.base]
        if method == "merge":
            subject = f"Merge pull request #{number} from {self.owner}/{pull.head}"
            sha = self.commit(
                subject,
                when,
                by,
                branch=pull.base,
                parents=[base, pull.commits[-1]],
                body=body or pull.title,
            )
        elif method == "squash":
            author = self.commits[pull.commits[0]].author
            sha = self.commit(
                f"{pull.title} (#{number})", when, author, branch=pull.base, body=body
            )
        else:
            sha = base
            for one in (self.commits[original] for original in pull.commits):
                sha = self.commit(
                    one.subject,
                    when,
                    one.author,
                    branch=pull.base,
                    authored=one.authored_at,
                    body=one.body,
                    account=one.account,
                )
        moment = _time(when)
        self.touch(number, when, merged_at=moment, closed_at=moment, method=method, merge_sha=sha)
        return sha

    def close(self, number: int, when: Moment) -> None:
        """Give it up."""
        self.touch(number, when, closed_at=_time(when))

    def pull(self, title: str) -> PullRequest:
        """The pull request of that title."""
        return _titled(self.pulls.values(), title)

    def issue(self, title: str) -> Issue:
        """The issue of that title."""
        return _titled(self.issues.values(), title)

    # Deployments
    def deploy(
        self,
        sha: str,
        when: Moment,
        *then: tuple[Moment, DeploymentState],
        environment: str = "production",
        ref: str | None = None,
    ) -> int:
        """Begin a deployment; `then` is how it went on. A success replaces the one before it."""
        id_ = next(self.ids)
        created = _time(when)
        self.deployments[id_] = Deployment(
            id_, sha, ref or self.default_branch, environment, created, created
        )
        for moment, state in then:
            self.status(id_, moment, state)
        return id_

    def status(self, deployment: int, when: Moment, state: DeploymentState) -> None:
        """Let a deployment stand otherwise."""
        self._status(deployment, _time(when), state)
        here = self.deployments[deployment]
        if state == "succeeded":
            for other in list(self.deployments.values()):
                replaced = (
                    other.id != deployment
                    and other.environment == here.environment
                    and other.statuses
                    and other.statuses[-1].state == "succeeded"
                )
                if replaced:
                    self._status(other.id, _time(when), "replaced")

    def _status(self, id_: int, when: datetime, state: DeploymentState) -> None:
        old = self.deployments[id_]
        status = DeploymentStatus(next(self.ids), state, when)
        self.deployments[id_] = replace(
            old, updated_at=max(when, old.updated_at), statuses=(*old.statuses, status)
        )

    # Runs
    def run(
        self,
        workflow: str,
        sha: str,
        when: Moment,
        *jobs: JobTold,
        branch: str | None = None,
    ) -> int:
        """A run; `jobs` are name, start, end and how it ended, of the first attempt."""
        id_ = next(self.ids)
        created = _time(when)
        number = sum(one.workflow == workflow for one in self.runs.values()) + 1
        self.runs[id_] = Run(
            id_, workflow, number, sha, branch or self.default_branch, created, created
        )
        self._add_jobs(id_, 1, jobs)
        return id_

    def rerun(self, run: int, *jobs: JobTold) -> None:
        """Start some of its jobs again."""
        self._add_jobs(run, self.runs[run].attempts + 1, jobs)

    def _add_jobs(self, id_: int, attempt: int, jobs: Sequence[JobTold]) -> None:
        made = tuple(
            Job(
                next(self.ids),
                name,
                attempt,
                state,
                _time(began) if began else None,
                _time(ended) if ended else None,
            )
            for name, began, ended, state in jobs
        )
        run = self.runs[id_]
        times = [time for job in made for time in (job.started_at, job.finished_at) if time]
        self.runs[id_] = replace(
            run, jobs=(*run.jobs, *made), updated_at=max([run.updated_at, *times])
        )

    # Issues
    def report(self, title: str, when: Moment, by: Person | None, *labels: str, **more: Any) -> int:
        """Open an issue."""
        self.numbers += 1
        self.issues[self.numbers] = Issue(
            id=next(self.ids),
            number=self.numbers,
            title=title,
            author=by,
            opened_at=_time(when),
            updated_at=_time(when),
            labels=labels,
            **more,
        )
        return self.numbers

    def turn(
        self,
        number: int,
        when: Moment,
        kind: IssueEventKind,
        by: Person | None,
        original: int | None = None,
    ) -> None:
        """Close or reopen an issue."""
        issue = self.issues[number]
        event = IssueEvent(next(self.ids), kind, _time(when), by, original)
        self.change(number, when, events=(*issue.events, event))

    def change(self, number: int, when: Moment, **changes: Any) -> None:
        """Change something about an issue: labels, title, text."""
        self.issues[number] = replace(self.issues[number], updated_at=_time(when), **changes)

    # Tags and releases
    def tag(self, name: str, sha: str, when: Moment | None = None) -> None:
        """A tag, annotated if it says when it was made."""
        self.tags[name] = Tag(name, sha, _time(when) if when else None)

    def release(
        self,
        tag: str,
        created: Moment,
        published: Moment | None,
        *,
        prerelease: bool = False,
        name: str | None = None,
    ) -> int:
        """A release of a tag, a draft until it is published."""
        id_ = next(self.ids)
        moment = _time(published) if published else None
        self.releases[id_] = Release(
            id_, tag, name or tag, _time(created), moment, moment or _time(created), prerelease
        )
        return id_


_Titled = TypeVar("_Titled", PullRequest, Issue)


def _titled(rows: Iterable[_Titled], title: str) -> _Titled:
    for one in rows:
        if one.title == title:
            return one
    raise LookupError(title)


def _time(when: Moment) -> datetime:
    return when if isinstance(when, datetime) else at(when)
