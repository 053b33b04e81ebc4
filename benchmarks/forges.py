"""What reading a forge costs: requests, points, time and memory, against a bare loop.

    python benchmarks/forges.py github [--pulls N] [--deployments N] [--repositories N]

A host on loopback makes pull requests with commits and reviews, and deployments with statuses, as
they are asked for; it takes `--seconds` for every answer, as a host far away does. Everything is
read for the first time, then once more with nothing new. The bare loop puts the same questions
again, as many at once, and drops the answers; so the ratio says how much of the time is the host's.
A tenth of it is read, too: memory must not grow with the history. Every run has its own process.
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
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1024
AT_ONCE = 4
TOKEN = "ghp_benchmark"
CONFIG = """
store = "dora.duckdb"
[[sources]]
name = "forge"
kind = "github"
url = "{url}"
token_env = "FORGE_TOKEN"
groups = ["acme"]
deployments = ["deployments"]
builds = false
at_once = {at_once}
"""

PULLS = ("PullRequests", "MoreCommits", "MoreReviews", "MoreLabels", "Parents")
DEPLOYMENTS = ("Deployments", "MoreStatuses")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to read."""

    repositories: int
    pulls: int
    deployments: int


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, its memory at most, and what it asked for."""

    seconds: float
    peak_mib: float
    kinds: Mapping[str, int]
    points: Mapping[str, int]

    @property
    def requests(self) -> int:
        """All requests."""
        return sum(self.kinds.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("forge", choices=("github", "child"))
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--pulls", type=int, default=50_000)
    parser.add_argument("--deployments", type=int, default=20_000)
    parser.add_argument("--repositories", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    if given.forge == "child":
        child(*given.rest)
        return
    measure(Size(given.repositories, given.pulls, given.deployments), given.seconds)


def measure(size: Size, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        small = Size(size.repositories, size.pulls // 10, size.deployments // 10)
        few, _, _ = read(small, seconds, Path(scratch) / "small")
        first, again, bare = read(size, seconds, Path(scratch) / "large")
    said("first sync", first)
    per_pull = sum(first.kinds.get(kind, 0) for kind in PULLS) / size.pulls * 1000
    points = sum(first.points.get(kind, 0) for kind in PULLS) / size.pulls * 1000
    per_deployment = sum(first.kinds.get(kind, 0) for kind in DEPLOYMENTS) / size.deployments * 1000
    verdict("requests per 1,000 pull requests", per_pull, 25)
    verdict("points per 1,000 pull requests", points, 50)
    verdict("requests per 1,000 deployments", per_deployment, 12)
    said("nothing new", again)
    verdict("requests per repository, nothing new", again.requests / size.repositories, 3)
    print(f"bare loop over the same queries: {bare.seconds:.1f} s")
    share = bare.seconds / first.seconds
    print(f"throughput against it: {share:.0%} (goal >= 80 %) {'ok' if share >= 0.8 else 'MISSED'}")
    print(
        f"peak memory: {first.peak_mib:.0f} MiB, for a tenth {few.peak_mib:.0f} MiB:"
        f" {first.peak_mib / few.peak_mib:.2f} times (goal: flat)"
    )


def said(what: str, run: Run) -> None:
    listed = ", ".join(f"{kind} {times:,}" for kind, times in sorted(run.kinds.items()))
    points = sum(run.points.values())
    print(f"{what}: {run.seconds:.1f} s, {run.requests:,} requests, {points:,} points ({listed})")


def verdict(what: str, value: float, goal: float) -> None:
    print(f"{what}: {value:.1f} (goal <= {goal}) {'ok' if value <= goal else 'MISSED'}")


def read(size: Size, seconds: float, folder: Path) -> tuple[Run, Run, Run]:
    """The first sync, one with nothing new, and the bare loop."""
    from tests.forges.github_host import GitHubHost, Token
    from tests.forges.plenty import plenty

    folder.mkdir()
    organisation = plenty(size.repositories, size.pulls, size.deployments)
    token = Token(TOKEN, limit=1_000_000_000)
    with GitHubHost(organisation, [token], before=lambda _: time.sleep(seconds)) as host:
        config = folder / "dora.toml"
        config.write_text(CONFIG.format(url=host.url, at_once=AT_ONCE))
        first = run(host, "sync", str(config))
        asked = list(host.requests)
        again = run(host, "sync", str(config))
        chains = folder / "asked.json"
        chains.write_text(json.dumps(chained(asked)))
        bare = run(host, "bare", host.url, str(chains))
        check(config.with_name("dora.duckdb"), size)
    return first, again, bare


def run(host: Any, *arguments: str) -> Run:
    began = len(host.requests)
    command = [sys.executable, __file__, "child", *arguments]
    environment = {**os.environ, "FORGE_TOKEN": TOKEN, "DORA_IDENTITY_KEY": "benchmark"}
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    made = host.requests[began:]
    points: Counter[str] = Counter()
    for one in made:
        points[one.kind] += one.points
    return Run(told["seconds"], told["peak"] / MIB, Counter(one.kind for one in made), points)


def chained(asked: Sequence[Any]) -> list[list[dict[str, Any]]]:
    """Questions in the order in which they were put, those of each repository for themselves."""
    chains: dict[str, list[dict[str, Any]]] = {}
    for one in asked:
        if one.graphql:
            where = str(one.asked.get("repository", one.asked.get("id", "")))
            chains.setdefault(where, []).append({"query": one.query, "variables": one.asked})
    return list(chains.values())


def check(store: Path, size: Size) -> None:
    """Nothing may be missing: a list that is cut short would be cheap."""
    import duckdb

    with duckdb.connect(str(store), read_only=True) as connection:
        for table, least in (
            ("pull_requests", size.pulls),
            ("reviews", 2 * size.pulls),
            ("pull_request_commits", commits(size)),
            ("deployments", size.deployments),
        ):
            [(found,)] = connection.execute(f"select count(*) from {table}").fetchall()
            assert found == least, f"{table}: {found} instead of {least}"


def commits(size: Size) -> int:
    from tests.forges.plenty import originals

    each = range(1, size.pulls // size.repositories + 1)
    return size.repositories * sum(originals(number) for number in each)


def child(what: str, *rest: str) -> None:
    seconds = synced(*rest) if what == "sync" else asked(*rest)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak": peak}))


def synced(path: str) -> float:
    from dora import config, connector, sync

    loaded = config.load(Path(path))
    connector.load("github")
    began = time.perf_counter()
    summary = sync.sync(loaded)
    seconds = time.perf_counter() - began
    assert not summary.failed, summary.sources[0].error
    return seconds


def asked(url: str, path: str) -> float:
    from github import Auth, Github

    chains = json.loads(Path(path).read_text())

    def put(chain: list[dict[str, Any]]) -> None:
        client = Github(
            base_url=url,
            auth=Auth.Token(TOKEN),
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        for one in chain:
            client.requester.graphql_query(one["query"], one["variables"])

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(put, chains))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
