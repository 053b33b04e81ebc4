"""The addresses of the REST API that are served, and what each gives from the scenario."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import unquote

from tests.forges.facts import Commit
from tests.forges.gitlab_host import rows
from tests.forges.gitlab_host.paging import BadRequest, Query, Rows
from tests.forges.organisation import Organisation, Repository

JSON: TypeAlias = dict[str, Any]


VERY_MANY = 2_000
"""As many things of a project are only made for load; they do not change."""


class NotFound(Exception):
    """There is no such thing, or it is not to be seen."""


class Forbidden(Exception):
    """The project may be seen, this fact of it may not."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be shown, with what lists are ordered and filtered by."""

    id: int
    updated_at: datetime
    made: Callable[[], JSON]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for something of a project.

    Attributes:
        organisation: Everything on the host.
        repository: The project.
        query: The parameters.
        found: The parts of the path.
        address: The host's own address.
        off: What is switched off in it.
        indexes: Very long lists in order, by project and kind.
        said: What rows say otherwise, by kind and number.
    """

    organisation: Organisation
    repository: Repository
    query: Query
    found: tuple[str, ...]
    address: str
    off: Collection[str] = ()
    indexes: dict[tuple[int, str], list[Row]] = field(default_factory=dict)
    said: Mapping[tuple[str, int], JSON] = field(default_factory=dict)


Give: TypeAlias = "Callable[[Asked], Rows | JSON]"


def precise(moment: datetime, id_: int) -> datetime:
    """The database's own time, finer than the milliseconds that are shown."""
    return moment + timedelta(microseconds=id_ % 997)


def merge_requests(asked: Asked) -> Rows:
    """The merge requests of a project."""
    _only(asked, "state", ("all",))
    return _changing(asked, asked.repository.pulls, rows.merge_request)


def _made(
    make: Callable[..., JSON], asked: Asked, things: Mapping[int, Any], number: int
) -> Callable[[], JSON]:
    said = asked.said.get((make.__name__, number), {})
    return lambda: make(asked.repository, things[number], asked.address) | said


def _only(asked: Asked, name: str, allowed: tuple[str, ...]) -> None:
    if asked.query.get(name, allowed[0]) not in allowed:
        raise BadRequest(f"{name} does not have a valid value")


def _changing(asked: Asked, things: Mapping[int, Any], make: Callable[..., JSON]) -> Rows:
    """Rows by the time they were changed, as filters and order ask for."""
    query = asked.query
    by_time = query.get("order_by") == "updated_at"
    kept = _indexed(asked, things, make)
    first, last = 0, len(kept)
    if "updated_after" in query:
        first = bisect_left(kept, _instant(query["updated_after"]), key=_updated)
    if "updated_before" in query:
        last = bisect_right(kept, _instant(query["updated_before"]), key=_updated)
    found = kept[first:last]
    if not by_time:
        found.sort(key=lambda one: one.id)
    return Rows(found if query.get("sort", "desc") == "asc" else found[::-1])


def _updated(row: Row) -> datetime:
    return row.updated_at


def _indexed(asked: Asked, things: Mapping[int, Any], make: Callable[..., JSON]) -> list[Row]:
    """Rows in order of their changes; of very many, which never change, remembered."""
    place = (asked.repository.id, make.__name__)
    known = asked.indexes.get(place)
    if known is not None:
        return known
    found = [
        Row(one.id, precise(one.updated_at, one.id), _made(make, asked, things, number))
        for number, one in things.items()
    ]
    found.sort(key=lambda one: (one.updated_at, one.id))
    if len(found) >= VERY_MANY:
        asked.indexes[place] = found
    return found


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest("a date is invalid") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def merge_request_commits(asked: Asked) -> Rows:
    """The commits of a merge request, the newest first, without parents."""
    pull = _one(asked.repository.pulls, asked.found[0])
    shas = reversed(rows.landed_on(asked.repository, pull))
    return Rows([rows.commit(asked.repository.commits[sha], bare=True) for sha in shas])


def merge_request_notes(asked: Asked) -> Rows:
    """What was said of a merge request."""
    listed = rows.notes(_one(asked.repository.pulls, asked.found[0]))
    return Rows(listed if asked.query.get("sort") == "asc" else listed[::-1])


def merge_request_approvals(asked: Asked) -> JSON:
    """Who approves a merge request."""
    return rows.approvals(_one(asked.repository.pulls, asked.found[0]))


def _one(things: dict[int, Any], text: str) -> Any:
    if int(text) not in things:
        raise NotFound("404 Not found")
    return things[int(text)]


def deployments(asked: Asked) -> Rows:
    """The deployments; a filter by time and the order by it must go together."""
    ordered = asked.query.get("order_by") == "updated_at"
    filtered = bool({"updated_after", "updated_before"} & set(asked.query))
    if ordered != filtered:
        raise BadRequest("`updated_at` filter and `updated_at` sorting must be paired")
    return _changing(asked, asked.repository.deployments, rows.deployment)


def environments(asked: Asked) -> Rows:
    """The environments that were ever deployed to."""
    names = {one.environment for one in asked.repository.deployments.values()}
    return Rows([rows.environment(name) for name in sorted(names)])


def pipelines(asked: Asked) -> Rows:
    """The pipelines of a project."""
    return _changing(asked, asked.repository.runs, rows.pipeline)


def pipeline_jobs(asked: Asked) -> Rows:
    """The jobs of a pipeline; those that were retried only if asked for."""
    run = _one(asked.repository.runs, asked.found[0])
    kept = {job.name: job for job in run.jobs}
    every = asked.query.get("include_retried") == "true"
    shown = run.jobs if every else kept.values()
    return Rows([rows.job(asked.repository, run, one, asked.address) for one in shown])


def jobs(asked: Asked) -> Rows:
    """All jobs of a project, retried ones too, the newest first."""
    repository = asked.repository
    every = [(run, one) for run in repository.runs.values() for one in run.jobs]
    listed = [
        Row(one.id, run.updated_at, lambda r=run, o=one: rows.job(repository, r, o, asked.address))
        for run, one in every
    ]
    listed.sort(key=lambda row: -row.id)
    return Rows(listed, counted=False, keyset="id")


def issues(asked: Asked) -> Rows:
    """The issues of a project."""
    return _changing(asked, asked.repository.issues, rows.issue)


def issue_events(asked: Asked) -> Rows:
    """The closings and reopenings of an issue."""
    return Rows(rows.state_events(_one(asked.repository.issues, asked.found[0])))


def branches(asked: Asked) -> Rows:
    """The branches by name."""
    repository = asked.repository
    return Rows(
        [
            rows.branch(name, repository.commits[sha])
            for name, sha in sorted(repository.branches.items())
        ]
    )


def one_branch(asked: Asked) -> JSON:
    """One branch."""
    name = unquote(asked.found[0])
    if name not in asked.repository.branches:
        raise NotFound("404 Branch Not Found")
    return rows.branch(name, asked.repository.commits[asked.repository.branches[name]])


def commits(asked: Asked) -> Rows:
    """The commits behind a ref, or of a range, the newest first; never counted."""
    repository, query = asked.repository, asked.query
    wanted = query.get("ref_name", repository.default_branch)
    old, dots, new = wanted.rpartition("..")
    head = _resolve(repository, new if dots else wanted)
    hidden = {one.sha for one in repository.history(_resolve(repository, old))} if dots else set()
    if query.get("first_parent") == "true":
        listed = _first_parents(repository, head)
    else:
        listed = repository.history(head)
    since = _instant(query["since"]) if "since" in query else None
    if not hidden and since is None:
        return Rows(Shown(listed, rows.commit), counted=False)
    return Rows(
        [
            rows.commit(one)
            for one in listed
            if one.sha not in hidden and (since is None or one.committed_at >= since)
        ],
        counted=False,
    )


@dataclass(frozen=True, slots=True)
class Shown(Sequence[JSON]):
    """A list whose rows are made when they are looked at."""

    things: Sequence[Any]
    make: Callable[[Any], JSON]

    def __len__(self) -> int:
        return len(self.things)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self.make(one) for one in self.things[place]]
        return self.make(self.things[place])


def _resolve(repository: Repository, name: str) -> str:
    sha = repository.branches.get(name, name)
    if sha not in repository.commits:
        raise NotFound("404 Commit Not Found")
    return sha


def _first_parents(repository: Repository, head: str) -> list[Commit]:
    found = [repository.commits[head]]
    while found[-1].parents:
        found.append(repository.commits[found[-1].parents[0]])
    return found


def merge_base(asked: Asked) -> JSON:
    """The newest commit that is behind both."""
    first, second = (_resolve(asked.repository, name) for name in asked.query["refs[]"].split("\0"))
    behind = {one.sha for one in asked.repository.history(first)}
    for one in asked.repository.history(second):
        if one.sha in behind:
            return rows.commit(one)
    raise NotFound("404 Merge Base Not Found")


def tags(asked: Asked) -> Rows:
    """The tags, the newest first."""
    repository = asked.repository
    made = sorted(
        repository.tags.values(),
        key=lambda one: (one.tagged_at or repository.commits[one.sha].committed_at, one.name),
        reverse=True,
    )
    return Rows([rows.tag(one, repository.commits[one.sha]) for one in made])


def releases(asked: Asked) -> Rows:
    """The releases, the newest first; GitLab knows no drafts."""
    shown = [one for one in asked.repository.releases.values() if not one.draft]
    shown.sort(key=lambda one: (str(one.published_at), one.id), reverse=True)
    return Rows([rows.release(asked.repository, one, asked.address) for one in shown])


ROUTES: tuple[tuple[re.Pattern[str], str, Give], ...] = tuple(
    (re.compile(pattern), fact, give)
    for pattern, fact, give in (
        (r"/merge_requests", "pull_requests", merge_requests),
        (r"/merge_requests/(\d+)/commits", "pull_requests", merge_request_commits),
        (r"/merge_requests/(\d+)/notes", "pull_requests", merge_request_notes),
        (r"/merge_requests/(\d+)/approvals", "pull_requests", merge_request_approvals),
        (r"/deployments", "deployments", deployments),
        (r"/environments", "deployments", environments),
        (r"/pipelines", "runs", pipelines),
        (r"/pipelines/(\d+)/jobs", "runs", pipeline_jobs),
        (r"/jobs", "runs", jobs),
        (r"/issues", "issues", issues),
        (r"/issues/(\d+)/resource_state_events", "issues", issue_events),
        (r"/repository/branches", "commits", branches),
        (r"/repository/branches/([^/]+)", "commits", one_branch),
        (r"/repository/commits", "commits", commits),
        (r"/repository/merge_base", "commits", merge_base),
        (r"/repository/tags", "commits", tags),
        (r"/releases", "releases", releases),
    )
)
"""Below a project: path, the fact whose permission it takes, and what it gives."""


def of_project(asked: Asked, rest: str) -> Rows | JSON:
    """What is asked of a project."""
    if not rest:
        return rows.project(asked.repository, asked.address, asked.off)
    for pattern, fact, give in ROUTES:
        match = pattern.fullmatch(rest)
        if match:
            if fact in asked.repository.forbidden or rest.split("/")[1] in asked.off:
                raise Forbidden("403 Forbidden")
            return give(replace(asked, found=match.groups()))
    raise NotFound("404 Not Found")


def seen(organisation: Organisation, query: Query, owner: str | None) -> Iterator[Repository]:
    """The projects that a list has: of a group with its subgroups, or all."""
    for repository in organisation.repositories.values():
        if "repository" in repository.forbidden:
            continue
        within = f"{repository.owner}/".casefold().startswith(f"{owner}/".casefold())
        if owner is not None and not within:
            continue
        if query.get("archived") == "false" and repository.archived:
            continue
        yield repository


OF_GROUPS: Mapping[str, tuple[str, Give]] = {
    "/merge_requests": ("pull_requests", merge_requests),
    "/issues": ("issues", issues),
}
"""Lists that there are for whole groups, too."""


def of_group(asked: Sequence[Asked], path: str) -> Rows:
    """A list of all of a group's projects that may be seen; archived ones only if asked for."""
    fact, give = OF_GROUPS[path]
    found: list[Row] = []
    for one in asked:
        hidden = one.repository.archived and one.query.get("non_archived", "true") == "true"
        if not hidden and fact not in one.repository.forbidden and path[1:] not in one.off:
            listed = give(one)
            assert isinstance(listed, Rows)
            found += listed.rows
    found.sort(key=lambda row: (row.updated_at, row.id), reverse=True)
    return Rows(found)
