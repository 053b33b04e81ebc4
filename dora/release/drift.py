"""How far staging and production are apart: which commits are on one and not on the other.

Lineage tells of most deployments exactly what they contain: what was delivered up to one of them.
Then presence is a comparison of numbers. What it does not tell is found by walking the commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora.release.drift_steps import UNKNOWN, Drift, Steps
from dora.release.drift_told import Labels
from dora.release.drift_walked import Histories
from dora.release.timelines import integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dora.release.base import Analysis, Asked


@dataclass(frozen=True, eq=False)
class Drifts:
    """The drift of every service in scope that has both staging and production.

    Args:
        asked: The window and scope.
        analysis: Whose SELECTs say what was deployed where.
    """

    asked: Asked
    analysis: Analysis

    @cached_property
    def all(self) -> list[Drift]:
        """Each service's, of each of its repositories."""
        if not len(self._places) or self._span[0] > self._span[1]:
            return []
        self._load("drift_places", self._places)
        told = ~np.isin(self._steps.place, self._walked)
        return [*self._told(self._steps[told]), *self._by_walking(self._steps[~told])]

    def alone(self) -> pd.DataFrame:
        """The commits on one side alone at the end: repository, service, sha, state and us."""
        if not self.all:
            return pd.DataFrame(columns=["repository", "service", "sha", "state", "us"])
        rows = [
            (drift.place, commit, state)
            for drift in self.all
            for state, commits in (("ahead", drift.ahead), ("behind", drift.behind))
            for commit in (() if commits is None else commits.tolist())
        ]
        self._load("drift_commits", pd.DataFrame(rows, columns=["place", "commit_id", "state"]))
        return self._rows("alone")

    @cached_property
    def _span(self) -> tuple[int, int]:
        first, last = self.asked.window_us
        return first, min(last, self.asked.now_us)

    @cached_property
    def _places(self) -> pd.DataFrame:
        return self._rows("places")

    @cached_property
    def _kin(self) -> pd.DataFrame:
        return self._rows("kin")

    @cached_property
    def _steps(self) -> Steps:
        first, last = self.asked.window_us
        until = min(last, self.asked.now_us + 1)  # what is finished now is there
        return Steps.of(self._rows("steps", since_us=first, until_us=until))

    @cached_property
    def _walked(self) -> NDArray[np.int64]:
        """The places of which lineage tells too little.

        A service that is a part of a repository is told its own commits only, and so not whether
        it has copies of other ones.
        """
        steps, places = self._steps, self._places
        copied = places["repository"].isin(self._kin["repository"]) & (places["by_paths"] > 0)
        untold = steps.place[(steps.commit != UNKNOWN) & (steps.told_stream == UNKNOWN)]
        return np.union1d(untold, integers(places.loc[copied, "place"], UNKNOWN))

    def _told(self, steps: Steps) -> Iterator[Drift]:
        streams = steps.told_streams(self._span[0])
        if not len(streams):
            yield from (Drift(place) for place, _ in steps.each())
            return
        self._load("drift_streams", streams)
        self._load("drift_kin", self._kin[["commit_id", "other_id"]])
        kin = self._kin.merge(self._places[["place", "repository"]], on="repository")
        labels = Labels.of(self._rows("labels"), streams, kin)
        for place, mine in steps.each():
            yield labels.drift(place, mine, *self._span)

    def _by_walking(self, steps: Steps) -> Iterator[Drift]:
        places = self._places[self._places["place"].isin(steps.place)]
        if not len(places):
            return
        self._load("drift_walked", places)
        histories = Histories(self._rows("commits"), self._kin, self._rows("own"), places)
        for place, mine in steps.each():
            yield histories.drift(place, mine, *self._span)

    def _rows(self, part: str, **parameters: int) -> pd.DataFrame:
        return self.asked.rows(self.analysis.sql(part), **parameters)

    def _load(self, table: str, frame: pd.DataFrame) -> None:
        types = {str(name): _TYPES.get(str(name), "BIGINT") for name in frame}
        self.asked.question.tables.load(table, frame, types)


_TYPES = dict.fromkeys(("repository", "service", "state"), "VARCHAR")
