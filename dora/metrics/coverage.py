"""Can a number be trusted? A grade from A to E for each metric, with the counts behind it.

Every check counts how much of the record is as it should be. The share gives a letter, a metric
has the worst letter of the checks that bear on it, and from D on no verdict is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal

from dora import words
from dora.metrics.coverage_checks import CHECKS, Check, Count
from dora.metrics.coverage_counts import counts

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.question import Question

Letter = Literal["A", "B", "C", "D", "E"]
LETTERS: tuple[Letter, ...] = ("A", "B", "C", "D", "E")


@dataclass(frozen=True, slots=True)
class Grade:
    """How far a number can be trusted.

    Attributes:
        letter: A to E; None where there is nothing to judge by.
        reasons: What is below A, worst first, in numbers.
    """

    letter: Letter | None
    reasons: tuple[str, ...] = ()

    @property
    def withholds(self) -> bool:
        """Whether no verdict may be given: D or worse."""
        return self.letter in ("D", "E")

    def __str__(self) -> str:
        return f"{self.letter or words.DASH}{': ' if self.reasons else ''}{'; '.join(self.reasons)}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to.

    Attributes:
        check: The check.
        count: How much is as it should be, of how much.
    """

    check: Check
    count: Count

    def letter(self, metric: str) -> Letter:
        """The letter it gives a metric: that of the share, unless it may not go so low."""
        reached = sum(
            100 * self.count.good < percent * self.count.total for percent in self.check.scale
        )
        return LETTERS[min(reached, LETTERS.index(self.check.bears_on[metric]))]

    @property
    def sentence(self) -> str:
        """The counts in words: `41 of 50 deployments have a commit that is known (82 %)`."""
        said = f"{self.count.good:,} of {self.count.total:,} {self.check.statement}"
        shown = f"{said} ({words.share(self.count.good / self.count.total)})"
        return f"{shown}: {words.listed(self.count.examples)}" if self.count.examples else shown


@dataclass(frozen=True, eq=False, repr=False)
class Coverage:
    """How complete and sound the record behind each metric is, in a window and scope.

    Attributes:
        findings: What each check came to, where it had anything to count.
        metrics: The metrics, in the order they are shown.
    """

    findings: tuple[Finding, ...]
    metrics: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, question: Question) -> Coverage:
        """Count what is there and what is missing, for the window and the first scope."""
        from dora import metrics

        found = counts(question)
        judged = (Finding(c, found[c.name]) for c in CHECKS if c.name in found)
        return cls(tuple(f for f in judged if f.count.total > 0), metrics.names())

    def grade(self, metric: str) -> Grade:
        """The grade of a metric by its name: the worst of the checks that bear on it."""
        bearing = [f for f in self.findings if metric in f.check.bears_on]
        if not bearing:
            return Grade(None)
        lacking = sorted(
            (f for f in bearing if f.letter(metric) != "A"),
            key=lambda f: f.letter(metric),
            reverse=True,
        )
        worst: Letter = lacking[0].letter(metric) if lacking else "A"
        return Grade(worst, tuple(f.sentence for f in lacking))

    @property
    def grades(self) -> Mapping[str, Grade]:
        """The grade of every metric."""
        return {metric: self.grade(metric) for metric in self.metrics}

    @property
    def frame(self) -> pd.DataFrame:
        """One row a metric and check.

        Columns: metric; grade, the metric's own; check; letter, what this check alone would give;
        good and total, counts; share, good ÷ total; finding, the counts in words; remark, what
        follows from what is missing and what to do, None where nothing is.
        """
        import pandas as pd

        columns = (
            "metric", "grade", "check", "letter", "good", "total", "share", "finding", "remark",
        )  # fmt: skip
        frame = pd.DataFrame(list(self._rows()), columns=list(columns), dtype=object)
        return frame.astype({"good": "int64", "total": "int64", "share": "float64"})

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for metric, grade in self.grades.items():
            for f in self.findings:
                if metric in f.check.bears_on:
                    good, total = f.count.good, f.count.total
                    yield (
                        *(metric, grade.letter, f.check.name, f.letter(metric), good, total),
                        *(good / total, f.sentence, f.check.remark if good < total else None),
                    )

    def __repr__(self) -> str:
        return "\n".join(f"{metric} {grade}" for metric, grade in self.grades.items())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(metric)}</td><td><b>{grade.letter or words.DASH}</b></td>"
            f"<td>{escape('; '.join(grade.reasons))}</td></tr>"
            for metric, grade in self.grades.items()
        )
        head = "<tr><th>metric</th><th>grade</th><th>why</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def grade(question: Question, metric: str) -> Grade:
    """How far a metric's number for this window and scope can be trusted.

    Args:
        question: What is asked; its periods play no part.
        metric: The metric's name.
    """
    return question.coverage.grade(metric)
