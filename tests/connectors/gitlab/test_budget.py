"""What reading costs in requests: as little as was promised, and nothing that grows unseen."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.testing import read
from dora.records import Commit, Deployment, PullRequest, PullRequestCommit, Review
from tests.connectors.gitlab.asking import connector, synced
from tests.forges.gitlab_host import GitLabHost
from tests.forges.plenty import plenty
from tests.forges.scenario import ADA, NOW

PROJECTS, MERGE_REQUESTS, DEPLOYMENTS = 1, 1_000, 2_000


@pytest.fixture(scope="module")
def full() -> Iterator[GitLabHost]:
    """A project with very much in it."""
    host = GitLabHost(plenty(PROJECTS, MERGE_REQUESTS, DEPLOYMENTS), clock=NOW)
    with host.serving() as serving:
        yield serving


def of(host: GitLabHost, *parts: str) -> int:
    """How many requests went to addresses that end so."""
    return sum(one.path.endswith(parts) for one in host.requests)


def test_merge_requests_whose_commits_come_from_a_clone(full: GitLabHost) -> None:
    full.requests.clear()
    found = read(connector(full, commits=False, reviews=False), PullRequest).records
    assert len(found) == MERGE_REQUESTS
    assert len(full.requests) <= 30 * MERGE_REQUESTS / 1_000


def test_merge_requests_with_everything_by_the_api(full: GitLabHost) -> None:
    full.requests.clear()
    found = Counter(type(one) for one in read(connector(full), PullRequest).records)
    assert found[PullRequest] == MERGE_REQUESTS
    assert found[Review] == 2 * MERGE_REQUESTS
    assert found[PullRequestCommit] > 3 * MERGE_REQUESTS  # of one more than a page
    assert len(full.requests) <= 3 * MERGE_REQUESTS


def test_deployments_with_times_and_tiers(full: GitLabHost) -> None:
    full.requests.clear()
    rules = {"deployments": ["deployments"]}
    found = read(connector(full, **rules), Deployment).records
    assert len(found) == DEPLOYMENTS
    assert {one.tier for one in found if isinstance(one, Deployment)} == {"production"}
    assert len(full.requests) - 1 <= 12 * DEPLOYMENTS / 1_000


def test_commits_by_the_api(full: GitLabHost) -> None:
    full.requests.clear()
    assert len(read(connector(full), Commit).records) == MERGE_REQUESTS
    assert len(full.requests) <= 1 + PROJECTS * (1 + MERGE_REQUESTS / PROJECTS / 100)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, 3.0),
        ({"builds": True}, 4.0),
        ({"commits": False}, 2.0),
        ({"groups": [], "projects": ["acme/shop", "acme/cli", "acme/ledger"]}, 3.7),
    ],
    ids=str,
)
def test_nothing_new_costs_hardly_anything(
    host: GitLabHost, tmp_path: Path, options: dict[str, Any], most: float
) -> None:
    for number in range(20):
        idle = host.organisation.add(f"idle-{number}")
        idle.deploy(idle.commit("Begin", "03-03 09:00", ADA), "03-04 09:00")
    given = {"builds": False, "deployments": ["deployments"], **options}
    store = tmp_path / "dora.duckdb"
    assert not synced(host, store, **given).failed
    host.requests.clear()
    summary = synced(host, store, **given)
    assert str(summary.sources[0]).startswith("nothing new")
    projects = 3 if "projects" in options else 24
    assert len(host.requests) <= most * projects
    assert summary.sources[0].spent == {"requests": len(host.requests)}


def test_what_changed_costs_what_it_must(host: GitLabHost, tmp_path: Path) -> None:
    store = tmp_path / "dora.duckdb"
    assert not synced(host, store).failed
    before = len(host.requests)
    shop = host.organisation["shop"]
    shop.touch(shop.pull("Pay by card").number, "04-01 10:00", labels=("late",))
    host.requests.clear()
    assert not synced(host, store).failed
    assert of(host, "/notes", "/commits") == 2 + 0
    assert of(host, "/merge_requests") == 2  # of the group, and of the one project
    assert len(host.requests) < before / 2


@pytest.mark.parametrize(("at_once", "least", "most"), [(1, 1, 1), (4, 3, 5)])
def test_what_belongs_to_merge_requests_of_one_project_is_asked_for_at_once(
    host: GitLabHost, at_once: int, least: int, most: int
) -> None:
    only: dict[str, Any] = {"groups": [], "projects": ["acme/shop"], "at_once": at_once}
    host.delay = 0.02
    first = read(connector(host, **only), PullRequest).given
    assert least <= max(host.at_once) <= most
    assert first == read(connector(host, **only), PullRequest).given  # in the same order, too


def test_nobody_goes_on_asking_when_nobody_takes_what_is_read(host: GitLabHost) -> None:
    host.delay = 0.02
    items = connector(host).records(PullRequest, None)
    next(item for item in items if isinstance(item, PullRequest))
    items.close()
    names = [one.name for one in threading.enumerate()]
    assert not [name for name in names if name.startswith("dora-")]
    asked = len(host.requests)
    time.sleep(0.1)
    assert len(host.requests) == asked
