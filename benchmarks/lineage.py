"""Which deployment first delivered each commit: our pass against `git rev-list prev..cur`.

    python benchmarks/lineage.py tags REPOSITORY [--glob 'v*']
    python benchmarks/lineage.py store [--commits 5000000] [--environments 1]

`tags` walks the tags of a real clone (P5) and asks git for each pair of neighbouring tags, in the
clone as it is and in a copy with a commit-graph. `store` goes from a generated store to lineage in
that store (P6), at a fifth of the size and at the whole, each in a process of its own, so that the
peak memory is that of one update.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import duckdb

from dora import lineage
from dora.lineage import Ancestry, Graph, Stream
from dora.store import create_tables

COMMITS_EACH = 5_000
DEPLOYMENTS_EACH = 100
ROUNDS = 5


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tagged(repository: Path, glob: str) -> list[tuple[int, str, str]]:
    """Time, name and commit of the tags, the earliest of each commit, by time."""
    shape = "%(refname)\t%(creatordate:unix)"
    text = git(repository, "for-each-ref", f"--format={shape}", f"refs/tags/{glob}")
    times = dict(line.split("\t") for line in text.splitlines())
    earliest: dict[str, tuple[int, str]] = {}
    for name, when in times.items():
        if git(repository, "cat-file", "-t", f"{name}^{{}}") == "commit\n":
            commit, made = git(repository, "log", "-1", "--format=%H %ct", name).split()
            tag = (int(when or made), name)
            earliest[commit] = min(earliest.get(commit, tag), tag)
    return sorted((when, name, commit) for commit, (when, name) in earliest.items())


def graph_of(repository: Path, tips: list[str]) -> tuple[dict[str, int], Graph]:
    text = subprocess.run(
        ["git", "-C", str(repository), "rev-list", "--parents", "--stdin"],
        input="\n".join(tips),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split(" ") for line in text.splitlines()]
    number = {row[0]: place for place, row in enumerate(rows)}
    parents = [[number[p] for p in row[1:] if p in number] for row in rows]
    return number, Graph.of(parents)


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median seconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def by_ranges(repository: Path, commits: list[str]) -> int:
    """The rival: what is new in each deployment against the one before, one git call each."""
    rows = len(git(repository, "rev-list", commits[0]).splitlines())
    for before, after in pairwise(commits):
        rows += len(git(repository, "rev-list", f"{before}..{after}").splitlines())
    return rows


def tags(repository: Path, glob: str) -> None:
    deployed = tagged(repository, glob)
    commits = [commit for _, _, commit in deployed]
    number, graph = graph_of(repository, commits)
    stream = Stream(
        commits=[number[commit] for commit in commits],
        finished=[when for when, _, _ in deployed],
        inferred=[False] * len(deployed),  # so that rollbacks are looked for as well
    )
    ours = timed(lambda: lineage.walk(graph, stream, ancestry=Ancestry(graph)))
    print(f"{repository}: {len(graph):,} commits, {len(deployed):,} tags")
    print(f"walk after the graph is loaded: {ours * 1000:.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.git"
        source = str(repository.resolve())
        git(Path(folder), "clone", "-q", "--mirror", "--shared", source, str(copy))
        rows = 0

        def rival() -> None:
            nonlocal rows
            rows = by_ranges(copy, commits)

        plain = timed(rival, rounds=1)
        print(f"git rev-list prev..cur each: {plain:.2f} s = {plain / ours:,.0f} times ours")
        git(copy, "commit-graph", "write", "--reachable")
        quick = timed(rival, rounds=1)
    print(f"the same with a commit-graph: {quick:.2f} s = {quick / ours:,.0f} times ours")
    print(f"rows of the ranges: {rows:,}, of the walk: {len(graph):,}")


_GENERATED = f"""
insert into commits (source, commit_id, repository, sha, parents, authored_at, committed_at, is_bot,
    subject)
with numbered as (
    select c as i, c // {COMMITS_EACH} as r, c % {COMMITS_EACH} as k from range($commits) t(c)
), parented as (
    select *, 'example.org/shop/service-' || r as repository,
        case when k = 0 then [] when k % 5 = 3 then [i - 3] when k % 5 = 4 then [i - 2, i - 1]
            else [i - 1] end as parents
    from numbered
)
select 'git', i + 1, repository, substr(md5(i::varchar) || md5('x' || i), 1, 40),
    coalesce(array_to_string(list_transform(parents,
        lambda p: substr(md5(p::varchar) || md5('x' || p), 1, 40)), ' '), ''),
    timestamp '2023-01-01' + to_seconds(k * 6000), timestamp '2023-01-01' + to_seconds(k * 6000),
    false, 'Change number ' || k
from parented
"""

_DEPLOYED = f"""
insert into deployments (source, id, repository, environment, status, finished_at, sha, unplanned,
    inferred)
with numbered as (
    select d // {DEPLOYMENTS_EACH} as r, d % {DEPLOYMENTS_EACH} as k, e
    from range($commits * {DEPLOYMENTS_EACH} // {COMMITS_EACH}) t(d), range($environments) u(e)
), chosen as (
    select *, r * {COMMITS_EACH} + ((case when k % 25 = 7 then k - 2 else k end) + 1)
        * {COMMITS_EACH // DEPLOYMENTS_EACH} - 1 as i from numbered
)
select 'ci', 'd' || r || '-' || k, 'example.org/shop/service-' || r,
    case e when 0 then 'production' else 'stage-' || e end, 'succeeded',
    timestamp '2023-01-01' + to_seconds((k + 1) * 300000 + 5 + e),
    substr(md5(i::varchar) || md5('x' || i), 1, 40), false, false
from chosen
"""


def generate(path: Path, commits: int, environments: int) -> None:
    """A store of repositories of 5,000 commits and 100 deployments, four of them rollbacks."""
    connection = duckdb.connect(path, config={"storage_compatibility_version": "v1.4.0"})
    create_tables(connection)
    connection.execute(
        "create table commit_services(commit_id bigint, service varchar);"
        "create table service_map(repository varchar, stated varchar, name varchar,"
        " environment varchar, service varchar, by_paths boolean)"
    )
    connection.execute(_GENERATED, {"commits": commits})
    connection.execute(_DEPLOYED, {"commits": commits, "environments": environments})
    connection.execute(
        "insert into service_map select distinct repository, '', '*', '*', repository, false"
        " from deployments"
    )
    connection.execute(
        "insert into repositories (source, repository, head_sha, incomplete)"
        " select 'git', repository, arg_max(sha, commit_id), false from commits group by repository"
    )
    connection.close()


def measure(path: Path) -> dict[str, float]:
    """One update of everything, one of nothing, one after a single new deployment."""
    connection = duckdb.connect(path)
    began_cpu = time.process_time()
    seconds = {"update": timed(lambda: lineage.update(connection), 1)}
    seconds["cpu"] = time.process_time() - began_cpu
    seconds["nothing"] = timed(lambda: lineage.update(connection))
    connection.execute(
        "insert into deployments by name select * replace ('late' as id,"
        " finished_at + interval 1 minute as finished_at) from deployments limit 1"
    )
    seconds["one"] = timed(lambda: lineage.update(connection), 1)
    [(rows,)] = connection.execute("select count(*) from lineage").fetchall()
    began = time.perf_counter()
    connection.close()
    seconds["close"] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**seconds, "rows": rows, "peak": peak}


def in_own_process(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def store(commits: int, environments: int) -> None:
    took = {}
    for size in (commits // 5, commits):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "dora.duckdb")
            in_own_process("generate", path, str(size), str(environments))
            found = json.loads(in_own_process("measure", path))
        took[size] = found["update"]
        print(
            f"{size:,} commits, {size * DEPLOYMENTS_EACH * environments // COMMITS_EACH:,}"
            f" deployments, {size // COMMITS_EACH:,} repositories: update {found['update']:.2f} s,"
            f" {found['cpu']:.2f} s CPU"
            f" ({found['rows'] / found['update'] / 1e6:.2f} M rows/s), closing the file"
            f" {found['close']:.2f} s, peak {found['peak']:,.0f} MiB;"
            f" nothing new {found['nothing'] * 1000:.0f} ms,"
            f" one new deployment {found['one'] * 1000:.0f} ms"
        )
    print(f"growth for 5 times the size: {took[commits] / took[commits // 5]:.1f} times the time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("tags")
    command.add_argument("repository", type=Path)
    command.add_argument("--glob", default="v*")
    command = commands.add_parser("store")
    command.add_argument("--commits", type=int, default=5_000_000)
    command.add_argument("--environments", type=int, default=1)
    command = commands.add_parser("generate")
    command.add_argument("path", type=Path)
    command.add_argument("commits", type=int)
    command.add_argument("environments", type=int)
    command = commands.add_parser("measure")
    command.add_argument("path", type=Path)
    chosen = parser.parse_args()
    if chosen.command == "tags":
        tags(chosen.repository, chosen.glob)
    elif chosen.command == "store":
        store(chosen.commits, chosen.environments)
    elif chosen.command == "generate":
        generate(chosen.path, chosen.commits, chosen.environments)
    else:
        print(json.dumps(measure(chosen.path)))


if __name__ == "__main__":
    main()
