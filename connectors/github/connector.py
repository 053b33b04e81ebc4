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

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from pydantic import BaseModel

from connectors.forge.pacing import Pace
from connectors.forge.parallel import read_all
from connectors.forge.tokens import Tokens
from connectors.github import checking
from connectors.github.client import Client
from connectors.github.commits import Commits
from connectors.github.deploys import Deployments
from connectors.github.incidents import Incidents
from connectors.github.judging import Absent
from connectors.github.options import Options
from connectors.github.paging import Size
from connectors.github.places import Found, Places
from connectors.github.pulls import PullRequests
from connectors.github.runs import Builds
from connectors.github.values import Place
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Only, Patience
from dora.errors import SourceError
from dora.records import (
    Build,
    Commit,
    CommitReference,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)

Read: TypeAlias = Callable[[Place, "Cursor | None"], Iterator[Item]]


class GitHub:
    """Reads GitHub, the public one or Enterprise Server, incrementally and in parallel.

    Args:
        name: The source's name in the configuration.
        options: Its keys.
        base: The folder that relative paths are seen from.
    """

    kind: ClassVar[str] = "github"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Repository,
        Commit,
        CommitReference,
        PullRequest,
        PullRequestCommit,
        Review,
        Deployment,
        Incident,
        IncidentCause,
        Build,
    )
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        Commit: (CommitReference,),
        PullRequest: (PullRequestCommit, Review),
        Incident: (IncidentCause,),
    }
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a github source takes connectors.github.Options, not {type(options)}")
        del base  # nothing of it is on this machine
        self.name = name
        self.options = options
        self.patience = Patience()
        self._found: Found | None = None
        self._served: set[type[Record]] = set()
        self._reconciling = False

    @cached_property
    def client(self) -> Client:
        """Asks the host; made when first used, as only then a token is looked for."""
        options = self.options
        tokens = Tokens.find(
            options.token_env or None,
            host=options.host,
            app_id=options.app_id,
            installation_id=options.installation_id,
            private_key_env=options.private_key_env,
        )
        pace = Pace(options.max_requests_per_second)
        return Client(
            options.url, tokens, patience=self.patience, pace=pace, timeout=options.timeout
        )

    def reconcile(self) -> None:
        """Let the readings that follow find what was deleted or rewritten, too."""
        self._reconciling = True

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """Everything new of one type since `cursor`, with the facts that it carries.

        Raises:
            SourceError: The host cannot be read; what came before the last checkpoint is kept.
        """
        if record_type not in self.provides or record_type in self._carried():
            raise SourceError(
                f"A GitHub source has no stream of {record_type.table}.",
                hint="Carried facts come with pull requests, commits and incidents.",
            )
        found = self._look(record_type, cursor or {})
        if record_type is Repository:
            yield from self._repositories(found, cursor)
            return
        reader = self._reader(record_type)
        if reader is None:
            yield Checkpoint({})
            return
        state = dict(cursor or {})
        parts: Mapping[str, Cursor] = state.pop("parts", {})
        anew = bool(parts) and self._due(state)
        yield from self._left_behind(record_type, found, parts)

        def read(name: str) -> Iterator[Item]:
            part = parts.get(name) or None
            place = found.places[name]
            whole = anew and part is not None and "reading" not in part
            reading = self._whole(record_type, reader, place) if whole else reader(place, part)
            return self._allowed(record_type, place, reading)

        yield from read_all(
            sorted(found.places), read, at_once=self.options.at_once, stopped=self.patience.stopped
        )
        if anew or not state:
            state = {"reconciled": datetime.now(UTC).isoformat(timespec="seconds")}
        yield Checkpoint(state)

    def check(self) -> Iterator[Finding]:
        """Whether the token is good for what is asked, and what each rule would classify."""
        try:
            client = self.client
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        yield from checking.findings(self.name, self.options, client)

    def _carried(self) -> set[type[Record]]:
        return {one for carried in self.carries.values() for one in carried}

    def _reader(self, record_type: type[Record]) -> Read | None:
        """What reads a type from one repository; None where the options leave it out."""
        options, client = self.options, self.client
        size = Size(options.page_size)
        since, service = options.since, options.service
        if record_type is Commit and options.commits:
            branches = [r.argument for r in options.rules if r.kind == "merges"]
            return Commits(client, (*options.branches, *branches), since).read
        if record_type is PullRequest and options.pull_requests:
            return PullRequests(client, size, since).read
        if record_type is Deployment and options.rules:
            return Deployments(client, options.rules, options.environment, service, since).read
        if record_type is Incident and options.incidents is not None:
            return Incidents(client, options.incidents, size, since, service).read
        if record_type is Build and options.builds:
            return Builds(client, since).read
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

    def _due(self, state: Cursor) -> bool:
        told = state.get("reconciled")
        age = datetime.now(UTC) - datetime.fromisoformat(told) if told else timedelta(0)
        return self._reconciling or age > timedelta(days=self.options.reconcile_days)

    def _repositories(self, found: Found, cursor: Cursor | None) -> Iterator[Item]:
        yield from map(Note, found.notes)
        old: Mapping[str, Any] = (cursor or {}).get("seen", {})
        seen: dict[str, list[str | None]] = {}
        for place in found.places.values():
            seen[place.repository] = [place.default_branch, place.head, place.url]
            if old.get(place.repository) != seen[place.repository]:
                yield Repository(
                    repository=place.repository,
                    default_branch=place.default_branch,
                    head_sha=place.head,
                    incomplete=self.options.since is not None,
                    url=place.url,
                )
        ids = {place.path: place.id for place in found.places.values()}
        gone = set(old) - set(seen)
        renamed = {name for name in gone if (cursor or {})["ids"].get(_path(name)) in ids.values()}
        if renamed or (gone and self._reconciling):
            yield Only(Repository, {}, tuple({"repository": name} for name in sorted(seen)))
        yield Checkpoint({"ids": ids, "seen": seen})

    def _left_behind(
        self, record_type: type[Record], found: Found, parts: Mapping[str, Cursor]
    ) -> Iterator[Item]:
        """What stands under names that repositories no longer have.

        Facts of one that is gone are kept until a reconciliation is asked for: a token that lost
        a right must not cost the record.
        """
        ids = {place.id for place in found.places.values()}
        for name, part in sorted(parts.items()):
            if name in found.places or not part:
                continue
            if part.get("id") in ids or self._reconciling:
                for one in (record_type, *self.carries.get(record_type, ())):
                    if "repository" in one.__dataclass_fields__:
                        yield Only(one, {"repository": name}, ())
                yield Checkpoint({}, part=name)

    def _whole(self, record_type: type[Record], reader: Read, place: Place) -> Iterator[Item]:
        """One repository from its beginning; what it no longer has is gone."""
        types = (record_type, *self.carries.get(record_type, ()))
        keys: dict[type[Record], list[Mapping[str, Any]]] = {one: [] for one in types}
        last: Checkpoint | None = None
        for item in reader(place, None):
            if isinstance(item, Checkpoint):
                last = item
                continue
            if isinstance(item, Record):
                names = [name for name in item.key if name != "source"]
                keys[type(item)].append({name: getattr(item, name) for name in names})
            yield item
        for one in types:
            if "repository" in one.__dataclass_fields__:
                yield Only(one, {"repository": place.repository}, tuple(keys[one]))
        if last is not None:
            yield last

    def _allowed(
        self, record_type: type[Record], place: Place, reading: Iterator[Item]
    ) -> Iterator[Item]:
        """What may be read; what may not is noted, and asked for again by the next sync."""
        try:
            yield from reading
        except Absent as error:
            table = record_type.table.replace("_", " ")
            yield Note(
                f"{place.path}: no {table}, as the token may not read them ({error.message})."
            )


def _path(repository: str) -> str:
    return repository.partition("/")[2]
