"""Is the delivering tag the right one? Every commit is asked of git itself.

    python benchmarks/truth.py REPOSITORY [--glob 'v*'] [--sample N] [--jobs 2]

The clone is read into a store by a sync, as a user would. Then, for every commit of that store (or
N of them, chosen with a fixed seed), `git for-each-ref --contains` names the tags that contain it;
the earliest by tag time, an ancestor first at equal times, must be the deployment that lineage
names, in each environment; and what no tag contains must wait if it is on the default branch, and
otherwise be absent. Baselines are included; squashes and cherry-picks are not followed. The exit
code is 1 if anything differs. The clone itself is not touched: git answers from a copy that
shares its objects and has a commit-graph, without which this would take hours.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dora import config
from dora.store import connect
from dora.sync import sync

SEED = 20260101
WAITS = "waits"


@dataclass(frozen=True)
class Release:
    """A deployment inferred from a tag."""

    tag: str
    sha: str
    finished: int


@dataclass(frozen=True)
class Ours:
    """What lineage says of one environment: its releases, and by commit the first of them."""

    releases: dict[str, Release]
    first: dict[str, str]


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def copied(repository: Path, folder: Path) -> Path:
    copy = folder / "copy.git"
    source = str(repository.resolve())
    git(folder, "clone", "-q", "--mirror", "--shared", source, str(copy))
    git(copy, "commit-graph", "write", "--reachable")
    return copy


def synced(repository: Path, glob: str, folder: Path) -> duckdb.DuckDBPyConnection:
    """A store of that clone, made as a user would make it."""
    told = folder / "dora.toml"
    told.write_text(
        'store = "dora.duckdb"\nidentities = "plain"\n[[sources]]\nname = "clone"\nkind = "git"\n'
        f'path = "{repository}"\ndeployments = ["tags:{glob}"]\n'
    )
    settings = config.load(told)
    for source in sync(settings).sources:
        print(*(f"{rows:,} {table}" for table, rows in source.new.items()), sep=", ")
        if source.error:
            sys.exit(source.error)
    return connect(settings.store)


def lineages(store: duckdb.DuckDBPyConnection) -> dict[str, Ours]:
    """By environment, each release by the commit it deploys."""
    rows = store.execute(
        "select s.environment, d.deployment, d.sha, epoch(d.finished_at)::bigint"
        " from stream_deployments d join streams s using (stream)"
    ).fetchall()
    labels = store.execute(
        "select s.environment, c.sha, coalesce(d.sha, ?) from lineage l"
        " join streams s using (stream) join commits c using (commit_id)"
        " left join stream_deployments d on d.stream = l.stream and d.position = l.position",
        [WAITS],
    ).fetchall()
    found = {environment: Ours({}, {}) for environment, *_ in rows}
    for environment, tag, sha, finished in rows:
        found[environment].releases[sha] = Release(tag, sha, finished)
    for environment, sha, first in labels:
        found[environment].first[sha] = first
    return found


def tagged(repository: Path, glob: str) -> dict[str, tuple[str, int]]:
    """Commit and time of each tag of commits, nested tags peeled to the end."""
    shape = "--format=%(refname)\t%(creatordate:unix)"
    rows = [
        line.split("\t") for line in git(repository, "for-each-ref", shape, _refs(glob)).split("\n")
    ]
    times = {row[0]: row[1] for row in rows if len(row) == 2}
    answers = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch-check=%(objectname) %(objecttype)"],
        input="".join(f"{ref}^{{}}\n" for ref in times),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    found = {}
    for (ref, when), answer in zip(times.items(), answers, strict=True):
        commit, kind = answer.split()
        if kind == "commit":
            when = when or git(repository, "log", "-1", "--format=%ct", commit)
            found[ref] = (commit, int(when))
    return found


def misdated(tags: Mapping[str, tuple[str, int]], ours: Mapping[str, Ours]) -> list[str]:
    """Tags that git knows and we do not, and releases whose time is not their tag's."""
    known = {release.tag: release for each in ours.values() for release in each.releases.values()}
    deployed = {sha for each in ours.values() for sha in each.releases}
    faults = []
    for ref, (commit, when) in tags.items():
        tag = ref.removeprefix("refs/tags/")
        if commit not in deployed:
            faults.append(f"{tag}: no deployment of {commit}")
        elif tag in known and (known[tag].sha, known[tag].finished) != (commit, when):
            faults.append(f"{tag}: {known[tag]} instead of {commit} at {when}")
    return faults


def _refs(glob: str) -> str:
    return f"refs/tags/{glob}"


def truth(repository: Path, releases: Mapping[str, Release], containing: set[str]) -> str | None:
    """The commit of the earliest release among those that contain something."""
    candidates = [releases[sha] for sha in containing if sha in releases]
    if not candidates:
        return None
    earliest = min(release.finished for release in candidates)
    tied = sorted((r for r in candidates if r.finished == earliest), key=lambda r: r.tag)
    for release in tied:
        others = (other for other in tied if other is not release)
        if not any(_is_ancestor(repository, other.sha, release.sha) for other in others):
            return release.sha
    raise AssertionError("tags that are each other's ancestors")


def _is_ancestor(repository: Path, one: str, other: str) -> bool:
    command = ["git", "-C", str(repository), "merge-base", "--is-ancestor", one, other]
    return subprocess.run(command, check=False).returncode == 0


@dataclass(frozen=True)
class Question:
    """What every commit is asked with.

    Attributes:
        repository: Where git answers.
        glob: Which tags deploy.
        commits: The commit of each tag.
        ours: What lineage says, by environment.
        on_head: The commits of the default branch.
    """

    repository: Path
    glob: str
    commits: Mapping[str, str]
    ours: Mapping[str, Ours]
    on_head: frozenset[str]

    def differences(self, commit: str) -> list[str]:
        """Where lineage and git disagree about one commit."""
        answer = git(
            self.repository,
            "for-each-ref",
            f"--contains={commit}",
            "--format=%(refname)",
            _refs(self.glob),
        )
        containing = {self.commits[tag] for tag in answer.splitlines()}
        faults = []
        for environment, known in self.ours.items():
            expected = truth(self.repository, known.releases, containing)
            if expected is None and commit in self.on_head:
                expected = WAITS
            actual = known.first.get(commit)
            if actual != expected:
                faults.append(f"{commit} in {environment}: {actual}, git says {expected}")
        return faults


def compare(repository: Path, glob: str, sample: int | None, jobs: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        copy = copied(repository, Path(name))
        store = synced(copy, glob, Path(name))
        ours = lineages(store)
        commits = sorted(s for (s,) in store.execute("select sha from commits").fetchall())
        store.close()
        chosen = commits
        if sample is not None and sample < len(commits):
            chosen = random.Random(SEED).sample(commits, sample)
        tags = tagged(copy, glob)
        faults = misdated(tags, ours)
        began = time.perf_counter()
        question = Question(
            copy,
            glob,
            {ref: commit for ref, (commit, _) in tags.items()},
            ours,
            frozenset(git(copy, "rev-list", "HEAD").split()),
        )
        with ThreadPoolExecutor(jobs) as pool:
            for found in pool.map(question.differences, chosen):
                faults += found
        seconds = time.perf_counter() - began
    for environment, known in ours.items():
        delivered = sum(known.first.get(commit, WAITS) != WAITS for commit in chosen)
        print(f"{environment}: {len(known.releases):,} releases, {delivered:,} commits delivered")
    print(f"{len(chosen):,} of {len(commits):,} commits asked of git in {seconds:.0f} s;")
    print(f"differences: {len(faults)}", *faults[:20], sep="\n")
    return 1 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare lineage with git tag --contains.")
    parser.add_argument("repository", type=Path)
    parser.add_argument("--glob", default="v*")
    parser.add_argument("--sample", type=int, help="so many random commits; all if left out")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    return compare(chosen.repository, chosen.glob, chosen.sample, chosen.jobs)


if __name__ == "__main__":
    sys.exit(main())
