"""How far staging and production are apart: which commits are on one and not on the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING

import pandas as pd

from dora.lineage import UNKNOWN, Graph
from dora.lineage.apart import Apart

if TYPE_CHECKING:
    from dora.release.base import Analysis, Asked

Sides = tuple[tuple[int, ...], tuple[int, ...]]
"""What is on staging and on production, as commits; none where it is not known."""


@dataclass(frozen=True)
class History:
    """The commits of a repository.

    Attributes:
        shas: Their ids, by place.
        landed: When each was committed, in microseconds.
        places: Their places by the store's number of them.
        graph: Who is whose parent.
        apart: Tells two sides apart.
    """

    shas: list[str]
    landed: list[int]
    places: dict[int, int]
    graph: Graph
    apart: Apart

    @classmethod
    def of(cls, commits: pd.DataFrame, kin: pd.DataFrame) -> History:
        """The history of one repository's rows."""
        index = pd.Index(commits["sha"])
        parents: list[str] = commits["parents"].tolist()
        first = index.get_indexer(pd.Index(parents)).tolist()  # of merges none is found
        merges = {place: said.split() for place, said in enumerate(parents) if " " in said}
        found = iter(index.get_indexer(pd.Index([*chain(*merges.values())])).tolist())
        others: dict[int, list[int]] = {}
        for place, named in merges.items():
            known = [parent for parent in islice(found, len(named)) if parent != UNKNOWN]
            first[place] = known[0] if known else UNKNOWN
            if len(known) > 1:
                others[place] = known[1:]
        graph = Graph(first, others)
        copies: dict[int, set[int]] = {}
        both = (index.get_indexer(pd.Index(kin[name])).tolist() for name in ("sha", "other"))
        for one, other in zip(*both, strict=True):
            if UNKNOWN not in (one, other) and one != other:
                copies.setdefault(one, set()).add(other)
        places = {number: place for place, number in enumerate(commits["commit_id"].tolist())}
        return cls(index.tolist(), commits["us"].tolist(), places, graph, Apart(graph, copies))


@dataclass
class Drift:
    """One service of one repository: how far its staging and production were apart.

    Attributes:
        repository: The repository.
        service: The service.
        known_us: For how much of the window it is known.
        ahead_us: Commits on staging alone, times how long each was.
        behind_us: Commits on production alone, times how long each was.
        ahead: The commits on staging alone at the end; None where that is not known.
        behind: The commits on production alone at the end.
        oldest_us: When the oldest of those on staging alone was committed.
    """

    repository: str
    service: str
    known_us: int = 0
    ahead_us: int = 0
    behind_us: int = 0
    ahead: list[str] | None = None
    behind: list[str] = field(default_factory=list)
    oldest_us: int | None = None


@dataclass(frozen=True, eq=False)
class Drifts:
    """The drift of every service in scope that has both.

    Args:
        asked: The window and scope.
        analysis: Whose SELECTs say what was deployed where.
    """

    asked: Asked
    analysis: Analysis

    def __iter__(self) -> Iterator[Drift]:
        first, last = self.asked.window_us
        last = min(last, self.asked.now_us + 1)  # what is finished now is there
        steps = self._rows("steps")
        for (repository, service), rows in steps.groupby(["repository", "service"], sort=True):
            yield self._of(Drift(str(repository), str(service)), rows, first, last)

    def _rows(self, part: str) -> pd.DataFrame:
        return self.asked.rows(self.analysis.sql(part))

    @cached_property
    def _histories(self) -> dict[str, History]:
        commits, kin = self._rows("commits"), self._rows("kin")
        copied = dict(list(kin.groupby("repository")))
        return {
            str(repository): History.of(rows, copied.get(repository, kin.head(0)))
            for repository, rows in commits.groupby("repository")
        }

    @cached_property
    def _paths(self) -> dict[tuple[str, str], set[int]]:
        rows = self._rows("paths")
        return {
            (str(repository), str(service)): set(of["commit_id"].dropna().astype(int))
            for (repository, service), of in rows.groupby(["repository", "service"])
        }

    def _of(self, drift: Drift, rows: pd.DataFrame, first: int, last: int) -> Drift:
        history = self._histories.get(drift.repository)
        if history is None:
            return drift
        for since, until, sides in _spans(rows, history, first, last):
            if all(sides):
                ahead, behind = self._alone(drift, history, sides)
                drift.known_us += until - since
                drift.ahead_us += (until - since) * len(ahead)
                drift.behind_us += (until - since) * len(behind)
                if until == last:
                    drift.ahead = [history.shas[commit] for commit in ahead]
                    drift.behind = [history.shas[commit] for commit in behind]
                    drift.oldest_us = min((history.landed[c] for c in ahead), default=None)
        return drift

    def _alone(self, drift: Drift, history: History, sides: Sides) -> tuple[list[int], list[int]]:
        """What is on one side alone, merges left out and other services' commits too."""
        own = self._paths.get((drift.repository, drift.service))
        mine = None if own is None else {history.places.get(number, UNKNOWN) for number in own}
        ahead, behind = (
            [c for c in commits if c not in history.graph.others and (mine is None or c in mine)]
            for commits in history.apart.between(*sides)
        )
        return ahead, behind


def _spans(
    rows: pd.DataFrame, history: History, first: int, last: int
) -> Iterator[tuple[int, int, Sides]]:
    """Spans of the window in which nothing is deployed, and what is on either side in each."""
    current: dict[int, tuple[bool, int]] = {}
    since = first
    ids = pd.to_numeric(rows["commit_id"]).fillna(UNKNOWN).astype("int64")
    columns = (rows[name].tolist() for name in ("stream", "staging", "us"))
    for stream, staging, us, commit in zip(*columns, ids.tolist(), strict=True):
        if us >= last:
            break
        if us > since:
            yield since, us, _sides(current)
            since = us
        current[stream] = (bool(staging), history.places.get(commit, UNKNOWN))
    if since < last:
        yield since, last, _sides(current)


def _sides(current: dict[int, tuple[bool, int]]) -> Sides:
    """Both sides; an environment of which the commit is not known makes its side unknown."""
    staging, production = (
        tuple(sorted(commit for side, commit in current.values() if side is wanted))
        for wanted in (True, False)
    )
    return ((), ()) if UNKNOWN in (*staging, *production) else (staging, production)
