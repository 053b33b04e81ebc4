"""What is deployed to the staging and the production of services, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora.release.timelines import integers

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from dora.release.timelines import Ints

UNKNOWN = -1
"""No commit, or none that lineage tells of."""


@dataclass
class Drift:
    """One service of one repository: how far its staging and production were apart.

    Attributes:
        place: The number of the service and repository.
        known_us: For how much of the window it is known.
        ahead_us: Commits on staging alone, times how long each was.
        behind_us: Commits on production alone, times how long each was.
        ahead: The commits on staging alone at the end; None where that is not known.
        behind: The commits on production alone at the end; None where that is not known.
    """

    place: int
    known_us: int = 0
    ahead_us: int = 0
    behind_us: int = 0
    ahead: Ints | None = None
    behind: Ints | None = None

    def add(self, lasted: Ints, ahead: Ints, behind: Ints) -> None:
        """Count stretches of time in which so many commits were on one side alone."""
        stretches = lasted.tolist()
        self.known_us += sum(stretches)
        self.ahead_us += sum(a * b for a, b in zip(stretches, ahead.tolist(), strict=True))
        self.behind_us += sum(a * b for a, b in zip(stretches, behind.tolist(), strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class Stretches:
    """Stretches of the window in which nothing is deployed and it is known what is on either side.

    Attributes:
        lasted: How long each was, in microseconds.
        states: By stretch and stream, which step is there; `UNKNOWN` for none.
        staging: By stretch and stream, whether it is there as staging.
        to_the_end: Whether the last of them reaches to the end of the window.
    """

    lasted: Ints
    states: Ints
    staging: NDArray[np.bool_]
    to_the_end: bool


@dataclass(frozen=True, eq=False, slots=True)
class Steps:
    """Deployments in the order in which they were finished, service by service.

    Attributes:
        place: The number of the service and repository.
        stream: The stream.
        us: When it was finished.
        staging: Whether it went to staging.
        commit: The commit; `UNKNOWN` where the store does not know it.
        told_stream: The stream whose deliveries tell what it contains; `UNKNOWN` where none does.
        told_position: Up to which of them.
    """

    place: Ints
    stream: Ints
    us: Ints
    staging: NDArray[np.bool_]
    commit: Ints
    told_stream: Ints
    told_position: Ints

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Steps:
        """The steps in rows."""
        numbers = {name: integers(rows[name], UNKNOWN) for name in _NUMBERS}
        return cls(
            place=numbers["place"],
            stream=numbers["stream"],
            us=numbers["us"],
            staging=rows["staging"].to_numpy().astype(bool),
            commit=numbers["commit_id"],
            told_stream=numbers["told_stream"],
            told_position=numbers["told_position"],
        )

    def __getitem__(self, some: Any) -> Steps:
        return Steps(*(getattr(self, column.name)[some] for column in fields(self)))

    def each(self) -> Iterator[tuple[int, Steps]]:
        """The steps of each place."""
        edges = [0, *(np.flatnonzero(np.diff(self.place)) + 1).tolist(), len(self.place)]
        for begin, end in pairwise(edges):
            if begin < end:
                yield int(self.place[begin]), self[begin:end]

    def told_streams(self, since: int) -> pd.DataFrame:
        """Which deliveries tell what is where: a row each place and stream.

        Columns are place, stream, above, until, place_stream (its number within the place) and
        streams (how many the place has). Whatever such a stream tells of contains what it delivered
        up to `above` and nothing that came after `until`; of one that begins within the window
        nothing is sure to be there.
        """
        begins = pd.Series(self.us).groupby(self.stream).transform("min").to_numpy()
        known = self.commit != UNKNOWN
        position = self.told_position[known]
        told = pd.DataFrame(
            {
                "place": self.place[known],
                "stream": self.told_stream[known],
                "above": np.where(begins[known] > since, UNKNOWN, position),
                "until": position,
            }
        )
        found = told.groupby(["place", "stream"], as_index=False).agg(
            above=("above", "min"), until=("until", "max")
        )
        by_place = found.groupby("place")
        return found.assign(
            place_stream=by_place.cumcount(), streams=by_place["stream"].transform("size")
        )

    def stretches(self, first: int, last: int) -> Stretches:
        """The stretches of one place from `first` up to `last`; what comes then lasts no time."""
        edges = np.unique(np.concatenate([self.us[first < self.us], [first]]))
        streams = np.unique(self.stream)
        states = np.full((len(edges), len(streams)), UNKNOWN)
        for column, stream in enumerate(streams):
            mine = np.flatnonzero(self.stream == stream)
            passed = np.searchsorted(self.us[mine], edges, side="right")
            states[passed > 0, column] = mine[passed[passed > 0] - 1]
        there = states != UNKNOWN
        staging = there & self.staging[states]
        known = staging.any(1) & (there & ~staging).any(1)
        known &= ~(there & (self.commit[states] == UNKNOWN)).any(1)
        lasted = np.diff(edges, append=last)
        return Stretches(lasted[known], states[known], staging[known], bool(known[-1]))


_NUMBERS = ("place", "stream", "us", "commit_id", "told_stream", "told_position")
