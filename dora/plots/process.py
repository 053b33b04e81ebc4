"""Signal or noise, and since when? Points with their level and limits, and how far they jump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result
    from dora.metrics.signals import Signals
    from dora.stats import Chart

    Floats = NDArray[np.float64]

_LABELS = 7
"""More labels than this would run into each other."""
_SCALES = {"seconds": scales.durations, "share": scales.shares}
_NOTES = {
    "medians": "Limits: 2.66 mean moving ranges of the logged medians, wider where n is small.",
    "lengths": "Limits: 2.66 mean moving ranges of the logged lengths.",
    "rates": "Limits: Laney's p′, by quantiles.",
    "counts": "Limits: Laney's u′, by quantiles.",
    "gaps": "Rare: how many go well between two (g chart). Hollow: since the last.",
    "times": "Rare: the time between two (t chart). Hollow: since the last.",
}


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the process behaviour chart; limits step where the level changed, signals are ringed."""
    ax = new_axes() if ax is None else ax
    found = result.signals()
    note = ""
    if found.series is None or found.chart is None:
        furniture.say(ax, found.sentence)
    else:
        moves = len(found.chart.moving) > 0
        top, bottom = _panels(ax) if moves else (ax, ax)
        _points(top, found, furniture.colour_of(result))
        if moves:
            _jumps(bottom, found.chart, furniture.colour_of(result))
            top.tick_params(labelbottom=False)
            ax.xaxis.labelpad = 26
        _label(bottom, found)
        note = f"{_NOTES[found.series.kind]} Beyond a limit is a reason to ask, not a cause."
    furniture.label(ax, result, f"{result.metric.title}: signal or noise", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _panels(ax: Axes) -> tuple[Axes, Axes]:
    """Room for the points above, and for their jumps below."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    top = ax.inset_axes((0, 0.34, 1, 0.66))
    return top, ax.inset_axes((0, 0, 1, 0.26), sharex=top)


def _points(ax: Axes, found: Signals, colour: str) -> None:
    assert found.series is not None
    assert found.chart is not None
    chart, at = found.chart, np.arange(len(found.chart.values), dtype=float)
    known = np.concatenate([chart.values, chart.centre, chart.lower, chart.upper])
    known = known[np.isfinite(known)]
    _SCALES.get(found.series.unit, scales.counts)(ax, known.tolist())
    for start, end in _levels(found):
        part = slice(start, end)
        for line, style in ((chart.centre, "-"), (chart.lower, "--"), (chart.upper, "--")):
            _stepped(ax, at[part], line[part], style)
    ax.plot(at, chart.values, color=colour, lw=1, alpha=0.6, zorder=2)
    ax.set_ylabel({"seconds": "", "share": ""}.get(found.series.unit, found.series.unit))
    face = [colour] * len(at)
    if found.series.last_runs:
        face[-1] = palette.now().paper
    ax.scatter(at, chart.values, s=18, color=face, edgecolor=colour, zorder=3, clip_on=False)
    _ring(ax, at, chart, found)
    furniture.plain(ax)


def _levels(found: Signals) -> list[tuple[int, int]]:
    assert found.chart is not None
    ends = [*found.starts[1:], len(found.chart.values)]
    return list(zip(found.starts, ends, strict=True))


def _stepped(ax: Axes, at: Floats, line: Floats, style: str) -> None:
    """A level or limit as steps half a point to either side; nothing where there is none."""
    x = np.repeat(at, 2) + np.tile([-0.5, 0.5], len(at))
    width, colour = (1.2, palette.now().grey) if style == "-" else (0.9, palette.now().grey)
    ax.plot(x, np.repeat(line, 2), color=colour, lw=width, ls=style, zorder=1)


def _ring(ax: Axes, at: Floats, chart: Chart, found: Signals) -> None:
    """Rings around signals, with their values, and the dates of changes of level."""
    assert found.series is not None
    out = np.flatnonzero(chart.signals)
    ink = palette.now().ink
    ax.scatter(
        at[out], chart.values[out], s=90, facecolor="none", edgecolor=ink, zorder=4,
        clip_on=False, gid="signals",
    )  # fmt: skip
    for i in out:
        ax.annotate(
            words.quantity(float(chart.values[i]), found.series.unit), (at[i], chart.values[i]),
            xytext=(8, 2), textcoords="offset points", fontsize=8, color=ink,
        )  # fmt: skip
    for shift, start in zip(found.shifts, found.starts[1:], strict=True):
        ax.annotate(
            f"{shift.earliest} to {shift.latest}", (start - 0.5, 0.98), ha="right", va="top",
            xycoords=ax.get_xaxis_transform(), fontsize=7, rotation=90, color=palette.now().grey,
        )  # fmt: skip


def _jumps(ax: Axes, chart: Chart, colour: str) -> None:
    """How many times as long, or as short, each is as the one before."""
    at = np.arange(len(chart.moving), dtype=float)
    ax.plot(at, chart.moving, color=colour, lw=1, marker="o", ms=3)
    _stepped(ax, at, chart.moving_upper, "--")
    ax.set_yscale("log")
    ax.set_ylabel("jump", fontsize=8)
    shown = [1, 2, 5, 10, 100, 1000]
    top = float(np.nanmax(np.concatenate([[2.0], chart.moving, chart.moving_upper])))
    ax.set_yticks(
        [mark for mark in shown if mark <= top], [f"×{m}" for m in shown if m <= top], fontsize=7
    )
    ax.minorticks_off()
    ax.set_ylim(0.95, top * 1.1)
    furniture.plain(ax)


def _label(ax: Axes, found: Signals) -> None:
    assert found.series is not None
    series = found.series
    step = max(1, -(-len(series.starts) // _LABELS))
    shown = np.arange(len(series.starts))[::-1][::step][::-1]
    texts = [_named(series, int(i)) for i in shown]
    ax.set_xticks(shown.astype(float), texts, fontsize=8)
    ax.set_xlim(-0.7, len(series.starts) - 0.3)


def _named(series: Any, i: int) -> str:
    when = words.period(series.starts[i], series.ends[i])
    by_period = series.kind in ("medians", "rates")
    return f"{when}\nn = {int(series.n[i]):,}" if by_period else when


def alt_text(result: Result) -> str:
    """The picture in words: what stands out, and when the level changed."""
    return f"{furniture.whose(result)}, {words.span(result.window)}. {result.signals().sentence}"
