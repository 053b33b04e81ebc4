"""Which projects are read: chosen by name, followed when renamed, missed when gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.forge.selection import Selection
from connectors.gitlab.client import Client
from connectors.gitlab.options import Options
from connectors.gitlab.values import JSON, Project
from connectors.http.errors import Absent

_SWITCHES = ("merge_requests", "issues", "builds", "environments", "releases", "repository")


@dataclass(slots=True)
class Found:
    """What there is to read.

    Attributes:
        projects: The projects, by canonical name.
        notes: What the user should know: renamed, gone, forbidden.
        groups: The ids of those that share a group, by its path.
        whole: Whether everything that was named could be found.
    """

    projects: dict[str, Project] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    groups: dict[str, set[int]] = field(default_factory=dict)
    whole: bool = True


class Projects:
    """Finds projects by the options of a source."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options

    def find(self, known: Mapping[str, int]) -> Found:
        """The projects as they stand.

        Args:
            known: Ids from earlier, by path; those named one by one are asked for by them, and so
                are found under any new name.
        """
        found = Found()
        options = self._options
        meant = Selection(options.projects, options.exclude)
        for name in meant.singles:
            self._single(name, known.get(name.casefold()), found)
        globs = meant.wildcards
        for owner in dict.fromkeys([*map(_owner, globs), *options.groups]):
            patterns = [glob for glob in globs if _owner(glob).casefold() == owner.casefold()]
            if owner in options.groups:
                patterns = ["*"]
            self._owned(owner, patterns, found)
        return found

    def is_left_out(self, id_: int) -> bool:
        """Whether a project that was read before is not meant any more, or is no longer there."""
        try:
            row = self._client.get(f"/projects/{id_}")
        except Absent:
            return True
        path = str(row["path_with_namespace"])
        chosen = Selection(self._options.projects, self._options.exclude)
        in_group = any(_within(path, group) for group in self._options.groups)
        if path in chosen.singles:
            return _leaving(row)
        return not (self._meant(row) and (in_group or chosen.takes(path)))

    def _meant(self, row: JSON) -> bool:
        """Whether a project that was not named by itself is one to read."""
        archived = row.get("archived") and not self._options.archived
        fork = row.get("forked_from_project") and not self._options.forks
        return not (archived or fork or _leaving(row))

    def _single(self, name: str, id_: int | None, found: Found) -> None:
        addresses = ([str(id_)] if id_ is not None else []) + [quote(name, safe="")]
        why = ""
        for address in addresses:
            try:
                row = self._client.get(f"/projects/{address}")
            except Absent as error:
                why = error.message
                continue
            self._add(found, row, asked=name)
            return
        _missed(found, name, why)

    def _owned(self, owner: str, patterns: list[str], found: Found) -> None:
        try:
            rows = {row["path_with_namespace"]: row for row in self._list(owner)}
        except Absent as error:
            _missed(found, owner, error.message)
            return
        for name in Selection(tuple(patterns), self._options.exclude).choose(rows):
            if self._meant(rows[name]) or _leaving(rows[name]):
                self._add(found, rows[name], group=owner)

    def _list(self, owner: str) -> Iterator[JSON]:
        """The projects of a group with its subgroups, of a user, or all of the token's own."""
        asked: dict[str, Any] = {"order_by": "id", "sort": "asc"}
        if not self._options.archived:
            asked["archived"] = "false"
        if not owner:
            pages = self._client.pages(
                "/projects", {**asked, "membership": "true", "pagination": "keyset"}
            )
            yield from (row for rows in pages for row in rows)
            return
        name = quote(owner, safe="")
        of_group = {**asked, "include_subgroups": "true", "with_shared": "false"}
        try:
            for rows in self._client.pages(f"/groups/{name}/projects", of_group):
                yield from rows
        except Absent:
            for rows in self._client.pages(f"/users/{name}/projects", asked):
                yield from rows

    def _add(
        self, found: Found, row: JSON, *, asked: str | None = None, group: str | None = None
    ) -> None:
        path = row["path_with_namespace"]
        if _leaving(row):
            found.notes.append(f"{path} is left out: it is about to be deleted.")
            return
        if asked and asked.casefold() != path.casefold():
            found.notes.append(f"{asked} is now called {path}.")
        off = {one for one in _SWITCHES if row.get(f"{one}_access_level") == "disabled"}
        project = Project(
            id=row["id"],
            path=path,
            repository=f"{self._options.home}/{path}",
            url=row["web_url"],
            default_branch=row.get("default_branch"),
            hidden=frozenset(off),
            active=row.get("last_activity_at") or "",
        )
        found.projects.setdefault(project.repository, project)
        namespace = row.get("namespace") or {}
        if namespace.get("kind") == "group":
            found.groups.setdefault(group or namespace["full_path"], set()).add(project.id)


def _owner(glob: str) -> str:
    """The groups that a glob names before it leaves anything open."""
    return glob.partition("*")[0].rpartition("/")[0]


def _within(path: str, group: str) -> bool:
    return path.casefold().startswith(f"{group.casefold()}/")


def _leaving(row: JSON) -> bool:
    """Whether a project waits for its deletion."""
    return bool(row.get("marked_for_deletion_on") or row.get("marked_for_deletion_at"))


def _missed(found: Found, name: str, why: str) -> None:
    found.whole = False
    found.notes.append(
        f"{name or 'What the token is a member of'} is left out: it was deleted, or the token may"
        f" not see it ({why})."
    )
