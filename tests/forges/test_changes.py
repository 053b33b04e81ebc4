"""What may happen to the organisation really does, alone and after everything else."""

from __future__ import annotations

import random

import pytest

from dora.records import Record
from tests.forges.changes import ALL, play
from tests.forges.organisation import Organisation
from tests.forges.records import Expected
from tests.forges.scenario import acme


def facts(organisation: Organisation) -> set[Record]:
    return set(Expected(organisation, "forge.example.org").records())


@pytest.mark.parametrize("name", ALL)
def test_a_change_changes_the_facts(name: str) -> None:
    organisation = acme()
    before = facts(organisation)
    play(organisation, [name])
    assert facts(organisation) != before


@pytest.mark.parametrize("seed", range(3))
def test_changes_may_come_in_any_order(seed: int) -> None:
    names = list(ALL)
    random.Random(seed).shuffle(names)
    organisation = acme()
    play(organisation, names)
    assert {one.name for one in organisation.repositories.values()} == {
        *("store", "books", "cli", "attic", "lib", "fresh"),
    }
