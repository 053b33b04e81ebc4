"""Figures that several analyses have: failure rates held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dora.release.base import share_figure
from dora.stats import rate_difference_interval
from dora.stats.figure import Figure
from dora.stats.stratified import stratified_difference
from dora.words import release as words

if TYPE_CHECKING:
    import pandas as pd


def failure_rate(name: str, rows: pd.DataFrame) -> Figure:
    """The failure rate of what is old enough to be judged, repairs set apart.

    Args:
        name: What the figure is called.
        rows: Counts of deployments, `judged` and `failed`, and whether they are `repair`.
    """
    counted = rows[~rows["repair"]]
    failed, n = int(counted["failed"].sum()), int(counted["judged"].sum())
    return share_figure(name, failed, n, words.NONE_JUDGED)


def failure_difference(name: str, rows: pd.DataFrame, side: str) -> Figure:
    """Failure rate where `side` does not hold less where it does, like compared to like.

    Within services and sizes, repairs left out: they go another way by nature.

    Args:
        name: What the figure is called.
        rows: As of `failure_rate`, with `service` and `size`.
        side: The column that tells the two apart.
    """
    counted = rows[~rows["repair"]]
    by = counted.groupby(["service", "size", side])[["failed", "judged"]].sum()
    table = by.unstack(side, fill_value=0)
    columns = [
        table.get((counts, held), default=0 * table.index.get_level_values("size"))
        for held in (False, True)
        for counts in ("failed", "judged")
    ]
    found = stratified_difference(*columns)
    if not found.n:
        return Figure(name, None, "points", 0, reason=words.ONE_SIDE)
    return Figure(name, found.value, "points", found.n, found.low, found.high)


def crude_difference(name: str, rows: pd.DataFrame, others: pd.DataFrame) -> Figure:
    """Failure rate of some rows less that of others, all deployments together, repairs too.

    Args:
        name: What the figure is called.
        rows: As of `failure_rate`.
        others: What they are held against.
    """
    (failed, n), (other, m) = (
        (int(side["failed"].sum()), int(side["judged"].sum())) for side in (rows, others)
    )
    if not n or not m:
        return Figure(name, None, "points", n + m, reason=words.ONE_SIDE)
    low, high = rate_difference_interval(failed, n, other, m)
    return Figure(name, failed / n - other / m, "points", n + m, float(low), float(high))
