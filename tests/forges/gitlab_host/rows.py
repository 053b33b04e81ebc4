"""The scenario in GitLab's words: one function a kind of row, fields as the REST API has them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from tests.forges.facts import (
    Commit,
    Deployment,
    Issue,
    Job,
    Person,
    PullRequest,
    Release,
    Run,
    Tag,
)
from tests.forges.organisation import Repository

JSON: TypeAlias = dict[str, Any]

NOT_PLANNED = "wontfix"
"""The label of an issue that was closed as not planned: GitLab has no such reason of its own."""

_JOB = {
    "queued": "created",
    "running": "running",
    "succeeded": "success",
    "failed": "failed",
    "cancelled": "canceled",
    "skipped": "skipped",
}
_SAID = {"approved": "approved this merge request", "changes_requested": "requested changes"}


def time(moment: datetime | None) -> str | None:
    """As GitLab writes it: UTC with milliseconds."""
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
        if moment
        else None
    )


def git_time(moment: datetime) -> str:
    """As GitLab writes the times of commits: with the offset they were made at."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+00:00")


def number_of(login: str) -> int:
    """An account's id."""
    return int(hashlib.sha1(login.encode(), usedforsecurity=False).hexdigest()[:6], 16)


def user(person: Person | None) -> JSON:
    """An account; what is left of a deleted one is the ghost's."""
    if person is None or not person.login:
        return {"id": 999, "username": "ghost", "name": "Ghost User", "state": "active"}
    login = f"project_7_bot_{number_of(person.login):x}" if person.bot else person.login
    return {
        "id": number_of(person.login), "username": login, "name": person.name, "state": "active",
        "locked": False, "avatar_url": None, "web_url": f"https://gitlab.example.org/{login}",
    }  # fmt: skip


def project(repository: Repository, address: str, off: Collection[str] = ()) -> JSON:
    """A project, as in lists and by itself; `off` is what is switched off in it."""
    path = repository.path
    fork = {"id": 1, "path_with_namespace": "elsewhere/lib"}
    return {
        "id": repository.id, "name": repository.name, "path": repository.name,
        "path_with_namespace": path, "name_with_namespace": path.replace("/", " / "),
        "default_branch": repository.default_branch if repository.branches else None,
        "web_url": f"{address}/{path}", "http_url_to_repo": f"{address}/{path}.git",
        "created_at": time(repository.created_at), "archived": repository.archived,
        "empty_repo": not repository.branches, "last_activity_at": time(last_active(repository)),
        **({"forked_from_project": fork} if repository.fork else {}),
        "namespace": {"kind": "group", "full_path": repository.owner},
        "visibility": "private",
        **{
            f"{one}_access_level": "disabled" if one in off else "enabled"
            for one in ("merge_requests", "issues", "builds", "environments", "releases")
        },
    }  # fmt: skip


def last_active(repository: Repository) -> datetime:
    """When something that people see last happened in a project."""
    seen = [one.updated_at for one in repository.pulls.values()]
    seen += [one.committed_at for one in repository.commits.values()]
    return max(seen, default=repository.created_at)


def last_touched(repository: Repository) -> datetime:
    """When anything last happened in a project."""
    things = [*repository.deployments.values(), *repository.runs.values()]
    seen = [one.updated_at for one in [*things, *repository.issues.values()]]
    return max([*seen, last_active(repository)])


def commit(one: Commit, *, bare: bool = False) -> JSON:
    """A commit; those of a merge request come without parents, from a table of their own."""
    message = one.subject + (f"\n\n{one.body}\n" if one.body else "\n")
    return {
        "id": one.sha, "short_id": one.sha[:8], "title": one.subject, "message": message,
        "author_name": one.author.name, "author_email": one.author.email,
        "authored_date": git_time(one.authored_at),
        "committer_name": one.author.name, "committer_email": one.author.email,
        "committed_date": git_time(one.committed_at), "created_at": git_time(one.committed_at),
        "parent_ids": [] if bare else list(one.parents), "trailers": {}, "web_url": "",
    }  # fmt: skip


def landed_on(repository: Repository, pull: PullRequest) -> tuple[str, ...]:
    """The commits that a merge request has: a rebase replaces them by those that landed."""
    if pull.method != "rebase" or pull.merge_sha is None:
        return pull.commits
    shas = [pull.merge_sha]
    while len(shas) < len(pull.commits):
        shas.append(repository.commits[shas[-1]].parents[0])
    return tuple(reversed(shas))


def merge_request(repository: Repository, pull: PullRequest, address: str) -> JSON:
    """A merge request as in lists."""
    state = {"open": "opened", "merged": "merged", "closed": "closed"}[pull.state]
    text = f"This reverts merge request !{pull.reverts}\n\n" if pull.reverts else ""
    return {
        "id": pull.id, "iid": pull.number, "project_id": repository.id, "title": pull.title,
        "description": text + pull.body, "state": state,
        "created_at": time(pull.opened_at), "updated_at": time(pull.updated_at),
        "merged_at": time(pull.merged_at),
        "closed_at": time(pull.closed_at) if state == "closed" else None,
        "source_branch": pull.head, "target_branch": pull.base, "author": user(pull.author),
        "labels": sorted(pull.labels), "draft": pull.draft, "work_in_progress": pull.draft,
        "sha": landed_on(repository, pull)[-1],
        "merge_commit_sha": pull.merge_sha if pull.method == "merge" else None,
        "squash_commit_sha": pull.merge_sha if pull.method == "squash" else None,
        "squash": pull.method == "squash", "user_notes_count": 0,
        "web_url": f"{address}/{repository.path}/-/merge_requests/{pull.number}",
    }  # fmt: skip


def note(id_: int, body: str, by: Person | None, at: datetime, system: bool) -> JSON:
    """A note, by somebody or by the system in somebody's name."""
    return {
        "id": id_, "type": None, "body": body, "author": user(by), "system": system,
        "created_at": time(at), "updated_at": time(at), "noteable_type": "MergeRequest",
        "internal": False, "resolvable": False,
    }  # fmt: skip


def notes(pull: PullRequest) -> list[JSON]:
    """What was said of a merge request and done to it, the first first."""
    rows = [note(pull.id * 10, "assigned to @ada", pull.author, pull.opened_at, True)]
    if pull.ready_at:
        ready = "marked this merge request as **ready**"
        rows.append(note(pull.id * 10 + 1, ready, pull.author, pull.ready_at, True))
    for one in pull.reviews:
        said = _SAID.get(one.state)
        rows.append(note(one.id, said or "Why?", one.by, one.submitted_at, said is not None))
    return sorted(rows, key=lambda row: (str(row["created_at"]), row["id"]))


def approvals(pull: PullRequest) -> JSON:
    """Who approves a merge request now."""
    given = [one for one in pull.reviews if one.state == "approved"]
    return {
        "approved": bool(given),
        "approved_by": [
            {"user": user(one.by), "approved_at": time(one.submitted_at)} for one in given
        ],
    }


def deployment(repository: Repository, one: Deployment, address: str) -> JSON:
    """A deployment; its times are those of the job that made it."""
    ended = one.first("succeeded") or one.first("failed")
    began = one.first("running")
    states = {status.state for status in one.statuses}
    status = (
        "success" if "succeeded" in states else "failed" if "failed" in states
        else "running" if "running" in states else "created"
    )  # fmt: skip
    number = one.id * 10
    return {
        "id": one.id, "iid": one.id, "ref": one.ref, "sha": one.sha, "status": status,
        "created_at": time(one.created_at), "updated_at": time(one.updated_at), "user": None,
        "environment": {
            "id": number_of(one.environment), "name": one.environment, "slug": one.environment,
            "external_url": None,
        },
        "deployable": {
            "id": number, "name": f"deploy {one.environment}", "stage": "deploy",
            "status": "success" if status == "success" else status, "ref": one.ref, "tag": False,
            "created_at": time(one.created_at), "started_at": time(began),
            "finished_at": time(ended), "pipeline": {"id": one.id * 100, "sha": one.sha},
            "web_url": f"{address}/{repository.path}/-/jobs/{number}",
        },
    }  # fmt: skip


def environment(name: str) -> JSON:
    """An environment with its tier."""
    tier = name if name in ("production", "staging", "testing", "development") else "other"
    return {"id": number_of(name), "name": name, "slug": name, "tier": tier, "state": "available"}


def pipeline(repository: Repository, run: Run, address: str) -> JSON:
    """A pipeline as in lists."""
    last = {job.name: job.state for job in run.jobs}
    return {
        "id": run.id, "iid": run.number, "project_id": repository.id, "sha": run.sha,
        "ref": run.branch, "name": run.workflow, "source": "push",
        "status": _overall(last.values()),
        "created_at": time(run.created_at), "updated_at": time(run.updated_at),
        "web_url": f"{address}/{repository.path}/-/pipelines/{run.id}",
    }  # fmt: skip


def _overall(states: Iterable[str]) -> str:
    found = set(states)
    for state in ("failed", "running", "queued", "cancelled", "succeeded"):
        if state in found:
            return _JOB[state]
    return "skipped"


def job(repository: Repository, run: Run, one: Job, address: str) -> JSON:
    """A job of a pipeline."""
    return {
        "id": one.id, "name": one.name, "stage": one.name, "status": _JOB[one.state],
        "ref": run.branch, "tag": False, "allow_failure": False,
        "created_at": time(run.created_at),
        "started_at": time(one.started_at), "finished_at": time(one.finished_at),
        "commit": {"id": run.sha},
        "pipeline": {
            "id": run.id, "project_id": repository.id, "sha": run.sha, "ref": run.branch,
            "status": pipeline(repository, run, address)["status"],
        },
        "web_url": f"{address}/{repository.path}/-/jobs/{one.id}",
    }  # fmt: skip


def issue(repository: Repository, one: Issue, address: str) -> JSON:
    """An issue as in lists."""
    closed = one.closed
    labels = [*one.labels, *([NOT_PLANNED] if closed and closed.kind == "not_planned" else [])]
    web = f"{address}/{repository.path}"
    api = f"{address}/api/v4/projects/{repository.id}/issues"
    blamed = f"\n\nCaused by {web}/-/commit/{one.caused_by}" if one.caused_by else ""
    if one.caused_by_deployment:
        blamed += f"\n\nCaused by {web}/-/jobs/{one.caused_by_deployment * 10}"
    original = closed.original if closed and closed.kind == "duplicate" else None
    return {
        "id": one.id, "iid": one.number, "project_id": repository.id, "title": one.title,
        "description": one.body + blamed, "state": "closed" if closed else "opened",
        "created_at": time(one.opened_at), "updated_at": time(one.updated_at),
        "closed_at": time(closed.at) if closed else None, "labels": sorted(labels),
        "author": user(one.author), "type": "ISSUE", "issue_type": "issue", "severity": "UNKNOWN",
        "web_url": f"{web}/-/issues/{one.number}",
        "_links": {"closed_as_duplicate_of": f"{api}/{original}" if original else None},
    }  # fmt: skip


def state_events(one: Issue) -> list[JSON]:
    """Every closing and reopening of an issue."""
    return [
        {
            "id": event.id, "user": user(event.by), "created_at": time(event.at),
            "resource_type": "Issue", "resource_id": one.id,
            "state": "reopened" if event.kind == "reopened" else "closed",
        }
        for event in one.events
    ]  # fmt: skip


def branch(name: str, tip: Commit) -> JSON:
    """A branch and its newest commit."""
    return {"name": name, "commit": commit(tip), "protected": False, "merged": False}


def tag(one: Tag, of: Commit) -> JSON:
    """A tag; only an annotated one says when it was made."""
    target = hashlib.sha1(f"tag {one.name}{one.sha}".encode(), usedforsecurity=False).hexdigest()
    return {
        "name": one.name, "message": "A tag" if one.tagged_at else None,
        "target": target if one.tagged_at else one.sha, "commit": commit(of), "release": None,
        "protected": False, "created_at": git_time(one.tagged_at) if one.tagged_at else None,
    }  # fmt: skip


def release(repository: Repository, one: Release, address: str) -> JSON:
    """A release; its tag and commit are there for whoever may read the code."""
    sha = repository.tags[one.tag].sha
    return {
        "tag_name": one.tag, "name": one.name, "description": "",
        "created_at": time(one.created_at), "released_at": time(one.published_at),
        "upcoming_release": False, "commit": commit(repository.commits[sha]),
        "_links": {"self": f"{address}/{repository.path}/-/releases/{one.tag}"},
    }  # fmt: skip
