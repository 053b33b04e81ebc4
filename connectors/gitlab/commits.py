"""Commits of the branches that are deployed, and what their messages say of each other.

Pages are counted from a commit, never from a branch, which may move while it is read; and what is
new is asked for as the range behind the new head and not behind the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from connectors.git.messages import parts, pull_request, references
from connectors.gitlab.client import Client
from connectors.gitlab.judging import Forbidden
from connectors.gitlab.values import JSON, Project, author, instant, made_by_bot, spelt
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Cursor, Item, Note, Only
from dora.patterns import wildcard
from dora.records import Commit, CommitReference, Record

Fact: TypeAlias = Commit | CommitReference


class Tips:
    """The newest commits of default branches, each asked for once while it is remembered.

    Args:
        client: Asks the host.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[int, str | None] = {}

    def of(self, project: Project) -> str | None:
        """The newest commit of a project's default branch; None while there is none."""
        if project.default_branch is None or "repository" in project.hidden:
            return None
        if project.id not in self._known:
            self._known[project.id] = tip(self._client, project, project.default_branch)
        return self._known[project.id]


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits of projects.

    Attributes:
        client: Asks the host.
        tips: The newest commits of default branches.
        branches: Wildcards of branches read beside the default one.
        since: The time before which nothing is read.
    """

    client: Client
    tips: Tips
    branches: tuple[str, ...]
    since: datetime | None

    def read(self, project: Project, cursor: Cursor | None, whole: bool = False) -> Iterator[Item]:
        """What is new in one project since the cursor; all of it if nothing is known yet.

        Args:
            project: The project.
            cursor: Where it stands.
            whole: Whether what is no longer there is gone, though the cursor knows nothing of it.
        """
        state: JSON = dict(cursor or {})
        if state.get("since", str(self.since)) != str(self.since):
            state = {}
        heads = self._heads(project)
        if "reading" in state:  # cut off while it was read for the first time: end that first
            yield from self._ended(project, state, heads)
        old: Mapping[str, str] = state.get("heads", {})
        if not heads:  # nothing there, or out of sight: what is known stays
            heads = dict(old)
        elif not old and whole:
            yield from self._anew(project, heads)
        elif not old:
            yield from self._first(project, {"heads": heads, "page": None})
        elif old != heads:
            yield from self._moved(project, old, heads)
        yield self._checkpoint(project, {"heads": heads})

    def _ended(self, project: Project, state: JSON, heads: Mapping[str, str]) -> Iterator[Item]:
        """A first reading to its end; begun anew if the host has forgotten where it began."""
        reading: JSON = state["reading"]
        try:
            yield from self._first(project, reading)
            state["heads"] = reading["heads"]
        except Forbidden:
            raise
        except Absent:
            yield from self._anew(project, heads)
            state["heads"] = heads

    def _checkpoint(self, project: Project, state: JSON) -> Checkpoint:
        full = {"id": project.id, "since": str(self.since), **state}
        return Checkpoint(full, part=project.repository)

    def _heads(self, project: Project) -> dict[str, str]:
        default = project.default_branch
        others = [name for name in self.branches if name != default]
        if default is None:
            return {}
        if not others:
            head = self.tips.of(project)
            return {default: head} if head else {}
        fits = wildcard([default, *others])
        pages = self.client.pages(f"{project.api}/repository/branches")
        named = {row["name"]: row["commit"]["id"] for rows in pages for row in rows}
        heads = {name: sha for name, sha in sorted(named.items()) if fits.match(name)}
        first = {default: heads[default]} if default in heads else {}
        return first | heads

    def _first(self, project: Project, reading: JSON) -> Iterator[Item]:
        """All history, with a checkpoint a page; later branches end where the first one was."""
        heads: Mapping[str, str] = reading["heads"]
        first, *others = dict.fromkeys(heads.values())
        for rows, following in self._pages(project, first, reading["page"]):
            yield from self._facts(project, rows)
            if following is not None:
                kept = {"heads": dict(heads), "page": dict(following)}
                yield self._checkpoint(project, {"reading": kept})
        told: set[str] = set()
        for head in others:
            for rows, _ in self._pages(project, f"{first}..{head}"):
                yield from self._facts(project, [one for one in rows if one["id"] not in told])
                told |= {one["id"] for one in rows}

    def _pages(
        self, project: Project, commits: str, asked: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[list[JSON], Mapping[str, str] | None]]:
        return commit_pages(self.client, project, commits, self.since, asked)

    def _moved(
        self, project: Project, old: Mapping[str, str], heads: Mapping[str, str]
    ) -> Iterator[Item]:
        """What is new on branches that moved; everything anew if one of them was rewritten."""
        known = set(old.values())
        rewritten = [
            name
            for name in sorted(old.keys() - heads.keys())
            if not any(behind(self.client, project, old[name], head) for head in heads.values())
        ]
        moved: dict[str, str] = {}
        for name, head in heads.items():
            before = old.get(name)
            if head == before:
                continue
            if before and not behind(self.client, project, before, head):
                rewritten.append(name)
            elif head not in known:
                moved[head] = before or next(iter(old.values()))
        if rewritten:
            yield Note(f"{project.repository}: history was rewritten on {', '.join(rewritten)}.")
            yield from self._anew(project, heads)
            return
        told: set[str] = set()
        for head, before in moved.items():
            for rows, _ in self._pages(project, f"{before}..{head}"):
                yield from self._facts(project, [one for one in rows if one["id"] not in told])
                told |= {one["id"] for one in rows}

    def _anew(self, project: Project, heads: Mapping[str, str]) -> Iterator[Item]:
        """All history again; what no branch has any more is gone."""
        keys: dict[type[Record], list[Mapping[str, Any]]] = {Commit: [], CommitReference: []}
        found = self._first(project, {"heads": heads, "page": None}) if heads else iter(())
        for one in found:
            if isinstance(one, Commit | CommitReference):  # no checkpoint before all is known
                keys[type(one)].append({name: getattr(one, name) for name in one.key})
                yield one
        for record_type, listed in keys.items():
            yield Only(record_type, {"repository": project.repository}, tuple(listed))

    def _facts(self, project: Project, rows: list[JSON]) -> Iterator[Fact]:
        for row in rows:
            subject, body = parts(row["message"])
            number = pull_request(subject.encode(), body.encode())
            yield Commit(
                repository=project.repository,
                sha=row["id"],
                parents=" ".join(row["parent_ids"]),
                authored_at=instant(row["authored_date"]),
                committed_at=instant(row["committed_date"]),
                author=author(row),
                is_bot=made_by_bot(row),
                subject=subject,
                pull_request=int(number) if number else None,
            )
            for sha, kind, target in references(row["id"].encode(), body.encode()):
                yield CommitReference(project.repository, sha, kind, target)


def commit_pages(
    client: Client,
    project: Project,
    commits: str,
    since: datetime | None,
    asked: Mapping[str, Any] | None = None,
    *,
    first_parent: bool = False,
) -> Iterator[tuple[list[JSON], Mapping[str, str] | None]]:
    """Commits behind one, or of a range, each page with what to ask for the next one."""
    if asked is None:
        asked = {"ref_name": commits, "per_page": 100}
        if since is not None:
            asked["since"] = spelt(since)
        if first_parent:
            asked["first_parent"] = "true"
    while asked is not None:
        page = client.page(f"{project.api}/repository/commits", asked)
        yield page.rows, page.following
        asked = page.following


def tip(client: Client, project: Project, branch: str) -> str | None:
    """The newest commit of a branch; None if there is no such branch."""
    try:
        path = f"{project.api}/repository/branches/{quote(branch, safe='')}"
        row = client.get(path, key="commit")
    except Forbidden:
        raise
    except Absent:
        return None
    return str(row["commit"]["id"])


def behind(client: Client, project: Project, old: str, new: str) -> bool:
    """Whether one commit is an ancestor of another; not if the host has forgotten it."""
    try:
        base = client.get(f"{project.api}/repository/merge_base", {"refs[]": [old, new]})
    except Forbidden:
        raise
    except Absent:
        return False
    return bool(base["id"] == old)
