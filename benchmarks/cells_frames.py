"""Frames with every column that ours have, from what happened: a part of `cells_in_pandas.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from cells_grid import DAY, Events, Grid, Moments, Ranked, now
from history import DAYS
from scipy import stats

QUANTILES = {"p75": 0.75, "p90": 0.9, "p95": 0.95}
REASONS = (
    "before the first known deployment",
    "nothing was deployed",
    "no deployment is old enough to be judged",
    "no change was delivered",
    "no failed deployment was recovered from",
)
BEFORE_FIRST, NOTHING_DEPLOYED, NOTHING_MATURE, NOTHING_DELIVERED, NOTHING_RESTORED = range(5)
KNOWN = -1
"""The reason of what has a value."""
Z = 1.959963984540054


@dataclass
class Numbers:
    """The columns of a metric: arrays over the cells, or single numbers for the window."""

    value: Any
    n: Any
    low: Any
    high: Any
    reason: Any = KNOWN
    further: dict[str, Any] = field(default_factory=dict)


def frames_of(events: Events) -> dict[str, pd.DataFrame]:
    """One frame a metric, and one of the whole window."""
    grid = events.grid
    counted = _counted(events)
    found = {
        "deployment_frequency": _frequency(events, counted),
        "lead_time": _durations(grid, events.changes, events.waiting, NOTHING_DELIVERED),
        "change_failure_rate": _failures(events, counted),
        "time_to_restore": _durations(grid, events.recoveries, events.suffering, NOTHING_RESTORED),
        "rework_rate": _rework(events, counted),
    }
    partial = (grid.cut | _holds_first(events)).ravel()
    frames = {name: _frame(name, grid, partial, cells) for name, (cells, _) in found.items()}
    frames["window"] = pd.DataFrame(
        [
            {"metric": name, "value": w.value, "n": w.n, "low": w.low, "high": w.high, **w.further}
            for name, (_, w) in found.items()
        ]
    )
    return frames


def _frame(name: str, grid: Grid, partial: np.ndarray, cells: Numbers) -> pd.DataFrame:
    units = {"deployment_frequency": "deployments", "lead_time": "seconds"}
    unit = units.get(name, "seconds" if name == "time_to_restore" else "share")
    none = np.zeros(partial.size, np.int8)
    columns = {
        "metric": pd.Categorical.from_codes(none, [name]),
        **grid.places,
        "partial": partial,
        "value": cells.value.ravel(),
        "unit": pd.Categorical.from_codes(none, [unit]),
        "n": cells.n.ravel(),
        "low": cells.low.ravel(),
        "high": cells.high.ravel(),
        "reason": pd.Categorical.from_codes(cells.reason.ravel(), REASONS),
        **{key: values.ravel() for key, values in cells.further.items()},
    }
    return pd.DataFrame(columns, copy=False)


def _first_days(events: Events) -> np.ndarray:
    """The day of the first known deployment of each row."""
    done, services = events.done, len(events.grid.services)
    first = np.full(services, DAYS)
    np.minimum.at(first, done.service, done.day)
    return events.grid.rolled(first[:, None], np.minimum)


def _holds_first(events: Events) -> np.ndarray:
    grid, first = events.grid, _first_days(events)
    return (grid.first_day <= first) & (first < grid.last_day)


def _counted(events: Events) -> dict[str, np.ndarray]:
    """What the three metrics of deployments count, cell by cell."""
    grid, done = events.grid, events.done
    mature = done.us <= now() - DAY
    chosen = {
        "done": np.ones(len(mature), bool),
        "failed": mature & events.failed,
        "pending": ~mature,
        "pending_failed": ~mature & events.failed,
        "hotfixes": events.hotfix,
    }
    counts = {name: grid.counted(done.where(which)) for name, which in chosen.items()}
    counts["mature"] = counts["done"] - counts["pending"]
    counts["attempts"] = grid.counted(events.attempts)
    counts["early"] = grid.last_day <= _first_days(events)
    return counts


def _frequency(events: Events, counted: dict[str, np.ndarray]) -> tuple[Numbers, Numbers]:
    grid = events.grid
    n, early, attempts = counted["done"], counted["early"], counted["attempts"]
    sizes, which = np.unique(n, return_inverse=True)
    low, high = (np.where(early, np.nan, end[which]) for end in _poisson(sizes))
    between = grid.gaps(events.done).quantile(0.5)
    days = grid.days(events.done)
    further = {"days_with_deployment": days, "failed_attempts": attempts, "between": between}
    reason = np.where(early, BEFORE_FIRST, KNOWN).astype(np.int8)
    cells = Numbers(np.where(early, np.nan, n), n, low, high, reason, further)
    total, weekly = grid.whole(n), 7 / DAYS
    low, high = (float(end) * weekly for end in _poisson(np.array(total)))
    whole = {"days_with_deployment": grid.whole(days), "failed_attempts": grid.whole(attempts)}
    return cells, Numbers(total * weekly, total, low, high, further=whole)


def _poisson(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.where(counts > 0, stats.chi2.ppf(0.025, 2 * counts) / 2, 0.0)
    return low, stats.chi2.ppf(0.975, 2 * counts + 2) / 2


def _durations(
    grid: Grid, over: Moments, waiting: Moments, nothing: int
) -> tuple[Numbers, Numbers]:
    ranked = grid.ranked(over)
    still = grid.counted(waiting)
    reason = np.where(ranked.n > 0, KNOWN, nothing).astype(np.int8)
    cells = _of_ranked(ranked)
    cells.reason = reason
    cells.further |= {"open": grid.running(still)}
    window = _of_ranked(Ranked.of_one(over.length))
    numbers = (float(x[0]) for x in (window.value, window.low, window.high))
    value, low, high = numbers
    return cells, Numbers(value, len(over.us), low, high, further={"open": grid.whole(still)})


def _of_ranked(ranked: Ranked) -> Numbers:
    further = {name: ranked.quantile(share) for name, share in QUANTILES.items()}
    return Numbers(ranked.quantile(0.5), ranked.n, *ranked.interval(), further=further)


def _failures(events: Events, counted: dict[str, np.ndarray]) -> tuple[Numbers, Numbers]:
    further = {
        "pending": counted["pending"],
        "pending_failed": counted["pending_failed"],
        "failed_attempts": counted["attempts"],
    }
    young = counted["pending"] > 0
    return _rate(
        events.grid, counted["early"], counted["failed"], counted["mature"], young, further
    )


def _rework(events: Events, counted: dict[str, np.ndarray]) -> tuple[Numbers, Numbers]:
    hits = counted["hotfixes"]
    none = np.zeros_like(hits)
    further = {"rollbacks": none, "hotfixes": hits, "reverts": none}
    young = np.zeros(hits.shape, bool)
    return _rate(events.grid, counted["early"], hits, counted["done"], young, further)


def _rate(
    grid: Grid,
    early: np.ndarray,
    hits: np.ndarray,
    n: np.ndarray,
    young: np.ndarray,
    further: dict[str, np.ndarray],
) -> tuple[Numbers, Numbers]:
    further = {"hits": hits, **further}
    empty = np.where(early, BEFORE_FIRST, np.where(young, NOTHING_MATURE, NOTHING_DEPLOYED))
    reason = np.where((n > 0) & ~early, KNOWN, empty).astype(np.int8)
    cells = Numbers(*_wilson(hits, n), reason, further)
    whole = {name: grid.whole(values) for name, values in further.items()}
    value, total, low, high = _wilson(np.array(whole["hits"]), np.array(grid.whole(n)))
    return cells, Numbers(float(value), int(total), float(low), float(high), further=whole)


def _wilson(hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, ...]:
    trials = np.where(n > 0, n, np.nan)
    share = hits / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    low = np.where((hits == 0) & (n > 0), 0.0, middle - half)
    high = np.where((hits == n) & (n > 0), 1.0, middle + half)
    return share, n, low, high
