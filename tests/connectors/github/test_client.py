"""What GitHub's answers mean, how large pages are, and what is asked of both interfaces."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from github import GithubException

from connectors.github import GitHub
from connectors.github.judging import Judge
from connectors.github.paging import Size
from connectors.github.places import Places
from connectors.http.errors import Absent
from connectors.http.retrying import GiveUp, Policy, Refused, Retry, Wait
from connectors.testing import Waits, read
from dora.errors import SourceError
from dora.records import Commit, Deployment, Incident, PullRequest
from tests.connectors.hosts import Asked, Host, Reply, serving

NOW = 1_900_000_000
DATE = formatdate(NOW, usegmt=True)
LIMIT = "API rate limit exceeded for user ID 1."
SECONDARY = "You have exceeded a secondary rate limit."


def judged(status: int, data: Any, **headers: str) -> Any:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Judge(lambda text: text)(GithubException(status, data, {"date": DATE, **told}))


@pytest.mark.parametrize(
    ("status", "data", "headers", "expected"),
    [
        (403, {"message": SECONDARY}, {"retry_after": "30"}, Wait(30.0, "rate limit")),
        (403, {"message": SECONDARY}, {}, Wait(60.0, "rate limit")),
        (
            403,
            {"message": SECONDARY},  # the reset is that of the primary limit, which is not used up
            {"x_ratelimit_reset": str(NOW + 3000), "x_ratelimit_remaining": "4000"},
            Wait(60.0, "rate limit"),
        ),
        (
            403,
            {"message": LIMIT},
            {"x_ratelimit_reset": str(NOW + 90), "x_ratelimit_remaining": "0"},
            Wait(91.0, "rate limit"),
        ),
        (429, None, {}, Wait(60.0, "rate limit")),
        (429, {"message": ""}, {"retry_after": "5"}, Wait(5.0, "rate limit")),
        (
            400,
            {"errors": [{"type": "RATE_LIMIT", "message": LIMIT, "code": "graphql_rate_limit"}]},
            {"x_ratelimit_reset": str(NOW + 90), "x_ratelimit_remaining": "0"},
            Wait(91.0, "GraphQL rate limit"),
        ),
        (
            400,
            {"errors": [{"type": "RATE_LIMITED", "message": LIMIT}]},
            {},
            Wait(60.0, "GraphQL rate limit"),
        ),
        (401, {"message": "Bad credentials"}, {}, Refused("401 Bad credentials")),
        (500, {"message": "Server Error"}, {}, Retry("500 Server Error")),
        (200, None, {}, Retry("no answer of its interface: no reason given")),
    ],
)
def test_an_answer_is_taken_as_it_is_meant(
    status: int, data: Any, headers: dict[str, str], expected: Any
) -> None:
    assert judged(status, data, **headers) == expected


@pytest.mark.parametrize(
    ("status", "data", "absent"),
    [
        (404, {"message": "Not Found"}, True),
        (403, {"message": "Resource not accessible by personal access token"}, True),
        (451, {"message": "Repository access blocked"}, True),
        (400, {"errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]}, True),
        (400, {"errors": [{"type": "FORBIDDEN", "message": "Protected by SAML"}]}, True),
        (422, {"message": "Validation Failed"}, False),
        (400, {"errors": [{"message": "Field 'x' doesn't exist on type 'Issue'"}]}, False),
    ],
)
def test_what_is_not_there_is_told_apart_from_what_is_wrong(
    status: int, data: Any, absent: bool
) -> None:
    verdict = judged(status, data)
    assert isinstance(verdict, GiveUp)
    assert isinstance(verdict.error, Absent) is absent
    assert isinstance(verdict.error, SourceError)


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (502, None),
        (504, {"message": "We couldn't respond to your request in time."}),
        (400, {"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits"}]}),
        (400, {"errors": [{"message": "Something went wrong while executing your query."}]}),
    ],
)
def test_what_is_too_much_for_the_host_asks_for_less(status: int, data: Any) -> None:
    size = Size(100)
    judge = Judge(lambda text: text, lambda: size.too_much(size.now))
    assert isinstance(judge(GithubException(status, data, {})), Retry)
    assert size.now == 50


def test_pages_shrink_at_once_and_grow_slowly_but_not_to_what_was_too_much() -> None:
    size = Size(100, first=40)
    for _ in range(4):
        size.went_well()
    assert size.now == 80
    size.too_much(80)
    size.too_much(80)  # another reader was told so, too
    assert size.now == 40
    for _ in range(20):
        size.went_well()
    assert size.now == 60  # three quarters of what was too much
    for _ in range(40):
        size.went_well()
    assert size.now == 100  # much later it is tried again
    for _ in range(10):
        size.too_much(size.now)
    assert size.now == 1


PLACE: Mapping[str, Any] = {
    "id": "R_1",
    "nameWithOwner": "acme/shop",
    "url": "https://github.example.com/acme/shop",
    "isArchived": False,
    "isFork": False,
    "isEmpty": True,
    "defaultBranchRef": None,
    "pullRequests": {"nodes": []},
    "issues": {"nodes": []},
    "deployments": {"nodes": []},
    "releases": {"nodes": [], "totalCount": 0},
    "refs": {"nodes": [], "totalCount": 0},
}


def limit(remaining: int = 4000, cost: int = 1) -> dict[str, Any]:
    reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    return {"cost": cost, "remaining": remaining, "resetAt": reset}


@contextmanager
def github(answers: Mapping[str, Any], **keys: Any) -> Iterator[tuple[GitHub, Host]]:
    """A source on a host that gives these answers, by operation or by the end of a path."""

    def answer(asked: Asked, _: int) -> Reply:
        if asked.method == "GET":
            return next(Reply(content) for path, content in answers.items() if path in asked.path)
        name = json.loads(asked.body)["query"].split()[1].partition("(")[0]
        errors = answers.get(f"errors of {name}")
        return Reply({"data": answers[name]} | ({"errors": errors} if errors else {}))

    with serving(answer) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", "ghp_first")
        patch.setenv("SECOND", "ghp_second")
        options = {"url": f"{host.url}/api/v3", "repositories": ["acme/shop"], **keys}
        made = GitHub("acme", GitHub.Options.model_validate(options), base=Path())
        made.patience = Waits()
        yield made, host


def asked_rest(host: Host) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(one.path).query)) for one in host.asked if one.method == "GET"]


def issue(number: int, updated: str = "2026-03-02T09:00:00Z") -> dict[str, Any]:
    return {
        "id": f"I_{number}",
        "number": number,
        "title": f"Issue {number}",
        "body": None,
        "state": "OPEN",
        "stateReason": None,
        "url": f"https://github.example.com/acme/shop/issues/{number}",
        "createdAt": "2026-03-01T09:00:00Z",
        "updatedAt": updated,
        "closedAt": None,
        "labels": {"nodes": [{"name": "bug"}], "pageInfo": {"hasNextPage": False}},
        "timelineItems": {"nodes": [], "pageInfo": {"hasNextPage": False}},
    }


def issues(*rows: dict[str, Any] | None) -> dict[str, Any]:
    listed = {"nodes": list(rows), "pageInfo": {"hasNextPage": False, "endCursor": None}}
    return {"rateLimit": limit(), "node": {"issues": listed}}


@pytest.mark.parametrize(
    ("incidents", "expected"),
    [
        ({"types": ["Incident"]}, {"I_1"}),
        ({"where": "type:incident or type:Outage"}, {"I_1", "I_2"}),
        ({"where": "not type:*"}, {"I_3"}),
    ],
)
def test_types_of_issues_come_by_rest_where_they_matter(
    incidents: dict[str, Any], expected: set[str]
) -> None:
    answers = {
        "Named": {"rateLimit": limit(), "repository": PLACE},
        "Issues": issues(issue(1), issue(2), issue(3)),
        "/repos/acme/shop/issues": [
            {"number": 1, "type": {"name": "Incident"}},
            {"number": 2, "type": {"name": "Outage"}},
            {"number": 9, "type": None},
        ],
    }
    with github(answers, incidents=incidents) as (made, host):
        first = read(made, Incident)
        assert {one.id for one in first.records if isinstance(one, Incident)} == expected
        page = {"state": "all", "type": "*", "per_page": "100", "page": "1"}
        assert asked_rest(host) == [page]
    with github(answers, incidents=incidents) as (made, host):
        read(made, Incident, first.cursor)
        assert asked_rest(host) == [{**page, "since": "2026-03-02T08:50:00Z"}]


def test_types_are_not_asked_for_where_they_do_not_matter() -> None:
    answers = {
        "Named": {"rateLimit": limit(), "repository": PLACE},
        "Issues": issues(issue(1)),
    }
    with github(answers, incidents={"labels": ["bug"]}) as (made, host):
        assert len(read(made, Incident).records) == 1
        assert asked_rest(host) == []


def error(*path: Any) -> dict[str, Any]:
    return {"type": "FORBIDDEN", "message": "Resource not accessible", "path": list(path)}


def test_a_row_that_is_shown_in_part_is_set_aside_and_the_others_are_read() -> None:
    half = {**issue(1), "labels": None}
    answers = {
        "Named": {"rateLimit": limit(), "repository": PLACE},
        "Issues": issues(half, issue(2), None),
        "errors of Issues": [error("node", "issues", "nodes", 0, "labels")],
    }
    with github(answers, incidents={"labels": ["bug"]}) as (made, _):
        found = read(made, Incident)
    assert found.notes == ["127.0.0.1/acme/shop: 1 rows of a page are not shown to the token."]
    assert [one.id for one in found.records if isinstance(one, Incident)] == ["I_2"]
    assert [(one.location, one.reason) for one in found.rejected] == [
        ("acme/shop#1", "the host shows only a part of it")
    ]


@pytest.mark.parametrize(
    ("kind", "answers", "reason"),
    [
        (
            Incident,
            {"Issues": {"node": {"issues": None}}, "errors of Issues": [error("node", "issues")]},
            "Resource not accessible",
        ),
        (Incident, {"Issues": {"node": None}}, "the host does not show its issues"),
        (
            Deployment,
            {"Deployments": {"node": {"deployments": None}}},
            "the host does not show its deployments",
        ),
        (PullRequest, {"PullRequests": {"node": {}}}, "the host does not show its pullRequests"),
        (
            Commit,  # its newest commit was pushed away since it was looked up
            {"History": {"node": {"object": None}}},
            "the host does not show its history",
        ),
    ],
)
@pytest.mark.parametrize("reconciling", [False, True])
def test_a_list_that_is_not_shown_is_never_taken_for_an_empty_one(
    kind: Any, answers: dict[str, Any], reason: str, reconciling: bool
) -> None:
    place = {**PLACE, "defaultBranchRef": {"name": "main", "target": {"oid": "a" * 40}}}
    named = {"Named": {"rateLimit": limit(), "repository": place}}
    with github(named | answers, incidents={}) as (made, _):
        if reconciling:
            made.reconcile()
        found = read(made, kind)
    name = "127.0.0.1/acme/shop"
    assert [(one.part, one.reason) for one in found.unread] == [(name, reason)]
    assert not {"newest", "heads", "deployments"} & set(found.cursor.get("parts", {}).get(name, ()))
    assert not [one for one in found.given if one.where == {"repository": name}]


def test_a_token_that_is_nearly_used_up_rests_before_it_is_refused() -> None:
    answers = {
        "Named": {"rateLimit": limit(remaining=2), "repository": PLACE},
        "Issues": issues(issue(1)),
    }
    with github(answers, incidents={}) as (made, _):
        read(made, Incident)
        waits = made.patience
        assert isinstance(waits, Waits)
        ((why, seconds),) = waits.said
        assert why == "GraphQL points used up"
        assert 590 < seconds < 605
    two = {"incidents": {}, "token_env": ["GITHUB_TOKEN", "SECOND"]}
    with github(answers, **two) as (made, host):
        read(made, Incident)
        waits = made.patience
        assert isinstance(waits, Waits)
        assert waits.said == []  # the other one went on
        assert len({one.headers["Authorization"] for one in host.asked}) == 2


def test_repositories_that_are_too_many_to_look_at_at_once_are_looked_at_in_pieces() -> None:
    names = [f"acme/r{number}" for number in range(8)]
    rows = {
        f"R_{n}": {**PLACE, "id": f"R_{n}", "nameWithOwner": name} for n, name in enumerate(names)
    }
    asked: list[int] = []

    def answer(given: Asked, _: int) -> Reply:
        ids = json.loads(given.body)["variables"]["ids"]
        asked.append(len(ids))
        if len(ids) > 3:
            return Reply(None, 502)
        return Reply({"data": {"rateLimit": limit(), "nodes": [rows[one] for one in ids]}})

    with serving(answer) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", "ghp_first")
        options = {"url": f"{host.url}/api/v3", "repositories": names}
        made = GitHub("acme", GitHub.Options.model_validate(options), base=Path())
        made.patience, made.policy = Waits(), Policy(attempts=2)
        known = {name: f"R_{n}" for n, name in enumerate(names)}
        found = Places(made.client, made.options).find(known)
    assert [place.path for place in found.places.values()] == names
    assert asked == [8, 8, 4, 4, 2, 2, 4, 4, 2, 2]


def test_what_was_spent_is_counted() -> None:
    answers = {
        "Named": {"rateLimit": limit(cost=3), "repository": PLACE},
        "Issues": issues(issue(1)),
    }
    with github(answers, incidents={}) as (made, _):
        assert made.spent == {}
        read(made, Incident)
        assert made.spent == {"requests": 2, "points": 4}


def test_what_a_token_may_not_see_of_a_repository_does_not_hide_all_of_it() -> None:
    """Lists of a repository are never null: one that may not be seen takes the whole with it."""
    dark = {"type": "FORBIDDEN", "message": "Resource not accessible", "path": ["repository"]}
    asked: list[dict[str, Any]] = []

    def answer(given: Asked, _: int) -> Reply:
        body = json.loads(given.body)
        name, variables = body["query"].split()[1].partition("(")[0], body["variables"]
        if name == "Issues":
            return Reply({"data": issues(issue(1))})
        asked.append(variables)
        if variables["pulls"]:
            return Reply({"data": {"rateLimit": None, "repository": None}, "errors": [dark]})
        seen = {name: value for name, value in PLACE.items() if name not in LISTS}
        return Reply({"data": {"rateLimit": None, "repository": seen}})

    with serving(answer) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", "ghp_first")
        options = {"url": f"{host.url}/api/v3", "repositories": ["acme/shop"], "incidents": {}}
        made = GitHub("acme", GitHub.Options.model_validate(options), base=Path())
        made.patience = Waits()
        first = read(made, Incident)
        assert len(first.records) == 1
        again = GitHub("acme", GitHub.Options.model_validate(options), base=Path())
        again.patience = Waits()
        before = len(host.asked)
        assert read(again, Incident, first.cursor).given == []
    assert [one["pulls"] for one in asked] == [True, False] * 2
    assert len(host.asked) - before == 3  # what was not looked at is asked for, never passed over


LISTS = ("pullRequests", "issues", "deployments", "releases", "refs")


def test_commits_that_may_not_be_seen_are_said_to_be() -> None:
    hidden = {**PLACE, "isEmpty": False, "defaultBranchRef": None}
    answers = {"Named": {"rateLimit": limit(), "repository": hidden}}
    with github(answers) as (made, _):
        found = read(made, Commit)
    assert [one.reason for one in found.unread] == ["its contents are not shown"]
