"""Which repositories are read: chosen by name, followed when renamed, missed when gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.forge.changing import digest
from connectors.forge.selection import Selection
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.judging import ABSENT, GONE
from connectors.github.options import Options
from connectors.github.paging import Size, follow, nodes
from connectors.github.values import UNKNOWN, Place
from connectors.http.errors import Absent
from dora.errors import SourceError

JSON: TypeAlias = dict[str, Any]

_AT_ONCE = 100
"""Ids of a query, at most."""


@dataclass(slots=True)
class Found:
    """What there is to read.

    Attributes:
        places: The repositories, by canonical name.
        notes: What the user should know: renamed, gone, forbidden, nothing that fits.
        unlisted: Owners whose repositories could not be listed, so that nothing is known of them.
    """

    places: dict[str, Place] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)


class Places:
    """Finds repositories by the options of a source."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._selection = Selection(options.repositories, options.exclude)
        signals = {rule.signal for rule in options.rules}
        self._looks = {
            "pulls": options.pull_requests,
            "issues": options.incidents is not None,
            "deployments": "deployments" in signals,
            "versions": "versions" in signals,
        }

    def find(self, known: Mapping[str, str]) -> Found:
        """The repositories as they stand.

        Args:
            known: The ids of those named one by one, from earlier, by owner/name; they are asked
                for together, a hundred at once, and found under whatever name they have now.
        """
        found = Found()
        singles = [one for one in self._selection.singles if not self._selection.leaves_out(one)]
        for name, row in self._named(singles, known, found):
            self._add(found, row, asked=name)
        wildcards = self._selection.wildcards
        owners: dict[str, list[str]] = {}
        for one in wildcards:
            owners.setdefault(one.split("/")[0].casefold(), []).append(one)
        for group in self._options.groups:
            owners[group.casefold()] = [f"{group}/*"]
        for patterns in owners.values():
            self._owned(patterns, found)
        return found

    def _named(
        self, names: list[str], known: Mapping[str, str], found: Found
    ) -> Iterator[tuple[str, JSON]]:
        by_name = {name.casefold(): id_ for name, id_ in known.items()}
        rest = [name for name in names if name.casefold() not in by_name]
        ids = [(name, by_name[name.casefold()]) for name in names if name.casefold() in by_name]
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            for (name, _), row in zip(some, self._heads([i for _, i in some]), strict=True):
                if row and row.get("nameWithOwner"):
                    yield name, row
                else:
                    rest.append(name)
        for name in rest:
            owner, _, bare = name.partition("/")
            try:
                data = self._ask(queries.NAMED, {"owner": owner, "name": bare})
            except Absent as error:
                self._missed(found, name, error.message)
                continue
            if data["repository"]:
                yield name, data["repository"]
            else:
                self._missed(found, name, "there is no such repository")

    def _heads(self, ids: list[str]) -> list[JSON | None]:
        """How repositories stand, by their ids; in smaller pieces where all is too much."""
        size = Size(len(ids))
        try:
            data = self._ask(queries.HEADS, {"ids": ids}, size)
        except SourceError:
            if size.now == len(ids):  # that was not what was wrong
                raise
            half = len(ids) // 2
            return [*self._heads(ids[:half]), *self._heads(ids[half:])]
        found: list[JSON | None] = data["nodes"]
        return found

    def _owned(self, patterns: list[str], found: Found) -> None:
        owner = patterns[0].split("/")[0]
        size = Size()
        hidden = 0

        def ask(after: str | None) -> Any:
            nonlocal hidden
            data = self._ask(queries.OWNED, {"owner": owner, "after": after}, size)
            if data["repositoryOwner"] is None:
                raise Absent(f"there is no {owner}", hint="Check the name.")
            listed = data["repositoryOwner"]["repositories"]
            hidden += sum(one is None for one in listed["nodes"])
            return listed

        try:
            rows = {row["nameWithOwner"]: row for page, _ in follow(ask) for row in page}
        except Absent as error:
            self._missed(found, owner, error.message)
            found.unlisted.add(owner.casefold())
            return
        if hidden:
            found.notes.append(f"{hidden} repositories of {owner} may not be seen.")
            found.unlisted.add(owner.casefold())
        selection = Selection(tuple(patterns), self._options.exclude)
        for name in selection.choose(rows):
            row = rows[name]
            archived = row["isArchived"] and not self._options.archived
            if not archived and not (row["isFork"] and not self._options.forks):
                self._add(found, row)
        found.notes += (f"{one} fits no repository." for one in selection.in_vain(rows))

    def _ask(self, query: str, variables: Mapping[str, Any], size: Size | None = None) -> JSON:
        """Repositories with what is newest in them; without, where some of that may not be read.

        A list that may not be read takes the repository that it stands in with it.
        """
        if any(self._looks.values()):
            try:
                asked = {**variables, **self._looks}
                return self._client.ask(query, asked, size=size, lacking=GONE)
            except Absent:
                self._looks = dict.fromkeys(self._looks, False)
        return self._client.ask(query, {**variables, **self._looks}, size=size, lacking=ABSENT)

    def _add(self, found: Found, row: JSON, asked: str | None = None) -> None:
        path = row["nameWithOwner"]
        if asked and asked.casefold() != path.casefold():
            found.notes.append(f"{asked} is now called {path}.")
        branch = row["defaultBranchRef"] or {}
        place = Place(
            id=row["id"],
            path=path,
            repository=f"{self._options.host}/{path}",
            url=row["url"],
            default_branch=branch.get("name"),
            head=(branch.get("target") or {}).get("oid"),
            hidden=not row["isEmpty"] and not branch,
            pull_changed=_newest(row, "pullRequests"),
            issue_changed=_newest(row, "issues"),
            deployed=_newest(row, "deployments", "createdAt"),
            versions=digest([row["releases"], row["refs"]]) if "releases" in row else UNKNOWN,
        )
        found.places.setdefault(place.repository, place)

    def _missed(self, found: Found, name: str, why: str) -> None:
        found.notes.append(
            f"{name} is left out: it was deleted, or the token may not see it ({why})."
        )


def _newest(row: JSON, field: str, time: str = "updatedAt") -> str | None:
    """The time of the first row of a list; None where it is empty."""
    if field not in row:
        return UNKNOWN
    rows = nodes(row[field])
    return rows[0][time] if rows else None
