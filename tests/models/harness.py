"""Given facts, and what a model makes of them on both engines.

Facts are handed over as records; lineage is walked by `dora.lineage`; which service and which kind
of environment they belong to is said in a few words here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd

from dora import lineage
from dora.engines import Engine
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from dora.models import Workspace
from dora.records import (
    Commit,
    CommitReference,
    Deployment,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)
from dora.rules import Rules
from dora.store import create_tables

REPOSITORY = "example.org/shop"
SECOND = 1_000_000
HOUR = 3600 * SECOND
START = datetime(2026, 3, 1, tzinfo=UTC)
SERVICE_TABLES = {
    "service_map": "repository VARCHAR, stated VARCHAR, name VARCHAR, environment VARCHAR,"
    " service VARCHAR, by_paths BOOLEAN",
    "environment_kinds": "environment VARCHAR, tier VARCHAR, kind VARCHAR",
    "commit_services": "commit_id BIGINT, service VARCHAR",
}


def at(hours: float) -> datetime:
    """That many hours after the first of March."""
    return START + timedelta(hours=hours)


def sha(name: str) -> str:
    """The object id of a commit that the tests call by name."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


class Given:
    """Facts of one shop, told by short names and hours, and what models make of them."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.facts: list[Record] = []
        self.names: dict[str, str] = {}
        self.services: list[tuple[str, str, str, bool]] = []
        self.commit_services: list[tuple[str, str]] = []

    def head(self, name: str, **more: Any) -> None:
        self.facts.append(Repository(REPOSITORY, "main", sha(name), **more))

    def commit(self, name: str, parents: str = "", hour: float = 0, **more: Any) -> None:
        """A commit, authored and committed at that hour unless more is said."""
        named = {"author": "ann", "authored_at": at(hour), "committed_at": at(hour)} | more
        self.names[sha(name)] = name
        above = " ".join(sha(parent) for parent in parents.split())
        repository = named.pop("repository", REPOSITORY)
        self.facts.append(Commit(repository, sha(name), above, **named))

    def line(self, names: str) -> None:
        """Commits one after the other, an hour apart, from hour 0."""
        listed = names.split()
        for hour, (parent, name) in enumerate(zip(["", *listed], listed, strict=False)):
            self.commit(name, parent, hour)

    def deploy(self, name: str, commit: str | None, hour: float, **more: Any) -> None:
        stated = {"environment": "production", "status": "succeeded", "version": name} | more
        deployed = None if commit is None else sha(commit)
        repository = stated.pop("repository", REPOSITORY)
        self.facts.append(
            Deployment(name, repository, finished_at=at(hour), sha=deployed, **stated)
        )

    def pull(self, number: int, lands: str | None, hour: float, **more: Any) -> None:
        """A pull request opened a day before it is merged as that commit."""
        stated = {"state": "merged", "opened_at": at(hour - 24), "merged_at": at(hour)} | more
        landed = None if lands is None else sha(lands)
        self.facts.append(PullRequest(REPOSITORY, number, merge_sha=landed, **stated))

    def original(self, number: int, name: str, hour: float, **more: Any) -> None:
        self.names.setdefault(sha(name), name)
        stated = {"author": "ann"} | more
        self.facts.append(PullRequestCommit(REPOSITORY, number, sha(name), at(hour), **stated))

    def review(self, number: int, hour: float, by: str = "person") -> None:
        self.facts.append(
            Review(REPOSITORY, number, f"{number}-{hour}-{by}", at(hour), "approved", by)
        )

    def says(self, name: str, kind: str, target: str) -> None:
        self.facts.append(CommitReference(REPOSITORY, sha(name), kind, target))

    def rows(
        self, model: str, columns: str, *, as_of: float = 10_000, **rules: Any
    ) -> list[tuple[Any, ...]]:
        """These columns of a model, in order; commits by the names that the test gave them."""
        workspace = self.workspace(Rules().but(**rules), at(as_of))
        workspace.need(model)
        found = workspace.rows(f"select {columns} from {model}")
        workspace.close()
        named = [tuple(self._told(cell) for cell in row) for row in found]
        return sorted(named, key=lambda row: tuple((cell is not None, str(cell)) for cell in row))

    def _told(self, cell: Any) -> Any:
        if isinstance(cell, datetime):
            return cell.replace(tzinfo=UTC)
        return self.names.get(cell, cell)

    def counted(self, **rules: Any) -> dict[str, str]:
        """Each change that counts in lead time, and the deployment that delivered it."""
        found = self.rows("delivered_changes", "change, deployment, left_out", **rules)
        return {change: deployment for change, deployment, out in found if out is None}

    def left_out(self, **rules: Any) -> dict[str, str]:
        """Each change that does not count, and why."""
        found = self.rows("delivered_changes", "change, left_out", **rules)
        return {change: reason for change, reason in found if reason is not None}

    def workspace(self, rules: Rules, as_of: datetime, zone: str = "UTC") -> Workspace:
        connection = self._stored()
        engine: Engine = DuckDB(connection)
        if self.engine == "sqlite":
            engine = SQLite(_copied(connection))
        return Workspace(engine, rules=rules, as_of=as_of, zone=zone)

    def _stored(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        create_tables(connection)
        for record in self.facts:
            values = {"source": "s"} | dataclasses.asdict(record)
            if isinstance(record, Commit):
                values["commit_id"] = list(self.names).index(record.sha) + 1
            listed = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" * len(values))
            plain = [v.replace(tzinfo=None) if isinstance(v, datetime) else v
                     for v in values.values()]  # fmt: skip
            connection.execute(f"insert into {record.table} ({listed}) values ({marks})", plain)
        self._map(connection)
        lineage.update(connection)
        return connection

    def _map(self, connection: duckdb.DuckDBPyConnection) -> None:
        deployed = [fact for fact in self.facts if isinstance(fact, Deployment)]
        default = {(d.repository, "", d.repository.split("/", 1)[1], False) for d in deployed}
        kinds = {
            (d.environment, d.tier or "",
             d.tier or ("production" if d.environment.startswith("prod") else "staging"))
            for d in deployed
        }  # fmt: skip
        ids = {name: number for number, name in enumerate(self.names.values(), 1)}
        rows = {
            "service_map": [
                (repository, stated, "*", "*", service, by_paths)
                for repository, stated, service, by_paths in self.services or sorted(default)
            ],
            "environment_kinds": sorted(kinds),
            "commit_services": [(ids[name], service) for name, service in self.commit_services],
        }
        for table, described in SERVICE_TABLES.items():
            connection.execute(f"create table {table} ({described})")
            for row in rows[table]:
                marks = ", ".join("?" * len(row))
                connection.execute(f"insert into {table} values ({marks})", list(row))


def _copied(connection: duckdb.DuckDBPyConnection) -> sqlite3.Connection:
    """The same tables in SQLite."""
    database = sqlite3.connect(":memory:")
    engine = SQLite(database)
    tables: dict[str, dict[str, str]] = {}
    for table, column, sql_type in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns"
        " where table_catalog = current_database() and table_schema = 'main'"
        " order by table_name, ordinal_position"
    ).fetchall():
        tables.setdefault(table, {})[column] = sql_type
    for table, types in tables.items():
        rows = connection.execute(f"select * from {table}").fetchall()
        engine.load(table, pd.DataFrame(rows, columns=list(types), dtype=object), types)
    return database
