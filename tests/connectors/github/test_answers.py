"""What a sync brings from GitHub: the organisation's facts row by row, and its five metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dora
from dora import store
from dora.config import Config
from dora.delivery import Delivery
from dora.records import RECORD_TYPES, Record
from tests.forges.answers import ANSWERS
from tests.forges.asking import assert_answered
from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation, at
from tests.forges.records import Expected
from tests.forges.scenario import acme
from tests.forges.syncing import configured, differences, rows, synced

pytestmark = pytest.mark.timeout(60)

COMPARED = {
    "repositories": "repository default_branch head_sha incomplete",
    "commits": "repository sha parents authored_at committed_at is_bot subject pull_request",
    "pull_requests": (
        "repository number state opened_at ready_at approved_at merged_at closed_at title labels"
        " head_branch base_branch head_sha merge_sha is_bot reverts"
    ),
    "pull_request_commits": "repository number sha authored_at is_bot merges",
    "reviews": "repository number submitted_at state by",
    "deployments": "repository environment status finished_at sha inferred rule",
    "incidents": (
        "detected_at resolved_at first_resolved_at reopenings repository title labels not_planned"
    ),
    "incident_causes": "cause",
    "builds": "repository sha name attempt branch status",
}
"""Columns whose values do not depend on how the forge spells its ids and addresses."""


@pytest.fixture(scope="module")
def host() -> Iterator[GitHubHost]:
    with GitHubHost(acme()) as host:
        yield host


@pytest.fixture(scope="module")
def given(host: GitHubHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """The organisation, synced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_TOKEN", "ghp_good")
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        given = configured(tmp_path_factory.mktemp("acme"), "github", host.url)
        synced(given)
        yield given


@pytest.mark.parametrize("table", COMPARED)
def test_the_store_has_every_fact_as_it_was(host: GitHubHost, given: Config, table: str) -> None:
    names = COMPARED[table].split()
    expected = _expected(host, table, names)
    with store.connect(given.store) as connection:
        listed = ", ".join(f'"{name}"' for name in names)
        found = connection.execute(f"select {listed} from {table}").fetchall()
    assert sorted(found, key=str) == sorted(expected, key=str)


def _expected(host: GitHubHost, table: str, names: list[str]) -> list[tuple[Any, ...]]:
    records = Expected(host.organisation, host.place).records()
    return [_row(one, names) for one in records if one.table == table]


def _row(record: Record, names: list[str]) -> tuple[Any, ...]:
    """A record as the store has it, where times are UTC without saying so."""
    values = (getattr(record, name) for name in names)
    return tuple(
        value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in values
    )


def test_every_kind_of_fact_is_compared() -> None:
    others = {"commit_paths", "commit_references", "flag_changes", "manual_changes"}
    assert {one.table for one in RECORD_TYPES} == set(COMPARED) | others


def test_the_revert_is_known_by_its_commit(host: GitHubHost, given: Config) -> None:
    shop = host.organisation["shop"]
    added = shop.pull("Add the wishlist")
    undone = next(one for one in shop.pulls.values() if one.reverts == added.number)
    with store.connect(given.store) as connection:
        found = connection.execute("select sha, kind, target from commit_references").fetchall()
    assert found == [(undone.merge_sha, "reverts", added.merge_sha)]


@pytest.fixture(scope="module")
def delivery(given: Config) -> Delivery:
    assert given.path is not None
    return dora.open(given.path)


@pytest.mark.parametrize(("service", "metric"), list(ANSWERS), ids=str)
def test_the_five_metrics_are_those_worked_out_by_hand(
    delivery: Delivery, service: str | None, metric: str
) -> None:
    assert_answered(delivery, service, metric)


@pytest.fixture
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", "ghp_good")
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")


@pytest.mark.usefixtures("_signed_in")
def test_nothing_is_read_from_before_the_day_that_is_named(
    host: GitHubHost, given: Config, tmp_path: Path
) -> None:
    """Whatever has stood still since then is left out, and the record says that it is cut short."""
    since = at("03-15 00:00")
    cut = configured(tmp_path, "github", host.url, since="2026-03-15")
    synced(cut)
    found, every = rows(cut.store), rows(given.store)
    one = host.organisation
    expected = {
        "commits": sum(
            commit.committed_at >= since
            for name in ("shop", "search", "ledger", "cli")
            for commit in one[name].history(one[name].branches["main"])
        ),
        "pull_requests": sum(
            pull.updated_at >= since
            for name in ("shop", "search", "ledger", "cli")
            for pull in one[name].pulls.values()
        ),
        "incidents": sum(
            issue.updated_at >= since and "incident" in issue.labels
            for issue in one["shop"].issues.values()
        ),
        "builds": sum(
            run.attempts for run in one["ledger"].runs.values() if run.created_at >= since
        ),
    }
    assert {table: len(found[table]) for table in expected} == expected
    for table in ("commits", "pull_requests", "incidents", "builds", "deployments"):
        assert found[table] < every[table], table
    with store.connect(cut.store) as connection:
        assert connection.execute("select distinct incomplete from repositories").fetchall() == [
            (True,)
        ]
    with host.counting() as again:
        synced(cut, reconcile=True)
    assert differences(rows(cut.store), found) == {}
    assert again


@pytest.mark.usefixtures("_signed_in")
def test_a_repository_with_nothing_in_it_is_only_itself(tmp_path: Path) -> None:
    organisation = Organisation("acme")
    organisation.add("empty")
    with GitHubHost(organisation) as host:
        given = configured(tmp_path, "github", host.url)
        first, second = synced(given), synced(given, reconcile=True)
    assert first.sources[0].new == {"repositories": 1}
    assert not any(second.sources[0].new.values())
    assert not any(second.sources[0].removed.values())
