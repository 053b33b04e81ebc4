"""Five metrics, weekly and monthly, of every service and team, against pandas and PostgreSQL.

    python benchmarks/metrics.py                  # 5,000 repositories, 10 M commits; long
    python benchmarks/metrics.py --scale 0.02     # a fiftieth, a minute

A generated history (seeded) goes into a store with real lineage. Measured is what a reader pays:
the models that metrics need from that lineage on, and the metrics with their intervals and
zero-filled frames; what only the records behind them need is told apart. The rivals start from the
same facts with more done for them: integer keys, positions instead of shas, frames in memory
(pandas) or indexed and analysed tables (PostgreSQL, on a twentieth). All count the same deployments
and changes, which is checked. Each contender runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

START, DAYS = datetime(2023, 1, 2, tzinfo=UTC), 1092
AS_OF = START + timedelta(days=DAYS)
FULL = {"repositories": 5000, "commits": 10_000_000, "teams": 250}
PER_PULL_REQUEST, PER_DEPLOYMENT, PER_INCIDENT = 5, 10, 10
GRAINS = ("week", "month")
QUANTILES = [0.5, 0.75, 0.9, 0.95]


# The history
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
    connection.execute(_TEAMS)
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
    md5(cast(max(id) as varchar)) as head_sha, false as incomplete
from plain_commits group by repo;
insert into commits by name
select 'git' as source, 'host/org/repo' || repo as repository, md5(cast(id as varchar)) as sha,
    case when pos = 0 then '' else md5(cast(id - 1 as varchar)) end as parents,
    committed - to_seconds(age) as authored_at, committed as committed_at, false as is_bot,
    'change ' || id as subject, id + 1 as commit_id
from plain_commits;
insert into pull_requests by name
select 'forge' as source, 'host/org/repo' || repo as repository, number, 'merged' as state,
    authored as opened_at, merged as merged_at, merged as closed_at, 'change' as title,
    case when hotfix then 'hotfix' end as labels,
    md5(cast({each} * repo + pos as varchar)) as merge_sha,
    false as is_bot
from plain_prs;
insert into deployments by name
select 'ci' as source, repo || '-' || number as id, 'host/org/repo' || repo as repository,
    'production' as environment, case when succeeded then 'succeeded' else 'failed' end as status,
    finished as finished_at, md5(cast({each} * repo + pos as varchar)) as sha, false as unplanned,
    false as inferred
from plain_deployments;
insert into incidents by name
select 'pager' as source, repo || '-' || number as id, detected as detected_at,
    resolved as resolved_at, resolved as first_resolved_at, 0 as reopenings,
    'host/org/repo' || repo as repository, false as external, false as not_planned
from plain_incidents
"""

_TEAMS = """
create or replace table team_services as
select 'team' || t.team as team, s.service, date '0001-01-01' as from_day,
    date '9999-12-31' as until_day
from plain_teams t
join (select distinct repository, service from service_map) s
    on s.repository = 'host/org/repo' || t.repo
"""


# Ours
def ours(path: Path) -> dict[str, float]:
    """Models, then all five metrics for every service and team by week and month."""
    from dora import metrics, store
    from dora.engines.duckdb import DuckDB
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory
    from dora.models import Workspace
    from dora.rules import Rules
    from dora.windows import Window

    connection = store.connect(path)
    connection.execute("set threads = 2")
    metrics.find("lead_time")
    rules = Rules(change="pull_request")
    times: dict[str, float] = {}
    space = Workspace(DuckDB(connection), rules=rules, as_of=AS_OF)
    asked = [metrics.find(name) for name in metrics.names()]
    with _timed(times, "models"):
        space.need(*(model for metric in asked for model in metric.models))
    with _timed(times, "scopes"):
        directory = Directory.read(space)
        whole = directory.scope()
        scopes = (whole, *directory.each(whole, ("service", "team")))
    window = Window(START.date(), AS_OF.date())
    question = Question(space, window, GRAINS, AS_OF, rules, scopes, directory)
    for metric in asked:
        with _timed(times, metric.name):
            result = metric.ask(question)
        times[f"n {metric.name}"] = result.n
    times["cells"] = question.grid.size
    further = [model for metric in asked for model in metric.record_models]
    began = time.perf_counter()
    space.need(*further)
    times["records"] = time.perf_counter() - began
    return times


# pandas
def in_pandas(path: Path) -> dict[str, float]:
    """The same links and metrics with frames that are in memory already."""
    connection = duckdb.connect(str(path), read_only=True)
    tables = {
        name: connection.sql(f"select * from plain_{name} order by repo, number").df()
        for name in ("prs", "deployments", "incidents")
    }
    teams = connection.sql("select team from plain_teams order by repo").df()["team"].to_numpy()
    connection.close()
    times: dict[str, float] = {}
    with _timed(times, "links"):
        changes, deployments, recoveries = _pandas_links(**tables)
    with _timed(times, "metrics"):
        cells = _pandas_metrics(changes, deployments, recoveries, teams)
    done = deployments[deployments["succeeded"]]
    mature = done[done["finished"] <= _naive(AS_OF) - pd.Timedelta(hours=24)]
    times |= {
        "n deployment_frequency": len(done),
        "n lead_time": len(changes),
        "n change_failure_rate": len(mature),
        "n time_to_restore": len(recoveries),
        "cells": cells,
    }
    return times


def _pandas_links(
    prs: pd.DataFrame, deployments: pd.DataFrame, incidents: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    done = deployments[deployments["succeeded"]].copy()
    done["row"] = np.arange(len(done))
    by_place = done[["repo", "pos", "finished", "row"]].sort_values("pos")
    changes = pd.merge_asof(
        prs.sort_values("pos"), by_place, on="pos", by="repo", direction="forward"
    )
    first = done.groupby("repo")["pos"].first()
    changes = changes[changes["row"].notna()]
    baseline = changes["repo"].map(first)
    # a baseline delivers only what it was made for
    changes = changes[changes["pos"] >= baseline]
    changes["seconds"] = (changes["finished"] - changes["authored"]).dt.total_seconds()
    linked = pd.merge_asof(
        incidents.drop(columns="number").sort_values("detected"),
        done[["repo", "finished", "row"]].sort_values("finished"),
        left_on="detected", right_on="finished", by="repo", tolerance=pd.Timedelta(hours=24),
    ).dropna(subset=["row"])  # fmt: skip
    hotfixes = changes.loc[changes["hotfix"], "row"].astype(int).unique()
    rework = np.zeros(len(done), bool)
    rework[hotfixes] = True
    repo, finished = done["repo"].to_numpy(), done["finished"].to_numpy()
    plain = pd.Series(np.where(rework, np.nan, np.arange(len(done)))).groupby(repo).ffill()
    before = plain.groupby(repo).shift().to_numpy()[hotfixes]
    known = ~np.isnan(before)
    blamed, repairs = before[known].astype(int), hotfixes[known]
    near = finished[repairs] - finished[blamed] <= np.timedelta64(7, "D")
    blamed, repairs = blamed[near], repairs[near]
    failed = np.zeros(len(done), bool)
    failed[blamed] = True
    failed[linked["row"].astype(int)] = True
    spans = linked.groupby("row").agg(begun=("detected", "min"), over=("resolved", "max"))
    repaired = pd.DataFrame({"row": blamed, "over": finished[repairs], "begun": finished[blamed]})
    repaired = repaired[~repaired["row"].isin(spans.index)].groupby("row").min()
    spans = pd.concat([spans, repaired])
    recoveries = pd.DataFrame(
        {
            "repo": repo[spans.index.astype(int)],
            "finished": spans["over"].to_numpy(),
            "seconds": (spans["over"] - spans["begun"]).dt.total_seconds().to_numpy(),
        }
    )
    recoveries = recoveries[recoveries["finished"] <= _naive(AS_OF)]
    return changes, done.assign(rework=rework, failed=failed), recoveries


def _pandas_metrics(
    changes: pd.DataFrame, done: pd.DataFrame, recoveries: pd.DataFrame, teams: np.ndarray
) -> int:
    cells = 0
    last = _naive(AS_OF) - pd.Timedelta(hours=24)
    for grain in GRAINS:
        for units in (np.arange(len(teams)), teams):
            grid = (units.max() + 1) * (_period(np.array([_naive(AS_OF)]), grain)[0] + 1)

            def place(
                frame: pd.DataFrame, grain: str = grain, units: np.ndarray = units
            ) -> pd.Series:
                width = _period(np.array([_naive(AS_OF)]), grain)[0] + 1
                at = _period(frame["finished"].to_numpy(), grain)
                return pd.Series(units[frame["repo"]] * width + at, index=frame.index)

            everything = np.arange(grid)
            frames = []
            count = done.groupby(place(done)).size().reindex(everything, fill_value=0)
            frames.append(count)
            for frame in (changes, recoveries):
                grouped = frame.groupby(place(frame))["seconds"]
                frames.append(grouped.quantile(QUANTILES).unstack().reindex(everything))
                frames.append(grouped.size().reindex(everything, fill_value=0))
            for column, counted in (("failed", done[done["finished"] <= last]), ("rework", done)):
                rate = counted.groupby(place(counted))[column].agg(["sum", "size"])
                rate = rate.reindex(everything, fill_value=0)
                frames.append(_wilson(rate))
            cells += sum(len(frame) for frame in frames) // 5
    return cells


def _period(moments: np.ndarray, grain: str) -> np.ndarray:
    days = moments.astype("datetime64[D]")
    if grain == "month":
        return (days.astype("datetime64[M]") - np.datetime64(START.date(), "M")).astype(int)
    return (days - np.datetime64(START.date(), "D")).astype(int) // 7


def _wilson(rate: pd.DataFrame) -> pd.DataFrame:
    n = rate["size"].where(rate["size"] > 0)
    share, z = rate["sum"] / n, 1.959963984540054
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    return rate.assign(value=share, low=middle - half, high=middle + half)


def _naive(moment: datetime) -> pd.Timestamp:
    return pd.Timestamp(moment.replace(tzinfo=None))


# PostgreSQL
_TABLES = {
    "prs": "repo int, number int, pos int, merged timestamp, authored timestamp, hotfix boolean",
    "deployments": "repo int, number int, pos int, finished timestamp, succeeded boolean",
    "incidents": "repo int, number int, detected timestamp, resolved timestamp",
    "teams": "repo int, team int",
}
_INDEXES = """
create unlogged table done as select * from deployments where succeeded;
create index on done (repo, pos) include (finished, number);
create index on done (repo, finished) include (number);
vacuum analyze;
"""
_LINKS = """
set work_mem = '256MB'; set jit = off;
create temp table changes as
select p.repo, p.pos, p.hotfix, d.number, d.finished,
    extract(epoch from d.finished - p.authored) as seconds
from prs p
cross join lateral (
    select number, finished from done where repo = p.repo and pos >= p.pos order by pos limit 1
) d
join (select repo, min(pos) as pos from done group by repo) f on f.repo = p.repo and p.pos >= f.pos;
create temp table linked as
select i.repo, d.number, i.detected, i.resolved
from incidents i
cross join lateral (
    select number, finished from done where repo = i.repo and finished <= i.detected
    order by finished desc limit 1
) d
where i.detected - d.finished <= interval '24 hours';
create temp table rework as select distinct repo, number, finished from changes where hotfix;
create temp table blamed as
select d.repo, d.number, d.finished, w.finished as repaired
from rework w
cross join lateral (
    select repo, number, finished from done o where repo = w.repo and finished < w.finished
      and not exists (select 1 from rework x where x.repo = o.repo and x.number = o.number)
    order by finished desc limit 1
) d
where w.finished - d.finished <= interval '7 days';
create temp table spans as
select repo, number, min(detected) as began, max(resolved) as finished from linked group by 1, 2
union all
select b.repo, b.number, min(b.finished), min(b.repaired) from blamed b
where not exists (select 1 from linked l where l.repo = b.repo and l.number = b.number)
group by 1, 2;
create temp table judged as
select d.repo, d.finished, d.finished <= timestamp '{last}' as mature, s.repo is not null as failed,
    w.repo is not null as rework
from done d
left join spans s on s.repo = d.repo and s.number = d.number
left join rework w on w.repo = d.repo and w.number = d.number;
analyze changes; analyze spans; analyze judged;
"""
_CELLS = """
create temp table cells_{grain}_{unit} as
with units as (select repo, {unit} as unit from teams),
grid as (
    select u.unit, period from (select distinct unit from units) u,
        generate_series(timestamp '{first}', timestamp '{last}', interval '1 {grain}') as period
), j as (
    select unit, date_trunc('{grain}', finished) as period, count(*) as n,
        count(*) filter (where mature) as mature,
        count(*) filter (where mature and failed) as failed,
        count(*) filter (where rework) as rework
    from judged join units using (repo) group by 1, 2
), c as (
    select unit, date_trunc('{grain}', finished) as period, count(*) as changes,
        percentile_cont(array[.5, .75, .9, .95]) within group (order by seconds) as took
    from changes join units using (repo) group by 1, 2
), r as (
    select unit, date_trunc('{grain}', finished) as period, count(*) as recoveries,
        percentile_cont(array[.5, .75, .9, .95])
            within group (order by extract(epoch from finished - began)) as restored
    from spans join units using (repo) group by 1, 2
)
select * from grid left join j using (unit, period) left join c using (unit, period)
left join r using (unit, period);
"""


def in_postgres(path: Path) -> dict[str, float]:
    """The same in PostgreSQL, with integer keys, indexes, LATERAL and percentile_cont."""
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as run:
        connection = duckdb.connect(str(path), read_only=True)
        for table, columns in _TABLES.items():
            target = Path(folder) / f"{table}.csv"
            connection.execute(f"copy plain_{table} to '{target}' (format csv, header false)")
            target.chmod(0o644)
            run(f"create unlogged table {table} ({columns})")
            run(f"\\copy {table} from '{target}' (format csv)")
        run(_INDEXES)
        last = (AS_OF - timedelta(hours=24)).replace(tzinfo=None)
        text = _LINKS.format(last=last)
        for grain, first in (("week", START.date()), ("month", date(START.year, START.month, 1))):
            for unit in ("repo", "team"):
                text += _CELLS.format(grain=grain, unit=unit, first=first, last=last)
        counts = "select (select count(*) from changes), (select count(*) from judged)"
        with _timed(times, "all"):
            out = run(text + counts)
        changes, judged = out.strip().splitlines()[-1].split("|")
    return times | {"n lead_time": int(changes), "n deployment_frequency": int(judged)}


@contextmanager
def _server(folder: Path):
    """A PostgreSQL of our own on a socket in `folder`, stopped at the end."""
    places = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        Path(shutil.which("initdb") or "/").parent,
    ]
    programs = next(
        (p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None
    )
    if programs is None or shutil.which("psql") is None:
        raise FileNotFoundError("no PostgreSQL server here (Debian: apt-get install postgresql)")
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if other:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    data = folder / "data"
    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=1GB -c fsync=off"
    quiet = {"check": True, "capture_output": True, "text": True, "cwd": folder}
    subprocess.run([*other, programs / "initdb", "-D", data, "-A", "trust", "-U", "bench"], **quiet)
    start = [*other, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options]
    subprocess.run([*start, "start"], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    def run(sql: str) -> str:
        command = [
            "psql",
            "-h",
            folder,
            "-U",
            "bench",
            "-d",
            "postgres",
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        done = subprocess.run(command, input=sql, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().replace("\n", "; "))
        return done.stdout

    try:
        yield run
    finally:
        stop = [*other, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, capture_output=True, cwd=folder)


# Running
@contextmanager
def _timed(times: dict[str, float], name: str):
    began, busy = time.perf_counter(), time.process_time()
    yield
    times[name] = time.perf_counter() - began
    times["cpu"] = times.get("cpu", 0.0) + time.process_time() - busy


CONTENDERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "ours": ours,
    "pandas": in_pandas,
    "postgres": in_postgres,
}


def _alone(contender: str, path: Path) -> dict[str, float]:
    """Run a contender in a process of its own."""
    command = [sys.executable, __file__, "--contender", contender, "--file", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


_ASIDE = ("cells", "cpu", "mib", "records")
"""What is measured and no part of the time that is compared."""


def _total(times: dict[str, float]) -> float:
    return sum(v for k, v in times.items() if not k.startswith("n ") and k not in _ASIDE)


def _show(name: str, times: dict[str, float]) -> None:
    steps = ", ".join(
        f"{k} {v:.2f}" for k, v in times.items() if not k.startswith("n ") and k not in _ASIDE
    )
    records = f"; the records behind them {times['records']:.2f} s" if "records" in times else ""
    used = f"{times['cpu']:.2f} s of CPU, {times['mib']:,.0f} MiB"
    print(f"  {name}: {_total(times):.2f} s ({steps}); {used}{records}")


def _same(ours_: dict[str, float], rival: dict[str, float]) -> None:
    for key in (k for k in rival if k.startswith("n ")):
        mark = "agrees" if ours_[key] == rival[key] else "DIFFERS"
        print(f"    {key[2:]}: n = {ours_[key]:,.0f} and {rival[key]:,.0f}, {mark}")


def compare(scale: float, rivals: tuple[str, ...]) -> dict[str, float]:
    """Generate a history, run all, print times and ratios; give ours."""
    print(f"scale {scale:g}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        generate(path, scale)
        mine = _alone("ours", path)
        _show("ours", mine)
        for rival in rivals:
            try:
                theirs = _alone(rival, path)
            except RuntimeError as error:
                print(f"  {rival}: left out: {error}")
                continue
            _show(rival, theirs)
            _same(mine, theirs)
            print(f"  {rival} / ours: {_total(theirs) / _total(mine):.2f}")
    return mine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        times = CONTENDERS[given.contender](given.file)
        times["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({name: float(value) for name, value in times.items()}))
        return
    tenth = compare(given.scale / 10, ())
    compare(given.scale / 20, ("postgres",))
    whole = compare(given.scale, ("pandas",))
    growth = _total(whole) / _total(tenth)
    memory = whole["mib"] / tenth["mib"]
    print(f"ten times the history: {growth:.1f} times as long, {memory:.1f} times the memory")


if __name__ == "__main__":
    main()
