"""Pull requests with their original commits and reviews, in one stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, cast

from connectors.github import queries
from connectors.github.changing import Changing
from connectors.github.client import Client
from connectors.github.paging import Size, nodes, whole
from connectors.github.values import (
    Place,
    author,
    instant,
    is_bot,
    login,
    machine,
    merged_labels,
    time,
)
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import PullRequest, PullRequestCommit, Review, ReviewState, join_labels

JSON: TypeAlias = dict[str, Any]

GATHERED = 5
"""Pages whose merges are asked about together."""

_MERGE_SAID = re.compile(r"\bmerg", re.IGNORECASE)
_REVERTS = re.compile(r"^\s*reverts\s+(?:(?P<path>[\w.-]+/[\w.-]+))?#(?P<number>\d{1,9})\b",
                      re.IGNORECASE | re.MULTILINE)  # fmt: skip
_STATES: dict[str, ReviewState] = {
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

    def read(self, place: Place, cursor: Cursor | None) -> Iterator[Item]:
        """What changed in one repository since the cursor."""
        if cursor and cursor.get("settled") and cursor.get("newest") == place.changed:
            yield Checkpoint(dict(cursor), part=place.repository)
            return

        def ask(after: str | None) -> JSON | None:
            data = self.client.ask(
                queries.PULL_REQUESTS, {"repository": place.id, "after": after}, size=self.size
            )
            return cast("JSON | None", (data["node"] or {}).get("pullRequests"))

        def items(rows: list[JSON], first: bool) -> Iterator[Item]:
            return self._items(place, rows, first)

        yield from Changing(place, ask, items, self.since, gathered=GATHERED).read(cursor)

    def _items(self, place: Place, rows: list[JSON], first: bool) -> Iterator[Item]:
        originals = {row["number"]: self._originals(row) for row in rows}
        merges = self._merges([one for listed in originals.values() for one in listed])
        for row in rows:
            reviews = whole(self.client, row["reviews"], queries.MORE_REVIEWS, row["id"], "reviews")
            labels = whole(self.client, row["labels"], queries.MORE_LABELS, row["id"], "labels")
            facts: list[PullRequestCommit | Review] = [
                _original(place, row["number"], one, merges) for one in originals[row["number"]]
            ]
            facts += [_review(place, row, one) for one in reviews if one["submittedAt"]]
            yield _pull_request(place, row, labels, reviews)
            yield from facts
            if not first:  # commits are pushed away, reviews deleted
                yield from _only(place, row["number"], facts)

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
        for start in range(0, len(ids), 100):
            data = self.client.ask(queries.PARENTS, {"ids": ids[start : start + 100]}, partial=True)
            found |= {n["oid"] for n in nodes(data) if n["parents"]["totalCount"] > 1}
        return found


def _pull_request(place: Place, row: JSON, labels: list[JSON], reviews: list[JSON]) -> PullRequest:
    approvals = [
        instant(one["submittedAt"])
        for one in reviews
        if one["state"] == "APPROVED" and one["submittedAt"]
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
        labels=join_labels(merged_labels(labels)),
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


def _original(place: Place, number: int, commit: JSON, merges: set[str]) -> PullRequestCommit:
    return PullRequestCommit(
        repository=place.repository,
        number=number,
        sha=commit["oid"],
        authored_at=instant(commit["authoredDate"]),
        author=author(commit["author"]),
        is_bot=machine(commit["author"]),
        merges=commit["oid"] in merges,
    )


def _review(place: Place, row: JSON, one: JSON) -> Review:
    by, opener = one["author"] or {}, row["author"] or {}
    own = by.get("login") is not None and by.get("login") == opener.get("login")
    return Review(
        repository=place.repository,
        number=row["number"],
        id=one["id"],
        submitted_at=instant(one["submittedAt"]),
        state=_STATES.get(one["state"], "commented"),
        by="author" if own else "bot" if is_bot(by) else "person",
    )


def _only(place: Place, number: int, facts: list[PullRequestCommit | Review]) -> Iterator[Only]:
    within = {"repository": place.repository, "number": number}
    shas = [one.sha for one in facts if isinstance(one, PullRequestCommit)]
    ids = [one.id for one in facts if isinstance(one, Review)]
    yield Only(PullRequestCommit, within, tuple({**within, "sha": sha} for sha in shas))
    yield Only(Review, within, tuple({**within, "id": id_} for id_ in ids))
