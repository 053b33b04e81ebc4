"""The rival of `metrics.py` in pandas that gives the same cells from the same tables.

It starts from frames in memory of the tables that our models read, with the columns it needs, and
repeated text as categories; a sha stays text, as each is met once. What counts from there on: pull
requests to commits by sha (told apart), to deployments by lineage, incidents and hotfixes to what
they blame, and five frames with every column that ours have.

It assumes what holds of this history alone: one service a repository and one environment, each
service in one team for all time, every sha known and in one repository and landed by one pull
request, no bots, reverts, rollbacks or squashes, incidents of every service known, UTC, and a
window of whole weeks that is over.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from cells_frames import frames_of
from cells_grid import DAY, Events, Grid, Moments, microseconds, now
from history import AS_OF
from timing import timed

TABLES = {
    "pull_requests": "repository, merge_sha, merged_at, labels",
    "commits": "sha, authored_at, commit_id",
    "deployments": "repository, status, finished_at",
    "incidents": "repository, detected_at, resolved_at",
    "lineage": "stream, commit_id, position",
    "streams": "stream, repository, service",
    "stream_deployments": "stream, position, finished_at, commit_id",
    "team_services": "team, service",
}
REPEATED = ("repository", "status", "labels", "service", "team")
OPEN = np.iinfo(np.int64).max
"""The end of what is not over."""


def cells_in_pandas(path: Path) -> tuple[dict[str, float], dict[str, pd.DataFrame]]:
    """Times and counts, and the frames: one a metric, and one of the window."""
    tables = _read(path)
    times: dict[str, float] = {}
    with timed(times, "shas"):
        landed = _landed(*(tables.pop(name) for name in ("pull_requests", "commits")))
    with timed(times, "links"):
        events = _links(landed, **tables)
    with timed(times, "metrics"):
        frames = frames_of(events)
    window = frames["window"].set_index("metric")
    times |= {f"n {name}": int(n) for name, n in window["n"].items()}
    return times | {"cells": len(frames["lead_time"])}, frames


def _read(path: Path) -> dict[str, pd.DataFrame]:
    connection = duckdb.connect(str(path), read_only=True)
    tables = {
        name: connection.execute(f"select {columns} from {name}").df()
        for name, columns in TABLES.items()
    }
    connection.close()
    for frame in tables.values():
        for name in frame.columns.intersection(REPEATED):
            frame[name] = frame[name].astype("category")
    return tables


def _links(
    merged: pd.DataFrame,
    *,
    deployments: pd.DataFrame,
    incidents: pd.DataFrame,
    lineage: pd.DataFrame,
    streams: pd.DataFrame,
    stream_deployments: pd.DataFrame,
    team_services: pd.DataFrame,
) -> Events:
    """Find what each pull request, incident and hotfix belongs to."""
    services = streams["service"].cat.categories
    owner = team_services.set_index("service")["team"].reindex(services)
    grid = Grid(services, owner.cat.categories, owner.cat.codes.to_numpy(np.int64))
    codes = streams["service"].cat.codes.astype(np.int64)
    by_repository = codes.set_axis(streams["repository"])
    by_stream = codes.set_axis(streams["stream"])

    def service(frame: pd.DataFrame) -> np.ndarray:
        names = frame["repository"].cat
        return by_repository.reindex(names.categories).to_numpy()[names.codes]

    ordered = stream_deployments.sort_values(["stream", "position"], ignore_index=True)
    done = Moments(
        by_stream.reindex(ordered["stream"]).to_numpy(), microseconds(ordered["finished_at"])
    )
    row, waits = _delivering(merged, lineage, ordered)
    counts = row >= 0
    changes, row, waiting = merged[counts], row[counts], merged[waits]
    hotfix = np.zeros(len(ordered), bool)
    hotfix[row[changes["labels"].isin(["hotfix", "emergency"])]] = True
    known = incidents[incidents["detected_at"] <= AS_OF.replace(tzinfo=None)]
    spells = _spells(_linked(known, service(known), done), _repaired(done, hotfix))
    failed = np.zeros(len(ordered), bool)
    failed[spells.index] = True
    begun, over = spells["begun"].to_numpy(), spells["over"].to_numpy()
    hurt = Moments(done.service[spells.index], over, over - begun)
    attempts = deployments[deployments["status"] == "failed"]
    ended = over < OPEN
    return Events(
        grid,
        done,
        failed,
        hotfix,
        Moments(service(attempts), microseconds(attempts["finished_at"])),
        Moments(
            done.service[row], done.us[row], done.us[row] - microseconds(changes["authored_at"])
        ),
        Moments(service(waiting), microseconds(waiting["merged_at"])),
        hurt.where(ended & (over < now())),
        Moments(hurt.service, begun).where(~ended),
    )


def _delivering(
    merged: pd.DataFrame, lineage: pd.DataFrame, ordered: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The deployment that delivers each pull request, -1 where none counts; and which wait."""
    # ids are numbered throughout
    place = np.empty(len(lineage) + 1, np.int64)
    place[lineage["commit_id"]] = np.arange(len(lineage))
    at = place[merged["commit_id"]]
    stream, position = (lineage[name].to_numpy()[at] for name in ("stream", "position"))
    waits = position < 0
    first = np.flatnonzero(ordered["position"] == 0)
    baseline = first[np.searchsorted(ordered["stream"].to_numpy()[first], stream)]
    row = baseline + position
    # a baseline delivers only what it was made for
    exact = merged["commit_id"].to_numpy() == ordered["commit_id"].to_numpy()[row]
    return np.where(~waits & (exact | (position > 0)), row, -1), waits


def _landed(prs: pd.DataFrame, commits: pd.DataFrame) -> pd.DataFrame:
    """Pull requests with the commit that each landed as."""
    # pandas keeps text as Arrow does, whose own look-up is quicker than any merge
    sha, merge_sha = (pa.array(column) for column in (commits["sha"], prs["merge_sha"]))
    pull_request = pc.index_in(sha, value_set=merge_sha).fill_null(-1).to_numpy()
    commit = np.flatnonzero(pull_request >= 0)
    landed = prs.iloc[pull_request[commit]].reset_index(drop=True)
    for name in ("commit_id", "authored_at"):
        landed[name] = commits[name].to_numpy()[commit]
    return landed


def _linked(incidents: pd.DataFrame, service: np.ndarray, done: Moments) -> pd.DataFrame:
    """The last deployment before each incident, no longer ago than 24 hours."""
    detected, resolved = (microseconds(incidents[name]) for name in ("detected_at", "resolved_at"))
    resolved[(resolved > now()) | incidents["resolved_at"].isna().to_numpy()] = OPEN
    order = np.argsort(detected, kind="stable")
    left = pd.DataFrame({"service": service, "us": detected, "over": resolved}).iloc[order]
    right = pd.DataFrame({"service": done.service, "finished": done.us})
    right["row"] = np.arange(len(right))
    found = pd.merge_asof(
        left, right.sort_values("finished"), left_on="us", right_on="finished", by="service",
        tolerance=DAY,
    )  # fmt: skip
    found = found[found["row"].notna()]
    return (
        found.astype({"row": np.int64})
        .groupby("row")
        .agg(begun=("us", "min"), over=("over", "max"))
    )


def _repaired(done: Moments, hotfix: np.ndarray) -> pd.DataFrame:
    """The nearest deployment before each hotfix that is none itself, within 7 days."""
    rows = np.arange(len(hotfix))
    plain = np.maximum.accumulate(np.where(hotfix, -1, rows))
    repairs = rows[hotfix & (rows > 0)]
    blamed = plain[repairs - 1]
    near = (blamed >= 0) & (done.service[blamed] == done.service[repairs])
    near &= done.us[repairs] - done.us[blamed] <= 7 * DAY
    blamed, repairs = blamed[near], repairs[near]
    blamed, first = np.unique(blamed, return_index=True)
    return pd.DataFrame({"begun": done.us[blamed], "over": done.us[repairs[first]]}, index=blamed)


def _spells(linked: pd.DataFrame, repaired: pd.DataFrame) -> pd.DataFrame:
    """From when to when each failed deployment hurt: by its incidents, else by its repair."""
    return pd.concat([linked, repaired[~repaired.index.isin(linked.index)]])
