"""Workflow runs, each attempt for itself, and their jobs; GraphQL does not list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from connectors.forge.changing import Changing, Page
from connectors.github.client import Client
from connectors.github.client import Page as Answer
from connectors.github.paging import MOST
from connectors.github.values import Place, instant, time
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item
from dora.records import Build, DeploymentStatus

JSON: TypeAlias = dict[str, Any]

RERUNS = timedelta(days=2)
"""How far back a later sync looks for runs that were run again, which moves them nowhere."""

LAST_RERUNS = timedelta(days=35)
"""How far back it looks now and then; a run can be run again for thirty days."""

_KEY = "workflow_runs"
_WINDOW = 10
"""Pages that a list limited by time may have: the host shows no more than 1,000, and no link on."""

_USED = (
    "name", "head_branch", "head_sha", "status", "conclusion", "created_at", "updated_at",
    "run_started_at", "run_attempt", "html_url",
)  # fmt: skip

STATUSES: Mapping[str, DeploymentStatus] = {
    "success": "succeeded",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    "stale": "cancelled",
}
"""How a run or job ended; skipped, neutral and the like are neither success nor failure."""


class Moved(Absent):
    """A repository has got another name since it was looked for."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Lists runs of one repository, newest first, in windows that are never cut.

    Attributes:
        client: Asks the host.
        place: The repository.
        since: The time before which nothing is read.
        workflow: The workflow's id, if only its runs are meant.
        lately: Whether to look for re-runs as far back as there can be any.
    """

    client: Client
    place: Place
    since: datetime | None
    workflow: int | None = None
    lately: bool = False

    def read(
        self,
        cursor: Cursor | None,
        items: Callable[[Sequence[JSON]], Iterator[Item]],
        kept: Mapping[str, Any],
        *,
        whole: bool = False,
    ) -> Iterator[Item]:
        """Runs that are new, have ended, or were run again since the cursor.

        Args:
            cursor: Where the part stands.
            items: What runs are in facts.
            kept: What else the part's cursor says.
            whole: Whether all is read, though some of it is known.
        """
        newest, remembered = (cursor or {}).get("newest"), dict(kept)
        first: list[Answer] = []

        def facts(rows: Sequence[JSON], _: bool) -> Iterator[Item]:
            if self.lately and newest is not None:
                rows = [row for row in rows if _again(row, newest)]
            return items(rows)

        def pages(begin: list[Any] | None) -> Page:
            page = first.pop() if first else self.client.get(*self._asked(begin), key=_KEY)
            if begin is None:
                remembered["etag"] = page.headers.get("etag")
            return self._page(page, begin)

        changing = Changing(
            self.place.repository,
            pages,
            facts,
            self.since,
            by="created_at",
            overlap=LAST_RERUNS if self.lately else RERUNS,
            again=self._again,
            pending=lambda run: run["status"] != "completed",
            kept=remembered,
        )
        etag = (cursor or {}).get("etag")
        if cursor and etag and not (whole or self.lately) and changing.finished(cursor):
            page = self.client.changed(*self._asked(None), etag, key=_KEY)
            if page is None:
                yield Checkpoint({**cursor, **kept}, part=self.place.repository)
                return
            first.append(page)
        yield from changing.read(cursor, whole=whole)

    def _asked(self, begin: list[Any] | None) -> tuple[str, JSON]:
        """What to ask for a page that begins at the n-th of the window that ends at a time."""
        until, number = begin or (None, 1)
        within = f"/workflows/{self.workflow}" if self.workflow else ""
        asked: JSON = {"per_page": MOST, "page": number}
        if until:
            asked["created"] = f"<={until}"
        return f"/repos/{self.place.path}/actions{within}/runs", asked

    def _page(self, page: Answer, begin: list[Any] | None) -> Page:
        until, number = begin or (None, 1)
        rows = page.content[_KEY]
        for row in rows:
            self._same_place((row.get("repository") or {}).get("full_name"))
        cut = until is not None and number >= _WINDOW and len(rows) == MOST
        following = self._next(rows, until, int(number)) if page.more or cut else None
        return Page([_plain(row) for row in rows], following)

    def _next(self, rows: list[JSON], until: str | None, number: int) -> list[Any]:
        """Where the next page begins: older than what was shown, so that nothing shifts."""
        if number >= _WINDOW and rows[-1]["created_at"] != until:
            return [rows[-1]["created_at"], 1]
        return [until or rows[0]["created_at"], number + 1]

    def _same_place(self, path: str | None) -> None:
        """A renamed repository's address leads to the new one, but without what was asked for."""
        if path is not None and path.casefold() != self.place.path.casefold():
            raise Moved(
                f"{self.place.path} has just become {path}", hint="The next sync finds it there."
            )

    def _again(self, ids: Sequence[str]) -> list[JSON]:
        found = []
        for id_ in ids:
            try:
                run = self.client.get(f"/repos/{self.place.path}/actions/runs/{id_}").content
            except Absent:  # it was deleted
                continue
            found.append(_plain(run))
        return found

    def attempts(self, run: JSON) -> Iterator[JSON]:
        """Every attempt of a run, first to last; those before the last are asked for."""
        for number in range(1, run["run_attempt"] or 1):
            path = f"/repos/{self.place.path}/actions/runs/{run['id']}/attempts/{number}"
            try:
                yield _plain(self.client.get(path).content)
            except Absent:  # the host forgets early attempts with their logs
                continue
        yield run

    def jobs(self, run: JSON) -> Iterator[JSON]:
        """The jobs of all attempts of a run."""
        path = f"/repos/{self.place.path}/actions/runs/{run['id']}/jobs"
        try:
            for rows in self.client.pages(path, {"filter": "all"}, "jobs"):
                for row in rows:
                    if f"/repos/{self.place.path}/".casefold() not in row["run_url"].casefold():
                        self._same_place("another repository")
                yield from rows
        except Moved:
            raise
        except Absent:  # the host forgets jobs earlier than runs
            return


def _again(run: JSON, newest: str) -> bool:
    """Whether a run is new, or was run again, since the newest one that is known."""
    recent = instant(newest) - RERUNS
    return (run["run_attempt"] or 1) > 1 or instant(run["created_at"]) >= recent


def _plain(run: JSON) -> JSON:
    """What is used of a run, so that a digest does not hang on the rest."""
    kept = {"id": str(run["id"]), **{name: run.get(name) for name in _USED}}
    return kept | {"head_branch": own_branch(run)}


def own_branch(run: JSON) -> str | None:
    """The branch a run was of; None where it is one of a fork, whatever it is called."""
    places = [(run.get(name) or {}).get("full_name") for name in ("repository", "head_repository")]
    own = None in places or places[0] == places[1]
    return run.get("head_branch") if own else None


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
        thorough: Whether a whole reading goes back to the beginning; else as far as it may matter.
    """

    client: Client
    since: datetime | None
    thorough: bool = False

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What is new in one repository since the cursor, or all of it."""
        lately = whole and not self.thorough
        runs = Runs(self.client, place, self.since, lately=lately)

        def items(rows: Sequence[JSON]) -> Iterator[Item]:
            for run in rows:
                for attempt in runs.attempts(run):
                    status = ended(attempt)
                    if status is not None:
                        yield _build(place, attempt, status)

        yield from runs.read(cursor, items, kept, whole=whole and not lately)


def _build(place: Place, run: JSON, status: DeploymentStatus) -> Build:
    number = run["run_attempt"] or 1
    return Build(
        id=f"{run['id']}/{number}",
        repository=place.repository,
        sha=run["head_sha"],
        name=run["name"] or "workflow",
        attempt=number,
        branch=run["head_branch"],
        status=status,
        started_at=time(run["run_started_at"]) or instant(run["created_at"]),
        finished_at=time(run["updated_at"]) if status != "running" else None,
        original_status=run["conclusion"] or run["status"],
        url=run["html_url"],
    )
