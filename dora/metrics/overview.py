"""All metrics at a glance, each held against the window before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from dora import words
from dora.goals import Goal
from dora.metrics.comparison import Comparison, together
from dora.metrics.goals import Judgement, judge
from dora.metrics.levels import Level, QuickCheck, standings
from dora.metrics.notes import Notes
from dora.metrics.result import Result
from dora.stats.levels import NEWEST

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Overview:
    """One row a metric: value, interval, n, reason, and whether it changed.

    Attributes:
        comparisons: Each metric's result, compared with the window before. Verdicts are corrected
            for there being several, by Holm's method: while nothing changes, at most one window in
            twenty has any "better" or "worse".
        goals: What is aimed at.
    """

    comparisons: tuple[Comparison, ...]
    goals: tuple[Goal, ...] = ()

    @classmethod
    def of(cls, results: Sequence[Result], goals: Sequence[Goal] = ()) -> Overview:
        """Compare each result with the window before its own."""
        return cls(together(result.compare() for result in results), tuple(goals))

    @property
    def results(self) -> tuple[Result, ...]:
        """The results."""
        return tuple(comparison.now for comparison in self.comparisons)

    def level(self, year: int = NEWEST) -> Level:
        """The level of DORA's report of that year that the numbers come nearest to.

        Raises:
            UsageError: That year's report has no levels.
        """
        return Level.of(self.results, year)

    def quick_check(self) -> QuickCheck:
        """The score from 0 to 10 that dora.dev's Quick Check would give to the numbers."""
        return QuickCheck.of(self.results)

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """Whether each metric that has a goal meets it."""
        judged = (judge(result, self.goals) for result in self.results)
        return tuple(one for one in judged if one is not None)

    @cached_property
    def notes(self) -> Notes:
        """What to mind when reading the numbers."""
        return Notes.of(self.comparisons)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a metric.

        Columns: metric, value, unit, n, low, high, reason; verdict, corrected for there being
        several metrics; change, the difference with its interval; answer, what the value is among
        the answers of DORA's survey; goal and judgement, where there is one; sentence, the verdict
        in one plain sentence.
        """
        import pandas as pd

        from dora.metrics.grid import column

        nan = float("nan")
        results = self.results
        answers = {s.result.name: s.answer(s.value, NEWEST) for s in standings(results)}
        goals = {j.standing.result.name: j for j in self.judgements}
        columns: dict[str, list[object]] = {
            "metric": [r.name for r in results],
            "value": [nan if r.value is None else r.value for r in results],
            "unit": [r.unit for r in results],
            "n": [r.n for r in results],
            "low": [nan if r.low is None else r.low for r in results],
            "high": [nan if r.high is None else r.high for r in results],
            "reason": [r.reason for r in results],
            "verdict": [c.verdict for c in self.comparisons],
            "change": [c.difference for c in self.comparisons],
            "answer": [answers.get(r.name) for r in results],
            "goal": [goals[r.name].aim if r.name in goals else None for r in results],
            "judgement": [goals[r.name].state if r.name in goals else None for r in results],
            "sentence": [c.sentence for c in self.comparisons],
        }
        numbers = ("value", "n", "low", "high")
        return pd.DataFrame(
            {
                name: column(values) if name in numbers else pd.Series(values, dtype=object)
                for name, values in columns.items()
            }
        )

    def __repr__(self) -> str:
        return "\n".join(f"{c.now!r}; {c.verdict}" for c in self.comparisons)

    def _repr_html_(self) -> str:
        if not self.comparisons:
            return "<p>There is no metric.</p>"
        now, before = self.comparisons[0].now, self.comparisons[0].before
        title = f"{now.question.scopes[0].label}, {now.window} against {before.window}"
        shown = words.html_table(self.frame)
        said = [c.sentence for c in self.comparisons]
        said += [self.level().sentence, self.quick_check().sentence]
        said += [judgement.sentence for judgement in self.judgements]
        said += [f"Mind: {note.sentence}" for note in self.notes]
        return f"<p><b>{escape(title)}</b></p>{shown}<p>{'<br>'.join(map(escape, said))}</p>"
