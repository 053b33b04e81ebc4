"""Four monthly numbers of all services, as DevLake's dashboard shows them, against PostgreSQL.

    python benchmarks/panels.py                   # 250 repositories, 500,000 commits
    python benchmarks/panels.py --scale 0.01

Both sides start from what is linked already: DevLake keeps which deployment each pull request and
incident belongs to in tables of its own, and ours are our models, built by its preset. PostgreSQL
has tables shaped like DevLake's with their keys, an index on whatever the panels join by, and is
analysed; its statements go the way of DevLake's: deployments taken together from their commits,
months laid out, the lower of the two middle values by percent_rank. Timed are the four answers,
without starting Python or psql. Values are compared month by month, recoveries in the month in
which they ended; lead times are kept in seconds, not in whole minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from history import AS_OF, START, generate
from metrics_in_postgres import server

ROUNDS = 5
METRICS = ("deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore")
TABLES = {
    "project_mapping": (
        "project_name text, row_id text, primary key (project_name, row_id)",
        """
        select team as project_name, repository as row_id
        from streams join team_services using (service)
        """,
    ),
    "cicd_deployment_commits": (
        """
        id text primary key, cicd_scope_id text, cicd_deployment_id text, result text,
        environment text, finished_date timestamp
        """,
        """
        select 'commit:' || deployment as id, repository as cicd_scope_id,
            deployment as cicd_deployment_id,
            case when succeeded then 'SUCCESS' else 'FAILURE' end as result,
            'PRODUCTION' as environment, finished_at as finished_date
        from judged_deployments
        """,
    ),
    "project_pr_metrics": (
        """
        id bigint, project_name text, pr_cycle_time float, deployment_commit_id text,
        primary key (id, project_name)
        """,
        """
        select t.change_id as id, o.team as project_name, t.us / 1e6 as pr_cycle_time,
            'commit:' || d.deployment as deployment_commit_id
        from change_times t
        join team_services o using (service)
        join judged_deployments d on d.service = t.service and d.finished_at = t.delivered_at
        where t.left_out is null
        """,
    ),
    "incidents": (
        "id text primary key, created_date timestamp, resolution_date timestamp",
        """
        select id, detected_at as created_date, resolved_at as resolution_date from incidents
        """,
    ),
    "project_incident_deployment_relationships": (
        "id text, project_name text, deployment_id text, primary key (id, project_name)",
        """
        select distinct incident as id, team as project_name, deployment as deployment_id
        from deployment_failures join team_services using (service)
        where decides and incident is not null
        """,
    ),
}
"""The columns in PostgreSQL, and where ours have them from."""

INDEXES = """
create index on cicd_deployment_commits (cicd_deployment_id);
create index on cicd_deployment_commits (cicd_scope_id);
create index on project_pr_metrics (deployment_commit_id);
create index on project_incident_deployment_relationships (deployment_id);
vacuum analyze;
"""
SETTINGS = "set work_mem = '256MB'; set jit = off;\n"
_WITH = """
with months as (
    select generate_series(timestamp '{first}', timestamp '{last}', interval '1 month') as month
), deployments as (
    select cicd_deployment_id as id, max(finished_date) as finished_date
    from cicd_deployment_commits join project_mapping on row_id = cicd_scope_id
    where project_name in ({projects}) and result = 'SUCCESS' and environment = 'PRODUCTION'
    group by cicd_deployment_id
)"""
_MIDDLE = """, ranked as (
    select month, length, percent_rank() over (partition by month order by length) as place
    from lengths
), middles as (
    select month, max(length) as length from ranked where place <= 0.5 group by month
)
select m.month, length from months m left join middles using (month) order by m.month
"""
PANELS = {
    "deployment_frequency": f"""{_WITH}, counted as (
    select date_trunc('month', finished_date) as month, count(distinct id) as n
    from deployments group by 1
)
select m.month, coalesce(n, 0) from months m left join counted using (month) order by m.month
""",
    "lead_time": f"""{_WITH}, lengths as (
    select distinct p.id, date_trunc('month', c.finished_date) as month, p.pr_cycle_time as length
    from project_pr_metrics p join cicd_deployment_commits c on c.id = p.deployment_commit_id
    where p.project_name in ({{projects}}) and p.pr_cycle_time is not null
){_MIDDLE}""",
    "change_failure_rate": f"""{_WITH}, hurt as (
    select d.id, d.finished_date, count(distinct i.id) as incidents
    from deployments d
    left join project_incident_deployment_relationships r on r.deployment_id = d.id
    left join incidents i on i.id = r.id
    group by d.id, d.finished_date
), rates as (
    select date_trunc('month', finished_date) as month,
        count(*) filter (where incidents > 0)::float / count(*) as rate
    from hurt group by 1
)
select m.month, rate from months m left join rates using (month) order by m.month
""",
    "time_to_restore": f"""{_WITH}, lengths as (
    select distinct i.id, date_trunc('month', i.resolution_date) as month,
        date_part('epoch', i.resolution_date - d.finished_date) as length
    from incidents i
    join project_incident_deployment_relationships r on r.id = i.id
    join deployments d on d.id = r.deployment_id
    where i.resolution_date <= '{{now}}'
){_MIDDLE}""",
}


def ours(path: Path, tables: Path) -> tuple[float, pd.DataFrame]:
    """Seconds for the four metrics by month, and their values; writes PostgreSQL's tables."""
    from dora import metrics, store
    from dora.engines.duckdb import DuckDB
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory
    from dora.models import Workspace
    from dora.rules import Rules
    from dora.windows import Window

    connection = store.connect(path)
    rules = Rules.preset("devlake")
    asked = [metrics.find(name) for name in METRICS]
    space = Workspace(DuckDB(connection), rules=rules, as_of=AS_OF)
    space.need("deployment_failures", *(model for metric in asked for model in metric.models))
    for table, (_, select) in TABLES.items():
        space.query(select).to_csv(tables / f"{table}.csv", header=False, index=False)
    directory = Directory.read(space)
    window = Window(START.date(), AS_OF.date())
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        scopes = (directory.scope(),)
        question = Question(space, window, ("month",), AS_OF, rules, scopes, directory)
        frames = {metric.name: metric.ask(question).frame for metric in asked}
        taken.append(time.perf_counter() - began)
    values = {
        name: frame["value"].to_numpy(float, na_value=np.nan) for name, frame in frames.items()
    }
    return median(taken), pd.DataFrame(values)


def in_postgres(tables: Path) -> tuple[float, pd.DataFrame]:
    """The same of the panels' statements."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as run:
        for table, (columns, _) in TABLES.items():
            target = tables / f"{table}.csv"
            run(f"create table {table} ({columns})")
            run(f"\\copy {table} from '{target}' (format csv)")
        run(INDEXES)
        names = run("select distinct project_name from project_mapping").split()
        values = {
            "first": START.date().replace(day=1),
            "last": AS_OF.date(),
            "now": AS_OF.replace(tzinfo=None),
            "projects": ", ".join(f"'{name}'" for name in names),
        }
        panels = {name: sql.format(**values) for name, sql in PANELS.items()}
        taken = []
        for _ in range(ROUNDS):
            said = run(f"{SETTINGS}\\timing on\n" + ";\n".join(panels.values()) + ";\n")
            times = [line.split()[1] for line in said.splitlines() if line.startswith("Time:")]
            taken.append(sum(map(float, times)) / 1000)
        found = {
            name: [float(line.split("|")[1] or "nan") for line in run(sql).splitlines()]
            for name, sql in panels.items()
        }
    return median(taken), pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.05)
    scale = parser.parse_args().scale
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        generate(folder / "store.duckdb", scale)
        mine, numbers = ours(folder / "store.duckdb", folder)
        theirs, others = in_postgres(folder)
    same = np.isclose(numbers, others, rtol=1e-9, atol=0, equal_nan=True)
    for metric, months in zip(METRICS, same.T, strict=True):
        print(f"  {metric}: {months.sum()} of {len(months)} months agree")
    print(f"  ours {mine:.3f} s, PostgreSQL {theirs:.3f} s: P7 {mine / theirs:.2f} (goal 0.33)")
    sys.exit(not same.all())


if __name__ == "__main__":
    main()
