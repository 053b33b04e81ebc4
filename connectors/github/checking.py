"""What `dora check` says of a GitHub source: tokens, repositories, what each rule would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.forge.checking import SAMPLE, SAMPLE_ROWS, Check
from connectors.forge.deploying import DeploymentRule, Target
from connectors.github import queries
from connectors.github.client import Client
from connectors.github.deploys import Deployments
from connectors.github.options import Options
from connectors.github.places import Places
from connectors.github.values import Place
from connectors.http.errors import Absent
from connectors.http.tokens import Token
from dora.connector import Finding, Unread
from dora.errors import SourceError
from dora.records import Deployment

_CLASSIC = {"repo", "public_repo"}
_RIGHTS = "Give the token that right; docs/sources.md lists what is needed."


def findings(name: str, options: Options, client: Client) -> Iterator[Finding]:
    """Everything worth saying, never failing."""
    good = 0
    for token in client.tokens:
        for finding in _token(name, options, client, token):
            good += finding.level == "ok"
            yield finding
    if not good:
        return
    try:
        found = Places(client, options).find({})
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
        return
    for note in found.notes:
        yield Finding("warning", name, note, "Correct what is named, or the token's rights.")
    if not found.places:
        yield Finding(
            "error",
            name,
            "No repository can be read.",
            "See that repositories, groups and exclude name what the token may see.",
        )
        return
    places = sorted(found.places.values(), key=lambda one: one.pull_changed or "", reverse=True)
    several = "repositories" if len(places) > 1 else "repository"
    yield Finding("ok", name, f"{len(places)} {several}, such as {places[0].path}")
    yield from _facts(name, options, client, places)


def _facts(name: str, options: Options, client: Client, places: list[Place]) -> Iterator[Finding]:
    """What the rules would take of some repositories, and what may not be read of the first."""
    check, looked = Check(name, _RIGHTS), places[:SAMPLE]

    def sample(rule: DeploymentRule) -> list[Deployment]:
        return [one for place in looked for one in _sample(client, options, rule, place)]

    yield from check.rules(options.rules, ", ".join(place.path for place in looked), sample)
    yield from check.rights(places[0].path, dict(_questions(options, client, places[0])))


def _token(name: str, options: Options, client: Client, token: Token) -> Iterator[Finding]:
    """Whether the host accepts a token, and whether it is good for more than what is public."""
    try:
        login, scopes = client.who(token)
    except Absent:  # an App is nobody; what it may read is seen below
        yield Finding("ok", name, f"{options.host}: {token.name} is accepted")
        return
    except SourceError as error:
        yield Finding("error", name, f"{token.name}: {error.message}", _renewed(error))
        return
    yield Finding("ok", name, f"{options.host}: {token.name} is accepted, as {login}'s")
    if scopes is not None and not _CLASSIC & set(scopes):
        yield Finding(
            "warning",
            name,
            f"{token.name} has the scopes {', '.join(scopes) or 'none'}: it sees public "
            "repositories only, and no deployments.",
            "Give it the scope repo, or use a fine-grained token; see docs/sources.md.",
        )


def _renewed(error: SourceError) -> str:
    if "401" in error.message:
        return "It has expired or was revoked: make a new one and put it into that variable."
    return error.hint


def _sample(
    client: Client, options: Options, rule: DeploymentRule, place: Place
) -> list[Deployment]:
    target = Target(options.environment, options.service)
    reading = Deployments(client, (rule,), target, options.since)
    found: list[Deployment] = []
    for item in reading.read(place, None, {}):
        if isinstance(item, Unread):
            raise Absent(item.reason, hint=_RIGHTS)
        if isinstance(item, Deployment):
            found.append(item)
            if len(found) >= SAMPLE_ROWS:
                break
    return found


def _questions(
    options: Options, client: Client, place: Place
) -> Iterator[tuple[str, Callable[[], object]]]:
    """A page of one row of each kind of fact."""
    variables = {"repository": place.id, "after": None, "size": 1}
    if options.pull_requests:
        yield "pull requests", lambda: client.ask(queries.PULL_REQUESTS, variables)
    if options.incidents is not None:
        yield "issues", lambda: client.ask(queries.ISSUES, variables)
    if options.builds:
        path = f"/repos/{place.path}/actions/runs"
        yield "builds", lambda: client.get(path, {"per_page": 1}, key="workflow_runs")
    if options.commits and place.head:
        history = {"repository": place.id, "oid": place.head, "after": None, "size": 1}
        yield "commits", lambda: client.ask(queries.HISTORY, history)
