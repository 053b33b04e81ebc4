"""What is stuck now? Changes that wait for production, by age, against how long others took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result

    Floats = NDArray[np.float64]

WAITING = "not delivered"
MARKS = (0.5, 0.85, 0.95)
_MOST_SERVICES = 12


def waiting(result: Result) -> pd.DataFrame:
    """The changes that have landed and are not in production, oldest first.

    Returns:
        The columns of `left_out`, and `age` in seconds since they landed, as of then.
    """
    left = result.left_out
    still = left[left["reason"] == WAITING].copy()
    now = pd.Timestamp(result.question.as_of)
    still["age"] = (now - still["happened_at"]).dt.total_seconds()
    return still.sort_values("age", ascending=False, ignore_index=True)


def usual(result: Result) -> dict[float, float]:
    """How long delivered changes took from landing to production: p50, p85 and p95 in seconds."""
    known = result.evidence["merge_to_deploy"].dropna()
    return {mark: float(known.quantile(mark)) for mark in MARKS} if len(known) else {}


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw a dot a waiting change, a row a service, over what is usual."""
    ax = new_axes() if ax is None else ax
    still, marks = waiting(result), usual(result)
    if not len(still):
        furniture.say(ax, "no change is waiting for production")
    else:
        services = still["service"].value_counts().index.tolist()
        rows = _rows(still, services)
        ages = still["age"].to_numpy(float).clip(min=1)
        ax.scatter(
            ages, rows + _spread(rows), s=22, alpha=0.6, color=furniture.colour_of(result), lw=0
        )
        _frame(ax, services, [*ages.tolist(), *marks.values()])
        _bands(ax, marks)
    note = "Shaded: p50, p85 and p95 from landing to production of the changes delivered."
    furniture.label(ax, result, "Changes that wait for production, by age", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _rows(still: pd.DataFrame, services: list[str]) -> Floats:
    """Each change's row; the services with fewest share the last one."""
    last = _MOST_SERVICES - 1 if len(services) > _MOST_SERVICES else len(services)
    place = {name: float(min(row, last)) for row, name in enumerate(services)}
    return np.array([place[name] for name in still["service"]], dtype=np.float64)


def _spread(
    rows: Floats,
) -> Floats:
    """A little up and down, always the same, so that equal ages do not hide each other."""
    golden = 0.6180339887498949
    return np.asarray((np.arange(len(rows)) * golden % 1 - 0.5) * 0.5, np.float64)


def _frame(ax: Axes, services: list[str], values: list[float]) -> None:
    names = services
    if len(services) > _MOST_SERVICES:
        names = [*services[: _MOST_SERVICES - 1], f"{len(services) - _MOST_SERVICES + 1} others"]
    scales.durations(ax, values, axis="x")
    ax.set_yticks(range(len(names)), [furniture.name(name) for name in names], fontsize=8)
    ax.set_ylim(len(names) - 0.4, -0.6)
    furniture.plain(ax, grid="x")


def _bands(ax: Axes, marks: dict[float, float]) -> None:
    right = ax.get_xlim()[1]
    for (mark, at), shade in zip(marks.items(), palette.now().bands, strict=False):
        ax.axvspan(max(at, ax.get_xlim()[0]), right, color=shade, lw=0, zorder=0)
        ax.annotate(
            f"p{mark * 100:.0f} {words.duration(at)}", (at, 1), xycoords=ax.get_xaxis_transform(),
            fontsize=7, color=palette.now().grey, rotation=40, ha="left", va="bottom",
        )  # fmt: skip
    ax.set_xlim(right=right)


def alt_text(result: Result) -> str:
    """The picture in words: how many wait, the oldest, and how many are older than usual."""
    still, marks = waiting(result), usual(result)
    whose = furniture.whose(result)
    if not len(still):
        return f"No change of {whose} is waiting for production."
    oldest = words.duration(float(still["age"].iloc[0]))
    many = words.count(len(still), "change")
    text = f"{many} of {whose} waiting for production, the oldest {oldest}."
    if marks:
        late = int((still["age"] > marks[0.95]).sum())
        text += f" {late} for longer than 95 % of the delivered ones did."
    return text
