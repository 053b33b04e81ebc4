"""A store that was kept up to date is the same as one that is made anew."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.gitlab.asking import rows, synced
from tests.forges.changes import ALL, SILENT, VISIBLE, play
from tests.forges.gitlab_host import GitLabHost
from tests.forges.scenario import NOW


def anew(host: GitLabHost, tmp_path: Path, **options: Any) -> dict[str, Any]:
    """What a store holds that was never synced before."""
    store = tmp_path / "anew.duckdb"
    store.unlink(missing_ok=True)
    assert not synced(host, store, **options).failed
    return rows(store)


@pytest.mark.parametrize("name", VISIBLE)
def test_what_leaves_a_trace_is_found_by_the_next_sync(
    host: GitLabHost, tmp_path: Path, name: str
) -> None:
    store = tmp_path / "kept.duckdb"
    assert not synced(host, store).failed
    before = rows(store)
    play(host.organisation, [name])
    assert not synced(host, store).failed
    assert rows(store) == anew(host, tmp_path)
    assert rows(store) != before


@pytest.mark.parametrize("name", SILENT)
def test_what_leaves_none_is_found_by_a_reconciliation(
    host: GitLabHost, tmp_path: Path, name: str
) -> None:
    store = tmp_path / "kept.duckdb"
    assert not synced(host, store).failed
    before = rows(store)
    play(host.organisation, [name])
    assert not synced(host, store, reconcile=True).failed
    assert rows(store) == anew(host, tmp_path)
    assert rows(store) != before


@pytest.mark.parametrize("seed", range(6))
def test_any_changes_in_any_order_and_syncs_between_them(
    host: GitLabHost, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = list(ALL)
    chance.shuffle(names)
    store = tmp_path / "kept.duckdb"
    assert not synced(host, store).failed
    for start in range(0, len(names), 6):
        play(host.organisation, names[start : start + 6], NOW + timedelta(days=2 * start))
        assert not synced(host, store, reconcile=chance.random() < 0.2).failed
    assert not synced(host, store, reconcile=True).failed
    assert rows(store) == anew(host, tmp_path)
