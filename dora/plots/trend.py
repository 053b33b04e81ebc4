"""Is it moving? Each period's value with its interval, sized by how much is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result

    Floats = NDArray[np.float64]

_LABELS = 9
"""More labels than this would run into each other."""
_SMALLEST, _LARGEST = 14.0, 130.0
_SCALES = {"seconds": scales.durations, "share": scales.shares}


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the first scope's periods: dots sized by n, a band for the interval, gaps left empty."""
    frame = result.periods().frame
    ax = new_axes() if ax is None else ax
    colour = furniture.colour_of(result)
    value, low, high = (_floats(frame[name]) for name in ("value", "low", "high"))
    at = np.arange(len(frame), dtype=float)
    drawn = np.concatenate([part[np.isfinite(part)] for part in (value, low, high)])
    _SCALES.get(result.unit, scales.counts)(ax, drawn.tolist())
    if drawn.size:
        _values(ax, at, (value, low, high), frame, colour)
    else:
        furniture.say(ax, result.reason or "there is nothing to draw")
    _partial_periods(ax, at, frame["partial"].to_numpy(bool))
    _label(ax, at, frame, result)
    furniture.describe(ax, alt_text(result))
    return ax


def _floats(column: pd.Series[Any]) -> Floats:
    return column.to_numpy(np.float64, na_value=np.nan)


def _values(
    ax: Axes, at: Floats, ends: tuple[Floats, Floats, Floats], frame: pd.DataFrame, colour: str
) -> None:
    value, low, high = ends
    n = frame["n"].to_numpy(float, na_value=0)
    sized = _SMALLEST + (_LARGEST - _SMALLEST) * n / max(n.max(), 1)
    known, sure = np.isfinite(value), np.isfinite(low) & np.isfinite(high)
    ax.fill_between(at, low, high, where=(known & sure).tolist(), color=colour, alpha=0.18, lw=0)
    lone = known & sure & ~_has_neighbour(known & sure)  # a band of one point has no width
    ax.vlines(at[lone], low[lone], high[lone], color=colour, alpha=0.35, lw=3)
    ax.plot(at, value, color=colour, lw=1.2, alpha=0.7, zorder=2)
    ax.scatter(
        at[known & sure],
        value[known & sure],
        s=sized[known & sure],
        color=colour,
        zorder=3,
        clip_on=False,
    )
    unsure = known & ~sure
    ax.scatter(
        at[unsure],
        value[unsure],
        s=sized[unsure],
        facecolor=palette.now().paper,
        edgecolor=colour,
        zorder=3,
        clip_on=False,
    )
    bound = ~known & np.isfinite(low)
    if bound.any():
        paper = palette.now().paper
        ax.scatter(
            at[bound], low[bound], s=40, marker="^", facecolor=paper, edgecolor=colour,
            zorder=3, clip_on=False,
        )  # fmt: skip
        ax.annotate(
            "△ at least: failures may be unseen", (1, 1.02), xycoords="axes fraction",
            ha="right", va="bottom", fontsize=8, color=palette.now().grey,
        )  # fmt: skip


def _has_neighbour(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.concatenate([[False], flags, [False]])
    return np.asarray(padded[:-2] | padded[2:], bool)


def _partial_periods(ax: Axes, at: Floats, partial: NDArray[np.bool_]) -> None:
    for place in at[partial]:
        ax.add_patch(
            Rectangle(
                (place - 0.5, 0), 1, 1, transform=ax.get_xaxis_transform(), facecolor="none",
                edgecolor=palette.now().faint, hatch="////", lw=0, zorder=0, gid="partial",
            )
        )  # fmt: skip


def _label(ax: Axes, at: Floats, frame: pd.DataFrame, result: Result) -> None:
    step = max(1, -(-len(at) // _LABELS))
    shown = at[::-1][::step][::-1].astype(int)  # the last period always has its label
    starts, ends, sizes = frame["period_start"], frame["period_end"], frame["n"]
    ax.set_xticks(
        shown.astype(float),
        [f"{words.period(starts[i], ends[i])}\n{words.size(sizes[i])}" for i in shown],
        fontsize=8,
    )
    ax.set_xlim(-0.6, len(at) - 0.4)
    furniture.plain(ax)
    shown_unit = {"seconds": "median", "share": ""}.get(result.unit, frame["unit"].iloc[0])
    ax.set_ylabel(shown_unit)
    hatched = " Hatched: partial period." if frame["partial"].any() else ""
    furniture.label(ax, result, result.metric.title, f"Band: 95 % interval.{hatched}")


def alt_text(result: Result) -> str:
    """The picture in words: what, whose, when, where it began and ended, and its whole value."""
    frame = result.periods().frame
    known = frame[frame["value"].notna()]
    whose = f"{result.question.scopes[0].label}, {result.window}"
    parts = [f"{result.metric.title} of {whose}: {result.summary}."]
    if len(known):
        first, last = known.iloc[0], known.iloc[-1]
        parts.append(
            f"{len(known)} of {len(frame)} periods have a value, from {_point(first)} "
            f"to {_point(last)}."
        )
    if len(frame) and bool(frame["partial"].iloc[-1]):
        parts.append("The last period is not complete.")
    return " ".join(parts)


def _point(row: pd.Series[Any]) -> str:
    when = words.period(row["period_start"], row["period_end"])
    return f"{words.quantity(float(row['value']), row['unit'])} in {when}"
