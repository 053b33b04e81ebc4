"""What an analysis of releases is: a question, figures with intervals, records, a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from dora import words, zones
from dora.metrics.base import split_parts
from dora.metrics.tidying import tidy
from dora.release.occurrences import microseconds
from dora.stats.figure import Figure

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.config.calendar import Calendar
    from dora.metrics.question import Question
    from dora.metrics.scopes import Member
    from dora.release.plan import Plan


@dataclass(frozen=True, eq=False)
class Asked:
    """An analysis asked of a window and scope.

    Attributes:
        question: The window, scope and rules.
        calendar: When releases are meant to happen.
        plan: The same, as times of the services in scope.
    """

    question: Question
    calendar: Calendar
    plan: Plan

    @property
    def members(self) -> tuple[Member, ...]:
        """The services in scope."""
        return self.question.scopes[0].members

    @cached_property
    def window_us(self) -> tuple[int, int]:
        """The first instant of the window and the first after it, in microseconds."""
        window = self.question.window
        first, last = (zones.first_instant(d, window.zone) for d in (window.start, window.end))
        return microseconds(first), microseconds(last)

    @property
    def now_us(self) -> int:
        """What stands for now, in microseconds."""
        return microseconds(self.question.as_of)

    def rows(self, sql: str, **parameters: int) -> pd.DataFrame:
        """The rows of a SELECT over the models, the scope and the plan."""
        self.plan.load(self.question)
        return self.question.pooled().query(sql, parameters or None)


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One analysis of how releases are managed.

    Attributes:
        name: What it is called in code and on the command line.
        title: What it is called in a report.
        about: The question it answers, in a sentence.
        models: The derived tables it is made from.
        figures: Works the figures out.
        sentence: Says what came out.
        needs: Says what it lacks where nothing is configured; empty where it has all it wants.
        draw: Draws it.
        records: Gives the records behind it, where they are more than a SELECT.
    """

    name: str
    title: str
    about: str
    models: tuple[str, ...]
    figures: Callable[[Asked], Sequence[Figure]]
    sentence: Callable[[Answer], str]
    needs: Callable[[Asked], str] = field(default=lambda _: "")
    draw: Callable[[Answer, Axes], None]
    records: Callable[[Asked], pd.DataFrame] | None = None

    def sql(self, part: str) -> str:
        """The SELECT of a part of `<name>.sql`, in portable SQL."""
        return split_parts((files(__package__) / f"{self.name}.sql").read_text("utf-8"))[part]

    def ask(self, asked: Asked) -> Answer:
        """The answer for a window and scope."""
        asked.question.tables.need(*self.models)
        return Answer(self, asked, tuple(self.figures(asked)), self.needs(asked))


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """What an analysis says of a window and scope.

    Attributes:
        analysis: The analysis.
        asked: What was asked.
        figures: Its numbers, in the order they are told.
        needs: What it could say more with; empty where it lacks nothing.
    """

    analysis: Analysis
    asked: Asked
    figures: tuple[Figure, ...]
    needs: str

    def __getitem__(self, name: str) -> Figure:
        return next(f for f in self.figures if f.name == name and f.team is None)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a figure: figure, team, value, unit, n, low, high, reason, note."""
        import pandas as pd

        names = ("team", "value", "unit", "n", "low", "high", "reason", "note")
        rows = [(f.name, *(getattr(f, name) for name in names)) for f in self.figures]
        frame = pd.DataFrame(rows, columns=["figure", *names], dtype=object)
        numbers = dict.fromkeys(("value", "low", "high"), "Float64") | {"n": "Int64"}
        return frame.astype(numbers)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The records behind the figures, with links; times in UTC."""
        if self.analysis.records is not None:
            return self.analysis.records(self.asked)
        return tidy(self.asked.rows(self.analysis.sql("evidence")))

    @cached_property
    def sentence(self) -> str:
        """What came out, in a sentence or two; what is missing, where nothing is configured."""
        return " ".join(one for one in (self.analysis.sentence(self), self.needs) if one)

    def plot(self, ax: Axes | None = None, *, theme: str = "light") -> Axes:
        """Draw it on `ax`, or on a figure of its own, and return the axes."""
        from dora.release import pictures

        return pictures.draw(self, ax, theme=theme)

    def __repr__(self) -> str:
        return f"{self.analysis.title}: {self.sentence}"

    def _repr_html_(self) -> str:
        title, said = escape(self.analysis.title), escape(self.sentence)
        return f"<p><b>{title}</b>: {said}</p>{words.html_table(self.frame)}"


def share_figure(
    name: str, hits: int, n: int, otherwise: str, *, team: str | None = None
) -> Figure:
    """A share with Wilson's interval, or why there is none."""
    from dora import stats

    if not n:
        return Figure(name, None, "share", 0, reason=otherwise, team=team)
    low, high = stats.wilson_interval(hits, n)
    return Figure(name, hits / n, "share", n, float(low), float(high), team=team)


def median_figure(name: str, values: NDArray[np.float64], unit: str, otherwise: str) -> Figure:
    """A median with its exact interval, or why there is none."""
    import numpy as np

    from dora import stats

    if not len(values):
        return Figure(name, None, unit, 0, reason=otherwise)
    bounded = stats.median_interval(np.sort(values))
    value, low, high = bounded or (float(np.median(values)), None, None)
    return Figure(name, value, unit, len(values), low, high)
