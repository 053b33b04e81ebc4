"""How long for how many, unfinished included: what this window began, and the window before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dora import words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes
from dora.plots.scales import GUIDES
from dora.words import waiting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result
    from dora.metrics.survival import Survival


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw the share that is over after so long, with its interval; ticks mark what still waits."""
    ax = new_axes() if ax is None else ax
    now, before = _both(result)
    if not now.n:
        furniture.say(ax, now.sentence)
    else:
        scales.durations(ax, _shown(now) + _shown(before), axis="x")
        if before.n:
            _curve(ax, before, palette.now().grey, 1.2)
        _curve(ax, now, furniture.colour_of(result), 2.0)
        _guides(ax, now, furniture.colour_of(result))
        scales.done(ax)
        ax.legend(loc="upper left", frameon=False, fontsize=8)
        furniture.plain(ax)
    note = "What began in the window, until now. Band: 95 % interval. Ticks: not over yet."
    furniture.label(
        ax, result, f"{result.metric.title}: how long, unfinished included", note, n=now.n
    )
    furniture.describe(ax, alt_text(result))
    return ax


def _both(result: Result) -> tuple[Survival, Survival]:
    before = result.metric.ask(result.question.pooled().over(None))
    return result.survival(), before.survival()


def _shown(survival: Survival) -> list[float]:
    return [float(seconds) for seconds in np.clip(survival.seconds, 1.0, None)]


def _curve(ax: Axes, survival: Survival, colour: str, width: float) -> None:
    """Steps up to the longest that was seen, with the band and a tick for all that wait."""
    curve = survival.curve
    left, end = ax.get_xlim()[0], max(_shown(survival))
    x = np.concatenate([[left], curve.times.clip(min=1.0), [end]])
    over, low, high = (
        np.concatenate([[0.0], part, part[-1:] if len(part) else [0.0]])
        for part in (curve.over, curve.low, curve.high)
    )
    name = f"{words.span(survival.result.window)}, n = {survival.n:,}"
    ax.step(x, over, where="post", color=colour, lw=width, label=name)
    ax.fill_between(x, low, high, step="post", color=colour, alpha=0.13, lw=0)
    waits = curve.waiting.clip(min=1.0)
    if len(waits):
        place = np.searchsorted(x, waits, side="right") - 1
        ax.plot(waits, over[place], ls="", marker="|", ms=7, color=colour, gid="waiting")


def _guides(ax: Axes, survival: Survival, colour: str) -> None:
    for share in GUIDES:
        at = survival.quantile(share).value
        if at is None:
            continue
        ax.plot([max(at, 1.0)] * 2, [0, share], color=palette.now().faint, lw=1, zorder=0)
        ax.annotate(
            words.duration(at), (max(at, 1.0), share), xytext=(4, -10),
            textcoords="offset points", fontsize=8, color=colour, ha="left",
        )  # fmt: skip


def alt_text(result: Result) -> str:
    """The picture in words: after how long half were over, in this window and the one before."""
    now, before = _both(result)
    shares = [f"{words.share(share)} {_told(now, share)}" for share in GUIDES[1:]]
    whose = furniture.whose(result)
    further = f" {words.listed(shares)}." if now.n else ""
    return f"{result.metric.title} of {whose}. {now.sentence}{further} Before: {before.sentence}"


def _told(survival: Survival, share: float) -> str:
    found = survival.quantile(share)
    told = waiting.quantile(found.value, found.low, found.high)
    return told if found.value is None else f"within {told}"
