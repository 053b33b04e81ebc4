"""Commits of the branches that are deployed, and what their messages say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from connectors.git.history import pull_request, references
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.paging import Size, follow
from connectors.github.values import Place, author, instant, machine
from dora.connector import Checkpoint, Cursor, Item, Note, Only
from dora.patterns import wildcard
from dora.records import Commit, CommitReference, Record

JSON: TypeAlias = dict[str, Any]
Fact: TypeAlias = Commit | CommitReference


@dataclass(slots=True)
class Walk:
    """A walk from a branch's newest commit down to what is known already.

    It ends where every line of history has met a known commit. A known commit's ancestors are
    known; a branch whose old head is never met was rewritten.

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
                self._pending |= parents - self.known
        return found

    @property
    def finished(self) -> bool:
        """Whether nothing new can follow."""
        return not self._pending

    def met(self, sha: str) -> bool:
        """Whether an old head was found behind the new one."""
        return sha in self._met


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits of repositories.

    Attributes:
        client: Asks the host.
        branches: Wildcards of branches read beside the default one.
        since: The time before which nothing is read.
    """

    client: Client
    branches: tuple[str, ...]
    since: datetime | None

    def read(self, place: Place, cursor: Cursor | None) -> Iterator[Item]:
        """What is new in one repository since the cursor."""
        state: JSON = dict(cursor or {})
        heads = self._heads(place)
        reading: JSON | None = state.get("reading")
        if reading:  # cut off while it was read for the first time: end that first
            yield from self._first(place, reading["heads"], reading["after"])
        old: Mapping[str, str] = reading["heads"] if reading else state.get("heads", {})
        if not old:
            yield from self._first(place, heads, None)
        elif old != heads:
            found, rewritten = self._new(place, old, heads)
            if rewritten:
                yield Note(f"{place.repository}: history was rewritten on {', '.join(rewritten)}.")
                yield from self._anew(place, heads)
            else:
                yield from found
        yield Checkpoint({"id": place.id, "heads": heads}, part=place.repository)

    def _heads(self, place: Place) -> dict[str, str]:
        heads = {place.default_branch: place.head} if place.default_branch and place.head else {}
        others = [name for name in self.branches if name != place.default_branch]
        if others and heads:
            fits = wildcard(others)
            heads |= {
                row["name"]: row["target"]["oid"]
                for row in refs(self.client, place, "refs/heads/")
                if fits.match(row["name"])
            }
        return {name: heads[name] for name in sorted(heads)}

    def _first(self, place: Place, heads: Mapping[str, str], after: str | None) -> Iterator[Item]:
        """All history, with a checkpoint a page; later branches end where earlier ones were."""
        known: set[str] = set()
        for head in dict.fromkeys(heads.values()):
            walk = Walk(set(known))
            for rows, following in self._pages(place, head, after):
                yield from self._facts(place, walk.new(rows))
                if following is None or self._too_old(rows) or walk.finished:
                    break
                if len(heads) == 1:
                    state = {"heads": dict(heads), "after": following}
                    yield Checkpoint({"id": place.id, "reading": state}, part=place.repository)
            after = None
            known.add(head)

    def _new(
        self, place: Place, old: Mapping[str, str], heads: Mapping[str, str]
    ) -> tuple[list[Fact], list[str]]:
        """What is new on branches that moved, and those that were rewritten or deleted."""
        known = set(old.values())
        rewritten = sorted(old.keys() - heads.keys())
        found: list[Fact] = []
        for name, head in heads.items():
            if head in known and old.get(name) == head:
                continue
            walk = Walk(set(known))
            for rows, _ in self._pages(place, head, None):
                found += self._facts(place, walk.new(rows))
                if walk.finished or self._too_old(rows):
                    break
            if name in old and not walk.met(old[name]):
                rewritten.append(name)
            known.add(head)
        return found, rewritten

    def _anew(self, place: Place, heads: Mapping[str, str]) -> Iterator[Item]:
        """All history again; what no branch has any more is gone."""
        keys: dict[type[Record], list[Mapping[str, Any]]] = {Commit: [], CommitReference: []}
        for one in self._first(place, heads, None):
            if isinstance(one, Commit | CommitReference):
                keys[type(one)].append({name: getattr(one, name) for name in one.key})
                yield one
        for record_type, listed in keys.items():
            yield Only(record_type, {"repository": place.repository}, tuple(listed))

    def _pages(
        self, place: Place, head: str, after: str | None
    ) -> Iterator[tuple[list[JSON], str | None]]:
        size = Size(100)

        def ask(after: str | None) -> Any:
            variables = {"repository": place.id, "oid": head, "after": after}
            data = self.client.ask(queries.HISTORY, variables, size=size)
            return ((data["node"] or {}).get("object") or {}).get("history")

        return follow(ask, after)

    def _too_old(self, rows: list[JSON]) -> bool:
        since = self.since
        return since is not None and all(instant(row["committedDate"]) < since for row in rows)

    def _facts(self, place: Place, rows: list[JSON]) -> Iterator[Fact]:
        for row in rows:
            if self.since is not None and instant(row["committedDate"]) < self.since:
                continue
            subject, _, body = row["message"].partition("\n")
            number = pull_request(subject.encode(), body.encode())
            yield Commit(
                repository=place.repository,
                sha=row["oid"],
                parents=" ".join(one["oid"] for one in row["parents"]["nodes"]),
                authored_at=instant(row["authoredDate"]),
                committed_at=instant(row["committedDate"]),
                author=author(row["author"]),
                is_bot=machine(row["author"]),
                subject=subject,
                pull_request=int(number) if number else None,
            )
            for sha, kind, target in references(row["oid"].encode(), body.encode()):
                yield CommitReference(place.repository, sha, kind, target)


def refs(client: Client, place: Place, prefix: str) -> Iterator[JSON]:
    """The branches or tags of a repository."""
    size = Size(100)

    def ask(after: str | None) -> Any:
        variables = {"repository": place.id, "prefix": prefix, "after": after}
        return (client.ask(queries.REFS, variables, size=size)["node"] or {}).get("refs")

    for rows, _ in follow(ask):
        yield from rows


def first_parents(
    client: Client, place: Place, head: str, old: str | None, since: datetime | None
) -> tuple[list[JSON], bool]:
    """What landed on a branch since its old head, first to last; and whether that was met."""
    size = Size(100)

    def ask(after: str | None) -> Any:
        variables = {"repository": place.id, "oid": head, "after": after}
        data = client.ask(queries.HISTORY, variables, size=size)
        return ((data["node"] or {}).get("object") or {}).get("history")

    known: dict[str, JSON] = {}
    landed: list[JSON] = []
    wanted: str | None = head
    for rows, _ in follow(ask):
        known |= {row["oid"]: row for row in rows}
        while wanted in known:
            row = known[wanted]
            if wanted == old or (since and instant(row["committedDate"]) < since):
                return landed[::-1], wanted == old
            landed.append(row)
            parents = row["parents"]["nodes"]
            wanted = parents[0]["oid"] if parents else None
        if wanted is None:
            break
    return landed[::-1], False
