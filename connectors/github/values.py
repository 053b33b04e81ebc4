"""GitHub's values as ours: times, persons, repositories as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]


UNKNOWN = "?"
"""What stands for what is newest somewhere, where that may not be seen."""


@dataclass(frozen=True, slots=True)
class Place:
    """A repository as it stands now.

    Attributes:
        id: The host's id, which a new name does not change.
        path: owner/name.
        repository: Canonical name.
        url: Web address.
        default_branch: Branch that work lands on; None while empty.
        head: Its newest commit.
        hidden: Whether there are commits, but none that may be seen.
        pull_changed: When a pull request was last changed, as the host says it; None without any.
        issue_changed: When an issue was.
        deployed: When something was last deployed.
        versions: What tells whether there are other releases or tags than there were.
    """

    id: str
    path: str
    repository: str
    url: str
    default_branch: str | None
    head: str | None
    hidden: bool
    pull_changed: str | None
    issue_changed: str | None
    deployed: str | None
    versions: str


def time(text: str | None) -> datetime | None:
    """An instant as the host writes it."""
    return instant(text) if text else None


def instant(text: str) -> datetime:
    """An instant that is always there."""
    return datetime.fromisoformat(text).astimezone(UTC)


def is_bot(actor: Mapping[str, Any] | None) -> bool:
    """Whether an account is a machine's, by its type; the store knows patterns of names too."""
    return (actor or {}).get("__typename") == "Bot"


def login(actor: Mapping[str, Any] | None) -> str | None:
    """What an account is called; None where it was deleted."""
    name: str | None = (actor or {}).get("login")
    return f"{name}[bot]" if name and is_bot(actor) and not name.endswith("[bot]") else name


def author(git_actor: Mapping[str, Any] | None) -> str | None:
    """Who made a commit, in the form that git has: the same person is the same text in both."""
    if not git_actor or not (git_actor.get("name") or git_actor.get("email")):
        return None
    return f"{git_actor.get('name') or ''} <{git_actor.get('email') or ''}>"


def machine(git_actor: Mapping[str, Any] | None) -> bool:
    """Whether a commit was made by a machine account."""
    actor = git_actor or {}
    account = (actor.get("user") or {}).get("login") or ""
    return account.endswith("[bot]") or (actor.get("name") or "").endswith("[bot]")


def label_names(rows: list[JSON]) -> list[str]:
    """The names of labels."""
    return [str(row["name"]) for row in rows]
