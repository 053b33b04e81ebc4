"""One batch of repositories as arrays: read from the store, walked, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dora.lineage.graph import UNCLAIMED, UNKNOWN, Ancestry, Graph
from dora.lineage.tables import DEPLOYED
from dora.lineage.stream import Outcome, Stream, Walk, walk

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
select row_number() over () - 1 as place, t.repo, c.commit_id, c.sha, c.parents
from commits c join lineage_todo t on t.repository = c.repository where t.batch = ?
"""

_FIRST_PARENTS = """
select c.place as child, p.place as parent
from lineage_commits c
join lineage_commits p on p.repo = c.repo and p.sha = split_part(c.parents, ' ', 1)
where c.parents <> ''
"""

_OTHER_PARENTS = """
select c.child, p.place as parent
from (select place as child, repo, unnest(string_split(parents, ' ')[2:]) as sha
    from lineage_commits where contains(parents, ' ')) c
join lineage_commits p on p.repo = c.repo and p.sha = c.sha
"""

_HEADS = """
select t.repo, c.place as head
from repositories r
join lineage_todo t on t.repository = r.repository and t.batch = ?
join lineage_commits c on c.repo = t.repo and c.sha = r.head_sha
"""

_DEPLOYMENTS = f"""
create or replace temp table lineage_deployments as
select row_number() over (order by d.finished_at, d.id, d.source) - 1 as n,
    t.repo, d.repository, d.environment, coalesce(d.service, '') as stated, d.source, d.id,
    d.finished_at, d.sha, lower(trim(d.sha)) as wanted, d.inferred, c.place as commit
from (from deployments where {DEPLOYED}) d
join lineage_todo t on t.repository = d.repository and t.batch = ?
left join lineage_commits c on c.repo = t.repo and c.sha = lower(trim(d.sha))
"""

# The first digits are compared for equality so that this is a hash join.
_SHORTENED = f"""
update lineage_deployments set commit = found.commit from (
    select d.n, min(c.place) as commit
    from lineage_deployments d join lineage_commits c
    on c.repo = d.repo and left(c.sha, {SHORTEST}) = left(d.wanted, {SHORTEST})
    and starts_with(c.sha, d.wanted)
    where d.commit is null and length(d.wanted) >= {SHORTEST}
    group by d.n having count(*) = 1
) as found where found.n = lineage_deployments.n
"""

_STREAMS = """
select s.stream, d.repo, d.n, coalesce(d.commit, -1) as commit,
    epoch_us(d.finished_at) as finished, coalesce(d.inferred, false) as inferred
from lineage_deployments d
join (select distinct repository, stated, service from service_map) m
    on m.repository = d.repository and m.stated = d.stated
join streams s on s.repository = d.repository and s.service = m.service
    and s.environment = d.environment
order by d.repo, s.stream, d.n
"""

_BY_PATHS = """
select s.stream, c.place as commit
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
            name: [] for name in ("stream", "position", "n", "outcome", "uncertain", "rollback")
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
        others: dict[int, list[int]] = {}
        for child, parent in zip(
            (children[begin:end] - start).tolist(),
            (parents[begin:end] - start).tolist(),
            strict=True,
        ):
            others.setdefault(child, []).append(parent)
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
    yield from ((a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b)


def load(connection: DuckDBPyConnection, batch: int) -> Batch:
    """Read one batch of repositories; object ids become numbers by joins."""
    connection.execute(_COMMITS, [batch])
    connection.execute(_DEPLOYMENTS, [batch])
    connection.execute(_SHORTENED)
    known = _arrays(connection, "select place, repo, commit_id from lineage_commits")
    repo = np.empty(len(known["place"]), dtype=np.int64)
    repo[known["place"]] = known["repo"]
    ids = np.empty_like(repo)
    ids[known["place"]] = known["commit_id"]
    streams = _arrays(connection, _STREAMS)
    lowest, highest = _numbers(connection, batch)
    order = np.argsort(repo, kind="stable")
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    place[-1] = UNKNOWN  # place -1 stands for no commit
    return Batch(
        starts=np.searchsorted(repo[order], np.arange(lowest, highest + 2)),
        commit_ids=ids[order],
        first=_first(_arrays(connection, _FIRST_PARENTS), place),
        merges=_merges(_arrays(connection, _OTHER_PARENTS), place),
        heads={
            int(r) - lowest: int(place[h])
            for r, h in connection.execute(_HEADS, [batch]).fetchall()
        },
        streams={**streams, "commit": place[streams["commit"]], "repo": streams["repo"] - lowest},
        by_paths=_by_paths(connection, batch, place),
    )


def _numbers(connection: DuckDBPyConnection, batch: int) -> tuple[int, int]:
    [(lowest, highest)] = connection.execute(
        "select min(repo), max(repo) from lineage_todo where batch = ?", [batch]
    ).fetchall()
    return int(lowest or 0), int(highest if highest is not None else -1)


def _arrays(connection: DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    frame = connection.sql(query).df()
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def _first(edges: dict[str, NDArray[Any]], place: Integers) -> Integers:
    first = np.full(len(place) - 1, UNKNOWN, dtype=np.int64)
    first[place[edges["child"]]] = place[edges["parent"]]
    return first


def _merges(edges: dict[str, NDArray[Any]], place: Integers) -> Integers:
    both = np.stack([place[edges["child"]], place[edges["parent"]]])
    sorted_by_merge: Integers = both[:, np.lexsort(both[::-1])]
    return sorted_by_merge


def _by_paths(
    connection: DuckDBPyConnection, batch: int, place: Integers
) -> dict[int, Integers]:
    rows = connection.execute(_BY_PATHS, [batch]).df()
    return {
        int(stream): place[group.dropna().to_numpy(dtype=np.int64)]
        for stream, group in rows.groupby("stream")["commit"]
    }
