"""When which service belongs to which scope, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dora.metrics.scopes import ALWAYS, Scope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_SCOPES_AT_ONCE = 256
"""Scopes that are summed up at once, so that their rows stay few."""


@dataclass(frozen=True)
class Stays:
    """Services while they belong to scopes: one stay for each service and span of days.

    Attributes:
        of_service: The first stay of each service, its second one …; -1 where it has no further.
        since: The first day of each stay, counted from the window's first; None where all are
            for all time.
        until: The day after the last.
        members: The stays of every scope, end to end.
        starts: Where each scope's begin.
    """

    of_service: tuple[Ints, ...]
    since: Ints | None
    until: Ints | None
    members: Ints
    starts: Ints

    @classmethod
    def of(cls, scopes: Sequence[Scope], places: Mapping[str, int], first_day: date) -> Stays:
        """Number them."""
        import numpy as np

        spans: dict[tuple[str, date, date], int] = {}
        members = [
            spans.setdefault((member.service, member.from_day, member.until_day), len(spans))
            for scope in scopes
            for member in scope.members
        ]
        starts = np.cumsum([0, *(len(scope.members) for scope in scopes)])
        limited = any((since, until) != ALWAYS for _, since, until in spans)
        since = np.array([(first - first_day).days for _, first, _ in spans], np.int64)
        until = np.array([(last - first_day).days for _, _, last in spans], np.int64)
        return cls(
            _dealt([places[service] for service, _, _ in spans], len(places)),
            since if limited else None,
            until if limited else None,
            np.array(members, np.int64),
            starts.astype(np.int64),
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.members.max(initial=-1)) + 1

    @cached_property
    def scopes(self) -> tuple[Ints, ...]:
        """The first scope of each stay, its second one …; -1 where it has no further."""
        import numpy as np

        of_member = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        turns = _dealt(self.members.tolist(), self.count)
        return tuple(np.where(turn < 0, -1, of_member[turn]) for turn in turns)

    def found(self, place: NDArray[Any], day: NDArray[Any]) -> Iterator[Ints]:
        """The stays that records of services fall in, -1 where there is none."""
        for stays in self.of_service:
            stay = stays[place]
            if self.since is not None and self.until is not None:
                stay[(day < self.since[stay]) | (day >= self.until[stay])] = -1
            yield stay

    def rolled(self, table: NDArray[Any], how: np.ufunc) -> NDArray[Any]:
        """A table with a row for each scope, of one with a row for each stay."""
        import numpy as np

        scopes = len(self.starts) - 1
        rolled = np.zeros((scopes, table.shape[1]), table.dtype)
        for begin in range(0, scopes, _SCOPES_AT_ONCE):
            starts = self.starts[begin : begin + _SCOPES_AT_ONCE + 1]
            some = np.flatnonzero(np.diff(starts))
            if len(some):
                rows = table[self.members[starts[0] : starts[-1]]]
                rolled[begin + some] = how.reduceat(rows, starts[some] - starts[0], axis=0)
        return rolled


def _dealt(owners: Sequence[int], count: int) -> tuple[Ints, ...]:
    """Numbers dealt to their owners: the first of each owner, the second …; -1 for none."""
    import numpy as np

    turns: list[Ints] = []
    taken = [0] * count
    for number, owner in enumerate(owners):
        if taken[owner] == len(turns):
            turns.append(np.full(count, -1, np.int64))
        turns[taken[owner]][owner] = number
        taken[owner] += 1
    return tuple(turns)
