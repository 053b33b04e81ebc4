"""Every analysis of releases, over a generated history with builds, flags and a calendar.

    python benchmarks/release.py --scale 0.02     # 20,000 deployments, a minute
    python benchmarks/release.py                  # 1 M deployments of 5,000 services; long

The history is that of `history.py`; on top come two builds on the default branch for each pull
request, reviews, deployments to staging, a flag for each service, and a calendar of windows, trains
and freezes. Asked is the last year of all services. The models that the analyses share are told
apart from the analyses.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
from history import AS_OF, TEAMS, generate

CALENDAR = """
[[windows]]
name = "mornings"
rrule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"
start = 2023-01-02T09:00:00
duration = "4h"
[[trains]]
name = "weekly"
rrule = "FREQ=WEEKLY;BYDAY=TU"
start = 2023-01-03T10:00:00
cutoff = "24h"
[[freezes]]
name = "quarter"
rrule = "FREQ=MONTHLY;INTERVAL=3"
start = 2023-03-25
duration = "5d"
"""

BUILDS = """
insert into builds by name
select 'ci' as source, repo || '-' || number || '-' || name as id,
    'host/org/repo' || repo as repository, sha1(cast({each} * repo + pos as varchar)) as sha, name,
    1 as attempt, 'main' as branch,
    case when hash(repo, number, name) % 20 = 0 then 'failed' else 'succeeded' end as status,
    merged as started_at, merged + interval 12 minute as finished_at
from plain_prs, (values ('build'), ('test')) v(name)
"""
FLAGS = """
insert into flag_changes by name
select 'flags' as source, repo || '-' || number as id, 'flag' || number // 40 as flag,
    'production' as environment, merged as changed_at, cast(number // 20 % 2 as double) as share,
    'host/org/repo' || repo as service, 'changed' as action
from plain_prs where number % 20 = 0
"""


STAGED = """
update deployments set started_at = finished_at - interval 5 minute;
insert into deployments by name
select source, 'staged-' || id as id, repository, 'staging' as environment, 'succeeded' as status,
    finished_at - to_seconds(cast(hash(id) % 200000 as bigint)) as finished_at, sha,
    false as unplanned, false as inferred
from deployments where hash(id) % 5 <> 0;
insert into reviews by name
select source, repository, number, 'review-' || number as id, 'approved' as state, 'person' as by,
    merged_at - to_seconds(cast(hash(repository, number) % 9000 as bigint) - 600) as submitted_at
from pull_requests where hash(repository, number) % 5 <> 0
"""


def build(path: Path, scale: float) -> None:
    """Write the store."""
    from dora import lineage, services

    generate(path, scale)
    connection = duckdb.connect(str(path))
    (each,) = connection.execute("select max(pos) + 1 from plain_commits").fetchall()[0]
    connection.execute(BUILDS.format(each=each))
    connection.execute(FLAGS)
    connection.execute(STAGED)
    services.write(connection, None)
    connection.execute(TEAMS)
    lineage.update(connection)
    connection.close()


def measure(path: Path) -> Iterator[tuple[str, float]]:
    """Seconds that the shared models and each analysis take."""
    from dora import release, store
    from dora.config import calendar
    from dora.config.checks import Faults
    from dora.engines.duckdb import DuckDB
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory
    from dora.models import Workspace
    from dora.release.base import Asked
    from dora.release.plan import Plan
    from dora.rules import Rules
    from dora.windows import Window

    connection = store.connect(path)
    connection.execute("set threads = 2")
    space = Workspace(DuckDB(connection), rules=Rules(), as_of=AS_OF)
    analyses = [release.find(name) for name in release.NAMES]
    began = time.perf_counter()
    space.need(*(model for one in analyses for model in one.models))
    yield "models", time.perf_counter() - began
    directory = Directory.read(space)
    window = Window((AS_OF - timedelta(days=364)).date(), AS_OF.date())
    question = Question(space, window, (), AS_OF, Rules(), (directory.scope(),), directory)
    planned = calendar.read(tomllib.loads(CALENDAR), Faults(CALENDAR))
    asked = Asked(question, planned, Plan(planned, path.parent, question))
    for one in analyses:
        began = time.perf_counter()
        told = [figure for figure in one.ask(asked).figures if figure.value is not None]
        yield f"{one.name} ({len(told)} figures)", time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 1 M deployments")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        build(path, given.scale)
        total = 0.0
        for name, seconds in measure(path):
            total += seconds
            print(f"  {name}: {seconds:.2f} s", flush=True)
        print(f"together: {total:.1f} s")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
