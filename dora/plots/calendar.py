"""When do we ship? Every day of the window, darker the more was deployed, failures dotted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from dora import words
from dora.plots import furniture, palette
from dora.plots.figure import figure_of, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS = len(WEEKDAYS)
_MOST_MONTHS = 14
_MOST_SQUARES = 120
"""Weeks with lines between their days; of more, the lines would be all that is seen."""
_APART = 3
"""Labels of weeks nearer than this would run into each other."""


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the deployments of every local day; a dot where one of them is known to have failed."""
    ax = new_axes() if ax is None else ax
    known = result.evidence
    counts, failed = per_day(result, known), per_day(result, known[known["failed"].fillna(False)])
    if not np.nansum(counts):
        furniture.say(ax, result.reason or words.NOTHING_DEPLOYED)
        furniture.label(ax, result, "Deployments by day")
        furniture.describe(ax, alt_text(result))
        return ax
    weeks = _in_weeks(result, counts)
    shades = LinearSegmentedColormap.from_list(
        "days", [palette.now().empty, furniture.colour_of(result)]
    )
    drawn = ax.pcolormesh(
        weeks.T, cmap=shades, edgecolor=palette.now().paper, lw=_gap(len(weeks)), vmin=0
    )
    place = np.argwhere(np.nan_to_num(_in_weeks(result, failed)) > 0)
    ink, paper = palette.now().ink, palette.now().paper
    x, y = place[:, 0] + 0.5, place[:, 1] + 0.5
    ax.scatter(x, y, s=12, color=ink, edgecolor=paper, lw=0.6, gid="failed")
    _axes(ax, result, len(weeks))
    bar = figure_of(ax).colorbar(drawn, ax=ax, shrink=0.7, pad=0.01, aspect=14)
    bar.ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    bar.ax.tick_params(labelsize=8, color=palette.now().faint)
    bar.outline.set_visible(False)
    bar.set_label("deployments", fontsize=8, color=palette.now().grey)
    note = "Dot: a deployment of that day failed. Empty: not in the window, or not known yet."
    furniture.label(ax, result, "Deployments by day", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _gap(weeks: int) -> float:
    """How wide the lines between squares are; none where they would hide the squares."""
    return 1.2 if weeks <= _MOST_SQUARES else 0.0


def per_day(result: Result, deployments: pd.DataFrame) -> NDArray[np.float64]:
    """How many deployments each day of the window has; NaN for days that have not begun."""
    window, today = result.window, result.question.today
    days = deployments["finished_at"].dt.tz_convert(window.zone).dt.date
    at = np.array([(day - window.start).days for day in days], dtype=np.int64)
    counts = np.bincount(at, minlength=window.days).astype(float)
    begun = (today - window.start).days + 1
    counts[max(begun, 0) :] = np.nan
    return counts


def _in_weeks(result: Result, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days laid out as weeks from Monday on, NaN outside of the window."""
    lead = result.window.start.weekday()
    weeks = np.full(-(-(lead + len(counts)) // _DAYS) * _DAYS, np.nan)
    weeks[lead : lead + len(counts)] = counts
    return weeks.reshape(-1, _DAYS)


def _axes(ax: Axes, result: Result, weeks: int) -> None:
    ax.invert_yaxis()
    ax.set_yticks(np.arange(_DAYS) + 0.5, WEEKDAYS, fontsize=8)
    monday = result.window.start - timedelta(days=result.window.start.weekday())
    starts = [monday + timedelta(days=_DAYS * week) for week in range(weeks)]
    firsts = [w for w in range(1, weeks) if starts[w].month != starts[w - 1].month]
    if not firsts or firsts[0] >= _APART:
        firsts.insert(0, 0)
    shown = firsts[:: max(1, -(-len(firsts) // _MOST_MONTHS))]
    ax.set_xticks([w + 0.5 for w in shown], [f"{starts[w]:%d %b\n%Y}" for w in shown], fontsize=8)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def alt_text(result: Result) -> str:
    """The picture in words: how many days had a deployment, and on which weekdays most."""
    counts = per_day(result, result.evidence)
    known = counts[~np.isnan(counts)]
    if not known.sum():
        return f"Deployments by day of {furniture.whose(result)}: none in {result.window}."
    first = result.window.start.weekday()
    weekday = (np.arange(len(known)) + first) % _DAYS
    most = WEEKDAYS[int(np.bincount(weekday, weights=known, minlength=_DAYS).argmax())]
    failed = int(result.evidence["failed"].fillna(False).sum())
    return (
        f"Deployments by day of {furniture.whose(result)}, {result.window}: "
        f"{words.count(int(known.sum()), 'deployment')} on {int((known > 0).sum())} of "
        f"{words.count(len(known), 'day')}, most on {most}; {failed} failed."
    )
