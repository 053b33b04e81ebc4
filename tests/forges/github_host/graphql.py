"""GraphQL answers, executed by graphql-core on GitHub's own schema: nothing invalid passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import graphql
from graphql import DocumentNode, GraphQLResolveInfo

from tests.contracts.reading import github_schema
from tests.forges.github_host.costs import Cost, cost
from tests.forges.github_host.pulls import IssueView, PullRequestView
from tests.forges.github_host.repositories import DeploymentView, RepositoryView
from tests.forges.github_host.values import GraphQLError, Seen, time
from tests.forges.github_host.views import Account, CommitView, View


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gets, and what it cost."""

    body: dict[str, Any]
    cost: Cost


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[DocumentNode | None, tuple[str, ...]]:
    """A query, or why it is none."""
    try:
        document = graphql.parse(text)
    except graphql.GraphQLError as error:
        return None, (error.message,)
    faults = graphql.validate(github_schema(), document)
    return document, tuple(fault.message for fault in faults)


def answer(text: str, variables: Mapping[str, Any], seen: Seen) -> Answer:
    """What GitHub says to a query."""
    document, faults = _parsed(text)
    if document is None or faults:
        return _refused([{"message": message} for message in faults])
    schema = github_schema()
    try:
        asked = cost(schema, document, variables)
    except GraphQLError as error:
        return _refused([{"type": error.kind, "message": str(error)}])
    result = graphql.execute_sync(
        schema,
        document,
        root_value=_Root(seen, asked),
        variable_values=dict(variables),
        field_resolver=_resolve,
        type_resolver=_type_of,
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_said(error) for error in result.errors]
    return Answer(body, asked)


def _refused(errors: list[dict[str, Any]]) -> Answer:
    return Answer({"errors": errors}, Cost())


def _said(error: graphql.GraphQLError) -> dict[str, Any]:
    """An error in GitHub's form; what is no error of GitHub's is a fault of this host."""
    original = error.original_error
    if not isinstance(original, GraphQLError):
        raise AssertionError(f"the fake host cannot answer: {error}") from original
    locations = [{"line": one.line, "column": one.column} for one in error.locations or ()]
    return {
        "type": original.kind,
        "path": error.path,
        "locations": locations,
        "message": str(original),
    }


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """A field of what is shown; one that is not shown at all is a fault of this host."""
    name = info.field_name
    if isinstance(source, Mapping):
        return source[name]
    if not hasattr(source, name):
        raise AssertionError(f"the fake host does not show {type(source).__name__}.{name}")
    value = getattr(source, name)
    return value(info, **arguments) if callable(value) else value


def _type_of(value: Any, *_: Any) -> str:
    assert isinstance(value, View)
    return value.type_name


class _Root:
    """What queries start from."""

    def __init__(self, seen: Seen, asked: Cost) -> None:
        self._seen = seen
        self._asked = asked

    def viewer(self, info: Any) -> Account:
        """Whose token it is."""
        if self._seen.token.app:
            raise GraphQLError("FORBIDDEN", "Resource not accessible by integration")
        return Account(self._seen, self._seen.token.login, "User")

    def rateLimit(self, info: Any, **arguments: Any) -> dict[str, Any]:
        """What the query costs, and what is left."""
        token = self._seen.token
        used = token.used["graphql"] + self._asked.points
        return {
            "cost": self._asked.points,
            "limit": token.limit,
            "nodeCount": self._asked.nodes,
            "remaining": max(0, token.limit - used),
            "used": used,
            "resetAt": time(datetime.fromtimestamp(self._seen.reset, UTC)),
        }

    def repository(self, info: Any, owner: str, name: str, **arguments: Any) -> Any:
        """A repository by its name, or by one it had."""
        path = f"{owner}/{name}"
        found = self._seen.repository(path)
        renamed = found is not None and found.path.casefold() != path.casefold()
        if found is None or (renamed and not arguments["followRenames"]):
            raise GraphQLError(
                "NOT_FOUND", f"Could not resolve to a Repository with the name '{path}'."
            )
        return RepositoryView(self._seen, found)

    def repositoryOwner(self, info: Any, login: str) -> Account | None:
        """An organisation or a user."""
        owners = {one.owner.casefold(): one.owner for one in self._seen.all()}
        found = owners.get(login.casefold())
        return Account(self._seen, found, "Organization") if found else None

    def organization(self, info: Any, login: str) -> Account:
        """An organisation."""
        found = self.repositoryOwner(info, login)
        if found is None:
            raise GraphQLError(
                "NOT_FOUND", f"Could not resolve to an Organization with the login of '{login}'."
            )
        return found

    def node(self, info: Any, id: str) -> View:
        """Anything by its id."""
        return self._node(id)

    def nodes(self, info: Any, ids: list[str]) -> list[Any]:
        """Several things by their ids; those that are not there are told one by one."""
        return [self._node_or_error(one) for one in ids]

    def _node_or_error(self, id_: str) -> Any:
        try:
            return self._node(id_)
        except GraphQLError as error:
            return error

    def _node(self, id_: str) -> View:
        found = self._find(id_)
        if found is None:
            raise GraphQLError(
                "NOT_FOUND", f"Could not resolve to a node with the global id of '{id_}'"
            )
        return found

    def _find(self, id_: str) -> View | None:
        kind, *rest = id_.split("_")
        if kind == "DE":
            return self._deployment(int(rest[0]))
        repository = self._seen.by_id(int(rest[0])) if rest and rest[0].isdigit() else None
        if repository is None:
            return None
        if kind == "R":
            return RepositoryView(self._seen, repository)
        if kind == "C" and rest[1] in repository.commits:
            return CommitView(self._seen, repository, repository.commits[rest[1]])
        if kind == "PR" and int(rest[1]) in repository.pulls:
            return PullRequestView(self._seen, repository, repository.pulls[int(rest[1])])
        if kind == "I" and int(rest[1]) in repository.issues:
            return IssueView(self._seen, repository, repository.issues[int(rest[1])])
        return None

    def _deployment(self, number: int) -> DeploymentView | None:
        for repository in self._seen.all():
            if number in repository.deployments:
                self._seen.need("deployments", repository)
                return DeploymentView(self._seen, repository, repository.deployments[number])
        return None
