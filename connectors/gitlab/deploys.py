"""What was deployed, by the rules in order of trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule, Target, Trust, all_of_a_rule
from connectors.gitlab.client import Client
from connectors.gitlab.commits import behind, commit_pages, tip
from connectors.gitlab.naming import Versions
from connectors.gitlab.ran import Ran
from connectors.gitlab.reported import Reported
from connectors.gitlab.values import JSON, Project, instant
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item, Only, Unread
from dora.records import Deployment


@dataclass(frozen=True, slots=True)
class Deployments:
    """The deployments of projects, by rules.

    Attributes:
        client: Asks the host.
        rules: What makes a deployment, in order of trust.
        target: What deployments say where nothing else does.
        since: The time before which nothing is read.
    """

    client: Client
    rules: tuple[DeploymentRule, ...]
    target: Target
    since: datetime | None

    @property
    def asked(self) -> str:
        """What the facts depend on beside the source."""
        target = [self.target.environment, self.target.service]
        return digest([*map(str, self.rules), *target, str(self.since)])

    def read(self, project: Project, cursor: Cursor | None, whole: bool = False) -> Iterator[Item]:
        """What is new in one project since the cursor, or all there is.

        Args:
            project: The project.
            cursor: Where it stands.
            whole: Whether all is read, and what is no longer there is gone.
        """
        before: JSON = dict(cursor or {})
        anew = whole or before.get("rules", self.asked) != self.asked
        reading = _Reading(self, project, {} if anew else before, anew)
        for item in reading.items():
            if anew and isinstance(item, Checkpoint):  # cut off now, it must begin again
                yield Checkpoint(before, part=project.repository)
            else:
                yield item
        if anew:
            yield from reading.all_there_is(before.get("texts", ()))
        yield reading.checkpoint()


class _Reading:
    """One reading of one project, signal by signal."""

    def __init__(self, asked: Deployments, project: Project, before: JSON, anew: bool) -> None:
        self._asked = asked
        self._project = project
        self._anew = anew
        self._trust = Trust.of(asked.rules, before.get("begun"))
        texts = [rule.text for rule in asked.rules]
        self._state: JSON = {**before, "id": project.id, "rules": asked.asked, "texts": texts}
        self._state.pop("missed", None)
        self._there: dict[str, set[tuple[str, str]]] = {text: set() for text in texts}
        self._unread: set[str] = set()

    def items(self) -> Iterator[Item]:
        """All that is new; what may not be read is left out by its rules."""
        for signal in self._trust.signals:
            rules = [rule for rule in self._asked.rules if rule.signal == signal]
            try:
                for name, found in self._sources(signal, rules):
                    yield from self._taken(name, found)
            except Absent as error:
                self._unread |= {rule.text for rule in rules}
                yield Unread(Deployment, self._project.repository, error.message)

    def checkpoint(self) -> Checkpoint:
        """Where the project stands now."""
        begun = {signal: dict(places) for signal, places in self._trust.begun.items()}
        return Checkpoint({**self._state, "begun": begun}, part=self._project.repository)

    def all_there_is(self, before: Iterator[str]) -> Iterator[Only]:
        """That what was handed over is all, as far as it could be read."""
        for text in sorted({*before, *self._there} - self._unread):
            yield all_of_a_rule(self._project.repository, text, self._there.get(text, set()))

    def _sources(
        self, signal: str, rules: list[DeploymentRule]
    ) -> Iterator[tuple[str, Iterator[Item]]]:
        """What a signal is read from, by name."""
        asked, project, state = self._asked, self._project, self._state
        client, target, since = asked.client, asked.target, asked.since
        if signal == "deployments":
            reported = Reported(client, rules, target, since)
            yield "own", reported.read(project, state.get("own"), self._anew)
        elif signal == "workflows" and "builds" not in project.hidden:
            ran = Ran(client, rules, target, since)
            yield "pipelines", ran.read(project, state.get("pipelines"), self._anew)
        elif signal == "versions":
            versions = Versions(client, rules, target, since)
            yield "versions", versions.read(project, state.get("versions"))
        elif signal == "merges":
            for rule in rules:
                yield rule.text, self._merges(rule, state.get(rule.text))

    def _taken(self, name: str, items: Iterator[Item]) -> Iterator[Item]:
        """What of the items is believed; checkpoints become those of the project."""
        rules = {rule.text: rule for rule in self._asked.rules}
        for item in items:
            if isinstance(item, Checkpoint):
                self._state[name] = item.cursor
                yield self.checkpoint()
            elif isinstance(item, Deployment):
                rule = rules[str(item.rule)]
                if self._trust.believes(item, rule):
                    self._there[rule.text].add((item.id, item.environment))
                    yield item
            else:
                yield item

    def _merges(self, rule: DeploymentRule, cursor: Cursor | None) -> Iterator[Item]:
        client, project = self._asked.client, self._project
        old: str | None = (cursor or {}).get("head")
        head = tip(client, project, rule.argument)
        if head is not None and head != old:
            follows = old is not None and behind(client, project, old, head)
            commits = f"{old}..{head}" if follows else head
            listed = commit_pages(client, project, commits, self._asked.since, first_parent=True)
            facts = [
                self._asked.target.landed(
                    rule,
                    project.repository,
                    row["id"],
                    instant(row["committed_date"]),
                    f"{project.url}/-/commit/{row['id']}",
                )
                for rows, _ in listed
                for row in rows
            ]
            yield from facts
            if old and not follows:
                there = {(one.id, one.environment) for one in facts}
                yield all_of_a_rule(project.repository, rule.text, there)
        yield Checkpoint({"head": head})
