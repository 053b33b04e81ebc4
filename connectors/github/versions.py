"""Deployments by releases and tags: of one commit they are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule
from connectors.git.versions import version
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.paging import Size, follow
from connectors.github.values import UNKNOWN, Place, instant
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Deployment

JSON: TypeAlias = dict[str, Any]

PRE_RELEASE = "pre-release"

_LISTS = {"releases": (queries.RELEASES, "releases"), "tags": (queries.REFS, "refs")}


@dataclass(frozen=True, slots=True)
class _Version:
    """A release or tag as it may be a deployment."""

    name: str
    sha: str | None
    at: datetime
    early: bool
    url: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Deployments made by publishing a version.

    Attributes:
        client: Asks the host.
        rules: `releases` and `tags:` rules; of those that fit one commit, the first counts.
        environment: Where versions go; those that only announce one go to `pre-release`.
        service: What they deploy, where it is stated.
    """

    client: Client
    rules: tuple[DeploymentRule, ...]
    environment: str
    service: str | None

    def read(self, place: Place, cursor: Cursor | None, since: datetime | None) -> Iterator[Item]:
        """All of them, where the newest page is another than it was."""
        if cursor and cursor.get("seen") == place.versions != UNKNOWN:
            yield Checkpoint(dict(cursor))
            return
        kinds: list[str] = sorted({rule.kind for rule in self.rules})
        firsts = {kind: self._page(place, kind, None) for kind in kinds}
        standing = {"standing": digest([firsts, [rule.text for rule in self.rules]])}
        if standing["standing"] != (cursor or {}).get("standing"):
            facts = self._deployments(place, firsts, since)
            yield from facts
            if cursor:
                yield from _only(place, self.rules, facts)
        yield Checkpoint({**standing, "seen": place.versions})

    def _deployments(
        self, place: Place, firsts: dict[str, JSON], since: datetime | None
    ) -> list[Deployment]:
        rows = {kind: self._all(place, kind, first) for kind, first in firsts.items()}
        found: dict[tuple[str, str], Deployment] = {}
        for rule in self.rules:
            made = (_read(place, rule, row) for row in rows[rule.kind])
            for one in sorted(filter(None, made), key=lambda one: (one.at, one.name)):
                if since is None or one.at >= since:
                    environment = PRE_RELEASE if one.early else self.environment
                    key = environment, one.sha or one.name
                    found.setdefault(key, self._deployment(place, rule, one, environment))
        return list(found.values())

    def _page(self, place: Place, kind: str, after: str | None) -> JSON:
        query, field = _LISTS[kind]
        variables: JSON = {"repository": place.id, "after": after}
        if kind == "tags":
            variables["prefix"] = "refs/tags/"
            data = self.client.ask(query, variables, size=Size(), needs=("node", field))
            return (data["node"] or {}).get(field) or {}  # it is null where there never was a tag
        return self.client.part(query, variables, "node", field, size=Size())

    def _all(self, place: Place, kind: str, first: JSON) -> list[JSON]:
        def ask(after: str | None) -> JSON:
            return first if after is None else self._page(place, kind, after)

        return [row for rows, _ in follow(ask) for row in rows]

    def _deployment(
        self, place: Place, rule: DeploymentRule, one: _Version, environment: str
    ) -> Deployment:
        return Deployment(
            id=one.name,
            repository=place.repository,
            environment=environment,
            status="succeeded",
            finished_at=one.at,
            sha=one.sha,
            service=self.service,
            name=one.name,
            version=one.name,
            inferred=True,
            rule=rule.text,
            url=one.url,
        )


def _read(place: Place, rule: DeploymentRule, row: JSON) -> _Version | None:
    """What a row is, if the rule takes it."""
    if rule.kind == "releases":
        return _release(row)
    return _tag(place, row) if rule.takes(row["name"]) is not None else None


def _release(row: JSON) -> _Version | None:
    if row["isDraft"] or not row["publishedAt"]:
        return None
    sha = (row["tagCommit"] or {}).get("oid")
    at = instant(row["publishedAt"])
    return _Version(row["tagName"], sha, at, row["isPrerelease"], row["url"])


def _tag(place: Place, row: JSON) -> _Version | None:
    """A tag; made when its tagger says, else as old as its commit."""
    target: JSON | None = row["target"]
    tagged: str | None = None
    while target and target["__typename"] == "Tag":
        tagged = tagged or (target.get("tagger") or {}).get("date")
        target = target.get("target")
    if not target or target["__typename"] != "Commit":
        return None
    found = version(row["name"])
    early = found is not None and found.prerelease
    at = instant(tagged or target["committedDate"])
    url = f"{place.url}/releases/tag/{row['name']}"
    return _Version(row["name"], target["oid"], at, early, url)


def _only(
    place: Place, rules: Sequence[DeploymentRule], facts: Sequence[Deployment]
) -> Iterator[Only]:
    for rule in rules:
        where = {"repository": place.repository, "rule": rule.text}
        keys = tuple(
            {"id": one.id, "environment": one.environment} for one in facts if one.rule == rule.text
        )
        yield Only(Deployment, where, keys)
