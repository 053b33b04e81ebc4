"""Doing again only what changed gives the same as doing everything anew."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dora import lineage
from dora.lineage import updating
from dora.lineage.batch import Rows
from tests.lineage.stores import (
    Connection,
    at,
    commits,
    contents,
    delivered,
    deploy,
    deployments,
    line,
    repository,
    services,
    sha,
    store,
)

REPOSITORIES = ("shop", "blog", "till")


@pytest.fixture
def three() -> Connection:
    """Three repositories with a service each, up to date."""
    connection = store()
    for name in REPOSITORIES:
        services(connection, name, of=name)
        line(connection, f"{name}-a {name}-b {name}-c", of=name)
        repository(connection, name, head=f"{name}-c")
        deploy(connection, f"{name} 1", f"{name}-a", 1, of=name)
    assert lineage.update(connection)
    return connection


def redone(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The repositories that an update does again."""
    seen: set[str] = set()
    original = updating._replace

    def spy(con: Connection, batch: int, what: Rows) -> None:
        rows = con.execute("select repository from lineage_todo where batch = ?", [batch])
        seen.update(name for (name,) in rows.fetchall())
        original(con, batch, what)

    with monkeypatch.context() as patch:
        patch.setattr(updating, "_replace", spy)
        lineage.update(connection)
    return seen


def test_an_unchanged_store_is_left_alone(three: Connection) -> None:
    before = contents(three)
    assert not lineage.update(three)
    assert contents(three) == before


@pytest.mark.parametrize(
    "change",
    [
        (
            "insert into deployments by name select * replace ('new' as id) from deployments"
            " where repository = 'blog'"
        ),
        "delete from deployments where repository = 'blog'",
        "update deployments set status = 'failed' where repository = 'blog'",
        (
            "update deployments set finished_at = finished_at + interval 1 second"
            " where repository = 'blog'"
        ),
        "update deployments set environment = 'staging' where repository = 'blog'",
        "update deployments set inferred = true where repository = 'blog'",
        f"update deployments set sha = '{sha('blog-b')}' where repository = 'blog'",
        "update service_map set service = 'other' where repository = 'blog'",
        "update service_map set by_paths = true where repository = 'blog'",
        (
            "insert into commit_services select commit_id, 'blog' from commits"
            " where repository = 'blog'"
        ),
        f"update repositories set head_sha = '{sha('blog-b')}' where repository = 'blog'",
        f"delete from commits where sha = '{sha('blog-c')}'",
    ],
)
def test_only_the_repository_that_changed_is_done_again(
    three: Connection, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    three.execute(change)
    assert redone(three, monkeypatch) <= {"blog"}
    after = contents(three)
    three.execute(
        "drop table lineage_state; delete from lineage; delete from undone;"
        " delete from streams; delete from stream_deployments"
    )
    lineage.update(three)
    assert contents(three) == after


def test_facts_that_no_stream_reads_change_nothing(
    three: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    line(three, "x y", of="library")
    three.execute("update deployments set url = 'https://example.org', labels = 'x'")
    deploy(three, "later", "blog-c", 9, of="blog", status="running")
    assert redone(three, monkeypatch) == set()


def test_a_commit_that_comes_late_is_found(three: Connection) -> None:
    deploy(three, "blog 2", "blog-d", 2, of="blog")
    lineage.update(three)
    assert ("unknown",) in deployments(three, "outcome")
    commits(three, {"blog-d": ["blog-c"]}, of="blog")
    lineage.update(three)
    assert ("unknown",) not in deployments(three, "outcome")
    assert delivered(three)["blog", "production"][sha("blog-d")] == 1


def test_a_rewritten_history_that_reuses_a_number_is_noticed(three: Connection) -> None:
    [(last,)] = three.execute("select max(commit_id) from commits").fetchall()
    three.execute("delete from commits where commit_id = ?", [last])
    commits(three, {"till-new": ["till-b"]}, of="till")
    repository(three, "till", head="till-new")
    lineage.update(three)
    assert delivered(three)["till", "production"] == {
        sha("till-a"): 0,
        sha("till-b"): -1,
        sha("till-new"): -1,
    }


def test_streams_keep_their_numbers(three: Connection) -> None:
    before = three.execute("select service, stream from streams order by all").fetchall()
    deploy(three, "x", "blog-b", 0, of="blog", to="alpha")
    lineage.update(three)
    kept = three.execute(
        "select service, stream from streams where environment = 'production' order by all"
    ).fetchall()
    assert kept == before


def test_an_update_that_was_killed_goes_on_where_it_was(
    three: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "BATCH_COMMITS", 1)
    for name in REPOSITORIES:
        deploy(three, f"{name} 2", f"{name}-b", 2, of=name)
    original, calls = updating._replace, []

    def dies(connection: Connection, batch: int, what: Rows) -> None:
        calls.append(batch)
        if len(calls) == 2:
            raise KeyboardInterrupt
        original(connection, batch, what)

    with monkeypatch.context() as patch:
        patch.setattr(updating, "_replace", dies)
        with pytest.raises(KeyboardInterrupt):
            lineage.update(three)
    assert len(redone(three, monkeypatch)) == 2
    assert len(deployments(three, "deployment")) == 6
    assert not lineage.update(three)


def test_a_store_read_only_is_brought_up_to_date_in_memory(
    tmp_path: Path, three: Connection
) -> None:
    path = tmp_path / "dora.duckdb"
    three.execute(f"attach '{path}' as written")
    three.execute("copy from database memory to written")
    three.execute("detach written")
    reader = duckdb.connect()
    reader.execute(f"attach '{path}' as facts (read_only)")
    tables = reader.execute(
        "select table_name from duckdb_tables() where database_name = 'facts'"
    ).fetchall()
    for (table,) in tables:
        reader.execute(f"create view {table} as from facts.{table}")
    assert not lineage.update(reader)
    reader.execute("drop view service_map")
    reader.execute("create table service_map as from facts.service_map")
    services(reader, "second", of="blog")
    assert lineage.update(reader)
    assert contents(reader)["lineage"][:6] == [
        ("blog", "blog", "production", 4, 0),
        ("blog", "blog", "production", 5, -1),
        ("blog", "blog", "production", 6, -1),
        ("blog", "second", "production", 4, 0),
        ("blog", "second", "production", 5, -1),
        ("blog", "second", "production", 6, -1),
    ]
    assert not lineage.update(reader)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[object, ...]]:
    """Steps in any order: commits and deployments come late, change and go, heads move."""
    steps: list[tuple[object, ...]] = []
    for _ in range(draw(st.integers(1, 25))):
        repo = draw(st.sampled_from(REPOSITORIES[:2]))
        number = draw(st.integers(0, 9))
        kind = draw(
            st.sampled_from(
                ["commit"] * 3
                + ["deploy"] * 5
                + ["withdraw", "remove", "head", "map", "paths", "update", "update"]
            )
        )
        environment = draw(st.sampled_from(["production", "staging"]))
        steps.append(
            (
                kind,
                repo,
                number,
                draw(st.integers(0, 9)),
                environment,
                draw(st.lists(st.integers(0, 9), max_size=2, unique=True)),
            )
        )
    return steps


def tell(connection: Connection, step: tuple[object, ...], place: int) -> None:
    kind, repo, number, other, environment, parents = step
    assert isinstance(repo, str)
    assert isinstance(other, int)
    assert isinstance(number, int)
    assert isinstance(parents, list)
    name = f"{repo}-{number}"
    if kind == "commit":
        known = connection.execute("select 1 from commits where sha = ?", [sha(name)]).fetchall()
        if not known:
            commits(connection, {name: [f"{repo}-{p}" for p in parents if p < number]}, of=repo)
    elif kind == "deploy":
        connection.execute("delete from deployments where id = ?", [f"{repo} {other}"])
        deploy(
            connection,
            f"{repo} {other}",
            name,
            number * 7 % 5,
            of=repo,
            to=str(environment),
            inferred=len(parents) == 2,
        )
    elif kind == "withdraw":
        connection.execute(
            "update deployments set status = 'failed', finished_at = ? where id = ?",
            [at(1), f"{repo} {other}"],
        )
    elif kind == "remove":
        connection.execute("delete from commits where sha = ?", [sha(name)])
    elif kind == "head":
        repository(connection, repo, head=name)
    elif kind == "map":
        services(connection, f"service {place}", of=repo, by_paths=bool(other % 2))
    elif kind == "paths":
        connection.execute(
            "insert into commit_services select c.commit_id, m.service from commits c"
            " join service_map m using (repository) where c.sha = ?",
            [sha(name)],
        )
    else:
        lineage.update(connection)


@settings(max_examples=40, deadline=None)
@given(story=stories(), batch=st.sampled_from([1, 5, 1_000_000]))
def test_any_story_ends_as_if_it_had_all_come_at_once(
    story: list[tuple[object, ...]], batch: int
) -> None:
    stepwise, at_once = store(), store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(updating, "BATCH_COMMITS", batch)
        for connection in (stepwise, at_once):
            for name in REPOSITORIES[:2]:
                services(connection, name, of=name)
            for place, step in enumerate(story):
                if connection is stepwise or step[0] != "update":
                    tell(connection, step, place)
            lineage.update(connection)
    assert contents(stepwise) == contents(at_once)
    assert not lineage.update(stepwise)
