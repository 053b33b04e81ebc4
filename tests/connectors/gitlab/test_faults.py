"""Whatever goes wrong on the way, the store is in the end as if nothing had, or nothing is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from dora.patience import Patience
from dora.sync import sync
from tests.connectors.gitlab.asking import VARIABLE, InNoTime, config, rows, synced
from tests.forges.gitlab_host import GOOD, Fault, GitLabHost, Token
from tests.forges.gitlab_host.faults import FaultKind
from tests.forges.scenario import acme

REFUSALS = ("401", "403", "404")
PASSING = [kind for kind in get_args(FaultKind) if kind not in REFUSALS]
LISTS = (
    r"^/groups/acme/projects",
    r"/repository/branches/",
    r"/repository/commits",
    r"/merge_requests$",
    r"/merge_requests/\d+/commits",
    r"/merge_requests/\d+/notes",
    r"/deployments",
    r"/environments",
    r"/pipelines$",
    r"/pipelines/\d+/jobs",
    r"/releases",
    r"/repository/tags",
    r"/issues$",
    r"/issues/\d+/resource_state_events",
)


@pytest.fixture(autouse=True)
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dora.sync.Patience", InNoTime)


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], int]]:
    """What the store holds where nothing goes wrong, and how many requests that took."""
    store = tmp_path_factory.mktemp("well") / "dora.duckdb"
    with pytest.MonkeyPatch.context() as patch, GitLabHost(acme()).serving() as host:
        patch.setenv(VARIABLE, GOOD)
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        assert not synced(host, store).failed
        yield _named(rows(store)), len(host.requests)


def _named(found: dict[str, Any]) -> dict[str, Any]:
    """Rows without the ports of hosts, which are never the same."""
    import re

    return {
        table: [re.sub(r"127\.0\.0\.1:\d+", "host", repr(row)) for row in listed]
        for table, listed in found.items()
    }


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_leaves_no_trace(
    host: GitLabHost, tmp_path: Path, well: tuple[dict[str, Any], int], kind: FaultKind
) -> None:
    slow = {"seconds": 0.4} if kind == "slow" else {}
    for match in LISTS:
        host.faults.add(Fault(kind, match, times=2, **slow), Fault(kind, match, after=3, **slow))
    store = tmp_path / "dora.duckdb"
    summary = synced(host, store, timeout=0.2 if kind == "slow" else 30)
    expected, asked = well
    assert not summary.failed, summary
    assert _named(rows(store)) == expected
    assert len(host.requests) <= asked + 3 * len(LISTS)


@pytest.mark.parametrize("kind", PASSING)
def test_what_does_not_pass_ends_after_a_few_tries_and_keeps_what_came_before(
    host: GitLabHost, tmp_path: Path, well: tuple[dict[str, Any], int], kind: FaultKind
) -> None:
    store = tmp_path / "dora.duckdb"
    slow = {"seconds": 0.4} if kind == "slow" else {}
    host.faults.add(Fault(kind, r"/deployments", times=None, **slow))
    timeout = 0.2 if kind == "slow" else 30
    summary = sync(config(host, store, timeout=timeout), max_wait=timedelta(hours=2))
    assert summary.failed
    assert summary.sources[0].error
    assert summary.sources[0].hint
    assert len(host.requests) <= well[1] + 4 * 25  # four readers at once
    kept = _named(rows(store))
    assert kept["pull_requests"] == well[0]["pull_requests"]
    assert not kept["deployments"]

    host.faults.clear()
    assert not synced(host, store).failed
    assert _named(rows(store)) == well[0]


def test_a_wait_that_nobody_wants_ends_the_sync_and_keeps_what_came(
    host: GitLabHost, tmp_path: Path, well: tuple[dict[str, Any], int]
) -> None:
    store = tmp_path / "dora.duckdb"
    host.faults.add(Fault("429 with RateLimit-Reset", "/deployments", times=None, seconds=3600))
    summary = sync(config(host, store), max_wait=timedelta(minutes=10))
    assert summary.failed
    assert "rate limit" in str(summary.sources[0].error)
    assert _named(rows(store))["pull_requests"] == well[0]["pull_requests"]


def test_limits_are_kept_that_the_host_states(
    host: GitLabHost, tmp_path: Path, well: tuple[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dora.sync.Patience", Patience)  # in real time, as the host counts
    host.limit, host.period = 60, 1.0
    store = tmp_path / "dora.duckdb"
    assert not synced(host, store).failed
    assert _named(rows(store)) == well[0]
    refused = [request for request in host.requests if request.status == 429]
    assert 0 < len(refused) <= 4 * (well[1] // host.limit)  # four readers find out at once


@pytest.mark.parametrize("kind", ["401", "404"])
def test_a_token_that_ends_midway_ends_the_sync_and_costs_nothing(
    host: GitLabHost, tmp_path: Path, well: tuple[dict[str, Any], int], kind: FaultKind
) -> None:
    store = tmp_path / "dora.duckdb"
    host.faults.add(Fault(kind, r"/pipelines|/jobs|/deployments", times=None))
    summary = synced(host, store)
    said = f"{summary.sources[0].error} {summary.sources[0].notes}"
    assert ("401" in said) if kind == "401" else ("could not be read" in said)
    host.faults.clear()
    assert not synced(host, store).failed
    assert _named(rows(store)) == well[0]


def test_another_token_takes_over_where_one_is_refused(
    host: GitLabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, well: tuple[Any, int]
) -> None:
    monkeypatch.setenv("OTHER", "glpat-other-0123456789abcdef")
    host.tokens = {GOOD: Token(), "glpat-other-0123456789abcdef": Token(expired=True)}
    store = tmp_path / "dora.duckdb"
    assert not synced(host, store, token_env=["OTHER", VARIABLE]).failed
    assert _named(rows(store)) == well[0]


def test_tokens_get_nowhere(
    host: GitLabHost,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    store = tmp_path / "dora.duckdb"
    host.faults.add(Fault("502", times=3), Fault("401", "/deployments", times=None))
    summary = synced(host, store)
    assert summary.failed
    secret = GOOD.encode()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path
    assert GOOD not in caplog.text
    assert GOOD not in f"{summary!r} {config(host, store)!r}"


def test_a_token_is_not_sent_to_another_host(host: GitLabHost, tmp_path: Path) -> None:
    with GitLabHost(acme()).serving() as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        host.redirects = elsewhere
        summary = synced(host, tmp_path / "dora.duckdb")
        assert summary.failed
        assert "redirects to" in str(summary.sources[0].error)
        assert not other.requests
