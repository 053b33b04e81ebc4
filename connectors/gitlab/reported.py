"""Deployments that GitLab itself lists, and the tiers of their environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.forge.deploying import DeploymentRule, Named, Target
from connectors.gitlab.client import Client
from connectors.gitlab.listing import Listing
from connectors.gitlab.pipelines import STATUSES
from connectors.gitlab.values import JSON, Project, each, instant, time
from connectors.http.errors import Absent
from dora.connector import Cursor, Item
from dora.records import Deployment, DeploymentStatus

_DEPLOYED: dict[str, DeploymentStatus] = {**STATUSES, "blocked": "running", "skipped": "cancelled"}


@dataclass(frozen=True, slots=True)
class Reported:
    """Reads the forge's own deployments, the one changed last first.

    Attributes:
        client: Asks the host.
        rules: What is taken of them; the first that fits counts.
        target: What deployments say where nothing else does.
        since: The time before which nothing is read.
    """

    client: Client
    rules: Sequence[DeploymentRule]
    target: Target
    since: datetime | None
    _tiers: dict[int, Mapping[str, str]] = field(default_factory=dict)

    def read(self, project: Project, cursor: Cursor | None, whole: bool) -> Iterator[Item]:
        """What is new in one project since the cursor, or all of it."""

        def item(row: JSON) -> Iterator[Item]:
            found = self._first(self._environment(row))
            if found is not None:
                yield self._deployment(project, row, *found)

        def facts(rows: Sequence[JSON], _: bool) -> Iterator[Item]:
            return each(Deployment, f"{project.path} deployment", rows, item)

        listed = Listing(self.client, project, "/deployments", self.since)
        yield from listed.read(cursor, facts, whole=whole)

    def _environment(self, row: JSON) -> str:
        return (row.get("environment") or {}).get("name") or self.target.environment

    def _first(self, environment: str) -> tuple[DeploymentRule, Named] | None:
        """The first rule that takes an environment, and what its name says."""
        for rule in self.rules:
            said = rule.takes(environment)
            if said is not None:
                return rule, said
        return None

    def _deployment(
        self, project: Project, row: JSON, rule: DeploymentRule, said: Named
    ) -> Deployment:
        job: JSON = row.get("deployable") or {}
        name = self._environment(row)
        status = _DEPLOYED.get(row["status"], "running")
        # One that was made through the API has no job, and the host tells its last change only.
        ended = job.get("finished_at") or row["updated_at"]
        return Deployment(
            id=str(row["id"]),
            repository=project.repository,
            environment=said.environment or name,
            status=status,
            started_at=time(job.get("started_at")) or instant(row["created_at"]),
            finished_at=time(ended) if status != "running" else None,
            sha=row["sha"],
            service=said.service or self.target.service,
            name=job.get("name"),
            version=row["ref"],
            tier=self._tier(project, name),
            rule=rule.text,
            original_status=row["status"],
            url=job.get("web_url") or f"{project.url}/-/environments",
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
