"""The organisation's values in GitHub's words: ids, times, addresses, states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from tests.forges.organisation import Organisation, Repository


class GraphQLError(Exception):
    """What is wrong with one field, as GitHub says it.

    Args:
        kind: GitHub's word for it.
        message: What it says.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


FACTS = frozenset({"metadata", "contents", "pull_requests", "issues", "deployments", "actions"})
"""What a fine-grained token may be allowed to read."""

FORBIDDEN = "Resource not accessible by personal access token"


@dataclass(slots=True)
class Token:
    """A token and what it may.

    Attributes:
        value: What is sent.
        login: Whose it is.
        scopes: Of a classic token; None for a fine-grained one, whose scopes are not told.
        may: What it may read.
        expired: Whether it is refused.
        app: Whether it is nobody's but an App's.
        limit: Requests and points it has, each, until the reset.
        used: Those gone, by resource.
    """

    value: str
    login: str = "ada"
    scopes: tuple[str, ...] | None = ("repo", "read:org")
    may: frozenset[str] = FACTS
    expired: bool = False
    app: bool = False
    limit: int = 5000
    used: dict[str, int] = field(default_factory=lambda: {"core": 0, "graphql": 0})


@dataclass(frozen=True, slots=True)
class Seen:
    """The organisation as one token sees it.

    Attributes:
        organisation: Everything.
        token: Who looks.
        web: Where addresses begin.
        api: Where REST addresses begin.
        reset: When what the token has used is forgotten, in seconds since 1970.
        commit_cap: How many commits of a pull request are shown at most.
    """

    organisation: Organisation
    token: Token
    web: str
    api: str
    reset: int
    commit_cap: int | None = None

    def repository(self, path: str) -> Repository | None:
        """A repository by its path, or one it had."""
        return self._visible(self.organisation.find(path))

    def by_id(self, id_: int) -> Repository | None:
        """A repository by its number."""
        return self._visible(self.organisation.repositories.get(id_))

    def all(self) -> list[Repository]:
        """Every repository to be seen."""
        return [one for one in self.organisation.repositories.values() if self._visible(one)]

    def _visible(self, one: Repository | None) -> Repository | None:
        """All repositories are private: a classic token without the scope sees none."""
        scopes = self.token.scopes
        hidden = one is None or "repository" in one.forbidden
        return None if hidden or (scopes is not None and "repo" not in scopes) else one

    def may(self, what: str, repository: Repository) -> bool:
        """Whether a kind of fact may be read there."""
        return what in self.token.may and what not in repository.forbidden

    def need(self, what: str, repository: Repository) -> None:
        """Go on only if a kind of fact may be read there.

        Raises:
            GraphQLError: It may not.
        """
        if not self.may(what, repository):
            raise GraphQLError("FORBIDDEN", FORBIDDEN)


def time(moment: datetime | None) -> str | None:
    """An instant as DateTime."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


_EAST = timezone(timedelta(hours=2))


def git_time(moment: datetime | None) -> str | None:
    """An instant as GitTimestamp, which keeps the offset it was made at."""
    return moment.astimezone(_EAST).isoformat() if moment else None


DEPLOYMENT_STATES: Mapping[str, str] = {
    "queued": "QUEUED",
    "running": "IN_PROGRESS",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "replaced": "INACTIVE",
}

REVIEW_STATES: Mapping[str, str] = {
    "approved": "APPROVED",
    "changes_requested": "CHANGES_REQUESTED",
    "commented": "COMMENTED",
    "dismissed": "DISMISSED",
}

CLOSING_REASONS: Mapping[str, str] = {
    "closed": "COMPLETED",
    "not_planned": "NOT_PLANNED",
    "duplicate": "DUPLICATE",
    "reopened": "REOPENED",
}

CONCLUSIONS: Mapping[str, str | None] = {
    "queued": None,
    "running": None,
    "succeeded": "success",
    "failed": "failure",
    "cancelled": "cancelled",
    "skipped": "skipped",
}
