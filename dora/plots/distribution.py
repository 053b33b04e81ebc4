"""How long for most, and how heavy is the tail? This window's values against those before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes
from dora.plots.scales import GUIDES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.metrics.result import Result


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the share of records that took at most so long, now and in the window before."""
    ax = new_axes() if ax is None else ax
    now, before = _both(result)
    if not len(now):
        furniture.say(ax, result.reason or "there is nothing to draw")
    else:
        scales.durations(ax, np.concatenate([now, before]).tolist(), axis="x")
        if len(before):
            _step(ax, before, palette.now().grey, f"before, n = {len(before):,}", 1.2)
        _step(ax, now, furniture.colour_of(result), f"{result.window}, n = {len(now):,}", 2.0)
        _guides(ax, now, furniture.colour_of(result))
        scales.done(ax)
        ax.legend(loc="lower right", frameon=False, fontsize=8)
        furniture.plain(ax)
    note = "Finished ones only; what is still open may take longer than any of them."
    furniture.label(ax, result, f"{result.metric.title}: how long for how many", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _both(result: Result) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lengths of this window and of the one before, each in order, zeros as one second."""
    before = result.metric.ask(result.question.pooled().over(None))
    return _sorted(result), _sorted(before)


def _sorted(result: Result) -> NDArray[np.float64]:
    lengths = result.evidence["seconds"].dropna().to_numpy(np.float64)
    return np.sort(lengths).clip(min=1.0)


def _step(ax: Axes, values: NDArray[np.float64], colour: str, name: str, width: float) -> None:
    shares = np.arange(1, len(values) + 1) / len(values)
    x, y = np.concatenate([values[:1], values]), np.concatenate([[0.0], shares])
    ax.step(x, y, where="post", color=colour, lw=width, label=name)


def _guides(ax: Axes, values: NDArray[np.float64], colour: str) -> None:
    for share in GUIDES:
        at = float(np.quantile(values, share))
        ax.plot([at, at], [0, share], color=palette.now().faint, lw=1, zorder=0)
        ax.annotate(
            words.duration(at), (at, share), xytext=(-4, 3), textcoords="offset points",
            fontsize=8, color=colour, ha="right",
        )  # fmt: skip


def alt_text(result: Result) -> str:
    """The picture in words: how long half, most and nearly all of them took."""
    now, _ = _both(result)
    if not len(now):
        return f"{result.metric.title} of {furniture.whose(result)}: nothing to show."
    said = [
        f"{words.share(share)} within {words.duration(float(np.quantile(now, share)))}"
        for share in GUIDES
    ]
    whose = f"{furniture.whose(result)}, {result.window}"
    return f"{result.metric.title} of {whose}: {words.listed(said)}."
