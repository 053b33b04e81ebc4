"""How good are we? The nearest of DORA's levels of a year, and the score of its Quick Check.

A lower bound, a value that is not there and a number whose grade withholds judgement take part in
nothing. DORA asks about one service, so that a frequency over several is divided by their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from dora.errors import UsageError
from dora.metrics.result import Result
from dora.stats import levels as stats
from dora.words import levels as words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TAKEN = {
    "deployment_frequency": "frequency",
    "lead_time": "lead_time",
    "change_failure_rate": "failure_rate",
    "time_to_restore": "recovery",
}
"""The metrics that have levels, and what statistics call them."""


@dataclass(frozen=True)
class Standing:
    """Where one number stands among the survey's answers.

    Attributes:
        result: The number.
        value: As it is held against the answers; None where it takes part in nothing.
        low: Low end of its interval, None where there is none.
        high: High end.
        reason: Why it takes part in nothing.
    """

    result: Result
    value: float | None
    low: float | None
    high: float | None
    reason: str | None

    @classmethod
    def of(cls, result: Result) -> Standing:
        """Place a result."""
        reason = withheld(result)
        if reason is not None or result.value is None:
            return cls(result, None, None, None, reason)
        size = float(services(result)) if result.name == "deployment_frequency" else 1.0
        low, high = (None if end is None else end / size for end in (result.low, result.high))
        return cls(result, result.value / size, low, high, None)

    @property
    def unit(self) -> str:
        """The unit of the value, which says so where it is that of one service among several."""
        several = self.result.name == "deployment_frequency" and services(self.result) > 1
        return words.PER_SERVICE if several else self.result.unit

    def answer(self, value: float | None, year: int) -> str | None:
        """The survey's answer that a value is, in words; for a rate the nearest of the year's."""
        if value is None:
            return None
        part = TAKEN[self.result.name]
        if part == "failure_rate":
            low, high = stats.rate_band(value, year, self.result.n)
            return words.rates(low, high, within=low <= value <= high)
        if part == "frequency":
            return words.FREQUENCIES[int(stats.frequency_band(value))]
        return words.LENGTHS[int(stats.length_band(value))]

    def span(self, year: int) -> tuple[str, str] | None:
        """The answers at both ends of the interval, where they are not the same."""
        low, high = self.answer(self.low, year), self.answer(self.high, year)
        return (low, high) if low is not None and high is not None and low != high else None


def withheld(result: Result) -> str | None:
    """Why a result takes part in no judgement; None where it does."""
    if result.value is None:
        return result.reason or words.NO_VALUE
    grade = result.question.coverage.grade(result.name)
    return words.ungraded(str(grade.letter)) if grade.withholds else None


def services(result: Result) -> int:
    """How many services were in the scope in the window and ever deployed by its end."""
    window, first = result.window, result.question.directory.first_days
    members = {
        m.service
        for m in result.question.scopes[0].members
        if m.from_day < window.end and window.start < m.until_day
    }
    return max(1, sum(first[s] < window.end for s in members if s in first))


def standings(results: Iterable[Result]) -> tuple[Standing, ...]:
    """Where each result that has levels stands."""
    return tuple(Standing.of(result) for result in results if result.name in TAKEN)


def _measured(placed: Iterable[Standing]) -> stats.Measured:
    known = {TAKEN[s.result.name]: s.value for s in placed if s.value is not None}
    trials = [s.result.n for s in placed if TAKEN[s.result.name] == "failure_rate"]
    return stats.Measured(**known, trials=trials[0] if trials else None)


@dataclass(frozen=True, eq=False, repr=False)
class Level:
    """The level of a year's report that the numbers come nearest to.

    Attributes:
        nearest: The level, how far each is, and in what.
        standings: Where each number stands.
    """

    nearest: stats.Nearest
    standings: tuple[Standing, ...]

    @classmethod
    def of(cls, results: Iterable[Result], year: int) -> Level:
        """Hold results against the levels of a year.

        Raises:
            UsageError: That year's report has no levels.
        """
        if year not in stats.REPORTS:
            years = ", ".join(str(known) for known in stats.REPORTS)
            raise UsageError(
                f"DORA's report of {year} has no levels that are known here.",
                hint=f"There are levels of {years}; 2025 dropped them.",
            )
        placed = standings(results)
        return cls(stats.nearest(_measured(placed), year), placed)

    @property
    def year(self) -> int:
        """The year of the report."""
        return self.nearest.year

    @property
    def name(self) -> str | None:
        """The level, such as `high`; `elite or high` where both are equally near; None for none."""
        return words.either(self.nearest.levels) or None

    @property
    def source(self) -> str:
        """The report that the levels are from."""
        return stats.REPORTS[self.year].source

    @cached_property
    def sentence(self) -> str:
        """The level and what its numbers' intervals leave open; or why there is none."""
        lacking = [(s.result.metric.title, str(s.reason)) for s in self.standings if s.reason]
        if not self.nearest.levels:
            return words.no_level(self.year, len(self.standings) - len(lacking), lacking)
        spans = ((s.result, s.span(self.year)) for s in self.standings)
        said = [words.spanning(r.metric.title, *span) for r, span in spans if span]
        return words.level(self.year, self.nearest.levels, lacking, said)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a metric that has levels.

        Columns: metric, value, unit, n, low, high, as held against the answers; answer, answer_low
        and answer_high, the survey's answers that value and interval are, for a rate the nearest
        of the year's levels; to_elite and so on, how far each level is in this; reason, why it
        takes part in nothing.
        """
        return _frame(self.standings, self._row)

    def _row(self, standing: Standing) -> Iterator[tuple[str, Any]]:
        ends = {"answer": standing.value, "answer_low": standing.low, "answer_high": standing.high}
        for name, value in ends.items():
            yield name, standing.answer(value, self.year)
        for level, parts in self.nearest.parts.items():
            yield f"to_{level}", parts.get(TAKEN[standing.result.name])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each number with its interval over the survey's answers."""
        from dora.plots import benchmark

        return benchmark.strip(self, ax)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}<br><small>{escape(self.source)}</small></p>"


@dataclass(frozen=True, eq=False, repr=False)
class QuickCheck:
    """The score that dora.dev's Quick Check would give to the numbers.

    Attributes:
        found: The score of each number, and their mean.
        standings: Where each number stands.
    """

    found: stats.QuickCheck
    standings: tuple[Standing, ...]

    @classmethod
    def of(cls, results: Iterable[Result]) -> QuickCheck:
        """Score results."""
        placed = standings(results)
        return cls(stats.quick_check(_measured(placed)), placed)

    @property
    def score(self) -> float | None:
        """From 0 to 10; None where nothing is known."""
        return self.found.score

    @property
    def scores(self) -> Mapping[str, float]:
        """The score of each metric that is known."""
        known = self.found.scores
        return {name: known[part] for name, part in TAKEN.items() if part in known}

    @property
    def sentence(self) -> str:
        """The score and what it is the mean of."""
        titles = [s.result.metric.title.lower() for s in self.standings if s.reason is None]
        return words.score(self.score, titles)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a metric: metric, value, unit, n, low, high, score, reason."""
        scores = self.scores
        return _frame(self.standings, lambda s: [("score", scores.get(s.result.name))])

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence)}</p>"


def _frame(placed: Iterable[Standing], further: Any) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "metric": s.result.name,
            "value": s.value,
            "unit": s.unit,
            "n": s.result.n,
            "low": s.low,
            "high": s.high,
            **dict(further(s)),
            "reason": s.reason,
        }
        for s in placed
    ]
    frame = pd.DataFrame(rows, dtype=object)
    named = ("value", "low", "high", "score")
    numbers = [name for name in frame.columns if name in named or name.startswith("to_")]
    return frame.astype({**dict.fromkeys(numbers, "Float64"), "n": "int64"})
