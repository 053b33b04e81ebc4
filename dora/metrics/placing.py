"""Which cells of the grid a record falls in, for whole columns of records at a time.

An engine may hand over the records of services once, instead of once for every scope that a
service belongs to: there are several times fewer then to move, to count and to put in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dora.metrics.scopes import Scope
from dora.metrics.stays import Stays

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from dora.stats import Groups

    Ints = NDArray[np.int64]

_NOWHERE = -(1 << 40)
"""With any period's number added it is still no cell."""


@dataclass(frozen=True)
class Placing:
    """Scopes and periods as numbers.

    Attributes:
        services: The names of all services of the scopes; a record tells its place among them.
        stays: When they are in which scope.
        periods: For each grain, the number of the period of each day of the window.
        width: How many periods a scope has.
        pooled: Numbers in `periods` of the grain that only the first scope is asked for.
    """

    services: tuple[str, ...]
    stays: Stays
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
        """Number the services and their stays."""
        names = dict.fromkeys(member.service for scope in scopes for member in scope.members)
        places = {service: place for place, service in enumerate(names)}
        stays = Stays.of(scopes, places, first_day)
        return cls(tuple(names), stays, tuple(periods), width, pooled)

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
        turns = len(self.stays.of_service) * len(self.stays.scopes)
        times = sum(len(frame) * (1 if "scope_id" in frame else turns) for frame in frames)
        return sample.grouped(groupings, size, at_most=times * len(self.periods))

    def cells(self, frame: pd.DataFrame) -> Iterator[Ints]:
        """The cells of records: an array for each turn and grain, negative where there is none."""
        import numpy as np

        day = frame["day"].to_numpy()
        if "scope_id" in frame:
            yield from self._spread(frame["scope_id"].to_numpy(np.int64), day)
            return
        for stay in self.stays.found(frame["place"].to_numpy(), day):
            for scopes in self.stays.scopes:
                scope = scopes[stay]
                scope[stay < 0] = -1
                yield from self._spread(scope, day)

    def gaps(self, frame: pd.DataFrame, size: int) -> Groups:
        """Lengths from each record of a scope to the next, in order within the cell of the later.

        Args:
            frame: Records with `place`, `day` of the window, negative before it, and `us`.
            size: How many cells there are.
        """
        import numpy as np
        import pandas as pd

        ordered = frame.iloc[np.argsort(frame["us"].to_numpy())]
        us, day = ordered["us"].to_numpy(np.int64), ordered["day"].to_numpy()
        bits = max(1, len(us).bit_length())
        lines = self._lines(ordered["place"].to_numpy(), day, bits)
        later = np.flatnonzero(lines[1:] >> bits == lines[:-1] >> bits) + 1
        row, before = (lines[place] & ((1 << bits) - 1) for place in (later, later - 1))
        found = pd.DataFrame(
            {"scope_id": lines[later] >> bits, "day": day[row], "us": us[row] - us[before]},
            copy=False,
        )
        return self.grouped([found[found["day"] >= 0]], size)

    def _lines(self, place: NDArray[Any], day: NDArray[Any], bits: int) -> Ints:
        """The records of each scope, one after the other: scope and number as one integer."""
        import numpy as np

        rows = np.arange(len(place))
        packed = [rows[:0]]
        for stay in self.stays.found(place, day):
            for scopes in self.stays.scopes:
                scope = scopes[stay]
                there = (stay >= 0) & (scope >= 0)
                packed.append((scope[there] << bits) | rows[there])
        lines = np.concatenate(packed)
        lines.sort()
        return lines

    def counted(self, frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> dict[str, Ints]:
        """The sum of columns of whole numbers in every cell."""
        import numpy as np

        size = (len(self.stays.starts) - 1) * self.width
        sums = {name: np.zeros(size, np.int64) for name in columns}
        for frame in frames:
            for name in columns if len(frame) else ():
                sums[name] += self._sum(frame, name).reshape(-1)
        return sums

    def days(self, frame: pd.DataFrame) -> Ints:
        """On how many days there is a record, in every cell."""
        import numpy as np

        place, day = frame["place"].to_numpy(), frame["day"].to_numpy()
        of_stays = np.zeros((self.stays.count, len(self.periods[0])), bool)
        for stay in self.stays.found(place, day):
            there = stay >= 0
            of_stays[stay[there], day[there]] = True
        of_scopes = self.stays.rolled(of_stays, np.logical_or)
        found = np.zeros((len(of_scopes), self.width), np.int64)
        for number, of_days in enumerate(self.periods):
            first = np.flatnonzero(np.diff(of_days, prepend=-1))
            rows = slice(0, 1) if number in self.pooled else slice(None)
            days = np.add.reduceat(of_scopes[rows], first, axis=1, dtype=np.int64)
            found[rows, of_days[first]] = days
        return found.reshape(-1)

    def _sum(self, frame: pd.DataFrame, column: str) -> NDArray[Any]:
        """The sum of a column, a row for each scope."""
        import numpy as np

        values = frame[column].to_numpy()
        some = np.flatnonzero(values)
        day, weights = frame["day"].to_numpy()[some], values[some]
        if "scope_id" in frame:
            scope = frame["scope_id"].to_numpy(np.int64)[some]
            table = self._table([scope], day, weights, len(self.stays.starts) - 1)
        else:
            found = self.stays.found(frame["place"].to_numpy()[some], day)
            table = self.stays.rolled(self._table(found, day, weights, self.stays.count), np.add)
        for number in self.pooled:
            table[1:, np.unique(self.periods[number])] = 0
        return table

    def _table(
        self, rows: Iterable[Ints], day: NDArray[Any], weights: NDArray[Any], height: int
    ) -> Ints:
        import numpy as np

        plain = bool((weights == 1).all())
        table = np.zeros(height * self.width, np.int64)
        for row in rows:
            there = slice(None) if row.min(initial=0) >= 0 else row >= 0
            first, weight = row[there] * self.width, None if plain else weights[there]
            for of_days in self.periods:
                cells = first + of_days[day[there]]
                table += np.bincount(cells, weight, len(table)).astype(np.int64)
        return table.reshape(height, self.width)

    def _spread(self, scope: Ints, day: NDArray[Any]) -> Iterator[Ints]:
        import numpy as np

        first = scope * self.width
        first[scope < 0] = _NOWHERE
        for number, of_days in enumerate(self.periods):
            if number not in self.pooled:
                yield first + of_days[day]
            elif (scope == 0).any():
                yield np.where(scope == 0, of_days[day], _NOWHERE)
