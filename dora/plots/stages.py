"""Where does the time go? The lead time of all changes together, cut into its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dora import words
from dora.plots import furniture, palette
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

STAGES = {
    "coding": ("coding", "first commit to ready"),
    "pickup": ("pickup", "ready to first review"),
    "review": ("review", "first review to merge"),
    "merge_to_deploy": ("merge to deploy", "merge to production"),
}
"""The columns of the stages, in order: their names, and what they run from and to."""


class Stage(NamedTuple):
    """One stage of all changes: its share of their time, its median, how many changes have it."""

    name: str
    meaning: str
    share: float
    median: float | None
    n: int


def partition(result: Result) -> list[Stage]:
    """The stages' shares of all lead time; they add up to the whole, as medians would not."""
    changes = result.evidence
    whole = float(changes["seconds"].sum())
    if not whole:
        return []
    found = []
    for column, (name, meaning) in STAGES.items():
        known = changes[column].dropna()
        median = float(known.median()) if len(known) else None
        found.append(Stage(name, meaning, float(known.sum()) / whole, median, len(known)))
    return found


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw one bar a stage, each beginning where the one before ended."""
    ax = new_axes() if ax is None else ax
    found = partition(result)
    if not found:
        furniture.say(ax, result.reason or words.NOTHING_DELIVERED)
    start = 0.0
    for place, (stage, shade) in enumerate(zip(found, palette.now().stages, strict=False)):
        ax.barh(place, stage.share, left=start, color=shade, height=0.72)
        ax.annotate(
            _said(stage), (start + stage.share, place), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
        start += stage.share
    if found:
        ax.set_yticks(range(len(found)), [f"{s.name}\n{s.meaning}" for s in found], fontsize=8)
        ax.invert_yaxis()
        ax.set_xlim(0, 1.32)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"], fontsize=8)
        furniture.plain(ax, grid="x")
    note = "Bars: share of the time of all changes together. Medians of stages do not add up."
    furniture.label(ax, result, "Where the lead time goes", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _said(stage: Stage) -> str:
    if stage.median is None:
        return "not known: no change has it"
    return f"{words.share(stage.share)}, median {words.duration(stage.median)}, n = {stage.n:,}"


def alt_text(result: Result) -> str:
    """The picture in words: every stage's share and median."""
    said = [f"{stage.name} {_said(stage)}" for stage in partition(result)]
    whole = "; ".join(said) or result.reason or words.NOTHING_DELIVERED
    return f"Where the lead time of {furniture.whose(result)} goes, {result.window}: {whole}."
