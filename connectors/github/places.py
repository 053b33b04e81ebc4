"""Which repositories are read: chosen by name, followed when renamed, missed when gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.forge.selection import choose
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.judging import Absent
from connectors.github.options import Options
from connectors.github.paging import Size, follow
from connectors.github.values import Place

JSON: TypeAlias = dict[str, Any]

_GLOB = re.compile(r"[*?]")


@dataclass(slots=True)
class Found:
    """What there is to read.

    Attributes:
        places: The repositories, by canonical name.
        notes: What the user should know: renamed, gone, forbidden.
        whole: Whether everything that was asked for could be listed.
    """

    places: dict[str, Place] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    whole: bool = True


class Places:
    """Finds repositories by the options of a source."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options

    def find(self, known: Mapping[str, str]) -> Found:
        """The repositories as they stand.

        Args:
            known: The ids of those named one by one, from earlier, by owner/name; they are asked
                for together, a hundred at once.
        """
        found = Found()
        options = self._options
        singles = [name for name in options.repositories if not _GLOB.search(name)]
        for name, row in self._singles(singles, known, found):
            self._add(found, row, asked=name)
        globs = [name for name in options.repositories if _GLOB.search(name)]
        owners = dict.fromkeys([*(name.split("/")[0] for name in globs), *options.groups])
        for owner in owners:
            patterns = [g for g in globs if g.split("/")[0].casefold() == owner.casefold()]
            if owner in options.groups:
                patterns = [f"{owner}/*"]
            self._owned(owner, patterns, found)
        return found

    def _singles(
        self, names: list[str], known: Mapping[str, str], found: Found
    ) -> Iterator[tuple[str, JSON]]:
        ids = [(name, known[name]) for name in names if name in known]
        rest = [name for name in names if name not in known]
        for start in range(0, len(ids), 100):
            some = ids[start : start + 100]
            data = self._client.ask(queries.HEADS, {"ids": [i for _, i in some]}, partial=True)
            for (name, _), row in zip(some, data["nodes"], strict=True):
                if row and row.get("nameWithOwner"):
                    yield name, row
                else:
                    rest.append(name)
        for name in rest:
            owner, _, bare = name.partition("/")
            try:
                data = self._client.ask(queries.NAMED, {"owner": owner, "name": bare})
            except Absent as error:
                self._missed(found, name, error.message)
                continue
            if data["repository"]:
                yield name, data["repository"]
            else:
                self._missed(found, name, "there is no such repository")

    def _owned(self, owner: str, patterns: list[str], found: Found) -> None:
        size = Size(100)

        def ask(after: str | None) -> Any:
            data = self._client.ask(queries.OWNED, {"owner": owner, "after": after}, size=size)
            if data["repositoryOwner"] is None:
                raise Absent(f"There is no {owner}", hint="Check the name.")
            return data["repositoryOwner"]["repositories"]

        try:
            rows = {row["nameWithOwner"]: row for page, _ in follow(ask) for row in page}
        except Absent as error:
            self._missed(found, owner, error.message)
            return
        for name in choose(rows, include=patterns, exclude=self._options.exclude):
            row = rows[name]
            archived = row["isArchived"] and not self._options.archived
            if not archived and not (row["isFork"] and not self._options.forks):
                self._add(found, row)

    def _add(self, found: Found, row: JSON, asked: str | None = None) -> None:
        path = row["nameWithOwner"]
        if asked and asked.casefold() != path.casefold():
            found.notes.append(f"{asked} is now called {path}.")
        branch = row["defaultBranchRef"] or {}
        newest = (row["pullRequests"] or {}).get("nodes") or []
        place = Place(
            id=row["id"],
            path=path,
            repository=f"{self._options.host}/{path}",
            url=row["url"],
            default_branch=branch.get("name"),
            head=(branch.get("target") or {}).get("oid"),
            changed=newest[0]["updatedAt"] if newest and newest[0] else None,
        )
        found.places.setdefault(place.repository, place)

    def _missed(self, found: Found, name: str, why: str) -> None:
        found.whole = False
        found.notes.append(
            f"{name} is left out: it was deleted, or the token may not see it ({why})."
        )
