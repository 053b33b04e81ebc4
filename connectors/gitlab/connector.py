"""GitLab: merge requests, commits, deployments, pipelines and incidents of many projects.

[[sources]]
name = "shop"
kind = "gitlab"
token_env = "GITLAB_TOKEN"
groups = ["acme"]
deployments = ["deployments"]
incidents = { types = ["incident"] }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from connectors.forge.connector import ForgeConnector
from connectors.gitlab import checking
from connectors.gitlab.client import Client
from connectors.gitlab.commits import Tips
from connectors.gitlab.glance import quiet
from connectors.gitlab.options import Options
from connectors.gitlab.projects import Found, Projects
from connectors.gitlab.readers import Reader, reader
from connectors.gitlab.values import Project
from connectors.http.errors import Absent
from connectors.http.pacing import Pace
from connectors.http.parallel import read_all
from connectors.http.retrying import Caller
from connectors.http.spending import Spent
from connectors.http.tokens import Tokens, from_netrc, from_variables, missing
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Only, Unread
from dora.errors import SourceError
from dora.records import (
    Build,
    Commit,
    Incident,
    IncidentCause,
    PullRequest,
    Record,
    Repository,
    columns,
)

DEFAULT_VARIABLE = "GITLAB_TOKEN"
"""Where a token is looked for if no variable is named."""

_OF_GROUPS: Mapping[type[Record], str] = {PullRequest: "/merge_requests", Incident: "/issues"}
"""Lists that the host has for whole groups, too."""


class GitLab(ForgeConnector):
    """Reads GitLab, gitlab.com or self-managed, incrementally and in parallel.

    Args:
        name: The source's name in the configuration.
        options: Its keys.
        base: The folder that relative paths are seen from.
    """

    kind: ClassVar[str] = "gitlab"
    title: ClassVar[str] = "GitLab"
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a gitlab source takes connectors.gitlab.Options, not {type(options)}")
        del base  # nothing of it is on this machine
        super().__init__(name)
        self.options = options
        self._found: Found | None = None
        self._gone: set[str] = set()
        self._spent = Spent()

    @cached_property
    def client(self) -> Client:
        """Asks the host; made when first used, as only then a token is looked for."""
        options = self.options
        caller = Caller(
            _tokens(options),
            patience=self.patience,
            pace=Pace(options.max_requests_per_second),
            spent=self._spent,
        )
        caller.tokens.scrubber.watch("gitlab", "urllib3.connectionpool", "requests")
        return Client(options.root, caller, timeout=options.timeout)

    @property
    def spent(self) -> Mapping[str, int]:
        """How many requests were sent so far, those that failed too."""
        return self._spent.counts()

    def _stream(self, record_type: type[Record], cursor: Cursor) -> Iterator[Item]:
        try:
            yield from self._read(record_type, cursor)
        finally:
            if "client" in self.__dict__:
                self.client.close()

    def _read(self, record_type: type[Record], cursor: Cursor) -> Iterator[Item]:
        """One stream to its end."""
        found = self._look(record_type, cursor)
        state = dict(cursor)
        parts: Mapping[str, Cursor] = state.pop("parts", {})
        due = self._reconciling or (record_type is not Build and self._is_long_ago(state))
        if record_type is Repository:
            yield from map(Note, found.notes)
            state = {"ids": {one.path.casefold(): one.id for one in found.projects.values()}}
        yield from self._left_behind(record_type, found, parts)
        reached = {name: part for name, part in parts.items() if name not in self._gone}
        for item in self._new(record_type, found, state, parts, due):
            if isinstance(item, Checkpoint):
                reached[item.part] = item.cursor
            yield item
        if self._reconciling and found.whole:
            yield from self._nothing_else(record_type, found, reached)
        if self.client.began is not None:
            state["looked"] = self.client.began.isoformat()
        if due or "reconciled" not in state:
            state["reconciled"] = datetime.now(UTC).isoformat(timespec="seconds")
        yield Checkpoint(state)

    def _new(
        self,
        record_type: type[Record],
        found: Found,
        state: Cursor,
        parts: Mapping[str, Cursor],
        due: bool,
    ) -> Iterator[Item]:
        """What is new in all projects that are not known to be quiet."""
        cloned = {name.casefold() for name in self.cloned}
        with ThreadPoolExecutor(self.options.at_once, "dora-details") as pool:
            reading = reader(record_type, self.client, self.options, self._tips, cloned, pool)
            if reading is None:
                return
            standing = {
                one: parts.get(one.repository)
                for one in found.projects.values()
                if record_type is not Commit or one.repository.casefold() not in cloned
            }
            if not due:
                for one in self._quiet(record_type, reading, state, standing):
                    del standing[one]
            yield from self._all(record_type, reading, standing, due)

    def _all(
        self,
        record_type: type[Record],
        reading: Reader,
        parts: Mapping[Project, Cursor | None],
        due: bool,
    ) -> Iterator[Item]:
        """Projects that stand where their parts say, several at once."""
        projects = {project.repository: project for project in parts}

        def read(name: str) -> Iterator[Item]:
            project = projects[name]
            items = reading.read(project, parts[project], due)
            return self._allowed(record_type, project, parts[project], items)

        yield from read_all(
            sorted(projects), read, at_once=self.options.at_once, patience=self.patience
        )

    def _quiet(
        self,
        record_type: type[Record],
        reading: Reader,
        state: Cursor,
        parts: Mapping[Project, Cursor | None],
    ) -> set[Project]:
        """Projects that a look at their group shows to have nothing new."""
        path = _OF_GROUPS.get(record_type)
        if path is None or "looked" not in state or self._found is None:
            return set()
        settled = {
            project.id: project
            for project, part in parts.items()
            if part and not part.get("missed") and reading.settled(part)
        }
        groups = {name: ids & settled.keys() for name, ids in self._found.groups.items()}
        several = {name: ids for name, ids in groups.items() if len(ids) > 1}
        looked = datetime.fromisoformat(state["looked"])
        return {settled[id_] for id_ in quiet(self.client, path, several, looked)}

    def check(self) -> Iterator[Finding]:
        """Whether the token is good for what is asked, and what each rule would classify."""
        try:
            client = self.client
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        try:
            yield from checking.findings(self.name, self.options, client)
        finally:
            client.close()

    def _look(self, record_type: type[Record], cursor: Cursor) -> Found:
        """The projects as all streams of one sync see them."""
        if self._found is None or record_type in self._served:
            known: Mapping[str, int] = cursor.get("ids", {})
            found = Projects(self.client, self.options).find(known)
            if not found.projects:
                said = " ".join(found.notes) or "Nothing fits projects, groups and exclude."
                raise SourceError(
                    f"{self.name} has no project that can be read. {said}",
                    hint="Correct what is named, or the token's rights; `dora check` looks again.",
                )
            self._found, self._served = found, set()
            self._tips = Tips(self.client)
        self._served.add(record_type)
        return self._found

    def _is_long_ago(self, state: Cursor) -> bool:
        """Whether it is time again to look for what was deleted."""
        told = state.get("reconciled")
        age = datetime.now(UTC) - datetime.fromisoformat(told) if told else timedelta(0)
        return age > timedelta(days=self.options.reconcile_days)

    def _left_behind(
        self, record_type: type[Record], found: Found, parts: Mapping[str, Cursor]
    ) -> Iterator[Item]:
        """What stands under names that projects no longer have.

        Facts of one that is gone are kept until a reconciliation is asked for: a token that lost
        a right must not cost the record.
        """
        ids = {project.id for project in found.projects.values()}
        projects = Projects(self.client, self.options)
        for name, part in sorted(parts.items()):
            if name in found.projects or not part:
                continue
            renamed = part.get("id") in ids
            if renamed or (self._reconciling and projects.is_left_out(int(part.get("id", 0)))):
                yield from self._forget(record_type, name, part)
            elif not part.get("missed"):
                yield Checkpoint({**part, "missed": True}, part=name)

    def _nothing_else(
        self, record_type: type[Record], found: Found, parts: Mapping[str, Cursor]
    ) -> Iterator[Item]:
        """That nothing is left under names that no cursor knows any more."""
        names = tuple({"repository": name} for name in sorted({*found.projects, *parts}))
        stating = {id_ for part in parts.values() for id_ in part.get("causing", ())}
        for one in (record_type, *self.carries.get(record_type, ())):
            if one is IncidentCause:
                yield Only(one, {}, tuple({"incident": id_} for id_ in sorted(stating)))
            else:
                yield Only(one, {}, names)

    def _forget(self, record_type: type[Record], name: str, part: Cursor) -> Iterator[Item]:
        self._gone.add(name)
        for one in (record_type, *self.carries.get(record_type, ())):
            if "repository" in columns(one):
                yield Only(one, {"repository": name}, ())
        for incident in part.get("causing", ()):
            yield Only(IncidentCause, {"incident": incident}, ())
        yield Checkpoint({}, part=name)

    def _allowed(
        self,
        record_type: type[Record],
        project: Project,
        part: Cursor | None,
        reading: Iterator[Item],
    ) -> Iterator[Item]:
        """What may be read; what may not is noted, and asked for again by the next sync."""
        reached = part
        try:
            for item in reading:
                if isinstance(item, Checkpoint):
                    reached = item.cursor
                yield item
        except Absent as error:
            if reached:
                yield Checkpoint({**reached, "missed": True}, part=project.repository)
            yield Unread(record_type, project.repository, error.message)


def _tokens(options: Options) -> Tokens:
    """The tokens of the variables named, else of the usual one, else of the user's netrc file.

    Raises:
        SourceError: There are none.
    """
    named = options.token_env
    found = from_variables(named or (DEFAULT_VARIABLE,), required=bool(named))
    found = found or from_netrc(options.home.partition("/")[0])
    if not found:
        raise missing(DEFAULT_VARIABLE)
    return Tokens(found)
