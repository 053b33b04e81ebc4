"""Issues page by page, each with all its history: none lost, none cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.http.errors import Absent
from connectors.http.offsets import by_offset
from connectors.http.rest import Rest
from connectors.jira import times
from dora.errors import SourceError

JSON: TypeAlias = dict[str, Any]

ORDER = " ORDER BY created ASC, key ASC"
"""By what never changes: an issue that is touched while it is read stays where it is."""

SIZE = 100
SIZE_OF_KEYS = 1000
_SIZE_OF_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """An issue and what was ever changed of it.

    Attributes:
        row: The issue as the host gives it.
        changes: Its history, oldest first; None where the host gives only a part of it.
    """

    row: JSON
    changes: Sequence[JSON] | None


class Search:
    """Searches one site.

    Args:
        rest: Asks the host.
        cloud: Whether it is Jira Cloud.
    """

    def __init__(self, rest: Rest, *, cloud: bool) -> None:
        self._rest = rest
        self._cloud = cloud

    def issues(self, jql: str, fields: Sequence[str]) -> Iterator[list[Found]]:
        """The issues that a query finds, in the order of their creation, with their histories.

        Raises:
            SourceError: The host refuses the query, or does not answer.
        """
        for rows in self._pages(jql, fields, SIZE, changes=True):
            if self._cloud:
                changes = self._changes_of_many([row["id"] for row in rows])
                yield [Found(row, _ordered(changes.get(row["id"], []))) for row in rows]
            else:
                yield [found for row in rows for found in self._with_changes(row)]

    def keys(self, jql: str) -> Iterator[str]:
        """The keys alone of all that a query finds.

        Raises:
            SourceError: The host refuses the query, or does not answer.
        """
        for rows in self._pages(jql, ["created"], SIZE_OF_KEYS, changes=False):
            yield from (row["key"] for row in rows)

    def _pages(
        self, jql: str, fields: Sequence[str], size: int, *, changes: bool
    ) -> Iterator[list[JSON]]:
        body: JSON = {"jql": jql + ORDER, "fields": list(fields), "maxResults": size}
        if self._cloud:
            yield from self._by_token(body)
        else:
            yield from self._by_offset(body | ({"expand": ["changelog"]} if changes else {}))

    def _by_token(self, body: JSON) -> Iterator[list[JSON]]:
        seen: set[str] = set()
        token: str | None = None
        while True:
            asked = body | ({"nextPageToken": token} if token else {})
            said = self._rest.post("search/jql", asked, whole=_issues).content
            if said["issues"]:
                yield said["issues"]
            token = said.get("nextPageToken")
            if not token or said.get("isLast"):
                return
            if token in seen:
                raise SourceError(
                    "Jira gives the same page again and again.", hint="Sync again later."
                )
            seen.add(token)

    def _by_offset(self, body: JSON) -> Iterator[list[JSON]]:
        def ask(start: int) -> tuple[list[JSON], bool]:
            said = self._rest.post("search", body | {"startAt": start}, whole=_issues).content
            return said["issues"], start + len(said["issues"]) < said["total"]

        yield from by_offset(ask, _place, size=body["maxResults"])

    def _changes_of_many(self, ids: Sequence[str]) -> dict[str, list[JSON]]:
        """Histories of many issues at once; what a search gives along is cut at forty changes."""
        changes: dict[str, list[JSON]] = {}
        body: JSON = {"issueIdsOrKeys": list(ids), "maxResults": _SIZE_OF_CHANGES}
        while True:
            said = self._rest.post("changelog/bulkfetch", body, whole=_logs).content
            for log in said["issueChangeLogs"]:
                changes.setdefault(str(log["issueId"]), []).extend(log.get("changeHistories") or ())
            token = said.get("nextPageToken")
            if not token or token == body.get("nextPageToken"):
                return changes
            body = body | {"nextPageToken": token}

    def _with_changes(self, row: JSON) -> Iterator[Found]:
        try:
            yield Found(row, self._changes_of_one(row))
        except Absent:  # deleted since it was listed
            return

    def _changes_of_one(self, row: JSON) -> Sequence[JSON] | None:
        """The history that came along or, where it was cut, all pages of it."""
        log = row.get("changelog") or {}
        if _is_whole(log):
            return _ordered(log["histories"])
        try:
            return _ordered(self._followed(row["id"]))
        except Absent:  # before Jira 10 there were no such pages
            parameters = {"expand": "changelog", "fields": "created"}
            answer = self._rest.get(f"issue/{row['id']}", parameters).content
            log = answer.get("changelog") or {}
            return _ordered(log["histories"]) if _is_whole(log) else None

    def _followed(self, id_: str) -> list[JSON]:
        changes: list[JSON] = []
        while True:
            parameters = {"startAt": len(changes), "maxResults": SIZE}
            said = self._rest.get(f"issue/{id_}/changelog", parameters, whole=_values).content
            changes += said["values"]
            if not said["values"] or said.get("isLast") or len(changes) >= said.get("total", 0):
                return changes


def _issues(said: Any) -> bool:
    """Whether an answer is a page of issues that have what every issue has."""
    rows = said.get("issues") if isinstance(said, dict) else None
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and {"id", "key"} <= set(row)
        and (row.get("fields") or {}).get("created")
        for row in rows
    )


def _logs(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("issueChangeLogs"), list)


def _values(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("values"), list)


def _is_whole(log: JSON) -> bool:
    histories = log.get("histories")
    return isinstance(histories, list) and log.get("total", 0) <= len(histories)


def _place(row: JSON) -> tuple[Any, ...]:
    """Where an issue stands in the order."""
    return (times.instant(row["fields"]["created"]), int(row["id"]))


def _ordered(changes: Sequence[JSON]) -> list[JSON]:
    return sorted(changes, key=lambda one: (times.instant(one["created"]), int(one["id"])))
