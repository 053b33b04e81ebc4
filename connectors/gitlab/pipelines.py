"""Pipelines and their jobs, those that were tried again each for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.forge.changing import digest
from connectors.gitlab.client import Client
from connectors.gitlab.judging import Forbidden
from connectors.gitlab.listing import Listing
from connectors.gitlab.values import JSON, Project, each, instant, time
from connectors.http.errors import Absent
from dora.connector import Cursor, Item
from dora.records import Build, DeploymentStatus, Record

STATUSES: dict[str, DeploymentStatus] = {
    "success": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "canceling": "cancelled",
    "created": "running",
    "pending": "running",
    "preparing": "running",
    "waiting_for_resource": "running",
    "running": "running",
}
"""How a job stands; skipped, manual and scheduled ones have not run, and may never."""


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Lists the pipelines of one project, the one changed last first.

    Attributes:
        client: Asks the host.
        project: The project.
        since: The time before which nothing is read.
        asked: What the facts made of them depend on.
        kind: What is made of them.
    """

    client: Client
    project: Project
    since: datetime | None
    asked: str = ""
    kind: type[Record] = Build

    def read(
        self,
        cursor: Cursor | None,
        items: Callable[[JSON], Iterator[Item]],
        *,
        whole: bool = False,
    ) -> Iterator[Item]:
        """Pipelines that are new or have changed since the cursor, made into facts by `items`."""

        def facts(rows: Sequence[JSON], _: bool) -> Iterator[Item]:
            return each(self.kind, f"{self.project.path} pipeline", rows, items)

        listed = Listing(self.client, self.project, "/pipelines", self.since)
        yield from listed.read(cursor, facts, self.asked, whole=whole)

    def jobs(self, pipeline: JSON) -> list[JSON]:
        """All jobs of a pipeline, those tried again too, the first first."""
        path = f"{self.project.api}/pipelines/{pipeline['id']}/jobs"
        try:
            pages = list(self.client.pages(path, {"include_retried": "true"}))
        except Forbidden:
            raise
        except Absent:
            return []  # deleted since it was listed
        return sorted((one for rows in pages for one in rows), key=lambda one: int(one["id"]))


def rounds(jobs: list[JSON]) -> Iterator[list[JSON]]:
    """The jobs of each try: the first of every name, then the second of those that have one."""
    numbered: dict[str, int] = {}
    tries: list[list[JSON]] = []
    for job in jobs:
        number = numbered.get(job["name"], 0)
        numbered[job["name"]] = number + 1
        if number == len(tries):
            tries.append([])
        tries[number].append(job)
    yield from tries


def outcome(jobs: list[JSON]) -> tuple[DeploymentStatus, datetime | None] | None:
    """How the jobs of one try ended together, and when; None if none of them ran.

    One that is allowed to fail does not matter unless it runs.
    """
    known = [(STATUSES.get(job["status"]), job) for job in jobs]
    ran = [(status, job) for status, job in known if status is not None]
    states = {status for status, job in ran if not job.get("allow_failure")} or {
        "succeeded" for _ in ran
    }
    ends = [moment for _, job in ran if (moment := time(job.get("finished_at")))]
    for status in ("running", "failed", "cancelled"):
        if status in states:
            return status, None if status == "running" else max(ends, default=None)
    return ("succeeded", max(ends, default=None)) if states else None


@dataclass(frozen=True, slots=True)
class Builds:
    """Pipelines as builds, each try for itself.

    Attributes:
        client: Asks the host.
        since: The time before which nothing is read.
    """

    client: Client
    since: datetime | None

    @property
    def asked(self) -> str:
        """What the facts depend on beside the source."""
        return digest(str(self.since))

    def read(self, project: Project, cursor: Cursor | None, whole: bool = False) -> Iterator[Item]:
        """What is new in one project since the cursor, or all of it."""
        pipelines = Pipelines(self.client, project, self.since, self.asked)

        def items(pipeline: JSON) -> Iterator[Item]:
            for number, jobs in enumerate(rounds(pipelines.jobs(pipeline)), 1):
                ended = outcome(jobs)
                if ended is not None:
                    yield _build(project, pipeline, number, jobs, ended)

        yield from pipelines.read(cursor, items, whole=whole)


def _build(
    project: Project,
    pipeline: JSON,
    number: int,
    jobs: list[JSON],
    ended: tuple[DeploymentStatus, datetime | None],
) -> Build:
    begun = [moment for job in jobs if (moment := time(job.get("started_at")))]
    return Build(
        id=f"{pipeline['id']}/{number}",
        repository=project.repository,
        sha=pipeline["sha"],
        name=pipeline.get("name") or "pipeline",
        attempt=number,
        branch=pipeline.get("ref"),
        status=ended[0],
        started_at=min(begun, default=instant(pipeline["created_at"])),
        finished_at=ended[1],
        original_status=pipeline["status"] if number == 1 else None,
        url=pipeline["web_url"],
    )
