"""Roll-ups against published data, hand-worked cases and other methods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dora.stats import rate_difference_interval
from dora.stats.funnel import funnel_limits, shrink
from dora.stats.rollup import kitagawa, split_median, standardise, weighted_median

# Deaths per 1,000 in the United States by race and age, 1970 and 1985, with the population in
# thousands: Das Gupta, "Standardization and Decomposition of Rates: A User's Manual" (U.S. Bureau
# of the Census, P23-186, 1993), example 5.3. Its rate-standardised rates are 10.258 and 8.030, its
# age- and race-standardised ones 8.385 to 9.907 and 9.136 to 9.156.
PEOPLE_1985 = [3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472,
               707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236]  # fmt: skip
PEOPLE_1970 = [2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315,
               535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117]  # fmt: skip
DEATHS_1985 = [9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570,
               17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276,
               125.161]  # fmt: skip
DEATHS_1970 = [18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837,
               36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902,
               123.205]  # fmt: skip


def test_rate_and_mix_of_american_deaths_are_as_published():
    now, before = np.array(PEOPLE_1985), np.array(PEOPLE_1970)
    found = kitagawa(
        np.array(DEATHS_1985) / 1000 * now, now, np.array(DEATHS_1970) / 1000 * before, before
    )
    assert 1000 * found.rate == pytest.approx(8.030 - 10.258, abs=2e-3)
    assert 1000 * found.mix == pytest.approx(9.907 - 8.385 + 9.156 - 9.136, abs=3e-3)


# Admissions to Berkeley's six largest departments, autumn 1973 (Bickel, Hammel and O'Connell,
# Science 1975; the counts as in Freedman, Pisani and Purves, Statistics, chapter 2).
MEN, MEN_ADMITTED = [825, 560, 325, 417, 191, 373], [512, 353, 120, 138, 53, 22]
WOMEN, WOMEN_ADMITTED = [108, 25, 593, 375, 393, 341], [89, 17, 202, 131, 94, 24]


def test_berkeleys_admissions_reverse_their_sign():
    found = kitagawa(WOMEN_ADMITTED, WOMEN, MEN_ADMITTED, MEN)
    assert found.change == pytest.approx(557 / 1835 - 1198 / 2691)  # 30 % against 45 %
    assert found.rate > 0  # within departments women were admitted more often
    assert found.mix < 0  # and applied to those that admit few
    assert found.reverses
    assert not kitagawa(MEN_ADMITTED, MEN, MEN_ADMITTED, MEN).reverses


def test_berkeleys_standardised_rates_are_as_published():
    # Freedman, Pisani and Purves: weighed by all applicants, 39 % of the men and 43 % of the women
    everybody = np.array(MEN) + np.array(WOMEN)
    men = standardise(MEN_ADMITTED, MEN, everybody)
    women = standardise(WOMEN_ADMITTED, WOMEN, everybody)
    assert (round(100 * men.value), round(100 * women.value)) == (39, 43)
    assert men.missing == women.missing == 0
    assert women.low < women.value < women.high


# Two teams, each better than before, and worse together: 2 of 100 and 30 of 100 are 2 and 30 %,
# together 16 %; 1 of 60 and 109 of 400 are 1.7 and 27 %, together 23.9 %. In the old mix, half and
# half, the new rates make (1.667 + 27.25) / 2 = 14.46 %.
#   average shares: (0.5 + 60/460) / 2 = 0.31522 and 0.68478
#   rate: 0.31522 * (1/60 - 0.02) + 0.68478 * (0.2725 - 0.30) = -0.001051 - 0.018831 = -0.019882
#   and the mix the rest of 110/460 - 0.16 = 0.079130, which is 0.099013
TEAMS = ([1, 109], [60, 400], [2, 30], [100, 100])


def test_both_teams_improve_and_the_total_worsens():
    found = kitagawa(*TEAMS)
    assert found.change == pytest.approx(110 / 460 - 0.16)
    assert found.rate == pytest.approx(-0.019882, abs=1e-6)
    assert found.mix == pytest.approx(0.099013, abs=1e-6)
    assert found.rates == pytest.approx([-0.001051, -0.018831], abs=1e-6)
    assert found.mixes.sum() == pytest.approx(found.mix)
    assert found.reverses
    assert not found.certain  # 30 and 27 % of some hundred may be the same
    old_mix = standardise([1, 109], [60, 400], [100, 100])
    assert old_mix.value == pytest.approx(0.144583, abs=1e-6)


def test_the_split_is_the_mean_of_standardising_from_either_side():
    hits, trials, hits_before, trials_before = TEAMS
    found = kitagawa(*TEAMS)
    now_as_before = standardise(hits, trials, trials_before).value - 0.16
    before_as_now = 110 / 460 - standardise(hits_before, trials_before, trials).value
    assert found.rate == pytest.approx((now_as_before + before_as_now) / 2)


def test_a_group_that_comes_or_goes_is_all_mix():
    # one group at 10 % throughout, and another at 50 % that is new
    found = kitagawa([10, 50], [100, 100], [10, 0], [100, 0])
    assert (found.change, found.rate, found.mix) == pytest.approx((0.2, 0.0, 0.2))
    gone = kitagawa([10, 0], [100, 0], [10, 50], [100, 100])
    assert (gone.change, gone.rate, gone.mix) == pytest.approx((-0.2, 0.0, -0.2))


def test_with_one_group_the_interval_is_newcombes():
    found = kitagawa([56], [70], [48], [80])
    low, high = rate_difference_interval(56, 70, 48, 80)
    assert (found.low, found.high) == pytest.approx((float(low), float(high)))
    assert found.certain
    assert found.mix == pytest.approx(0)


def test_the_interval_of_the_rate_effect_keeps_its_level():
    random = np.random.default_rng(11)
    p, q = np.array([0.05, 0.2, 0.5]), np.array([0.08, 0.15, 0.5])
    n, m = np.array([60, 40, 20]), np.array([30, 60, 30])
    truth = ((n / n.sum() + m / m.sum()) / 2) @ (p - q)
    held = 0
    for _ in range(2000):
        found = kitagawa(random.binomial(n, p), n, random.binomial(m, q), m)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 2000 <= 0.98


counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=6)


@given(counts, counts)
def test_whatever_the_groups_the_parts_add_up_and_nothing_is_made_up(now, before):
    size = min(len(now), len(before))
    hits, trials = (np.array(x[:size]) for x in zip(*((min(a, b), b) for a, b in now), strict=True))
    was, of = (np.array(x[:size]) for x in zip(*((min(a, b), b) for a, b in before), strict=True))
    found = kitagawa(hits, trials, was, of)
    if not trials.sum() or not of.sum():
        assert np.isnan([found.change, found.rate, found.mix, found.low, found.high]).all()
        assert (found.reverses, found.certain) == (False, False)
        return
    assert found.change == pytest.approx(hits.sum() / trials.sum() - was.sum() / of.sum())
    assert found.rates.sum() == pytest.approx(found.rate)
    assert found.mixes.sum() == pytest.approx(found.mix)
    back = kitagawa(was, of, hits, trials)
    assert (back.rate, back.mix) == pytest.approx((-found.rate, -found.mix))
    assert np.isnan(found.low) == (not ((trials > 0) & (of > 0)).any())


def test_standardising_says_how_much_of_the_mix_it_cannot_weigh():
    found = standardise([5, 0], [50, 0], [30, 10])
    assert (found.value, found.missing) == pytest.approx((0.1, 0.25))
    assert np.isnan(standardise([0], [0], [3]).value)
    assert np.isnan(standardise([1], [2], [0]).value)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.floats(0.1, 10))
def test_a_weighted_median_of_equal_weights_is_the_usual_one(values, weight):
    found = weighted_median(values, np.full(len(values), weight))
    assert found == pytest.approx(np.median(values))


def test_a_weighted_median_by_hand():
    # six records of weight 3 in place of 18, beside 18 of 1/3 in place of 6: the middle of the
    # weight, 12, lies half-way between the middles of the 4th and the 5th, 10.5 and 13.5
    values, weights = [1, 2, 3, 4, 5, 6, *[100] * 18], [3.0] * 6 + [1 / 3] * 18
    assert weighted_median(values, weights) == pytest.approx(4.5)
    assert weighted_median([1, 2, 3], [1, 0, 1]) == 2  # between what is left, 1 and 3
    assert np.isnan(weighted_median([], []))


# A quick group (1 to 5 hours) and a slow one (100 to 104 hours), neither of which changes; 3 in 4
# were quick before, 1 in 4 is now.
def test_a_median_that_only_the_mix_moved_is_all_mix():
    quick, slow = [1.0, 2, 3, 4, 5], [100.0, 101, 102, 103, 104]
    before = quick * 3 + slow, [0] * 15 + [1] * 5
    now = quick + slow * 3, [0] * 5 + [1] * 15
    found = split_median(*now, *before)
    assert found.change > 90
    assert found.rate == pytest.approx(0, abs=1)
    assert found.mix == pytest.approx(found.change, abs=1)
    assert (np.isnan(found.low), found.certain) == (True, False)


def test_a_median_that_all_groups_moved_is_no_mix():
    before = [1.0, 2, 3, 10, 20, 30], [0, 0, 0, 1, 1, 1]
    now = [2.0, 4, 6, 20, 40, 60], [0, 0, 0, 1, 1, 1]
    found = split_median(*now, *before)
    assert found.mix == pytest.approx(0)
    assert found.rate == found.change == pytest.approx(13 - 6.5)


def test_medians_reverse_too():
    # each group is an hour quicker; the slow one has become three in four
    before = [5.0, 6, 7, 8, 9, 10] * 3 + [50.0, 52, 54, 56, 58, 60], [0] * 18 + [1] * 6
    now = [4.0, 5, 6, 7, 8, 9] + [49.0, 51, 53, 55, 57, 59] * 3, [0] * 6 + [1] * 18
    found = split_median(*now, *before)
    assert found.change > 0 > found.rate
    assert found.reverses


def test_medians_of_nothing_split_into_nothing():
    found = split_median([], [], [1.0], [0])
    assert np.isnan([found.change, found.rate, found.mix]).all()
    assert not found.reverses


records = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 4)), max_size=12)


@given(records, records)
def test_whatever_the_records_the_parts_of_a_median_add_up(now, before):
    sides = [([value for value, _ in side], [group for _, group in side]) for side in (now, before)]
    found = split_median(*sides[0], *sides[1])
    if not now or not before:
        assert np.isnan([found.change, found.rate, found.mix]).all()
        return
    assert found.change == np.median(sides[0][0]) - np.median(sides[1][0])
    assert found.rate + found.mix == pytest.approx(found.change)
    back = split_median(*sides[1], *sides[0])
    assert (back.rate, back.mix) == pytest.approx((-found.rate, -found.mix))
    if len({group for _, group in (*now, *before)}) == 1:
        assert found.mix == pytest.approx(0)


def test_the_interval_of_a_standardised_rate_keeps_its_level():
    random = np.random.default_rng(3)
    p, n, weights = np.array([0.05, 0.3]), np.array([40, 40]), np.array([30, 10])
    truth = weights @ p / weights.sum()
    found = [standardise(random.binomial(n, p), n, weights) for _ in range(2000)]
    assert 0.93 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98


# Funnel limits
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=5), st.floats(0, 1),
       st.sampled_from([0.95, 0.998]))  # fmt: skip
def test_funnel_limits_are_the_tightest_that_keep_the_level(trials, share, level):
    low, high = funnel_limits(trials, share, level=level)
    tail = (1 - level) / 2
    for n, least, most in zip(trials, low, high, strict=True):
        binomial = stats.binom(n, share)
        assert binomial.cdf(least - 1) <= tail + 1e-12  # below it: rare enough
        assert least == n or binomial.cdf(least) > tail - 1e-12  # one more would not be
        assert binomial.sf(most) <= tail + 1e-12
        assert most == 0 or binomial.sf(most - 1) > tail - 1e-12


def test_funnel_limits_by_hand():
    # 10 trials at one half: P(0 or 1) = 11/1024 = 1.1 %, P(0 to 2) = 56/1024 = 5.5 %
    low, high = funnel_limits([10, 0], 0.5)
    assert (low.tolist(), high.tolist()) == ([2, 0], [8, 0])


# Partial pooling
def test_partial_pooling_by_hand():
    # 1 of 10, 5 of 10, 30 of 100: pooled 36/120 = 0.3, spread 0.21
    #   seen 10 * 0.04 + 10 * 0.04 + 0 = 0.8; room 120 - 10200/120 - 2 = 33
    #   alike (0.8 - 0.42) / (0.21 * 33) = 0.054834, strength 17.2368
    #   (1 + 17.2368 * 0.3) / 27.2368 = 0.22657, (5 + 5.17105) / 27.2368 = 0.37343
    found = shrink([1, 5, 30], [10, 10, 100])
    assert found.strength == pytest.approx(17.2368, abs=1e-3)
    assert found.raw == pytest.approx([0.1, 0.5, 0.3])
    assert found.values == pytest.approx([0.22657, 0.37343, 0.3], abs=1e-5)


def test_partial_pooling_finds_what_maximum_likelihood_finds():
    random = np.random.default_rng(5)
    n = random.integers(5, 80, 400)
    true = random.beta(2, 18, 400)
    hits = random.binomial(n, true)
    found = shrink(hits, n)
    strengths = np.linspace(5, 60, 221)
    fits = [stats.betabinom.logpmf(hits, n, found.share * s, (1 - found.share) * s).sum()
            for s in strengths]  # fmt: skip
    assert found.strength == pytest.approx(strengths[int(np.argmax(fits))], rel=0.25)
    assert found.share == pytest.approx(0.1, abs=0.01)
    nearer = np.abs(found.values - true).mean()
    assert nearer < 0.8 * np.abs(found.raw - true).mean()


def test_partial_pooling_of_groups_that_differ_by_chance_or_not_at_all():
    alike = shrink([2, 2, 2], [20, 20, 20])
    assert alike.strength == np.inf
    assert alike.values == pytest.approx([0.1] * 3)
    apart = shrink([0, 100, 0, 100], [100, 100, 100, 100])
    assert apart.strength == pytest.approx(0, abs=0.02)
    assert apart.values == pytest.approx([0, 1, 0, 1], abs=1e-3)
    assert np.isnan(shrink([0], [0]).values).all()
    assert shrink([0, 0], [5, 0]).values == pytest.approx([0, 0])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_a_shrunk_rate_lies_between_the_raw_and_the_pooled_one(groups):
    n = np.array([trials for _, trials in groups])
    hits = np.array([min(hit, trials) for hit, trials in groups])
    found = shrink(hits, n)
    if not n.sum():
        assert np.isnan(found.share)
        return
    raw = np.where(n > 0, found.raw, found.share)
    assert (found.values >= np.minimum(raw, found.share) - 1e-9).all()
    assert (found.values <= np.maximum(raw, found.share) + 1e-9).all()


def test_events_that_outnumber_trials_have_the_arms_of_poissons_interval():
    # 15 and 5 incidents of 10 deployments each; Garwood's limits (Biometrika 1936): 8.395 to
    # 24.740 and 1.623 to 11.668. Low 1 - hypot(.6605, .6668), high 1 + hypot(.9740, .3377).
    split = kitagawa([15], [10], [5], [10], events=True)
    assert (split.change, split.rate, split.mix) == pytest.approx((1, 1, 0))
    assert (split.low, split.high) == pytest.approx((0.0614, 2.0309), abs=1e-3)
    found = standardise([15], [10], [10], events=True)
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 0.8395, 2.4740), abs=1e-4)
