"""What CI said of commits, how soon and how reliably, and where faults were stopped."""

from __future__ import annotations

from statistics import median, quantiles

from tests.oracle.changes import Row
from tests.oracle.pipelines import SAYING, Run, runs, trunk_checks
from tests.oracle.releases.almanac import Span, joined, shared
from tests.oracle.releases.asked import HOUR, Asked, Figures, share
from tests.oracle.releases.availability import Branches, required
from tests.oracle.world import us

MINUTE = 60_000_000
BEFORE = ("ci", "review", "staging", "canary")
Commit = tuple[str, str]
Counted = dict[str, tuple[int, int]]
"""Of each place how many came by, and how many it stopped."""


def quality(asked: Asked) -> Figures:
    repositories = {r for s in asked.services for r in Branches(asked, s).repositories}
    built = _built(asked, repositories)
    checks = [c for commit in built.values() for c in commit.checks.values()]
    words = [commit.word for commit in built.values()]
    known = [word for word in words if word in ("passed", "failed")]
    judged = [c for c in checks if any(r.status in SAYING for r in c)]
    flaky = [c for c in judged if {r.status for r in c} >= set(SAYING)]
    lost = [r for c in flaky for r in c if r.status == "failed" and _length(r) is not None]
    aside = sum(r.status not in SAYING for c in checks for r in c)
    return {
        "first_pass_share": share(known.count("passed"), len(known)),
        **_signals([s for c in built.values() if (s := c.signal) is not None]),
        "flaky_share": share(len(flaky), len(judged)),
        "flaky_minutes": (
            sum(_length(r) or 0 for r in lost) / MINUTE if judged and (lost or not flaky) else None,
            len(lost),
        ),
        **_red(asked, repositories),
        **_stopped(asked, repositories, list(built.values())),
        "left_out": (float(aside), aside),
    }


class Built:
    """A commit that was first built in the window, with the runs of each required check."""

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.checks: dict[str, list[Run]] = {}

    @property
    def word(self) -> str:
        """What its checks said first; a check whose first attempt is not there said nothing."""
        firsts = [_first(check) for check in self.checks.values()]
        told = ("failed", "running", "unknown", "passed")
        return next((word for word in told if word in firsts), "nothing")

    @property
    def heard(self) -> bool:
        return any(r.status in SAYING for check in self.checks.values() for r in check)

    @property
    def stopped(self) -> bool:
        """Whether a check failed and never passed."""
        said = [{r.status for r in check} for check in self.checks.values()]
        return any("failed" in one and "succeeded" not in one for one in said)

    @property
    def signal(self) -> int | None:
        ends = [r.ended for check in self.checks.values() for r in check if r.ended is not None]
        later = [end for end in ends if end >= self.begun]
        return min(later) - self.begun if later else None


def _first(check: list[Run]) -> str:
    line = sorted(check, key=lambda r: (r.fact.attempt, r.begun, r.source, r.fact.id))
    saying = [r.status for r in line if r.status in (*SAYING, "running")]
    first = saying[0] if saying else "nothing"
    if first == "running":
        return "running"
    if line[0].fact.attempt > 1:
        return "unknown"
    return "passed" if first == "succeeded" else first


def _built(asked: Asked, repositories: set[str]) -> dict[Commit, Built]:
    mine = [r for r in runs(asked.facts.known) if r.fact.repository in repositories]
    first: dict[Commit, int] = {}
    for run in mine:
        commit = (run.fact.repository, run.fact.sha)
        first[commit] = min(run.begun, first.get(commit, run.begun))
    found = {commit: Built(begun) for commit, begun in first.items() if asked.inside(begun)}
    for run in mine:
        commit = (run.fact.repository, run.fact.sha)
        if commit in found and required(asked, run.fact.name):
            found[commit].checks.setdefault(run.fact.name, []).append(run)
    return {commit: one for commit, one in found.items() if one.checks}


def _length(run: Run) -> int | None:
    if run.ended is None or run.fact.started_at is None or run.ended < run.begun:
        return None
    return run.ended - run.begun


def _signals(took: list[int]) -> Figures:
    minutes = [one / MINUTE for one in took]
    tenths = quantiles(minutes, n=10, method="inclusive") if len(minutes) > 1 else minutes
    return {
        "signal_median": (median(minutes) if minutes else None, len(minutes)),
        "signal_p90": (tenths[-1] if minutes else None, len(minutes)),
    }


def _red(asked: Asked, repositories: set[str]) -> Figures:
    known: list[list[Span]] = []
    red: list[list[Span]] = []
    for repository in repositories:
        rows = [
            row
            for row in trunk_checks(asked.facts.known)
            if row["repository"] == repository and required(asked, row["name"])
        ]
        known.append(_so_far(asked, rows))
        red.append(_so_far(asked, [row for row in rows if row["red"]]))
    whole = sum(_lasted(spans) for spans in known)
    if not whole:
        return {"red_share": (None, 0), "red_longest": (None, 0)}
    spells = [end - begun for spans in red for begun, end in spans]
    return {
        "red_share": (sum(spells) / whole, sum(_lasted(spans) > 0 for spans in known)),
        "red_longest": (max(spells, default=0) / HOUR, len(spells)),
    }


def _so_far(asked: Asked, rows: list[Row]) -> list[Span]:
    spans = [(r["from_us"], asked.now if r["until_us"] is None else r["until_us"]) for r in rows]
    return shared(joined([span for span in spans if span[0] < span[1]]), [asked.so_far])


def _lasted(spans: list[Span]) -> int:
    return sum(end - begun for begun, end in spans)


def _stopped(asked: Asked, repositories: set[str], built: list[Built]) -> Figures:
    counted = {
        "ci": (sum(c.heard for c in built), sum(c.stopped for c in built)),
        "review": _reviewed(asked, repositories),
        **_deployed(asked),
    }
    known = {place: of for place, of in counted.items() if of[0]}
    figures: Figures = {
        f"stopped_{place}": (float(known[place][1]), known[place][0])
        if place in known
        else (None, 0)
        for place in counted
    }
    kept = [known[place][1] for place in BEFORE if place in known]
    figures["contained_share"] = (
        share(sum(kept), sum(kept) + known["production"][1])
        if kept and "production" in known
        else (None, 0)
    )
    return figures


def _reviewed(asked: Asked, repositories: set[str]) -> tuple[int, int]:
    """Pull requests that another person reviewed, and those of which changes were wanted."""
    said = [
        {r.state for r in reviews if r.by == "person" and asked.inside(us(r.submitted_at))}
        for (repository, _), reviews in asked.facts.known.reviews.items()
        if repository in repositories
    ]
    return sum(map(bool, said)), sum("changes_requested" in one for one in said)


def _deployed(asked: Asked) -> Counted:
    """A canary that is production was stopped there if it failed, or never got through."""
    known, tried = asked.facts.known, {}
    for source, d in known.deployments:
        instant = d.finished_at or d.started_at
        if instant is None or not asked.inside(us(instant)) or d.status not in SAYING:
            continue
        if not asked.services & set(known.services_of(d.repository, d.service)):
            continue
        live = known.kind(d) in asked.facts.rules.environments
        place = _place(d.environment, "staging" if known.kind(d) == "staging" else "")
        if place and (not live or (place == "canary" and d.status == "failed")):
            tried[source, d.id, d.environment] = (place, d.status == "failed")
    judged = [r for r in asked.starts if r["mature"] and r["covered"]]
    each = [*tried.values()]
    each += [(_place(r["environment"], "production"), bool(r["failed"])) for r in judged]
    return {
        place: (
            sum(where == place for where, _ in each),
            sum(stopped for where, stopped in each if where == place),
        )
        for place in ("staging", "canary", "production")
    }


def _place(environment: str, otherwise: str) -> str:
    return "canary" if "canary" in environment.lower() else otherwise
