"""GitLab's values as ours: times, persons, canonical names, windows that overlap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.http.errors import UNREADABLE
from dora.connector import Item, Rejected
from dora.records import Record

JSON: TypeAlias = dict[str, Any]

TICK = timedelta(milliseconds=1)
"""The host shows times to the millisecond and filters by what it has, which is finer."""

GHOST = "ghost"
"""Whose things of deleted accounts are."""

_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_\w+)?|service_account_\w+|.*[-_.]bot|.*\[bot\]")
_BOTS = {"alert-bot", "gitlab-bot", "support-bot", "security-bot", "renovate", "dependabot"}


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it stands now.

    Attributes:
        id: The host's id, which a new name does not change.
        path: Its path with all its groups.
        repository: Canonical name.
        url: Web address.
        default_branch: Branch that work lands on; None while empty.
        hidden: What is switched off in it: `merge_requests`, `issues`, `builds` and the like.
        active: When something last happened in it, roughly, as the host writes it.
    """

    id: int
    path: str
    repository: str
    url: str
    default_branch: str | None
    hidden: frozenset[str] = frozenset()
    active: str = ""

    @property
    def api(self) -> str:
        """Where its things begin in the API; by id, so that a new name breaks nothing."""
        return f"/projects/{self.id}"


def time(text: str | None) -> datetime | None:
    """An instant as the host writes it."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def instant(text: str) -> datetime:
    """An instant that is always there."""
    return datetime.fromisoformat(text).astimezone(UTC)


def spelt(moment: datetime) -> str:
    """An instant as the host reads it in a filter."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def login(account: Mapping[str, Any] | None) -> str | None:
    """What an account is called; None where it was deleted."""
    name = (account or {}).get("username")
    return None if name is None or name.casefold() == GHOST else str(name)


def is_bot(account: Mapping[str, Any] | None) -> bool:
    """Whether an account is a machine's: the host says so seldom, its names always.

    Tokens of projects and groups act as accounts whose names the host makes up; those of service
    accounts and of its own helpers are known, too.
    """
    found = account or {}
    name = str(found.get("username") or "").casefold()
    return found.get("bot") is True or name in _BOTS or bool(_BOT.fullmatch(name))


def author(commit: Mapping[str, Any]) -> str | None:
    """Who made a commit, in the form that git has: the same person is the same text in both."""
    name, address = commit.get("author_name") or "", commit.get("author_email") or ""
    return f"{name} <{address}>" if name or address else None


def made_by_bot(commit: Mapping[str, Any]) -> bool:
    """Whether a commit was made by a machine: tokens commit under addresses of their accounts."""
    name = str(commit.get("author_name") or "").casefold()
    account = str(commit.get("author_email") or "").casefold().partition("@")[0]
    return name.endswith("[bot]") or bool(re.fullmatch(r"(?:project|group)_?\d+_bot\w*", account))


def each(
    kind: type[Record], place: str, rows: Iterable[JSON], items: Callable[[JSON], Iterator[Item]]
) -> Iterator[Item]:
    """What rows are in facts; one that is no fact is kept aside, and costs the others nothing.

    Args:
        kind: What the rows should be.
        place: Where they stand, for people.
        rows: The rows.
        items: What one of them is.
    """
    for row in rows:
        try:
            yield from items(row)
        except UNREADABLE as error:
            where = f"{place} {row.get('iid') or row.get('id')}"
            yield Rejected(kind, where, f"{type(error).__name__}: {error}")
