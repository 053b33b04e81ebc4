"""Where a clone has the commits, GitLab is asked for none of them but the originals of squashes."""

from __future__ import annotations

from typing import Any

from connectors.gitlab import GitLab
from connectors.testing import read
from dora.records import Commit, PullRequest, PullRequestCommit, Repository
from tests.connectors.gitlab.asking import connector
from tests.forges.gitlab_host import GitLabHost

SHOP = "127.0.0.1/Acme/Shop"


def cloned(host: GitLabHost, **options: Any) -> GitLab:
    """A connector that was told of a clone of the shop, under a name as somebody typed it."""
    made = connector(host, **options)
    made.cloned = frozenset({SHOP})
    return made


def test_commits_and_head_are_left_to_the_clone(host: GitLabHost) -> None:
    made = cloned(host)
    for kind in (Repository, Commit):
        found = {one.repository for one in read(made, kind).records}
        assert found == {f"127.0.0.1/acme/{name}" for name in ("search", "ledger", "cli")}
    shop = f"/projects/{host.organisation['shop'].id}"
    assert not [one for one in host.requests if one.path.startswith(f"{shop}/repository")]


def test_the_originals_of_squashes_are_nowhere_else(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    found = read(cloned(host), PullRequest).records
    numbers = {
        one.number
        for one in found
        if isinstance(one, PullRequestCommit) and one.repository == "127.0.0.1/acme/shop"
    }
    assert numbers == {one.number for one in shop.pulls.values() if one.method == "squash"}


def test_no_commits_at_all_are_asked_for_where_that_is_said(host: GitLabHost) -> None:
    found = read(connector(host, commits=False), PullRequest).records
    assert not [one for one in found if isinstance(one, PullRequestCommit)]
    assert not [one for one in host.requests if one.path.endswith("/commits")]
