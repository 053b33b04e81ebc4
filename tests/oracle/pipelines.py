"""CI runs as they stand now, and at what the checks of a default branch stood when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dora.records import Build, Repository
from tests.oracle.changes import Row
from tests.oracle.marts import us_of
from tests.oracle.world import Known, us

SAYING = ("succeeded", "failed")
MONTH_US = us_of(timedelta(days=30))


@dataclass(frozen=True)
class Run:
    """An attempt that had begun by now."""

    source: str
    fact: Build
    begun: int
    ended: int | None
    on_trunk: bool
    status: str

    @property
    def check(self) -> tuple[str, str]:
        return self.fact.repository, self.fact.name


def runs(known: Known) -> list[Run]:
    """Every run that had begun by now; what ends later is still going on."""
    branches = {r.repository: r.default_branch for _, r in known.world.of(Repository)}
    now = us(known.as_of)
    found = []
    for source, build in known.world.of(Build):
        begun = build.started_at or build.finished_at
        if begun is None or us(begun) > now:
            continue
        done = None if build.finished_at is None else us(build.finished_at)
        status = "running" if done is not None and done > now else build.status
        ended = done if status in SAYING else None
        trunk = build.branch is not None and build.branch == branches.get(build.repository)
        found.append(Run(source, build, us(begun), ended, trunk, status))
    return found


def ci_runs(known: Known) -> list[Row]:
    return [
        {
            "source": run.source,
            "build": run.fact.id,
            "repository": run.fact.repository,
            "sha": run.fact.sha,
            "name": run.fact.name,
            "attempt": run.fact.attempt,
            "status": run.status,
            "on_trunk": run.on_trunk,
            "begun_us": run.begun,
            "ended_us": run.ended,
            "us": _length(run),
        }
        for run in runs(known)
    ]


def _length(run: Run) -> int | None:
    if run.ended is None or run.fact.started_at is None or run.ended < run.begun:
        return None
    return run.ended - run.begun


def trunk_checks(known: Known) -> list[Row]:
    """The spans of each check: from when a run speaks until a newer one does."""
    trunk = [run for run in runs(known) if run.on_trunk]
    spans = []
    for check in sorted({run.check for run in trunk}):
        built: dict[str, int] = {}
        for run in trunk:
            if run.check[0] == check[0]:
                built[run.fact.sha] = min(run.begun, built.get(run.fact.sha, run.begun))
        line = sorted(
            (r for r in trunk if r.check == check and r.ended is not None),
            key=lambda r: (built[r.fact.sha], r.fact.sha, r.fact.attempt, r.begun, r.fact.id),
        )
        for place, run in enumerate(line):
            newer = [r.ended for r in line[place + 1 :] if r.ended is not None]
            if run.ended is not None and min(newer, default=run.ended) >= run.ended:
                spans.append((run, run.ended, min(newer, default=None)))
    return [_span(run, since, _gone(spans, run, since, until)) for run, since, until in spans]


def _gone(
    spans: list[tuple[Run, int, int | None]], run: Run, since: int, until: int | None
) -> int | None:
    """Where a span ends: with the next, or when anything speaks that it is a month old by."""
    later = [s for r, s, _ in spans if r.check[0] == run.check[0] and s >= since + MONTH_US]
    return min([*later, *([] if until is None else [until])], default=None)


def _span(run: Run, since: int, until: int | None) -> Row:
    return {
        "repository": run.fact.repository,
        "name": run.fact.name,
        "source": run.source,
        "build": run.fact.id,
        "sha": run.fact.sha,
        "red": run.status == "failed",
        "begun_us": run.begun,
        "from_us": since,
        "until_us": until,
    }
