"""The rival of `metrics.py` in pandas: the same links and metrics, from frames in memory."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from history import AS_OF, GRAINS, START
from timing import timed

QUANTILES = [0.5, 0.75, 0.9, 0.95]


def in_pandas(path: Path) -> dict[str, float]:
    """The same links and metrics with frames that are in memory already."""
    connection = duckdb.connect(str(path), read_only=True)
    tables = {
        name: connection.sql(f"select * from plain_{name} order by repo, number").df()
        for name in ("prs", "deployments", "incidents")
    }
    teams = connection.sql("select team from plain_teams order by repo").df()["team"].to_numpy()
    connection.close()
    times: dict[str, float] = {}
    with timed(times, "links"):
        changes, deployments, recoveries = _links(**tables)
    with timed(times, "metrics"):
        cells = _metrics(changes, deployments, recoveries, teams)
    done = deployments[deployments["succeeded"]]
    mature = done[done["finished"] <= _naive(AS_OF) - pd.Timedelta(hours=24)]
    times |= {
        "n deployment_frequency": len(done),
        "n lead_time": len(changes),
        "n change_failure_rate": len(mature),
        "n time_to_restore": len(recoveries),
        "cells": cells,
    }
    return times


def _links(
    prs: pd.DataFrame, deployments: pd.DataFrame, incidents: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    done = deployments[deployments["succeeded"]].copy()
    done["row"] = np.arange(len(done))
    changes = _delivered(prs, done)
    linked = _linked(incidents, done)
    hotfixes = changes.loc[changes["hotfix"], "row"].astype(int).unique()
    rework = np.zeros(len(done), bool)
    rework[hotfixes] = True
    blamed, repairs = _repaired(done, rework, hotfixes)
    failed = np.zeros(len(done), bool)
    failed[blamed] = True
    failed[linked["row"].astype(int)] = True
    recoveries = _recoveries(done, linked, blamed, repairs)
    return changes, done.assign(rework=rework, failed=failed), recoveries


def _delivered(prs: pd.DataFrame, done: pd.DataFrame) -> pd.DataFrame:
    by_place = done[["repo", "pos", "finished", "row"]].sort_values("pos")
    changes = pd.merge_asof(
        prs.sort_values("pos"), by_place, on="pos", by="repo", direction="forward"
    )
    changes = changes[changes["row"].notna()]
    baseline = changes["repo"].map(done.groupby("repo")["pos"].first())
    # a baseline delivers only what it was made for
    changes = changes[changes["pos"] >= baseline]
    changes["seconds"] = (changes["finished"] - changes["authored"]).dt.total_seconds()
    return changes


def _linked(incidents: pd.DataFrame, done: pd.DataFrame) -> pd.DataFrame:
    return pd.merge_asof(
        incidents.drop(columns="number").sort_values("detected"),
        done[["repo", "finished", "row"]].sort_values("finished"),
        left_on="detected", right_on="finished", by="repo", tolerance=pd.Timedelta(hours=24),
    ).dropna(subset=["row"])  # fmt: skip


def _repaired(
    done: pd.DataFrame, rework: np.ndarray, hotfixes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the deployments that hotfixes repaired, and of those hotfixes."""
    repo, finished = done["repo"].to_numpy(), done["finished"].to_numpy()
    plain = pd.Series(np.where(rework, np.nan, np.arange(len(done)))).groupby(repo).ffill()
    before = plain.groupby(repo).shift().to_numpy()[hotfixes]
    known = ~np.isnan(before)
    blamed, repairs = before[known].astype(int), hotfixes[known]
    near = finished[repairs] - finished[blamed] <= np.timedelta64(7, "D")
    return blamed[near], repairs[near]


def _recoveries(
    done: pd.DataFrame, linked: pd.DataFrame, blamed: np.ndarray, repairs: np.ndarray
) -> pd.DataFrame:
    repo, finished = done["repo"].to_numpy(), done["finished"].to_numpy()
    spans = linked.groupby("row").agg(begun=("detected", "min"), over=("resolved", "max"))
    repaired = pd.DataFrame({"row": blamed, "over": finished[repairs], "begun": finished[blamed]})
    repaired = repaired[~repaired["row"].isin(spans.index)].groupby("row").min()
    spans = pd.concat([spans, repaired])
    recoveries = pd.DataFrame(
        {
            "repo": repo[spans.index.astype(int)],
            "finished": spans["over"].to_numpy(),
            "seconds": (spans["over"] - spans["begun"]).dt.total_seconds().to_numpy(),
        }
    )
    return recoveries[recoveries["finished"] <= _naive(AS_OF)]


def _metrics(
    changes: pd.DataFrame, done: pd.DataFrame, recoveries: pd.DataFrame, teams: np.ndarray
) -> int:
    cells = 0
    last = _naive(AS_OF) - pd.Timedelta(hours=24)
    for grain in GRAINS:
        for units in (np.arange(len(teams)), teams):
            grid = (units.max() + 1) * (_period(np.array([_naive(AS_OF)]), grain)[0] + 1)

            def place(
                frame: pd.DataFrame, grain: str = grain, units: np.ndarray = units
            ) -> pd.Series:
                width = _period(np.array([_naive(AS_OF)]), grain)[0] + 1
                at = _period(frame["finished"].to_numpy(), grain)
                return pd.Series(units[frame["repo"]] * width + at, index=frame.index)

            everything = np.arange(grid)
            frames = []
            count = done.groupby(place(done)).size().reindex(everything, fill_value=0)
            frames.append(count)
            for frame in (changes, recoveries):
                grouped = frame.groupby(place(frame))["seconds"]
                frames.append(grouped.quantile(QUANTILES).unstack().reindex(everything))
                frames.append(grouped.size().reindex(everything, fill_value=0))
            for column, counted in (("failed", done[done["finished"] <= last]), ("rework", done)):
                rate = counted.groupby(place(counted))[column].agg(["sum", "size"])
                rate = rate.reindex(everything, fill_value=0)
                frames.append(_wilson(rate))
            cells += sum(len(frame) for frame in frames) // 5
    return cells


def _period(moments: np.ndarray, grain: str) -> np.ndarray:
    days = moments.astype("datetime64[D]")
    if grain == "month":
        return (days.astype("datetime64[M]") - np.datetime64(START.date(), "M")).astype(int)
    return (days - np.datetime64(START.date(), "D")).astype(int) // 7


def _wilson(rate: pd.DataFrame) -> pd.DataFrame:
    n = rate["size"].where(rate["size"] > 0)
    share, z = rate["sum"] / n, 1.959963984540054
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    return rate.assign(value=share, low=middle - half, high=middle + half)


def _naive(moment: datetime) -> pd.Timestamp:
    return pd.Timestamp(moment.replace(tzinfo=None))
