"""Mart 1, `delivered_changes`, straight from the definition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from dora.records import PullRequest
from dora.rules import Rules
from tests.oracle.landings import Landing, Landings
from tests.oracle.streams import Step, Stream, streams
from tests.oracle.world import Known, us

Row = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A unit of work, before anybody asks where it is delivered."""

    repository: str
    sha: str
    landed_sha: str
    landing: Landing | None
    authored_at: datetime
    is_bot: bool

    @property
    def pull(self) -> PullRequest | None:
        return self.landing.fact if self.landing else None


@dataclass(frozen=True)
class Arrival:
    """A change's arrival in one environment."""

    stream: Stream
    position: int
    state: str  # delivered, uncertain, baseline

    @property
    def step(self) -> Step:
        return self.stream.steps[self.position]

    @property
    def order(self) -> tuple[Any, ...]:
        fact = self.step.fact
        return (fact.finished_at, fact.id, self.step.source, fact.environment)


class Repositories:
    """Everything about changes that does not depend on the service."""

    def __init__(self, known: Known, rules: Rules) -> None:
        self.known = known
        self.rules = rules
        self.streams = streams(known, rules)
        self.landings = {name: Landings(known, name) for name in list(known.commits)}
        self.copies = {name: self._copies(name) for name in known.commits}
        self._changes: dict[str, list[Change]] = {}

    def _copies(self, repository: str) -> dict[str, str]:
        """What each cherry-pick was picked from."""
        found = {}
        for (name, sha), said in self.known.references.items():
            for kind, target in said:
                if name == repository and kind == "cherry_picked_from" and target != sha:
                    found[sha] = target
        return found if self.rules.follow_cherry_picks else {}

    def places(self, repository: str, sha: str, landing: Landing | None = None) -> set[str]:
        """Where a change is: where it landed, and where its copies did."""
        landings = self.landings[repository]
        places = set(landings.chain(landing)) if landing else landings.places(sha)
        same = {sha} | places
        grown = True
        while grown:
            more = {copy for copy, of in self.copies[repository].items() if of in same} - same
            grown = bool(more)
            for copy in more:
                places |= landings.places(copy)
            same |= more | places
        return places

    def commits_as_changes(self, repository: str) -> list[Change]:
        if repository not in self._changes:
            self._changes[repository] = self._commits_as_changes(repository)
        return self._changes[repository]

    def _commits_as_changes(self, repository: str) -> list[Change]:
        landings = self.landings[repository]
        commits = self.known.commits[repository]
        found = []
        for sha, original in landings.originals.items():
            commit = commits.get(sha)
            merges = original.fact.merges if original.fact else False
            if merges or (commit and len(commit.parents.split()) > 1):
                continue
            assert original.fact is not None
            found.append(
                Change(
                    repository,
                    sha,
                    original.landed_sha,
                    original.landing,
                    original.fact.authored_at,
                    original.fact.is_bot,
                )
            )
        landed = {
            x.sha: x
            for x in sorted(landings.landings.values(), key=lambda x: x.order, reverse=True)
        }
        for sha, commit in commits.items():
            if len(commit.parents.split()) > 1 or sha in landings.originals:
                continue
            if sha in landings.replaced:
                continue
            landing = landed.get(sha)
            stands = landings.stands_at(landing) if landing else sha
            found.append(
                Change(repository, sha, stands, landing, commit.authored_at, commit.is_bot)
            )
        return [c for c in found if c.sha not in self.copies[repository]]

    def pull_requests_as_changes(self, repository: str) -> list[tuple[Change, list[str]]]:
        landings = self.landings[repository]
        commits = self.known.commits[repository]
        found = []
        for landing in landings.landings.values():
            own = [
                c
                for c in self.commits_as_changes(repository)
                if c.landing and c.landing.number == landing.number
            ]
            unknown = not landings.listed(landing.number)
            if not own and not (unknown and landing.sha in commits):
                continue
            if own:
                first = min(own, key=lambda c: (c.authored_at, c.sha))
                sha, authored, landed = first.sha, first.authored_at, first.landed_sha
                bot = first.is_bot
            else:
                sha, authored = landing.sha, commits[landing.sha].authored_at
                landed = landings.stands_at(landing)
                bot = commits[landing.sha].is_bot
            bot = landing.fact.is_bot if landing.fact else bot
            found.append(
                (
                    Change(repository, sha, landed, landing, authored, bot),
                    [c.sha for c in own] or [landing.sha],
                )
            )
        return found


def is_hotfix(work: Repositories, change: Change) -> bool:
    marks = work.rules.hotfix
    pull = change.pull
    commit = work.known.commits[change.repository].get(change.sha)
    titles = [t for t in (pull and pull.title, commit and commit.subject) if t]
    if any(re.search(p, t, re.IGNORECASE) for p in marks.titles for t in titles):
        return True
    if pull is None:
        return False
    labels = {x.strip().lower() for x in (pull.labels or "").split(",")}
    if labels & {x.lower() for x in marks.labels}:
        return True
    branch = pull.head_branch
    return branch is not None and any(
        fnmatchcase(branch.lower(), pattern.lower()) for pattern in marks.branches
    )


def is_revert(work: Repositories, change: Change) -> bool:
    if change.pull and change.pull.reverts is not None:
        return True
    return any(
        kind == "reverts"
        for sha in (change.sha, change.landing.sha if change.landing else change.sha)
        for kind, _ in work.known.references[change.repository, sha]
    )


def arrival(work: Repositories, stream: Stream, places: set[str]) -> Arrival | None:
    """When the first of these places is in an environment, and how sure that is."""
    there = [stream.taken_by[place] for place in places if place in stream.taken_by]
    if not there:
        return None
    position = min(there)
    step = stream.steps[position]
    if step.baseline and work.rules.baseline:
        inside = {p for p in places if stream.taken_by.get(p) == position}
        if step.fact.sha not in inside:
            return Arrival(stream, position, "baseline")
    return Arrival(stream, position, "uncertain" if step.uncertain else "delivered")


NINETY_DAYS = timedelta(days=90)


def decide(
    work: Repositories, streams_: list[Stream], places: set[str]
) -> tuple[str, Arrival | None]:
    """The state of a change over all production environments, and the arrival that decides."""
    found = [a for s in streams_ if (a := arrival(work, s, places)) is not None]
    if not found:
        return "waiting", None
    first = min(found, key=lambda a: a.order)
    if any(a.state == "baseline" for a in found):
        return "baseline", first
    if work.rules.delivered == "first":
        return first.state, first
    since = first.step.fact.finished_at
    assert since is not None
    for stream in streams_:
        used = any(
            since - NINETY_DAYS <= s.fact.finished_at < since
            for s in stream.steps
            if s.fact.finished_at
        )
        if used and not any(a.stream is stream for a in found):
            return "waiting", None
    counted = [
        a
        for a in found
        if a is first
        or any(
            since - NINETY_DAYS <= s.fact.finished_at < since
            for s in a.stream.steps
            if s.fact.finished_at
        )
    ]
    last = max(counted, key=lambda a: a.order)
    return last.state, last


def stages(
    ready: datetime | None,
    review: datetime | None,
    merged: datetime | None,
    committed: datetime,
    delivered: datetime | None,
) -> list[int | None]:
    """Coding, pickup, review, merge to deploy, in microseconds."""
    found: list[int | None] = []
    last = committed
    for boundary in (ready, review, merged):
        if boundary is None:
            found.append(None)
            continue
        moved = max(boundary, last)
        found.append(us(moved) - us(last))
        last = moved
    found.append(None if delivered is None else us(delivered) - us(last))
    return found


def delivered_changes(known: Known, rules: Rules) -> list[Row]:
    """One row for each change and service that it belongs to."""
    work = Repositories(known, rules)
    future = streams(Known(known.world, datetime.max.replace(tzinfo=known.as_of.tzinfo)), rules)
    rows = []
    for repository, service in sorted({key[:2] for key in work.streams}):
        ours = [s for k, s in sorted(work.streams.items()) if k[:2] == (repository, service)]
        landing_soon = _waiting_room(
            work, repository, [s for k, s in future.items() if k[:2] == (repository, service)]
        )
        if rules.change == "commit":
            units = [(c, [c.sha]) for c in work.commits_as_changes(repository)]
        else:
            units = work.pull_requests_as_changes(repository)
        for change, members in units:
            if not _belongs(work, service, change, members):
                continue
            places = {p for sha in members for p in work.places(repository, sha, change.landing)}
            state, how = decide(work, ours, places)
            if (
                state == "waiting"
                and how is None
                and not _reached_at_all(work, ours, places)
                and not places & landing_soon
            ):
                continue
            rows.append(_row(work, service, change, state, how))
    return rows


def _reached_at_all(work: Repositories, ours: list[Stream], places: set[str]) -> bool:
    return any(arrival(work, stream, places) for stream in ours)


def _waiting_room(work: Repositories, repository: str, future: list[Stream]) -> set[str]:
    """What is on the default branch, or will be deployed, and was committed by now."""
    graph = work.landings[repository].graph
    there = set(graph.reach(work.known.heads.get(repository)))
    for stream in future:
        there |= set(stream.taken_by)
    commits = work.known.commits[repository]
    return {sha for sha in there if commits[sha].committed_at <= work.known.as_of}


def _belongs(work: Repositories, service: str, change: Change, members: list[str]) -> bool:
    for sha in members:
        seen = sha if work.known.paths.get((change.repository, sha)) else change.landed_sha
        if work.known.touches(service, change.repository, seen):
            return True
    return False


def _row(work: Repositories, service: str, change: Change, state: str, how: Arrival | None) -> Row:
    pull = change.pull
    key = (change.repository, change.landing.number if change.landing else -1)
    reviews = [r.submitted_at for r in work.known.reviews.get(key, []) if r.by == "person"]
    ready = (pull.ready_at or pull.opened_at) if pull else None
    merged = pull.merged_at if pull else None
    review = min(reviews, default=None) if pull else None
    fact = how.step.fact if how else None
    delivered = fact.finished_at if fact else None
    parts = stages(ready, review, merged, change.authored_at, delivered)
    from_merge = work.rules.clock_start == "merge"
    begun = merged if from_merge else change.authored_at
    took = None if delivered is None or begun is None else us(delivered) - us(begun)
    if from_merge:
        parts = [None, None, None, took]
    whole = change.sha
    if work.rules.change == "pull_request" and change.landing:
        whole = f"{change.repository}#{change.landing.number}"
    return {
        "change": whole,
        "repository": change.repository,
        "service": service,
        "sha": change.sha,
        "landed_sha": change.landed_sha,
        "pull_request": change.landing.number if change.landing else None,
        "source": how.step.source if how else None,
        "deployment": fact.id if fact else None,
        "environment": fact.environment if fact else None,
        "version": fact.version if fact else None,
        "committed_at": change.authored_at,
        "ready_at": ready,
        "first_review_at": review,
        "merged_at": merged,
        "delivered_at": delivered,
        "us": took,
        "coding_us": parts[0],
        "pickup_us": parts[1],
        "review_us": parts[2],
        "merge_to_deploy_us": parts[3],
        "is_bot": change.is_bot,
        "is_hotfix": is_hotfix(work, change),
        "reverts_change": is_revert(work, change),
        "left_out": left_out(work.rules, state, change.is_bot, took, delivered is not None),
        "url": pull.url if pull else None,
    }


def left_out(
    rules: Rules, state: str, is_bot: bool, took: int | None, delivered: bool
) -> str | None:
    """Why a change is in no lead time; None when it is."""
    if state == "baseline":
        return "before the record"
    if state == "uncertain":
        return "uncertain delivery"
    if is_bot and not rules.bot_changes:
        return "bot"
    if took is None:
        return "no merge is known" if delivered else "not delivered"
    return "negative duration" if took < 0 else None
