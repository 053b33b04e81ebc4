"""A generated history of any size with real lineage, and the same as plain tables for rivals.

Weeks of commits, a pull request for every fifth, a deployment for every tenth, incidents after a
tenth of those: seeded, so that every run measures the same.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

START, DAYS = datetime(2023, 1, 2, tzinfo=UTC), 1092
AS_OF = START + timedelta(days=DAYS)
FULL = {"repositories": 5000, "commits": 10_000_000, "teams": 250}
GRAINS = ("week", "month")
"""By which metrics of it are asked for."""


def generate(path: Path, scale: float) -> None:
    """Write facts, lineage and the rivals' plain tables to a DuckDB file."""
    from dora import lineage, services, store

    repositories = max(5, round(FULL["repositories"] * scale))
    each = FULL["commits"] // FULL["repositories"]
    connection = duckdb.connect(str(path))
    connection.execute("set threads = 2; set preserve_insertion_order = false; select setseed(0.5)")
    store.create_tables(connection)
    for statement in _HISTORY.split(";\n"):
        values = {
            "repositories": repositories,
            "each": each,
            "slot": DAYS * 86400 // each,
            "start": START.replace(tzinfo=None).isoformat(" "),
            "teams": max(2, round(FULL["teams"] * scale)),
        }
        connection.execute(statement.format(**values))
    services.write(connection, None)
    connection.execute(TEAMS)
    began = time.perf_counter()
    lineage.update(connection)
    print(f"  lineage of {repositories * each:,} commits: {time.perf_counter() - began:.1f} s")
    connection.close()


_HISTORY = """
create table plain_commits as
select r.i as repo, c.i as pos, {each} * r.i + c.i as id,
    timestamp '{start}' + to_seconds(c.i * {slot} + cast(random() * {slot} / 2 as bigint))
        as committed,
    cast(exp(random() * 12) as bigint) as age
from range({repositories}) r(i), range({each}) c(i);
create table plain_prs as
select repo, pos // 5 as number, pos, committed as merged, committed - to_seconds(age) as authored,
    hash(id) % 50 = 0 as hotfix
from plain_commits where pos % 5 = 4;
create table plain_deployments as
select repo, pos // 10 as number, pos, committed + interval 1 hour as finished,
    hash(id) % 20 <> 1 as succeeded
from plain_commits where pos % 10 = 9;
create table plain_incidents as
select repo, number, finished + to_seconds(cast(late as bigint)) as detected,
    finished + to_seconds(cast(late + 60 + hash(number, repo) % 90000 as bigint)) as resolved
from (select *, hash(repo, number) % 172800 as late from plain_deployments) d
where hash(repo, number, 7) % 10 = 0 and succeeded;
create table plain_teams as select i as repo, i % {teams} as team from range({repositories}) t(i);
insert into repositories by name
select 'git' as source, 'host/org/repo' || repo as repository, 'main' as default_branch,
    sha1(cast(max(id) as varchar)) as head_sha, false as incomplete
from plain_commits group by repo;
insert into commits by name
select 'git' as source, 'host/org/repo' || repo as repository, sha1(cast(id as varchar)) as sha,
    case when pos = 0 then '' else sha1(cast(id - 1 as varchar)) end as parents,
    committed - to_seconds(age) as authored_at, committed as committed_at, false as is_bot,
    'change ' || id as subject, id + 1 as commit_id
from plain_commits;
insert into pull_requests by name
select 'forge' as source, 'host/org/repo' || repo as repository, number, 'merged' as state,
    authored as opened_at, merged as merged_at, merged as closed_at, 'change' as title,
    case when hotfix then 'hotfix' end as labels,
    sha1(cast({each} * repo + pos as varchar)) as merge_sha,
    false as is_bot
from plain_prs;
insert into deployments by name
select 'ci' as source, repo || '-' || number as id, 'host/org/repo' || repo as repository,
    'production' as environment, case when succeeded then 'succeeded' else 'failed' end as status,
    finished as finished_at, sha1(cast({each} * repo + pos as varchar)) as sha, false as unplanned,
    false as inferred
from plain_deployments;
insert into incidents by name
select 'pager' as source, repo || '-' || number as id, detected as detected_at,
    resolved as resolved_at, resolved as first_resolved_at, 0 as reopenings,
    'host/org/repo' || repo as repository, false as external, false as not_planned
from plain_incidents
"""

TEAMS = """
create or replace table team_services as
select 'team' || t.team as team, s.service, date '0001-01-01' as from_day,
    date '9999-12-31' as until_day
from plain_teams t
join (select distinct repository, service from service_map) s
    on s.repository = 'host/org/repo' || t.repo
"""
