"""Puts a world into a DuckDB or a SQLite database, as the package's models find their facts."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from dora import lineage
from dora.records import (
    RECORD_TYPES,
    Commit,
    CommitPath,
    Deployment,
    FlagChange,
    Incident,
    ManualChange,
    columns,
)
from dora.store import create_tables
from tests.oracle.world import Known, World

FOREVER = (date(1, 1, 1), date(9999, 12, 31))
SERVICE_TABLES = {
    "service_map": "repository VARCHAR, stated VARCHAR, name VARCHAR, environment VARCHAR,"
    " service VARCHAR, by_paths BOOLEAN",
    "incident_services": "source VARCHAR, incident VARCHAR, service VARCHAR",
    "flag_services": "stated VARCHAR, service VARCHAR",
    "services": "service VARCHAR, team VARCHAR",
    "teams": "team VARCHAR, parent VARCHAR",
    "team_services": "team VARCHAR, service VARCHAR, from_day DATE, until_day DATE",
    "environment_kinds": "environment VARCHAR, tier VARCHAR, kind VARCHAR",
    "covered_services": "service VARCHAR",
    "commit_services": "commit_id BIGINT, service VARCHAR",
}


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, names: list[str], rows: list[tuple[Any, ...]]
) -> None:
    if not rows:
        return
    marks = ", ".join("(" + ", ".join("?" * len(names)) + ")" for _ in rows)
    values = [value for row in rows for value in row]
    listed = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"insert into {table} ({listed}) values {marks}", values)


def duckdb_with(world: World) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the facts, the mapping to services and the lineage."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 1})
    create_tables(connection)
    for record_type in RECORD_TYPES:
        names = list(columns(record_type))
        facts = world.of(record_type)
        rows = [(source, *(_plain(getattr(r, name)) for name in names)) for source, r in facts]
        if record_type is Commit:
            rows = [(*row, number) for number, row in enumerate(rows, 1)]
            names = [*names, "commit_id"]
        insert(connection, record_type.table, ["source", *names], rows)
    add_services(connection, world)
    lineage.update(connection)
    return connection


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value


def add_services(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    """The small tables that say which service everything belongs to."""
    known = Known(world, max(d.finished_at for _, d in world.of(Deployment) if d.finished_at))
    tables = service_rows(known)
    for table, described in SERVICE_TABLES.items():
        connection.execute(f"create or replace table {table} ({described})")
        names = [column.split()[0] for column in described.split(", ")]
        insert(connection, table, names, sorted(tables[table]))


def service_rows(known: Known) -> dict[str, set[tuple[Any, ...]]]:
    from dora.rules import Rules
    from tests.oracle.marts import Incidents, covered_by

    world = known.world
    deployments = [d for _, d in world.of(Deployment)]
    mapped = {
        (d.repository, stated, "*", "*", service, bool(known.globs(service)))
        for d in deployments
        for stated in {d.service or "", ""}
        for service in known.services_of(d.repository, stated or None)
    }
    incidents = Incidents(known, Rules())
    every = {row[4] for row in mapped}
    numbers = {(c.repository, c.sha): n for n, (_, c) in enumerate(world.of(Commit), 1)}
    teams = {s.name: s.team for s in world.services}
    return {
        "service_map": mapped,
        "incident_services": {
            (source, i.id, service)
            for source, i in world.of(Incident)
            for service in incidents.services_of(i)
        },
        "flag_services": {
            (said.service, said.service)
            for kind in (FlagChange, ManualChange)
            for _, said in world.of(kind)
            if said.service
        },
        "services": {(s, teams.get(s) or None) for s in every},
        "teams": set(),
        "team_services": {(teams[s], s, *FOREVER) for s in every if teams.get(s)},
        "environment_kinds": {(d.environment, d.tier or "", known.kind(d)) for d in deployments},
        "covered_services": {(s,) for s in covered_by(known)},
        "commit_services": {
            (numbers[p.repository, p.sha], service)
            for _, p in world.of(CommitPath)
            for service in known.services_of(p.repository, None)
            if known.globs(service) and known.touches(service, p.repository, p.sha)
        },
    }


def sqlite_with(connection: duckdb.DuckDBPyConnection) -> sqlite3.Connection:
    """The same database in SQLite."""
    from dora.engines.sqlite import SQLite

    database = sqlite3.connect(":memory:")
    engine = SQLite(database)
    listed = connection.execute(
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema = 'main' order by table_name, ordinal_position"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, sql_type in listed:
        tables.setdefault(table, {})[column] = sql_type
    for table, types in tables.items():
        rows = connection.execute(f"select * from {table}").fetchall()
        frame = pd.DataFrame(rows, columns=list(types), dtype=object)
        engine.load(table, frame, types)
    return database
