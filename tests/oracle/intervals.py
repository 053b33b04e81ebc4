"""Intervals by other ways than the package's: scans of exact tails and bisection."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from statistics import NormalDist

TAIL = Fraction(1, 40)


def bisect(goes_up: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a rising function meets a target."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if goes_up(middle) < target else (low, middle)
    return (low + high) / 2


@cache
def wilson(hits: int, n: int) -> tuple[float, float]:
    """Shares that a score test at 5 % does not refuse: |hits - n p| = z sqrt(n p (1 - p))."""
    z = NormalDist().inv_cdf(0.975)

    def off(p: float) -> float:
        spread = math.sqrt(n * p * (1 - p))
        return (n * p - hits) / spread if spread else math.copysign(math.inf, n * p - hits)

    share = hits / n
    low = 0.0 if hits == 0 else bisect(off, -z, 0.0, share)
    high = 1.0 if hits == n else bisect(off, z, share, 1.0)
    return low, high


@cache
def poisson(count: int) -> tuple[float, float]:
    """Means under which so many or more, or so few or fewer, come up once in forty times."""

    def at_most(mean: float, most: int) -> float:
        return math.fsum(
            math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(most + 1)
        )

    wide = count + 10 * math.sqrt(count + 1) + 10
    low = (
        0.0 if count == 0 else bisect(lambda mean: 1 - at_most(mean, count - 1), 0.025, 1e-12, wide)
    )
    high = bisect(lambda mean: -at_most(mean, count), -0.025, 1e-12, wide)
    return low, high


@cache
def median_ranks(n: int) -> tuple[int, int] | None:
    """Which of n sorted values bound the median; None where none do, below six."""
    best, below = 0, Fraction(0)
    for rank in range(1, n // 2 + 1):
        below += Fraction(math.comb(n, rank - 1), 2**n)  # fewer than `rank` values lie below it
        if below <= TAIL:
            best = rank
    return (best, n + 1 - best) if best else None


def quantile(values: list[int], share: Fraction) -> Fraction:
    """Linear between the two values beside the place (n - 1) × share, exactly."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
