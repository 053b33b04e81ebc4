"""Every scope in every period, so that a cell without records still has its row.

SQL gives the cells that have something in them; here they find their place among all the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from dora.metrics.scopes import Directory, Scope

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Objects: TypeAlias = NDArray[np.object_]


WHOLE = "window"
"""The grain of the window itself; every question asks for it."""


@dataclass(frozen=True)
class Grid:
    """Scopes times periods, one row each, scope by scope.

    Attributes:
        scopes: The scopes, in order.
        periods: A row for each period: grain, period_start, period_end, partial.
        directory: Who is covered, and since when known.
        today: The local day of `as_of`.
    """

    scopes: tuple[Scope, ...]
    periods: pd.DataFrame
    directory: Directory
    today: date

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.scopes) * len(self.periods)

    @cached_property
    def grain(self) -> Objects:
        """The grain of each cell."""
        return self._per_period(self.periods["grain"].to_numpy(object))

    @cached_property
    def start(self) -> NDArray[np.datetime64]:
        """The first day of each cell."""
        return self._per_period(_days(self.periods["period_start"]))

    @cached_property
    def end(self) -> NDArray[np.datetime64]:
        """The day after the last of each cell."""
        return self._per_period(_days(self.periods["period_end"]))

    @cached_property
    def begun(self) -> Bools:
        """Whether a cell's first day has come."""
        import numpy as np

        found: Bools = self.start <= np.datetime64(self.today, "D")
        return found

    @cached_property
    def known_from(self) -> NDArray[np.datetime64]:
        """The scope's first known deployment; NaT if there is none."""
        import numpy as np

        days = [self.directory.known_from(scope) for scope in self.scopes]
        return self.per_scope(np.array(days, dtype="datetime64[D]"))

    @cached_property
    def partial(self) -> Bools:
        """Whether a cell is cut, not over yet, or holds the scope's first deployment."""
        import numpy as np

        first = (self.start <= self.known_from) & (self.known_from < self.end)
        cut = self._per_period(self.periods["partial"].to_numpy(bool))
        return np.asarray(cut | first, bool)

    @cached_property
    def covered(self) -> Bools:
        """Whether the incidents of the scope are known."""
        import numpy as np

        return self.per_scope(np.array([self.directory.is_covered(s) for s in self.scopes], bool))

    def per_scope(self, values: NDArray[Any]) -> NDArray[Any]:
        """A value for each scope, repeated over its periods."""
        import numpy as np

        return np.repeat(values, len(self.periods))

    def _per_period(self, values: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        return np.tile(values, len(self.scopes))

    def spread(
        self, cells: pd.DataFrame, columns: Sequence[str], *, missing: float | None = None
    ) -> dict[str, Any]:
        """Columns of a query laid out over the grid.

        Args:
            cells: Rows with their cell's number and the columns.
            columns: Which ones.
            missing: What stands where a cell has no row; None for 0 in whole numbers.
        """
        import numpy as np

        places = cells["cell"].to_numpy(np.int64)
        laid: dict[str, Any] = {}
        for column in columns:
            if missing is None:
                whole = np.zeros(self.size, np.int64)
                whole[places] = cells[column].to_numpy(np.int64)
                laid[column] = whole
            else:
                real = np.full(self.size, missing, np.float64)
                real[places] = cells[column].to_numpy(np.float64, na_value=np.nan)
                laid[column] = real
        return laid

    def running(self, values: Ints) -> Ints:
        """The sum over a cell and those before it, within its scope and grain."""
        import numpy as np

        table = values.reshape(len(self.scopes), len(self.periods))
        grains = self.periods["grain"].to_numpy(object)
        summed = np.zeros_like(table)
        for grain in dict.fromkeys(grains):
            rows = grains == grain
            summed[:, rows] = np.cumsum(table[:, rows], axis=1)
        return summed.reshape(-1)

    @cached_property
    def asked(self) -> Ints:
        """The cells that were asked for: without those of the window where there are periods."""
        import numpy as np

        periods = np.flatnonzero(self.grain != WHOLE)
        return periods if len(periods) else np.arange(self.size)

    @property
    def window(self) -> Ints:
        """The cell of the first scope's whole window."""
        import numpy as np

        return np.flatnonzero(self.grain[: len(self.periods)] == WHOLE)[:1]

    def frame(
        self, cells: Ints, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> pd.DataFrame:
        """One row for each of these cells: what was measured, whose, when, then the numbers."""
        import pandas as pd

        told = {name: column(_text(value, len(cells))) for name, value in before.items()}
        places = _lent(self._places_asked) if cells is self.asked else self._places(cells)
        measured = {name: column(values[cells]) for name, values in after.items()}
        return pd.DataFrame({**told, **places, **measured}, copy=False)

    @cached_property
    def _places_asked(self) -> dict[str, pd.Series[Any]]:
        return self._places(self.asked)

    def _places(self, cells: Ints) -> dict[str, pd.Series[Any]]:
        """Whose and when these cells are."""
        import numpy as np

        scope, period = np.divmod(cells, len(self.periods))
        columns = {
            "scope": _objects([one.kind for one in self.scopes])[scope],
            "service": _objects([one.service for one in self.scopes])[scope],
            "team": _objects([one.team for one in self.scopes])[scope],
            "period_start": _dates(self.periods["period_start"])[period],
            "period_end": _dates(self.periods["period_end"])[period],
            "partial": self.partial[cells],
        }
        return {name: column(values) for name, values in columns.items()}


def _lent(columns: dict[str, pd.Series[Any]]) -> dict[str, pd.Series[Any]]:
    """Columns that several frames show; from pandas 3 on, one that is written to gets its own."""
    import pandas as pd

    lasting = int(pd.__version__.split(".")[0]) >= 3
    return columns if lasting else {name: values.copy() for name, values in columns.items()}


def column(values: Any) -> pd.Series[Any]:
    """A column of a frame: None in text, NA in numbers, where there is no value."""
    import numpy as np
    import pandas as pd

    array = np.asarray(values)
    if array.dtype.kind == "f":
        masked = pd.arrays.FloatingArray(np.nan_to_num(array), np.isnan(array))
        return pd.Series(masked)
    return pd.Series(array, dtype=object if array.dtype.kind == "O" else None)


def _text(value: str, size: int) -> Objects:
    import numpy as np

    return np.full(size, value, dtype=object)


def _objects(values: Sequence[Any]) -> Objects:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _dates(column_of_days: pd.Series[Any]) -> Objects:
    return _objects([value.item() for value in _days(column_of_days)])


def _days(values: pd.Series[Any]) -> NDArray[np.datetime64]:
    import numpy as np

    return (
        values.to_numpy().astype("datetime64[D]") if len(values) else np.array([], "datetime64[D]")
    )
