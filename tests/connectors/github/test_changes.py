"""Whatever happens at GitHub between two syncs, the store ends as after a first one."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connectors.github import GitHub
from connectors.testing import Reading, Waits, read
from dora.connector import Cursor, streams
from dora.records import Record
from dora.sync import sync
from tests.forges.changes import ALL, SILENT, VISIBLE, play
from tests.forges.github_host import FAULTS, GitHubHost, Trouble
from tests.forges.organisation import Organisation
from tests.forges.scenario import INCIDENT_LABELS, NOW, RULES
from tests.forges.syncing import Clock, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(120)

Held: TypeAlias = dict[type[Record], Reading]


def connector(host: GitHubHost, **keys: Any) -> GitHub:
    options = {
        "url": host.url,
        "token_env": "FORGE_TOKEN",
        "groups": ["acme"],
        "deployments": RULES,
        "incidents": {"labels": INCIDENT_LABELS},
        "at_once": 1,
    }
    made = GitHub("forge", GitHub.Options.model_validate(options | keys), base=Path())
    made.patience = Waits()
    return made


def reading(host: GitHubHost, held: Held | None = None, *, reconcile: bool = False) -> Held:
    """All streams read on from what is held, without a store between."""
    asking = connector(host)
    if reconcile:
        asking.reconcile()
    found: Held = {}
    for one in streams(asking):
        before = held[one] if held else Reading()
        cursor: Cursor | None = json.loads(json.dumps(before.cursor)) if held else None
        more = read(asking, one, cursor)
        assert more.closed
        found[one] = Reading([*before.given, *more.given], checkpoints=more.checkpoints)
    return found


def facts(held: Held) -> set[Record]:
    return {fact for one in held.values() for fact in one.facts().values()}


def assert_same(held: Held, fresh: Held) -> None:
    """Nothing is missing, nothing is left over."""
    assert facts(held) ^ facts(fresh) == set()


@pytest.mark.parametrize("change", VISIBLE)
def test_a_later_sync_finds_a_change_by_itself(
    organisation: Organisation, host: GitHubHost, change: str
) -> None:
    held = reading(host)
    play(organisation, [change])
    later = reading(host, held)
    assert facts(later) != facts(held)
    assert_same(later, reading(host))


@pytest.mark.parametrize("change", SILENT)
def test_a_reconciliation_finds_what_left_no_trace(
    organisation: Organisation, host: GitHubHost, change: str
) -> None:
    held = reading(host)
    play(organisation, [change])
    later = reading(host, held, reconcile=True)
    assert facts(later) != facts(held)
    assert_same(later, reading(host))


KEPT_BY_ITSELF = ("a run is deleted", "a repository is deleted", "a repository is archived")
"""What only a reconciliation that is asked for may take away: hosts forget runs after a year, and a
token that lost a right must not cost the record."""


def shuffled(seed: int) -> list[str]:
    order = list(ALL)
    random.Random(seed).shuffle(order)
    return order


@pytest.mark.parametrize("seed", range(10))
def test_any_changes_and_a_reconciliation_are_as_a_first_sync(
    organisation: Organisation, host: GitHubHost, seed: int
) -> None:
    """Syncs in between see a part of it; the last one looks for what vanished."""
    order = shuffled(seed)
    cuts = sorted(random.Random(seed).sample(range(1, len(order)), 1 + seed % 3))
    held, done = reading(host), 0
    for cut in cuts:
        play(organisation, order[done:cut], NOW + timedelta(days=cut))
        held, done = reading(host, held), cut
    assert_same(reading(host, held, reconcile=True), reading(host))


@pytest.mark.parametrize("seed", range(2))
def test_the_store_is_the_same_too(
    organisation: Organisation, host: GitHubHost, tmp_path: Path, seed: int
) -> None:
    order = shuffled(seed)
    kept = configured(tmp_path / "kept", "github", host.url)
    synced(kept)
    half = len(order) // 2
    play(organisation, order[:half])
    synced(kept)
    play(organisation, order[half:], NOW + timedelta(days=10))
    synced(kept, reconcile=True)
    fresh = configured(tmp_path / "fresh", "github", host.url)
    synced(fresh)
    assert differences(rows(kept.store), rows(fresh.store)) == {}


def test_it_reconciles_by_itself_at_intervals(
    organisation: Organisation, host: GitHubHost, tmp_path: Path
) -> None:
    """Here at every sync, as the interval is a hundredth of a second."""
    kept = configured(tmp_path / "kept", "github", host.url, reconcile_days=1e-7)
    synced(kept)
    play(organisation, [name for name in SILENT if name not in KEPT_BY_ITSELF])
    synced(kept)
    fresh = configured(tmp_path / "fresh", "github", host.url)
    synced(fresh)
    assert differences(rows(kept.store), rows(fresh.store)) == {}


@pytest.mark.parametrize("answers", [3, 9, 15, 21, 27, 33])
def test_a_reconciliation_that_is_cut_off_takes_nothing_away(
    organisation: Organisation, host: GitHubHost, tmp_path: Path, answers: int
) -> None:
    kept = configured(tmp_path / "kept", "github", host.url, page_size=5)
    synced(kept)
    before = rows(kept.store)
    with skipping(Clock()):
        host.troubles.append(Trouble(FAULTS["dropped"], times=10**9, after=answers))
        assert sync(kept, reconcile=True).failed
        assert differences(rows(kept.store), before) == {}
        play(organisation, shuffled(answers))
        sync(kept, reconcile=True)
        host.troubles.clear()
        synced(kept, reconcile=True)
    fresh = configured(tmp_path / "fresh", "github", host.url)
    synced(fresh)
    assert differences(rows(kept.store), rows(fresh.store)) == {}
