"""What tests of all parts ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dora.engines import Engine
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite


@pytest.fixture(params=[DuckDB.empty, SQLite], ids=["duckdb", "sqlite"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with nothing in it: each of those that every model runs on."""
    made = request.param()
    yield made
    made.close()
