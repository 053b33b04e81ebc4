"""Small stores in memory for the tests of lineage, written in a few words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import duckdb

from dora.records import Commit, Deployment, Repository, columns

START = datetime(2026, 1, 1)  # noqa: DTZ001 - as the store keeps them, UTC without saying so

Connection = duckdb.DuckDBPyConnection


def sha(name: str) -> str:
    """The object id that stands for a name."""
    return hashlib.sha1(name.encode()).hexdigest()


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def store() -> Connection:
    """An empty store, as far as lineage reads it; without comments, which take most of the time."""
    connection = duckdb.connect()
    for record_type in (Repository, Commit, Deployment):
        listed = "".join(f", {c.name} {c.sql_type}" for c in columns(record_type).values())
        connection.execute(f"create table {record_type.table}(source varchar{listed})")
    connection.execute("alter table commits add column commit_id bigint")
    connection.execute(
        "create table service_map(repository varchar, stated varchar, name varchar,"
        " environment varchar, service varchar, by_paths boolean)"
    )
    connection.execute("create table commit_services(commit_id bigint, service varchar)")
    return connection


def repository(connection: Connection, name: str = "shop", *, head: str | None = None) -> None:
    connection.execute("delete from repositories where repository = ?", [name])
    connection.execute(
        "insert into repositories (source, repository, head_sha) values ('git', ?, ?)",
        [name, sha(head) if head else None],
    )


def services(
    connection: Connection, *names: str, of: str = "shop", stated: str = "", by_paths: bool = False
) -> None:
    for name in names:
        connection.execute(
            "insert into service_map values (?, ?, '*', '*', ?, ?)", [of, stated, name, by_paths]
        )


def commits(connection: Connection, parents: Mapping[str, Iterable[str]], of: str = "shop") -> None:
    """Commits by name with the names of their parents; a parent named `?x` is not in the store."""
    for name, known in parents.items():
        [(last,)] = connection.execute("select coalesce(max(commit_id), 0) from commits").fetchall()
        connection.execute(
            "insert into commits (source, commit_id, repository, sha, parents, authored_at,"
            " committed_at, is_bot) values ('git', ?, ?, ?, ?, ?, ?, false)",
            [last + 1, of, sha(name), " ".join(map(sha, known)), START, START],
        )


def line(connection: Connection, names: str, of: str = "shop") -> None:
    """Commits one after the other: `line(connection, "a b c")`."""
    listed = names.split()
    before = [[], *([name] for name in listed)]
    commits(connection, dict(zip(listed, before, strict=False)), of)


def deploy(
    connection: Connection,
    identity: str,
    what: str | None,
    when: float,
    *,
    of: str = "shop",
    to: str = "production",
    status: str = "succeeded",
    service: str | None = None,
    inferred: bool = False,
    source: str = "ci",
) -> None:
    """A deployment of a commit by name; `what` may be `sha:…` for an object id as it is."""
    stated = what[4:] if what and what.startswith("sha:") else (sha(what) if what else None)
    connection.execute(
        "insert into deployments (source, id, repository, environment, status, finished_at, sha,"
        " service, unplanned, inferred) values (?, ?, ?, ?, ?, ?, ?, ?, false, ?)",
        [source, identity, of, to, status, at(when), stated, service, inferred],
    )


def delivered(connection: Connection) -> dict[tuple[str, str], dict[str, int]]:
    """By service and environment: position by commit's object id."""
    rows = connection.execute(
        "select s.service, s.environment, c.sha, l.position from lineage l"
        " join streams s on s.stream = l.stream join commits c on c.commit_id = l.commit_id"
    ).fetchall()
    found: dict[tuple[str, str], dict[str, int]] = {}
    for service, environment, commit, position in rows:
        assert commit not in found.setdefault((service, environment), {})
        found[service, environment][commit] = position
    return found


def deployments(connection: Connection, wanted: str) -> list[tuple[object, ...]]:
    """Columns of the streams' deployments in the order of the walk."""
    rows: list[tuple[object, ...]] = connection.execute(
        f"select {wanted} from stream_deployments join streams using (stream)"
        " order by repository, service, environment, position"
    ).fetchall()
    return rows


def undone(connection: Connection) -> list[tuple[str, str]]:
    """Ids of the deployments undone, each with the rollback that did it."""
    rows: list[tuple[str, str]] = connection.execute(
        "select d.deployment, r.deployment from undone u"
        " join stream_deployments d on d.stream = u.stream and d.position = u.position"
        " join stream_deployments r on r.stream = u.stream and r.position = u.rollback_position"
        " order by all"
    ).fetchall()
    return rows


def contents(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that lineage keeps, with streams by name, to compare stores."""
    key = "s.repository, s.service, s.environment"
    queries = {
        "stream_deployments": f"select {key}, t.* exclude (stream) from stream_deployments t",
        "lineage": f"select {key}, t.* exclude (stream) from lineage t",
        "undone": f"select {key}, t.* exclude (stream) from undone t",
    }
    found = {
        table: connection.execute(
            f"{query} join streams s on s.stream = t.stream order by all"
        ).fetchall()
        for table, query in queries.items()
    }
    found["streams"] = connection.execute(f"select {key} from streams s order by all").fetchall()
    found["state"] = connection.execute("from lineage_state order by all").fetchall()
    return found
