"""What `dora check` says of a GitLab source: token, projects, and what each rule would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

from connectors.forge.checking import SAMPLE, SAMPLE_ROWS, Check
from connectors.forge.deploying import DeploymentRule, Target
from connectors.gitlab.client import Client
from connectors.gitlab.deploys import Deployments
from connectors.gitlab.options import Options
from connectors.gitlab.projects import Projects
from connectors.gitlab.values import JSON, Project
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Finding
from dora.errors import SourceError
from dora.records import Deployment

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
    yield from _facts(name, options, client, projects)


def _facts(
    name: str, options: Options, client: Client, projects: list[Project]
) -> Iterator[Finding]:
    """What the rules would take of some projects, and what may not be read of the first."""
    check, looked = Check(name, _SCOPE_HINT), projects[:SAMPLE]

    def sample(rule: DeploymentRule) -> Iterator[Deployment]:
        target = Target(options.environment, options.service)
        reading = Deployments(client, (rule,), target, options.since)
        for project in looked:
            yield from _sample(reading, project)

    yield from check.rules(options.rules, ", ".join(project.path for project in looked), sample)
    yield from check.rights(projects[0].path, dict(_questions(options, client, projects[0])))


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


def _sample(reading: Deployments, project: Project) -> Iterator[Deployment]:
    """The first deployments of the newest page."""
    taken = 0
    for item in reading.read(project, None):
        if isinstance(item, Checkpoint) or taken >= SAMPLE_ROWS:
            return
        if isinstance(item, Deployment):
            taken += 1
            yield item


def _questions(
    options: Options, client: Client, project: Project
) -> Iterator[tuple[str, Callable[[], object]]]:
    """A page of one row of each kind of fact."""
    kinds = {
        "commits": (options.commits, "/repository/commits"),
        "merge requests": (options.merge_requests, "/merge_requests"),
        "issues": (options.incidents is not None, "/issues"),
        "pipelines": (options.builds, "/pipelines"),
    }
    for what, (wanted, path) in kinds.items():
        if wanted:
            yield what, partial(client.page, f"{project.api}{path}", {"per_page": 1})
