"""What reading GitLab costs: requests, time and memory, against a bare loop over the same pages.

    python benchmarks/read_gitlab.py [--merge-requests N] [--deployments N] [--projects N]

A host on loopback makes merge requests and deployments as they are asked for, and takes `--seconds`
for every answer, as a host far away does. Merge requests and deployments are read for the first
time, their commits left to a clone; then once more with nothing new; then merge requests with
commits, approvals and notes, a fiftieth of them. The bare loop puts the same questions again, as
many lists at once, and drops the answers: the ratio says how much of the time is the host's. A
tenth is read, too: memory must not grow with the history. Every run has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

AT_ONCE = 4
TOKEN = "glpat-benchmark"
CONFIG = """
store = "dora.duckdb"
[[sources]]
name = "forge"
kind = "gitlab"
url = "{url}"
token_env = "FORGE_TOKEN"
groups = ["acme"]
at_once = {at_once}
{more}
"""
CLONE = "commits = false\nreviews = false"


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, its memory at most, and the addresses it asked for."""

    seconds: float
    mebibytes: float
    asked: Sequence[str]

    def of(self, *words: str) -> int:
        """How many requests had any of these words in their path."""
        return sum(any(word in one.partition("?")[0] for word in words) for one in self.asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("child", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--merge-requests", type=int, default=50_000)
    parser.add_argument("--deployments", type=int, default=20_000)
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.2)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
        return
    measure(given.projects, given.merge_requests, given.deployments, given.seconds)


def measure(projects: int, merge_requests: int, deployments: int, seconds: float) -> None:
    tenth = merge_requests // 10, deployments // 10
    few = read(projects, *tenth, seconds, CLONE, 1)[0]
    first, again, bare = read(projects, merge_requests, deployments, seconds, CLONE, 3)
    some = merge_requests // 50
    whole = read(projects, some, deployments // 50, seconds, "", 1)[0]
    print(f"first sync: {first.seconds:.1f} s, {len(first.asked):,} requests")
    listed = first.of("/merge_requests") / merge_requests * 1000
    verdict("requests per 1,000 merge requests, commits by a clone", listed, 30)
    made = whole.of("/merge_requests") / some
    verdict("requests per merge request with commits, approvals and notes", made, 3)
    per_deployment = first.of("/deployments", "/environments") / deployments * 1000
    verdict("requests per 1,000 deployments", per_deployment, 12)
    print(f"nothing new: {again.seconds:.1f} s, {len(again.asked):,} requests")
    verdict("requests per project, nothing new", len(again.asked) / projects, 3)
    share = bare.seconds / first.seconds
    print(f"throughput against a bare loop: {share:.0%} (goal >= 80 %) {_met(share >= 0.8)}")
    ratio = first.mebibytes / few.mebibytes
    print(
        f"memory: {first.mebibytes:.0f} MiB, for a tenth {few.mebibytes:.0f} MiB: {ratio:.2f} times"
    )


def verdict(what: str, value: float, goal: float) -> None:
    print(f"{what}: {value:.2f} (goal <= {goal}) {_met(value <= goal)}")


def _met(well: bool) -> str:
    return "ok" if well else "MISSED"


def read(
    projects: int, merge_requests: int, deployments: int, seconds: float, more: str, runs: int
) -> list[Run]:
    """The first sync, one with nothing new, and the bare loop: as many of them as are wanted."""
    from tests.forges.gitlab_host import GitLabHost, Token
    from tests.forges.plenty import plenty
    from tests.forges.scenario import NOW

    organisation = plenty(projects, merge_requests, deployments)
    host = GitLabHost(organisation, {TOKEN: Token()}, clock=NOW, delay=seconds)
    with tempfile.TemporaryDirectory() as scratch, host.serving():
        folder = Path(scratch)
        for one in organisation.repositories.values():  # the host's own lists, made beforehand
            host.answer(f"/api/v4/projects/{one.id}/merge_requests?state=all", TOKEN)
            host.answer(f"/api/v4/projects/{one.id}/deployments", TOKEN)
        config = folder / "dora.toml"
        config.write_text(CONFIG.format(url=host.url, at_once=AT_ONCE, more=more))
        found = [run(host, "sync", str(config))]
        if runs > 1:
            found.append(run(host, "sync", str(config)))
            asked = folder / "asked.json"
            asked.write_text(json.dumps(list(found[0].asked)))
            found.append(run(host, "bare", host.url, str(asked)))
        rows = [n // projects * projects for n in (merge_requests, deployments)]
        check(folder / "dora.duckdb", *rows)
    return found


def run(host: Any, *arguments: str) -> Run:
    host.requests.clear()
    environment = {**os.environ, "FORGE_TOKEN": TOKEN, "DORA_IDENTITY_KEY": "benchmark"}
    ran = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**environment, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    asked = [f"{one.path}?{urlencode(one.query)}" for one in host.requests]
    return Run(told["seconds"], told["mebibytes"], asked)


def check(store: Path, merge_requests: int, deployments: int) -> None:
    """Nothing may have been cut."""
    import duckdb

    with duckdb.connect(str(store), read_only=True) as connection:
        for table, expected in (("pull_requests", merge_requests), ("deployments", deployments)):
            found = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
            if found != expected:
                raise SystemExit(f"{table}: {found:,} instead of {expected:,}")


def child(what: str, *arguments: str) -> None:
    """Read, or loop; say how long it took and how much memory it needed."""
    work = sync if what == "sync" else bare
    began = time.perf_counter()
    work(*arguments)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mebibytes": peak}))


def sync(config: str) -> None:
    from dora.config import load
    from dora.sync import sync as read_all

    summary = read_all(load(Path(config)))
    if summary.failed:
        raise SystemExit(str(summary.sources[0].error))


def bare(url: str, asked: str) -> None:
    import requests

    session = requests.Session()
    session.headers["PRIVATE-TOKEN"] = TOKEN

    chains: dict[str, list[str]] = {}  # the pages of a list must be asked for one by one
    for address in json.loads(Path(asked).read_text()):
        chains.setdefault(address.partition("?")[0], []).append(address)

    def ask(chain: Sequence[str]) -> None:
        for address in chain:
            session.get(f"{url}/api/v4{address}", timeout=60).json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, chains.values()))


if __name__ == "__main__":
    main()
