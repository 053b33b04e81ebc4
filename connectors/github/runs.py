"""Workflow runs, each attempt for itself, and their jobs; GraphQL does not list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.github.changing import Changing
from connectors.github.client import Client
from connectors.github.judging import Absent
from connectors.github.values import Place, instant, time
from dora.connector import Cursor, Item
from dora.records import Build, DeploymentStatus

JSON: TypeAlias = dict[str, Any]

_WINDOW = 10
"""Pages of 100 that a list limited by time may have: the host shows no more than 1,000."""

STATUSES: dict[str, DeploymentStatus] = {
    "success": "succeeded",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    "stale": "cancelled",
}
"""How a run or job ended; skipped, neutral and the like are neither success nor failure."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Lists runs of one repository, newest first, in windows that are never cut.

    Attributes:
        client: Asks the host.
        place: The repository.
        since: The time before which nothing is read.
        workflow: The workflow's id, if only its runs are meant.
    """

    client: Client
    place: Place
    since: datetime | None
    workflow: int | None = None

    def read(
        self, cursor: Cursor | None, items: Callable[[list[JSON]], Iterator[Item]], asked: str = ""
    ) -> Iterator[Item]:
        """Runs that are new or have ended since the cursor."""
        changing = Changing(
            self.place,
            self._page,
            lambda rows, _: items(rows),
            self.since,
            asked,
            by="created_at",
            unfinished=lambda run: run["status"] != "completed",
        )
        yield from changing.read(cursor)

    def _page(self, after: str | None) -> JSON:
        key = "workflow_runs"
        until, _, number = (after or "|1").partition("|")
        within = f"/workflows/{self.workflow}" if self.workflow else ""
        asked = {"per_page": 100, "page": int(number)} | (
            {"created": f"<={until}"} if until else {}
        )
        page = self.client.get(f"/repos/{self.place.path}/actions{within}/runs", asked, key=key)
        rows = page.content[key]
        self._same_place(rows)
        after = self._next(rows, until, int(number)) if page.more and rows else None
        listed = [{**_plain(row), "id": str(row["id"])} for row in rows]
        return {"nodes": listed, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}

    def _next(self, rows: list[JSON], until: str, number: int) -> str:
        """Where the next page begins: older than what was shown, so that nothing shifts."""
        if number >= _WINDOW and rows[-1]["created_at"] != until:
            return f"{rows[-1]['created_at']}|1"
        return f"{until or rows[0]['created_at']}|{number + 1}"

    def _same_place(self, rows: list[JSON]) -> None:
        """A renamed repository's address leads to the new one, but without what was asked for."""
        for row in rows:
            path = (row.get("repository") or {}).get("full_name", self.place.path)
            if path.casefold() != self.place.path.casefold():
                raise Absent(
                    f"{self.place.path} has just become {path}.", hint="Run the sync again."
                )

    def attempts(self, run: JSON) -> Iterator[JSON]:
        """Every attempt of a run, first to last; those before the last are asked for."""
        for number in range(1, run.get("run_attempt") or 1):
            path = f"/repos/{self.place.path}/actions/runs/{run['id']}/attempts/{number}"
            try:
                yield {**_plain(self.client.get(path).content), "id": run["id"]}
            except Absent:  # the host forgets early attempts with their logs
                continue
        yield run

    def jobs(self, run: JSON) -> Iterator[JSON]:
        """The jobs of all attempts of a run."""
        path = f"/repos/{self.place.path}/actions/runs/{run['id']}/jobs"
        for rows in self.client.pages(path, {"filter": "all"}, "jobs"):
            yield from rows


def _plain(run: JSON) -> JSON:
    """What is used of a run, so that a digest does not hang on the rest."""
    names = (
        "name", "head_branch", "head_sha", "status", "conclusion", "created_at", "updated_at",
        "run_started_at", "run_attempt", "html_url",
    )  # fmt: skip
    return {name: run.get(name) for name in names}


def ended(what: JSON) -> DeploymentStatus | None:
    """How a run or job stands; None where it was skipped or says neither."""
    if what["status"] != "completed":
        return "running"
    return STATUSES.get(what["conclusion"] or "")


@dataclass(frozen=True, slots=True)
class Builds:
    """Workflow runs as builds.

    Attributes:
        client: Asks the host.
        since: The time before which nothing is read.
    """

    client: Client
    since: datetime | None

    def read(self, place: Place, cursor: Cursor | None) -> Iterator[Item]:
        """What is new in one repository since the cursor."""
        runs = Runs(self.client, place, self.since)

        def items(rows: list[JSON]) -> Iterator[Item]:
            for run in rows:
                for attempt in runs.attempts(run):
                    status = ended(attempt)
                    if status is not None:
                        yield _build(place, attempt, status)

        yield from runs.read(cursor, items)


def _build(place: Place, run: JSON, status: DeploymentStatus) -> Build:
    number = run.get("run_attempt") or 1
    over = status != "running"
    return Build(
        id=f"{run['id']}/{number}",
        repository=place.repository,
        sha=run["head_sha"],
        name=run["name"] or "workflow",
        attempt=number,
        status=status,
        started_at=time(run["run_started_at"]) or instant(run["created_at"]),
        finished_at=time(run["updated_at"]) if over else None,
        original_status=run["conclusion"] or run["status"],
        url=run["html_url"],
    )
