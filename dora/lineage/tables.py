"""The tables that lineage keeps in the store, and what tells that they are out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VERSION = 3
"""Rises with every change of the walk that makes other rows of the same facts: all is done anew."""

EVERYTHING = ""
"""The name under which `lineage_state` keeps the fingerprint of the whole store."""

TABLES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "streams": (
        "Where deployments follow each other: one service from one repository to one environment.",
        {
            "stream": ("INTEGER", "Number of the stream"),
            "repository": ("VARCHAR", "Repository deployed"),
            "service": ("VARCHAR", "Service"),
            "environment": ("VARCHAR", "Environment as the provider names it"),
        },
    ),
    "stream_deployments": (
        "The successful deployments of each stream, in the order of the walk.",
        {
            "stream": ("INTEGER", "Stream"),
            "position": ("INTEGER", "0, 1, 2 … by finish, ancestor first, id"),
            "source": ("VARCHAR", "Source of the deployment"),
            "deployment": ("VARCHAR", "Its id there"),
            "finished_at": ("TIMESTAMP", "When it first became successful"),
            "sha": ("VARCHAR", "Commit deployed, as stated"),
            "commit_id": ("BIGINT", "That commit; null if the store does not know it"),
            "outcome": ("VARCHAR", "baseline, delivered, nothing or unknown"),
            "uncertain": ("BOOLEAN", "An unknown sha may have delivered what this one delivers"),
            "rollback": ("BOOLEAN", "Goes back to a proper ancestor of what it replaces"),
            "inferred": ("BOOLEAN", "Inferred from tags or merges, not reported"),
            "cumulative": (
                "BOOLEAN",
                "Contains all that was deployed before: what is delivered up to it, nothing else",
            ),
        },
    ),
    "lineage": (
        "The first deployment of each stream that contains a commit.",
        {
            "stream": ("INTEGER", "Stream"),
            "commit_id": ("BIGINT", "Commit"),
            "position": (
                "INTEGER",
                "Position of that deployment; -1: on the default branch, waits",
            ),
        },
    ),
    "undone": (
        "Which deployments a rollback undid.",
        {
            "stream": ("INTEGER", "Stream"),
            "position": ("INTEGER", "The deployment undone"),
            "rollback_position": ("INTEGER", "The rollback"),
        },
    ),
    "lineage_state": (
        "What lineage was last made from; where it differs now, it is made anew.",
        {
            "repository": ("VARCHAR", "Repository; empty for the whole store"),
            "fingerprint": ("VARCHAR", "Counts and hashes of the facts it was made from"),
        },
    ),
}

BY_STREAM = ("streams", "stream_deployments", "lineage", "undone")

DEPLOYED = "status = 'succeeded' and finished_at is not null"
"""Which deployments are walked."""

# A commit's parents never change and ids only grow, so that the count, the newest id and the commit
# that has it tell whether commits came or went.
_WHOLE = f"""
select concat_ws(' ', {VERSION},
    coalesce((select concat(count(*), ':', max(commit_id)) from commits), '-'),
    coalesce((select max(sha) from commits
        where commit_id = (select max(commit_id) from commits)), '-'),
    coalesce((select sum(hash(source, id, repository, environment, finished_at, sha,
        coalesce(service, ''), coalesce(name, ''), inferred))
        from deployments where {DEPLOYED}), 0),
    coalesce((select sum(hash(repository, head_sha)) from repositories), 0),
    coalesce((select sum(hash(repository, stated, name, environment, service, by_paths))
        from service_map), 0),
    coalesce((select sum(hash(commit_id, service)) from commit_services), 0))
"""

_EACH = f"""
with deployed as (
    select repository, sum(hash(source, id, environment, finished_at, sha,
        coalesce(service, ''), coalesce(name, ''), inferred)) as deployments
    from deployments where {DEPLOYED} group by repository
), known as (
    select repository, count(*) as commits, min(commit_id) as oldest, max(commit_id) as newest,
        arg_max(sha, commit_id) as newest_sha
    from commits group by repository
), mapped as (
    select repository, sum(hash(stated, name, environment, service, by_paths)) as services
    from service_map group by repository
), by_path as (
    select c.repository, sum(hash(p.commit_id, p.service)) as paths
    from commit_services p join commits c on c.commit_id = p.commit_id group by c.repository
), heads as (
    select repository, max(head_sha) as head from repositories group by repository
)
select d.repository, coalesce(k.commits, 0) as commits, coalesce(k.oldest, 0) as oldest,
    coalesce(k.newest, 0) as newest,
    concat_ws(' ', {VERSION}, d.deployments, coalesce(k.commits, 0), coalesce(k.newest, 0),
        coalesce(k.newest_sha, '-'), coalesce(h.head, '-'), m.services, coalesce(p.paths, 0))
        as fingerprint
from deployed d
join mapped m on m.repository = d.repository
left join known k on k.repository = d.repository
left join heads h on h.repository = d.repository
left join by_path p on p.repository = d.repository
"""


def unchanged(connection: DuckDBPyConnection) -> str | None:
    """None if the store is as it was at the last update, else its fingerprint now."""
    [(fingerprint,)] = connection.execute(_WHOLE).fetchall()
    if "lineage_state" not in _kinds(connection):
        return str(fingerprint)
    stored = connection.execute(
        "select fingerprint from lineage_state where repository = ?", [EVERYTHING]
    ).fetchall()
    return None if stored == [(fingerprint,)] else str(fingerprint)


def remember(connection: DuckDBPyConnection, fingerprint: str) -> None:
    """Keep what the whole store was like when lineage was brought up to date."""
    connection.execute("insert into lineage_state values (?, ?)", [EVERYTHING, fingerprint])


def create(connection: DuckDBPyConnection) -> None:
    """Make the tables in the current schema; views there, of a store read only, are copied."""
    kinds = _kinds(connection)
    for table, (doc, columns) in TABLES.items():
        kind = kinds.get(table)
        if kind == "view":
            connection.execute(f"create or replace temp table lineage_copy as from {table}")
            connection.execute(f"drop view {table}")
        listed = ", ".join(f"{name} {sql_type}" for name, (sql_type, _) in columns.items())
        connection.execute(f"create table if not exists {table} ({listed})")
        if kind == "view":
            connection.execute(f"insert into {table} by name from lineage_copy")
            connection.execute("drop table lineage_copy")
        for name, (sql_type, _) in columns.items():  # of a table that an earlier version made
            connection.execute(f"alter table {table} add column if not exists {name} {sql_type}")
        if kind != "table":
            _describe(connection, table, doc, columns)


def _describe(
    connection: DuckDBPyConnection, table: str, doc: str, columns: dict[str, tuple[str, str]]
) -> None:
    connection.execute(f"comment on table {table} is '{doc}'")
    for name, (_, meaning) in columns.items():
        connection.execute(f"comment on column {table}.{name} is '{meaning}'")


def _kinds(connection: DuckDBPyConnection) -> dict[str, str]:
    """Which of the tables are there, and whether each is a table or a view."""
    here = "database_name = current_database() and schema_name = current_schema()"
    rows = connection.execute(
        f"select table_name, 'table' from duckdb_tables() where {here}"
        f" union all select view_name, 'view' from duckdb_views() where {here}"
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows if name in TABLES}


def find_changes(connection: DuckDBPyConnection, batch_commits: int) -> list[int]:
    """Work out what is to be done anew, as temporary tables; the numbers of the batches it takes.

    `lineage_todo` has the repositories (numbered, dealt into batches of about so many commits) and
    `lineage_wanted` their streams. What is no longer there is taken out of the store.
    """
    connection.execute("delete from lineage_state where repository = ?", [EVERYTHING])
    connection.execute(f"create or replace temp table lineage_now as {_EACH}")
    connection.execute(
        "create or replace temp table lineage_todo as"
        " select repository, fingerprint, oldest, newest,"
        " cast(row_number() over (order by newest, repository) - 1 as integer) as repo,"
        " cast(dense_rank() over (order by so_far) - 1 as integer) as batch"
        f" from (select *, (sum(commits) over by_id - commits) // {batch_commits} as so_far"
        " from lineage_now n where not exists (select 1 from lineage_state s"
        " where s.repository = n.repository and s.fingerprint = n.fingerprint)"
        " window by_id as (order by newest, repository))"  # so that a batch is a range of ids
    )
    connection.execute(
        "create or replace temp table lineage_wanted as"
        " select t.repo, t.batch, d.repository, m.service, d.environment,"
        " bool_or(m.by_paths) as by_paths"
        " from (select distinct repository, coalesce(service, '') as stated,"
        " coalesce(name, '') as name, environment"
        f" from deployments where {DEPLOYED}) d"
        " join lineage_todo t on t.repository = d.repository"
        " join service_map m on m.repository = d.repository and m.stated = d.stated"
        " and m.name in ('*', d.name) and m.environment in ('*', d.environment)"
        " group by all"
    )
    _remove(connection)
    connection.execute(
        "insert into streams select (select coalesce(max(stream), 0) from streams)"
        " + row_number() over (order by w.repository, w.service, w.environment),"
        " w.repository, w.service, w.environment from lineage_wanted w"
        " where not exists (select 1 from streams s where s.repository = w.repository"
        " and s.service = w.service and s.environment = w.environment)"
    )
    rows = connection.execute("select distinct batch from lineage_todo order by batch").fetchall()
    return [int(batch) for (batch,) in rows]


def _remove(connection: DuckDBPyConnection) -> None:
    """Take out the streams that no deployment belongs to any more."""
    connection.execute(
        "create or replace temp table lineage_gone as select stream from streams s"
        " where not exists (select 1 from lineage_now n where n.repository = s.repository)"
        " or (exists (select 1 from lineage_todo t where t.repository = s.repository)"
        " and not exists (select 1 from lineage_wanted w where w.repository = s.repository"
        " and w.service = s.service and w.environment = s.environment))"
    )
    for table in BY_STREAM:
        connection.execute(f"delete from {table} where stream in (from lineage_gone)")
    connection.execute(
        "delete from lineage_state where repository <> ?"
        " and repository not in (select repository from lineage_now)",
        [EVERYTHING],
    )
