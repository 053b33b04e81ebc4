"""What tests of all parts ask for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from dora.engines import Engine
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays to the end: garbage is not looked for among it."""
    gc.freeze()


@pytest.fixture(params=[DuckDB.empty, SQLite], ids=["duckdb", "sqlite"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with nothing in it: each of those that every model runs on."""
    made = request.param()
    yield made
    made.close()
