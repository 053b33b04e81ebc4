"""Failure evidence by the five rules, straight from the definition."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dora.records import Deployment, Incident
from dora.rules import FAILURE_RULES, Rules
from tests.oracle.changes import Arrival, Change, Repositories, Row, arrival, is_hotfix
from tests.oracle.streams import Key, Step, Stream
from tests.oracle.world import Known, us

CONFIDENCE = {
    "stated": "stated",
    "rollback": "high",
    "revert": "high",
    "hotfix": "medium",
    "window": "low",
}
Attempt = tuple[str, str, str, str]
"""Source, deployment, service, environment."""


@dataclass(frozen=True)
class Evidence:
    """One reason to say that a deployment failed."""

    failed: Attempt
    rule: str
    incident: tuple[str, str] | None = None
    repair: Attempt | None = None
    gap_us: int | None = None

    @property
    def strength(self) -> int:
        return FAILURE_RULES.index(self.rule) + 1


class Production:
    """Production deployments by service and environment, and what they deliver and undo."""

    def __init__(self, known: Known, rules: Rules) -> None:
        self.known = known
        self.rules = rules
        self.work = Repositories(known, rules)
        self._returns: dict[tuple[str, str], set[Attempt]] = {}
        self.rows: dict[Attempt, list[Deployment]] = defaultdict(list)
        for source, fact in known.deployments:
            if known.kind(fact) in rules.environments:
                for service in known.services_of(fact.repository, fact.service):
                    self.rows[source, fact.id, service, fact.environment].append(fact)
        for facts in self.rows.values():
            facts.sort(key=lambda d: d.repository)
        self.steps: dict[Attempt, list[tuple[Stream, int]]] = defaultdict(list)
        for key, stream in self.work.streams.items():
            for position, step in enumerate(stream.steps):
                self.steps[attempt(key, step)].append((stream, position))

    def fact(self, one: Attempt) -> Deployment:
        return self.rows[one][0]

    def any_step(self, one: Attempt, what: str) -> bool:
        return any(getattr(s.steps[p], what) for s, p in self.steps.get(one, []))

    def line(self, service: str, environment: str | None = None) -> list[Attempt]:
        """Successful deployments of a service in the order in which they took effect."""
        found = [a for a in self.steps if a[2] == service and environment in (None, a[3])]
        return sorted(found, key=lambda a: (self.fact(a).finished_at, self._rank(a), *a))

    def _rank(self, one: Attempt) -> int:
        """Among those of one stream at one instant, the place in that stream."""
        return max(position for _, position in self.steps[one])

    def delivered_by(self, stream: Stream, sha: str) -> Arrival | None:
        """When a change, or what it landed as, first came into an environment."""
        repository = stream.key[0]
        root = sha
        while root in self.work.copies[repository]:
            root = self.work.copies[repository][root]
        return arrival(self.work, stream, self.work.places(repository, root))

    def is_rollback(self, one: Attempt) -> bool:
        """By ancestry, or by a commit deployed before; or because it says so."""
        if any(f.rolls_back for f in self.rows[one]):
            return True
        if self.rules.rollback_by == "ancestry":
            return self.any_step(one, "rollback")
        return one in self.steps and one in self.returns(one[2], one[3])

    def returns(self, service: str, environment: str) -> set[Attempt]:
        """Deployments of a commit that was there before, and was not what they replaced."""
        if (service, environment) not in self._returns:
            line = self.line(service, environment)
            shas = [None if self.fact(a).inferred else self.fact(a).sha for a in line]
            self._returns[service, environment] = {
                a
                for place, a in enumerate(line)
                if place and shas[place] in shas[:place]
                if shas[place] is not None and shas[place - 1] != shas[place]
            }
        return self._returns[service, environment]

    def changes(self, repository: str) -> list[Change]:
        return self.work.commits_as_changes(repository)


def attempt(key: Key, step: Step) -> Attempt:
    return (step.source, step.fact.id, key[1], key[2])


def finish(production: Production, one: Attempt) -> datetime | None:
    return production.fact(one).finished_at


def gap(production: Production, failed: Attempt, repair: Attempt) -> int | None:
    since, until = finish(production, failed), finish(production, repair)
    return us(until) - us(since) if since and until else None


# --- the rules, one by one ----------------------------------------------------------------


def stated(
    production: Production,
    linkable: dict[tuple[str, str], Incident],
    services: dict[tuple[str, str], list[str]],
    roots: dict[tuple[str, str], tuple[str, str]],
) -> set[Evidence]:
    """What incidents, deployments and labels say; an invalid incident says nothing."""
    found = set()
    for source, cause in production.known.causes:
        key = roots.get((source, cause.incident))
        incident = linkable.get(key) if key else None
        if key is None or incident is None:
            continue
        meant = named(production, cause.cause) or keyed(production, cause.cause, incident)
        own = {one for one in meant if one[2] in services[key]}
        for one in own or meant:
            done = finish(production, one)
            after = us(incident.detected_at) - us(done) if done else None
            found.add(Evidence(one, "stated", key, None, after))
    bad = {x.lower() for x in production.rules.failure_labels}
    for one, facts in production.rows.items():
        labels = {x.strip().lower() for f in facts for x in (f.labels or "").split(",")}
        if labels & bad:
            found.add(Evidence(one, "stated"))
    for repair in production.rows:
        for one in said_repaired(production, repair):
            found.add(Evidence(one, "stated", None, repair, gap(production, one, repair)))
    return found


def said_repaired(
    production: Production, repair: Attempt, links: tuple[str, ...] = ("fixes", "rolls_back")
) -> set[Attempt]:
    """What a deployment says it fixes or rolls back: the nearest of those that bear the name."""
    found: set[Attempt] = set()
    for fact in production.rows[repair]:
        for text in {getattr(fact, link) for link in links} - {None}:
            bearing = [
                one
                for one, facts in production.rows.items()
                if one[:2] != repair[:2] and (one[1] == text or any(f.url == text for f in facts))
            ]
            near = {
                one: (one[0] == repair[0], one[2] == repair[2], one[3] == repair[3])
                for one in bearing
            }
            found |= {one for one in bearing if near[one] == max(near.values())}
    return found


def named(production: Production, cause: str) -> set[Attempt]:
    """The deployments that a stated cause names: by id or address, or by commit or change."""
    direct = {
        one
        for one, facts in production.rows.items()
        if one[1] == cause or any(f.url == cause for f in facts)
    }
    if direct:
        return direct
    found = set()
    for repository in list(production.known.commits):
        name, _, number = cause.rpartition("#")
        sha = production.known.resolve(repository, cause) if len(cause) >= 7 else None
        if name == repository and number.isdigit():
            landing = production.work.landings[repository].landings.get(int(number))
            sha = landing.sha if landing else None
        if sha is not None:
            found |= _standing_for(production, repository, sha)
    return found


def keyed(production: Production, cause: str, incident: Incident) -> set[Attempt]:
    """In each service the last before an incident that brought a commit with a tracker's key."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]+-[0-9]+", cause):
        return set()
    key = re.compile(rf"(?<![a-z0-9_]){cause}(?![a-z0-9_])", re.IGNORECASE)
    brought: dict[str, set[Attempt]] = defaultdict(set)
    for repository, sha in _bearing(production, key):
        for place, stream in production.work.streams.items():
            there = production.delivered_by(stream, sha) if place[0] == repository else None
            if there is None or not _counts_for(production, place[1], repository, sha):
                continue
            if there.step.fact.finished_at and there.step.fact.finished_at <= incident.detected_at:
                brought[place[1]].add(attempt(place, there.step))
    return {max(found, key=production.line(service).index) for service, found in brought.items()}


def _bearing(production: Production, key: re.Pattern[str]) -> set[tuple[str, str]]:
    """The commits whose subject has a key, or whose pull request's title or branch does."""
    found = set()
    for repository, commits in production.known.commits.items():
        texts = {sha: [commit.subject] for sha, commit in commits.items()}
        for landing in production.work.landings[repository].landings.values():
            if landing.fact and landing.sha in texts:
                texts[landing.sha] += [landing.fact.title, landing.fact.head_branch]
        undoing = {reverting for reverting, _ in _reverted(production, repository)}
        found |= {
            (repository, sha)
            for sha, words in texts.items()
            if sha not in undoing and any(key.search(word or "") for word in words)
        }
    return found


def _standing_for(production: Production, repository: str, sha: str) -> set[Attempt]:
    """In each service the first deployment of exactly that commit, else what first delivered it.

    Else the first attempt at it.
    """
    found = set()
    at_it = [
        a
        for a, facts in production.rows.items()
        if any(f.repository == repository and f.sha == sha for f in facts)
    ]
    delivering = [
        attempt(key, there.step)
        for key, stream in production.work.streams.items()
        if key[0] == repository
        and (there := production.delivered_by(stream, sha)) is not None
        and _counts_for(production, key[1], repository, sha)
    ]
    for service in {a[2] for a in [*at_it, *delivering]}:
        line = production.line(service)
        exact = [a for a in line if a in at_it]
        carried = [a for a in line if a in delivering]
        tried = sorted(
            (production.fact(a).finished_at or production.fact(a).started_at, a)
            for a in at_it
            if a[2] == service
        )
        found.add(exact[0] if exact else carried[0] if carried else tried[0][1])
    return found


def _all_shas(production: Production, repository: str) -> set[str]:
    return set(production.known.commits[repository]) | (
        production.work.landings[repository].listed_anywhere
    )


def _counts_for(production: Production, service: str, repository: str, sha: str) -> bool:
    known = production.known
    seen = (
        {sha}
        if known.paths.get((repository, sha))
        else (production.work.landings[repository].places(sha))
    )
    return any(known.touches(service, repository, place) for place in seen)


def rollbacks(production: Production) -> set[Evidence]:
    """What each rollback undid; where only the first is blamed, the earliest of that."""
    told = by_ancestry if production.rules.rollback_by == "ancestry" else by_same_sha
    undone: dict[Attempt, set[Attempt]] = defaultdict(set)
    for failed, repair in told(production):
        undone[repair].add(failed)
    found = set()
    for repair, failures in undone.items():
        line = production.line(repair[2], repair[3])
        blamed = sorted(failures, key=line.index)
        for failed in blamed[:1] if production.rules.rollback_blames == "first" else blamed:
            found.add(Evidence(failed, "rollback", None, repair, gap(production, failed, repair)))
    return found


def by_same_sha(production: Production) -> set[tuple[Attempt, Attempt]]:
    """What came between a commit and the same commit deployed again, rollbacks aside."""
    found = set()
    for service, environment in {(a[2], a[3]) for a in production.steps}:
        line = production.line(service, environment)
        shas = [None if production.fact(a).inferred else production.fact(a).sha for a in line]
        for place, repair in enumerate(line):
            sha = shas[place]
            before = [n for n in range(place) if shas[n] == sha]
            if sha is None or not before or not production.is_rollback(repair):
                continue
            found |= {
                (a, repair) for a in line[before[-1] + 1 : place] if not production.is_rollback(a)
            }
    return found


def by_ancestry(production: Production) -> set[tuple[Attempt, Attempt]]:
    found = set()
    for key, stream in production.work.streams.items():
        for step in stream.steps:
            for before in step.undid:
                if not stream.steps[before].rollback:
                    found.add((attempt(key, stream.steps[before]), attempt(key, step)))
    return found


def reverts(production: Production, *, of_baseline: bool = False) -> set[Evidence]:
    found = set()
    for key, stream in production.work.streams.items():
        for reverting, reverted in _reverted(production, key[0]):
            if not (
                _counts_for(production, key[1], key[0], reverting)
                and _counts_for(production, key[1], key[0], reverted)
            ):
                continue
            first = production.delivered_by(stream, reverted)
            then = production.delivered_by(stream, reverting)
            if first is None or then is None or then.position <= first.position:
                continue
            if first.step.baseline and production.rules.baseline and not of_baseline:
                continue
            failed, repair = attempt(key, first.step), attempt(key, then.step)
            found.add(Evidence(failed, "revert", None, repair, gap(production, failed, repair)))
    return found


def _reverted(production: Production, repository: str) -> set[tuple[str, str]]:
    """Pairs of a reverting commit and what it reverts, reverts of reverts aside."""
    work = production.work
    landings = work.landings[repository]
    pairs = set()
    for (name, sha), said in production.known.references.items():
        if name == repository:
            pairs |= {(sha, target) for kind, target in said if kind == "reverts"}
    for landing in landings.landings.values():
        target = landing.fact.reverts if landing.fact else None
        if target in landings.landings:
            pairs.add((landing.sha, landings.landings[target].sha))
    return {(r, t) for r, t in pairs if not _reverts_something(production, repository, t)}


def _reverts_something(production: Production, repository: str, sha: str) -> bool:
    work = production.work
    if any(kind == "reverts" for kind, _ in production.known.references[repository, sha]):
        return True
    landings = work.landings[repository]
    for landing in landings.landings.values():
        about = {landing.sha, *landings.listed(landing.number)}
        if landing.fact and landing.fact.reverts is not None and sha in about:
            return True
    return False


def hotfixes(production: Production) -> dict[Attempt, set[str]]:
    """Deployments that deliver a change marked hotfix."""
    return _carrying(production, lambda change: is_hotfix(production.work, change))


def _carrying(production: Production, marked: Any) -> dict[Attempt, set[str]]:
    work = production.work
    found: dict[Attempt, set[str]] = defaultdict(set)
    for key, stream in work.streams.items():
        for change in work.commits_as_changes(key[0]):
            if not marked(change) or not _counts_for(production, key[1], key[0], change.sha):
                continue
            places = work.places(key[0], change.sha, change.landing)
            there = arrival(work, stream, places)
            if there and there.state != "baseline":
                found[attempt(key, there.step)].add(change.sha)
    return found


def by_hotfix(production: Production) -> set[Evidence]:
    found = set()
    carriers = hotfixes(production)
    for repair in carriers:
        line = production.line(repair[2], repair[3])
        for before in reversed(line[: line.index(repair)]):
            if before in carriers or production.is_rollback(before):
                continue
            age = gap(production, before, repair)
            if age is not None and age <= _microseconds(production.rules.hotfix_window):
                found.add(Evidence(before, "hotfix", None, repair, age))
            break
    return found


def _microseconds(length: Any) -> int:
    return (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds


def by_window(
    production: Production,
    linkable: dict[tuple[str, str], Incident],
    services: dict[tuple[str, str], list[str]],
) -> set[Evidence]:
    if production.rules.incident_link == "last_of_any":
        return by_any_service(production, linkable)
    found = set()
    limit = production.rules.failure_window
    for key, incident in linkable.items():
        for service in services[key]:
            if production.rules.incident_link == "while_open":
                found |= while_open(production, key, incident, service)
            before = [
                a for a in production.line(service) if finish(production, a) <= incident.detected_at
            ]
            if not before:
                continue
            one = before[-1]
            if production.rules.incident_link == "last_of_service":
                one = not_rollback(production, one)
            if one is None:
                continue
            age = us(incident.detected_at) - us(finish(production, one))
            if limit is None or age <= _microseconds(limit):
                found.add(Evidence(one, "window", key, None, age))
    return found


def by_any_service(
    production: Production, linkable: dict[tuple[str, str], Incident]
) -> set[Evidence]:
    """The last deployment of all; of several at one instant that of the last service."""
    found = set()
    places = {
        a: n for service in {a[2] for a in production.steps}
        for n, a in enumerate(production.line(service))
    }  # fmt: skip
    limit = production.rules.failure_window
    for key, incident in linkable.items():
        before = [a for a in places if production.fact(a).finished_at <= incident.detected_at]
        if before:
            one = max(before, key=lambda a: (finish(production, a), a[2], places[a]))
            age = us(incident.detected_at) - us(finish(production, one))
            if limit is None or age <= _microseconds(limit):
                found.add(Evidence(one, "window", key, None, age))
    return found


def while_open(
    production: Production, key: tuple[str, str], incident: Incident, service: str
) -> set[Evidence]:
    """Every deployment of the service between detection and end."""
    until = ended(incident, production.rules, production.known.as_of)
    found = set()
    for one in production.line(service):
        done = finish(production, one)
        if done and done > incident.detected_at and (until is None or done < until):
            found.add(Evidence(one, "window", key, None, us(incident.detected_at) - us(done)))
    return found


def ended(incident: Incident, rules: Rules, as_of: datetime) -> datetime | None:
    """When an incident was over, as far as is known by now."""
    end = incident.resolved_at
    if rules.recovery == "first_close":
        end = incident.first_resolved_at or incident.resolved_at
    return end if end is not None and end <= as_of else None


def repair_kind(production: Production, e: Evidence) -> str:
    """In what way the repair of a piece of evidence repairs."""
    assert e.repair is not None
    if e.rule in ("rollback", "revert"):
        return e.rule
    said = production.rows[e.repair]
    back = any(f.rolls_back for f in said) or production.any_step(e.repair, "rollback")
    return "rollback" if e.rule == "stated" and back else "fix forward"


def not_rollback(production: Production, one: Attempt) -> Attempt | None:
    """The deployment itself or, of a rollback, the newest one that it undid."""
    if not production.is_rollback(one):
        return one
    undid = {e.failed for e in rollbacks(production) if e.repair == one}
    undid = undid or {
        a for a in said_repaired(production, one, ("rolls_back",)) if a in production.steps
    }
    line = [a for a in production.line(one[2]) if a in undid]
    return line[-1] if line else None


def evidence(
    production: Production,
    linkable: dict[tuple[str, str], Incident],
    services: dict[tuple[str, str], list[str]],
    roots: dict[tuple[str, str], tuple[str, str]],
) -> dict[Evidence, bool]:
    """All evidence, and of each piece whether it decides."""
    rules = production.rules.failure_rules
    found: set[Evidence] = set()
    found |= stated(production, linkable, services, roots) if "stated" in rules else set()
    found |= rollbacks(production) if "rollback" in rules else set()
    found |= reverts(production) if "revert" in rules else set()
    found |= by_hotfix(production) if "hotfix" in rules else set()
    found |= by_window(production, linkable, services) if "window" in rules else set()
    strongest: dict[Any, int] = {}
    for one in found:
        for cause in (one.incident, one.repair):
            if cause is not None:
                strongest[cause] = min(strongest.get(cause, 9), one.strength)
    return {
        one: all(
            strongest[cause] == one.strength
            for cause in (one.incident, one.repair)
            if cause is not None
        )
        for one in found
    }


def deployment_failures(judged: dict[Evidence, bool]) -> list[Row]:
    return [
        {
            "source": e.failed[0],
            "deployment": e.failed[1],
            "service": e.failed[2],
            "environment": e.failed[3],
            "rule": e.rule,
            "strength": e.strength,
            "confidence": CONFIDENCE[e.rule],
            "incident_source": e.incident[0] if e.incident else None,
            "incident": e.incident[1] if e.incident else None,
            "repair_source": e.repair[0] if e.repair else None,
            "repair_deployment": e.repair[1] if e.repair else None,
            "repair_service": e.repair[2] if e.repair else None,
            "repair_environment": e.repair[3] if e.repair else None,
            "gap_us": e.gap_us,
            "decides": decides,
        }
        for e, decides in judged.items()
    ]
