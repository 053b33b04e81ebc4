"""Drift where lineage tells what each deployment contains: presence is a comparison of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora.release.drift_steps import UNKNOWN, Drift, Steps, Stretches
from dora.release.timelines import integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dora.release.timelines import Ints

    Flags = NDArray[np.bool_]

_NEVER = np.iinfo(np.int32).max
"""The label of a commit that nothing delivered."""

_AT_ONCE = 4_000_000
"""Commits times stretches that are looked at together."""


@dataclass(frozen=True, eq=False, slots=True)
class Commits:
    """The commits of one place that are not everywhere, in order of their numbers.

    Attributes:
        ids: Their numbers.
        counted: Whether each is a change of the service's own, and no merge.
        labels: By the place's streams and by commit, which deployment delivered it there.
        kin: Pairs of commits that carry the same change, as places in the others.
    """

    ids: Ints
    counted: Flags
    labels: NDArray[np.int32]
    kin: list[tuple[int, int]]

    @classmethod
    def none(cls, streams: int) -> Commits:
        """No commits of so many streams."""
        empty = np.zeros(0, np.int64)
        return cls(empty, empty.astype(bool), np.zeros((streams, 0), np.int32), [])

    def drift(self, place: int, steps: Steps, stretches: Stretches, column: Ints) -> Drift:
        """How far the two sides are apart.

        Args:
            place: The number of the service and repository.
            steps: Its deployments.
            stretches: When what was there.
            column: By step, the row of `labels` that tells what it contains.
        """
        drift = Drift(place)
        ahead = behind = np.zeros((0, len(self.ids)), bool)
        at_once = max(1, _AT_ONCE // max(1, len(self.ids)))
        for begin in range(0, len(stretches.lasted), at_once):
            some = slice(begin, begin + at_once)
            sides = self._sides(steps, stretches.states[some], stretches.staging[some], column)
            ahead, behind = self._alone(*sides), self._alone(*sides[::-1])
            drift.add(stretches.lasted[some], ahead.sum(1), behind.sum(1))
        if stretches.to_the_end:
            drift.ahead, drift.behind = self.ids[ahead[-1]], self.ids[behind[-1]]
        return drift

    def _sides(
        self, steps: Steps, states: Ints, staging: Flags, column: Ints
    ) -> tuple[Flags, Flags]:
        """By stretch and commit, whether it is on staging, and whether it is in production."""
        sides = (np.zeros((len(states), len(self.ids)), bool) for _ in range(2))
        on_staging, in_production = sides
        for state, staged in zip(states.T, staging.T, strict=True):
            contained = self.labels[column[state]] <= steps.told_position[state][:, None]
            on_staging |= contained & staged[:, None]
            in_production |= contained & (~staged & (state != UNKNOWN))[:, None]
        return on_staging, in_production

    def _alone(self, here: Flags, there: Flags) -> Flags:
        found = here & ~there & self.counted
        for one, other in self.kin:
            found[:, one] &= ~there[:, other]
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Labels:
    """Which deployment delivered what, of all places.

    Attributes:
        streams: The streams that are asked, in order.
        column: Their number within their place.
        places: The commits of each place.
    """

    streams: Ints
    column: Ints
    places: Mapping[int, Commits]

    @classmethod
    def of(cls, rows: pd.DataFrame, streams: pd.DataFrame, kin: pd.DataFrame) -> Labels:
        """The labels in rows, in the order of place and commit."""
        by_stream = streams.sort_values("stream")
        return cls(
            integers(by_stream["stream"], UNKNOWN),
            integers(by_stream["place_stream"], UNKNOWN),
            dict(_commits(rows, streams, kin)),
        )

    def drift(self, place: int, steps: Steps, first: int, last: int) -> Drift:
        """How far the two sides of a place are apart between two instants."""
        column = self.column[np.searchsorted(self.streams, steps.told_stream)]
        commits = self.places.get(place) or Commits.none(len(self.column))
        return commits.drift(place, steps, steps.stretches(first, last), column)


def _commits(
    rows: pd.DataFrame, streams: pd.DataFrame, kin: pd.DataFrame
) -> Iterator[tuple[int, Commits]]:
    place, commit = integers(rows["place"], UNKNOWN), integers(rows["commit_id"], UNKNOWN)
    column, position = integers(rows["place_stream"], 0), integers(rows["position"], 0)
    counted = rows["counted"].to_numpy().astype(bool)
    sizes = dict(zip(streams["place"], streams["streams"], strict=True))
    copied = {int(rows["place"].iloc[0]): rows for _, rows in kin.groupby("place")}
    begins = np.diff(place, prepend=UNKNOWN) != 0
    fresh = begins | (np.diff(commit, prepend=UNKNOWN) != 0)
    number = np.cumsum(fresh) - 1
    for begin, end in pairwise([*np.flatnonzero(begins).tolist(), len(place)]):
        name, mine = int(place[begin]), slice(begin, end)
        own = fresh[mine]
        ids = commit[mine][own]
        labels = np.full((sizes[name], len(ids)), _NEVER, np.int32)
        labels[column[mine], number[mine] - number[begin]] = position[mine]
        pairs = list(_pairs(ids, copied[name])) if name in copied else []
        yield name, Commits(ids, counted[mine][own], labels, pairs)


def _pairs(ids: Ints, kin: pd.DataFrame) -> Iterator[tuple[int, int]]:
    found = pd.Index(ids)
    both = (found.get_indexer(pd.Index(kin[name])) for name in ("commit_id", "other_id"))
    for one, other in zip(*(places.tolist() for places in both), strict=True):
        if UNKNOWN not in (one, other):
            yield one, other
