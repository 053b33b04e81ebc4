"""A difference within strata: by hand, and by the truth of simulated data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dora.stats.stratified import stratified_difference


def test_it_is_the_weighted_mean_of_the_differences_of_the_strata():
    """Two strata: 8/10 against 4/10, and 3/30 against 1/10.

    Weights n m ÷ (n + m): 10 × 10 ÷ 20 = 5 and 30 × 10 ÷ 40 = 7.5. Differences 0.4 and 0:
    5 × 0.4 ÷ 12.5 = 0.16.
    """
    found = stratified_difference([8, 3], [10, 30], [4, 1], [10, 10])
    assert found.value == pytest.approx(0.16)
    assert found.n == 60


def test_its_interval_is_that_of_sato_greenland_and_robins():
    """The same tables, step by step.

    P = (n² c − m² a + n m (m − n) ÷ 2) ÷ N²: (400 − 800) ÷ 400 = −1 and
    (900 − 300 − 3000) ÷ 1600 = −1.5. Q = (a (m − c) + c (n − a)) ÷ 2N: (48 + 8) ÷ 40 = 1.4 and
    (27 + 27) ÷ 80 = 0.675. Variance: (0.16 × −2.5 + 2.075) ÷ 12.5² = 0.01072.
    """
    found = stratified_difference([8, 3], [10, 30], [4, 1], [10, 10])
    half = 1.959964 * math.sqrt(0.01072)
    assert (found.low, found.high) == pytest.approx((0.16 - half, 0.16 + half), abs=1e-6)


def test_a_stratum_with_one_side_only_says_nothing():
    assert stratified_difference([8, 5], [10, 5], [4, 0], [10, 0]) == stratified_difference(
        [8], [10], [4], [10]
    )
    none = stratified_difference([1], [2], [0], [0])
    assert math.isnan(none.value)
    assert none.n == 0
    assert stratified_difference([], [], [], []).n == 0


def test_it_holds_the_truth_as_often_as_it_says_where_strata_differ():
    """Risks from 5 to 40 %, twice as many of the risky ones on one side, no true difference."""
    random = np.random.default_rng(20260301)
    risks = np.linspace(0.05, 0.4, 8)
    trials, others = np.arange(20, 100, 10), np.arange(95, 15, -10)
    held = 0
    for _ in range(2000):
        hits, other_hits = random.binomial(trials, risks), random.binomial(others, risks)
        found = stratified_difference(hits, trials, other_hits, others)
        held += found.low <= 0 <= found.high
    assert 0.935 <= held / 2000 <= 0.965
