"""All metrics at a glance, each held against the window before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from dora import words
from dora.metrics.comparison import Comparison
from dora.metrics.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Overview:
    """One row a metric: value, interval, n, reason, and whether it changed.

    Attributes:
        comparisons: Each metric's result, compared with the window before.
    """

    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, results: Sequence[Result]) -> Overview:
        """Compare each result with the window before its own."""
        return cls(tuple(result.compare() for result in results))

    @property
    def results(self) -> tuple[Result, ...]:
        """The results."""
        return tuple(comparison.now for comparison in self.comparisons)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Columns: metric, value, unit, n, low, high, reason, verdict, change."""
        import pandas as pd

        from dora.metrics.grid import column

        nan = float("nan")
        results = self.results
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
        }
        texts = ("metric", "unit", "reason", "verdict", "change")
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype=object) if name in texts else column(values)
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
        return f"<p><b>{escape(title)}</b></p>{shown}"
