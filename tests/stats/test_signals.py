"""Limits, patterns, change points and trends, against published series, closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.datasets import nile

from dora.stats import change_points, g_chart, laney_p, laney_u, spread, t_chart, theil_sen, x_mr

RARE = stats.norm.sf(3)
SERIES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)
COUNTS = st.lists(st.integers(0, 40), min_size=2, max_size=30)


def test_individual_limits_are_the_published_ones():
    # NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rates of ten batches
    rates = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    chart = x_mr(rates)
    assert chart.centre[0] == pytest.approx(50.81)
    assert chart.upper[0] == pytest.approx(55.8041, abs=0.002)  # with d2 rounded to 1.128
    assert chart.lower[0] == pytest.approx(45.8159, abs=0.002)
    assert not chart.signals.any()
    assert chart.moving[1:4] == pytest.approx([2.0, 2.3, 1.4])
    assert chart.moving_upper[1] == pytest.approx(3.267 * 16.9 / 9, rel=1e-3)


def test_a_point_beyond_the_limits_is_a_signal():
    calm = [10.0, 11, 10, 9, 10, 11, 10, 9, 10, 11]
    assert x_mr([*calm, 30.0]).signals.tolist() == [0] * 10 + [1]
    assert x_mr([*calm, -10.0]).signals.tolist() == [0] * 10 + [-1]


def test_limits_are_wider_where_few_records_are_behind_a_point():
    values = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1.2, 1.0, 0.7, 1.4, 1.0])
    behind = np.array([50, 4, 50, 50, 4, 50, 50, 4, 4, 50])
    chart = x_mr(values, behind)
    width = chart.upper - chart.centre
    assert width[1] > 2 * width[0]


def test_equal_numbers_behind_every_point_change_nothing():
    values = [1.0, 1.3, 0.8, 1.1, 0.9, 1.2]
    assert x_mr(values, [7] * 6).upper == pytest.approx(x_mr(values).upper)


def test_levels_have_limits_of_their_own():
    low, high = [1.0, 1.2, 0.9, 1.1], [5.0, 5.4, 4.7, 5.1]
    chart = x_mr(low + high, starts=(0, 4))
    assert chart.centre.tolist() == pytest.approx([1.05] * 4 + [5.05] * 4)
    assert chart.upper[4:] == pytest.approx(x_mr(high).upper)
    assert np.isnan(chart.moving[4])


def test_patterns_are_hints_at_the_point_that_completes_them():
    wave = [0.0, 2, 0, 2, 0, 2, 0, 2]
    run = x_mr([*wave, 1.5, 1.9, 1.5, 1.9, 1.5, 1.9, 1.5, 1.9])
    assert "run" in run.hints[-1]
    assert "run" not in run.hints[len(wave) + 5]
    rise = x_mr([*wave, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1])
    assert "rise" in rise.hints[-1]
    assert "rise" not in rise.hints[-2]
    fall = x_mr([*wave, 1.9, 1.7, 1.5, 1.3, 1.1, 0.9])
    assert "fall" in fall.hints[-1]
    jump = x_mr([*([0.0, 0.2] * 8), 2.0])
    assert "jump" in jump.hints[-1]


def test_for_many_trials_the_limits_are_laneys():
    # p ± 3 σz sqrt(p(1−p)/n) with σz the mean moving range of the z-scores over 1.128
    hits = np.array([9960, 10150, 10020, 9890, 10130, 9990, 10160, 9940, 10060, 9930])
    trials = np.full(10, 100_000)
    share = hits.sum() / trials.sum()
    error = np.sqrt(share * (1 - share) / 100_000)
    sigma = np.abs(np.diff((hits / trials - share) / error)).mean() / 1.128
    assert sigma > 1
    chart = laney_p(hits, trials)
    assert chart.centre[0] == pytest.approx(share)
    # the beta-binomial leans to the right, so its limits both stand a little higher
    for limit, expected in (
        (chart.upper[0], 3 * sigma * error),
        (chart.lower[0], -3 * sigma * error),
    ):
        assert limit - share == pytest.approx(expected, rel=0.05)


def test_for_few_trials_the_limits_are_quantiles():
    hits, trials = (
        np.array([1, 0, 2, 1, 0, 1, 0, 1, 1, 0]),
        np.array([8, 6, 9, 8, 7, 8, 5, 9, 8, 7]),
    )
    share = hits.sum() / trials.sum()
    chart = laney_p(hits, trials)
    for limit, n in zip(chart.upper * trials, trials, strict=True):
        assert stats.binom.sf(limit, n, share) < RARE <= stats.binom.sf(limit - 1, n, share)
    assert np.isnan(chart.lower).all()  # even a week without a failure is nothing unusual


def test_counts_have_quantiles_of_the_poisson_distribution():
    counts = [9, 12, 10, 11, 8, 10, 12, 9, 11, 10]
    chart = laney_u(counts)
    upper, lower = chart.upper[0], chart.lower[0]
    assert stats.poisson.sf(upper, 10.2) < RARE <= stats.poisson.sf(upper - 1, 10.2)
    assert stats.poisson.cdf(lower - 1, 10.2) < RARE <= stats.poisson.cdf(lower, 10.2)
    assert laney_u([*counts * 3, 40]).signals[-1] == 1


def test_counts_that_vary_more_have_quantiles_of_the_negative_binomial():
    counts = np.array([2, 30, 9, 25, 4, 28, 10, 31, 3, 22])
    mean = counts.mean()

    def restless(excess):  # moving ranges of normal scores, against those of normal values
        known = stats.nbinom(mean / (excess - 1), 1 / excess)
        middle = (known.cdf(counts) + known.cdf(counts - 1)) / 2
        return np.abs(np.diff(stats.norm.ppf(middle))).mean() - 2 / np.pi**0.5

    excess = optimize.brentq(restless, 1.01, 1000)
    known = stats.nbinom(mean / (excess - 1), 1 / excess)
    upper = laney_u(counts).upper[0]
    assert known.sf(upper) < RARE <= known.sf(upper - 1)


def test_longer_periods_may_have_more():
    chart = laney_u([28, 31, 30, 31], exposure=[28, 31, 30, 31])
    assert chart.centre == pytest.approx([1.0] * 4)
    assert chart.upper[0] > chart.upper[1]  # as a rate, a shorter period varies more


def test_gaps_between_failures_have_quantiles_of_the_geometric_distribution():
    chart = g_chart([3, 12, 30, 0, 140], 0.05)
    before_failure = stats.geom(0.05, loc=-1)  # how many go well before the first failure
    upper = chart.upper[0]
    assert before_failure.sf(upper) < RARE <= before_failure.sf(upper - 1)
    assert chart.signals.tolist() == [0, 0, 0, 0, 1]
    assert np.isnan(chart.lower).all()


def test_times_between_events_are_charted_by_nelsons_power():
    times = np.array([4.0, 9, 2, 11, 6, 3, 14, 5, 8, 1])
    near_normal = times ** (1 / 3.6)
    spread_of_steps = np.abs(np.diff(near_normal)).mean()
    expected = (near_normal.mean() + 3 / 1.128 * spread_of_steps) ** 3.6
    assert t_chart(times).upper[0] == pytest.approx(expected, rel=1e-3)
    assert t_chart([*times, 400.0]).signals[-1] == 1


def test_the_nile_changed_in_1898():
    # Cobb, Biometrika 1978: the annual flow at Aswan fell after 1898
    flow = nile.load_pandas().data
    (found,) = change_points(flow["volume"])
    assert flow["year"][found.place] == 1899
    assert flow["year"][found.earliest] >= 1895
    assert flow["year"][found.latest] <= 1903
    assert found.before == pytest.approx(flow["volume"][:28].mean())
    assert found.after == pytest.approx(flow["volume"][28:].mean())


def cheapest(values, behind):
    """The cheapest cut of a series, by trying all that dynamic programming needs to."""
    found = spread(np.asarray(values, float), behind)
    weights = 1 / found.deviations**2

    def cost(start, end):
        part, weight = values[start:end], weights[start:end]
        return float((weight * (part - np.average(part, weights=weight)) ** 2).sum())

    best = {0: (-3 * np.log(len(values)), ())}
    for end in range(4, len(values) + 1):
        options = [
            (best[start][0] + cost(start, end) + 3 * np.log(len(values)), (*best[start][1], end))
            for start in best
            if end - start >= 4
        ]
        best[end] = min(options)
    return list(best[len(values)][1][:-1])


@pytest.mark.parametrize("seed", range(12))
def test_change_points_cut_the_series_as_cheaply_as_can_be(seed):
    random = np.random.default_rng(seed)
    behind = random.integers(1, 20, 30)
    values = random.normal(size=30) / np.sqrt(behind) + np.repeat([0, seed % 4, 0], 10)
    assert [found.place for found in change_points(values, behind)] == cheapest(values, behind)


def test_a_change_is_dated_by_a_range_that_holds_it():
    random = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        series = random.normal(size=26) + np.repeat([0.0, 2.5], 13)
        points = change_points(series)
        held += any(p.earliest <= 13 <= p.latest for p in points)
    assert held >= 180


def test_a_steady_series_has_no_change_point():
    assert change_points([1.0] * 20) == ()
    assert change_points([1.0, 2.0, 1.0]) == ()


def test_a_trend_is_the_median_slope_and_kendalls_count():
    values = np.array([1.0, 3, 2, 5, 4, 7, 6, 9, 30])
    slopes = [(values[j] - values[i]) / (j - i) for i in range(9) for j in range(i + 1, 9)]
    found = theil_sen(values)
    assert found.slope == pytest.approx(np.median(slopes))
    assert found.direction == 1
    # of 9! orders one rises throughout and one falls throughout
    assert theil_sen(np.arange(9.0)).chance == pytest.approx(2 / 362880)
    assert theil_sen(-np.arange(9.0)).direction == -1


def test_below_eight_points_there_is_no_trend():
    assert theil_sen(np.arange(7.0)) is None
    flat = theil_sen([2.0] * 8)
    assert (flat.slope, flat.chance, flat.direction) == (0, 1, 0)


@given(SERIES)
def test_any_series_has_a_chart_without_a_nan(values):
    chart = x_mr(values)
    for part in (chart.centre, chart.lower, chart.upper, chart.moving[1:], chart.moving_upper[1:]):
        assert np.isfinite(part).all()
    if np.ptp(values) == 0:
        assert not chart.signals.any()


@given(COUNTS)
def test_any_counts_have_limits_that_hold_what_is_no_signal(counts):
    for chart in (laney_u(counts), laney_p(counts, [max(counts) + 1] * len(counts))):
        assert np.isfinite(chart.centre).all()
        beyond = (chart.values > chart.upper) | (chart.values < chart.lower)
        assert (beyond == (chart.signals != 0)).all()


@given(st.lists(st.floats(-1e3, 1e3), max_size=30), st.integers(1, 9))
def test_change_points_stand_apart_and_within_their_ranges(values, records):
    behind = [1 + (i * records) % 7 for i in range(len(values))]
    places = [0, *(p.place for p in change_points(values, behind)), len(values)]
    assert len(places) == 2 or np.diff(places).min() >= 4
    assert all(p.earliest <= p.place <= p.latest for p in change_points(values, behind))
