"""GitHub: pull requests, commits, deployments, builds and incidents of many repositories.

[[sources]]
name = "shop"
kind = "github"
token_env = "GITHUB_TOKEN"
groups = ["acme"]
deployments = ["deployments"]
incidents = { labels = ["incident"] }
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from connectors.forge.connector import ForgeConnector
from connectors.forge.deploying import Target
from connectors.forge.whole import without_the_rest
from connectors.github import checking, signing
from connectors.github.client import Client
from connectors.github.commits import Commits
from connectors.github.deploys import Deployments
from connectors.github.incidents import Incidents
from connectors.github.options import Options
from connectors.github.paging import Size
from connectors.github.places import Found, Places
from connectors.github.pulls import PullRequests
from connectors.github.runs import Builds
from connectors.github.values import Place
from connectors.http.errors import Absent
from connectors.http.pacing import Pace
from connectors.http.parallel import read_all
from connectors.http.retrying import Policy
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Only, Removed, Unread
from dora.errors import SourceError
from dora.records import (
    Build,
    Commit,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
    columns,
)

_KEYS: Mapping[type[Record], tuple[str, ...]] = {
    PullRequest: ("number",),
    Incident: ("id",),
    Build: ("id",),
}
"""What tells facts of one repository apart, where a whole reading cannot do so by itself."""


class Reader(Protocol):
    """Reads one type of fact from one repository after the other."""

    def read(
        self, place: Place, cursor: Cursor | None, kept: Mapping[str, Any], *, whole: bool = False
    ) -> Iterator[Item]:
        """What is new in one repository since the cursor, or all of it."""


class GitHub(ForgeConnector):
    """Reads GitHub, the public one or Enterprise Server, incrementally and in parallel.

    Args:
        name: The source's name in the configuration.
        options: Its keys.
        base: The folder that relative paths are seen from.

    Attributes:
        policy: How often it asks for a page that fails.
    """

    kind: ClassVar[str] = "github"
    title: ClassVar[str] = "GitHub"
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a github source takes connectors.github.Options, not {type(options)}")
        del base  # nothing of it is on this machine
        super().__init__(name)
        self.options = options
        self.policy = Policy()
        self._found: Found | None = None

    @cached_property
    def client(self) -> Client:
        """Asks the host; made when first used, as only then a token is looked for."""
        return Client(
            self.options.url,
            signing.find(self.options),
            patience=self.patience,
            pace=Pace(self.options.max_requests_per_second),
            timeout=self.options.timeout,
            policy=self.policy,
        )

    @property
    def spent(self) -> Mapping[str, int]:
        """Requests and GraphQL points, so far."""
        return self.client.spent.counts() if "client" in self.__dict__ else {}

    def _stream(self, record_type: type[Record], cursor: Cursor) -> Iterator[Item]:
        found = self._look(record_type, cursor)
        if record_type is Repository:
            yield from self._repositories(found, cursor)
            return
        reader = self._reader(record_type)
        if reader is None:
            yield Checkpoint({})
            return
        parts: Mapping[str, Cursor] = cursor.get("parts", {})
        yield from self._left_behind(record_type, found, parts)

        def read(name: str) -> Iterator[Item]:
            return self._part(record_type, reader, found.places[name], parts.get(name))

        names = sorted(found.places)
        if record_type is Commit:
            cloned = {name.casefold() for name in self.cloned}
            names = [name for name in names if name.casefold() not in cloned]
        yield from read_all(names, read, at_once=self.options.at_once, patience=self.patience)
        if self._reconciling and not found.unlisted:
            yield from _nothing_but(record_type, found)
        yield Checkpoint({})

    def check(self) -> Iterator[Finding]:
        """Whether the token is good for what is asked, and what each rule would classify."""
        try:
            client = self.client
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        yield from checking.findings(self.name, self.options, client)

    def _reader(self, record_type: type[Record]) -> Reader | None:
        """What reads a type from one repository; None where the options leave it out."""
        options, client = self.options, self.client
        size = Size(options.page_size, first=50)
        since, service = options.since, options.service
        if record_type is Commit and options.commits:
            branches = [rule.argument for rule in options.rules if rule.kind == "merges"]
            return Commits(client, (*options.branches, *branches), since)
        if record_type is PullRequest and options.pull_requests:
            return PullRequests(client, size, since)
        if record_type is Deployment and options.rules:
            target = Target(options.environment, service)
            return Deployments(client, options.rules, target, since, self._reconciling)
        if record_type is Incident and options.incidents is not None:
            return Incidents(client, options.incidents, size, since, service)
        if record_type is Build and options.builds:
            return Builds(client, since, self._reconciling)
        return None

    def _look(self, record_type: type[Record], cursor: Cursor) -> Found:
        """The repositories as all streams of one sync see them."""
        if self._found is None or record_type in self._served:
            known: Mapping[str, str] = cursor.get("ids", {})
            found = Places(self.client, self.options).find(known)
            if not found.places:
                said = " ".join(found.notes) or "Nothing fits repositories, groups and exclude."
                raise SourceError(
                    f"{self.name} has no repository that can be read. {said}",
                    hint="Correct what is named, or the token's rights; `dora check` looks again.",
                )
            self._found, self._served = found, set()
        self._served.add(record_type)
        return self._found

    def _repositories(self, found: Found, cursor: Cursor) -> Iterator[Item]:
        yield from map(Note, found.notes)
        old: Mapping[str, Any] = cursor.get("seen", {})
        seen: dict[str, list[str | None]] = {}
        for place in found.places.values():
            if place.hidden and place.repository in old:  # what is not shown is not gone
                seen[place.repository] = old[place.repository]
                continue
            seen[place.repository] = [place.id, place.default_branch, place.head, place.url]
            if old.get(place.repository) != seen[place.repository]:
                yield Repository(
                    repository=place.repository,
                    default_branch=place.default_branch,
                    head_sha=place.head,
                    incomplete=self.options.since is not None,
                    url=place.url,
                )
        ids = {row[0] for row in seen.values()}
        gone = [
            name
            for name in sorted(set(old) - set(seen))
            if old[name][0] in ids or self._given_up(name, found)
        ]
        if gone:
            yield Removed(Repository, tuple({"repository": name} for name in gone))
        kept = {name: old[name] for name in old if name not in seen and name not in gone}
        by_path = {place.path: place.id for place in found.places.values()}
        yield Checkpoint({"ids": by_path, "seen": {**kept, **seen}})

    def _given_up(self, name: str, found: Found) -> bool:
        """Whether a repository that is no longer found is held to be gone.

        Only where that is asked for: a token that lost a right must not cost the record.
        """
        owner = name.split("/")[1].casefold()
        return self._reconciling and owner not in found.unlisted

    def _left_behind(
        self, record_type: type[Record], found: Found, parts: Mapping[str, Cursor]
    ) -> Iterator[Item]:
        """What stands under names that repositories no longer have."""
        ids = {place.id for place in found.places.values()}
        for name, part in sorted(parts.items()):
            if name in found.places or not part:
                continue
            if part.get("id") in ids or self._given_up(name, found):
                yield from _nothing_of(record_type, name, part)
                yield Checkpoint({}, part=name)

    def _part(
        self, record_type: type[Record], reader: Reader, place: Place, part: Cursor | None
    ) -> Iterator[Item]:
        """One repository; what may not be read there is said, and asked for again next time."""
        part = part or {}
        told = part.get("reconciled")
        whole = "reading" not in part and (
            self._reconciling or due(told, place.id, self.options.reconcile_days)
        )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = {"id": place.id, "reconciled": now if whole or told is None else told}
        try:
            if whole:
                yield from self._whole(record_type, reader, place, part, kept)
            else:
                yield from reader.read(place, part, kept)
        except Absent as error:
            yield Unread(record_type, place.repository, error.message)

    def _whole(
        self,
        record_type: type[Record],
        reader: Reader,
        place: Place,
        part: Cursor,
        kept: Mapping[str, Any],
    ) -> Iterator[Item]:
        """One repository from its beginning; what it no longer has is gone."""
        items = reader.read(place, part, kept, whole=True)
        key = _KEYS.get(record_type)
        forgets = record_type is Build and not self._reconciling  # the host does, after a year
        if key is None or forgets:
            yield from items
            return
        along = (PullRequestCommit, Review) if record_type is PullRequest else ()
        where = {"repository": place.repository}
        yield from without_the_rest(items, part, record_type, key, where, along)


def due(told: str | None, id_: str, days: float) -> bool:
    """Whether it is long ago that a repository was read as a whole.

    Repositories that were first read together come due one after the other, in the last third of
    the days: all at once they would use up what a token has.

    Args:
        told: When it was read; None if it never was.
        id_: The repository.
        days: How many days are long.
    """
    if told is None:
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(told)
    share = zlib.crc32(id_.encode()) / 2**32
    return age > timedelta(days=days) * (1 - share / 3)


def _nothing_but(record_type: type[Record], found: Found) -> Iterator[Item]:
    """That nothing is left of repositories under names that are in no cursor any more."""
    names = tuple({"repository": name} for name in sorted(found.places))
    for one in (record_type, *GitHub.carries.get(record_type, ())):
        if "repository" in columns(one):
            yield Only(one, {}, names)


def _nothing_of(record_type: type[Record], name: str, part: Cursor) -> Iterator[Item]:
    """That nothing is left of a repository in a stream."""
    for one in (record_type, *GitHub.carries.get(record_type, ())):
        if "repository" in columns(one):
            yield Only(one, {"repository": name}, ())
    for incident in part.get("stating", ()):
        yield Only(IncidentCause, {"incident": incident}, ())
