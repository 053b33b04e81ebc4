"""The answers worked out by hand hold for the organisation's facts, before any forge says them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import dora
from dora import connector
from dora.delivery import Delivery
from dora.records import RECORD_TYPES
from dora.sync import sync
from tests.forges.answers import ANSWERS
from tests.forges.asking import assert_answered
from tests.forges.records import Expected
from tests.forges.scenario import acme
from tests.sync import fake


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    store = tmp_path_factory.mktemp("acme") / "dora.duckdb"
    records = list(Expected(acme(), "forge.example.org").records())
    given: dict[str, list[Any]] = {
        one.table: [record for record in records if type(record) is one] for one in RECORD_TYPES
    }
    config = fake.config(store, forge={"extra": given})
    covering = replace(config, sources=(replace(config.sources[0], covers=("*",)),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "load", lambda _: fake.Fake)
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        assert not sync(covering).failed
    return dora.open(store)


@pytest.mark.parametrize(("service", "metric"), list(ANSWERS), ids=str)
def test_the_facts_give_what_was_worked_out(
    delivery: Delivery, service: str | None, metric: str
) -> None:
    assert_answered(delivery, service, metric)
