"""Drift where lineage does not tell what deployments contain: the commits are walked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora.lineage import Graph
from dora.lineage.apart import Apart
from dora.release.drift_steps import UNKNOWN, Drift, Steps
from dora.release.timelines import integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dora.release.timelines import Ints


@dataclass(frozen=True, eq=False)
class History:
    """The commits of a repository.

    Attributes:
        ids: Their numbers in the store, in order.
        merges: Whether each is a merge.
        apart: Tells two sides apart, by place in `ids`.
    """

    ids: Ints
    merges: NDArray[np.bool_]
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
        ids = pd.Index(commits["commit_id"])
        copies: dict[int, set[int]] = {}
        both = (ids.get_indexer(pd.Index(kin[name])).tolist() for name in ("commit_id", "other_id"))
        for one, other in zip(*both, strict=True):
            copies.setdefault(one, set()).add(other)
        is_merge = np.isin(np.arange(len(ids)), [*merges])
        return cls(
            integers(commits["commit_id"], UNKNOWN), is_merge, Apart(Graph(first, others), copies)
        )

    def drift(
        self, place: int, steps: Steps, span: tuple[int, int], own: NDArray[np.bool_]
    ) -> Drift:
        """How far the two sides of a service of this repository are apart.

        Args:
            place: The number of the service and repository.
            steps: Its deployments.
            span: The first instant looked at, and the first after it.
            own: Which of the repository's commits are the service's.
        """
        drift, stretches = Drift(place), steps.stretches(*span)
        at = np.searchsorted(self.ids, steps.commit)
        counted = own & ~self.merges
        alone: list[Ints] = [np.zeros(0, np.int64)] * 2
        sizes = np.zeros((2, len(stretches.lasted)), np.int64)
        for number, (states, staging) in enumerate(
            zip(stretches.states, stretches.staging, strict=True)
        ):
            there = states != UNKNOWN
            sides = (at[states[there & wanted]].tolist() for wanted in (staging, ~staging))
            alone = [
                np.array([commit for commit in side if counted[commit]], np.int64)
                for side in self.apart.between(*sides)
            ]
            sizes[:, number] = [len(side) for side in alone]
        drift.add(stretches.lasted, *sizes)
        if stretches.to_the_end:
            drift.ahead, drift.behind = (self.ids[side] for side in alone)
        return drift


class Histories:
    """The commits of repositories, and which of them belong to which service.

    Args:
        commits: Those of the repositories, in order of repository and number.
        kin: Those that carry the same change.
        own: The commits of services that are a part of a repository.
        places: The services.
    """

    def __init__(
        self, commits: pd.DataFrame, kin: pd.DataFrame, own: pd.DataFrame, places: pd.DataFrame
    ) -> None:
        copied = dict(list(kin.groupby("repository")))
        self._histories = {
            repository: History.of(rows, copied.get(repository, kin.head(0)))
            for repository, rows in commits.groupby("repository")
        }
        self._own = {place: integers(rows["commit_id"], 0) for place, rows in own.groupby("place")}
        self._places = {
            int(place): (repository, bool(by_paths))
            for place, repository, by_paths in zip(
                places["place"], places["repository"], places["by_paths"], strict=True
            )
        }

    def drift(self, place: int, steps: Steps, first: int, last: int) -> Drift:
        """How far the two sides of a place are apart between two instants."""
        repository, by_paths = self._places[place]
        history = self._histories[repository]
        own = np.ones(len(history.ids), bool)
        if by_paths:
            own = np.isin(history.ids, self._own.get(place, ()))
        return history.drift(place, steps, (first, last), own)
