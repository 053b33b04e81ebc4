"""Every test of the models of changes runs on both engines."""

from __future__ import annotations

import pytest

from tests.models.harness import Given


@pytest.fixture(params=["duckdb", "sqlite"])
def given(request: pytest.FixtureRequest) -> Given:
    """A shop without any facts yet."""
    return Given(request.param)
