"""Commits of the branches that are deployed, and what their messages say of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connectors.forge.changing import digest
from connectors.git.messages import parts, pull_request, references
from connectors.github.client import Client
from connectors.github.history import Walk, pages, refs
from connectors.github.values import Place, author, instant, machine
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item, Note, Only
from dora.patterns import wildcard
from dora.records import Commit, CommitReference, Record

JSON: TypeAlias = dict[str, Any]
Fact: TypeAlias = Commit | CommitReference
Heads: TypeAlias = Mapping[str, str]


class _Keys:
    """Remembers what was handed over, so that the rest can be said to be gone."""

    def __init__(self) -> None:
        self._there: dict[type[Record], set[tuple[str, ...]]] = {
            Commit: set(),
            CommitReference: set(),
        }

    def noted(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items."""
        for one in items:
            if isinstance(one, Commit | CommitReference):
                self._there[type(one)].add(tuple(getattr(one, name) for name in one.key[1:]))
            yield one

    def only(self, place: Place) -> Iterator[Only]:
        """That this is all there is of a repository."""
        for kind, there in self._there.items():
            keys = tuple(dict(zip(kind.key[1:], one, strict=True)) for one in sorted(there))
            yield Only(kind, {"repository": place.repository}, keys)


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

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What is new in one repository since the cursor; whatever was rewritten is found, too.

        Args:
            place: The repository.
            cursor: Where it stands.
            kept: What else its cursor says.
            whole: Whether what is not found is gone, where nothing was read before.

        Raises:
            Absent: The token may not see them.
        """
        asked = digest([sorted(self.branches), str(self.since)])
        state: JSON = dict(cursor or {})
        kept = {**kept, "asked": asked}
        if place.hidden:
            raise Absent("its contents are not shown", hint="Give the token that right: Contents.")
        heads = self._heads(place)
        # Heads tell all that can have changed, so a whole reading is only made where none was.
        if (whole and not state) or state.get("asked", asked) != asked:
            yield from self._anew(place, heads)
        elif "reading" in state:  # cut off while it was read for the first time: end that first
            reading = state["reading"]
            yield from self._first(place, reading["heads"], reading["after"], kept)
            yield from self._since(place, reading["heads"], heads)
        elif not state.get("heads"):
            yield from self._first(place, heads, None, kept)
        else:
            yield from self._since(place, state["heads"], heads)
        yield Checkpoint({**kept, "heads": heads}, part=place.repository)

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

    def _first(
        self, place: Place, heads: Heads, after: str | None, kept: Mapping[str, Any] | None
    ) -> Iterator[Item]:
        """All history, with a checkpoint a page; later branches end where earlier ones were.

        Args:
            place: The repository.
            heads: Its branches' newest commits.
            after: Where to go on.
            kept: What else checkpoints say; None where there must be none.
        """
        known: set[str] = set()
        for head in dict.fromkeys(heads.values()):
            walk = Walk(set(known))
            for rows, following in pages(self.client, place, head, after):
                fresh = walk.new(rows)
                yield from self._facts(place, fresh)
                if len(heads) > 1:
                    known |= {row["oid"] for row in fresh}
                if following is None or self._too_old(rows) or walk.finished:
                    break
                if len(heads) == 1 and kept is not None:
                    reading = {"heads": dict(heads), "after": following}
                    yield Checkpoint({**kept, "reading": reading}, part=place.repository)
            after = None

    def _since(self, place: Place, old: Heads, heads: Heads) -> Iterator[Item]:
        """What is new on branches that moved; what is gone where one lost commits."""
        if old == heads:
            return
        known, keys = set(old.values()), _Keys()
        met = set(heads.values())
        for head in dict.fromkeys(heads.values()):
            if head in known:
                continue
            walk = Walk(set(known))
            for rows, _ in pages(self.client, place, head):
                yield from keys.noted(self._facts(place, walk.new(rows)))
                if walk.finished or self._too_old(rows):
                    break
            met |= {sha for sha in old.values() if walk.met(sha)}
            known.add(head)
        lost = [name for name, sha in old.items() if sha not in met]
        if not lost:
            return
        yield Note(f"{place.path}: history was rewritten on {', '.join(lost)}.")
        if len(heads) == 1 and not met & set(old.values()):  # it was read down to its root
            yield from keys.only(place)
        else:
            yield from self._anew(place, heads)

    def _anew(self, place: Place, heads: Heads) -> Iterator[Item]:
        """All history again; what no branch has any more is gone."""
        keys = _Keys()
        yield from keys.noted(self._first(place, heads, None, None))
        yield from keys.only(place)

    def _too_old(self, rows: list[JSON]) -> bool:
        since = self.since
        return since is not None and all(instant(row["committedDate"]) < since for row in rows)

    def _facts(self, place: Place, rows: list[JSON]) -> Iterator[Fact]:
        for row in rows:
            if self.since is not None and instant(row["committedDate"]) < self.since:
                continue
            subject, body = parts(row["message"])
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
