"""Do small batches fail less? Failure rate by how many changes a deployment delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dora import metrics, stats, words
from dora.plots import furniture, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

BANDS = {"no": (0, 0), "1": (1, 1), "2–5": (2, 5), "6–20": (6, 20), "over 20": (21, np.inf)}
"""How many changes a deployment delivers, in bands; both ends belong to them."""


def by_size(result: Result) -> pd.DataFrame:
    """Failures by size of deployment.

    Returns:
        A row a band that has deployments: `changes`, `n` deployments, `failed`, `value` with
        Wilson's `low` and `high`.
    """
    judged = result.evidence[~result.evidence["pending"].fillna(False).astype(bool)]
    changes = metrics.find("lead_time").ask(result.question.pooled()).evidence
    delivered = changes.groupby(["deployment", "service"]).size()
    keys = pd.MultiIndex.from_frame(judged[["deployment", "service"]])
    size = delivered.reindex(keys).fillna(0).to_numpy()
    failed = judged["failed"].fillna(False).to_numpy(bool)
    rows = []
    for name, (least, most) in BANDS.items():
        inside = (size >= least) & (size <= most)
        rows.append((name, int(inside.sum()), int((inside & failed).sum())))
    found = pd.DataFrame(rows, columns=["changes", "n", "failed"]).query("n > 0")
    low, high = stats.wilson_interval(found["failed"].to_numpy(), found["n"].to_numpy())
    value = found["failed"] / found["n"]
    return found.assign(value=value, low=low, high=high).reset_index(drop=True)


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw each band's failure rate with its interval and how many deployments it has."""
    ax = new_axes() if ax is None else ax
    found = by_size(result)
    if result.value is None or not len(found):
        furniture.say(ax, result.reason or words.NOTHING_DEPLOYED)
    else:
        at = np.arange(len(found))
        value, low, high = (found[name].to_numpy(float) for name in ("value", "low", "high"))
        scales.shares(ax, high.tolist())
        colour = furniture.colour_of(result)
        around = np.vstack([value - low, high - value]).clip(min=0)
        ax.errorbar(at, value, yerr=around, fmt="o", color=colour, capsize=4, ms=7, lw=1.6)
        ticks = [f"{c}\nn = {n:,}" for c, n in zip(found["changes"], found["n"], strict=True)]
        ax.set_xticks(at, ticks, fontsize=8)
        ax.set_xlim(-0.6, len(found) - 0.4)
        furniture.plain(ax)
    note = "Below each mark: changes delivered at once, and deployments. Bars: 95 % intervals."
    furniture.label(ax, result, "Failure rate by size of deployment", note)
    furniture.describe(ax, alt_text(result))
    return ax


def alt_text(result: Result) -> str:
    """The picture in words: the rate of every band."""
    found = by_size(result)
    if result.value is None or not len(found):
        return f"Failure rate by size of deployment of {furniture.whose(result)}: not known."
    rates = zip(found["value"], found["low"], found["high"], strict=True)
    said = [
        f"with {changes} changes {words.estimate(*rate, 'share')}"
        for changes, rate in zip(found["changes"], rates, strict=True)
    ]
    whose = f"{furniture.whose(result)}, {result.window}"
    return f"Failure rate by size of deployment of {whose}: {'; '.join(said)}."
