"""Levels and scores, worked out by hand from the table of each year."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.stats import levels
from dora.stats.levels import DAY, HOUR, MONTH, REPORTS, WEEK, Measured, nearest, quick_check

# Deployments a week, seconds, shares and seconds that are typical of each answer.
OFTEN = {6: 400.0, 5: 20.0, 4: 2.0, 3: 0.5, 2: 0.1, 1: 0.01}
LONG = {6: 600.0, 5: 5 * HOUR, 4: 3 * DAY, 3: 2 * WEEK, 2: 2 * MONTH, 1: 9 * MONTH}


def measured(often: int, long: int, rate: float, recovery: int) -> Measured:
    return Measured(OFTEN[often], LONG[long], rate, LONG[recovery], trials=100)


@pytest.mark.parametrize(
    ("year", "level", "numbers"),
    [
        (2019, "elite", measured(6, 5, 0.10, 6)),
        (2019, "high", measured(4, 4, 0.10, 5)),
        (2019, "medium", measured(3, 3, 0.10, 5)),
        (2019, "low", measured(2, 2, 0.50, 3)),
        (2021, "elite", measured(6, 6, 0.10, 6)),
        (2021, "high", measured(3, 4, 0.20, 5)),
        (2021, "medium", measured(2, 2, 0.20, 4)),
        (2021, "low", measured(1, 1, 0.20, 1)),
        (2022, "high", measured(6, 4, 0.10, 5)),
        (2022, "medium", measured(3, 3, 0.20, 4)),
        (2022, "low", measured(2, 2, 0.50, 2)),
        (2023, "elite", measured(6, 5, 0.05, 6)),
        (2023, "high", measured(4, 4, 0.10, 5)),
        (2023, "medium", measured(3, 3, 0.15, 4)),
        (2023, "low", measured(3, 3, 0.64, 2)),
        (2024, "elite", measured(6, 5, 0.05, 6)),
        (2024, "high", measured(4, 4, 0.20, 5)),
        (2024, "medium", measured(3, 3, 0.10, 5)),
        (2024, "low", measured(2, 2, 0.40, 3)),
    ],
)
def test_a_levels_own_answers_are_at_no_distance_from_it(year, level, numbers):
    found = nearest(numbers, year)
    assert found.levels == (level,)
    assert found.distances[level] == pytest.approx(0)


def test_2022_knows_no_elite():
    assert list(REPORTS[2022].profiles) == ["high", "medium", "low"]


# In 2024: 3 a week, 2 days, 3 of 100 failing, 4 hours.
#   answers 4, 4, –, 5; the odds of 3 % are 3/97.
#   elite (6, 5, 5 %, 6): 2, 1, log2((5/95) / (3/97)) = 0.767, 1
#   high (4, 4, 20 %, 5): 0, 0, log2((1/4) / (3/97)) = 3.015, 0
#   medium (3, 3, 10 %, 5): 1, 1, log2((1/9) / (3/97)) = 1.845, 0
#   low (2, 2, 40 %, 3): 2, 2, log2((2/3) / (3/97)) = 4.430, 2
def test_distances_of_2024_are_as_worked_out_by_hand():
    found = nearest(Measured(3.0, 2 * DAY, 0.03, 4 * HOUR, trials=100), 2024)
    assert found.parts["elite"]["failure_rate"] == pytest.approx(0.767, abs=5e-4)
    by_hand = {"elite": 1.192, "high": 0.754, "medium": 0.961, "low": 2.608}
    assert found.distances == pytest.approx(by_hand, abs=1e-3)
    assert found.levels == ("high",)


def test_ties_are_named_best_first():
    # 2019, without a failure rate: answers 4, 4, 5 are high's own; 4, 3, 5 lie one answer away
    # from high in lead time and one from medium in frequency
    found = nearest(Measured(OFTEN[4], LONG[3], None, LONG[5]), 2019)
    assert found.levels == ("high", "medium")
    assert found.distances["high"] == found.distances["medium"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("missing", range(4))
def test_three_numbers_are_enough_and_two_are_not(missing):
    names = levels.METRICS
    numbers = dict(zip(names, (OFTEN[4], LONG[4], 0.2, LONG[5]), strict=True))
    del numbers[names[missing]]
    three = nearest(Measured(**numbers), 2024)
    assert three.levels == ("high",)
    del numbers[next(iter(numbers))]
    two = nearest(Measured(**numbers), 2024)
    assert (two.levels, two.distances) == ((), {})


@pytest.mark.parametrize(
    ("per_week", "answer"),
    [
        (0, 1), (7 * DAY / (6 * MONTH) * 0.99, 1), (WEEK / (6 * MONTH), 2), (WEEK / MONTH, 3),
        (0.99, 3), (1, 4), (6.99, 4), (7, 5), (167, 5), (168, 6), (10_000, 6),
    ],
)  # fmt: skip
def test_a_frequency_is_one_of_six_answers(per_week, answer):
    assert float(levels.frequency_band(per_week)) == answer


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (0, 6), (HOUR - 1, 6), (HOUR, 5), (DAY - 1, 5), (DAY, 4), (WEEK - 1, 4), (WEEK, 3),
        (MONTH, 2), (6 * MONTH, 2), (6 * MONTH + 1, 1), (1e9, 1),
    ],
)  # fmt: skip
def test_a_length_of_time_is_one_of_six_answers(seconds, answer):
    assert float(levels.length_band(seconds)) == answer


def test_nothing_is_in_no_band():
    assert math.isnan(levels.frequency_band(math.nan))
    assert math.isnan(levels.length_band(math.nan))


def test_twice_the_odds_are_as_far_as_one_answer():
    # 20 % is odds of 1 to 4, 1/3 is 1 to 2, 1/9 is 1 to 8
    assert levels.rate_distance(1 / 3, 0.2, 0.2) == pytest.approx(1)
    assert levels.rate_distance(1 / 9, 0.2, 0.2) == pytest.approx(1)
    assert levels.rate_distance(0.10, 0.0, 0.15) == 0


def test_no_failure_at_all_counts_as_half_a_one():
    # 0 of 100 as 0.5 of 101, odds 0.5 to 100.5 = 1/201; 5 % is 1/19: log2(201 / 19) = 3.403
    assert levels.rate_distance(0.0, 0.05, 0.05, 100) == pytest.approx(3.403, abs=5e-4)
    # 100 of 100 as 100.5 of 101, odds 201; 64 % is 16/9: log2(201 * 9 / 16) = 6.821
    assert levels.rate_distance(1.0, 0.64, 0.64, 100) == pytest.approx(6.821, abs=5e-4)
    assert levels.rate_distance(0.0, 0.0, 0.15, 100) == 0
    # of a single deployment, 0.5 of 2 is 25 %, which lies within 16 to 30 %
    assert levels.rate_distance(0.0, 0.16, 0.30, 1) == 0


def test_a_rate_is_nearest_to_one_of_the_years_own():
    assert levels.rate_band(0.12, 2019) == (0.0, 0.15)
    assert levels.rate_band(0.40, 2019) == (0.46, 0.60)
    # in odds 15 % lies nearer to 20 % (0.50 doublings) than to 10 % (0.67)
    assert levels.rate_band(0.15, 2024) == (0.20, 0.20)


# Quick Check: answers 1 to 6 are 0, 2 … 10 points, a rate p is 10 - p/10.
def test_the_quick_check_score_is_the_mean_of_the_answers():
    found = quick_check(Measured(3.0, 2 * DAY, 0.15, 30 * 60))
    assert found.scores == pytest.approx(
        {"frequency": 6, "lead_time": 6, "failure_rate": 8.5, "recovery": 10}
    )
    assert found.score == pytest.approx(7.625)
    assert quick_check(Measured(lead_time=9 * MONTH)).score == 0
    assert quick_check(Measured(failure_rate=1.5)).score == 0  # more incidents than deployments
    assert quick_check(Measured()) == levels.QuickCheck({}, None)


numbers = st.one_of(st.none(), st.floats(0, 1e9))
shares = st.one_of(st.none(), st.floats(0, 1))


@given(numbers, numbers, shares, numbers, st.integers(1, 10_000), st.sampled_from(sorted(REPORTS)))
def test_whatever_is_measured_no_distance_or_score_is_wrong(often, lead, rate, back, n, year):
    given_numbers = Measured(often, lead, rate, back, n)
    found, score = nearest(given_numbers, year), quick_check(given_numbers)
    there = sum(x is not None for x in (often, lead, rate, back))
    assert bool(found.levels) == (there >= 3)
    assert all(far >= 0 and math.isfinite(far) for far in found.distances.values())
    assert all(
        found.distances[level] == pytest.approx(min(found.distances.values()))
        for level in found.levels
    )
    assert (score.score is None) == (there == 0)
    assert score.score is None or 0 <= score.score <= 10
