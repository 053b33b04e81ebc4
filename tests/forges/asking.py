"""Holding what a store says against the answers that were worked out."""

from __future__ import annotations

import pytest

from dora.delivery import Delivery
from tests.forges.answers import ANSWERS
from tests.forges.scenario import NOW, WINDOW


def assert_answered(delivery: Delivery, service: str | None, metric: str) -> None:
    """A metric of a service, or of all of them, says in the scenario's window what it must."""
    asked = delivery.as_of(NOW).window(WINDOW)
    if service is not None:
        asked = asked.service(service)
    result, answer = asked.metric(metric), ANSWERS[service, metric]
    assert result.n == answer.n
    assert result.value == pytest.approx(answer.value)
    if answer.low is not None:
        assert (result.low, result.high) == (answer.low, answer.high)
