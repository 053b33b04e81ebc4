"""Talking to a GitHub made for tests as real clients do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from github import Auth, Github

from tests.forges.github_host import GitHubHost


def client(host: GitHubHost, token: str = "ghp_good") -> Github:
    """PyGithub, without its own retries and pauses."""
    return Github(
        base_url=host.url,
        auth=Auth.Token(token),
        retry=None,
        lazy=True,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


def ask(host: GitHubHost, query: str, token: str = "ghp_good", **variables: Any) -> dict[str, Any]:
    """What PyGithub gets from GraphQL."""
    _, answer = client(host, token).requester.graphql_query(query, variables)
    data: dict[str, Any] = answer["data"]
    return data


def get(host: GitHubHost, path: str, **headers: str) -> requests.Response:
    """What anybody gets from REST."""
    return requests.get(
        f"{host.url}{path}",
        headers={"Authorization": "Bearer ghp_good", **headers},
        timeout=10,
        allow_redirects=False,
    )


def pages(
    host: GitHubHost, field: str, size: int, between: Callable[[], None] = lambda: None
) -> list[int]:
    """The numbers of all rows of a list of the shop, page by page."""
    query = (
        'query All($size: Int!, $after: String) { repository(owner: "acme", name: "shop") {'
        f" {field} {{ pageInfo {{ hasNextPage endCursor }} nodes {{ number }} }} }} }}"
    )
    found: list[int] = []
    after = None
    while True:
        page = ask(host, query, size=size, after=after)["repository"][field.split("(")[0]]
        found += [node["number"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        between()


NEWEST = "pullRequests(first: $size, after: $after, orderBy: {field: UPDATED_AT, direction: DESC})"
OLDEST = "pullRequests(first: $size, after: $after, orderBy: {field: UPDATED_AT, direction: ASC})"
