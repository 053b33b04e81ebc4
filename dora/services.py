"""Which service everything belongs to: small tables made from the facts and the configuration.

`write` makes them anew from the distinct names in the facts, so that they cost little however many
facts there are. A copy of what the configuration says stays in the store: a store opened without
its configuration is mapped as it was by the last sync.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from dora import patterns
from dora.config import Membership, Service, newest_team
from dora.environments import Kinds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dora.config import Config

META_KEY = "mapping"
"""Where the store keeps its copy of what the configuration says about services."""

TABLES = {
    "service_map": "repository VARCHAR, stated VARCHAR, service VARCHAR, by_paths BOOLEAN",
    "incident_services": "source VARCHAR, incident VARCHAR, service VARCHAR",
    "services": "service VARCHAR, team VARCHAR",
    "team_services": "team VARCHAR, service VARCHAR, from_day DATE, until_day DATE",
    "environment_kinds": "environment VARCHAR, tier VARCHAR, kind VARCHAR",
    "covered_services": "service VARCHAR",
    "commit_services": "commit_id BIGINT, service VARCHAR",
}
"""The tables that `write` makes, with their columns."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What a configuration says about services and environments.

    Attributes:
        services: The services that are told apart.
        environments: Wildcards of environments by kind.
        covers: Wildcards of the services whose incidents some source would know of.
    """

    services: tuple[Service, ...] = ()
    environments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    covers: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> Directory:
        """The part of a configuration that maps services."""
        covers = tuple(pattern for source in config.sources for pattern in source.covers)
        return cls(config.services, config.environments, covers)

    @classmethod
    def read(cls, text: str) -> Directory:
        """What `text` wrote down."""
        said = json.loads(text)
        return cls(
            tuple(_service(entry) for entry in said["services"]),
            {kind: tuple(listed) for kind, listed in said["environments"].items()},
            tuple(said["covers"]),
        )

    def text(self) -> str:
        """The same as JSON, for the store to keep."""
        services = [
            {
                "name": service.name,
                "teams": [[m.team, str(m.from_day), str(m.until_day)] for m in _owners(service)],
                "repositories": service.repositories,
                "paths": service.paths,
            }
            for service in self.services
        ]
        return json.dumps(
            {"services": services, "environments": self.environments, "covers": self.covers}
        )


def _owners(service: Service) -> tuple[Membership, ...]:
    """Who owns a service and when; a team without dates has always owned it."""
    return service.teams or ((Membership(service.team),) if service.team else ())


def _service(entry: Mapping[str, Any]) -> Service:
    teams = tuple(
        Membership(team, date.fromisoformat(first), date.fromisoformat(until))
        for team, first, until in entry["teams"]
    )
    return Service(
        name=entry["name"],
        team=newest_team(teams),
        repositories=tuple(entry["repositories"]),
        paths=tuple(entry["paths"]),
        teams=teams,
    )


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
    known = _Known(directory)
    _write_commits(connection, directory, known)
    mapped = _write_deployments(connection, known)
    named = _write_incidents(connection, known, mapped)
    _write_names(connection, directory, {row[2] for row in mapped}, named)
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


class _Known:
    """The configured services, ready to be asked."""

    def __init__(self, directory: Directory) -> None:
        self.services = directory.services
        self._names = {s.name.casefold(): s for s in directory.services}
        self._repositories = {s.name: tail_pattern(s.repositories) for s in directory.services}
        self.touched: dict[str, set[str]] = {}
        self.deployed: set[str] = set()

    def named(self, stated: str) -> str:
        """The service that a source means by a name."""
        service = self._names.get(stated.casefold())
        return service.name if service else stated

    def matching(self, repository: str) -> list[str]:
        """The configured services that a repository is built into."""
        return [s.name for s in self.services if self._built_from(s, repository)]

    def by_paths(self, name: str, repository: str) -> bool:
        """Whether a service is only a part of a repository."""
        service = self._names.get(name.casefold())
        if service is None or not service.paths:
            return False
        return not service.repositories or self._built_from(service, repository)

    def _built_from(self, service: Service, repository: str) -> bool:
        if service.paths and not service.repositories:
            return repository in self.touched.get(service.name, ())
        return bool(self._repositories[service.name].match(repository))


def tail_pattern(wildcards: Iterable[str]) -> re.Pattern[str]:
    """Fits a name, or what is behind any slash of it: `shop` fits `example.com/acme/shop`."""
    return patterns.wildcard([text for one in wildcards for text in (one, f"*/{one}")])


def default_service(repository: str) -> str:
    """The service of a repository that no configuration maps: its name without the host."""
    return repository.partition("/")[2] or repository


_Mapped = list[tuple[str, str, str, bool]]


def _write_deployments(connection: DuckDBPyConnection, known: _Known) -> _Mapped:
    pairs = connection.execute(
        "select distinct repository, coalesce(service, '') from deployments order by 1, 2"
    ).fetchall()
    known.deployed = {repository for repository, _ in pairs}
    others = connection.execute(
        "select repository from repositories union select repository from commits"
    ).fetchall()
    pairs += sorted(
        (repository, "") for (repository,) in others if repository not in known.deployed
    )
    rows = []
    for repository, stated in pairs:
        if stated:
            found = [known.named(stated)]
        else:
            found = known.matching(repository) or [default_service(repository)]
        rows += [(repository, stated, s, known.by_paths(s, repository)) for s in found]
    _insert(connection, "service_map", rows)
    return rows


def _write_incidents(connection: DuckDBPyConnection, known: _Known, mapped: _Mapped) -> set[str]:
    """Map incidents; give back the services that are named."""
    stated = connection.execute(
        "select distinct coalesce(service, ''), coalesce(repository, '') from incidents"
    ).fetchall()
    by_repository: dict[str, _Mapped] = {}
    for row in mapped:
        if row[0] in known.deployed:
            by_repository.setdefault(row[0], []).append(row)
    deployed = {row[2] for rows in by_repository.values() for row in rows}
    everything = deployed | {s.name for s in known.services} or {row[2] for row in mapped}
    only = sorted(everything) if len(everything) == 1 else []
    rows = [
        (service, repository, found)
        for service, repository in stated
        for found in _of_incident(known, by_repository, service, repository) or only
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


def _of_incident(
    known: _Known, mapped: Mapping[str, _Mapped], stated: str, repository: str
) -> list[str]:
    """The services an incident names; else those of the repository it was filed in.

    A repository that nothing is deployed from holds incidents of others, not of itself.
    """
    if stated:
        return [known.named(stated)]
    there = mapped.get(repository, [])
    unstated = [row[2] for row in there if not row[1]]
    every = sorted({row[2] for row in there})
    return known.matching(repository) or unstated or (every if len(every) == 1 else [])


def _write_names(
    connection: DuckDBPyConnection, directory: Directory, mapped: set[str], named: set[str]
) -> None:
    teams = {s.name: s.team for s in directory.services}
    every = sorted(mapped | set(teams))
    _insert(connection, "services", [(name, teams.get(name)) for name in every])
    memberships = [
        (m.team, s.name, m.from_day, m.until_day) for s in directory.services for m in _owners(s)
    ]
    _insert(connection, "team_services", memberships)
    covers = tail_pattern(directory.covers)
    covered = named | {name for name in every if covers.match(name)}
    _insert(connection, "covered_services", [(name,) for name in sorted(covered)])


def _write_environments(connection: DuckDBPyConnection, kinds: Kinds) -> None:
    pairs = connection.execute(
        "select environment, coalesce(tier, '') from deployments"
        " union select environment, '' from flag_changes order by 1, 2"
    ).fetchall()
    _insert(connection, "environment_kinds", [(e, t, kinds.kind(e, t)) for e, t in pairs])


def _write_commits(connection: DuckDBPyConnection, directory: Directory, known: _Known) -> None:
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
