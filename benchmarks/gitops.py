"""Releases as a GitOps repository records them: files that name what runs in each environment.

    python benchmarks/gitops.py CLONE --path REGEX --version REGEX --out DIR [--app SERVICE=CLONE]

Of every file whose path fits `--path` (with the groups `environment` and `service`), each commit of
the default branch after which it names another version, by the first group of `--version` that
fits, is a deployment. A full commit id is the commit deployed, and so is the tag of that name in
the service's own clone, where `--app` gives one. With `--by-version` each other version stands for
a commit of its own, so that the same one on staging and in production is the same thing.

DIR gets `deployments.csv`, `dora.toml` and, after a sync, the store. Printed are the time, the
sentence and the figures of each analysis of releases; then the states and the soak of staging are
counted from the rows in plain Python, and the exit code is 1 if they differ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import dora
from dora import release
from dora.delivery import Delivery

ABSENT = "0" * 40
FULL_SHA = re.compile(r"[0-9a-f]{40}")
CONFIGURATION = """
as_of = "newest"

[environments]
production = ["production*"]
staging = ["staging*"]

[[sources]]
name = "gitops"
kind = "files"
path = "deployments.csv"
"""
APP = """
[[sources]]
name = "{service}"
kind = "git"
path = "{clone}"
repository = "{repository}"

[[services]]
name = "{service}"
repositories = ["{repository}"]
"""


@dataclass(frozen=True)
class Change:
    """A file that a commit of the default branch left with other content, or took away."""

    commit: str
    finished_at: datetime
    blob: str
    path: str


@dataclass(frozen=True)
class Row:
    """A deployment, in the columns of the record."""

    id: str
    repository: str
    service: str
    environment: str
    status: str
    finished_at: datetime
    sha: str
    version: str

    @property
    def kind(self) -> str:
        """The kind of its environment: staging/base is staging."""
        return self.environment.partition("/")[0]


def git(clone: Path, *arguments: str, given: str = "") -> bytes:
    command = ["git", "-C", str(clone), *arguments]
    return subprocess.run(command, check=True, capture_output=True, input=given.encode()).stdout


def changes(clone: Path) -> Iterator[Change]:
    """What the default branch went through, oldest first, as its first parents tell."""
    shown = ["--raw", "--abbrev=40", "--no-renames", "--format=%H %ct"]
    log = git(clone, "-c", "core.quotePath=off", "log", "--first-parent", "-m", "--reverse", *shown)
    commit, moment = "", datetime.fromtimestamp(0, UTC)
    for line in log.decode(errors="replace").splitlines():
        if line.startswith(":"):
            told, _, path = line.partition("\t")
            yield Change(commit, moment, told.split(" ")[3], path)
        elif line:
            commit, seconds = line.split(" ")
            moment = datetime.fromtimestamp(int(seconds), UTC)


def contents(clone: Path, blobs: set[str]) -> dict[str, str]:
    """The text of each blob."""
    answer = git(clone, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in sorted(blobs)))
    found, at = {}, 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        blob, _, size = answer[at:end].decode().split(" ")
        found[blob] = answer[end + 1 : end + 1 + int(size)].decode(errors="replace")
        at = end + 2 + int(size)
    return found


def tags(clone: Path) -> dict[str, str]:
    """The commit of each tag; of one with a message, what it is put on."""
    told = ["--format=%(refname:lstrip=2) %(objectname) %(*objectname)", "refs/tags"]
    lines = git(clone, "for-each-ref", *told).decode().splitlines()
    return {name: shas[-1] for name, *shas in map(str.split, lines)}


@dataclass(frozen=True)
class Reading:
    """How a GitOps repository is read."""

    path: re.Pattern[str]
    version: re.Pattern[str]
    apps: dict[str, Path]
    by_version: bool

    def rows(self, clone: Path) -> Iterator[Row]:
        """Each deployment, oldest first."""
        known = {service: tags(app) for service, app in self.apps.items()}
        fitting = [(one, found) for one in changes(clone) if (found := self.path.search(one.path))]
        texts = contents(clone, {change.blob for change, _ in fitting} - {ABSENT})
        now: dict[str, str] = {}
        for change, found in fitting:
            named = self.version.search(texts.get(change.blob, ""))
            runs = next(filter(None, named.groups()), "") if named else ""
            if runs and runs != now.get(change.path):
                service, environment = found["service"], found["environment"]
                sha = self.sha(service, runs, known.get(service, {}))
                of, place = f"{change.commit}:{service}", (home(service), service, environment)
                yield Row(of, *place, "succeeded", change.finished_at, sha, runs)
            now[change.path] = runs

    def sha(self, service: str, version: str, known: dict[str, str]) -> str:
        """The commit that a version of a service is; empty where that is not known."""
        if FULL_SHA.fullmatch(version):
            return version
        if version in known or not self.by_version:
            return known.get(version, "")
        name = f"{service} {version}".encode()
        return hashlib.sha1(name, usedforsecurity=False).hexdigest()


def home(service: str) -> str:
    """What the repository of a service is called."""
    return f"local/apps/{service}"


def write(out: Path, rows: list[Row], apps: dict[str, Path]) -> None:
    """The file of deployments, and a configuration that reads it and the services' clones."""
    names = [column.name for column in fields(Row)]
    with (out / "deployments.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(names)
        table.writerows([getattr(row, name) for name in names] for row in rows)
    said = [
        APP.format(service=service, clone=clone.resolve(), repository=home(service))
        for service, clone in apps.items()
    ]
    (out / "dora.toml").write_text("".join([CONFIGURATION, *said]), "utf-8")


def ask(delivery: Delivery) -> None:
    """Print what each analysis says, and how long it took."""
    for name in release.NAMES:
        began = time.perf_counter()
        answer = delivery.release.ask(name)
        said = answer.sentence
        print(f"\n{name} ({time.perf_counter() - began:.1f} s): {said}")
        known = answer.frame.dropna(subset="value").dropna(axis=1, how="all")
        print(known.to_string(index=False, na_rep="-") if len(known) else "no figure has a value")


def counted(rows: list[Row], since: datetime) -> dict[str, float]:
    """The states of production deployments and the median soak, from the rows alone.

    The same commit is looked for on staging; nothing is known of it where it is not named, or where
    staging had something without a name since the production deployment before.
    """
    begun: set[str] = set()
    staged: dict[tuple[str, str], datetime] = {}
    blind: dict[str, datetime] = {}
    before: dict[tuple[str, str], datetime] = {}
    states, soaks = dict.fromkeys(("passed", "skipped", "unknown", "none"), 0), []
    out: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda one: (one.finished_at, one.kind != "staging")):
        what, stream = (row.service, row.sha), (row.service, row.environment)
        if row.kind == "staging":
            begun.add(row.service)
            if row.sha:
                staged.setdefault(what, row.finished_at)
            else:
                blind[row.service] = row.finished_at
        elif row.kind == "production":
            seen = staged.get(what)
            unseen = blind.get(row.service)
            if seen:
                state = "passed"
            elif row.service not in begun:
                state = "none"
            elif not row.sha or (unseen and not (stream in before and unseen <= before[stream])):
                state = "unknown"
            else:
                state = "skipped"
            if row.finished_at >= since:
                states[state] += 1
                if seen and what not in out:
                    soaks.append((row.finished_at - seen).total_seconds() / 86_400)
            if row.sha:
                out.add(what)
            before[stream] = row.finished_at
    return {**states, "soak_median": median(soaks) if soaks else float("nan")}


def differs(delivery: Delivery, rows: list[Row]) -> bool:
    """Print both counts of staging, and say whether they differ."""
    answer = delivery.release.ask("staging")
    states = answer.evidence["state"].value_counts().to_dict()
    ours = {state: states.get(state, 0) for state in ("passed", "skipped", "unknown", "none")}
    ours["soak_median"] = answer["soak_median"].value
    microseconds = answer.asked.window_us[0]
    theirs = counted(rows, datetime.fromtimestamp(microseconds / 1e6, UTC))
    print(f"\nstaging by the store: {ours}\nby plain counting:    {theirs}")
    return any(abs((ours[name] or 0) - theirs[name]) > 1e-9 for name in ours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clone", type=Path)
    parser.add_argument("--path", required=True, type=re.compile, help="expression for paths")
    parser.add_argument("--version", required=True, help="expression for the version in a file")
    parser.add_argument("--out", type=Path, required=True, help="folder for the store")
    parser.add_argument("--app", action="append", default=[], metavar="SERVICE=CLONE")
    parser.add_argument("--by-version", action="store_true", help="a version stands for a commit")
    parser.add_argument("--window", default="1y")
    given = parser.parse_args()
    apps = {service: Path(clone) for service, _, clone in (a.partition("=") for a in given.app)}
    version = re.compile(given.version, re.MULTILINE)
    began = time.perf_counter()
    rows = list(Reading(given.path, version, apps, given.by_version).rows(given.clone))
    print(f"{len(rows):,} deployments read in {time.perf_counter() - began:.1f} s")
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out, rows, apps)
    began, configuration = time.perf_counter(), given.out / "dora.toml"
    subprocess.run([sys.executable, "-m", "dora", "sync", "-c", str(configuration)], check=True)
    print(f"synced in {time.perf_counter() - began:.1f} s")
    delivery = dora.open(configuration).window(given.window)
    ask(delivery)
    sys.exit(differs(delivery, rows))


if __name__ == "__main__":
    main()
