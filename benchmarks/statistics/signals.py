"""How often does a chart call a signal where nothing changed, or miss a change?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tables import percent, table

from dora import stats

WEEKS = 26
REPEATS = 1000
CHANGES = 300
"""Change points take longer to find."""


def uneven(random: np.random.Generator, mean: float, shape: float | None) -> np.ndarray:
    """How many records each week has: by chance, or in busy and in quiet weeks."""
    usual = random.gamma(shape, mean / shape, WEEKS) if shape else np.full(WEEKS, mean)
    return random.poisson(usual)


def weekly(random: np.random.Generator, n: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """Weekly medians of skewed durations in hours, rounded to minutes."""
    late = np.where(np.arange(WEEKS) >= WEEKS // 2, factor, 1.0)
    return np.array(
        [
            max(np.round(np.median(random.lognormal(3.0, 1.2, k)) * late[i] * 60), 1) / 60
            for i, k in enumerate(n)
            if k
        ]
    )


def plain(values: np.ndarray) -> bool:
    """Whether the usual XmR chart of the values as they are has a signal."""
    spread = np.abs(np.diff(values)).mean() / 1.128
    return bool((np.abs(values - values.mean()) > 3 * spread).any())


def medians() -> str:
    """Stable series of weekly medians."""
    rows = []
    for name, mean, shape in (
        ("3 a week", 3, None), ("8 a week", 8, None), ("20 a week", 20, None),
        ("20, busy and quiet weeks", 20, 2.0), ("20, very uneven", 20, 1.0),
    ):  # fmt: skip
        random = np.random.default_rng(31)
        seen, hints, shifted = np.zeros(3), 0, 0
        for i in range(REPEATS):
            n = uneven(random, mean, shape)
            values = weekly(random, n)
            logs, behind = np.log(values), n[n > 0]
            chart = stats.x_mr(logs, behind)
            seen += [chart.signals.any(), plain(logs), plain(values)]
            hints += any(chart.hints)
            if i < CHANGES:
                shifted += bool(stats.change_points(logs, behind))
        share = seen / REPEATS
        rows.append(
            [name, *map(percent, share), percent(hints / REPEATS), percent(shifted / CHANGES)]
        )
    head = ["changes behind a median", "a signal", "XmR of logs", "XmR as it is", "any hint",
            "a change point"]  # fmt: skip
    return table(head, rows)


def counted() -> str:
    """Stable series of rates, counts and what is rare."""
    rows = []
    for name, chart, naive in _COUNTED:
        random = np.random.default_rng(47)
        seen = np.zeros(2)
        for _ in range(REPEATS):
            drawn = _drawn(name, random)
            seen += [chart(drawn), naive(drawn)]
        rows.append([name, *map(percent, seen / REPEATS)])
    return table(["series", "a signal", "XmR of the weekly values"], rows)


_RATES = {
    "rate 5 %, 8 a week": (0.05, 8, None),
    "rate 10 %, 20 a week": (0.1, 20, None),
    "rate 10 %, 60 a week": (0.1, 60, None),
    "rate 20 %, 300 a week": (0.2, 300, None),
    "rate that varies around 10 %, 60 a week": (0.1, 60, 0.05),
}
_COUNTS = {
    "2 a week": (2, None), "5 a week": (5, None), "40 a week": (40, None),
    "40 a week, uneven": (40, 3.0), "40 a week, very uneven": (40, 1.0),
}  # fmt: skip


def _drawn(name: str, random: np.random.Generator) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    if name in _RATES:
        share, mean, alike = _RATES[name]
        n = random.poisson(mean, WEEKS)
        rate = share if alike is None else random.beta(
            share * (1 / alike - 1), (1 - share) * (1 / alike - 1), WEEKS
        )  # fmt: skip
        return random.binomial(n, rate)[n > 0], n[n > 0]
    if name in _COUNTS:
        mean, shape = _COUNTS[name]
        return uneven(random, mean, shape)
    if name == "12 gaps between failures":
        return random.geometric(0.04, 12) - 1
    return random.exponential(9.0, 16)


def _rate_signal(drawn: tuple[np.ndarray, np.ndarray]) -> bool:
    return bool(stats.laney_p(*drawn).signals.any())


def _gap_signal(gaps: np.ndarray) -> bool:
    return bool(stats.g_chart(gaps, len(gaps) / (gaps.sum() + len(gaps))).signals.any())


_COUNTED: list[tuple[str, Callable[..., bool], Callable[..., bool]]] = [
    *((name, _rate_signal, lambda d: plain(d[0] / d[1])) for name in _RATES),
    *((name, lambda d: bool(stats.laney_u(d).signals.any()), plain) for name in _COUNTS),
    ("12 gaps between failures", _gap_signal, plain),
    ("16 times between deployments", lambda d: bool(stats.t_chart(d).signals.any()), plain),
]


def power() -> str:
    """Lead time that becomes 1.5 or 2 times as long after half the weeks."""
    rows = []
    for mean in (8, 20, 50):
        for factor in (1.5, 2.0):
            random = np.random.default_rng(61)
            found = dated = either = 0
            for _ in range(CHANGES):
                n = np.maximum(uneven(random, mean, None), 1)
                logs = np.log(weekly(random, n, factor))
                points = stats.change_points(logs, n)
                starts = (0, *(point.place for point in points))
                found += bool(points)
                dated += any(p.earliest <= WEEKS // 2 <= p.latest for p in points)
                either += bool(points) or bool(stats.x_mr(logs, n, starts=starts).signals.any())
            rows.append(
                [mean, f"× {factor:g}", percent(found / CHANGES, 0),
                 percent(dated / max(found, 1), 0), percent(either / CHANGES, 0)]
            )  # fmt: skip
    head = ["changes a week", "shift", "change point found", "of these, dated right",
            "change point or signal"]  # fmt: skip
    return table(head, rows)
