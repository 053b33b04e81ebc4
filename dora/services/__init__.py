"""Which service everything belongs to: small tables made from the facts and the configuration.

`write` makes them anew from the distinct names in the facts, so that they cost little however many
facts there are. A copy of what the configuration says stays in the store: a store opened without
its configuration is mapped as it was by the last sync.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dora import patterns
from dora.environments import Kinds
from dora.services.directory import Directory, Known, default_service, owners, tail_pattern

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dora.config import Config

__all__ = ["ANY", "TABLES", "Directory", "fingerprint", "remembered", "tail_pattern", "write"]

META_KEY = "mapping"
"""Where the store keeps its copy of what the configuration says about services."""

ANY = "*"
"""Stands in `service_map` for whatever name a deployment, or its environment, may have."""

TABLES = {
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
"""The tables that `write` makes, with their columns."""


def write(connection: DuckDBPyConnection, config: Config | None) -> None:
    """Make the tables of `TABLES` anew in the current schema, from the facts it can see.

    Args:
        connection: Where the fact tables are. If its `meta` can be written, it keeps a copy of
            what the configuration says.
        config: The configuration; None, or one that says nothing, for the copy the store keeps.
    """
    if config is None or config.bare:
        directory = remembered(connection)
    else:
        directory = Directory.of(config)
        _remember(connection, directory)
    for table, columns in TABLES.items():
        _drop_view(connection, table)
        connection.execute(f"create or replace table {table} ({columns})")
    known = Known(directory)
    _write_commits(connection, directory, known)
    mapped = _write_deployments(connection, known)
    named = _write_incidents(connection, known, mapped)
    _write_flags(connection, known, mapped)
    _write_names(connection, directory, {row.service for row in mapped}, named)
    _write_environments(connection, Kinds(directory.environments))


def fingerprint(connection: DuckDBPyConnection) -> str:
    """A text that changes when the mapping changes; empty where there is none yet."""
    rows = connection.execute(
        "select distinct table_name from information_schema.tables"
        " where list_contains($1, table_name)",
        [list(TABLES)],
    ).fetchall()
    if len(rows) < len(TABLES):
        return ""
    sums = " union all ".join(
        f"select '{table}', count(*), coalesce(sum(hash(t)), 0)::varchar from {table} t"
        for table in TABLES
    )
    return json.dumps(sorted(connection.execute(sums).fetchall()))


def remembered(connection: DuckDBPyConnection) -> Directory:
    """What the store says of its mapping; nothing where it says nothing."""
    if not _there(connection, "duckdb_columns()", "meta", anywhere=True):
        return Directory()
    rows = connection.execute("select value from meta where key = $1", [META_KEY]).fetchall()
    return Directory.read(rows[0][0]) if rows and rows[0][0] else Directory()


def _remember(connection: DuckDBPyConnection, directory: Directory) -> None:
    if _there(connection, "duckdb_tables()", "meta"):
        connection.execute("delete from meta where key = $1", [META_KEY])
        connection.execute("insert into meta values ($1, $2)", [META_KEY, directory.text()])


def _there(connection: DuckDBPyConnection, kind: str, name: str, *, anywhere: bool = False) -> bool:
    here = "database_name = current_database() and schema_name = current_schema()"
    column = "view_name" if kind == "duckdb_views()" else "table_name"
    query = f"select 1 from {kind} where {column} = $1 and {'true' if anywhere else here} limit 1"
    return bool(connection.execute(query, [name]).fetchall())


def _drop_view(connection: DuckDBPyConnection, table: str) -> None:
    """A reader sees the store's own tables through views, which stand in the way of new ones."""
    if _there(connection, "duckdb_views()", table):
        connection.execute(f"drop view {table}")


class _Mapped(NamedTuple):
    """What a deployment of a repository, so stated and named, is a deployment of."""

    repository: str
    stated: str
    name: str
    environment: str
    service: str
    by_paths: bool


def _write_deployments(connection: DuckDBPyConnection, known: Known) -> list[_Mapped]:
    deployed = connection.execute(
        "select distinct repository, coalesce(service, '') from deployments order by 1, 2"
    ).fetchall()
    known.deployed = {repository for repository, _ in deployed}
    others = connection.execute(
        "select repository from repositories union select repository from commits"
    ).fetchall()
    deployed += sorted((name, "") for (name,) in others if name not in known.deployed)
    names = _names(connection, known)
    rows = []
    for repository, stated in deployed:
        told = [(ANY, ANY)] if stated else _told_apart(known, repository, names)
        for name, environment in told:
            if stated:
                found = [known.named(stated)]
            else:
                found = known.deployed_as(repository, name, environment)
            rows += [
                _Mapped(repository, stated, name, environment, s, known.by_paths(s, repository))
                for s in found or [default_service(repository)]
            ]
    _insert(connection, "service_map", rows)
    return rows


_Names = dict[str, list[tuple[str, str]]]


def _names(connection: DuckDBPyConnection, known: Known) -> _Names:
    """How deployments are named, and to where, by repository; where some rule goes by that."""
    by_name = any(s.deployments for s in known.services)
    by_environment = any(s.environments for s in known.services)
    if not (by_name or by_environment):
        return {}
    name = "coalesce(name, '')" if by_name else f"'{ANY}'"
    environment = "environment" if by_environment else f"'{ANY}'"
    rows = connection.execute(
        f"select distinct repository, {name}, {environment} from deployments"
        " where coalesce(service, '') = '' order by all"
    ).fetchall()
    named: _Names = {}
    for repository, *told in rows:
        named.setdefault(repository, []).append((told[0], told[1]))
    return named


def _told_apart(known: Known, repository: str, names: _Names) -> list[tuple[str, str]]:
    """The names and environments to tell apart in a repository: mostly whatever they are."""
    by_name, by_environment = known.told_apart_by(repository)
    told = {
        (name if by_name else ANY, environment if by_environment else ANY)
        for name, environment in names.get(repository, [])
    }
    return sorted(told) or [(ANY, ANY)]


def _write_incidents(
    connection: DuckDBPyConnection, known: Known, mapped: Sequence[_Mapped]
) -> set[str]:
    """Map incidents; give back the services that are named."""
    stated = connection.execute(
        "select distinct coalesce(service, ''), coalesce(repository, '') from incidents"
    ).fetchall()
    by_repository: dict[str, list[_Mapped]] = {}
    for row in mapped:
        if row.repository in known.deployed:
            by_repository.setdefault(row.repository, []).append(row)
    only = _only_service(known, mapped)
    deployed = {row.service for row in mapped}
    rows = [
        (names, repository, found)
        for names, repository in stated
        for found in (
            known.all_named(names, deployed)
            if names
            else _of_repository(known, by_repository, repository) or only
        )
    ]
    if rows:
        services, repositories, found = (list(column) for column in zip(*rows, strict=True))
        connection.execute(
            "insert into incident_services select i.source, i.id, m.found from incidents i join"
            " (select unnest($1::varchar[]) as service, unnest($2::varchar[]) as repository,"
            " unnest($3::varchar[]) as found) m on m.service = coalesce(i.service, '')"
            " and m.repository = coalesce(i.repository, '')",
            [services, repositories, found],
        )
    return {found for _, _, found in rows}


def _only_service(known: Known, mapped: Sequence[_Mapped]) -> list[str]:
    """The one service there is; none where there are several."""
    deployed = {row.service for row in mapped if row.repository in known.deployed}
    everything = deployed | {s.name for s in known.services} or {row.service for row in mapped}
    return sorted(everything) if len(everything) == 1 else []


def _of_repository(known: Known, mapped: Mapping[str, list[_Mapped]], repository: str) -> list[str]:
    """The services of the repository that an incident was filed in.

    A repository that nothing is deployed from holds incidents of others, not of itself.
    """
    there = mapped.get(repository, [])
    unstated = sorted({row.service for row in there if not row.stated})
    every = sorted({row.service for row in there})
    return known.matching(repository) or unstated or (every if len(every) == 1 else [])


def _write_flags(connection: DuckDBPyConnection, known: Known, mapped: Sequence[_Mapped]) -> None:
    """Map what changes of flags and by hand say of their service; nothing said is the only one."""
    stated = connection.execute(
        "select coalesce(service, '') from flag_changes"
        " union select coalesce(service, '') from manual_changes order by 1"
    ).fetchall()
    only = _only_service(known, mapped)
    rows = [
        (name, found) for (name,) in stated for found in ([known.named(name)] if name else only)
    ]
    _insert(connection, "flag_services", rows)


def _write_names(
    connection: DuckDBPyConnection, directory: Directory, mapped: set[str], named: set[str]
) -> None:
    teams = {s.name: s.team for s in directory.services}
    every = sorted(mapped | set(teams))
    _insert(connection, "services", [(name, teams.get(name)) for name in every])
    memberships = [
        (m.team, s.name, m.from_day, m.until_day) for s in directory.services for m in owners(s)
    ]
    _insert(connection, "team_services", memberships)
    _insert(connection, "teams", [(team.name, team.parent) for team in directory.teams])
    covers = tail_pattern(directory.covers)
    covered = named | {name for name in every if covers.match(name)}
    _insert(connection, "covered_services", [(name,) for name in sorted(covered)])


def _write_environments(connection: DuckDBPyConnection, kinds: Kinds) -> None:
    pairs = connection.execute(
        "select environment, coalesce(tier, '') from deployments"
        " union select environment, '' from flag_changes"
        " union select environment, '' from manual_changes order by 1, 2"
    ).fetchall()
    _insert(connection, "environment_kinds", [(e, t, kinds.kind(e, t)) for e, t in pairs])


def _write_commits(connection: DuckDBPyConnection, directory: Directory, known: Known) -> None:
    """Commits of services that are a part of their repository, by each distinct path."""
    parted = [service for service in directory.services if service.paths]
    if not parted:
        return
    connection.execute(
        "create or replace temp table dora_paths as select distinct repository, path"
        " from commit_paths;"
        "create or replace temp table dora_service_paths (repository varchar, path varchar,"
        " service varchar)"
    )
    repositories = connection.execute("select distinct repository from dora_paths").fetchall()
    for service in parted:
        pattern = tail_pattern(service.repositories or ["*"])
        listed = [repository for (repository,) in repositories if pattern.match(repository)]
        connection.execute(
            "insert into dora_service_paths select repository, path, $1 from dora_paths"
            " where list_contains($2, repository) and regexp_matches(path, $3, 's')",
            [service.name, listed, patterns.any_path(service.paths)],
        )
    for name, repository in connection.execute(
        "select distinct service, repository from dora_service_paths"
    ).fetchall():
        known.touched.setdefault(name, set()).add(repository)
    connection.execute(
        "insert into commit_services select c.commit_id, t.service from commits c join"
        " (select distinct p.repository, p.sha, s.service from commit_paths p"
        " join dora_service_paths s on s.repository = p.repository and s.path = p.path) t"
        " on t.repository = c.repository and t.sha = c.sha order by all;"
        "drop table dora_paths; drop table dora_service_paths"
    )


def _insert(connection: DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    kinds = [column.split()[1] for column in TABLES[table].split(", ")]
    listed = ", ".join(f"unnest(${n}::{kind}[])" for n, kind in enumerate(kinds, 1))
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(f"insert into {table} select {listed}", columns)
