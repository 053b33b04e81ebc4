"""Is it moving steadily in one direction?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from dora import stats
from dora.stats.trend import LEAST_POINTS
from dora.words import standing_out

if TYPE_CHECKING:
    from dora.metrics.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class Trend:
    """The steady movement of a result from period to period.

    Attributes:
        result: The result, cut into periods.
        slope: The usual step from one period to the next: for durations relative, 0.03 for 3 %
            longer each; else the difference. None where nothing can be said.
        low: Low end of its 95 % interval.
        high: High end of its 95 % interval.
        chance: How often chance alone makes a series as steady.
        n: How many whole periods have a value.
        verdict: better, worse, no evidence, too little data, or withheld from grade D on.
        reason: Why nothing can be said.
    """

    result: Result
    slope: float | None
    low: float | None
    high: float | None
    chance: float | None
    n: int
    verdict: Literal["better", "worse", "no evidence", "too little data", "withheld"]
    reason: str | None

    @classmethod
    def of(cls, result: Result) -> Trend:
        """Find the trend by a result's own periods, or by weeks if it has none."""
        import numpy as np

        cut = result.periods(weeks=True)
        frame = cut.frame
        usable = (~frame["partial"].astype(bool) & frame["value"].notna()).to_numpy(bool)
        places, values = np.flatnonzero(usable), frame["value"][usable].to_numpy(np.float64)
        logged = result.unit == "seconds"
        found = stats.theil_sen(np.log(np.maximum(values, 1.0)) if logged else values, places)
        grade = result.question.coverage.grade(result.name)
        nothing = (None, None, None, None, len(values))
        if found is None:
            few = standing_out.too_short(len(values), cut.question.grains[0], LEAST_POINTS)
            return cls(cut, *nothing, "too little data", few)
        if grade.withholds:
            return cls(cut, *nothing, "withheld", standing_out.doubtful(grade.reasons))
        slope, low, high = (
            math.expm1(step) if logged else step for step in (found.slope, found.low, found.high)
        )
        way = found.direction * (1 if result.metric.higher_is_better else -1)
        words: dict[int, Literal["better", "worse", "no evidence"]] = {
            1: "better", -1: "worse", 0: "no evidence",
        }  # fmt: skip
        return cls(cut, slope, low, high, found.chance, found.n, words[way], None)

    @property
    def sentence(self) -> str:
        """Whether it moves steadily, and by how much."""
        title, unit = self.result.metric.title, self._unit
        if self.slope is None or self.low is None or self.high is None:
            return standing_out.no_trend(title, str(self.reason))
        ends = standing_out.step(self.low, unit), standing_out.step(self.high, unit)
        over = standing_out.points(self.result.question.grains[0], self.n)
        if self.low == self.high == 0:
            return standing_out.alike(title, over)
        return standing_out.trend(
            title, self.verdict, standing_out.step(self.slope, unit), ends, over
        )

    @property
    def _unit(self) -> str:
        return self.result.metric.period_unit or self.result.unit

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>"
