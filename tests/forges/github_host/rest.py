"""REST answers: made in one place, each in the form that GitHub's OpenAPI description promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.forges import facts
from tests.forges.github_host import actions
from tests.forges.github_host.replies import (
    DOCS,
    Query,
    Reply,
    account,
    forbidden,
    not_found,
    repository,
    words,
)
from tests.forges.github_host.values import Seen, time
from tests.forges.organisation import Repository


def reply(path: str, query: Query, seen: Seen) -> Reply:
    """What GitHub says to a GET."""
    for pattern, template, make in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            made = replace(make(seen, query, *match.groups()), template=template)
            return _further(made, path) if made.location else made
    return not_found()


def _further(moved: Reply, path: str) -> Reply:
    """An answer that leads elsewhere, for what is below a repository too."""
    below = "".join(f"/{part}" for part in path.split("/")[4:])
    location = f"{moved.location}{below}"
    return replace(moved, location=location, body={**moved.body, "url": location})


def _whole_repository(seen: Seen, one: Repository) -> dict[str, Any]:
    web = f"{seen.web}/{one.path}"
    counts = (
        "forks_count stargazers_count watchers_count open_issues_count forks open_issues watchers"
    )
    return {
        **repository(seen, one),
        "git_url": f"git:{web}.git",
        "ssh_url": f"git@{web}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        **dict.fromkeys((*counts.split(), "size", "network_count", "subscribers_count"), 0),
        "default_branch": one.default_branch,
        "topics": [],
        **dict.fromkeys(
            words("has_issues has_projects has_wiki has_pages has_downloads has_discussions"), True
        ),
        "archived": one.archived,
        "disabled": False,
        "visibility": "private",
        "pushed_at": time(one.created_at),
        "created_at": time(one.created_at),
        "updated_at": time(one.created_at),
        "license": None,
    }


def _user(seen: Seen, query: Query) -> Reply:
    person = facts.Person(seen.token.login, seen.token.login.title(), "")
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    nothing = dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio"))
    moment = "2020-01-01T00:00:00Z"
    return Reply(
        {
            **account(seen, person),
            **counts,
            **nothing,
            "name": person.name,
            "created_at": moment,
            "updated_at": moment,
        }
    )


def _rate_limit(seen: Seen, query: Query) -> Reply:
    resources = {
        name: {
            "limit": seen.token.limit,
            "used": used,
            "remaining": max(0, seen.token.limit - used),
            "reset": seen.reset,
        }
        for name, used in {**seen.token.used, "search": 0}.items()
    }
    return Reply({"resources": resources, "rate": resources["core"]})


def _in_repository(need: str, make: Callable[..., Reply]) -> Callable[..., Reply]:
    """An answer about a repository, found by name or number; an old name leads to the new one."""

    def found(seen: Seen, query: Query, place: str, *rest: str) -> Reply:
        named = place.startswith("repos/")
        path = place.partition("/")[2]
        one = seen.repository(path) if named else seen.by_id(int(path))
        if one is None:
            return not_found()
        if named and one.path.casefold() != path.casefold():
            location = f"{seen.api}/repositories/{one.id}"
            body = {"message": "Moved Permanently", "url": location, "documentation_url": DOCS}
            return Reply(body, 301, location=location)
        if not seen.may(need, one):
            return forbidden()
        return make(seen, query, one, *rest)

    return found


def _whole(seen: Seen, query: Query, one: Repository) -> Reply:
    return Reply(_whole_repository(seen, one))


def _deployment(seen: Seen, query: Query, one: Repository, number: str) -> Reply:
    deployment = one.deployments.get(int(number))
    if deployment is None:
        return not_found()
    api = f"{seen.api}/repos/{one.path}"
    return Reply(
        {
            "url": f"{api}/deployments/{number}",
            "id": deployment.id,
            "node_id": f"DE_{deployment.id}",
            "sha": deployment.sha,
            "ref": deployment.ref,
            "task": "deploy",
            "payload": {},
            "environment": deployment.environment,
            "original_environment": deployment.environment,
            "description": None,
            "creator": None,
            "created_at": time(deployment.created_at),
            "updated_at": time(deployment.updated_at),
            "statuses_url": f"{api}/deployments/{number}/statuses",
            "repository_url": api,
        }
    )


_PLACE = r"/(repos/[^/]+/[^/]+|repositories/\d+)"
_ROUTES: tuple[tuple[re.Pattern[str], str, Callable[..., Reply]], ...] = tuple(
    (re.compile(pattern), template, make)
    for pattern, template, make in (
        (r"/user", "/user", _user),
        (r"/rate_limit", "/rate_limit", _rate_limit),
        (_PLACE, "/repos/{owner}/{repo}", _in_repository("metadata", _whole)),
        (
            rf"{_PLACE}/deployments/(\d+)",
            "/repos/{owner}/{repo}/deployments/{deployment_id}",
            _in_repository("deployments", _deployment),
        ),
        (
            rf"{_PLACE}/actions/workflows",
            "/repos/{owner}/{repo}/actions/workflows",
            _in_repository("actions", actions.list_workflows),
        ),
        (
            rf"{_PLACE}/actions/workflows/([^/]+)/runs",
            "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
            _in_repository("actions", actions.list_runs),
        ),
        (
            rf"{_PLACE}/actions/runs",
            "/repos/{owner}/{repo}/actions/runs",
            _in_repository("actions", actions.list_runs),
        ),
        (
            rf"{_PLACE}/actions/runs/(\d+)",
            "/repos/{owner}/{repo}/actions/runs/{run_id}",
            _in_repository("actions", actions.one_run),
        ),
        (
            rf"{_PLACE}/actions/runs/(\d+)/attempts/(\d+)",
            "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
            _in_repository("actions", actions.one_attempt),
        ),
        (
            rf"{_PLACE}/actions/runs/(\d+)/attempts/(\d+)/jobs",
            "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
            _in_repository("actions", actions.list_jobs),
        ),
        (
            rf"{_PLACE}/actions/runs/(\d+)/jobs",
            "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
            _in_repository("actions", actions.list_jobs),
        ),
    )
)
