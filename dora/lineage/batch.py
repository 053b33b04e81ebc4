"""One batch of repositories as arrays: read from the store, walked, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dora.lineage.graph import UNCLAIMED, UNKNOWN, Ancestry, Graph
from dora.lineage.stream import Outcome, Stream, Walk, walk
from dora.lineage.tables import DEPLOYED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Integers: TypeAlias = NDArray[np.int64]

OUTCOMES: tuple[Outcome, ...] = ("baseline", "delivered", "nothing", "unknown")
_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}
_DELIVERED, _NOTHING = _CODES["delivered"], _CODES["nothing"]

SHORTEST = 7
"""Hexadecimal digits that a shortened object id needs at least."""

_COMMITS = """
create or replace temp table lineage_commits as
select t.repo, c.commit_id, c.sha, c.parents
from commits c join lineage_todo t on t.repository = c.repository
where t.batch = ? and c.commit_id between ? and ?
"""

_FIRST_PARENTS = """
select c.commit_id as child, p.commit_id as parent
from lineage_commits c
join lineage_commits p on p.repo = c.repo and p.sha = split_part(c.parents, ' ', 1)
where c.parents <> ''
"""

_OTHER_PARENTS = """
select c.child, p.commit_id as parent
from (select commit_id as child, repo, unnest(string_split(parents, ' ')[2:]) as sha
    from lineage_commits where contains(parents, ' ')) c
join lineage_commits p on p.repo = c.repo and p.sha = c.sha
"""

_HEADS = """
select t.repo, c.commit_id as head
from repositories r
join lineage_todo t on t.repository = r.repository and t.batch = ?
join lineage_commits c on c.repo = t.repo and c.sha = r.head_sha
"""

# Two tables in turn: one batch is read while the one before it is still to be written.
_DEPLOYMENTS = f"""
create or replace temp table {{deployments}} as
select row_number() over (order by d.finished_at, d.id, d.source) - 1 as n,
    t.repo, d.repository, d.environment, coalesce(d.service, '') as stated,
    coalesce(d.name, '') as name, d.source, d.id,
    d.finished_at, d.sha, lower(trim(d.sha)) as wanted, d.inferred, c.commit_id
from (from deployments where {DEPLOYED}) d
join lineage_todo t on t.repository = d.repository and t.batch = ?
left join lineage_commits c on c.repo = t.repo and c.sha = lower(trim(d.sha))
"""

# The first digits are compared for equality so that this is a hash join.
_SHORTENED = f"""
update {{deployments}} set commit_id = found.commit_id from (
    select d.n, min(c.commit_id) as commit_id
    from {{deployments}} d join lineage_commits c
    on c.repo = d.repo and left(c.sha, {SHORTEST}) = left(d.wanted, {SHORTEST})
    and starts_with(c.sha, d.wanted)
    where d.commit_id is null and length(d.wanted) >= {SHORTEST}
    group by d.n having count(*) = 1
) as found where found.n = {{deployments}}.n
"""

_STREAMS = """
select s.stream, d.repo, d.n, coalesce(d.commit_id, 0) as commit_id,
    epoch_us(d.finished_at) as finished, coalesce(d.inferred, false) as inferred
from {deployments} d
join (select distinct repository, stated, name, environment, service from service_map) m
    on m.repository = d.repository and m.stated = d.stated
    and m.name in ('*', d.name) and m.environment in ('*', d.environment)
join streams s on s.repository = d.repository and s.service = m.service
    and s.environment = d.environment
order by d.repo, s.stream, d.n
"""

_BY_PATHS = """
select s.stream, coalesce(c.commit_id, 0) as commit_id
from lineage_wanted w
join streams s on s.repository = w.repository and s.service = w.service
    and s.environment = w.environment
left join (lineage_commits c join commit_services p on p.commit_id = c.commit_id)
    on c.repo = w.repo and p.service = w.service
where w.by_paths and w.batch = ? order by s.stream
"""


@dataclass(slots=True)
class Rows:
    """What came of a batch, as columns in pieces; all pieces of a table are equally many."""

    lineage: dict[str, list[Any]] = field(
        default_factory=lambda: {"stream": [], "commit_id": [], "position": []}
    )
    deployments: dict[str, list[Any]] = field(
        default_factory=lambda: {
            name: []
            for name in (
                *("stream", "position", "n", "outcome"),
                *("uncertain", "rollback", "cumulative"),
            )
        }
    )
    undone: dict[str, list[Any]] = field(
        default_factory=lambda: {"stream": [], "position": [], "rollback_position": []}
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """Some repositories, their commits numbered through, each repository's in a row.

    Attributes:
        starts: By repository where its commits begin; one more entry says where the last ends.
        commit_ids: By commit.
        first: First parents by commit, `UNKNOWN` where there is none.
        merges: Two rows, merges and their further parents, ordered by merge.
        heads: By repository the commit of its default branch.
        streams: Columns stream, repo, n, commit, finished, inferred; ordered by repo, stream, n.
        by_paths: The commits that belong to a stream, for the streams of services with paths.
    """

    starts: Integers
    commit_ids: Integers
    first: Integers
    merges: Integers
    heads: dict[int, int]
    streams: dict[str, NDArray[Any]]
    by_paths: dict[int, Integers]

    def walk(self) -> Rows:
        """Walk every stream of every repository; its graph is made once."""
        rows = Rows()
        repos = self.streams["repo"]
        for low, high in _runs(repos):
            self._walk_repository(int(repos[low]), low, high, rows)
        return rows

    def _walk_repository(self, repo: int, low: int, high: int, rows: Rows) -> None:
        start, stop = int(self.starts[repo]), int(self.starts[repo + 1])
        graph = self._graph(start, stop)
        ancestry = Ancestry(graph)
        head = self.heads.get(repo, UNKNOWN)
        done: dict[bytes, Walk] = {}  # services that deploy together are walked once
        for begin, end in _runs(self.streams["stream"][low:high]):
            span = slice(low + begin, low + end)
            key = self.streams["n"][span].tobytes()
            if key not in done:
                done[key] = walk(
                    graph,
                    self._stream(span, start),
                    head=head if head < 0 else head - start,
                    ancestry=ancestry,
                )
            self._keep(rows, span, start, done[key])

    def _graph(self, start: int, stop: int) -> Graph:
        first = self.first[start:stop]
        children, parents = self.merges
        begin, end = np.searchsorted(children, (start, stop))
        merges = (children[begin:end] - start).tolist()
        others = dict(zip(merges, (parents[begin:end, None] - start).tolist(), strict=True))
        for place in np.flatnonzero(np.diff(children[begin:end]) == 0).tolist():
            others[merges[place]].append(int(parents[begin + place]) - start)  # an octopus
        return Graph(np.where(first < 0, UNKNOWN, first - start).tolist(), others)

    def _stream(self, span: slice, start: int) -> Stream:
        commits = self.streams["commit"][span]
        return Stream(
            commits=np.where(commits < 0, UNKNOWN, commits - start).tolist(),
            finished=self.streams["finished"][span].tolist(),
            inferred=self.streams["inferred"][span].tolist(),
        )

    def _keep(self, rows: Rows, span: slice, start: int, walked: Walk) -> None:
        stream = int(self.streams["stream"][span.start])
        label = np.array(walked.label, dtype=np.int32)
        outcomes = np.array([_CODES[outcome] for outcome in walked.outcomes], dtype=np.int8)
        chosen = np.flatnonzero(label != UNCLAIMED)
        if stream in self.by_paths:
            chosen = np.intersect1d(chosen, self.by_paths[stream] - start)
            some = np.bincount(label[chosen][label[chosen] >= 0], minlength=len(outcomes))
            outcomes[(outcomes == _DELIVERED) & (some == 0)] = _NOTHING
        _append(rows.lineage, stream, self.commit_ids[chosen + start], label[chosen])
        _append(
            rows.deployments,
            stream,
            np.arange(len(outcomes), dtype=np.int32),
            self.streams["n"][span][walked.order],
            outcomes,
            np.array(walked.uncertain, dtype=bool),
            np.array(walked.rollbacks, dtype=bool),
            np.array(walked.cumulative, dtype=bool),
        )
        pairs = np.array(walked.undone, dtype=np.int32).reshape(-1, 2)
        _append(rows.undone, stream, pairs[:, 0], pairs[:, 1])


def _append(columns: dict[str, list[Any]], stream: int, *pieces: NDArray[Any]) -> None:
    values = (np.full(len(pieces[0]), stream, dtype=np.int32), *pieces)
    for column, piece in zip(columns.values(), values, strict=True):
        column.append(piece)


def _runs(values: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Where runs of one value begin and end."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from ((a, b) for a, b in pairwise(edges) if a < b)


class Places:
    """Where the commits of a batch stand when each repository's follow each other."""

    def __init__(self, repos: Integers, commit_ids: Integers) -> None:
        self.order = np.argsort(repos, kind="stable")
        self._base = int(commit_ids.min(initial=1)) - 1
        span = int(commit_ids.max(initial=0)) - self._base
        self._places = np.full(max(span, 0) + 1, UNKNOWN, dtype=np.int64)
        self._places[commit_ids[self.order] - self._base] = np.arange(len(commit_ids))

    def of(self, commit_ids: NDArray[Any]) -> Integers:
        """The places of commits; `UNKNOWN` for id 0, which no commit has."""
        known: Integers = self._places[np.maximum(commit_ids - self._base, 0)]
        return known


def deployments_table(batch: int) -> str:
    """The temporary table of the batch's deployments, numbered `n`."""
    return f"lineage_deployments_{batch % 2}"


def load(connection: DuckDBPyConnection, batch: int) -> Batch:
    """Read one batch of repositories; object ids become numbers by joins."""
    numbers = _numbers(connection, batch)
    connection.execute(_COMMITS, [batch, numbers.oldest, numbers.newest])
    deployments = deployments_table(batch)
    connection.execute(_DEPLOYMENTS.format(deployments=deployments), [batch])
    connection.execute(_SHORTENED.format(deployments=deployments))
    known = _arrays(connection, "select repo, commit_id from lineage_commits")
    streams = _arrays(connection, _STREAMS.format(deployments=deployments))
    places = Places(known["repo"], known["commit_id"])
    heads = connection.execute(_HEADS, [batch]).fetchall()
    return Batch(
        starts=np.searchsorted(
            known["repo"][places.order], np.arange(numbers.lowest, numbers.highest + 2)
        ),
        commit_ids=known["commit_id"][places.order],
        first=_first(_arrays(connection, _FIRST_PARENTS), places),
        merges=_merges(_arrays(connection, _OTHER_PARENTS), places),
        heads={int(r) - numbers.lowest: int(places.of(np.array([h]))[0]) for r, h in heads},
        streams={
            **streams,
            "repo": streams["repo"] - numbers.lowest,
            "commit": places.of(streams["commit_id"]),
        },
        by_paths=_by_paths(connection, batch, places),
    )


class _Numbers(NamedTuple):
    """What a batch spans: its repositories, and the ids of their commits."""

    lowest: int
    highest: int
    oldest: int
    newest: int


def _numbers(connection: DuckDBPyConnection, batch: int) -> _Numbers:
    [row] = connection.execute(
        "select min(repo), max(repo), min(oldest), max(newest) from lineage_todo where batch = ?",
        [batch],
    ).fetchall()
    return _Numbers(*map(int, row))


def _arrays(
    connection: DuckDBPyConnection, query: str, parameters: list[int] | None = None
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = connection.sql(query, params=parameters).fetchnumpy()
    return found


def _first(edges: dict[str, NDArray[Any]], places: Places) -> Integers:
    first = np.full(len(places.order), UNKNOWN, dtype=np.int64)
    first[places.of(edges["child"])] = places.of(edges["parent"])
    return first


def _merges(edges: dict[str, NDArray[Any]], places: Places) -> Integers:
    both = np.stack([places.of(edges["child"]), places.of(edges["parent"])])
    by_merge: Integers = both[:, np.lexsort(both[::-1])]
    return by_merge


def _by_paths(connection: DuckDBPyConnection, batch: int, places: Places) -> dict[int, Integers]:
    rows = _arrays(connection, _BY_PATHS, [batch])
    streams, ids = rows["stream"], rows["commit_id"]
    return {
        int(streams[low]): places.of(ids[low:high][ids[low:high] > 0])
        for low, high in _runs(streams)
    }
