"""Chances, corrections and detectable sizes, against scipy, statsmodels and published tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_effectsize

from dora.stats import (
    detectable_frequencies,
    detectable_medians,
    detectable_rates,
    effective_size,
    frequencies_chance,
    holm,
    median_difference,
    median_interval,
    medians_chance,
    poisson_ratio_interval,
    rate_difference_interval,
    rates_chance,
)

COUNT = st.tuples(st.integers(0, 30), st.integers(1, 30)).map(lambda x: (min(x), max(x)))
CHANCES = st.lists(st.floats(1e-9, 1), min_size=1, max_size=6)


@given(CHANCES)
def test_holm_is_that_of_statsmodels(chances):
    assert holm(chances) == pytest.approx(multipletests(chances, method="holm")[1])


def test_what_was_not_compared_does_not_count():
    assert holm([0.01, None, 0.04]) == pytest.approx([0.02, None, 0.04])
    assert holm([]) == []
    assert holm([None]) == [None]


@given(COUNT, COUNT)
def test_the_chance_of_rates_is_where_newcombes_interval_ends_at_zero(now, before):
    chance = rates_chance(now, before)
    if not 1e-9 < chance < 0.999:
        return
    low, high = confint_proportions_2indep(*now, *before, method="newcomb", alpha=chance)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 90), st.integers(1, 90))
def test_the_chance_of_frequencies_is_that_of_the_exact_binomial(k, m, days, days_before):
    if k + m == 0:
        return
    share = days / (days + days_before)
    tails = [
        stats.binomtest(k, k + m, share, alternative=side).pvalue for side in ("less", "greater")
    ]
    assert frequencies_chance((k, days), (m, days_before)) == pytest.approx(
        min(1, 2 * min(tails)), abs=1e-9
    )


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.5, 0.99))
def test_chances_go_with_intervals(k, m, level):
    if k + m == 0:
        return
    low, high = poisson_ratio_interval(k, 90, m, 90, level=level)
    chance = frequencies_chance((k, 90), (m, 90))
    if abs(chance - (1 - level)) > 1e-9:
        assert (chance < 1 - level) == bool(low > 1 or high < 1)


def test_a_median_interval_is_the_published_one():
    # Conover, Practical Nonparametric Statistics: for 20 values the 6th and the 15th
    assert median_interval(np.arange(1.0, 21)) == (10.5, 6, 15)
    assert median_interval(np.arange(5.0)) is None


def test_chances_of_medians_go_with_their_intervals():
    random = np.random.default_rng(2)
    for size in (6, 9, 20, 51):
        now, before = np.sort(random.lognormal(3, 1, size)), np.sort(random.lognormal(4, 1, size))
        chance = medians_chance(now, before)
        for level in (0.5, 0.8, 0.9, 0.95, 0.99):
            low, high = median_difference(now, before, level=level)
            if abs(chance - (1 - level)) > 1e-6:
                assert (chance < 1 - level) == (low > 0 or high < 0)


def test_too_few_values_bear_no_difference():
    few, many = np.arange(4.0), np.arange(100.0, 140)
    assert median_difference(few, many) == (-np.inf, np.inf)
    assert medians_chance(few, many) > 0.05


def test_values_of_groups_that_are_alike_are_worth_fewer():
    # by hand: of 6, two thirds lie at or below the median; their surplus in the groups is 2/3,
    # 2/3 and −4/3, so the variance is 3/2 × 24/9 = 4 where single values have 6 × 2/9 = 4/3
    assert effective_size(
        np.array([1.0, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 1, 2, 2])
    ) == pytest.approx(2)
    assert effective_size(np.array([1.0, 2, 3]), np.array([0, 1, 2])) == 3
    assert effective_size(np.array([1.0, 2, 3]), np.array([0, 0, 0])) == 1
    assert effective_size(np.array([2.0, 2, 2, 2]), np.array([0, 0, 1, 1])) == 4
    assert effective_size(np.zeros(0), np.zeros(0, np.int64)) == 0


def test_groups_of_one_kind_in_the_long_run_are_worth_their_number():
    # Kish: n / (1 + (m − 1) ρ), with ρ = 2/π asin(r) for medians of normals that correlate by r
    random = np.random.default_rng(4)
    found = [
        effective_size(
            (random.normal(size=(200, 1)) + random.normal(size=(200, 5))).ravel(),
            np.repeat(np.arange(200), 5),
        )
        for _ in range(200)
    ]
    expected = 1000 / (1 + 4 * (2 / np.pi) * np.arcsin(0.5))
    assert np.mean(found) == pytest.approx(expected, rel=0.03)


def test_fewer_independent_values_widen_the_interval():
    values = np.arange(1.0, 101)
    plain, alike = median_interval(values), median_interval(values, size=25.0)
    # Conover: the 8th and the 18th of 25, so the shares 7.5/25 and 17.5/25 of a hundred
    assert alike == (50.5, 30, 71)
    assert plain[1] > alike[1]
    assert median_interval(values, size=5.9) is None
    assert median_interval(values, size=1e9) == plain


def test_detectable_rates_are_cohens_where_counts_are_large():
    # Cohen 1988, table 6.4.1: h = 0.50 needs 63 a group for a power of 0.80 at 5 %, two-sided
    fall, rise = detectable_rates(0.5, 63, 63)
    for rate in (0.5 + fall, 0.5 + rise):
        assert abs(proportion_effectsize(rate, 0.5)) == pytest.approx(0.5, abs=0.01)
    # and by statsmodels for unequal groups
    _, rise = detectable_rates(0.1, 400, 900)
    size = proportion_effectsize(0.1 + rise, 0.1)
    power = NormalIndPower().power(size, 400, 0.05, ratio=900 / 400)
    assert power == pytest.approx(0.8, abs=0.02)


def power(rate, trials, before, trials_before):
    """How often Newcombe's interval shows a change, summed over all that can come up."""
    now, then = np.arange(trials + 1)[:, None], np.arange(trials_before + 1)[None, :]
    low, high = rate_difference_interval(now, trials, then, trials_before)
    shows = (low > 0) if rate > before else (high < 0)
    chance_now = stats.binom.pmf(now[:, 0], trials, rate)
    return chance_now @ shows @ stats.binom.pmf(then[0], trials_before, before)


@pytest.mark.parametrize("trials", [(10, 10), (20, 20), (63, 63), (30, 100), (60, 500)])
@pytest.mark.parametrize("rate", [0.02, 0.065, 0.1, 0.2, 0.5])
def test_a_detectable_rate_is_found_four_times_in_five(trials, rate):
    now, before = trials
    fall, rise = detectable_rates(rate, now, before)
    for step in (fall, rise):
        if step is not None:
            assert power(rate + step, now, rate, before) == pytest.approx(0.8, abs=1e-6)
    if fall is None:
        assert power(0.0, now, rate, before) < 0.8
    if rise is None:
        assert power(1.0, now, rate, before) < 0.8


def test_where_even_nothing_would_not_have_shown_there_is_no_detectable_fall():
    fall, rise = detectable_rates(0.05, 20, 20)
    assert fall is None
    assert rise > 0.2
    assert detectable_frequencies((0, 90), 90) == (None, None)
    assert detectable_frequencies((3, 90), 90)[0] is None


@pytest.mark.parametrize("days", [(90, 90), (90, 30), (30, 90)])
@pytest.mark.parametrize("events", [5, 8, 15, 100])
def test_a_detectable_frequency_is_found_four_times_in_five(events, days):
    before, now = days
    usual = events * now / before
    counts, counts_before = np.arange(600)[:, None], np.arange(300)[None, :]
    low, high = poisson_ratio_interval(counts, now, counts_before, before)
    known = stats.poisson.pmf(counts_before[0], events)
    for ratio in detectable_frequencies((events, before), now):
        if ratio is not None:
            shows = (low > 1) if ratio > 1 else (high < 1)
            found = stats.poisson.pmf(counts[:, 0], usual * ratio) @ shows @ known
            assert found == pytest.approx(0.8, abs=1e-6)
    if detectable_frequencies((events, before), now)[0] is None:
        assert (high < 1)[0] @ known < 0.8  # not even standing still


def test_a_detectable_median_follows_the_spread():
    values = np.sort(np.random.default_rng(1).lognormal(9, 1, 60))
    fall, rise = detectable_medians(values, values)
    middle = np.median(values)
    assert -middle < fall < 0 < rise
    assert (middle + rise) / middle == pytest.approx(middle / (middle + fall))
    assert detectable_medians(values[:4], values) is None
    assert detectable_medians(np.zeros(9), np.zeros(9)) == (0, 0)
