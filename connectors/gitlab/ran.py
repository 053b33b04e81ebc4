"""Deployments by pipelines and their jobs: the job decides, whatever became of its pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.forge.deploying import DeploymentRule, Named, Target
from connectors.gitlab.client import Client
from connectors.gitlab.pipelines import Pipelines, outcome, rounds
from connectors.gitlab.values import JSON, Project, time
from dora.connector import Cursor, Item
from dora.records import Deployment


@dataclass(frozen=True, slots=True)
class _Taken:
    """A pipeline that a rule takes, and what its name says of the deployments in it."""

    project: Project
    pipeline: JSON
    rule: DeploymentRule
    said: Named


@dataclass(frozen=True, slots=True)
class Ran:
    """Reads the pipelines and jobs that deploy.

    Attributes:
        client: Asks the host.
        rules: Which ones do; a job is taken by the first rule that fits it.
        target: What deployments say where nothing else does.
        since: The time before which nothing is read.
    """

    client: Client
    rules: Sequence[DeploymentRule]
    target: Target
    since: datetime | None

    def read(self, project: Project, cursor: Cursor | None, whole: bool) -> Iterator[Item]:
        """What is new in one project since the cursor, or all of it."""
        pipelines = Pipelines(self.client, project, self.since, kind=Deployment)

        def items(pipeline: JSON) -> Iterator[Item]:
            names = (pipeline.get("name"), pipeline["ref"])
            fitting = [
                _Taken(project, pipeline, rule, said)
                for rule in self.rules
                if (said := _takes(rule, names)) is not None
            ]
            if fitting:
                jobs, done = pipelines.jobs(pipeline), set[int]()
                for taken in fitting:
                    yield from self._deployments(taken, jobs, done)

        yield from pipelines.read(cursor, items, whole=whole)

    def _deployments(self, taken: _Taken, jobs: list[JSON], done: set[int]) -> Iterator[Deployment]:
        if taken.rule.job is None:
            for number, of_try in enumerate(rounds(jobs), 1):
                yield from self._deployment(taken, of_try, number)
            return
        for job in jobs:
            more = taken.rule.takes_job(job["name"])
            if job["id"] not in done and more is not None:
                done.add(job["id"])
                said = more.over(taken.said)
                yield from self._deployment(replace(taken, said=said), [job], job["id"])

    def _deployment(self, taken: _Taken, jobs: list[JSON], id_: int) -> Iterator[Deployment]:
        """The deployment that a job, or a try of all of them, was; none where nothing ran."""
        alone = taken.rule.job is not None
        ended = outcome([{**jobs[0], "allow_failure": False}] if alone else jobs)
        if ended is None:
            return
        begun = [moment for job in jobs if (moment := time(job.get("started_at")))]
        last, pipeline = jobs[-1], taken.pipeline
        yield Deployment(
            id=f"{pipeline['id']}/{id_}",
            repository=taken.project.repository,
            environment=taken.said.environment or self.target.environment,
            status=ended[0],
            started_at=min(begun, default=None),
            finished_at=ended[1],
            sha=pipeline["sha"],
            service=taken.said.service or self.target.service,
            name=last["name"] if alone else pipeline.get("name"),
            version=pipeline["ref"],
            rule=taken.rule.text,
            original_status=last["status"],
            url=last["web_url"] if alone else pipeline["web_url"],
        )


def _takes(rule: DeploymentRule, names: Sequence[str | None]) -> Named | None:
    """What the first of several names says that a rule takes."""
    said = (rule.takes(name) for name in names if name)
    return next((one for one in said if one is not None), None)
