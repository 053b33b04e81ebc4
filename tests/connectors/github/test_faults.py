"""Whatever goes wrong on the way, the store ends as if nothing had, after a bounded effort."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dora.config import Config
from dora.sync import sync
from tests.forges.github_host import (
    FAULTS,
    NOT_FOUND,
    UNAUTHORIZED,
    Fault,
    GitHubHost,
    Request,
    Token,
    Trouble,
)
from tests.forges.scenario import acme
from tests.forges.syncing import Clock, Rows, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(120)

REPOSITORIES = ["acme/shop", "acme/ledger", "acme/cli"]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def host(clock: Clock) -> Iterator[GitHubHost]:
    with GitHubHost(acme(), now=clock.now) as host:
        yield host


@pytest.fixture(autouse=True)
def waits(host: GitHubHost, clock: Clock) -> Iterator[list[tuple[str, float]]]:
    """No time is spent waiting, and nothing is left of an earlier test's troubles."""
    host.troubles.clear()
    with skipping(clock) as waits:
        yield waits
    host.troubles.clear()


def source(host: GitHubHost, folder: Path, **more: Any) -> Config:
    chosen: dict[str, Any] = {"groups": None, "repositories": REPOSITORIES, "timeout": 1}
    return configured(folder, "github", host.url, **chosen, **more)


@pytest.fixture(scope="module")
def undisturbed(
    host: GitHubHost, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Rows, list[Request]]:
    """What the store holds where nothing went wrong, and what was asked for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_TOKEN", "ghp_good")
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        given = source(host, tmp_path_factory.mktemp("undisturbed"))
        with host.counting() as made:
            synced(given)
        return rows(given.store), made


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda one: one.name)
def test_a_fault_changes_nothing_in_the_store(
    host: GitHubHost, undisturbed: tuple[Rows, list[Request]], fault: Fault, tmp_path: Path
) -> None:
    """It strikes every kind of request that it can, one in the middle, and a slow one once."""
    expected, asked = undisturbed
    able = {one.kind for one in asked if (fault.graphql if one.graphql else fault.rest)}
    struck = sorted(able)[:1] if fault.name == "slow" else sorted(able)
    host.troubles += [Trouble(fault, kind=kind) for kind in struck]
    host.troubles.append(Trouble(fault, after=len(asked) // 2))
    given = source(host, tmp_path)
    with host.counting() as made:
        synced(given)
    assert differences(rows(given.store), expected) == {}
    happened = [one for one in made if one.fault is not None]
    assert {one.kind for one in happened} >= set(struck)
    assert len(made) <= len(asked) + 2 * len(happened) + 5


def test_a_token_refused_in_the_middle_ends_the_sync_and_the_next_goes_on(
    host: GitHubHost, undisturbed: tuple[Rows, list[Request]], tmp_path: Path
) -> None:
    expected, asked = undisturbed
    given = source(host, tmp_path)
    host.troubles.append(Trouble(UNAUTHORIZED, times=10**9, after=len(asked) // 2))
    with host.counting() as made:
        summary = sync(given)
    assert "401" in str(summary.sources[0].error)
    assert "FORGE_TOKEN" in str(summary.sources[0].error)
    assert len(made) <= len(asked)
    kept = rows(given.store)
    assert kept["commits"]
    host.troubles.clear()
    with host.counting() as rest:
        synced(given)
    assert differences(rows(given.store), expected) == {}
    assert len(rest) < len(asked)


def test_what_vanishes_while_it_is_read_is_named_and_the_rest_goes_on(
    host: GitHubHost, undisturbed: tuple[Rows, list[Request]], tmp_path: Path
) -> None:
    given = source(host, tmp_path)
    runs = "/repos/{owner}/{repo}/actions/runs"
    host.troubles.append(Trouble(NOT_FOUND, times=10**9, kind=runs))
    summary = synced(given)
    assert "404" in " ".join(summary.sources[0].notes)
    found, (expected, _) = rows(given.store), undisturbed
    assert set(differences(found, expected)) <= {"builds", "deployments"}
    host.troubles.clear()
    synced(given)
    assert differences(rows(given.store), expected) == {}


def test_a_host_that_stays_broken_is_given_up_after_a_bounded_effort(
    host: GitHubHost, tmp_path: Path, waits: list[tuple[str, float]]
) -> None:
    given = source(host, tmp_path)
    host.troubles.append(Trouble(FAULTS["502"], times=10**9))
    with host.counting() as made:
        summary = sync(given)
    assert summary.failed
    assert len(made) <= 10
    assert sum(seconds for _, seconds in waits) <= 600


def test_two_tokens_that_are_soon_used_up_are_enough(
    host: GitHubHost,
    undisturbed: tuple[Rows, list[Request]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[tuple[str, float]],
) -> None:
    """Each is good for a few requests an hour; they take turns, and rest together."""
    expected, asked = undisturbed
    monkeypatch.setenv("SECOND", "ghp_second")
    whole = host.tokens
    host.tokens = [Token("ghp_good", limit=15), Token("ghp_second", limit=15)]
    given = source(host, tmp_path, token_env=["FORGE_TOKEN", "SECOND"])
    with host.counting() as made:
        synced(given)
    host.tokens = whole
    assert differences(rows(given.store), expected) == {}
    assert {one.token for one in made} == {"ghp_good", "ghp_second"}
    assert len(made) <= 2 * len(asked)
    assert sum(seconds for _, seconds in waits) <= 4 * 3600 * READERS


READERS = 4
"""Each of those that read at the same time tells of the wait that they share."""
