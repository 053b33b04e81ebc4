"""The rival of `metrics.py` in PostgreSQL that gives the same cells from the same tables.

The tables that our models read are there with the columns needed, their keys, the indexes that the
statements want, and statistics; so are the bounds of a Poisson count and the ranks of a median for
every size. What counts from there on: linking by sha and lineage, and five tables with every column
that our frames have. It assumes what `cells_in_pandas.py` assumes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from cells_in_postgres_sql import COUNTS, LINKS, METRICS
from history import AS_OF, DAYS, START
from metrics_in_postgres import server
from scipy import stats
from timing import timed

_TABLES = {
    "pull_requests": (
        "repository text, number int, merge_sha text, merged_at timestamp, labels text",
        "repository, number",
    ),
    "commits": (
        "repository text, sha text, authored_at timestamp, commit_id bigint",
        "repository, sha",
    ),
    "deployments": (
        (
            "source text, id text, repository text, environment text, status text, "
            "finished_at timestamp"
        ),
        "source, id, repository, environment",
    ),
    "incidents": (
        "source text, id text, repository text, detected_at timestamp, resolved_at timestamp",
        "source, id",
    ),
    "streams": ("stream int, repository text, service text", "stream"),
    "stream_deployments": (
        "stream int, position int, finished_at timestamp, commit_id bigint",
        "stream, position",
    ),
    "lineage": ("stream int, commit_id bigint, position int", "commit_id, stream"),
    "team_services": ("team text, service text", "team, service"),
}
_INDEXES = """
create unique index on lineage (commit_id) include (stream, position);
create index on stream_deployments (stream, finished_at) include (position);
create index on deployments (repository) include (finished_at) where status = 'failed';
create index on streams (repository) include (stream);
vacuum analyze;
"""
_METRICS = (
    "deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore", "rework_rate"
)  # fmt: skip
_OF_PERIODS = (
    "scope", "service", "team", "period_start", "period_end", "partial", "unit", "reason",
    "p75", "p90", "p95", "between",
)  # fmt: skip
"""What the row of the window does not tell."""
Psql = Callable[[str], str]


def cells_in_postgres(path: Path) -> tuple[dict[str, float], dict[str, pd.DataFrame]]:
    """Times and counts, and the frames: one a metric, and one of the window."""
    times: dict[str, float] = {}
    values = {
        "start": START.date(),
        "days": DAYS,
        "now": AS_OF.replace(tzinfo=None),
        "settings": "set work_mem = '256MB'; set jit = off;",
    }
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as run:
        _load(path, Path(folder), run)
        for name, sql in (("links", LINKS), ("counts", COUNTS), ("metrics", METRICS)):
            with timed(times, name):
                run(sql.format(**values))
        frames = _read(Path(folder), run)
    del times["cpu"]  # of psql alone
    return times, frames


def _load(path: Path, folder: Path, run: Psql) -> None:
    """Fill the tables, and index and analyse them."""
    connection = duckdb.connect(str(path), read_only=True)
    sizes = connection.execute("select (select count(*) from pull_requests) as n").df()
    for name, frame in _bounds(int(sizes["n"].iloc[0])).items():
        connection.register(name, frame)
    small = {"poisson": ("k int, low float, high float", "k"), "ranks": ("n int, rank int", "n")}
    for name, (columns, key) in (_TABLES | small).items():
        names = ", ".join(column.split()[0] for column in columns.split(","))
        target = folder / f"{name}.csv"
        connection.execute(f"copy (select {names} from {name}) to '{target}' (header false)")
        target.chmod(0o644)
        run(f"create unlogged table {name} ({columns})")
        run(f"\\copy {name} from '{target}' (format csv)")
        run(f"alter table {name} add primary key ({key})")
    connection.close()
    run(_INDEXES)


def _bounds(most: int) -> dict[str, pd.DataFrame]:
    """Poisson's exact bounds of every count, and the lower rank that bounds a median of n."""
    k = np.arange(most + 1)
    low = np.where(k > 0, stats.chi2.ppf(0.025, 2 * k) / 2, 0.0)
    poisson = pd.DataFrame({"k": k, "low": low, "high": stats.chi2.ppf(0.975, 2 * k + 2) / 2})
    n = np.arange(1, most + 1)
    rank = stats.binom.ppf(0.025, n, 0.5).astype(np.int64)
    rank += stats.binom.cdf(rank, n, 0.5) <= 0.025
    return {"poisson": poisson, "ranks": pd.DataFrame({"n": n, "rank": rank})}


def _read(folder: Path, run: Psql) -> dict[str, pd.DataFrame]:
    """The tables as frames, and of each the window's row."""
    frames, told = {}, []
    for name in _METRICS:
        target = folder / f"{name}.csv"
        target.write_text(run(f"copy cells_{name} to stdout (format csv, header)"))
        days = ["period_start", "period_end"]
        found = pd.read_csv(target, parse_dates=days, low_memory=False)
        found["partial"] = found["partial"] == "t"
        whole = found.pop("grain") == "window"
        frames[name] = found[~whole]
        told.append(found[whole].drop(columns=_OF_PERIODS, errors="ignore"))
    return frames | {"window": pd.concat(told)}
