"""What REST answers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.forges import facts
from tests.forges.github_host.values import FORBIDDEN, Seen
from tests.forges.organisation import Repository

Query: TypeAlias = Mapping[str, str]

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True, slots=True)
class Reply:
    """A REST answer.

    Attributes:
        body: JSON.
        status: HTTP's.
        template: The path as GitHub describes it.
        location: Where it is instead.
        pages: How many pages the list has.
    """

    body: Any
    status: int = 200
    template: str = ""
    location: str | None = None
    pages: int = 1


def not_found() -> Reply:
    """There is no such thing, or it is not to be seen."""
    return Reply({"message": "Not Found", "documentation_url": DOCS, "status": "404"}, 404)


def forbidden() -> Reply:
    """It is there but not for this token."""
    return Reply({"message": FORBIDDEN, "documentation_url": DOCS, "status": "403"}, 403)


def paged(rows: list[Any], query: Query, key: str, total: int | None = None) -> Reply:
    """One page of a list, with how many pages there are."""
    size = min(int(query.get("per_page", 30)), 100)
    number = int(query.get("page", 1))
    count = len(rows) if total is None else total
    body = {"total_count": count, key: rows[(number - 1) * size : number * size]}
    return Reply(body, pages=-(-len(rows) // size))


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def account(seen: Seen, person: facts.Person | None) -> dict[str, Any]:
    """A simple user; GitHub shows a deleted one as `ghost`."""
    login = person.login if person and person.login else "ghost"
    name = f"{login}[bot]" if person and person.bot else login
    api = f"{seen.api}/users/{name}"
    links = words(
        "followers_url following_url gists_url starred_url subscriptions_url organizations_url"
        " repos_url events_url received_events_url"
    )
    return {
        "login": name,
        "id": sum(map(ord, name)),
        "node_id": f"U_{name}",
        "avatar_url": f"{seen.web}/{name}.png",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{seen.web}/{name}",
        **{link: f"{api}/{link.removesuffix('_url')}" for link in links},
        "type": "Bot" if person and person.bot else "User",
        "site_admin": False,
    }


def repository(seen: Seen, one: Repository) -> dict[str, Any]:
    """A minimal repository, with what tells how it stands."""
    api = f"{seen.api}/repos/{one.path}"
    links = words(
        "archive assignees blobs branches collaborators comments commits compare contents"
        " contributors deployments downloads events forks git_commits git_refs git_tags hooks"
        " issue_comment issue_events issues keys labels languages merges milestones notifications"
        " pulls releases stargazers statuses subscribers subscription tags teams trees"
    )
    return {
        "id": one.id,
        "node_id": f"R_{one.id}",
        "name": one.name,
        "full_name": one.path,
        "owner": account(seen, facts.Person(one.owner, one.owner, "")),
        "private": True,
        "html_url": f"{seen.web}/{one.path}",
        "description": None,
        "fork": one.fork,
        "url": api,
        **{f"{link}_url": f"{api}/{link}" for link in links},
    }
