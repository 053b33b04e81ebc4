"""Pull requests with their original commits and reviews, in one stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.forge.changing import Changing, Page
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.judging import ABSENT
from connectors.github.paging import PARTLY, Size, after, hidden, nodes, shown, whole
from connectors.github.values import (
    Place,
    author,
    instant,
    is_bot,
    label_names,
    login,
    machine,
    time,
)
from dora.connector import Checkpoint, Cursor, Item, Note, Only, Rejected
from dora.records import (
    PullRequest,
    PullRequestCommit,
    Review,
    ReviewBy,
    ReviewState,
    join_labels,
)

JSON: TypeAlias = dict[str, Any]

GATHERED = 5
"""Pages whose merges are asked about together."""

_AT_ONCE = 100
_LISTS = ("commits", "reviews", "labels", "timelineItems")
_MERGE_SAID = re.compile(r"\bmerg", re.IGNORECASE)
_REVERTS = re.compile(
    r"^\s*reverts\s+(?:(?P<path>[\w.-]+/[\w.-]+))?#(?P<number>\d{1,9})\b",
    re.IGNORECASE | re.MULTILINE,
)
_STATES: Mapping[str, ReviewState] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "commented",
}


@dataclass(frozen=True, slots=True)
class PullRequests:
    """The pull requests of repositories.

    Attributes:
        client: Asks the host.
        size: How many to ask for at once.
        since: The time before which nothing is read.
    """

    client: Client
    size: Size
    since: datetime | None

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What changed in one repository since the cursor, or all of it.

        Args:
            place: The repository.
            cursor: Where it stands.
            kept: What else its cursor says.
            whole: Whether all is read, though some of it is known.
        """

        def pages(begin: str | None) -> Page:
            variables = {"repository": place.id, "after": begin}
            connection = self.client.part(
                queries.PULL_REQUESTS, variables, "node", "pullRequests", size=self.size
            )
            return Page(nodes(connection), after(connection), hidden(connection))

        def facts(rows: Sequence[JSON], first: bool) -> Iterator[Item]:
            return self._facts(place, rows, first)

        changing = Changing(
            place.repository, pages, facts, self.since, gathered=GATHERED, kept=kept
        )
        if not whole and changing.settled(cursor, place.pull_changed):
            yield Checkpoint(dict(cursor or {}), part=place.repository)
        else:
            yield from changing.read(cursor, whole=whole)

    def _facts(self, place: Place, rows: Sequence[JSON], first: bool) -> Iterator[Item]:
        for row in rows:
            if not shown(row, _LISTS):
                yield Rejected(PullRequest, f"{place.path}#{row['number']}", PARTLY)
        rows = [row for row in rows if shown(row, _LISTS)]
        originals = {row["number"]: self._originals(row) for row in rows}
        merges = self._merges([one for listed in originals.values() for one in listed])
        for row in rows:
            reviews = whole(self.client, row["reviews"], queries.MORE_REVIEWS, row["id"], "reviews")
            labels = whole(self.client, row["labels"], queries.MORE_LABELS, row["id"], "labels")
            given = [one for one in reviews if one["submittedAt"]]
            number, commits = row["number"], originals[row["number"]]
            yield _pull_request(place, row, label_names(labels), given)
            yield from (_original(place, number, one, one["oid"] in merges) for one in commits)
            yield from (_review(place, row, one) for one in given)
            if len(commits) < row["commits"]["totalCount"]:
                yield Note(
                    f"{place.path}#{number}: the host shows {len(commits)} of its"
                    f" {row['commits']['totalCount']} commits."
                )
            if not first:  # commits are pushed away, reviews deleted
                within = {"repository": place.repository, "number": number}
                shas = tuple({"sha": one["oid"]} for one in commits)
                yield Only(PullRequestCommit, within, shas)
                yield Only(Review, within, tuple({"id": one["id"]} for one in given))

    def _originals(self, row: JSON) -> list[JSON]:
        listed = whole(self.client, row["commits"], queries.MORE_COMMITS, row["id"], "commits")
        by_sha = {one["commit"]["oid"]: one["commit"] for one in listed}
        return list(by_sha.values())

    def _merges(self, commits: list[JSON]) -> set[str]:
        """Which of them have several parents; the host is asked where the subject says merge.

        Asking for the parents of every commit would cost fifty times the points.
        """
        ids = sorted({c["id"] for c in commits if _MERGE_SAID.search(c["messageHeadline"] or "")})
        found: set[str] = set()
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            data = self.client.ask(queries.PARENTS, {"ids": some}, lacking=ABSENT)
            found |= {one["oid"] for one in nodes(data) if one["parents"]["totalCount"] > 1}
        return found


def _pull_request(
    place: Place, row: JSON, labels: list[str], reviews: Sequence[JSON]
) -> PullRequest:
    approvals = [
        instant(one["submittedAt"])
        for one in reviews
        if one["state"] == "APPROVED" and _by(row, one) == "person"
    ]
    ready = nodes(row["timelineItems"])
    merged = row["state"] == "MERGED"
    return PullRequest(
        repository=place.repository,
        number=row["number"],
        state="merged" if merged else "open" if row["state"] == "OPEN" else "closed",
        opened_at=instant(row["createdAt"]),
        ready_at=time(ready[-1].get("createdAt")) if ready and not row["isDraft"] else None,
        approved_at=min(approvals, default=None),
        merged_at=time(row["mergedAt"]),
        closed_at=time(row["closedAt"]),
        title=row["title"],
        labels=join_labels(labels),
        head_branch=row["headRefName"],
        base_branch=row["baseRefName"],
        head_sha=row["headRefOid"],
        merge_sha=(row["mergeCommit"] or {}).get("oid") if merged else None,
        author=login(row["author"]),
        is_bot=is_bot(row["author"]),
        reverts=_reverts(place, row["body"]),
        url=row["url"],
    )


def _reverts(place: Place, body: str | None) -> int | None:
    match = _REVERTS.search(body or "")
    if match is None or (match["path"] or place.path).casefold() != place.path.casefold():
        return None
    return int(match["number"])


def _original(place: Place, number: int, commit: JSON, merges: bool) -> PullRequestCommit:
    return PullRequestCommit(
        repository=place.repository,
        number=number,
        sha=commit["oid"],
        authored_at=instant(commit["authoredDate"]),
        author=author(commit["author"]),
        is_bot=machine(commit["author"]),
        merges=merges,
    )


def _review(place: Place, row: JSON, one: JSON) -> Review:
    return Review(
        repository=place.repository,
        number=row["number"],
        id=one["id"],
        submitted_at=instant(one["submittedAt"]),
        state=_STATES.get(one["state"], "commented"),
        by=_by(row, one),
    )


def _by(row: JSON, review: JSON) -> ReviewBy:
    """In what role somebody reviewed; accounts that were deleted are other people's."""
    by, opener = review["author"] or {}, row["author"] or {}
    if by.get("login") is not None and by.get("login") == opener.get("login"):
        return "author"
    return "bot" if is_bot(by) else "person"
