"""The GitHub made for tests pages, refuses, charges and forbids as GitHub's GraphQL does."""

from __future__ import annotations

import json
import re

import graphql
import pytest
import requests
from github import GithubException

from tests.contracts.reading import github_schema
from tests.forges.github_host import GitHubHost, Token
from tests.forges.github_host.costs import cost
from tests.forges.organisation import Organisation
from tests.forges.scenario import ADA, GRACE, acme
from tests.forges.talking import NEWEST, OLDEST, ask, client, get, pages

pytestmark = pytest.mark.timeout(60)


def of_the_shop(fields: str) -> str:
    return f'query Q {{ repository(owner: "acme", name: "shop") {{ {fields} }} }}'


@pytest.mark.parametrize("size", [1, 2, 5, 13, 100])
def test_pages_of_any_size_give_every_row_once_in_order(host: GitHubHost, size: int) -> None:
    pulls = host.organisation["shop"].pulls.values()
    newest_first = sorted(pulls, key=lambda one: (one.updated_at, one.id), reverse=True)
    assert pages(host, NEWEST, size) == [one.number for one in newest_first]
    assert pages(host, OLDEST, size) == [one.number for one in reversed(newest_first)]


def test_a_row_that_is_touched_between_pages_is_missed_newest_first_and_no_other() -> None:
    organisation = acme()
    shop = organisation["shop"]
    everything = set(shop.pulls)
    oldest = min(shop.pulls.values(), key=lambda one: one.updated_at)

    with GitHubHost(organisation) as host:
        found = pages(host, NEWEST, 4, lambda: shop.touch(oldest.number, "04-01 10:00"))
    assert everything - set(found) == {oldest.number}


def test_a_cursor_that_is_none_is_refused(host: GitHubHost) -> None:
    issues = 'issues(first: 1, after: "x") { totalCount }'
    with pytest.raises(GithubException) as error:
        ask(host, of_the_shop(issues))
    assert error.value.data["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"


DEEP = """
  issues(first: 90) { nodes { labels(first: 90) { nodes { issues(first: 90) { totalCount } } } } }
"""


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("nope", "Cannot query field 'nope'"),
        ("issues { totalCount }", "MISSING_PAGINATION_BOUNDARIES"),
        ("issues(first: 101) { totalCount }", "EXCESSIVE_PAGINATION"),
        (DEEP, "MAX_NODE_LIMIT_EXCEEDED"),
    ],
)
def test_queries_that_github_would_refuse_are_refused(
    host: GitHubHost, inner: str, said: str
) -> None:
    with pytest.raises(GithubException) as error:
        ask(host, of_the_shop(inner))
    assert said in json.dumps(error.value.data)


def test_costs_are_those_of_githubs_documentation() -> None:
    """Two examples of "Rate limits and query limits for the GraphQL API" on docs.github.com."""
    nodes = """
      query { viewer {
        repositories(first: 50) { edges { repository: node { name
          pullRequests(first: 20) { edges { pullRequest: node { title
            comments(first: 10) { edges { comment: node { bodyHTML } } } } } }
          issues(first: 20) { totalCount edges { issue: node { title bodyHTML
            comments(first: 10) { edges { comment: node { bodyHTML } } } } } } } } }
        followers(first: 10) { edges { follower: node { login } } } } }
    """
    assert cost(github_schema(), graphql.parse(nodes), {}).nodes == 22_060
    points = """
      query { viewer { login repositories(first: 100) { edges { node { id
        issues(first: 50) { edges { node { id
          labels(first: 60) { edges { node { id name } } } } } } } } } } }
    """
    asked = cost(github_schema(), graphql.parse(points), {})
    assert (asked.lists, asked.points) == (5_101, 51)


def test_a_query_says_what_it_costs_and_what_is_left(host: GitHubHost) -> None:
    query = "query Q { rateLimit { cost limit remaining used nodeCount resetAt } }"
    first, second = ask(host, query)["rateLimit"], ask(host, query)["rateLimit"]
    assert (first["cost"], first["limit"], first["remaining"]) == (1, 5000, 4999)
    assert (second["used"], second["remaining"]) == (2, 4998)
    assert host.points == 2


def test_who_has_used_all_points_is_told_so_until_they_are_forgotten(
    organisation: Organisation,
) -> None:
    now = [1_000_000.0]
    with GitHubHost(organisation, [Token("ghp_good", limit=2)], now=lambda: now[0]) as host:
        query = "query Q { viewer { login } }"
        for _ in range(2):
            ask(host, query)
        with pytest.raises(GithubException) as error:
            ask(host, query)
        assert error.value.data["errors"][0]["type"] == "RATE_LIMITED"
        headers = error.value.headers or {}
        assert headers["x-ratelimit-remaining"] == "0"
        now[0] = float(headers["x-ratelimit-reset"])
        assert ask(host, query) == {"viewer": {"login": "ada"}}


def test_what_a_token_may_not_read_is_forbidden_and_the_rest_is_there(
    organisation: Organisation,
) -> None:
    some = Token("github_pat_some", scopes=None, may=frozenset({"metadata", "contents"}))
    query = of_the_shop("id deployments(first: 1) { totalCount }")
    with GitHubHost(organisation, [some]) as host:
        assert ask(host, of_the_shop("name"), some.value)
        with pytest.raises(GithubException) as error:
            ask(host, query, some.value)
        (told_error,) = error.value.data["errors"]
        assert told_error["type"] == "FORBIDDEN"
        assert told_error["path"] == ["repository", "deployments"]
        with pytest.raises(GithubException) as refused:
            client(host, some.value).requester.requestJsonAndCheck(
                "GET", "/repos/acme/ledger/actions/runs"
            )
        assert refused.value.status == 403


def test_a_classic_token_without_the_scope_sees_no_private_repository(
    organisation: Organisation,
) -> None:
    with GitHubHost(organisation, [Token("ghp_bare", scopes=("gist",))]) as host:
        with pytest.raises(GithubException) as error:
            ask(host, of_the_shop("id"), "ghp_bare")
        assert error.value.data["errors"][0]["type"] == "NOT_FOUND"
        answer = requests.get(
            f"{host.url}/user", headers={"Authorization": "token ghp_bare"}, timeout=10
        )
        assert answer.headers["X-OAuth-Scopes"] == "gist"


@pytest.mark.parametrize("token", ["ghp_old", "ghp_unknown"])
def test_a_token_that_is_no_good_is_refused(organisation: Organisation, token: str) -> None:
    with GitHubHost(organisation, [Token("ghp_old", expired=True)]) as host:
        with pytest.raises(GithubException) as error:
            ask(host, "query Q { viewer { login } }", token)
        assert error.value.status == 401


def test_a_renamed_repository_is_found_by_graphql_and_redirected_by_rest(host: GitHubHost) -> None:
    query = 'query Q { repository(owner: "acme", name: "finder") { nameWithOwner } }'
    assert ask(host, query) == {"repository": {"nameWithOwner": "acme/search"}}
    moved = get(host, "/repos/acme/finder/actions/runs?per_page=2")
    number = host.organisation["search"].id
    assert moved.status_code == 301
    assert moved.headers["Location"] == (
        f"{host.url}/repositories/{number}/actions/runs?per_page=2"
    )
    assert get(host, f"/repositories/{number}/actions/runs").status_code == 200


def test_what_this_host_cannot_answer_fails_the_test_that_asks(organisation: Organisation) -> None:
    host = GitHubHost(organisation).__enter__()
    with pytest.raises(GithubException):
        ask(host, of_the_shop("stargazerCount"))
    with pytest.raises(AssertionError, match=r"does not show RepositoryView\.stargazerCount"):
        host.__exit__(None, None, None)


def test_things_may_happen_between_two_requests() -> None:
    organisation = acme()
    shop = organisation["shop"]
    with GitHubHost(organisation) as host:
        before = len(pages(host, NEWEST, 100))
        sha = shop.commit("Wrap gifts", "04-01 09:00", ADA, branch="gifts")
        shop.propose("Wrap gifts", "04-01 10:00", GRACE, [sha], head="gifts")
        assert len(pages(host, NEWEST, 100)) == before + 1


def test_every_id_in_an_answer_leads_back_to_its_thing(host: GitHubHost) -> None:
    query = """
      query Q { repository(owner: "acme", name: "shop") { id
        pullRequests(first: 3) { nodes { id } } issues(first: 3) { nodes { id } }
        deployments(first: 3) { nodes { id } } defaultBranchRef { target { id } } } }
    """
    found = re.findall(r'"id": "(\w+)"', json.dumps(ask(host, query)))
    nodes = ask(host, "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=found)["nodes"]
    assert [node["id"] for node in nodes] == found
    assert len(found) == 11
