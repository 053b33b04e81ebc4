"""Deployments by releases and tags: what bears a version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule, Target
from connectors.git.versions import version
from connectors.gitlab.client import Client, Page
from connectors.gitlab.values import JSON, Project, instant
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Deployment

PRE_RELEASE = "pre-release"
_PATHS = {"releases": "/releases", "tags": "/repository/tags"}
_ORDERS = {"releases": "released_at", "tags": "updated"}

_Made: TypeAlias = tuple[str, "str | None", datetime, "str | None"]


@dataclass(frozen=True, slots=True)
class Versions:
    """Reads releases and tags, whole whenever the newest page is another than before.

    Attributes:
        client: Asks the host.
        rules: Which of them deploy; of those that fit one commit, the first counts.
        target: What they deploy, and where to, but for those that are early.
        since: The time before which nothing is read.
    """

    client: Client
    rules: Sequence[DeploymentRule]
    target: Target
    since: datetime | None

    def read(self, project: Project, cursor: Cursor | None) -> Iterator[Item]:
        """What is new in one project since the cursor."""
        kinds = sorted({rule.kind for rule in self.rules} - self._off(project))
        firsts = {kind: self._page(project, kind) for kind in kinds}
        pages = {kind: firsts[kind].rows for kind in kinds}
        standing = {"standing": digest([pages, [rule.text for rule in self.rules]])}
        if standing != dict(cursor or {}):
            rows = {kind: self._all(project, kind, firsts[kind]) for kind in kinds}
            found: dict[tuple[str, str], Deployment] = {}
            for rule in self.rules:
                for one in self._of(project, rule, rows.get(rule.kind, [])):
                    if self.since is None or (one.finished_at and one.finished_at >= self.since):
                        found.setdefault((one.environment, one.sha or one.id), one)
            yield from found.values()
            if cursor:
                yield from self._only(project, list(found.values()))
        yield Checkpoint(standing)

    def _only(self, project: Project, facts: list[Deployment]) -> Iterator[Only]:
        for rule in self.rules:
            keys = tuple(
                {"id": one.id, "environment": one.environment}
                for one in facts
                if one.rule == rule.text
            )
            where = {"repository": project.repository, "rule": rule.text}
            yield Only(Deployment, where, keys)

    def _off(self, project: Project) -> set[str]:
        off = {"releases"} & project.hidden
        return off | ({"tags"} if "repository" in project.hidden else set())

    def _page(self, project: Project, kind: str) -> Page:
        asked = {"order_by": _ORDERS[kind], "sort": "desc", "per_page": 100}
        return self.client.page(f"{project.api}{_PATHS[kind]}", asked)

    def _all(self, project: Project, kind: str, page: Page) -> list[JSON]:
        rows = list(page.rows)
        while page.following is not None:
            page = self.client.page(f"{project.api}{_PATHS[kind]}", page.following)
            rows += page.rows
        return rows

    def _of(
        self, project: Project, rule: DeploymentRule, rows: Iterable[JSON]
    ) -> Iterator[Deployment]:
        made = (_release(row) if rule.kind == "releases" else _tag(row, rule) for row in rows)
        for name, sha, moment, url in sorted(
            (one for one in made if one is not None), key=lambda one: (one[2], one[0])
        ):
            yield Deployment(
                id=name,
                repository=project.repository,
                environment=PRE_RELEASE if _early(name) else self.target.environment,
                status="succeeded",
                finished_at=moment,
                sha=sha,
                service=self.target.service,
                name=name,
                version=name,
                inferred=True,
                rule=rule.text,
                url=url or f"{project.url}/-/tags/{quote(name, safe='')}",
            )


def _release(row: JSON) -> _Made | None:
    """A release that is out; one that is announced for later is none yet."""
    if row.get("upcoming_release") or not row.get("released_at") or not row.get("tag_name"):
        return None
    sha = (row.get("commit") or {}).get("id")
    url = (row.get("_links") or {}).get("self")
    return row["tag_name"], sha, instant(row["released_at"]), url


def _tag(row: JSON, rule: DeploymentRule) -> _Made | None:
    """A tag that fits; made when its tagger says, else as old as its commit."""
    commit = row.get("commit")
    if not commit or rule.takes(row["name"]) is None:
        return None
    moment = row.get("created_at") or commit["committed_date"]
    return row["name"], commit["id"], instant(moment), None


def _early(name: str) -> bool:
    found = version(name)
    return found is not None and found.prerelease
