"""Incidents to deployments by all rules, against one query for each incident.

    python benchmarks/linking.py [--deployments 1000000] [--incidents 100000] [--sample 200]

Makes services with deployments and incidents over three years, links all incidents by the models
of this package, then asks for a sample of them one by one, as tools do that loop over incidents:
the last successful deployment of the service before it. Prints the ratio, taken to all incidents.
Every link of the sample must be the same. Everything happens in one run on one machine; SQLite
with the index made for the question is the strictest rival, and its links are checked too.

A hundredth of the incidents state their cause, a fiftieth of the commits is a hotfix, a hundredth
a revert, every fortieth deployment of a service is rolled back, and flags are turned off before one
in ten incidents ends. Last, all tables are made once more by the rules of each preset.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb

from dora.engines.duckdb import DuckDB
from dora.models import Workspace
from dora.rules import Rules
from dora.rules.presets import PRESETS
from dora.store.schema import create_tables

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
JUDGED = ("recovered_deployments", "linked_incidents")
LINKS = "select incident, deployment from deployments_before_incidents"

FACTS = """
insert into deployments (source, id, repository, environment, status, finished_at, sha, unplanned,
    inferred)
select 'ci', 'd' || i, 'hub/r' || (i % $services), 'production',
    case when i % 20 = 7 then 'failed' else 'succeeded' end,
    timestamp '2023-01-01' + to_microseconds(cast(hash(i) % 94608000000000 as bigint)),
    sha1('c' || i), false, false
from range($deployments) t(i);
insert into incidents (source, id, detected_at, resolved_at, reopenings, external, not_planned)
select 'pager', 'i' || i,
    timestamp '2023-01-01' + to_microseconds(cast(hash(i + 7) % 94608000000000 as bigint)),
    least(timestamp '2026-01-01',
        timestamp '2023-01-01' + to_microseconds(cast(hash(i + 7) % 94608000000000 as bigint))
        + to_microseconds(cast(hash(i + 9) % 86400000000 as bigint))),
    0, false, false
from range($incidents) t(i);
create table incident_services as
select 'pager' as source, 'i' || i as incident, 'r' || (hash(i + 3) % $services) as service
from range($incidents) t(i);
create table service_map as
select 'hub/r' || i as repository, '' as stated, '*' as name, '*' as environment,
    'r' || i as service, false as by_paths
from range($services) t(i);
create table environment_kinds as
select 'production' as environment, '' as tier, 'production' as kind;
create table production_kinds as select 'production' as kind;
insert into incident_causes (source, incident, cause)
select 'pager', 'i' || i, 'd' || (hash(i + 5) % $deployments)
from range($incidents) t(i) where i % 100 = 11;
insert into flag_changes (source, id, flag, environment, changed_at, share, service)
select i.source, i.id, 'flag ' || i.id, 'production', i.resolved_at - interval 10 minutes, 0,
    s.service
from incidents i
join (select 'i' || i as incident, 'r' || (hash(i + 3) % $services) as service
    from range($incidents) t(i) where i % 10 = 3) s on s.incident = i.id;
create table flag_services as select distinct service as stated, service from flag_changes;
create table covered_services as select distinct service from incident_services;
create table commit_services (commit_id bigint, service varchar);
insert into commits (source, repository, sha, parents, authored_at, committed_at, is_bot, subject,
    commit_id)
select 'git', 'hub/r' || (i % $services), sha1('c' || i), 'one', timestamp '2023-01-01',
    timestamp '2023-01-01', false,
    case when hash(i + 1) % 50 = 3 then 'hotfix ' else 'change' end || i, i
from range($deployments) t(i);
insert into commit_references (source, repository, sha, kind, target, rule)
select 'git', 'hub/r' || (i % $services), sha1('c' || i), 'reverts',
    sha1('c' || (i - 3 * $services)), 'message'
from range($deployments) t(i) where hash(i + 2) % 100 = 9 and i > 3 * $services;
create table streams as
select cast(i as integer) as stream, 'hub/r' || i as repository, 'r' || i as service,
    'production' as environment
from range($services) t(i);
create table stream_deployments as
select s.stream, cast(row_number() over (
        partition by s.stream order by d.finished_at, d.id) - 1 as integer) as position,
    d.source, d.id as deployment, d.finished_at, d.sha, c.commit_id, 'delivered' as outcome,
    false as uncertain, false as rollback, false as inferred
from deployments d
join streams s on s.repository = d.repository
join commits c on c.repository = d.repository and c.sha = d.sha
where d.status = 'succeeded';
create table lineage as select stream, commit_id, position from stream_deployments;
create table undone as
select stream, position, cast(position + 1 as integer) as rollback_position
from stream_deployments where position % 40 = 20;
update stream_deployments set rollback = true where position % 40 = 21;
"""

UNDONE = """
select b.deployment, f.deployment from undone u
join stream_deployments b on b.stream = u.stream and b.position = u.rollback_position
join stream_deployments f on f.stream = u.stream and f.position = u.position
"""
"""The rivals name a rollback where it came last; the models name what it undid."""

ONE = """
select id from deployments d
join service_map m on m.repository = d.repository
where m.service = ? and d.status = 'succeeded' and d.finished_at <= ?
order by d.finished_at desc limit 1
"""


def facts(deployments: int, incidents: int) -> duckdb.DuckDBPyConnection:
    """A store of that size, in memory; a service for every two hundred deployments."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    create_tables(connection)
    sizes = {"deployments": deployments, "incidents": incidents}
    sizes["services"] = max(1, deployments // 200)
    for statement in FACTS.split(";"):
        if statement.strip():
            used = {k: v for k, v in sizes.items() if f"${k}" in statement}
            connection.execute(statement, used)
    return connection


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and what came of it."""
    start = time.perf_counter()
    result = what()
    return time.perf_counter() - start, result


def by_models(connection: duckdb.DuckDBPyConnection) -> tuple[float, float, dict[str, str]]:
    """Seconds for the deployments in order, seconds for the links, and the links."""
    workspace = Workspace(DuckDB(connection), rules=Rules(), as_of=AS_OF)
    ordered, _ = timed(lambda: workspace.need("production_sequence"))
    linked, _ = timed(lambda: workspace.need("evidence_window"))
    links = dict(workspace.rows(LINKS))
    judged, _ = timed(lambda: workspace.need(*JUDGED))
    print(f"  every table of failures and recoveries by all rules on top: {judged:.2f} s")
    kinds = workspace.rows(
        "select rule, count(*) from deployment_failures where decides group by rule order by rule"
    )
    print(f"  links that decide: {', '.join(f'{n:,} {rule}' for rule, n in kinds)}")
    by_presets(workspace)
    return ordered, linked, links


def by_presets(workspace: Workspace) -> None:
    """Seconds for the same tables by the rules of each preset, what does not differ being kept."""
    for preset in PRESETS[1:]:
        other = workspace.with_rules(preset.rules)
        seconds, _ = timed(lambda space=other: space.need(*JUDGED))
        print(f"    by the rules of {preset.title}: {seconds:.2f} s")
        other.close()


def one_by_one(
    ask: Callable[[str, Any], list[Any]], incidents: list[Any]
) -> tuple[float, dict[str, str]]:
    """Seconds for one incident, and the links of those asked for."""
    seconds, found = timed(lambda: [(i, ask(service, at)) for i, service, at in incidents])
    return seconds / len(incidents), {i: rows[0][0] for i, rows in found if rows}


def indexed(connection: duckdb.DuckDBPyConnection) -> sqlite3.Connection:
    """The same deployments in SQLite, with the index made for the question."""
    copy = sqlite3.connect(":memory:")
    copy.execute("create table deployments (id, repository, status, finished_at)")
    copy.execute("create table service_map (repository, service)")
    rows = connection.execute(
        "select id, repository, status, epoch_us(finished_at) from deployments"
    ).fetchall()
    copy.executemany("insert into deployments values (?, ?, ?, ?)", rows)
    services = connection.execute("select repository, service from service_map").fetchall()
    copy.executemany("insert into service_map values (?, ?)", services)
    copy.execute("create index by_service on service_map (service)")
    copy.execute("create index by_finish on deployments (repository, status, finished_at)")
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=1_000_000)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=200)
    asked = parser.parse_args()
    connection = facts(asked.deployments, asked.incidents)
    undone = dict(connection.execute(UNDONE).fetchall())
    print(f"{asked.incidents:,} incidents, {asked.deployments:,} deployments")
    ordered, linked, links = by_models(connection)
    print(f"  models: {ordered:.2f} s to put deployments in order, {linked:.2f} s to link")
    sample = connection.execute(
        "select i.id, s.service, i.detected_at, epoch_us(i.detected_at) from incidents i"
        " join incident_services s on s.incident = i.id order by hash(i.id) limit ?",
        [asked.sample],
    ).fetchall()
    each, found = one_by_one(
        lambda service, at: connection.execute(ONE, [service, at]).fetchall(),
        [row[:3] for row in sample],
    )
    found = {incident: undone.get(last, last) for incident, last in found.items()}
    compare("one query each, DuckDB", each, found, links, sample, asked.incidents, linked, ordered)
    copy = indexed(connection)
    each, found = one_by_one(
        lambda service, at: copy.execute(ONE, [service, at]).fetchall(),
        [(i, service, us) for i, service, _, us in sample],
    )
    found = {incident: undone.get(last, last) for incident, last in found.items()}
    compare(
        "one query each, SQLite with index", each, found, links, sample, asked.incidents, linked,
        ordered,
    )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:,.0f} MiB (the rivals' copies included)")


def compare(
    name: str,
    each: float,
    found: dict[str, str],
    links: dict[str, str],
    sample: list[Any],
    incidents: int,
    linked: float,
    ordered: float,
) -> None:
    """Say how long all incidents would take, and that the links are the same."""
    wrong = [i for i, *_ in sample if links.get(i) != found.get(i)]
    assert not wrong, f"{name}: {len(wrong)} links differ, such as that of {wrong[0]}"
    total = each * incidents
    print(
        f"  {name}: {each * 1000:.3f} ms, {total:,.1f} s for all: {total / linked:,.1f} x linking,"
        f" {total / (linked + ordered):,.1f} x with the ordering; {len(sample)} links equal"
    )


if __name__ == "__main__":
    main()
