"""How much does a number hang on the failure window?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from dora import words
from dora.errors import UsageError
from dora.words import compared, links

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.result import Result

WINDOWS = ("1h", "6h", "24h", "72h")
"""The failure windows that are tried; and, last, stated links only."""

JUDGED = ("change_failure_rate", "time_to_restore")
"""The metrics that hang on what an incident is put down to."""


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """A number as it would be with other failure windows, or by what is stated alone.

    Attributes:
        base: The result by the rules in force.
        results: The results, by what was changed.
    """

    base: Result
    results: dict[str, Result]

    @classmethod
    def of(cls, base: Result) -> Sensitivity:
        """Ask again with each window, for the window of time and the first scope.

        Raises:
            UsageError: The metric does not hang on links.
        """
        only_of_links(base.name)
        rules = base.rules
        tried = {links.within(text): rules.but(failure_window=text) for text in WINDOWS}
        tried[links.STATED_ONLY] = rules.but(failure_rules=("stated",))
        question = base.question.pooled()
        return cls(
            base, {name: base.metric.ask(question.under(other)) for name, other in tried.items()}
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a failure window, the rules in force first.

        Columns: metric, links (what was changed), value, unit, n, low, high (95 % interval),
        reason (why there is no value), difference (from the rules in force).
        """
        import pandas as pd

        now = self.base
        rows = [
            {
                "metric": now.name,
                "links": name,
                "value": one.value,
                "unit": now.unit,
                "n": one.n,
                "low": one.low,
                "high": one.high,
                "reason": one.reason,
                "difference": None
                if one.value is None or now.value is None
                else one.value - now.value,
            }
            for name, one in {links.in_force(now.rules): now, **self.results}.items()
        ]
        numbers = dict.fromkeys(("value", "low", "high", "difference"), "Float64") | {"n": "Int64"}
        return pd.DataFrame(rows, dtype=object).astype(numbers)

    @property
    def shown(self) -> pd.DataFrame:
        """The frame for reading: a value with its interval, and how far it moves."""
        import pandas as pd

        told = {links.in_force(self.base.rules): self.base, **self.results}
        rows = [
            {"links": name, "value (95 % interval)": one.summary, "difference": self._moved(one)}
            for name, one in told.items()
        ]
        return pd.DataFrame(rows, dtype=object)

    def _moved(self, one: Result) -> str:
        if one.value is None or self.base.value is None or one is self.base:
            return ""
        return compared.signed(one.value - self.base.value, self.base.unit)

    def __repr__(self) -> str:
        told = {links.in_force(self.base.rules): self.base, **self.results}
        lines = (f"{name}: {one.summary}" for name, one in told.items())
        return "\n".join([f"{self.base.metric.title} with other failure windows", *lines])

    def _repr_html_(self) -> str:
        title = f"{self.base.metric.title} with other failure windows"
        return f"<p><b>{escape(title)}</b></p>{words.html_table(self.shown)}"


def only_of_links(metric: str) -> None:
    """Refuse metrics that no link of an incident bears on.

    Raises:
        UsageError: The metric is one of these.
    """
    if metric not in JUDGED:
        raise UsageError(
            f"No incident is linked for {metric}.",
            hint=f"Ask it of {' or '.join(JUDGED)}; the records of any metric are its evidence.",
        )
