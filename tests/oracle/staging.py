"""What was on staging before it was in production, and whether it was the same artifact."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from dora.records import Commit, Deployment
from dora.rules import Rules
from tests.oracle.changes import Row
from tests.oracle.streams import Graph, in_order
from tests.oracle.world import Known, us

WHOLE_ID = 40
Placed = tuple[str, str, str]
"""Repository, service, environment."""


@dataclass(frozen=True)
class Step:
    """A successful deployment to staging or production, in its stream."""

    place: Placed
    position: int
    staging: bool
    source: str
    fact: Deployment
    known: bool

    @property
    def certain(self) -> bool | None:
        """Whether what it deploys can be told from anything else; None where nothing is said."""
        return self.known or (None if self.fact.sha is None else len(self.fact.sha) >= WHOLE_ID)

    @property
    def digest(self) -> str | None:
        """Digests are the same whatever the case of their letters."""
        return self.fact.digest.lower() if self.fact.digest else None

    def is_like(self, other: Step) -> bool:
        """Whether both deploy the same commit or the same artifact, as far as is said."""
        same = self.fact.sha is not None and self.fact.sha == other.fact.sha
        return same or (self.digest is not None and self.digest == other.digest)

    @property
    def attempt(self) -> tuple[str, str, str, str]:
        return (self.source, self.fact.id, self.place[1], self.place[2])

    @property
    def done(self) -> datetime:
        assert self.fact.finished_at is not None
        return self.fact.finished_at

    @property
    def begun(self) -> datetime:
        return self.fact.started_at or self.done


@dataclass
class Staging:
    """All steps, those of each service apart."""

    known: Known
    rules: Rules
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        found: dict[Placed, list[tuple[str, Deployment]]] = {}
        for source, fact in self.known.deployments:
            kind = self.known.kind(fact)
            if fact.status == "succeeded" and kind in {"staging", *self.rules.environments}:
                for service in self.known.services_of(fact.repository, fact.service):
                    place = (fact.repository, service, fact.environment)
                    found.setdefault(place, []).append((source, fact))
        for place, pairs in found.items():
            commits = self.known.commits.get(place[0], {})
            for position, (source, fact) in enumerate(in_order(Graph(commits), pairs)):
                staging = self.known.kind(fact) not in self.rules.environments
                known = fact.sha in commits
                self.steps.append(Step(place, position, staging, source, fact, known))

    def production(self) -> dict[tuple[str, str, str, str], list[Step]]:
        """The production deployments, each with a step for each repository in it."""
        found: dict[tuple[str, str, str, str], list[Step]] = {}
        for step in self.steps:
            if not step.staging:
                found.setdefault(step.attempt, []).append(step)
        return found

    def on_staging(self, step: Step) -> list[Step]:
        """What staging environments of its service had had when a step started."""
        return [
            s
            for s in self.steps
            if s.staging and s.place[:2] == step.place[:2] and s.done <= step.begun
        ]

    def state(self, step: Step) -> str:
        before = self.on_staging(step)
        if not before:
            return "none"
        if any(step.is_like(s) for s in before):
            return "passed"
        if not step.certain:
            return "unknown"
        earlier = [s for s in self.steps if s.place == step.place and s.position < step.position]
        since = max((s.begun for s in earlier), default=None)
        unclear = [s for s in before if not s.certain and (since is None or s.done > since)]
        return "unknown" if unclear else "skipped"

    def first(self, step: Step, *, staging: bool) -> Step:
        """The step that first brought what a step deploys to staging, or to production."""
        same = [
            s
            for s in self.steps
            if s.staging is staging
            and s.place[:2] == step.place[:2]
            and (s == step or step.is_like(s))
        ]
        return min(same, key=lambda s: (s.done, s.place, s.position))


def staged_steps(staging: Staging) -> list[Row]:
    numbers = {
        (c.repository, c.sha): n for n, (_, c) in enumerate(staging.known.world.of(Commit), 1)
    }
    return [
        {
            "source": s.source,
            "deployment": s.fact.id,
            "repository": s.place[0],
            "service": s.place[1],
            "environment": s.place[2],
            "position": s.position,
            "staging": s.staging,
            "finished_at": s.fact.finished_at,
            "start_us": us(s.begun),
            "us": us(s.done),
            "commit_id": numbers.get((s.place[0], s.fact.sha or "")),
            "certain": s.certain,
            "digest": s.digest,
            "manual": s.fact.manual,
            "automatic": s.fact.automatic,
        }
        for s in staging.steps
    ]


def staged_deployments(staging: Staging) -> list[Row]:
    rows = []
    for one, steps in staging.production().items():
        state = _state(staging, steps)
        staged_at = soak = None
        if state == "passed":
            staged_at = max(staging.first(s, staging=True).done for s in steps)
            if any(staging.first(s, staging=False) == s for s in steps):
                soak = us(steps[0].done) - us(staged_at)
        rows.append(_named(one) | {"state": state, "staged_at": staged_at, "soak_us": soak})
    return rows


def _state(staging: Staging, steps: list[Step]) -> str:
    """Of several repositories the one that says most against it decides."""
    states = [staging.state(s) for s in steps]
    return next(x for x in ("skipped", "unknown", "none", "passed") if x in states)


def production_artifacts(staging: Staging) -> list[Row]:
    rows = []
    for one, steps in staging.production().items():
        step = steps[0]
        rows.append(
            _named(one)
            | {
                "digest": step.digest,
                "manual": step.fact.manual,
                "automatic": step.fact.automatic,
                "artifact": _artifact(staging, step, _state(staging, steps)),
            }
        )
    return rows


def _artifact(staging: Staging, step: Step, state: str) -> str:
    """By its first repository's digest; where that does not tell, by all of its commits."""
    before = staging.on_staging(step)
    if step.digest is not None:
        if any(s.digest == step.digest for s in before):
            return "same digest"
        same = [s for s in before if step.fact.sha is not None and s.fact.sha == step.fact.sha]
        if same and all(s.digest is not None for s in same):
            return "rebuilt"
    return {"passed": "same commit", "skipped": "other commit"}.get(state, state)


def _named(one: tuple[str, str, str, str]) -> Row:
    return dict(zip(("source", "deployment", "service", "environment"), one, strict=True))
