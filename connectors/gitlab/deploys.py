"""What was deployed, by the rules in order of trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule, Target, all_of_a_rule
from connectors.forge.ruled import RuledReading
from connectors.gitlab.client import Client
from connectors.gitlab.commits import behind, commit_pages, tip
from connectors.gitlab.naming import Versions
from connectors.gitlab.ran import Ran
from connectors.gitlab.reported import Reported
from connectors.gitlab.values import JSON, Project, instant
from dora.connector import Checkpoint, Cursor, Item


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


class _Reading(RuledReading):
    """One reading of one project, signal by signal."""

    def __init__(self, asked: Deployments, project: Project, before: JSON, anew: bool) -> None:
        texts = [rule.text for rule in asked.rules]
        state = {**before, "id": project.id, "rules": asked.asked, "texts": texts}
        state.pop("missed", None)
        super().__init__(asked.rules, project.repository, state, before.get("begun"))
        self._asked = asked
        self._project = project
        self._anew = anew

    def _sources(
        self, signal: str, rules: tuple[DeploymentRule, ...]
    ) -> Iterator[tuple[str, Iterator[Item]]]:
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
