"""Waiting times with unfinished work, against published curves, scipy and statsmodels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

from dora.stats import cumulative_incidence, kaplan_meier, log_rank

# Freireich et al., Blood 1963: weeks in remission on 6-MP and on placebo, as in Kleinbaum and
# Klein, Survival Analysis, table 1.1
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Miller, Survival Analysis 1981: maintenance in acute myelogenous leukaemia, R's `aml`
MAINTAINED = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
UNMAINTAINED = ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1] * 5 + [0] + [1] * 6)

SPELLS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=40)


def test_the_curve_is_the_published_one():
    # Kleinbaum and Klein, Survival Analysis, table 2.1
    curve = kaplan_meier(TREATED, RELAPSED)
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert np.round(1 - curve.over, 4).tolist() == [
        0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482,
    ]  # fmt: skip
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.median.value == 23
    assert (curve.n, curve.ended, len(curve.waiting)) == (21, 9, 12)


def test_medians_and_their_intervals_are_those_of_r():
    # R: survfit(Surv(time, status) ~ x, aml, conf.type = "log-log")
    first, second = kaplan_meier(*MAINTAINED).median, kaplan_meier(*UNMAINTAINED).median
    assert (first.value, first.low, first.high) == (31, 13, None)
    assert (second.value, second.low, second.high) == (23, 5, 33)


def test_log_rank_tests_are_the_published_ones():
    # Kleinbaum and Klein: chi-square 16.793; R's survdiff on aml: 3.4, p = 0.0653
    found = log_rank((TREATED, RELAPSED), (PLACEBO, [1] * 21))
    assert found.statistic**2 == pytest.approx(16.793, abs=0.001)
    assert found.statistic < 0  # longer in remission: the first is slower to end
    assert log_rank(MAINTAINED, UNMAINTAINED).chance == pytest.approx(0.0653, abs=5e-5)


@given(SPELLS, SPELLS)
def test_log_rank_is_that_of_statsmodels(one, other):
    groups = [([t for t, _ in spells], [s == 1 for _, s in spells]) for spells in (one, other)]
    found = log_rank(*groups)
    if found.chance is None:
        return
    times = np.concatenate([np.asarray(t, float) for t, _ in groups])
    over = np.concatenate([np.asarray(o, float) for _, o in groups])
    chi2, chance = survdiff(times, over, np.repeat([0, 1], [len(one), len(other)]))
    assert found.statistic**2 == pytest.approx(chi2, abs=1e-9)
    assert found.chance == pytest.approx(chance, abs=1e-9)


@given(SPELLS)
def test_the_curve_and_its_band_are_scipys(spells):
    times = np.array([t for t, _ in spells], float)
    over = np.array([s == 1 for _, s in spells], bool)
    curve = kaplan_meier(times, over)
    if not over.any():
        assert curve.median.value is None
        return
    known = scipy_stats.ecdf(scipy_stats.CensoredData(times[over], right=times[~over])).sf
    assert known.evaluate(curve.times) == pytest.approx(1 - curve.over, abs=1e-12)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        band = known.confidence_interval(method="log-log")
    inside = curve.over < 1  # at the end scipy has no interval
    assert band.low.evaluate(curve.times)[inside] == pytest.approx(1 - curve.high[inside])
    assert band.high.evaluate(curve.times)[inside] == pytest.approx(1 - curve.low[inside])


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@given(SPELLS, st.sampled_from([0.25, 0.5, 0.9]))
def test_quantile_intervals_are_those_of_statsmodels(spells, share):
    times = np.array([t for t, _ in spells], float)
    over = np.array([s == 1 for _, s in spells], float)
    curve = kaplan_meier(times, over)
    if not over.any() or (len(curve.over) and curve.over[-1] == 1):
        return  # where everything is over statsmodels' last step has no interval
    expected = SurvfuncRight(times, over).quantile_ci(share, method="cloglog")
    if np.isnan(expected).any():
        return  # a single step over the whole interval: statsmodels sees none of it
    found = curve.quantile(share)
    ends = [float("inf") if end is None else end for end in (found.low, found.high)]
    assert ends == [float(end) for end in expected]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_with_nothing_waiting_the_median_is_the_plain_one(times):
    assert kaplan_meier(times, [True] * len(times)).median.value == pytest.approx(np.median(times))


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@given(SPELLS)
def test_what_is_given_up_competes_as_in_statsmodels(spells):
    times = np.array([t for t, _ in spells], float)
    outcomes = np.array([s for _, s in spells], int)
    curve = cumulative_incidence(times, outcomes)
    if not (outcomes == 1).any() or not (outcomes == 2).any():
        return
    known = CumIncidenceRight(times, outcomes)
    at = np.isin(known.times, curve.times)
    assert known.cinc[0][at] == pytest.approx(curve.over, abs=1e-12)
    error = known.cinc_se[0][at]
    usable = np.isfinite(error) & (curve.over < 1 - 1e-9)
    left = 1 - curve.over[usable]
    width = 1.959964 * error[usable] / (left * np.abs(np.log(left)))
    assert curve.low[usable] == pytest.approx(1 - left ** np.exp(-width), abs=1e-6)
    assert curve.high[usable] == pytest.approx(1 - left ** np.exp(width), abs=1e-6)


def test_what_is_given_up_is_never_over():
    # by hand: of 4, one over at 1, one given up at 2, one over at 3, one waiting at 4
    curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 0])
    assert curve.over == pytest.approx([0.25, 0.5])  # 1/4, then 1/4 + (1/2 still there) × 1/2
    as_if_waiting = kaplan_meier([1, 2, 3, 4], [1, 0, 1, 0])
    assert as_if_waiting.over == pytest.approx([0.25, 0.625])  # pretends the second may yet come


def test_a_median_may_not_be_reached():
    found = kaplan_meier([1, 2, 9, 9, 9, 9], [1, 1, 0, 0, 0, 0]).median
    assert (found.value, found.high) == (None, None)
    # by hand: at 1 the band of 1/6 reaches 1 − (5/6)^exp(1.96 × sqrt(1/30) / −ln(5/6)) = 0.73
    assert found.low == 1


@given(SPELLS)
def test_nothing_is_no_number_or_out_of_order(spells):
    curve = cumulative_incidence([t for t, _ in spells], [s for _, s in spells])
    assert ((curve.low >= 0) & (curve.low <= curve.over + 1e-12)).all()
    assert ((curve.over <= curve.high + 1e-12) & (curve.high <= 1)).all()
    for share in (0.1, 0.5, 0.9):
        found = curve.quantile(share)
        if found.value is not None:
            assert found.low is not None
            assert found.low <= found.value
            assert found.high is None or found.value <= found.high
    low, high = curve.at(-1)[1:]
    assert (low, high) == (0, 0)


def test_negative_or_missing_times_are_refused():
    with pytest.raises(ValueError, match="negative"):
        kaplan_meier([-1], [1])
    with pytest.raises(ValueError, match="negative"):
        kaplan_meier([float("nan")], [1])
    with pytest.raises(ValueError, match="equally many"):
        kaplan_meier([1, 2], [1])
