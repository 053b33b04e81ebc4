"""Which cells of the grid a record falls in, for whole columns of records at a time.

An engine may hand over records of services once, instead of once for every scope that a service
belongs to: there are several times fewer then to move, and to put in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dora.metrics.scopes import ALWAYS, Scope

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from dora.stats import Groups

    Ints = NDArray[np.int64]

_NOWHERE = -(1 << 40)
"""Added to any period's number it is still no cell."""


@dataclass(frozen=True)
class Turn:
    """At most one scope for each service, and on which days of the window the service is in it.

    Attributes:
        scopes: The scope's number for each service; -1 where it is in no further one.
        since: The first day, counted from the window's first; None where all were always in it.
        until: The day after the last.
    """

    scopes: Ints
    since: Ints | None
    until: Ints | None


@dataclass(frozen=True)
class Placing:
    """Scopes and periods as numbers.

    Attributes:
        services: The names of all services of the scopes; a record tells its place among them.
        turns: The scopes of every service: its first one, its second one …
        periods: For each grain, the number of the period of each day of the window.
        width: How many periods a scope has.
        pooled: Numbers in `periods` of the grain that only the first scope is asked for.
    """

    services: tuple[str, ...]
    turns: tuple[Turn, ...]
    periods: tuple[Ints, ...]
    width: int
    pooled: frozenset[int]

    @classmethod
    def of(
        cls,
        scopes: Sequence[Scope],
        first_day: date,
        periods: Sequence[Ints],
        width: int,
        pooled: frozenset[int],
    ) -> Placing:
        """Number the services, and deal their scopes into turns."""
        found: dict[str, list[tuple[int, date, date]]] = {}
        for number, scope in enumerate(scopes):
            for member in scope.members:
                stay = (number, member.from_day, member.until_day)
                found.setdefault(member.service, []).append(stay)
        most = max(map(len, found.values()), default=0)
        turns = tuple(_turn(list(found.values()), turn, first_day) for turn in range(most))
        return cls(tuple(found), turns, tuple(periods), width, pooled)

    def grouped(self, frames: Sequence[pd.DataFrame], size: int) -> Groups:
        """Records in order of length within each cell.

        Args:
            frames: Records with `us`, `day` of the window, and either `place`, of its service, or
                `scope_id`.
            size: How many cells there are.
        """
        import numpy as np

        from dora.stats import Sample

        lengths = [frame["us"].to_numpy(np.int64) for frame in frames]
        ends = np.cumsum([0, *map(len, lengths)])
        sample = Sample.of(lengths[0] if len(lengths) == 1 else np.concatenate(lengths))
        groupings = (
            (slice(begin, end), cells)
            for frame, begin, end in zip(frames, ends[:-1], ends[1:], strict=True)
            for cells in self.cells(frame)
        )
        turns = sum(self._times(frame) * len(frame) for frame in frames)
        return sample.grouped(groupings, size, at_most=turns * len(self.periods))

    def _times(self, frame: pd.DataFrame) -> int:
        return 1 if "scope_id" in frame else len(self.turns)

    def cells(self, frame: pd.DataFrame) -> Iterator[Ints]:
        """The cells of records: an array for each turn and grain, negative where there is none."""
        day = frame["day"].to_numpy()
        if "scope_id" in frame:
            yield from self._spread(frame["scope_id"].to_numpy(), day)
            return
        place = frame["place"].to_numpy()
        for turn in self.turns:
            scope = turn.scopes[place]
            if turn.since is not None and turn.until is not None:
                scope[(day < turn.since[place]) | (day >= turn.until[place])] = -1
            yield from self._spread(scope, day)

    def _spread(self, scope: NDArray[Any], day: NDArray[Any]) -> Iterator[Ints]:
        import numpy as np

        first = scope.astype(np.int64) * self.width
        first[scope < 0] = _NOWHERE
        for number, of_days in enumerate(self.periods):
            if number not in self.pooled:
                yield first + of_days[day]
            elif (scope == 0).any():
                yield np.where(scope == 0, of_days[day], _NOWHERE)


def _turn(stays: Sequence[Sequence[tuple[int, date, date]]], turn: int, first_day: date) -> Turn:
    import numpy as np

    none = (-1, *ALWAYS)
    own = [stay[turn] if turn < len(stay) else none for stay in stays]
    scopes = np.array([scope for scope, _, _ in own], np.int64)
    if all((since, until) == ALWAYS for _, since, until in own):
        return Turn(scopes, None, None)
    since = np.array([(since - first_day).days for _, since, _ in own], np.int64)
    until = np.array([(until - first_day).days for _, _, until in own], np.int64)
    return Turn(scopes, since, until)
