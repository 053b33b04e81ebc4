"""Deployments that GitHub itself lists, each with everything it went through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.forge.changing import Changing, Page
from connectors.forge.deploying import DeploymentRule, Named
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.judging import ABSENT
from connectors.github.paging import Size, after, hidden, nodes, whole
from connectors.github.values import Place, instant
from dora.connector import Checkpoint, Cursor, Item
from dora.records import Deployment, DeploymentStatus

JSON: TypeAlias = dict[str, Any]

_AT_ONCE = 100
_TRIED_AGAIN = timedelta(days=3)
"""How long a deployment that failed may still be made to succeed."""

_BROKEN = ("FAILURE", "ERROR")


@dataclass(frozen=True, slots=True)
class Reported:
    """The forge's own deployments.

    Attributes:
        client: Asks the host.
        size: How many to ask for at once.
        rules: `deployments` and `environment:` rules; of those that fit, the first counts.
        environment: Where those go that name none.
        service: What they deploy, where it is stated.
    """

    client: Client
    size: Size
    rules: tuple[DeploymentRule, ...]
    environment: str
    service: str | None

    def read(self, place: Place, cursor: Cursor | None, since: datetime | None) -> Iterator[Item]:
        """What is new, or has gone on, since the cursor."""

        def pages(begin: str | None) -> Page:
            variables = {"repository": place.id, "after": begin}
            connection = self.client.part(
                queries.DEPLOYMENTS, variables, "node", "deployments", size=self.size
            )
            return Page(nodes(connection), after(connection), hidden(connection))

        def facts(rows: Sequence[JSON], _: bool) -> Iterator[Item]:
            for row in rows:
                yield from self._deployment(place, row)

        changing = Changing(
            place.repository,
            pages,
            facts,
            since,
            by="createdAt",
            again=self._again,
            pending=_may_succeed,
        )
        if changing.settled(cursor, place.deployed):
            yield Checkpoint(dict(cursor or {}))
        else:
            yield from changing.read(cursor)

    def _again(self, ids: Sequence[str]) -> list[JSON]:
        found: list[JSON] = []
        for start in range(0, len(ids), _AT_ONCE):
            some = list(ids[start : start + _AT_ONCE])
            data = self.client.ask(queries.DEPLOYMENTS_AGAIN, {"ids": some}, lacking=ABSENT)
            found += nodes(data)
        return found

    def _deployment(self, place: Place, row: JSON) -> Iterator[Deployment]:
        name = row["originalEnvironment"] or row["environment"] or self.environment
        for rule in self.rules:
            said = rule.takes(name)
            if said is not None:
                named = said.over(Named(name, self.service))
                yield self._reported(place, row, named, rule)
                return

    def _reported(self, place: Place, row: JSON, named: Named, rule: DeploymentRule) -> Deployment:
        listed = whole(self.client, row["statuses"], queries.MORE_STATUSES, row["id"], "statuses")
        history = _until_success(_in_order(listed))
        status, finished, word = _outcome(history)
        began = [one["createdAt"] for one in history if one["state"] == "IN_PROGRESS"]
        links = [one["logUrl"] for one in history if one["logUrl"]]
        ref = row["ref"] or {}
        return Deployment(
            id=row["id"],
            repository=place.repository,
            environment=named.environment or self.environment,
            status=status,
            started_at=instant(began[0] if began else row["createdAt"]),
            finished_at=finished,
            sha=row["commitOid"],
            service=named.service,
            name=row["task"],
            version=ref.get("name") if ref.get("prefix") == "refs/tags/" else None,
            rule=rule.text,
            original_status=word,
            url=links[-1] if links else f"{place.url}/deployments#{row['id']}",
        )


def _in_order(statuses: list[JSON]) -> list[JSON]:
    """Statuses by time; of those of one second, in the order they were given in."""
    if statuses and statuses[0]["createdAt"] > statuses[-1]["createdAt"]:
        statuses = statuses[::-1]
    return sorted(statuses, key=lambda one: str(one["createdAt"]))


def _until_success(history: list[JSON]) -> list[JSON]:
    """What happened until it first succeeded; nothing that follows moves it."""
    for place, one in enumerate(history, 1):
        if one["state"] == "SUCCESS":
            return history[:place]
    return history


def _outcome(history: list[JSON]) -> tuple[DeploymentStatus, datetime | None, str | None]:
    """Status, end and the host's word."""
    if not history:
        return "running", None, None
    last = history[-1]
    state, word = last["state"], str(last["state"]).lower()
    if state == "SUCCESS":
        return "succeeded", instant(last["createdAt"]), word
    broken = [one for one in history if one["state"] in _BROKEN]
    if state in _BROKEN or (broken and state == "INACTIVE"):
        return "failed", instant((broken if state == "INACTIVE" else [last])[0]["createdAt"]), word
    if state == "INACTIVE":
        return "cancelled", instant(last["createdAt"]), word
    return "running", None, word


def _may_succeed(row: JSON) -> bool:
    """Whether a deployment has not succeeded and may yet."""
    states = {one["state"] for one in nodes(row["statuses"])}
    if "SUCCESS" in states:
        return False
    if states & {*_BROKEN, "INACTIVE"}:
        return instant(row["createdAt"]) > datetime.now(UTC) - _TRIED_AGAIN
    return True
