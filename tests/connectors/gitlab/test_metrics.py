"""The five metrics of the scenario, read through GitLab, are those that were worked out by hand."""

from __future__ import annotations

import pytest

import dora
from dora.delivery import Delivery
from tests.connectors.gitlab.asking import VARIABLE, synced
from tests.forges.answers import ANSWERS
from tests.forges.asking import assert_answered
from tests.forges.gitlab_host import GOOD, GitLabHost
from tests.forges.scenario import acme


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    store = tmp_path_factory.mktemp("acme") / "dora.duckdb"
    with pytest.MonkeyPatch.context() as patch, GitLabHost(acme()).serving() as host:
        patch.setenv(VARIABLE, GOOD)
        patch.setenv("DORA_IDENTITY_KEY", "secret")
        summary = synced(host, store)
    assert not summary.failed, summary
    return dora.open(store)


@pytest.mark.parametrize(("service", "metric"), list(ANSWERS), ids=str)
def test_the_metrics_are_those_worked_out_by_hand(
    delivery: Delivery, service: str | None, metric: str
) -> None:
    assert_answered(delivery, service, metric)
