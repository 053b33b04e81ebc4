"""What was deployed, by the rules in order of trust."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.forge.deploying import DeploymentRule
from connectors.git.versions import version
from connectors.github import queries
from connectors.github.changing import Changing
from connectors.github.client import Client
from connectors.github.commits import first_parents, refs
from connectors.github.paging import Size, follow, whole
from connectors.github.runs import Runs, ended
from connectors.github.values import Place, digest, instant, time
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Deployment, DeploymentStatus

JSON: TypeAlias = dict[str, Any]

PRE_RELEASE = "pre-release"
_FAILED = {"FAILURE": "failed", "ERROR": "failed", "INACTIVE": "cancelled"}


@dataclass(frozen=True, slots=True)
class Deployments:
    """The deployments of repositories, by rules.

    Attributes:
        client: Asks the host.
        rules: What makes a deployment; of those that would take the same event, the first does.
        environment: Where those go that name none.
        service: What they deploy, where it is stated.
        since: The time before which nothing is read.
    """

    client: Client
    rules: tuple[DeploymentRule, ...]
    environment: str
    service: str | None
    since: datetime | None

    def read(self, place: Place, cursor: Cursor | None) -> Iterator[Item]:
        """What is new in one repository since the cursor."""
        state: JSON = dict(cursor or {})
        asked = digest([*map(str, self.rules), self.environment, self.service])
        if state.get("asked", asked) != asked:
            state = {}
        state |= {"id": place.id, "asked": asked}
        for name, items in self._streams(place, state):
            for item in items:
                if isinstance(item, Checkpoint):
                    state[name] = item.cursor
                    yield Checkpoint(dict(state), part=place.repository)
                else:
                    yield item
        yield Checkpoint(dict(state), part=place.repository)

    def _streams(self, place: Place, state: JSON) -> Iterator[tuple[str, Iterator[Item]]]:
        own = [rule for rule in self.rules if rule.kind in ("deployments", "environment")]
        named = [rule for rule in self.rules if rule.kind in ("releases", "tags")]
        if own:
            yield "own", self._own(place, own, state.get("own"))
        for rule in self.rules:
            if rule.kind == "workflow":
                for id_ in self._workflows(place, rule):
                    name = f"{rule}#{id_}"
                    yield name, self._workflow(place, rule, id_, state.get(name))
            elif rule.kind == "merges":
                yield str(rule), self._merges(place, rule, state.get(str(rule)))
        if named:
            yield "tags", self._named(place, named, state.get("tags"))

    def _own(
        self, place: Place, rules: list[DeploymentRule], cursor: Cursor | None
    ) -> Iterator[Item]:
        size = Size(100)

        def ask(after: str | None) -> Any:
            variables = {"repository": place.id, "after": after}
            data = self.client.ask(queries.DEPLOYMENTS, variables, size=size)
            return (data["node"] or {}).get("deployments")

        def items(rows: list[JSON], _: bool) -> Iterator[Item]:
            for row in rows:
                name = row["originalEnvironment"] or row["environment"] or self.environment
                for rule in rules:
                    if rule.kind == "deployments" or rule.matches(name):
                        yield self._reported(place, row, name, str(rule))
                        break

        yield from Changing(
            place, ask, items, self.since, by="createdAt", unfinished=_may_succeed
        ).read(cursor)

    def _reported(self, place: Place, row: JSON, environment: str, rule: str) -> Deployment:
        listed = whole(self.client, row["statuses"], queries.MORE_STATUSES, row["id"], "statuses")
        history = sorted(listed, key=lambda one: str(one["createdAt"]))
        status, finished, word = _outcome(history)
        began = [one for one in history if one["state"] == "IN_PROGRESS"]
        links = [one["logUrl"] for one in history if one["logUrl"]]
        return Deployment(
            id=row["id"],
            repository=place.repository,
            environment=environment,
            status=status,
            started_at=instant(began[0]["createdAt"] if began else row["createdAt"]),
            finished_at=finished,
            sha=row["commitOid"],
            service=self.service,
            name=row["task"],
            version=(row["ref"] or {}).get("name"),
            rule=rule,
            original_status=word,
            url=links[-1] if links else f"{place.url}/deployments",
        )

    def _workflows(self, place: Place, rule: DeploymentRule) -> Iterator[int]:
        path = f"/repos/{place.path}/actions/workflows"
        for rows in self.client.pages(path, {}, "workflows"):
            yield from (row["id"] for row in rows if rule.matches(row["name"]))

    def _workflow(
        self, place: Place, rule: DeploymentRule, workflow: int, cursor: Cursor | None
    ) -> Iterator[Item]:
        runs = Runs(self.client, place, self.since, workflow)

        def items(rows: list[JSON]) -> Iterator[Item]:
            for run in rows:
                if rule.job is None:
                    for one in runs.attempts(run):
                        number = one.get("run_attempt") or 1
                        yield from self._ran(place, rule, run, one, f"{run['id']}/{number}")
                    continue
                for one in runs.jobs(run):
                    if rule.matches_job(one["name"]):
                        yield from self._ran(place, rule, run, one, f"{run['id']}/{one['id']}")

        yield from runs.read(cursor, items)

    def _ran(
        self, place: Place, rule: DeploymentRule, run: JSON, one: JSON, id_: str
    ) -> Iterator[Deployment]:
        """The deployment that a run or a job was; none where it was skipped."""
        status = ended(one)
        if status is None:
            return
        end = one.get("completed_at") or one.get("updated_at")
        yield Deployment(
            id=id_,
            repository=place.repository,
            environment=self.environment,
            status=status,
            started_at=time(one.get("started_at") or one.get("run_started_at")),
            finished_at=time(end) if status != "running" else None,
            sha=one.get("head_sha") or run["head_sha"],
            service=self.service,
            name=one["name"],
            rule=str(rule),
            original_status=one["conclusion"] or one["status"],
            url=one["html_url"],
        )

    def _merges(self, place: Place, rule: DeploymentRule, cursor: Cursor | None) -> Iterator[Item]:
        old: str | None = (cursor or {}).get("head")
        head = self._tip(place, rule.argument)
        if head is not None and head != old:
            landed, met = first_parents(self.client, place, head, old, self.since)
            facts = [self._landed(place, rule, row) for row in landed]
            yield from facts
            if old and not met:
                yield from _only(place, [str(rule)], facts)
        yield Checkpoint({"head": head})

    def _tip(self, place: Place, branch: str) -> str | None:
        if branch == place.default_branch:
            return place.head
        for row in refs(self.client, place, "refs/heads/"):
            if row["name"] == branch:
                return str(row["target"]["oid"])
        return None

    def _landed(self, place: Place, rule: DeploymentRule, row: JSON) -> Deployment:
        return Deployment(
            id=row["oid"],
            repository=place.repository,
            environment=self.environment,
            status="succeeded",
            finished_at=instant(row["committedDate"]),
            sha=row["oid"],
            service=self.service,
            inferred=True,
            rule=str(rule),
            url=f"{place.url}/commit/{row['oid']}",
        )

    def _named(
        self, place: Place, rules: list[DeploymentRule], cursor: Cursor | None
    ) -> Iterator[Item]:
        """Deployments by releases and tags, listed whole when the newest page is another."""
        lists = {"releases": queries.RELEASES, "tags": queries.REFS}
        wanted = {rule.kind for rule in rules}
        firsts = {kind: self._page(place, kind, lists[kind], None) for kind in sorted(wanted)}
        standing = {"standing": digest(firsts)}
        if standing != dict(cursor or {}):
            rows = {kind: self._all(place, kind, lists[kind], firsts[kind]) for kind in firsts}
            found: dict[tuple[str, str], Deployment] = {}
            for rule in rules:
                for one in self._of(place, rule, rows[rule.kind]):
                    if self.since is None or (one.finished_at and one.finished_at >= self.since):
                        found.setdefault((one.environment, one.sha or one.id), one)
            facts = list(found.values())
            yield from facts
            if cursor:
                yield from _only(place, [str(rule) for rule in rules], facts)
        yield Checkpoint(standing)

    def _page(self, place: Place, kind: str, query: str, after: str | None) -> JSON:
        variables: JSON = {"repository": place.id, "after": after}
        if kind == "tags":
            variables["prefix"] = "refs/tags/"
        data = self.client.ask(query, variables, size=Size(100))
        return (data["node"] or {}).get("refs" if kind == "tags" else "releases") or {}

    def _all(self, place: Place, kind: str, query: str, first: JSON) -> list[JSON]:
        def ask(after: str | None) -> JSON:
            return first if after is None else self._page(place, kind, query, after)

        return [row for rows, _ in follow(ask) for row in rows]

    def _of(self, place: Place, rule: DeploymentRule, rows: Iterable[JSON]) -> Iterator[Deployment]:
        made = (
            _release(row) if rule.kind == "releases" else _tag(row, rule.argument) for row in rows
        )
        for name, sha, at, early, url in sorted(
            (one for one in made if one is not None), key=lambda one: (one[2], one[0])
        ):
            yield Deployment(
                id=name,
                repository=place.repository,
                environment=PRE_RELEASE if early else self.environment,
                status="succeeded",
                finished_at=at,
                sha=sha,
                service=self.service,
                name=name,
                version=name,
                inferred=True,
                rule=str(rule),
                url=url or f"{place.url}/releases/tag/{name}",
            )


_Named: TypeAlias = tuple[str, "str | None", datetime, bool, "str | None"]


def _release(row: JSON) -> _Named | None:
    if row["isDraft"] or not row["publishedAt"]:
        return None
    sha = (row["tagCommit"] or {}).get("oid")
    return row["tagName"], sha, instant(row["publishedAt"]), row["isPrerelease"], row["url"]


def _tag(row: JSON, glob: str) -> _Named | None:
    """A tag that fits; made when its tagger says, else as old as its commit."""
    if not fnmatch.fnmatchcase(row["name"], glob):
        return None
    target: JSON | None = row["target"]
    tagged: str | None = None
    while target and target["__typename"] == "Tag":
        tagged = tagged or (target.get("tagger") or {}).get("date")
        target = target.get("target")
    if not target or target["__typename"] != "Commit":
        return None
    found = version(row["name"])
    early = found is not None and found.prerelease
    return row["name"], target["oid"], instant(tagged or target["committedDate"]), early, None


def _may_succeed(row: JSON) -> bool:
    """Whether a deployment has not succeeded and may yet."""
    states = {one["state"] for one in row["statuses"]["nodes"]}
    return not states & {"SUCCESS", "FAILURE", "ERROR", "INACTIVE"}


def _outcome(
    history: list[JSON],
) -> tuple[DeploymentStatus, datetime | None, str | None]:
    """Status, end and the host's word: the first success counts, and nothing moves it."""
    for one in history:
        if one["state"] == "SUCCESS":
            return "succeeded", instant(one["createdAt"]), "success"
    if not history:
        return "running", None, None
    last = history[-1]
    word = str(last["state"])
    if word in ("FAILURE", "ERROR"):
        return "failed", instant(last["createdAt"]), word.lower()
    broken = [one for one in history if one["state"] in ("FAILURE", "ERROR")]
    if broken and word == "INACTIVE":
        return "failed", instant(broken[0]["createdAt"]), word.lower()
    if word == "INACTIVE":
        return "cancelled", instant(last["createdAt"]), word.lower()
    return "running", None, word.lower()


def _only(place: Place, rules: list[str], facts: list[Deployment]) -> Iterator[Only]:
    for rule in rules:
        keys = tuple(
            {"id": one.id, "repository": one.repository, "environment": one.environment}
            for one in facts
            if one.rule == rule
        )
        yield Only(Deployment, {"repository": place.repository, "rule": rule}, keys)
