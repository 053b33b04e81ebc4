"""At what hour do we ship? Deployments by weekday and hour, with failure rates where enough are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from dora import words
from dora.metrics.privacy import gives_habits_away
from dora.plots import furniture, palette
from dora.plots.calendar import WEEKDAYS
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result

LEAST = 20
"""Fewer deployments than this in a cell say nothing about how often they fail."""

_HOURS, _DAYS = 24, len(WEEKDAYS)


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw deployments by local weekday and hour; a share is the failure rate of a busy cell."""
    ax = new_axes() if ax is None else ax
    counts, failed = by_hour(result)
    if gives_habits_away(result.question):
        furniture.say(ax, words.few_people(result.question.least_authors))
    elif not counts.sum():
        furniture.say(ax, result.reason or words.NOTHING_DEPLOYED)
    else:
        shades = LinearSegmentedColormap.from_list(
            "hours", [palette.now().empty, furniture.colour_of(result)]
        )
        ax.pcolormesh(counts, cmap=shades, edgecolor=palette.now().paper, lw=1, vmin=0)
        for (day, hour), n in np.ndenumerate(counts):
            colour = palette.readable_on(shades(n / counts.max()))
            _write(ax, (day, hour), int(n), int(failed[day, hour]), colour)
        ax.invert_yaxis()
        ax.set_yticks(np.arange(_DAYS) + 0.5, WEEKDAYS, fontsize=8)
        ax.set_xticks(
            np.arange(0, _HOURS, 3), [f"{h:02d}:00" for h in range(0, _HOURS, 3)], fontsize=8
        )
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    note = f"Numbers: deployments; below them, from {LEAST} on, how many of these failed."
    furniture.label(ax, result, "Deployments by hour of the week", note)
    furniture.describe(ax, alt_text(result))
    return ax


def by_hour(result: Result) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Deployments, and failed ones, by local weekday and hour."""
    known = result.evidence
    local = known["finished_at"].dt.tz_convert(result.window.zone)
    place = (local.dt.day_of_week * _HOURS + local.dt.hour).to_numpy(np.int64)
    failed = known["failed"].fillna(False).to_numpy(bool)
    cells = _DAYS * _HOURS
    counts = np.bincount(place, minlength=cells), np.bincount(place[failed], minlength=cells)
    return counts[0].reshape(_DAYS, _HOURS), counts[1].reshape(_DAYS, _HOURS)


def _write(ax: Axes, cell: tuple[int, int], n: int, failed: int, colour: str) -> None:
    if not n:
        return
    day, hour = cell
    text = f"{n}\n{words.share(failed / n)}" if n >= LEAST else f"{n}"
    ax.text(hour + 0.5, day + 0.5, text, ha="center", va="center", fontsize=6.5, color=colour)


def alt_text(result: Result) -> str:
    """The picture in words: the busiest hour, and how much falls on weekends."""
    if gives_habits_away(result.question):
        why = words.few_people(result.question.least_authors)
        return f"Deployments by hour of the week of {furniture.whose(result)}: {why}."
    counts, _ = by_hour(result)
    total = int(counts.sum())
    if not total:
        return f"Deployments by hour of the week of {furniture.whose(result)}: none."
    day, hour = np.unravel_index(int(counts.argmax()), counts.shape)
    weekend = int(counts[5:].sum()) / total
    return (
        f"{words.count(total, 'deployment')} of {furniture.whose(result)} by hour of the week: "
        f"most on {WEEKDAYS[int(day)]} at {int(hour):02d}:00; {words.share(weekend)} on weekends."
    )
