"""Workflow runs and their jobs that deploy; the job decides, not the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.forge.deploying import DeploymentRule, Named
from connectors.github.client import Client
from connectors.github.runs import Runs, ended
from connectors.github.values import Place, time
from dora.connector import Cursor, Item
from dora.records import Deployment

JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workflows:
    """Deployments made by workflows.

    Attributes:
        client: Asks the host.
        rules: `workflow:` and `job:` rules; of those that fit, the first counts.
        environment: Where those go that name none.
        service: What they deploy, where it is stated.
    """

    client: Client
    rules: tuple[DeploymentRule, ...]
    environment: str
    service: str | None

    def find(self, place: Place) -> list[list[Any]]:
        """The workflows that there are: id, name and file of each."""
        pages = self.client.pages(f"/repos/{place.path}/actions/workflows", {}, "workflows")
        return [
            [int(row["id"]), row["name"], str(row.get("path") or "").rpartition("/")[2]]
            for page in pages
            for row in page
        ]

    def matching(
        self, workflows: list[list[Any]]
    ) -> Iterator[tuple[int, list[tuple[DeploymentRule, Named]]]]:
        """The workflows that rules take, by id, each with those rules and what its name says."""
        for id_, name, file in workflows:
            matching = [
                (rule, said)
                for rule in self.rules
                if (said := rule.takes(name) or rule.takes(file)) is not None
            ]
            if matching:
                yield int(id_), matching

    def read(
        self,
        place: Place,
        matching: list[tuple[DeploymentRule, Named]],
        cursor: Cursor | None,
        runs: Runs,
    ) -> Iterator[Item]:
        """What is new, or was run again, since the cursor."""
        by_run = next(((r, said) for r, said in matching if r.job is None), None)
        by_job = [(rule, said) for rule, said in matching if rule.job is not None]

        def items(rows: Sequence[JSON]) -> Iterator[Item]:
            for run in rows:
                if by_job:
                    yield from self._jobs(place, runs, run, by_job)
                elif by_run is not None:
                    rule, said = by_run
                    for attempt in runs.attempts(run):
                        id_ = f"{run['id']}/{attempt['run_attempt'] or 1}"
                        yield from self._ran(place, rule, said, run, attempt, id_)

        yield from runs.read(cursor, items, {})

    def _jobs(
        self, place: Place, runs: Runs, run: JSON, matching: list[tuple[DeploymentRule, Named]]
    ) -> Iterator[Deployment]:
        """The deployments that the jobs of a run were, each told once.

        Where only some jobs are run again, the host repeats the others in the new attempt.
        """
        told: set[tuple[Any, ...]] = set()
        for job in sorted(runs.jobs(run), key=lambda one: int(one["id"])):
            self_same = job["name"], job["started_at"], job["completed_at"]
            for rule, said in matching:
                named = rule.takes_job(job["name"])
                if named is not None and self_same not in told:
                    told.add(self_same)
                    id_ = f"{run['id']}/{job['id']}"
                    yield from self._ran(place, rule, named.over(said), run, job, id_)
                    break

    def _ran(
        self,
        place: Place,
        rule: DeploymentRule,
        said: Named,
        run: JSON,
        one: JSON,
        id_: str,
    ) -> Iterator[Deployment]:
        """The deployment that an attempt or a job was; none where it was skipped."""
        status = ended(one)
        if status is None:
            return
        end = one.get("completed_at") or one.get("updated_at")
        yield Deployment(
            id=id_,
            repository=place.repository,
            environment=said.environment or self.environment,
            status=status,
            started_at=time(one.get("started_at") or one.get("run_started_at")),
            finished_at=time(end) if status != "running" else None,
            sha=one.get("head_sha") or run["head_sha"],
            service=said.service or self.service,
            name=one["name"],
            rule=rule.text,
            original_status=one["conclusion"] or one["status"],
            url=one["html_url"],
        )
