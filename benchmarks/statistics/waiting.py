"""What does a median say while much is stuck? Kaplan and Meier's, and one of what is over."""

from __future__ import annotations

import numpy as np
from tables import percent, table

from dora import stats

DAYS_TRUE = 5.0
"""The true median lead time, in days."""
ARRIVALS = 9
"""Changes begun a day."""
REPEATS = 500


def begun(random: np.random.Generator, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Changes begun over the last days: how long ago, and how long each will take."""
    count = int(random.poisson(ARRIVALS * days))
    return random.uniform(0, days, count), random.lognormal(np.log(DAYS_TRUE), 1.1, count)


def windows() -> str:
    """The last weeks of a team in which nothing changes, judged while much is under way."""
    rows = []
    for days in (14, 28, 90):
        random = np.random.default_rng(71)
        told, naive, held = [], [], 0
        for _ in range(REPEATS):
            age, takes = begun(random, days)
            over = takes <= age
            median = stats.kaplan_meier(np.minimum(takes, age), over).median
            told.append(np.inf if median.value is None else median.value)
            naive.append(np.median(takes[over]))
            high = np.inf if median.high is None else median.high
            held += median.low is not None and median.low <= DAYS_TRUE <= high
        rows.append([f"{days} days", f"{DAYS_TRUE:g} d", f"{np.median(naive):.1f} d",
                     f"{np.median(told):.1f} d", percent(held / REPEATS)])  # fmt: skip
    head = ["window", "true median", "median of what was delivered", "Kaplan and Meier",
            "its interval holds the truth"]  # fmt: skip
    return table(head, rows)


def freeze() -> str:
    """Three weeks of freeze after nine of usual work, with 189 changes begun, and the thaw."""
    rows = []
    for moment, until in (("before the freeze", 63), ("in the freeze", 84), ("a week later", 98)):
        random = np.random.default_rng(83)
        stuck, values = [], []
        for _ in range(REPEATS):
            starts = np.sort(random.uniform(0, 84, ARRIVALS * 84))
            takes = random.lognormal(np.log(DAYS_TRUE), 1.1, len(starts))
            ends = np.where(starts + takes > 63, np.maximum(starts + takes, 91), starts + takes)
            recent = (starts >= until - 28) & (starts < until)
            over = ends[recent] <= until
            seen = np.where(over, ends[recent], until) - starts[recent]
            median = stats.kaplan_meier(seen, over).median
            stuck.append(int((recent & (starts > 63)).sum()))
            done = seen[over]
            values.append(
                [np.median((ends - starts)[recent]), np.median(done), done.mean(),
                 np.inf if median.value is None else median.value,
                 over.mean()]
            )  # fmt: skip
        true, naive, mean, told, over_share = np.median(np.array(values), axis=0)
        shown = (
            f"{told:.1f} d"
            if np.isfinite(told)
            else f"not reached ({percent(over_share, 0)} are over)"
        )
        rows.append([moment, int(np.median(stuck)), f"{true:.1f} d", f"{naive:.1f} d",
                     f"{mean:.1f} d", shown])  # fmt: skip
    head = ["as of", "begun in the freeze", "true median of the last 28 days",
            "median of what was delivered", "its mean", "Kaplan and Meier"]  # fmt: skip
    return table(head, rows)
