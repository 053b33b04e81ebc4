"""Everything at once: changes while GitHub is read, faults, syncs cut off, reconciliations."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from dora.sync import sync
from tests.forges.changes import ALL, play
from tests.forges.github_host import FAULTS, GitHubHost, Trouble
from tests.forges.organisation import Organisation
from tests.forges.scenario import NOW, acme
from tests.forges.syncing import Clock, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(120)

FOREVER = 10**9


class Meanwhile:
    """Lets the organisation change, every few requests."""

    def __init__(self, organisation: Organisation, chance: random.Random) -> None:
        self._organisation = organisation
        self._chance = chance
        self._order = list(ALL)
        chance.shuffle(self._order)
        self._happened = 0
        self._left = 5

    def __call__(self, _: str) -> None:
        self._left -= 1
        if self._left == 0 and self._happened < len(self._order):
            self._left = self._chance.randint(3, 20)
            moment = NOW + timedelta(hours=8 * self._happened)
            play(self._organisation, [self._order[self._happened]], moment)
            self._happened += 1


def troubles(way: str, chance: random.Random) -> list[Trouble]:
    """What goes wrong during one sync."""
    if way == "cut off":
        return [Trouble(FAULTS["dropped"], times=FOREVER, after=chance.randint(1, 60))]
    if way == "faults":
        passing = [fault for fault in FAULTS.values() if fault.name != "slow"]
        return [
            Trouble(chance.choice(passing), times=chance.randint(1, 2), after=chance.randint(0, 30))
            for _ in range(5)
        ]
    return []


@pytest.mark.parametrize("seed", range(4))
def test_it_all_comes_right_in_the_end(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    organisation, clock = acme(), Clock()
    with GitHubHost(organisation, now=clock.now) as host, skipping(clock):
        size = (2, 100, 5, 100)[seed]
        kept = configured(tmp_path / "kept", "github", host.url, page_size=size, timeout=5)
        host.before = Meanwhile(organisation, chance)
        for way in ("cut off", "faults", "cut off", "faults"):
            host.troubles[:] = troubles(way, chance)
            ended = sync(kept, reconcile=chance.random() < 0.5)
            assert way == "cut off" or not ended.failed
        host.troubles.clear()
        host.before = None
        synced(kept, reconcile=True)
        fresh = configured(tmp_path / "fresh", "github", host.url)
        synced(fresh)
    assert differences(rows(kept.store), rows(fresh.store)) == {}
