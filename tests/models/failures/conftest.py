"""The same tests on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from tests.models.failures.world import World


@pytest.fixture(params=[DuckDB.empty, SQLite], ids=["duckdb", "sqlite"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An empty world on one of the engines."""
    engine = request.param()
    yield World(engine)
    engine.close()
