"""A store that was kept up to date is the same as one that is made anew."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.gitlab.asking import VARIABLE, rows, synced
from tests.forges.changes import ALL, SILENT, VISIBLE, play
from tests.forges.gitlab_host import GOOD, GitLabHost
from tests.forges.scenario import NOW, acme


@dataclass
class Begun:
    """A host that may go back to the end of its month, and the store that was made of it then."""

    host: GitLabHost
    store: Path

    def copy(self, folder: Path) -> Path:
        """That store, to go on with."""
        self.host.organisation = acme()
        return Path(shutil.copy(self.store, folder / "kept.duckdb"))

    def anew(self, folder: Path) -> dict[str, Any]:
        """What a store holds that was never synced before."""
        assert not synced(self.host, folder / "anew.duckdb").failed
        return rows(folder / "anew.duckdb")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    store = tmp_path_factory.mktemp("begun") / "dora.duckdb"
    with pytest.MonkeyPatch.context() as patch, GitLabHost(acme()).serving() as host:
        patch.setenv(VARIABLE, GOOD)
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        assert not synced(host, store).failed
        yield Begun(host, store)


@pytest.mark.parametrize("name", ALL)
def test_what_happens_is_found_what_leaves_no_trace_by_a_reconciliation(
    begun: Begun, tmp_path: Path, name: str
) -> None:
    store = begun.copy(tmp_path)
    before = rows(store)
    play(begun.host.organisation, [name])
    assert not synced(begun.host, store, reconcile=name in SILENT).failed
    assert rows(store) == begun.anew(tmp_path)
    assert rows(store) != before
    assert {*SILENT, *VISIBLE} == {*ALL}


@pytest.mark.parametrize("seed", range(4))
def test_any_changes_in_any_order_and_syncs_between_them(
    begun: Begun, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names = list(ALL)
    chance.shuffle(names)
    store = begun.copy(tmp_path)
    for start in range(0, len(names), 7):
        play(begun.host.organisation, names[start : start + 7], NOW + timedelta(days=2 * start))
        assert not synced(begun.host, store, reconcile=chance.random() < 0.2).failed
    assert not synced(begun.host, store, reconcile=True).failed
    assert rows(store) == begun.anew(tmp_path)


def test_reading_everything_again_leaves_nothing_that_is_gone(begun: Begun, tmp_path: Path) -> None:
    store = begun.copy(tmp_path)
    play(begun.host.organisation, list(SILENT))
    assert not synced(begun.host, store, only="acme", full=True).failed
    assert rows(store) == begun.anew(tmp_path)
