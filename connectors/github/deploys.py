"""What was deployed, by the rules in order of trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule, Target, all_of_a_rule
from connectors.forge.ruled import RuledReading
from connectors.github.client import Client
from connectors.github.history import first_parents, refs
from connectors.github.paging import Size
from connectors.github.reported import Reported
from connectors.github.runs import Runs
from connectors.github.values import Place
from connectors.github.versions import Versions
from connectors.github.workflows import Workflows
from dora.connector import Checkpoint, Cursor, Item, Only

JSON: TypeAlias = dict[str, Any]

_WORKFLOWS_LISTED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deployments:
    """The deployments of repositories, by rules.

    Attributes:
        client: Asks the host.
        rules: What makes a deployment, in order of trust.
        target: What deployments say where nothing else does.
        since: The time before which nothing is read.
        thorough: Whether a whole reading goes back to the first workflow run, and takes those that
            the host no longer has for gone; it forgets them after a year.
    """

    client: Client
    rules: tuple[DeploymentRule, ...]
    target: Target
    since: datetime | None
    thorough: bool = False

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What is new in one repository since the cursor, or all of it.

        Args:
            place: The repository.
            cursor: Where it stands.
            kept: What else its cursor says.
            whole: Whether all is read, and what is no longer there is gone.
        """
        asked = digest([*map(str, self.rules), self.target.environment, self.target.service])
        before: JSON = dict(cursor or {})
        other = before.get("asked", asked) != asked
        anew = whole or other
        state = {**kept, "asked": asked, "rules": [rule.text for rule in self.rules]}
        lately = whole and not other and not self.thorough and bool(before)
        reading = _Reading(self, place, before, state, anew=anew, lately=lately)
        for item in reading.items():
            if anew and isinstance(item, Checkpoint):  # cut off now, it must begin again
                yield Checkpoint(before, part=place.repository)
            else:
                yield item
        if anew:
            yield from reading.all_of_them()
        yield reading.checkpoint()


class _Reading(RuledReading):
    """One reading of one repository, signal by signal."""

    def __init__(
        self,
        asked: Deployments,
        place: Place,
        before: JSON,
        kept: JSON,
        *,
        anew: bool,
        lately: bool,
    ) -> None:
        state = kept if anew else {**before, **kept}
        super().__init__(
            asked.rules, place.repository, state, None if anew else before.get("begun")
        )
        self._asked = asked
        self._place = place
        self._before = before
        self._anew = anew
        self._lately = lately

    def all_of_them(self) -> Iterator[Only]:
        """That what was handed over is all; of workflows that were only read lately it is not."""
        lately = [r.text for r in self._asked.rules if self._lately and r.signal == "workflows"]
        return self.all_there_is(self._before.get("rules", ()), lately)

    def _sources(
        self, signal: str, rules: tuple[DeploymentRule, ...]
    ) -> Iterator[tuple[str, Iterator[Item]]]:
        asked, place, target = self._asked, self._place, self._asked.target
        if signal == "deployments":
            own = Reported(asked.client, Size(), rules, target.environment, target.service)
            yield signal, own.read(place, self._cursor(signal), asked.since)
        elif signal == "workflows":
            workflows = Workflows(asked.client, rules, target.environment, target.service)
            for id_, matching in workflows.matching(self._workflows(workflows)):
                name = f"workflow {id_}"
                cursor = self._before.get(name) if self._lately else self._cursor(name)
                runs = Runs(asked.client, place, asked.since, id_, self._lately)
                yield name, workflows.read(place, matching, cursor, runs)
        elif signal == "versions":
            named = Versions(asked.client, rules, target.environment, target.service)
            yield signal, named.read(place, self._cursor(signal), asked.since)
        else:
            for rule in rules:
                yield rule.text, self._merges(rule, self._cursor(rule.text))

    def _workflows(self, workflows: Workflows) -> list[list[Any]]:
        """The workflows there are; as they seldom change, they are listed once a day."""
        known = self._cursor("workflows") or {}
        now = datetime.now(UTC)
        if not known or now - datetime.fromisoformat(known["at"]) > _WORKFLOWS_LISTED:
            known = {"at": now.isoformat(), "found": workflows.find(self._place)}
        self._state["workflows"] = known
        found: list[list[Any]] = known["found"]
        return found

    def _cursor(self, name: str) -> Cursor | None:
        return None if self._anew else self._state.get(name)

    def _merges(self, rule: DeploymentRule, cursor: Cursor | None) -> Iterator[Item]:
        old: str | None = (cursor or {}).get("head")
        head = self._tip(rule.argument)
        if head is not None and head != old:
            landed, met = first_parents(
                self._asked.client, self._place, head, old, self._asked.since
            )
            target, place = self._asked.target, self._place
            facts = [
                target.landed(rule, place.repository, c.sha, c.at, f"{place.url}/commit/{c.sha}")
                for c in landed
            ]
            yield from facts
            if old and not met:
                there = {(one.id, one.environment) for one in facts}
                yield all_of_a_rule(place.repository, rule.text, there)
        yield Checkpoint({"head": head})

    def _tip(self, branch: str) -> str | None:
        if branch == self._place.default_branch:
            return self._place.head
        for row in refs(self._asked.client, self._place, "refs/heads/"):
            if row["name"] == branch:
                return str(row["target"]["oid"])
        return None
