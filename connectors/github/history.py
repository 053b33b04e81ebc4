"""Commits and refs of a repository, as lists of the host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from connectors.github import queries
from connectors.github.client import Client
from connectors.github.paging import Size, follow
from connectors.github.values import Place, instant

JSON: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Walk:
    """A walk from a branch's newest commit down to what is known already.

    It ends where every line of history has met a known commit. A known commit's ancestors are
    known; an old head that is never met is no longer part of the branch.

    Attributes:
        known: Commits that were read before, the old heads first of all.
    """

    known: set[str]
    _met: set[str] = field(default_factory=set)
    _pending: set[str] = field(default_factory=set)

    def new(self, rows: list[JSON]) -> list[JSON]:
        """Those rows, children before parents, that are not known yet."""
        found = []
        for row in rows:
            sha, parents = row["oid"], {one["oid"] for one in row["parents"]["nodes"]}
            self._pending.discard(sha)
            if sha in self.known:
                self._met.add(sha)
                self.known |= parents
                self._pending -= parents
            else:
                found.append(row)
                self._met |= parents & self.known
                self._pending |= parents - self.known
        return found

    @property
    def finished(self) -> bool:
        """Whether nothing new can follow."""
        return not self._pending

    def met(self, sha: str) -> bool:
        """Whether an old head was found behind the new one."""
        return sha in self._met


def pages(
    client: Client, place: Place, head: str, after: str | None = None
) -> Iterator[tuple[list[JSON], str | None]]:
    """A commit and all behind it, newest first, a page at a time."""
    size = Size()

    def ask(begin: str | None) -> Any:
        variables = {"repository": place.id, "oid": head, "after": begin}
        return client.part(queries.HISTORY, variables, "node", "object", "history", size=size)

    return follow(ask, after)


def refs(client: Client, place: Place, prefix: str) -> Iterator[JSON]:
    """The branches or tags of a repository."""
    size = Size()

    def ask(after: str | None) -> Any:
        variables = {"repository": place.id, "prefix": prefix, "after": after}
        return (client.ask(queries.REFS, variables, size=size)["node"] or {}).get("refs")

    for rows, _ in follow(ask):
        yield from rows


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that landed on a branch.

    Attributes:
        sha: Which one.
        at: When it was made.
    """

    sha: str
    at: datetime


def first_parents(
    client: Client, place: Place, head: str, old: str | None, since: datetime | None
) -> tuple[list[Landed], bool]:
    """What landed on a branch since its old head, first to last; and whether that was met."""
    known: dict[str, tuple[str, str | None]] = {}
    landed: list[Landed] = []
    wanted: str | None = head
    for rows, _ in pages(client, place, head):
        for row in rows:
            parents = row["parents"]["nodes"]
            known[row["oid"]] = row["committedDate"], parents[0]["oid"] if parents else None
        while wanted in known:
            sha, (made, parent) = wanted, known.pop(wanted)
            if sha == old or (since and instant(made) < since):
                return landed[::-1], sha == old
            landed.append(Landed(sha, instant(made)))
            wanted = parent
        if wanted is None:
            break
    return landed[::-1], False
