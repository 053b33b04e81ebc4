"""Pull requests that have not landed, on random histories seen at several times."""

from __future__ import annotations

from datetime import datetime

import pytest

from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from dora.models import Workspace
from dora.rules import Rules
from tests.oracle.generator import random_world
from tests.oracle.landings import Landings
from tests.oracle.loading import duckdb_with, sqlite_with
from tests.oracle.planted import planted
from tests.oracle.scenes import at
from tests.oracle.world import Known, World, us

COLUMNS = "repository, number, sha, service, dora_us(started_at), given_up, us"


@pytest.fixture(scope="module")
def world() -> World:
    scenes, drawn = planted(), random_world((1, 4, 15, 32))
    return World(
        scenes.facts + drawn.facts, scenes.services + drawn.services, scenes.kinds, scenes.covers
    )


def rows(engine: DuckDB | SQLite, rules: Rules, as_of: datetime) -> list[tuple[object, ...]]:
    workspace = Workspace(engine, rules=rules, as_of=as_of)
    workspace.need("unlanded_changes", "delivered_changes")
    found = workspace.rows(f"select {COLUMNS} from unlanded_changes")
    counted = workspace.rows("select repository, sha from delivered_changes")
    assert not {row[:1] + row[2:3] for row in found} & set(counted)  # nothing counts twice
    workspace.close()
    return sorted((tuple(map(plain, row)) for row in found), key=str)


def plain(cell: object) -> object:
    return int(cell) if isinstance(cell, bool) else cell


@pytest.mark.parametrize("change", ["commit", "pull_request"])
@pytest.mark.parametrize("as_of", [at(31), at(105), at(9600)], ids=str)
def test_both_engines_find_the_pull_requests_that_wait(
    world: World, as_of: datetime, change: str
) -> None:
    connection = duckdb_with(world)
    rules = Rules().but(change=change)
    found = rows(DuckDB(connection), rules, as_of)
    assert found == rows(SQLite(sqlite_with(connection)), rules, as_of)
    known = Known(world, as_of)
    for repository, number, *_ in found:
        landed = Landings(known, str(repository)).landings
        assert number not in landed
        pull = known.pulls[str(repository), int(str(number))]
        assert pull.opened_at <= as_of
        assert not known.merged(pull.repository, pull.number)
    for _, _, _, _, started, given_up, took in found:
        assert given_up in (0, 1)
        assert given_up or int(str(started)) + int(str(took)) == us(as_of)
    if as_of == at(31):
        assert found, "by then some are open"
