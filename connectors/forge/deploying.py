"""What makes a deployment: rules in order of trust.

| rule | a deployment is |
|---|---|
| `deployments` | what the forge itself lists as one |
| `environment:REGEX` | the same, to environments that fit |
| `workflow:REGEX` | a run of a workflow or pipeline whose name fits |
| `workflow:REGEX job:REGEX` | a job of one; the job decides, not the run |
| `job:REGEX` | a job of any |
| `releases` | a published release |
| `tags:GLOB` | a tag that fits |
| `merges:BRANCH` | what lands on a branch, by first parents |

Named groups `environment` and `service` in an expression say where a deployment goes and what it
deploys: `job:^deploy (?P<service>[a-z]+) to (?P<environment>[a-z]+)$`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, cast

from connectors.forge.options import regular
from dora.connector import Only
from dora.records import Deployment

Kind: TypeAlias = Literal[
    "deployments", "environment", "workflow", "job", "releases", "tags", "merges"
]

KINDS: tuple[Kind, ...] = (
    "deployments", "environment", "workflow", "job", "releases", "tags", "merges",
)  # fmt: skip
SIGNALS: Mapping[Kind, str] = {
    "deployments": "deployments", "environment": "deployments",
    "workflow": "workflows", "job": "workflows",
    "releases": "versions", "tags": "versions",
    "merges": "merges",
}  # fmt: skip
"""What rules look at; two that look at the same never tell of one thing twice."""

_BARE = ("deployments", "releases")
_NEVER = datetime.max.replace(tzinfo=UTC)
_GROUPS = {"environment", "service"}


@dataclass(frozen=True, slots=True)
class Named:
    """What a name that a rule takes says of the deployment.

    Attributes:
        environment: Where it goes; None where the name does not say.
        service: What it deploys; None where the name does not say.
    """

    environment: str | None = None
    service: str | None = None

    def over(self, other: Named) -> Named:
        """Both, this one first."""
        return Named(self.environment or other.environment, self.service or other.service)


@dataclass(frozen=True, slots=True)
class Target:
    """What deployments say that the source itself does not.

    Attributes:
        environment: Where those go that name none.
        service: What they deploy, where it is stated.
    """

    environment: str
    service: str | None

    def landed(
        self, rule: DeploymentRule, repository: str, sha: str, at: datetime, url: str
    ) -> Deployment:
        """What landed on a branch, by a rule that takes this for a deployment."""
        return Deployment(
            id=sha,
            repository=repository,
            environment=self.environment,
            status="succeeded",
            finished_at=at,
            sha=sha,
            service=self.service,
            inferred=True,
            rule=rule.text,
            url=url,
        )


@dataclass(frozen=True, slots=True)
class DeploymentRule:
    """One rule.

    Attributes:
        text: The rule as it was written; the deployments that it makes bear it.
        kind: What is looked at.
        argument: Expression, glob or branch, by kind; of a `job` alone, any workflow.
        job: Expression of the jobs that count; None where runs count as a whole.
    """

    text: str
    kind: Kind
    argument: str
    job: str | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def signal(self) -> str:
        """What it looks at."""
        return SIGNALS[self.kind]

    def takes(self, name: str) -> Named | None:
        """What the name of an environment, workflow, tag or branch says; None if not taken."""
        if self.kind in _BARE:
            return Named()
        if self.kind == "tags":
            return Named() if fnmatch.fnmatchcase(name, self.argument) else None
        if self.kind == "merges":
            return Named() if name == self.argument else None
        return _named(self.argument, name)

    def takes_job(self, name: str) -> Named | None:
        """What the name of a job says; None if it does not fit, or runs count as a whole."""
        return _named(self.job, name) if self.job is not None else None


def _named(expression: str, name: str) -> Named | None:
    match = re.search(expression, name, re.IGNORECASE)
    if match is None:
        return None
    said = match.groupdict()
    return Named(said.get("environment") or None, said.get("service") or None)


def parse(texts: Iterable[str], kinds: Iterable[Kind] = KINDS) -> tuple[DeploymentRule, ...]:
    """The rules that texts say, in their order.

    Args:
        texts: The rules as they are written.
        kinds: What this forge can be asked for.

    Raises:
        ValueError: One says no rule; the message tells what there is.
    """
    known = tuple(kinds)
    return tuple(_rule(text.strip(), known) for text in dict.fromkeys(texts))


def _rule(text: str, kinds: tuple[Kind, ...]) -> DeploymentRule:
    kind, colon, argument = text.partition(":")
    if kind not in kinds or (kind in _BARE) == bool(colon):
        there = ", ".join(one if one in _BARE else f"{one}:…" for one in kinds)
        raise ValueError(f"{text!r} is no rule; there are {there}")
    if kind == "job":
        return DeploymentRule(text, "workflow", ".*", _checked(argument))
    if kind == "workflow":
        argument, found, job = argument.partition(" job:")
        return DeploymentRule(
            text, "workflow", _checked(argument.strip()), _checked(job.strip()) if found else None
        )
    if kind == "environment":
        return DeploymentRule(text, "environment", _checked(argument))
    if colon and not argument.strip():
        raise ValueError(f"{text!r} does not say which {kind}; write {kind}:* if all are meant")
    return DeploymentRule(text, cast("Kind", kind), argument.strip())


def _checked(expression: str) -> str:
    strangers = set(regular(expression).groupindex) - _GROUPS
    if strangers:
        raise ValueError(
            f"{expression!r} names {', '.join(sorted(strangers))}; groups that mean something are "
            f"{' and '.join(sorted(_GROUPS))}"
        )
    return expression


@dataclass(slots=True)
class Trust:
    """Sees to it that what several rules would tell of one repository is counted once.

    Four things may tell of a deployment: the forge's own list, workflows, versions (releases and
    tags), and merges. One of them is believed for the time before a more trusted one begins to
    tell of the same environment and service: so a repository that went from tags to deployments
    keeps its history, and nothing is counted twice since.

    Attributes:
        rules: The rules, the most trusted first.
        begun: When the first deployment of each began and what it deployed, by environment and
            service.
        passed_over: How many deployments of each rule a more trusted one tells of.
    """

    rules: tuple[DeploymentRule, ...]
    begun: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: tuple[DeploymentRule, ...], state: Mapping[str, Any] | None) -> Trust:
        """As an earlier reading left it: `state` is what `begun` was then."""
        return cls(rules, {signal: dict(places) for signal, places in (state or {}).items()})

    @property
    def signals(self) -> tuple[str, ...]:
        """What the rules look at, the most trusted first."""
        return tuple(dict.fromkeys(rule.signal for rule in self.rules))

    def believes(self, one: Deployment, rule: DeploymentRule) -> bool:
        """Whether a deployment that a rule made counts; ask signal by signal, in their order."""
        place = f"{one.environment}\n{one.service or ''}"
        for signal in self.signals[: self.signals.index(rule.signal)]:
            begun = self.begun.get(signal, {}).get(place)
            if begun is not None and _told(one, begun):
                self.passed_over[rule.text] = self.passed_over.get(rule.text, 0) + 1
                return False
        places = self.begun.setdefault(rule.signal, {})
        began = (one.started_at or one.finished_at or _NEVER).isoformat()
        if place not in places or began < str(places[place][0]):
            places[place] = [began, one.sha]
        return True


def _told(one: Deployment, begun: list[str | None]) -> bool:
    """Whether another rule, whose first deployment was this, tells of a deployment too.

    What leads to that first one, a release say, may come before it; it has the same commit.
    """
    at, sha = begun
    ended = one.finished_at or one.started_at or _NEVER
    return ended >= datetime.fromisoformat(str(at)) or (sha is not None and sha == one.sha)


def all_of_a_rule(repository: str, rule: str, there: set[tuple[str, str]]) -> Only:
    """That a rule has found these deployments of a repository, by id and environment: no others."""
    keys = tuple({"id": id_, "environment": environment} for id_, environment in sorted(there))
    return Only(Deployment, {"repository": repository, "rule": rule}, keys)
