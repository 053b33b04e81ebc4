"""Do 95 % intervals hold the truth 95 times in a hundred? By exact sums, and by seeded draws."""

from __future__ import annotations

import numpy as np
from scipy import stats as known
from tables import percent, table

from dora import stats

SIZES = (6, 7, 8, 10, 12, 15, 20, 30, 50, 100, 200, 500)
DRAWS = 20_000
SHAPES = ("lognormal", "whole hours", "two humps")
RATES = np.arange(0.05, 0.5001, 0.005)


def draw(shape: str, random: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Lead times in hours with realistic skew: a long tail, ties, or weekends in between."""
    values = random.lognormal(3.0, 1.2, size)
    if shape == "whole hours":
        return np.ceil(values / 8) * 8  # many alike
    if shape == "two humps":
        return values + 60 * (random.random(size) < 0.3)
    return values


def true_median(shape: str) -> float:
    """The median by a draw of two million; exact where it is known."""
    if shape == "two humps":
        return float(np.median(draw(shape, np.random.default_rng(99), (1, 2_000_000))))
    middle = float(np.exp(3.0))
    return float(np.ceil(middle / 8) * 8) if shape == "whole hours" else middle


def medians() -> str:
    """Coverage of the order-statistic interval, beside what theory says and the bootstrap."""
    rows = []
    for n in SIZES:
        low, high = (int(rank) for rank in stats.quantile_ranks(n))
        theory = 1 - known.binom.cdf(low - 1, n, 0.5) - known.binom.sf(high - 1, n, 0.5)
        seen = []
        for i, shape in enumerate(SHAPES):
            ordered = np.sort(draw(shape, np.random.default_rng(n + i), (DRAWS, n)), axis=1)
            truth = true_median(shape)
            seen.append(np.mean((ordered[:, low - 1] <= truth) & (truth <= ordered[:, high - 1])))
        rows.append([n, percent(theory), *(percent(share) for share in seen)])
    return table(["n", "in theory", *SHAPES], rows)


def wilson_coverage(n: int, rates: np.ndarray) -> np.ndarray:
    """How often Wilson's interval holds each rate, summed over all counts that can come up."""
    low, high = stats.wilson_interval(np.arange(n + 1), n)
    inside = (low[:, None] <= rates) & (rates <= high[:, None])
    return (known.binom.pmf(np.arange(n + 1)[:, None], n, rates) * inside).sum(axis=0)


def rates() -> str:
    """Coverage of Wilson's interval over rates from 0.05 to 0.5, exactly."""
    rows = []
    for n in SIZES:
        seen = wilson_coverage(n, RATES)
        worst = int(seen.argmin())
        at = percent(RATES[worst])
        rows.append([n, percent(seen.mean()), f"{percent(seen[worst])} (rate {at})"])
    return table(["n", "on average", "at worst"], rows)


def differences() -> str:
    """Coverage of the intervals of differences: rates exactly, medians and ratios by draws."""
    rows = []
    random = np.random.default_rng(5)
    for n in (10, 20, 50, 100, 200):
        hits, before = random.binomial(n, 0.15, DRAWS), random.binomial(n, 0.1, DRAWS)
        low, high = stats.rate_difference_interval(hits, n, before, n)
        of_rates = np.mean((low <= 0.05) & (high >= 0.05))
        counts, counts_before = random.poisson(n, DRAWS), random.poisson(n / 1.5, DRAWS)
        low, high = stats.poisson_ratio_interval(counts, 90, counts_before, 90)
        of_counts = np.mean((low <= 1.5) & (high >= 1.5))
        rows.append([n, percent(of_rates), percent(of_counts), percent(_medians(n, random))])
    return table(["n on each side", "rates (Newcombe)", "ratio of counts", "medians"], rows)


def _medians(n: int, random: np.random.Generator) -> float:
    low, high = (int(rank) for rank in stats.quantile_ranks(n))
    sides = [np.sort(random.lognormal(mean, 1.2, (DRAWS, n)), axis=1) for mean in (3.4, 3.0)]
    ends = [(np.median(side, axis=1), side[:, low - 1], side[:, high - 1]) for side in sides]
    down, up = stats.difference_interval(*ends)
    truth = np.exp(3.4) - np.exp(3.0)
    return float(np.mean((down <= truth) & (truth <= up)))
