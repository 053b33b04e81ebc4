"""Very many pull requests and deployments are there, though none of them is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forges.github_host import GitHubHost
from tests.forges.plenty import LONG, original, plenty
from tests.forges.talking import ask

pytestmark = pytest.mark.timeout(60)


QUERY = """
  query Q($size: Int!, $pulls: String, $deployments: String) {
    repository(owner: "acme", name: "service-0000") {
      pullRequests(first: $size, after: $pulls, orderBy: {field: UPDATED_AT, direction: DESC}) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { number commits(first: 100) { totalCount nodes { commit { oid } } } }
      }
      deployments(first: $size, after: $deployments) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { databaseId statuses(first: 100) { nodes { state } } }
      }
    }
  }
"""


def test_all_of_them_are_on_the_pages() -> None:
    numbers: list[int] = []
    after: dict[str, str] = {}
    page: dict[str, Any] = {}
    with GitHubHost(plenty(2, 400, 100)) as host:
        for _ in range(4):
            page = ask(host, QUERY, size=50, **after)["repository"]
            numbers += [one["number"] for one in page["pullRequests"]["nodes"]]
            after = {"pulls": page["pullRequests"]["pageInfo"]["endCursor"]}
    assert numbers == list(range(200, 0, -1))
    assert not page["pullRequests"]["pageInfo"]["hasNextPage"]
    assert (page["pullRequests"]["totalCount"], page["deployments"]["totalCount"]) == (200, 50)
    (long,) = (one for one in page["pullRequests"]["nodes"] if one["number"] == 1)
    assert [one["commit"]["oid"] for one in long["commits"]["nodes"]] == [
        original(1, 1),
        original(1, 2),
    ]


def test_some_have_more_commits_than_a_page() -> None:
    with GitHubHost(plenty(1, 1000, 4)) as host:
        page = ask(host, QUERY, size=1)["repository"]
    (pull,) = page["pullRequests"]["nodes"]
    assert (pull["number"], pull["commits"]["totalCount"]) == (1000, LONG)
    assert len(pull["commits"]["nodes"]) == 100
    states = [one["state"] for one in page["deployments"]["nodes"][0]["statuses"]["nodes"]]
    assert states == ["INACTIVE", "SUCCESS", "IN_PROGRESS", "QUEUED"]
