"""Merge requests with their original commits and what was said of them, in one stream."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.forge.changing import digest
from connectors.gitlab.client import Client
from connectors.gitlab.judging import Forbidden
from connectors.gitlab.listing import Listing
from connectors.gitlab.values import (
    JSON,
    Project,
    author,
    each,
    instant,
    is_bot,
    login,
    made_by_bot,
    time,
)
from connectors.http.errors import Absent
from dora.connector import Cursor, Item, Only
from dora.records import (
    PullRequest,
    PullRequestCommit,
    PullRequestState,
    Review,
    ReviewState,
    join_labels,
)

_STATES: dict[str, PullRequestState] = {"merged": "merged", "closed": "closed"}
_REVERTS = re.compile(
    r"\breverts\s+merge\s+request\s+(?P<path>[\w./-]+)?!(?P<number>\d{1,9})\b", re.IGNORECASE
)
_MERGES = re.compile(
    r"Merge (?:(?:remote-tracking )?branch(?:es)?|tag|commit|pull request|merge request) "
)
_READY = re.compile(
    r"marked (?:this merge request )?as \*\*ready\*\*|unmarked as a \*\*Work In Progress\*\*",
    re.IGNORECASE,
)
_GIVEN: tuple[tuple[str, ReviewState], ...] = (
    ("approved this merge request", "approved"),
    ("requested changes", "changes_requested"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the notes of a merge request tell.

    Attributes:
        reviews: What anybody said of it.
        ready_at: When it last left draft.
    """

    reviews: list[Review]
    ready_at: datetime | None

    @property
    def approved_at(self) -> datetime | None:
        """The first approval."""
        given = [one.submitted_at for one in self.reviews if one.state == "approved"]
        return min(given, default=None)


@dataclass(frozen=True, slots=True)
class _Details:
    """What belongs to a merge request; None what is not asked for."""

    originals: list[PullRequestCommit] | None
    said: Said | None


@dataclass(frozen=True, slots=True)
class MergeRequests:
    """The merge requests of projects.

    Attributes:
        client: Asks the host.
        since: The time before which nothing is read.
        commits: Whether their original commits are asked for.
        cloned: Repositories of which there is a clone: it has what was merged or rebased, and only
            the originals of squashes are asked for.
        reviews: Whether what was said of them is asked for.
        pool: Asks for what belongs to the merge requests of a page, several at once: in a single
            project that is nearly all that takes time.
    """

    client: Client
    since: datetime | None
    commits: bool
    reviews: bool
    cloned: Collection[str]
    pool: Executor

    @property
    def asked(self) -> str:
        """What the facts depend on beside the source."""
        return digest([str(self.since), self.commits, self.reviews])

    def read(self, project: Project, cursor: Cursor | None, whole: bool = False) -> Iterator[Item]:
        """What changed in one project since the cursor, or all of it."""

        def facts(rows: Sequence[JSON], fresh: bool) -> Iterator[Item]:
            ahead = {row["id"]: self.pool.submit(self._details, project, row) for row in rows}

            def items(row: JSON) -> Iterator[Item]:
                return self._items(project, row, ahead[row["id"]].result(), fresh)

            try:
                yield from each(PullRequest, f"{project.path} merge request", rows, items)
            finally:
                for asked in ahead.values():
                    asked.cancel()

        yield from self._list(project).read(cursor, facts, self.asked, whole=whole)

    def left(self, project: Project) -> Iterator[Item]:
        """Which merge requests there are; what is of others is gone."""
        numbers = [
            {"number": row["iid"]} for rows in self._list(project, view="simple").rows()
            for row in rows
        ]  # fmt: skip
        for record_type in (PullRequest, PullRequestCommit, Review):
            yield Only(record_type, {"repository": project.repository}, tuple(numbers))

    def _list(self, project: Project, **more: str) -> Listing:
        asked = {"state": "all", "scope": "all", **more}
        return Listing(self.client, project, "/merge_requests", self.since, asked)

    def _details(self, project: Project, row: JSON) -> _Details | None:
        """What the list does not tell of a merge request; None if it was deleted meanwhile."""
        try:
            originals = self._originals(project, row) if self._asks_commits(project, row) else None
            return _Details(originals, self._said(project, row) if self.reviews else None)
        except Forbidden:
            raise
        except Absent:
            return None

    def _items(
        self, project: Project, row: JSON, details: _Details | None, fresh: bool
    ) -> Iterator[Item]:
        if details is None:
            return  # the next reconciliation takes it out
        originals, said = details.originals, details.said
        yield _merge_request(project, row, said)
        yield from originals or ()
        yield from said.reviews if said else ()
        if not fresh:  # commits are pushed away, notes deleted
            within = {"repository": project.repository, "number": row["iid"]}
            if originals is not None:
                keys = tuple({**within, "sha": one.sha} for one in originals)
                yield Only(PullRequestCommit, within, keys)
            if said:
                yield Only(Review, within, tuple({**within, "id": r.id} for r in said.reviews))

    def _asks_commits(self, project: Project, row: JSON) -> bool:
        cloned = project.repository.casefold() in self.cloned
        return self.commits and not (cloned and not row.get("squash_commit_sha"))

    def _originals(self, project: Project, row: JSON) -> list[PullRequestCommit]:
        path = f"{project.api}/merge_requests/{row['iid']}/commits"
        listed = {one["id"]: one for rows in self.client.pages(path) for one in rows}
        return [_original(project, row["iid"], one) for one in listed.values()]

    def _said(self, project: Project, row: JSON) -> Said:
        path = f"{project.api}/merge_requests/{row['iid']}/notes"
        ordered = {"order_by": "created_at", "sort": "asc"}
        notes = {one["id"]: one for rows in self.client.pages(path, ordered) for one in rows}
        reviews = [_review(project, row, one) for one in notes.values()]
        ready = [one["created_at"] for one in notes.values() if _made_ready(one)]
        draft = row.get("draft") or row.get("work_in_progress")
        return Said(
            [one for one in reviews if one is not None],
            time(max(ready, default=None)) if not draft else None,
        )


def _merge_request(project: Project, row: JSON, said: Said | None) -> PullRequest:
    merged = row["state"] == "merged"
    return PullRequest(
        repository=project.repository,
        number=row["iid"],
        state=_STATES.get(row["state"], "open"),
        opened_at=instant(row["created_at"]),
        ready_at=said.ready_at if said else None,
        approved_at=said.approved_at if said else None,
        merged_at=time(row["merged_at"]),
        closed_at=time(row["closed_at"] or row["merged_at"]),
        title=row["title"],
        labels=join_labels([str(label) for label in row["labels"]]),
        head_branch=row["source_branch"],
        base_branch=row["target_branch"],
        head_sha=row["sha"],
        merge_sha=landed(row) if merged else None,
        author=login(row["author"]),
        is_bot=is_bot(row["author"]),
        reverts=_reverts(project, row.get("description")),
        url=row["web_url"],
    )


def landed(row: JSON) -> str | None:
    """What a merge request landed as.

    A squash comes first: where it was also merged by a commit of its own, that one has two
    parents, and the squash is what stands in the originals' stead. Without either the branch was
    moved on to the newest of its own, rebased commits.
    """
    return row.get("squash_commit_sha") or row.get("merge_commit_sha") or row.get("sha")


def _reverts(project: Project, text: str | None) -> int | None:
    match = _REVERTS.search(text or "")
    if match is None or (match["path"] or project.path).casefold() != project.path.casefold():
        return None
    return int(match["number"])


def _original(project: Project, number: int, commit: JSON) -> PullRequestCommit:
    parents = commit.get("parent_ids") or []
    # The host keeps them without parents; git's own words for a merge tell.
    merges = len(parents) > 1 or (not parents and bool(_MERGES.match(commit["title"])))
    return PullRequestCommit(
        repository=project.repository,
        number=number,
        sha=commit["id"],
        authored_at=instant(commit["authored_date"]),
        author=author(commit),
        is_bot=made_by_bot(commit),
        merges=merges,
    )


def _review(project: Project, row: JSON, note: JSON) -> Review | None:
    """What somebody said; None for what the host notes of other things."""
    body = str(note.get("body") or "").strip().casefold()
    state: ReviewState | None = "commented" if not note["system"] else None
    for words, given in _GIVEN:
        if note["system"] and body.startswith(words):
            state = given
    if state is None:
        return None
    by, opener = login(note["author"]), login(row["author"])
    own = by is not None and by == opener
    return Review(
        repository=project.repository,
        number=row["iid"],
        id=str(note["id"]),
        submitted_at=instant(note["created_at"]),
        state=state,
        by="author" if own else "bot" if is_bot(note["author"]) else "person",
    )


def _made_ready(note: Any) -> bool:
    return bool(note["system"] and _READY.search(note.get("body") or ""))
