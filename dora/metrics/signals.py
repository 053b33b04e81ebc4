"""Signal or noise: what of a series stands out, and when its level changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from dora import stats, words
from dora.metrics.series import Series, series_of
from dora.words import standing_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dora.metrics.result import Result


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of level, dated by a range; what caused it is not said.

    Attributes:
        earliest: The first day on which it may have come about.
        latest: The last such day.
        before: The level before, in the series' unit; counts by week.
        after: The level after.
        better: Whether that is the better way.
        unit: The unit of both.
    """

    earliest: date
    latest: date
    before: float
    after: float
    better: bool
    unit: str

    @property
    def sentence(self) -> str:
        """When, from what to what, and whether for the better."""
        before, after = (words.quantity(level, self.unit) for level in (self.before, self.after))
        return standing_out.shift(
            str(self.earliest), str(self.latest), before, after, better=self.better
        )


@dataclass(frozen=True, eq=False, repr=False)
class Signals:
    """A process behaviour chart of a result: levels, limits, and what lies beyond them.

    Attributes:
        result: The result, cut into periods.
        series: The points; None where there are too few, or the record cannot be trusted.
        chart: Their levels and limits; None likewise.
        shifts: Where the level changed. Limits are fitted anew from there on.
        starts: The points at which levels begin.
        reason: Why there are none.
    """

    result: Result
    series: Series | None
    chart: stats.Chart | None
    shifts: tuple[Shift, ...]
    starts: tuple[int, ...]
    reason: str | None

    @classmethod
    def of(cls, result: Result) -> Signals:
        """Chart a result by its own periods, or by weeks if it has none."""
        cut = result.periods(weeks=True)
        grade = result.question.coverage.grade(result.name)
        if grade.withholds:
            return cls(cut, None, None, (), (), standing_out.doubtful(grade.reasons))
        found = series_of(cut)
        if isinstance(found, str):
            return cls(cut, None, None, (), (), cut.reason if cut.veiled else found)
        points = stats.change_points(found.scaled, found.n, least_spread=found.least_spread)
        starts = (0, *(point.place for point in points))
        chart = found.charted(starts)
        shifts = tuple(_shift(found, chart, point) for point in points)
        return cls(cut, found, chart, shifts, starts, None)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a point.

        Columns: period_start and period_end (days, half-open); running, for a time since the last
        event that is not over; value, unit, n; centre, lower and upper, the level and its limits,
        NA where nothing would be too low or too high; signal, `above` or `below` where the point
        lies beyond a limit; verdict, whether that is better or worse; hints, other patterns, of
        which one series in several has some while nothing changes; level, counted from 1.
        """
        import pandas as pd

        if self.series is None or self.chart is None:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in _COLUMNS})
        series, chart = self.series, self.chart
        sides = [int(side) for side in chart.signals]
        columns: dict[str, object] = {
            "period_start": series.starts,
            "period_end": series.ends,
            "running": [series.last_runs and i == len(sides) - 1 for i in range(len(sides))],
            "value": chart.values,
            "unit": _texts(series.unit for _ in sides),
            "n": series.n.astype(int),
            "centre": chart.centre,
            "lower": pd.array(chart.lower, dtype="Float64"),
            "upper": pd.array(chart.upper, dtype="Float64"),
            "signal": _texts({1: "above", -1: "below"}.get(side) for side in sides),
            "verdict": _texts(_better(side > 0, series) if side else None for side in sides),
            "hints": _texts(", ".join(hints) or None for hints in chart.hints),
            "level": [sum(start <= i for start in self.starts) for i in range(len(sides))],
        }
        return pd.DataFrame(columns)

    @property
    def found(self) -> pd.DataFrame:
        """The rows of the frame that are signals."""
        frame = self.frame
        return frame[frame["signal"].notna()].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """What stands out, and when the level changed."""
        title = self.result.metric.title
        if self.series is None or self.chart is None:
            return standing_out.nothing(title, self.reason)
        told = [_told(row) for row in self.found.to_dict(orient="records")]
        points = standing_out.points(self.series.noun, len(self.frame))
        level = _level(self.series, self.chart, -1)
        usual = words.quantity(level, _level_unit(self.series))
        shifts = [shift.sentence for shift in self.shifts]
        return standing_out.summary(title, points, told, shifts, usual)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the points with levels, limits and signals, and return the axes."""
        return self.result.plot("process", ax)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        shown = words.html_table(self.found) if len(self.found) else ""
        return f"<p>{escape(self.sentence)}</p>{shown}"


_COLUMNS = (
    "period_start", "period_end", "running", "value", "unit", "n", "centre", "lower", "upper",
    "signal", "verdict", "hints", "level",
)  # fmt: skip


def _texts(values: Iterable[str | None]) -> pd.Series[Any]:
    """A column of texts in which None stays None."""
    import pandas as pd

    return pd.Series(list(values), dtype=object)


def _better(up: bool, series: Series) -> str:
    return "better" if up is series.up_is_better else "worse"


def _told(row: Mapping[Any, Any]) -> str:
    """A signal in a few words."""
    when = words.period(row["period_start"], row["period_end"])
    value = words.quantity(float(row["value"]), row["unit"])
    return standing_out.point(when, value, row["signal"], row["verdict"])


def _level_unit(series: Series) -> str:
    """Levels of counts are told by week, as periods differ in length."""
    return "per week" if series.kind == "counts" else series.unit


def _level(series: Series, chart: stats.Chart, place: int) -> float:
    level = float(chart.centre[place])
    if series.kind != "counts":
        return level
    return level / (series.ends[place] - series.starts[place]).days * 7


def _shift(series: Series, chart: stats.Chart, point: stats.ChangePoint) -> Shift:
    """A change point in days, from the point before the first possible one on."""
    before, after = (_level(series, chart, place) for place in (point.place - 1, point.place))
    return Shift(
        series.starts[point.earliest - 1], series.ends[point.latest] - timedelta(days=1),
        before, after, (after > before) is series.up_is_better, _level_unit(series),
    )  # fmt: skip
