"""What broke after what, and for how long? Failures as spans over their service's deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import dates

from dora import metrics, words
from dora.plots import furniture, palette
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result

_MOST_SERVICES = 12
_NARROWEST = 0.004
"""The least share of the window that a span is drawn with, so that none is invisible."""


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw a row a service: a tick a deployment, a bar from failure to recovery, arrows if open."""
    ax = new_axes() if ax is None else ax
    spans, deployments = result.evidence, _deployments(result)
    found = _services(spans, deployments)
    services = found[:_MOST_SERVICES]
    if not services:
        furniture.say(ax, result.reason or words.NOTHING_DEPLOYED)
    else:
        _axes(ax, result, services)
        for row, service in enumerate(services):
            at = deployments.loc[deployments["service"] == service, "finished_at"]
            ax.eventplot(
                _numbers(at),
                lineoffsets=row + 0.22,
                linelengths=0.24,
                color=palette.now().grey,
                lw=0.7,
            )
            _bars(ax, spans[spans["service"] == service], row)
    note = "Ticks: deployments. Bars: from failure to recovery; an arrow: not over yet."
    if len(found) > len(services):
        note += f" {len(services)} of {len(found):,} services, those with most failures."
    furniture.label(ax, result, "Failures over deployments", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _deployments(result: Result) -> pd.DataFrame:
    asked = metrics.find("deployment_frequency").ask(result.question.pooled())
    return asked.evidence[["service", "finished_at"]]


def _services(spans: pd.DataFrame, deployments: pd.DataFrame) -> list[str]:
    """Those with most failures first, then those with most deployments."""
    failed, deployed = spans["service"].value_counts(), deployments["service"].value_counts()
    names = sorted({*failed.index, *deployed.index})
    names.sort(key=lambda name: (-int(failed.get(name, 0)), -int(deployed.get(name, 0))))
    return names


def _axes(ax: Axes, result: Result, services: list[str]) -> None:
    ax.set_yticks(range(len(services)), [furniture.name(name) for name in services], fontsize=8)
    ax.set_ylim(len(services) - 0.4, -0.6)
    first, last = (_number(pd.Timestamp(moment)) for moment in _ends(result))
    ax.set_xlim(first, last)
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator, show_offset=False)
    ax.xaxis.set_major_formatter(formatter)
    ax.tick_params(axis="x", labelsize=8)
    furniture.plain(ax, grid="x")


def _ends(result: Result) -> tuple[Any, Any]:
    return result.window.start_at, min(result.window.end_at, result.question.as_of)


def _bars(ax: Axes, spans: pd.DataFrame, row: int) -> None:
    first, last = ax.get_xlim()
    colour, least = palette.now().hue("time_to_restore"), (last - first) * _NARROWEST
    for failed, recovered in zip(spans["failed_at"], spans["recovered_at"], strict=True):
        over = not pd.isna(recovered)
        start = _number(failed)
        end = _number(recovered) if over else last
        ax.barh(row - 0.16, max(end - start, least), left=start, height=0.4, color=colour, lw=0)
        if not over:
            ax.plot(last, row - 0.16, marker=">", color=colour, ms=7, clip_on=False, gid="open")


def _number(moment: pd.Timestamp) -> float:
    return float(dates.date2num(moment.to_pydatetime()))


def _numbers(moments: pd.Series[Any]) -> NDArray[np.float64]:
    return np.array([_number(moment) for moment in moments], dtype=np.float64)


def alt_text(result: Result) -> str:
    """The picture in words: how many failures, how many are open, and the longest."""
    spans = result.evidence
    if not len(spans):
        return f"No failure of {furniture.whose(result)} ended in {result.window}."
    longest = (
        words.duration(float(spans["seconds"].max())) if spans["seconds"].notna().any() else ""
    )
    still = int(spans["open"].fillna(False).sum())
    text = f"{words.count(len(spans), 'failure')} of {furniture.whose(result)}, {result.window}"
    return f"{text}{f', the longest {longest}' if longest else ''}; {still} not over."
