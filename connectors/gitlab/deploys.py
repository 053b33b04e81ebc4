"""What was deployed, by the rules in order of trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.forge.changing import digest
from connectors.forge.deploying import DeploymentRule
from connectors.forge.deploying import Named as NamedBy
from connectors.gitlab.client import Client
from connectors.gitlab.commits import behind, commit_pages, tip
from connectors.gitlab.listing import Listing
from connectors.gitlab.naming import Named
from connectors.gitlab.pipelines import STATUSES, Pipelines, outcome, rounds
from connectors.gitlab.values import JSON, Project, instant, time
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Deployment, DeploymentStatus

_DEPLOYED: dict[str, DeploymentStatus] = {
    **STATUSES,
    "blocked": "running",
    "skipped": "cancelled",
}


@dataclass(frozen=True, slots=True)
class _Ran:
    """A pipeline that a rule takes, and what its name says of the deployments in it."""

    project: Project
    pipeline: JSON
    rule: DeploymentRule
    said: NamedBy


@dataclass(frozen=True, slots=True)
class Deployments:
    """The deployments of projects, by rules.

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
    _tiers: dict[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """What the facts depend on beside the source."""
        return digest([*map(str, self.rules), self.environment, self.service, str(self.since)])

    def read(self, project: Project, cursor: Cursor | None) -> Iterator[Item]:
        """What is new in one project since the cursor."""
        state: JSON = dict(cursor or {}) | {"id": project.id}
        for name, items in self._streams(project, state):
            for item in items:
                if isinstance(item, Checkpoint):
                    state[name] = item.cursor
                    yield Checkpoint(dict(state), part=project.repository)
                else:
                    yield item
        yield Checkpoint(dict(state), part=project.repository)

    def _streams(self, project: Project, state: JSON) -> Iterator[tuple[str, Iterator[Item]]]:
        own = [rule for rule in self.rules if rule.kind in ("deployments", "environment")]
        named = [rule for rule in self.rules if rule.kind in ("releases", "tags")]
        by_pipeline = [rule for rule in self.rules if rule.kind == "workflow"]
        if own:
            yield "own", self._own(project, own, state.get("own"))
        if by_pipeline and "builds" not in project.hidden:
            yield "pipelines", self._ran(project, by_pipeline, state.get("pipelines"))
        for rule in self.rules:
            if rule.kind == "merges":
                yield str(rule), self._merges(project, rule, state.get(str(rule)))
        if named:
            reading = Named(self.client, self.environment, self.service, self.since)
            yield "named", reading.read(project, named, state.get("named"))

    def _own(
        self, project: Project, rules: list[DeploymentRule], cursor: Cursor | None
    ) -> Iterator[Item]:
        def facts(rows: Sequence[JSON], _: bool) -> Iterator[Item]:
            for row in rows:
                found = first_of(rules, row["environment"]["name"])
                if found is not None:
                    yield self._reported(project, row, *found)

        listed = Listing(self.client, project, "/deployments", self.since)
        yield from listed.read(cursor, facts)

    def _reported(
        self, project: Project, row: JSON, rule: DeploymentRule, said: NamedBy
    ) -> Deployment:
        job: JSON = row.get("deployable") or {}
        name = row["environment"]["name"]
        status = _DEPLOYED.get(row["status"], "running")
        # One that was made through the API has no job, and the host tells its last change only.
        ended = job.get("finished_at") if job else row["updated_at"]
        return Deployment(
            id=str(row["id"]),
            repository=project.repository,
            environment=said.environment or name,
            status=status,
            started_at=time(job.get("started_at")) or instant(row["created_at"]),
            finished_at=time(ended) if status != "running" else None,
            sha=row["sha"],
            service=said.service or self.service,
            name=job.get("name"),
            version=row["ref"],
            tier=self._tier(project, name),
            rule=str(rule),
            original_status=row["status"],
            url=job.get("web_url") or f"{project.url}/-/environments/{row['environment']['id']}",
        )

    def _tier(self, project: Project, environment: str) -> str | None:
        """The kind of an environment, which deployments do not tell; the list is read once."""
        if project.id not in self._tiers:
            self._tiers[project.id] = self._environments(project)
        return self._tiers[project.id].get(environment)

    def _environments(self, project: Project) -> Mapping[str, str]:
        try:
            pages = list(self.client.pages(f"{project.api}/environments"))
        except Absent:
            return {}  # names tell the kind, too
        return {row["name"]: row["tier"] for rows in pages for row in rows if row.get("tier")}

    def _ran(
        self, project: Project, rules: list[DeploymentRule], cursor: Cursor | None
    ) -> Iterator[Item]:
        pipelines = Pipelines(self.client, project, self.since)

        def items(pipeline: JSON) -> Iterator[Item]:
            names = (pipeline.get("name"), pipeline["ref"])
            fitting = [(rule, said) for rule in rules if (said := _takes(rule, names)) is not None]
            if fitting:
                taken: set[int] = set()
                jobs = pipelines.jobs(pipeline)
                for rule, said in fitting:
                    ran = _Ran(project, pipeline, rule, said)
                    yield from self._of_jobs(ran, jobs, taken)

        yield from pipelines.read(cursor, items)

    def _of_jobs(self, ran: _Ran, jobs: list[JSON], taken: set[int]) -> Iterator[Deployment]:
        """The deployments that a pipeline was; a job is taken by the first rule that fits it."""
        if ran.rule.job is None:
            for number, of_try in enumerate(rounds(jobs), 1):
                yield from self._made(ran, of_try, number)
            return
        for job in jobs:
            more = ran.rule.takes_job(job["name"])
            if job["id"] not in taken and more is not None:
                taken.add(job["id"])
                said = more.over(ran.said)
                yield from self._made(replace(ran, said=said), [job], job["id"])

    def _made(self, ran: _Ran, jobs: list[JSON], id_: int) -> Iterator[Deployment]:
        """The deployment that a job, or a try of all of them, was; none where nothing ran."""
        alone = ran.rule.job is not None
        ended = outcome([{**jobs[0], "allow_failure": False}] if alone else jobs)
        if ended is None:
            return
        begun = [moment for job in jobs if (moment := time(job.get("started_at")))]
        last, pipeline = jobs[-1], ran.pipeline
        yield Deployment(
            id=f"{pipeline['id']}/{id_}",
            repository=ran.project.repository,
            environment=ran.said.environment or self.environment,
            status=ended[0],
            started_at=min(begun, default=None),
            finished_at=ended[1],
            sha=pipeline["sha"],
            service=ran.said.service or self.service,
            name=last["name"] if alone else pipeline.get("name"),
            version=pipeline["ref"],
            rule=str(ran.rule),
            original_status=last["status"],
            url=last["web_url"] if alone else pipeline["web_url"],
        )

    def _merges(
        self, project: Project, rule: DeploymentRule, cursor: Cursor | None
    ) -> Iterator[Item]:
        old: str | None = (cursor or {}).get("head")
        head = tip(self.client, project, rule.argument)
        if head is not None and head != old:
            follows = old is not None and behind(self.client, project, old, head)
            commits = f"{old}..{head}" if follows else head
            listed = commit_pages(self.client, project, commits, self.since, first_parent=True)
            facts = [self._landed(project, rule, row) for rows, _ in listed for row in rows]
            yield from facts
            if old and not follows:
                keys = tuple({"id": one.id, "environment": one.environment} for one in facts)
                yield Only(Deployment, {"repository": project.repository, "rule": str(rule)}, keys)
        yield Checkpoint({"head": head})

    def _landed(self, project: Project, rule: DeploymentRule, row: JSON) -> Deployment:
        return Deployment(
            id=row["id"],
            repository=project.repository,
            environment=self.environment,
            status="succeeded",
            finished_at=instant(row["committed_date"]),
            sha=row["id"],
            service=self.service,
            inferred=True,
            rule=str(rule),
            url=f"{project.url}/-/commit/{row['id']}",
        )


def first_of(rules: Sequence[DeploymentRule], name: str) -> tuple[DeploymentRule, NamedBy] | None:
    """The first rule that takes a name, and what the name says."""
    for rule in rules:
        said = rule.takes(name)
        if said is not None:
            return rule, said
    return None


def _takes(rule: DeploymentRule, names: Sequence[str | None]) -> NamedBy | None:
    """What the first of several names says that a rule takes."""
    said = (rule.takes(name) for name in names if name)
    return next((one for one in said if one is not None), None)
