"""What `dora check` says of a GitLab source: token, projects, and what each rule would take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from connectors.forge.deploying import Target
from connectors.gitlab.client import Client
from connectors.gitlab.deploys import Deployments
from connectors.gitlab.options import Options
from connectors.gitlab.projects import Projects
from connectors.gitlab.values import JSON, Project
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Finding
from dora.errors import SourceError
from dora.records import Deployment

SAMPLE = 3
"""Projects whose deployments are looked at."""

SAMPLE_ROWS = 20
"""Deployments of each rule that are looked at."""

SOON = timedelta(days=14)
"""How long before its end a token is warned of."""

_ENOUGH = {"api", "read_api"}
_SCOPE_HINT = "Give it the scope read_api, and the role Reporter in what it is to read."


def findings(name: str, options: Options, client: Client) -> Iterator[Finding]:
    """Everything worth saying, never failing."""
    try:
        for finding in _token(name, options, client):
            yield finding
            if finding.level == "error":
                return
        found = Projects(client, options).find({})
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
        return
    for note in found.notes:
        yield Finding("warning", name, note, "Correct projects, or give the token the right.")
    if not found.projects:
        yield Finding(
            "error",
            name,
            "No project can be read.",
            "See that projects, groups and exclude name what the token may see.",
        )
        return
    projects = sorted(found.projects.values(), key=lambda one: one.active, reverse=True)
    yield Finding("ok", name, f"{len(projects)} projects, such as {projects[0].path}.")
    yield from _rules(name, options, client, projects[:SAMPLE])
    yield from _rights(name, options, client, projects[0])


def _token(name: str, options: Options, client: Client) -> Iterator[Finding]:
    """How the token stands, by its own word; an older host, or another kind of token, says none.

    Raises:
        SourceError: The host does not accept it, or cannot be reached.
    """
    try:
        told = client.get("/personal_access_tokens/self")
    except Absent:
        yield Finding("ok", name, f"{options.home}: the token is accepted.")
        return
    scopes = [str(scope) for scope in told.get("scopes") or []]
    if scopes and not _ENOUGH & set(scopes):
        yield Finding(
            "error",
            name,
            f"{options.home}: the token has the scopes {', '.join(scopes)}, which do not let it"
            " read the API.",
            _SCOPE_HINT,
        )
        return
    yield Finding("ok", name, f"{options.home}: the token {told.get('name', '')!r} is good.")
    yield from _ending(name, told)


def _ending(name: str, told: JSON) -> Iterator[Finding]:
    ends = told.get("expires_at")
    left = date.fromisoformat(ends) - datetime.now(UTC).date() if ends else None
    if left is not None and left <= SOON:
        yield Finding(
            "warning",
            name,
            f"The token ends on {ends}, in {max(0, left.days)} days.",
            "Make a new one before that, or let it be rotated.",
        )


def _rules(
    name: str, options: Options, client: Client, projects: list[Project]
) -> Iterator[Finding]:
    if not options.rules:
        yield Finding(
            "warning", name, "No rule says what was deployed.", 'Add deployments = ["deployments"].'
        )
    looked = ", ".join(project.path for project in projects)
    for rule in options.rules:
        target = Target(options.environment, options.service)
        reading = Deployments(client, (rule,), target, options.since)
        try:
            taken = [one for project in projects for one in _sample(reading, project)]
        except Absent as error:
            yield Finding(
                "warning",
                name,
                f"{rule}: {looked} may not be asked ({error.message}).",
                _SCOPE_HINT,
            )
            continue
        except SourceError as error:
            yield Finding("error", name, f"{rule}: {error.message}", error.hint)
            continue
        if taken:
            yield Finding("ok", name, f"{rule}: takes {_said(taken)}.")
        else:
            yield Finding(
                "warning",
                name,
                f"{rule}: takes nothing of the newest in {looked}.",
                "Correct or drop the rule.",
            )


def _sample(reading: Deployments, project: Project) -> Iterator[Deployment]:
    """The first deployments of the newest page."""
    taken = 0
    for item in reading.read(project, None):
        if isinstance(item, Checkpoint) or taken >= SAMPLE_ROWS:
            return
        if isinstance(item, Deployment):
            taken += 1
            yield item


def _said(taken: list[Deployment]) -> str:
    environments = sorted({one.environment for one in taken})
    good = sum(one.status == "succeeded" for one in taken)
    newest = max(taken, key=lambda one: str(one.finished_at or ""))
    return (
        f"{len(taken)} of a sample to {', '.join(environments)}, {good} succeeded, "
        f"such as {newest.name or newest.id}"
    )


def _rights(name: str, options: Options, client: Client, project: Project) -> Iterator[Finding]:
    """Whether each kind of fact may be read, by a page of one row."""
    asked: dict[str, str] = {}
    if options.commits:
        asked["commits"] = "/repository/commits"
    if options.merge_requests:
        asked["merge requests"] = "/merge_requests"
    if options.incidents is not None:
        asked["issues"] = "/issues"
    if options.builds:
        asked["pipelines"] = "/pipelines"
    for what, path in asked.items():
        yield from _may(name, client, project, what, path)


def _may(name: str, client: Client, project: Project, what: str, path: str) -> Iterator[Finding]:
    try:
        client.page(f"{project.api}{path}", {"per_page": 1})
    except Absent as error:
        yield Finding(
            "warning",
            name,
            f"{project.path}: {what} may not be read ({error.message}).",
            _SCOPE_HINT,
        )
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
