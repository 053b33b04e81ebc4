"""From a clone to the store: our reading of git's history against git's own pipe and its rivals.

    python benchmarks/ingest.py history CLONE [CLONE ...]        P1, P2, P9
    python benchmarks/ingest.py again CLONE [CLONE ...]          P4
    python benchmarks/ingest.py lines CLONE [CLONE ...]          P3
    python benchmarks/ingest.py rivals CLONE --python PYTHON     P1, P3 against Perceval, PyDriller

Every pair is run alternately, whole processes, interpreter start and imports included; ratios are
medians of one run. `--refs refs/` reads every ref, so that raw git and ours walk the same commits;
the default is what a sync reads: branches, tags and remote branches. `rivals` needs an environment:

    python -m venv rivals && rivals/bin/pip install perceval pydriller
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

FORMAT = "%H%x00%P%x00%at%x00%ct%x00%an%x00%ae%x00%s"
SAMPLE = 500
MIB = 1024

CONFIG = """
store = "{store}"
[[sources]]
name = "clone"
kind = "git"
path = "{clone}"
repository = "local/benchmark"
refs = [{refs}]
line_counts = {lines}
"""
COMMITS = """
import sys
from pathlib import Path
from dora import config, connector
from dora.identities import Identities
from dora.records import Commit
from dora.store import Writer
loaded = config.load(Path(sys.argv[1]))
(source,) = loaded.sources
git = connector.load("git")(source.name, source.options, base=loaded.base)
identities = Identities.for_store(loaded.store, loaded.identities, loaded.rules.bots)
with Writer.open(loaded.store, identities=identities) as writer:
    writer.write(source.name, git.records(Commit, None), stream="commits")
    writer.publish()
"""
START = COMMITS.replace("git.records(Commit, None)", "()")
SYNC = """
import sys, time
from pathlib import Path
from dora import config, connector, sync
from dora.store import Writer
loaded = config.load(Path(sys.argv[1]))
connector.load("git")
began = time.perf_counter()
sync.sync(loaded)
print(time.perf_counter() - began)
"""
PERCEVAL = """
import sys
from perceval.backends.core.git import GitParser
with open(0, errors="surrogateescape") as log:
    print(sum(1 for _ in GitParser(log).parse()))
"""
PERCEVAL_LOG = (
    "log", "--raw", "--numstat", "--pretty=fuller", "--decorate=full", "--parents", "--reverse",
    "--topo-order", "-M", "-C", "-c",
)  # fmt: skip
PYDRILLER = """
import itertools, sys
from pydriller import Repository
for commit in itertools.islice(Repository(sys.argv[1]).traverse_commits(), int(sys.argv[2])):
    seen = commit.hash, commit.parents, commit.author.name, commit.committer_date, commit.msg
    if len(sys.argv) > 3:
        seen = commit.insertions, commit.deletions
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A process: seconds by the wall and of all CPUs, peak memory in MiB, bytes of its store."""

    wall: float
    cpu: float
    peak: float
    store: float = 0


def run(command: Sequence[str], *, given: subprocess.Popen[bytes] | None = None) -> Run:
    """Run one process, and what it starts, to its end; its output is read through a pipe."""
    began = time.perf_counter()
    before = os.times()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=given.stdout if given else None,
        env={**os.environ, "GIT_FLUSH": "0"},
    )  # fmt: skip
    assert process.stdout is not None
    while process.stdout.read(1 << 20):
        pass
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)[:200]}")
    if given is not None:
        given.wait()
    wall, after = time.perf_counter() - began, os.times()
    own = usage.ru_utime + usage.ru_stime
    others = sum(after[2:4]) - sum(before[2:4])
    return Run(wall, max(own, others), usage.ru_maxrss / MIB)


def pairs(rounds: int, *contenders: Callable[[], Run]) -> list[Run]:
    """The median run of each contender, run in turn."""
    runs: list[list[Run]] = [[] for _ in contenders]
    for _ in range(rounds):
        for place, contender in enumerate(contenders):
            runs[place].append(contender())
    return [
        Run(*(statistics.median(costs) for costs in zip(*map(astuple, some), strict=True)))
        for some in runs
    ]


def git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def chosen(refs: str) -> list[str]:
    return ["--all"] if refs == "refs/" else ["--branches", "--tags", "--remotes", "HEAD"]


def configure(folder: Path, clone: Path, *, refs: str = "", lines: bool = False) -> Path:
    """A configuration with a store of its own."""
    prefixes = [refs] if refs else ["refs/heads/", "refs/tags/", "refs/remotes/"]
    path = folder / "dora.toml"
    path.write_text(
        CONFIG.format(
            store=folder / "dora.duckdb",
            clone=clone,
            refs=", ".join(f'"{prefix}"' for prefix in prefixes),
            lines=str(lines).lower(),
        )
    )
    return path


def ours(clone: Path, program: str = COMMITS, *, refs: str = "", lines: bool = False) -> Run:
    """A whole process from the clone to a published store, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        config = configure(Path(folder), clone, refs=refs, lines=lines)
        done = run([sys.executable, "-c", program, str(config)])
        return replace(done, store=(Path(folder) / "dora.duckdb").stat().st_size)


def say(name: str, one: Run, limit: Run) -> None:
    print(
        f"  {name:<34}{one.wall:8.2f} s {one.cpu:8.2f} cpu s {one.peak:6.0f} MiB"
        f"   {one.wall / limit.wall:6.2f}x {one.cpu / limit.cpu:6.2f} xcpu"
    )


def history(clone: Path, arguments: argparse.Namespace) -> None:
    refs = arguments.refs
    log = ["git", "-C", str(clone), "log", f"--format={FORMAT}", *chosen(refs)]
    to_null = ["sh", "-c", 'exec "$@" > /dev/null', "sh", *log]
    piped, silent, commits, whole = pairs(
        arguments.rounds,
        lambda: run(log),
        lambda: run(to_null),
        lambda: ours(clone, refs=refs),
        lambda: ours(clone, SYNC, refs=refs),
    )
    count = int(git(clone, "rev-list", "--count", *chosen(refs)))
    print(f"{clone}: {count:,} commits")
    say("git log read through a pipe", piped, piped)
    say("git log to /dev/null", silent, piped)
    say("ours, commits to store", commits, piped)
    say("ours, a whole first sync", whole, piped)
    size = whole.store
    print(
        f"  P1: {commits.wall / piped.wall:.2f}x a piped git log (goal 1.3 from 100,000 commits, "
        f"below raw + 0.3 s: {commits.wall - piped.wall:+.2f} s), "
        f"{commits.wall / silent.wall:.2f}x to /dev/null (goal 1.5)\n"
        f"  P2: {commits.peak - silent.peak:+.0f} MiB beyond raw git's (goal 150)\n"
        f"  P9: {size / count:.0f} bytes a commit, whole store (goal 100)"
    )


def again(clone: Path, arguments: argparse.Namespace) -> None:
    """A second sync of a copy whose default branch lacks a week, then one with that week."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", clone, copy], check=True)
        tip = git(copy, "rev-parse", "HEAD")
        week = int(git(copy, "log", "-1", "--format=%ct")) - 7 * 86400
        old = git(copy, "rev-list", "-1", "--first-parent", f"--before={week}", "HEAD")
        branch = git(copy, "symbolic-ref", "HEAD")
        git(copy, "update-ref", branch, old)
        if arguments.graph:
            git(copy, "commit-graph", "write", "--reachable")
        config = configure(Path(folder), copy)
        sync = [sys.executable, "-c", SYNC, str(config)]

        def seconds() -> float:
            return float(subprocess.run(sync, check=True, capture_output=True).stdout)

        told = [seconds() for _ in range(1 + arguments.rounds)]
        git(copy, "update-ref", branch, tip)
        later = seconds()
        new = git(copy, "rev-list", "--count", tip, f"^{old}")
    print(
        f"{clone}: first sync {told[0]:.2f} s\n"
        f"  P4: nothing new {statistics.median(told[1:]):.3f} s (goal 0.1), "
        f"a week of {new} commits {later:.3f} s (goal 0.2)"
    )


def lines(clone: Path, arguments: argparse.Namespace) -> None:
    log = ["git", "-C", str(clone), "log", "--numstat", "--format=%H", *chosen(arguments.refs)]
    numstat, counted, start = pairs(
        arguments.rounds,
        lambda: run(log),
        lambda: ours(clone, refs=arguments.refs, lines=True),
        lambda: ours(clone, START),
    )
    print(f"{clone}:")
    say("git log --numstat", numstat, numstat)
    say("ours, with line counts", counted, numstat)
    say("of which start and an empty store", start, numstat)
    print(
        f"  P3: {counted.cpu / numstat.cpu:.2f} of its CPU (goal 1.15), "
        f"{counted.wall / numstat.wall:.2f} of its wall (goal 0.65 on two free cores)"
    )


def rivals(clone: Path, arguments: argparse.Namespace) -> None:
    def perceval() -> Run:
        log = subprocess.Popen(
            ["git", "-C", str(clone), *PERCEVAL_LOG, *chosen("")], stdout=subprocess.PIPE
        )
        return run([arguments.python, "-c", PERCEVAL], given=log)

    def pydriller(*more: str) -> Run:
        return run([arguments.python, "-c", PYDRILLER, str(clone), *more])

    count = int(git(clone, "rev-list", "--count", "HEAD"))
    print(f"{clone}: {count:,} commits behind HEAD")
    plain, driller, counted, per, sample = pairs(
        arguments.rounds,
        lambda: ours(clone),
        lambda: pydriller(str(count)),
        lambda: ours(clone, lines=True),
        perceval,
        lambda: pydriller(str(SAMPLE), "lines"),
    )
    say("ours, commits to store", plain, plain)
    say("PyDriller, read only", driller, plain)
    say("ours, with line counts", counted, counted)
    say("Perceval, its log parsed only", per, counted)
    say(f"PyDriller's lines of {SAMPLE} commits", sample, counted)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = {"history": history, "again": again, "lines": lines, "rivals": rivals}
    parser.add_argument("what", choices=what)
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--refs", default="", choices=["", "refs/"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--graph", action="store_true", help="write a commit-graph in the copy")
    parser.add_argument("--python", default="rivals/bin/python")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {git(Path(), '--version')}")
    for clone in arguments.clones:
        what[arguments.what](clone.resolve(), arguments)


if __name__ == "__main__":
    main()
