"""Staging: what had been on it, for how long, what it let pass, and what is there alone."""

from __future__ import annotations

from itertools import pairwise

from dora.records import Commit
from tests.oracle.changes import Row
from tests.oracle.releases.asked import (
    DAY,
    HOUR,
    Asked,
    Figures,
    failing,
    middle,
    share,
    stratified,
)
from tests.oracle.staging import Step, staged_deployments
from tests.oracle.streams import Graph
from tests.oracle.world import us

BANDS = {
    "under_1h": (0, HOUR),
    "1h_to_1d": (HOUR, DAY),
    "1d_to_7d": (DAY, 7 * DAY),
    "over_7d": (7 * DAY, 10**30),
}


def staging(asked: Asked) -> Figures:
    rows = _with_states(asked)
    by = {state: [r for r in rows if r["state"] == state] for state in ("passed", "skipped")}
    plain = {state: [r for r in rows if not r["repair"]] for state, rows in by.items()}
    told = by["passed"] + by["skipped"]
    repairs = [r for r in told if r["repair"]]
    failed = [r for r in told if r["failed"] and r["mature"] and r["covered"]]
    figures = {
        "skipped_share": share(len(by["skipped"]), len(told)),
        "repairs_skipped_share": share(sum(r["state"] == "skipped" for r in repairs), len(repairs)),
        "unknown": (sum(r["state"] == "unknown" for r in rows), len(rows)),
        "soak_median": middle([r["soak_us"] for r in rows if r["soak_us"] is not None], DAY),
        "failure_rate_staged": failing(plain["passed"]),
        "failure_rate_skipped": failing(plain["skipped"]),
        "skip_difference": stratified(plain["passed"], plain["skipped"]),
        "escapes": (
            sum(r["state"] == "passed" for r in failed)
            if any(r["mature"] and r["covered"] for r in told)
            else None,
            len(failed),
        ),
        "escape_share": share(sum(r["state"] == "passed" for r in failed), len(failed)),
    }
    for name, (least, most) in BANDS.items():
        soaked = [r for r in plain["passed"] if r["soak_us"] is not None]
        within = [r for r in soaked if least <= r["soak_us"] < most]
        figures[f"failure_rate_soak_{name}"] = failing(within)
    return figures | Drift(asked).figures()


def _with_states(asked: Asked) -> list[Row]:
    names = ("source", "deployment", "service", "environment")
    states = {tuple(r[n] for n in names): r for r in staged_deployments(asked.facts.staging)}
    return [row | states[tuple(row[n] for n in names)] for row in asked.starts]


class Drift:
    """What staging and production do not share, at every moment at which either changed."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.lines: dict[tuple[str, str], list[Step]] = {}
        for step in asked.facts.staging.steps:
            if step.place[1] in asked.services:
                self.lines.setdefault(step.place[:2], []).append(step)
        self.lines = {
            key: steps
            for key, steps in self.lines.items()
            if {s.staging for s in steps} == {True, False}
        }
        self.graphs = {
            repository: Graph(commits) for repository, commits in asked.facts.known.commits.items()
        }

    def runs(self, key: tuple[str, str], staging: bool, instant: int) -> list[Step]:
        """What each environment of a side ran at an instant."""
        newest: dict[str, Step] = {}
        for step in self.lines[key]:
            if step.staging is staging and us(step.done) <= instant:
                place = step.place[2]
                if place not in newest or step.position > newest[place].position:
                    newest[place] = step
        return list(newest.values())

    def side(self, key: tuple[str, str], staging: bool, instant: int) -> set[str] | None:
        """The commits on a side, under the name of what they copy; None where that is unknown."""
        runs = self.runs(key, staging, instant)
        if not runs or any(not step.known for step in runs):
            return None
        found: set[str] = set()
        for step in runs:
            found |= self.graphs[key[0]].reach(step.fact.sha)
        return found

    def apart(self, key: tuple[str, str], instant: int) -> tuple[set[str], set[str]] | None:
        here, there = (self.side(key, staging, instant) for staging in (True, False))
        if here is None or there is None:
            return None
        return self._only(key, here, there), self._only(key, there, here)

    def _only(self, key: tuple[str, str], one: set[str], other: set[str]) -> set[str]:
        repository, service = key
        known = self.asked.facts.known
        copies = self.asked.facts.production.work.copies[repository]
        return {
            sha
            for sha in one - other
            if len(known.commits[repository][sha].parents.split()) < 2
            and known.touches(service, repository, sha)
            and not _kin(copies, sha) & other
        }

    def figures(self) -> Figures:
        first, last = self.asked.so_far
        commits = {(c.repository, c.sha): c for _, c in self.asked.facts.known.world.of(Commit)}
        now = [(key, self.apart(key, last)) for key in self.lines]
        told = [(key, sides) for key, sides in now if sides is not None]
        ages = [us(commits[key[0], sha].committed_at) for key, sides in told for sha in sides[0]]
        figures: Figures = {
            f"{name}_now": (
                float(sum(len(sides[side]) for _, sides in told)) if told else None,
                len({key[1] for key, _ in told}),
            )
            for side, name in enumerate(("ahead", "behind"))
        }
        figures["ahead_oldest"] = (
            (last - min(ages)) / DAY if ages else None,
            len({key[1] for key, _ in told}) if ages else 0,
        )
        for side, name in enumerate(("ahead", "behind")):
            means = [
                m for key in self.lines if (m := self._mean(key, side, first, last)) is not None
            ]
            figures[f"{name}_mean"] = (sum(means) if means else None, len(means))
        return figures

    def _mean(self, key: tuple[str, str], side: int, first: int, last: int) -> float | None:
        moments = sorted(
            {first, last, *(us(s.done) for s in self.lines[key] if first < us(s.done) < last)}
        )
        total = length = 0
        for begun, ended in pairwise(moments):
            sides = self.apart(key, begun)
            if sides is not None:
                total += len(sides[side]) * (ended - begun)
                length += ended - begun
        return total / length if length else None


def _kin(copies: dict[str, str], sha: str) -> set[str]:
    """What a commit copies, and what copies it, however often copied."""
    same = {sha}
    while True:
        more = {copies[x] for x in same if x in copies}
        more |= {copy for copy, of in copies.items() if of in same}
        if more <= same:
            return same
        same |= more
