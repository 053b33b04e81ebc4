"""Intervals against published values, closed forms and scipy's own, slower ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dora.stats import (
    difference_interval,
    poisson_interval,
    poisson_ratio_interval,
    quantile_ranks,
    rate_difference_interval,
    wilson_interval,
)


def test_a_rate_of_nothing_in_ten_reaches_up_to_28_percent():
    low, high = wilson_interval(0, 10)
    assert (float(low), round(float(high), 4)) == (0.0, 0.2775)


def test_a_rate_matches_the_published_example():
    # Newcombe 1998 (one proportion), 81 of 263: 0.2553 to 0.3662
    low, high = wilson_interval(81, 263)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_rate_equals_scipys_wilson(hits: int, more: int):
    trials = hits + more
    expected = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    low, high = wilson_interval(hits, trials)
    assert float(low) == pytest.approx(expected.low, abs=1e-12)
    assert float(high) == pytest.approx(expected.high, abs=1e-12)


def test_all_of_all_ends_at_one_and_nothing_of_nothing_has_no_interval():
    low, high = wilson_interval([10, 0], [10, 0])
    assert high[0] == 1.0
    assert 0.7 < low[0] < 1
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_counts_match_the_published_exact_limits():
    # Garwood 1936, 95 %: 0 -> 0, 3.69; 1 -> 0.0253, 5.57; 10 -> 4.80, 18.39
    low, high = poisson_interval([0, 1, 10])
    assert np.round(low, 4).tolist() == [0.0, 0.0253, 4.7954]
    assert np.round(high, 4).tolist() == [3.6889, 5.5716, 18.3904]


@given(st.integers(1, 5000))
def test_counts_err_by_exactly_a_fortieth_at_either_end(count: int):
    low, high = poisson_interval(count)
    assert stats.poisson.sf(count - 1, float(low)) == pytest.approx(0.025, rel=1e-6)
    assert stats.poisson.cdf(count, float(high)) == pytest.approx(0.025, rel=1e-6)


def test_the_median_has_no_interval_below_six_values():
    low, high = quantile_ranks(np.arange(7))
    assert low.tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert high.tolist() == [0, 0, 0, 0, 0, 0, 6]


def test_the_medians_ranks_match_the_published_table():
    # Conover's table of the sign test at 95 %: the ranks are d + 1 and n - d
    sizes = [6, 8, 9, 10, 11, 12, 15, 20, 25, 30, 41, 50]
    low, high = quantile_ranks(sizes)
    assert low.tolist() == [1, 1, 2, 2, 2, 3, 4, 6, 8, 10, 14, 18]
    assert high.tolist() == [6, 8, 8, 9, 10, 10, 12, 15, 18, 21, 28, 33]


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.75, 0.9]))
def test_ranks_are_the_tightest_that_keep_the_level(n: int, quantile: float):
    low, high = (int(rank) for rank in quantile_ranks(n, quantile))
    below = stats.binom(n, quantile)
    if low == 0:
        assert max(below.pmf(0), below.pmf(n)) > 0.025
        return
    assert below.cdf(low - 1) <= 0.025 < below.cdf(low)
    assert below.sf(high - 1) <= 0.025 < below.sf(high - 2)


def test_ranks_stand_ten_million_values():
    low, high = quantile_ranks([10_000_000])
    # the normal approximation, exact to a rank or two at this size
    assert abs(int(low[0]) - (5_000_000 - 0.98 * 10_000_000**0.5)) < 2
    assert int(low[0]) + int(high[0]) == 10_000_001


def test_a_difference_of_rates_matches_newcombes_table():
    # Newcombe 1998 (two proportions), method 10: 56/70 - 48/80 and 9/10 - 3/10
    low, high = rate_difference_interval([56, 9, 10], [70, 10, 10], [48, 3, 0], [80, 10, 20])
    assert np.round(low, 4).tolist() == [0.0524, 0.1705, 0.6791]
    assert np.round(high, 4).tolist() == [0.3339, 0.8090, 1.0]


def test_a_difference_of_equal_symmetric_intervals_is_root_two_wider():
    low, high = difference_interval((10, 9, 11), (10, 9, 11))
    assert float(low) == pytest.approx(-(2**0.5))
    assert float(high) == pytest.approx(2**0.5)


def test_the_median_difference_keeps_its_level_on_skewed_durations():
    random = np.random.default_rng(7)
    ranks = quantile_ranks(20)
    now = np.sort(random.lognormal(1.0, 1.2, (4000, 20)), axis=1)
    before = np.sort(random.lognormal(1.5, 1.2, (4000, 20)), axis=1)
    low, high = difference_interval(*(_median(sample, ranks) for sample in (now, before)))
    truth = np.exp(1.0) - np.exp(1.5)
    assert ((low <= truth) & (truth <= high)).mean() >= 0.95


def _median(sample, ranks):
    low, high = (int(rank) - 1 for rank in ranks)
    return np.median(sample, axis=1), sample[:, low], sample[:, high]


def test_a_ratio_of_frequencies_follows_from_the_exact_binomial():
    low, high = poisson_ratio_interval(30, 90, 20, 90)
    share = stats.binomtest(30, 50).proportion_ci(method="exact")
    assert float(low) == pytest.approx(share.low / (1 - share.low))
    assert float(high) == pytest.approx(share.high / (1 - share.high))


def test_a_ratio_allows_for_unequal_time():
    once = poisson_ratio_interval(30, 90, 20, 90)
    half = poisson_ratio_interval(30, 90, 20, 45)
    assert [float(x) / 2 for x in once] == pytest.approx([float(x) for x in half])


def test_a_ratio_to_nothing_has_no_upper_end_and_nothing_to_nothing_no_interval():
    low, high = poisson_ratio_interval([5, 0, 0], 90, [0, 5, 0], 90)
    assert low[0] > 0
    assert np.isposinf(high[0])
    assert low[1] == 0
    assert high[1] < 1.5
    assert np.isnan(low[2])
    assert np.isnan(high[2])
