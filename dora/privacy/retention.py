"""Taking out of a store what is older than it may be kept.

What ended before the first day that is kept goes: deployments, incidents, builds, changes of flags
and by hand, and of pull requests and commits what was delivered by then. Of each stream the newest
deployment before that day stays, so that what later ones delivered is still told by the
difference, and of commits the bare graph stays: ids, parents and times. So the numbers of windows
that begin a month after that day are the same as if nothing had been taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from dora import zones
from dora.identities import FORGOTTEN
from dora.records import RECORD_TYPES, columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ENDED = {
    "deployments": "coalesce(finished_at, started_at) < $until"
    " and (source, id, repository, environment) not in (from kept_deployments)",
    "incidents": "detected_at < $until and resolved_at < $until",
    "builds": "coalesce(finished_at, started_at) < $until",
    "flag_changes": "changed_at < $until",
    "manual_changes": "changed_at < $until",
    "quarantine": "noticed_at < $until",
    "syncs": "finished_at < $until",
}
"""What has ended by a time, table by table."""

_NEWEST_BEFORE = """
create or replace temp table kept_deployments as
select source, id, repository, environment from deployments
where status = 'succeeded' and finished_at < $until
qualify finished_at = max(finished_at) over (
    partition by repository, environment, coalesce(service, ''))
"""

_DELIVERED_BEFORE = """
create or replace temp table delivered_before as
select l.commit_id
from lineage l
join stream_deployments d on d.stream = l.stream and d.position = l.position
group by l.commit_id
having max(d.finished_at) < $until
"""

_ENDED_PULL_REQUESTS = """
create or replace temp table ended_pull_requests as
select p.repository, p.number from pull_requests p
left join commits c on c.repository = p.repository and c.sha = p.merge_sha
where p.closed_at < $until and (p.state = 'closed' or c.commit_id in (from delivered_before))
"""

_OF_PULL_REQUESTS = ("reviews", "pull_request_commits", "pull_requests")


def begins(day: date, zone: str) -> datetime:
    """When a day begins in a zone, in UTC and without saying so, as the store keeps times."""
    return zones.first_instant(day, zone).astimezone(UTC).replace(tzinfo=None)


def purge_events(connection: DuckDBPyConnection, until: datetime) -> Mapping[str, int]:
    """Take out what has ended before a time, and say how many rows of each table that were.

    Lineage has to be brought up to date after it, and `purge_changes` has to follow.
    """
    connection.execute(_NEWEST_BEFORE, {"until": until})
    gone = {
        table: _delete(connection, table, test, {"until": until}) for table, test in _ENDED.items()
    }
    gone["incident_causes"] = _delete(
        connection,
        "incident_causes",
        "(source, incident) not in (select (source, id) from incidents)",
        {},
    )
    connection.execute("drop table temp.kept_deployments")
    return {table: rows for table, rows in gone.items() if rows}


def purge_changes(connection: DuckDBPyConnection, until: datetime) -> Mapping[str, int]:
    """Take out pull requests that ended before a time, and what commits delivered by then say.

    A pull request that was merged long ago and delivered lately is no thing of the past: it stays.
    """
    for statement in (_DELIVERED_BEFORE, _ENDED_PULL_REQUESTS):
        connection.execute(statement, {"until": until})
    ended = "(repository, number) in (from ended_pull_requests)"
    gone = {table: _delete(connection, table, ended, {}) for table in _OF_PULL_REQUESTS}
    old = "commit_id in (from delivered_before)"
    gone["commit_paths"] = _delete(
        connection,
        "commit_paths",
        f"(repository, sha) in (select (repository, sha) from commits where {old})",
        {},
    )
    gone["commits"] = _count(
        connection.execute(
            f"update commits set author = {_text(FORGOTTEN)}, subject = null where {old}"
            f" and (coalesce(author, {_text(FORGOTTEN)}) <> {_text(FORGOTTEN)}"
            " or subject is not null)"
        )
    )
    connection.execute("drop table temp.delivered_before; drop table temp.ended_pull_requests")
    return {table: rows for table, rows in gone.items() if rows}


def drop_texts(connection: DuckDBPyConnection) -> Mapping[str, int]:
    """Take subjects and titles out of the facts, and say how many rows of each table had one."""
    gone = {}
    for record_type in RECORD_TYPES:
        for column in columns(record_type).values():
            if column.free_text:
                table, name = record_type.table, column.name
                gone[table] = _count(
                    connection.execute(f"update {table} set {name} = null where {name} is not null")
                )
    return {table: rows for table, rows in gone.items() if rows}


def _delete(
    connection: DuckDBPyConnection, table: str, test: str, given: Mapping[str, object]
) -> int:
    return _count(connection.execute(f"delete from {table} where {test}", dict(given)))


def _count(done: DuckDBPyConnection) -> int:
    return int(done.fetchall()[0][0])


def _text(value: str) -> str:
    return f"'{value}'"
