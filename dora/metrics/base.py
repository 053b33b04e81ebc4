"""What a metric is, and the three shapes that metrics have: a count, a rate, a duration.

A metric is a module here with an object named `METRIC` and a `.sql` file of the same name. The file
holds named SELECTs (`-- part: cells`, `evidence`, `left_out` …) that share the `with` of the part
`counted`; `cells` gives counts for every scope and period, and the metric turns these into values,
intervals and reasons, whole columns at a time. An engine's own file may hand over the records
instead, each once (`counts`, `rows` and `gap_rows` by service, `scope_counts` and `shared_rows` by
scope), and they are placed in the cells here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

from dora import stats, words
from dora.metrics import privacy
from dora.metrics.comparison import Change, rate_change, ratio_change, shift_change
from dora.metrics.grid import WHOLE
from dora.metrics.question import Question
from dora.metrics.result import Result

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from dora.metrics.grid import Grid

_PART = re.compile(r"^-- part: (\w+)\n", re.MULTILINE)
_QUANTILES = {"p50_x2": (1, 2), "p75_x4": (3, 4), "p90_x10": (9, 10), "p95_x20": (19, 20)}
"""Columns of exact whole numbers: a quantile times its denominator."""
MICROSECONDS = 1_000_000


@cache
def parts(name: str, engine: str = "") -> Mapping[str, str]:
    """The named SELECTs of a metric, each whole, in an engine's own version where it has one."""
    pieces: dict[str, str] = {}
    for folder in ("", engine):
        place = files(__package__) / folder if folder else files(__package__)
        entry = place / f"{name}.sql"
        if entry.is_file():
            pieces |= _pieces(entry.read_text("utf-8"))
        if not engine:
            break
    return _whole(pieces)


def split_parts(sql: str) -> Mapping[str, str]:
    """The named SELECTs of a file's text, each whole."""
    return _whole(_pieces(sql))


def _pieces(sql: str) -> dict[str, str]:
    text = _PART.split(sql)
    return dict(zip(text[1::2], text[2::2], strict=True))


def _whole(pieces: dict[str, str]) -> dict[str, str]:
    shared = pieces.pop("counted", "")
    return {part: f"{shared.rstrip()}\n{text.strip()}\n" for part, text in pieces.items()}


@dataclass(frozen=True)
class Judged:
    """The numbers of every cell, column by column; NaN where there is none."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]
    reason: NDArray[np.object_]
    further: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Metric(ABC):
    """A number with a definition.

    Attributes:
        name: What it is called in code and files.
        title: What dora.dev calls it.
        definition: What it is, in a sentence.
        aliases: Other names that it is found by.
        order: Where it stands among the others.
        unit: Unit of the window's value: seconds, share, or words that follow the number.
        period_unit: Unit of a period's value, if another.
        noun: What n counts.
        higher_is_better: Which way is better.
        models: The derived tables that its numbers are made from.
        record_models: Further ones that its records are told from, built when these are asked for.
        asides: Columns that are said beside the value, and how.
        spell_models: Further derived tables that what is not over is told from.
        done: What becomes of what is counted in the end, such as delivered.
        hit: What is counted of what n counts, such as failure.
        one_by_one: Whether single records stand for themselves, so that a chart may show each.
    """

    name: str
    title: str
    definition: str
    aliases: tuple[str, ...] = ()
    order: int = 100
    unit: str
    period_unit: str = ""
    noun: str
    higher_is_better: bool = False
    models: tuple[str, ...]
    record_models: tuple[str, ...] = ()
    asides: Mapping[str, str] = field(default_factory=dict)
    spell_models: tuple[str, ...] = ()
    done: str = ""
    hit: str = ""
    one_by_one: bool = False

    quantiles: ClassVar[tuple[str, ...]] = ()
    needs_incidents: ClassVar[bool] = False
    """Whether services without an incident source are left out."""

    def sql(self, question: Question, part: str = "cells") -> str:
        """The SELECT of a part as that question's engine runs it; empty if it has no such part."""
        engine = getattr(getattr(question.tables, "engine", None), "name", "")
        return parts(self.name, engine).get(part, "")

    def ask(self, question: Question) -> Result:
        """The answer: one number for the window and the first scope, and a frame of all cells."""
        question.tables.need(*self.models)
        judged, grid = self.judge(question), question.grid
        kept_back = privacy.hidden(question, judged.n)

        def shown(cells: NDArray[np.int64]) -> pd.DataFrame:
            frame = self._frame(grid, judged, cells)
            which = None if kept_back is None else kept_back[cells]
            return privacy.veiled(frame, which, question.least_authors)

        return Result.of(self, question, shown(grid.asked), shown(grid.window))

    @abstractmethod
    def judge(self, question: Question) -> Judged:
        """Values, intervals and reasons for every cell."""

    @abstractmethod
    def change(self, now: Result, before: Result) -> Change | None:
        """How two results differ, with an interval; None where that cannot be said."""

    def _frame(self, grid: Grid, judged: Judged, cells: NDArray[np.int64]) -> pd.DataFrame:
        import numpy as np

        units = np.full(grid.size, self.period_unit or self.unit, dtype=object)
        units[grid.grain == WHOLE] = self.unit
        further = dict(judged.further)
        return grid.frame(
            cells,
            {"metric": self.name},
            {
                "value": judged.value,
                "unit": units,
                "n": judged.n,
                "low": judged.low,
                "high": judged.high,
                "reason": judged.reason,
                **{name: further.pop(name) for name in self.quantiles},
                **further,
            },
        )


def reasons(size: int, rules: list[tuple[Any, Any]]) -> Any:
    """The first reason that holds for each cell, None where none does."""
    import numpy as np

    which = np.zeros(size, np.int8)
    for number, (holds, _) in reversed(list(enumerate(rules, 1))):
        which[holds] = number
    texts = np.array([None, *(r if r is None or isinstance(r, str) else "" for _, r in rules)])
    found = texts[which]
    for number, (_, reason) in enumerate(rules, 1):
        if isinstance(reason, np.ndarray):
            found[which == number] = reason[which == number]
    return found


@dataclass(frozen=True, kw_only=True)
class Frequency(Metric):
    """Events counted: per week over the window, the plain count in a period."""

    higher_is_better: bool = True

    def judge(self, question: Question) -> Judged:
        """Counts from the scope's first known deployment on; unknown before, never 0."""
        import numpy as np

        grid = question.grid
        laid = self._counts(question)
        count = laid.pop("n")
        reason = reasons(
            grid.size,
            [
                (np.isnat(grid.known_from), words.NO_DEPLOYMENT),
                (~grid.begun, words.NOT_BEGUN),
                (grid.end <= grid.known_from, words.BEFORE_FIRST),
            ],
        )
        weekly = 7 / question.elapsed_days if question.elapsed_days else np.nan
        factor = np.where(grid.grain == WHOLE, weekly, 1.0)
        factor[reason != None] = np.nan  # noqa: E711  (elementwise)
        sizes, which = np.unique(count, return_inverse=True)
        low, high = (end[which] * factor for end in stats.poisson_interval(sizes))
        further = {**laid, "between": self._between(question) / 2 / MICROSECONDS}
        return Judged(count * factor, low, high, count, reason, further)

    def _counts(self, question: Question) -> dict[str, Any]:
        counts = self.sql(question, "counts")
        if not counts:
            cells = question.query(self.sql(question))
            return question.grid.spread(cells, ("n", "days_with_deployment", "failed_attempts"))
        [records] = question.records(counts)
        counted = question.placing.counted([records], ("n", "failed_attempts"))
        days = question.placing.days(records[records["n"] > 0])
        return {"n": counted.pop("n"), "days_with_deployment": days, **counted}

    def _between(self, question: Question) -> Any:
        """Twice the median time between deployments of each cell, in microseconds."""
        import numpy as np

        rows = self.sql(question, "gap_rows")
        if rows:
            [records] = question.records(rows)
            return question.placing.gaps(records, question.grid.size).quantile(1, 2)
        gaps = question.query(self.sql(question, "gaps"))
        return question.grid.spread(gaps, ("between_x2",), missing=np.nan)["between_x2"]

    def change(self, now: Result, before: Result) -> Change | None:
        """The ratio of the two frequencies."""
        days = now.question.elapsed_days, before.question.elapsed_days
        return ratio_change((now.n, days[0]), (before.n, days[1]))


@dataclass(frozen=True, kw_only=True)
class Rate(Metric):
    """A share of deployments, pooled over the services whose incidents are known."""

    further: tuple[str, ...] = ()

    needs_incidents: ClassVar[bool] = True

    def judge(self, question: Question) -> Judged:
        """Shares with Wilson's interval; only a lower bound where no service is covered."""
        import numpy as np

        grid = question.grid
        laid = self._counts(question, ("n", "hits", "seen", "hits_seen", *self.further))
        n, hits = laid.pop("n"), laid.pop("hits")
        seen, hits_seen = laid.pop("seen"), laid.pop("hits_seen")
        pairs, which = np.unique(hits + 1j * n, return_inverse=True)
        ends = self.interval(question, pairs.real, pairs.imag)
        low, high = (end[which] for end in ends)
        bound = ~grid.covered & (seen > 0)
        low = np.where(bound, hits_seen / np.maximum(seen, 1), low)
        value = np.where(n > 0, hits / np.maximum(n, 1), np.nan)
        lacking = uncovered_reasons(grid)
        reason = reasons(
            grid.size,
            [
                (np.isnat(grid.known_from), words.NO_DEPLOYMENT),
                (~grid.begun, words.NOT_BEGUN),
                (grid.end <= grid.known_from, words.BEFORE_FIRST),
                (~grid.covered, lacking),
                ((n == 0) & (laid.get("pending", seen) > 0) & (seen == 0), words.NOTHING_MATURE),
                ((n == 0) & (seen > 0), words.NONE_COVERED),
                (n == 0, words.NOTHING_DEPLOYED),
            ],
        )
        counted = np.where(grid.covered, n, seen)
        further = {"hits": np.where(grid.covered, hits, hits_seen), **laid}
        return Judged(value, low, high, counted, reason, further)

    def _counts(self, question: Question, columns: tuple[str, ...]) -> dict[str, Any]:
        records = [self.sql(question, part) for part in ("counts", "scope_counts")]
        if any(records):
            return question.placing.counted(question.records(*filter(None, records)), columns)
        return question.grid.spread(question.query(self.sql(question)), columns)

    def interval(self, question: Question, hits: Any, n: Any) -> tuple[Any, Any]:  # noqa: ARG002  (a kind of its own asks it)
        """The range each share plausibly lies in: Wilson's."""
        return stats.wilson_interval(hits, n)

    def change(self, now: Result, before: Result) -> Change | None:
        """The difference of the two rates."""
        return rate_change((now.counts["hits"], now.n), (before.counts["hits"], before.n))


def uncovered_reasons(grid: Grid) -> Any:
    """For each cell, the sentence that names the services nobody told us incidents of."""
    import numpy as np

    sentences = np.empty(len(grid.scopes), dtype=object)
    sentences[:] = [words.not_covered(grid.directory.uncovered(scope)) for scope in grid.scopes]
    return grid.per_scope(sentences)


@dataclass(frozen=True, kw_only=True)
class Duration(Metric):
    """A length of time: the median, with p75, p90 and p95."""

    unit: str = "seconds"
    table: str
    nothing: str

    quantiles: ClassVar[tuple[str, ...]] = ("p75", "p90", "p95")

    def judge(self, question: Question) -> Judged:
        """Medians with the exact order-statistic interval, none below six and none of a mean."""
        import numpy as np

        grid = question.grid
        average = question.rules.average
        other = {"lower_median": "lower_us", "mean": "mean_us"}.get(average)
        n, us = self._ranked(question, *filter(None, [other]))
        seconds = {
            name.split("_")[0]: us[name] / times / MICROSECONDS
            for name, (_, times) in _QUANTILES.items()
        }
        still = question.query(self.sql(question, "open"))
        waiting = grid.running(grid.spread(still, ("open",))["open"])
        reason = self.reasons(question, n)
        median = seconds.pop("p50")
        known = np.nan if average == "mean" else 1.0
        return Judged(
            us[other] / MICROSECONDS if other else median,
            us["low_us"] / MICROSECONDS * known,
            us["high_us"] / MICROSECONDS * known,
            n,
            reason,
            {**seconds, "open": np.where(grid.begun, waiting, 0)},
        )

    def _ranked(self, question: Question, *others: str) -> tuple[Any, dict[str, Any]]:
        """How many records each cell has, its quantiles, and what others are asked for, in us."""
        import numpy as np

        rows = [self.sql(question, part) for part in ("rows", "shared_rows")]
        if any(rows):
            groups = question.grouped(*filter(None, rows))
            sizes, which = np.unique(groups.counts, return_inverse=True)
            low, high = (ranks[which] for ranks in stats.quantile_ranks(sizes))
            us = {name: groups.quantile(*of) for name, of in _QUANTILES.items()}
            us |= {"low_us": groups.ranked(low), "high_us": groups.ranked(high)}
            if "lower_us" in others:
                us["lower_us"] = groups.ranked((groups.counts + 1) // 2)
            if "mean_us" in others:
                us["mean_us"] = groups.mean()
            return groups.counts, us
        question.rank(self.sql(question, "sizes"), self.table)
        cells = question.query(self.sql(question))
        columns = (*_QUANTILES, "low_us", "high_us", "lower_us", "mean_us")
        n = question.grid.spread(cells, ("n",))["n"]
        return n, question.grid.spread(cells, columns, missing=np.nan)

    def reasons(self, question: Question, n: Any) -> Any:
        """Why cells have no value."""
        grid = question.grid
        return reasons(
            grid.size, [(n > 0, None), (~grid.begun, words.NOT_BEGUN), (n == 0, self.nothing)]
        )

    def change(self, now: Result, before: Result) -> Change | None:
        """The difference of the two medians."""
        return shift_change(
            now.lengths, before.lengths, sizes=(now.effective_n, before.effective_n)
        )
