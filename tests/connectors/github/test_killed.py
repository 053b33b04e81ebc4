"""A sync that ends anywhere goes on from there; what reading costs is bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dora.sync import sync
from tests.forges.github_host import FAULTS, GitHubHost, Trouble
from tests.forges.syncing import Clock, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(120)

FOREVER = 10**9
MOST = 90
"""More requests than any sync of the organisation makes."""


def test_a_sync_cut_off_again_and_again_comes_to_its_end(host: GitHubHost, tmp_path: Path) -> None:
    """Each one gets a few answers further than the one before, then the network is gone."""
    fresh = configured(tmp_path / "fresh", "github", host.url)
    synced(fresh)
    kept = configured(tmp_path / "kept", "github", host.url, page_size=5, at_once=1)
    with skipping(Clock()):
        for allowed in range(2, MOST, 7):
            host.troubles[:] = [Trouble(FAULTS["dropped"], times=FOREVER, after=allowed)]
            if not sync(kept).failed:
                break
    assert allowed > MOST / 4
    assert differences(rows(kept.store), rows(fresh.store)) == {}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
@pytest.mark.parametrize("answers", [4, 11, 17])
def test_a_sync_that_is_killed_is_gone_on_with(
    host: GitHubHost, tmp_path: Path, answers: int
) -> None:
    given = configured(tmp_path / "killed", "github", host.url, page_size=10)
    running = subprocess.Popen(
        [sys.executable, "-m", "dora", "sync", "--config", str(given.path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    left = [answers]

    def kill(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            running.send_signal(signal.SIGKILL)

    host.before = kill
    assert running.wait(60) == -signal.SIGKILL
    host.before = None
    synced(given)
    fresh = configured(tmp_path / "fresh", "github", host.url)
    synced(fresh)
    assert differences(rows(given.store), rows(fresh.store)) == {}


def test_requests_are_few_and_nothing_new_costs_next_to_none(
    host: GitHubHost, tmp_path: Path
) -> None:
    given = configured(tmp_path, "github", host.url)
    with host.counting() as first:
        synced(given)
    with host.counting() as again:
        summary = synced(given)
    repositories = 4
    assert len(first) <= 12 * repositories
    assert len(again) <= 3 * repositories
    assert summary.sources[0].spent["requests"] == len(again)
    assert not summary.sources[0].new
