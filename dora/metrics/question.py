"""What is asked of every metric alike: which window, cut how, about whom, by which rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dora.metrics.grid import WHOLE, Grid
from dora.metrics.scopes import Directory, Scope, Tables
from dora.rules import Rules
from dora.windows import Window, window

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.coverage import Coverage
    from dora.metrics.placing import Placing
    from dora.stats import Groups

_ALWAYS_RANKED = 4096
"""Sample sizes whose order statistics are at hand; larger ones are asked for."""


@dataclass(frozen=True)
class Question:
    """A window of time, its periods, the scopes and the rules, put to a workspace.

    Attributes:
        tables: Where models are built and SELECTs run.
        window: The window.
        grains: The periods that it is cut into, none for the window alone.
        as_of: What stands for now.
        rules: The rules that the workspace was made with.
        scopes: Whom it is about; the first one is what `value` is of.
        directory: All services and teams.
        least_authors: Fewer people than this behind a team's number, and it is not shown.
    """

    tables: Tables
    window: Window
    grains: tuple[str, ...]
    as_of: datetime
    rules: Rules
    scopes: tuple[Scope, ...]
    directory: Directory
    least_authors: int = 1

    def over(self, other: Window | str | None) -> Question:
        """The same asked of another window, by default of the one before."""
        if isinstance(other, str):
            other = window(other, as_of=self.as_of, zone=self.window.zone)
        wanted = other or self.window.before()
        if wanted not in self._others:
            self._others[wanted] = replace(self, window=wanted)
        return self._others[wanted]

    def under(self, rules: Rules) -> Question:
        """The same judged by other rules."""
        if rules == self.rules:
            return self
        tables = self.tables.with_rules(rules)
        same = rules.environments == self.rules.environments
        directory = self.directory if same else Directory.read(tables)
        return replace(self, tables=tables, rules=rules, directory=directory)

    def by(self, *grains: str) -> Question:
        """The same, cut into other periods."""
        return replace(self, grains=grains)

    def pooled(self) -> Question:
        """The same for the first scope and the window alone."""
        return self._pooled if self.grains or len(self.scopes) > 1 else self

    @cached_property
    def _pooled(self) -> Question:
        return replace(self, scopes=self.scopes[:1], grains=())

    @cached_property
    def _others(self) -> dict[Window, Question]:
        """The same of other windows: all metrics share one, and so its calendar and grid."""
        return {}

    @cached_property
    def today(self) -> date:
        """The local day of `as_of`."""
        from dora import zones

        return zones.local_day(self.as_of, self.window.zone)

    @cached_property
    def coverage(self) -> Coverage:
        """How far the numbers of the window and the first scope can be trusted."""
        from dora.metrics.coverage import Coverage

        pooled = self.pooled()
        return Coverage.of(self) if pooled is self else pooled.coverage

    @property
    def elapsed_days(self) -> int:
        """How many of the window's days have begun."""
        return max(0, min(self.window.days, (self.today - self.window.start).days + 1))

    @cached_property
    def calendar(self) -> pd.DataFrame:
        """Every day of the window with its periods, numbered; the window itself is 0."""
        from dora import periods

        found = periods.calendar(self.window, (WHOLE, *self.grains), as_of=self.as_of)
        numbers = found.groupby(["grain", "period_start"], sort=False).ngroup()
        return found.assign(period=numbers)

    @cached_property
    def grid(self) -> Grid:
        """Every scope in every period."""
        periods = self.calendar.drop_duplicates("period").reset_index(drop=True)
        return Grid(self.scopes, periods.drop(columns="day"), self.directory, self.today)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run a metric's SELECT on this question's calendar and scopes."""
        self.tables.load("calendar", self.calendar, _CALENDAR_TYPES)
        self.tables.load("scope_services", self.scope_services, _SCOPE_TYPES)
        return self.tables.query(sql, parameters)

    @cached_property
    def scope_services(self) -> pd.DataFrame:
        """The services of every scope, with their days and the scope's first cell."""
        import pandas as pd

        return pd.DataFrame(self._members(), columns=list(_SCOPE_TYPES), dtype=object)

    def _members(self) -> Iterator[tuple[Any, ...]]:
        periods = len(self.grid.periods)
        for scope_id, scope in enumerate(self.scopes):
            # with periods asked for, only the first scope's whole window is ever looked at
            place = (scope_id, scope_id * periods, 1 if scope_id and self.grains else 0)
            for member in scope.members:
                yield *place, member.service, member.from_day, member.until_day

    @cached_property
    def placing(self) -> Placing:
        """Which cells the records of a service fall in."""
        import numpy as np

        from dora.metrics.placing import Placing

        of_grains = self.calendar.groupby("grain", sort=False)["period"]
        periods = {grain: of.to_numpy(np.int64) for grain, of in of_grains}
        pooled = frozenset(n for n, grain in enumerate(periods) if grain == WHOLE and self.grains)
        width = len(self.grid.periods)
        return Placing.of(self.scopes, self.window.start, [*periods.values()], width, pooled)

    @cached_property
    def service_places(self) -> pd.DataFrame:
        """The services of the scopes, numbered."""
        import pandas as pd

        services = pd.Series(self.placing.services, dtype=object)
        return pd.DataFrame({"service": services, "place": range(len(services))})

    def grouped(self, *selects: str) -> Groups:
        """The records of SELECTs, in order of length within each cell of the grid."""
        return self.placing.grouped(self.records(*selects), self.grid.size)

    def records(self, *selects: str) -> list[pd.DataFrame]:
        """What SELECTs of records give, each told by its service's place or by its scope."""
        self.tables.load("service_places", self.service_places, _PLACE_TYPES)
        return [self.query(sql) for sql in selects]

    def rank(self, sizes_sql: str, table: str) -> None:
        """Load the ranks that bound a median, for every sample size that can come up.

        Args:
            sizes_sql: A SELECT of the sizes that there are.
            table: What is counted; sizes are only asked for where it has many rows.
        """
        import numpy as np
        import pandas as pd

        from dora.stats import quantile_ranks

        sizes = np.arange(1, _ALWAYS_RANKED + 1)
        rows = self.tables.query(f"select count(*) as n from {table}")["n"].iloc[0]
        if sizes_sql and int(rows) * max(1, len(self.scopes)) > _ALWAYS_RANKED:
            there = self.query(sizes_sql)["n"].to_numpy(np.int64)
            sizes = np.union1d(sizes, there)
        low, high = quantile_ranks(sizes)
        frame = pd.DataFrame({"n": sizes, "low_rank": low, "high_rank": high})
        self.tables.load(
            "order_statistics", frame, dict.fromkeys(frame.columns.astype(str), "BIGINT")
        )


_CALENDAR_TYPES = {
    "day": "DATE",
    "period_start": "DATE",
    "period_end": "DATE",
    "grain": "VARCHAR",
    "period": "INTEGER",
}
_SCOPE_TYPES = {
    "scope_id": "INTEGER",
    "first_cell": "BIGINT",
    "from_period": "INTEGER",
    "service": "VARCHAR",
    "from_day": "DATE",
    "until_day": "DATE",
}
_PLACE_TYPES = {"service": "VARCHAR", "place": "INTEGER"}
