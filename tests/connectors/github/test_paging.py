"""Lists that are long, that move while they are read, or that the host does not show whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dora import store
from tests.forges.facts import ReviewState
from tests.forges.github_host import FAULTS, GitHubHost, Trouble
from tests.forges.organisation import Organisation, at
from tests.forges.scenario import ADA, GRACE, NOW
from tests.forges.syncing import Clock, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(120)

FOREVER = 10**9


def once(kind: str, number: int, happen: Callable[[], None]) -> Callable[[str], None]:
    """Something that happens right before the how manieth request of a kind."""
    left = [number]

    def before(asked: str) -> None:
        if asked == kind:
            left[0] -= 1
            if left[0] == 0:
                happen()

    return before


def as_a_first_sync(host: GitHubHost, kept: Path, folder: Path) -> None:
    fresh = configured(folder / "fresh", "github", host.url)
    synced(fresh)
    assert differences(rows(kept), rows(fresh.store)) == {}


@pytest.mark.parametrize("size", [2, 7])
def test_small_pages_give_the_same(host: GitHubHost, tmp_path: Path, size: int) -> None:
    given = configured(tmp_path / "small", "github", host.url, page_size=size)
    synced(given)
    as_a_first_sync(host, given.store, tmp_path)


def test_pages_shrink_until_the_host_can_cope(host: GitHubHost, tmp_path: Path) -> None:
    timing_out = replace(FAULTS["502"], rest=False)
    host.troubles.append(Trouble(timing_out, times=FOREVER, above=6))
    given = configured(tmp_path / "shrunk", "github", host.url)
    with skipping(Clock()), host.counting() as made:
        synced(given)
    sizes = {one.size for one in made if one.graphql and not one.fault}
    assert max(size for size in sizes if size) <= 6
    host.troubles.clear()
    as_a_first_sync(host, given.store, tmp_path)


@pytest.mark.parametrize("page", [2, 3])
def test_a_pull_request_that_moves_up_while_they_are_read_is_found_next_time(
    organisation: Organisation, host: GitHubHost, tmp_path: Path, page: int
) -> None:
    shop = organisation["shop"]
    oldest = min(shop.pulls.values(), key=lambda one: one.updated_at)
    moment = NOW + timedelta(hours=1)
    host.before = once(
        "PullRequests", page, lambda: shop.touch(oldest.number, moment, labels=("late",))
    )
    given = configured(tmp_path / "kept", "github", host.url, page_size=3, at_once=1)
    synced(given)
    host.before = None
    synced(given)
    as_a_first_sync(host, given.store, tmp_path)


def test_a_repository_renamed_while_it_is_read_loses_nothing(
    organisation: Organisation, host: GitHubHost, tmp_path: Path
) -> None:
    runs = "/repos/{owner}/{repo}/actions/runs"
    host.before = once(runs, 1, lambda: organisation.rename("ledger", "books"))
    given = configured(tmp_path / "kept", "github", host.url)
    synced(given)
    host.before = None
    synced(given)
    as_a_first_sync(host, given.store, tmp_path)


def test_commits_that_the_host_does_not_show_are_told_of(host: GitHubHost, tmp_path: Path) -> None:
    host.commit_cap = 250
    given = configured(tmp_path, "github", host.url)
    summary = synced(given)
    (said,) = (note for note in summary.sources[0].notes if "acme/ledger#1" in note)
    assert "250 of its 260 commits" in said


def test_runs_beyond_the_thousand_that_a_filter_shows_are_read(tmp_path: Path) -> None:
    """Twenty begin in the same second of each day, for four months."""
    organisation = Organisation("acme")
    busy = organisation.add("busy")
    sha = busy.commit("Begin", at("01-01 00:00"), ADA)
    count = 2_350
    for number in range(count):
        moment = at("01-02 00:00") + timedelta(days=number // 20)
        busy.run("Deploy", sha, moment, ("production", moment, moment, "succeeded"))
    with GitHubHost(organisation) as host:
        given = configured(
            tmp_path, "github", host.url, deployments=["deployments"], incidents=None
        )
        synced(given)
        with host.counting() as again:
            synced(given)
    with store.connect(given.store) as connection:
        [found] = connection.execute("select count(*), count(distinct id) from builds").fetchall()
    assert found == (count, count)
    assert len(again) <= 3


def crowded() -> Organisation:
    """A repository where everything within something else is longer than a page."""
    organisation = Organisation("acme")
    shop = organisation.add("shop")
    first = shop.commit("Begin", at("01-05 09:00"), ADA)
    started = at("01-06 09:00")
    work = shop.commit("Work", started, ADA, branch="work", parents=[first])
    number = shop.propose("Work", started, ADA, [work], head="work")
    for minute in range(130):
        state: ReviewState = "approved" if minute == 129 else "commented"
        shop.review(number, started + timedelta(minutes=minute), GRACE, state)
    shop.touch(number, started + timedelta(hours=3), labels=tuple(f"n{n}" for n in range(220)))
    deployed = shop.deploy(first, started)
    for minute in range(210):
        shop.status(deployed, started + timedelta(minutes=minute), "running")
    shop.status(deployed, started + timedelta(hours=4), "succeeded")
    labels = (*(f"n{n}" for n in range(140)), "incident")
    issue = shop.report("Broken", started, ADA, *labels)
    for minute in range(1, 106):
        moment = started + timedelta(minutes=minute)
        shop.turn(issue, moment, "closed" if minute % 2 else "reopened", ADA)
    return organisation


def test_lists_within_rows_are_read_to_their_end(tmp_path: Path) -> None:
    organisation = crowded()
    with GitHubHost(organisation) as host:
        given = configured(tmp_path, "github", host.url)
        synced(given)
        more = {one.kind for one in host.requests if one.kind.startswith("More")}
    assert more == {"MoreReviews", "MoreLabels", "MoreStatuses", "MoreIssueLabels", "MoreTurns"}
    with store.connect(given.store) as connection:

        def one(query: str) -> tuple[Any, ...]:
            [row] = connection.execute(query).fetchall()
            return tuple(row)

        def kept_time(clock: str) -> datetime:
            return datetime.fromisoformat(f"2026-01-06 {clock}")

        assert one("select count(*) from reviews") == (130,)
        approved = "select approved_at, len(string_split(labels, ',')) from pull_requests"
        assert one(approved) == (kept_time("11:09"), 220)
        deployed = "select status, started_at, finished_at from deployments"
        assert one(deployed) == (
            "succeeded",
            kept_time("09:00"),
            kept_time("13:00"),
        )
        incident = "select reopenings, len(string_split(labels, ',')), resolved_at from incidents"
        assert one(incident) == (52, 141, kept_time("10:45"))
