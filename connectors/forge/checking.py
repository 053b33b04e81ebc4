"""What `dora check` says of every forge: what each rule would take, and what may not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.forge.deploying import DeploymentRule, Trust
from connectors.http.errors import Absent
from dora.connector import Finding
from dora.errors import SourceError
from dora.records import Deployment

SAMPLE = 3
"""Repositories whose deployments are looked at."""

SAMPLE_ROWS = 20
"""Deployments of a rule that are looked at in each."""


@dataclass(frozen=True, slots=True)
class Check:
    """Looks at a source that can be reached.

    Attributes:
        name: The source's name.
        right: What to do where something may not be read.
    """

    name: str
    right: str

    def rules(
        self,
        rules: tuple[DeploymentRule, ...],
        looked: str,
        sample: Callable[[DeploymentRule], Iterable[Deployment]],
    ) -> Iterator[Finding]:
        """What each rule would take of a sample, and how much of that is told already.

        Args:
            rules: The rules, the most trusted first.
            looked: The repositories of the sample, in words.
            sample: Gives what a rule takes there.
        """
        if not rules:
            what = "No rule says what was deployed."
            yield self._warning(what, 'Add deployments = ["deployments"].')
        together = _Together(rules)
        for rule in rules:
            try:
                taken = list(sample(rule))
            except Absent as error:
                yield self._warning(f"{rule} may not be read: {error.message}.", self.right)
            except SourceError as error:
                yield Finding("error", self.name, f"{rule}: {error.message}", error.hint)
            else:
                yield self._taken(rule, looked, taken, together.told(rule, taken))

    def rights(self, path: str, asked: Mapping[str, Callable[[], object]]) -> Iterator[Finding]:
        """Which kinds of fact of a repository may not be read; each is asked for."""
        for what, ask in asked.items():
            try:
                ask()
            except Absent as error:
                yield self._warning(f"{path}: {what} may not be read: {error.message}.", self.right)
            except SourceError as error:
                yield Finding("error", self.name, error.message, error.hint)

    def _taken(
        self, rule: DeploymentRule, looked: str, taken: list[Deployment], told: int
    ) -> Finding:
        if not taken:
            return self._warning(f"{rule} takes nothing in {looked}.", "Correct or drop it.")
        twice = f"; {told} of them are told by a rule before it, and count once" if told else ""
        return Finding("ok", self.name, f"{rule} takes, in {looked}: {_said(taken)}{twice}")

    def _warning(self, message: str, hint: str) -> Finding:
        return Finding("warning", self.name, message, hint)


class _Together:
    """Sees how many of the deployments that a rule takes another one before it tells of."""

    def __init__(self, rules: tuple[DeploymentRule, ...]) -> None:
        self._rules = rules
        self._trusts: dict[str, Trust] = {}
        self._versions: set[tuple[str, str, str | None]] = set()

    def told(self, rule: DeploymentRule, taken: list[Deployment]) -> int:
        """How many are told already; asked rule by rule, in their order."""
        told = 0
        for one in taken:
            trust = self._trusts.setdefault(one.repository, Trust.of(self._rules, None))
            version = one.repository, one.environment, one.sha
            known = rule.signal == "versions" and version in self._versions
            told += known or not trust.believes(one, rule)
        if rule.signal == "versions":
            self._versions |= {(one.repository, one.environment, one.sha) for one in taken}
        return told


def _said(taken: list[Deployment]) -> str:
    """What a rule takes: how many of which status to which environment, and the newest of them."""
    counts = Counter((one.environment, one.status) for one in taken)
    listed = ", ".join(
        f"{n} {status} to {environment}" for (environment, status), n in sorted(counts.items())
    )
    newest = max(taken, key=lambda one: str(one.finished_at or one.started_at or ""))
    at = newest.finished_at or newest.started_at
    when = f" of {at:%Y-%m-%d %H:%M}" if at else ""
    return f"{listed}; the newest is {newest.name or newest.id}{when}"
