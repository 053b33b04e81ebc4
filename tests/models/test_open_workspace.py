"""Opening a store: mapped as the last sync did, or anew by another configuration."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dora import lineage, services
from dora.config import load
from dora.models import open_workspace
from dora.rules import Rules
from dora.store import create_tables
from tests.models.harness import REPOSITORY, at, sha

COUNTED = "select change, service from delivered_changes where left_out is null order by change"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two commits and their deployments, mapped without any configuration."""
    path = tmp_path / "dora.duckdb"
    connection = duckdb.connect(str(path))
    create_tables(connection)
    for number, (name, parents) in enumerate((("a", ""), ("b", sha("a"))), 1):
        connection.execute(
            "insert into commits (source, repository, sha, parents, authored_at, committed_at,"
            " is_bot, commit_id) values ('s', ?, ?, ?, ?, ?, false, ?)",
            [REPOSITORY, sha(name), parents, *[at(number).replace(tzinfo=None)] * 2, number],
        )
        connection.execute(
            "insert into deployments (source, id, repository, environment, status, finished_at,"
            " sha, unplanned, inferred) values ('s', ?, ?, 'live', 'succeeded', ?, ?, false, true)",
            [f"v{number}", REPOSITORY, at(10 + number).replace(tzinfo=None), sha(name)],
        )
    services.write(connection, None)
    lineage.update(connection)
    connection.close()
    return path


def opened(store: Path, config: Path | None) -> list[tuple[object, ...]]:
    given = None if config is None else load(config)
    workspace = open_workspace(store, config=given, rules=Rules(), as_of=at(100))
    workspace.need("delivered_changes")
    return workspace.rows(COUNTED)


def test_store_without_configuration_is_mapped_as_it_was(store: Path) -> None:
    kinds = duckdb.connect(str(store), read_only=True)
    live = kinds.execute("select kind from environment_kinds").fetchall()
    kinds.close()
    expected = {sha("a"), sha("b")} if live == [("production",)] else set()
    assert {change for change, _ in opened(store, None)} == expected


def test_another_configuration_maps_anew_in_memory_only(store: Path, tmp_path: Path) -> None:
    config = tmp_path / "dora.toml"
    config.write_text(
        'store = "dora.duckdb"\n'
        "[environments]\n"
        'production = ["live"]\n'
        "[[services]]\n"
        'name = "checkout"\n'
        f'repositories = ["{REPOSITORY}"]\n'
    )
    before = store.read_bytes()
    assert set(opened(store, config)) == {(sha("a"), "checkout"), (sha("b"), "checkout")}
    assert store.read_bytes() == before


def earlier(store: Path) -> duckdb.DuckDBPyConnection:
    """The store as a version left it that did not tell yet what contains all before it."""
    older = duckdb.connect(str(store))
    older.execute("alter table stream_deployments drop column cumulative")
    older.execute("update lineage_state set fingerprint = '2 ' || substr(fingerprint, 3)")
    return older


def test_a_store_of_an_earlier_version_is_walked_anew_in_memory_only(store: Path) -> None:
    earlier(store).close()
    before = store.read_bytes()
    workspace = open_workspace(store, rules=Rules(), as_of=at(100))
    told = workspace.rows("select sha, cumulative from stream_deployments order by position")
    assert told == [(sha("a"), True), (sha("b"), True)]
    assert store.read_bytes() == before


def test_the_next_walk_tells_a_store_of_an_earlier_version_what_is_new(store: Path) -> None:
    older = earlier(store)
    assert lineage.update(older)
    told = older.execute("select cumulative from stream_deployments").fetchall()
    assert told == [(True,), (True,)]
