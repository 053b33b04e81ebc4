"""What `dora check` says of a GitHub source: tokens, repositories, what each rule would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from connectors.forge.deploying import DeploymentRule, Target, Trust
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

SAMPLE = 3
"""Repositories whose deployments are looked at."""

SAMPLE_ROWS = 20
"""Deployments of a rule that are looked at in each."""

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
    yield from _rules(name, options, client, places[:SAMPLE])
    yield from _rights(name, options, client, places[0])


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


def _rules(name: str, options: Options, client: Client, places: list[Place]) -> Iterator[Finding]:
    if not options.rules:
        yield Finding(
            "warning", name, "No rule says what was deployed.", 'Add deployments = ["deployments"].'
        )
    looked = ", ".join(place.path for place in places)
    together = _Together(options.rules)
    for rule in options.rules:
        try:
            taken = [one for place in places for one in _sample(client, options, rule, place)]
        except Absent as error:
            yield Finding("warning", name, f"{rule} may not be read: {error.message}.", _RIGHTS)
        except SourceError as error:
            yield Finding("error", name, f"{rule}: {error.message}", error.hint)
        else:
            if taken:
                told = together.told(rule, taken)
                twice = f"; {told} of them are told by a rule before it, and count once" * bool(
                    told
                )
                yield Finding("ok", name, f"{rule} takes, in {looked}: {_said(taken)}{twice}")
            else:
                yield Finding(
                    "warning", name, f"{rule} takes nothing in {looked}.", "Correct or drop it."
                )


class _Together:
    """Sees how many of the deployments that a rule takes another one before it tells of."""

    def __init__(self, rules: tuple[DeploymentRule, ...]) -> None:
        self._rules = rules
        self._trusts: dict[str, Trust] = {}
        self._versions: set[tuple[str, str, str | None]] = set()

    def told(self, rule: DeploymentRule, taken: list[Deployment]) -> int:
        """How many are told already; asked rule by rule, in their order."""
        told = 0
        for one in taken:
            trust = self._trusts.setdefault(one.repository, Trust.of(self._rules, None))
            version = one.repository, one.environment, one.sha
            known = rule.signal == "versions" and version in self._versions
            told += known or not trust.believes(one, rule)
        if rule.signal == "versions":
            self._versions |= {(one.repository, one.environment, one.sha) for one in taken}
        return told


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


def _said(taken: list[Deployment]) -> str:
    """What a rule takes: how many of which status to which environment, and the newest of them."""
    counts = Counter((one.environment, one.status) for one in taken)
    listed = ", ".join(
        f"{n} {status} to {environment}" for (environment, status), n in sorted(counts.items())
    )
    newest = max(taken, key=lambda one: str(one.finished_at or one.started_at or ""))
    at = newest.finished_at or newest.started_at
    when = f" of {at:%Y-%m-%d %H:%M}" if at else ""
    return f"{listed}; the newest is {newest.name or newest.id}{when}"


def _rights(name: str, options: Options, client: Client, place: Place) -> Iterator[Finding]:
    """Whether each kind of fact may be read, by a page of one row."""
    variables = {"repository": place.id, "after": None, "size": 1}
    asked: list[tuple[str, Callable[[], object]]] = []
    if options.pull_requests:
        asked.append(("pull requests", lambda: client.ask(queries.PULL_REQUESTS, variables)))
    if options.incidents is not None:
        asked.append(("issues", lambda: client.ask(queries.ISSUES, variables)))
    if options.builds:
        path = f"/repos/{place.path}/actions/runs"
        asked.append(("builds", lambda: client.get(path, {"per_page": 1}, key="workflow_runs")))
    if options.commits and place.head:
        history = {"repository": place.id, "oid": place.head, "after": None, "size": 1}
        asked.append(("commits", lambda: client.ask(queries.HISTORY, history)))
    for what, ask in asked:
        try:
            ask()
        except Absent as error:
            yield Finding(
                "warning", name, f"{place.path}: {what} may not be read: {error.message}.", _RIGHTS
            )
        except SourceError as error:
            yield Finding("error", name, error.message, error.hint)
