"""What `dora check` says of a GitHub source: token, repositories, and what each rule would take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.github import queries
from connectors.github.client import Client
from connectors.github.deploys import Deployments
from connectors.github.judging import Absent
from connectors.github.options import Options
from connectors.github.places import Places
from connectors.github.values import Place
from dora.connector import Finding
from dora.errors import SourceError
from dora.records import Deployment

SAMPLE = 3
"""Repositories whose deployments are looked at."""

SAMPLE_ROWS = 20
"""Deployments of each rule that are looked at."""

_CLASSIC = {"repo", "public_repo"}


def findings(name: str, options: Options, client: Client) -> Iterator[Finding]:
    """Everything worth saying, never failing."""
    try:
        login, scopes = client.who()
        yield Finding("ok", name, f"{options.host}: the token of {login} is good.")
        if scopes is not None and not _CLASSIC & set(scopes):
            yield Finding(
                "warning",
                name,
                f"The token has the scopes {', '.join(scopes) or 'none'}: it sees public "
                "repositories only.",
                "Give it the scope repo, or use a fine-grained token; see docs/sources.md.",
            )
        found = Places(client, options).find({})
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
        return
    for note in found.notes:
        yield Finding("warning", name, note, "Correct repositories, or give the token the right.")
    if not found.places:
        yield Finding(
            "error",
            name,
            "No repository can be read.",
            "See that repositories, groups and exclude name what the token may see.",
        )
        return
    places = sorted(found.places.values(), key=lambda place: place.changed or "", reverse=True)
    yield Finding("ok", name, f"{len(places)} repositories, such as {places[0].path}.")
    yield from _rules(name, options, client, places[:SAMPLE])
    yield from _rights(name, options, client, places[0])


def _rules(name: str, options: Options, client: Client, places: list[Place]) -> Iterator[Finding]:
    if not options.rules:
        yield Finding(
            "warning", name, "No rule says what was deployed.", 'Add deployments = ["deployments"].'
        )
    for rule in options.rules:
        taken: list[Deployment] = []
        reading = Deployments(client, (rule,), options.environment, options.service, options.since)
        try:
            for place in places:
                taken += _sample(reading, place)
        except SourceError as error:
            yield Finding("error", name, f"{rule}: {error.message}", error.hint)
            continue
        if taken:
            yield Finding("ok", name, f"{rule}: takes {_said(taken)}.")
        else:
            looked = ", ".join(place.path for place in places)
            yield Finding(
                "warning", name, f"{rule}: takes nothing in {looked}.", "Correct or drop the rule."
            )


def _sample(reading: Deployments, place: Place) -> list[Deployment]:
    taken: list[Deployment] = []
    for item in reading.read(place, None):
        if isinstance(item, Deployment):
            taken.append(item)
        if len(taken) >= SAMPLE_ROWS:
            break
    return taken


def _said(taken: list[Deployment]) -> str:
    environments = sorted({one.environment for one in taken})
    good = sum(one.status == "succeeded" for one in taken)
    newest = max(taken, key=lambda one: (one.finished_at is not None, str(one.finished_at)))
    return (
        f"{len(taken)} of a sample to {', '.join(environments)}, {good} succeeded, "
        f"such as {newest.name or newest.id}"
    )


def _rights(name: str, options: Options, client: Client, place: Place) -> Iterator[Finding]:
    """Whether each kind of fact may be read, by a page of one row."""
    asked: dict[str, str] = {}
    if options.pull_requests:
        asked["pull requests"] = queries.PULL_REQUESTS
    if options.incidents is not None:
        asked["issues"] = queries.ISSUES
    for what, query in asked.items():
        yield from _may(name, place, what, lambda q=query: _one(client, q, place))
    if options.builds:
        path = f"/repos/{place.path}/actions/runs"
        yield from _may(
            name, place, "builds", lambda: client.get(path, {"per_page": 1}, key="workflow_runs")
        )


def _one(client: Client, query: str, place: Place) -> Any:
    return client.ask(query, {"repository": place.id, "after": None, "size": 1})


def _may(name: str, place: Place, what: str, ask: Any) -> Iterator[Finding]:
    try:
        ask()
    except Absent as error:
        yield Finding(
            "warning",
            name,
            f"{place.path}: {what} may not be read ({error.message}).",
            "Give the token that right; docs/sources.md lists them.",
        )
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
