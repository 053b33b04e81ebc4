"""The rival of `metrics.py` in PostgreSQL: integer keys, indexes, LATERAL and percentile_cont."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
from history import AS_OF, START
from timing import timed

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
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as run:
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
        with timed(times, "all"):
            out = run(text + counts)
        changes, judged = out.strip().splitlines()[-1].split("|")
    del times["cpu"]  # of psql alone
    return times | {"n lead_time": int(changes), "n deployment_frequency": int(judged)}


@contextmanager
def server(folder: Path) -> Iterator[Callable[[str], str]]:
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
