"""Release windows: how much of what we ship goes out inside of them, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.comparing import crude_difference, failure_difference, failure_rate
from dora.release.occurrences import DAY_US
from dora.stats.figure import Figure
from dora.words import release as words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SATURDAY = 5
_FREE = ("off_hours_share", "weekend_share")
"""What needs no release window."""


def _figures(asked: Asked) -> list[Figure]:
    strata = asked.rows(ANALYSIS.sql("strata"))
    weekday = strata["day"].astype("datetime64[s]").dt.day_of_week
    strata = strata.astype({"governed": bool, "inside": bool, "in_hours": bool, "repair": bool})
    governed = strata[strata["governed"]]
    inside = governed["inside"]
    figures = [
        _share("inside_share", governed, inside, words.NOTHING_STARTED),
        _share("off_hours_share", strata, ~strata["in_hours"], words.NOTHING_STARTED),
        _share("weekend_share", strata, weekday >= _SATURDAY, words.NOTHING_STARTED),
        _share("repairs_outside_share", *_repairs(governed), words.NO_REPAIR),
        failure_rate("failure_rate_inside", governed[inside]),
        failure_rate("failure_rate_outside", governed[~inside]),
        _crude(governed),
        failure_difference("stratified_difference", governed, "inside"),
        *_tax(asked),
    ]
    if asked.plan.governs("window"):
        return figures
    return [
        f if f.value is not None or f.name in _FREE else replace(f, reason=words.NO_WINDOWS)
        for f in figures
    ]


def _share(name: str, rows: pd.DataFrame, inside: pd.Series[bool], otherwise: str) -> Figure:
    return share_figure(name, int(rows.loc[inside, "n"].sum()), int(rows["n"].sum()), otherwise)


def _repairs(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[bool]]:
    repairs = rows[rows["repair"]]
    return repairs, ~repairs["inside"]


def _crude(rows: pd.DataFrame) -> Figure:
    """Outside less inside, all deployments together, as it would be read off naively."""
    found = crude_difference("crude_difference", rows[~rows["inside"]], rows[rows["inside"]])
    return found if found.value is None else replace(found, note=words.CONFOUNDED)


def _tax(asked: Asked) -> list[Figure]:
    """What changes that had landed waited for the next window, in days."""
    us = asked.rows(ANALYSIS.sql("waits"))["us"].to_numpy(dtype=float)
    if not len(us):
        return [
            Figure(name, None, "days", 0, reason=words.NOTHING_LANDED)
            for name in ("window_tax_median", "window_tax_mean", "window_tax_total")
        ]
    days, n = us / DAY_US, len(us)
    return [
        median_figure("window_tax_median", days, "days", words.NOTHING_LANDED),
        Figure("window_tax_mean", float(days.mean()), "days", n),
        Figure("window_tax_total", float(days.sum()), "days", n),
    ]


def _sentence(answer: Answer) -> str:
    return words.windows({figure.name: figure for figure in answer.figures})


def _needs(asked: Asked) -> str:
    return "" if asked.plan.governs("window") else words.NEEDS_WINDOWS


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import failure_sides

    failure_sides(answer, ax)


ANALYSIS = Analysis(
    name="windows",
    title="Release windows",
    about="How much goes out inside of the release windows, is it safer, and what does it cost?",
    models=("started_deployments", "change_times"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
)
