"""How regular a series is: by hand, and against chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dora.stats.rhythm import BY_CHANCE, fewest_cells, rhythm


def test_lengths_within_a_quarter_of_the_middle_one_are_like_it():
    """Lengths of 6, 7, 7, 8 and 20: the middle is 7, and all but the last are from 5.25 to 8.75."""
    found = rhythm([0, 6, 13, 20, 28, 48])
    assert (found.usual, found.regular, found.n) == (7, 4 / 5, 5)


def test_order_and_place_do_not_matter():
    assert rhythm([48, 0, 13, 6, 28, 20]) == rhythm([1000, 1006, 1013, 1020, 1028, 1048])


def test_a_delay_that_moves_all_later_ones_is_one_irregular_length():
    times = [7.0 * n + (5 if n > 10 else 0) for n in range(21)]
    assert rhythm(times).regular == 19 / 20


def test_at_random_one_in_six_is_regular():
    random = np.random.default_rng(7)
    found = rhythm(np.cumsum(random.exponential(3, 200_000)))
    assert found.regular == pytest.approx(BY_CHANCE, abs=0.004)
    assert pytest.approx(0.1742, abs=0.0001) == BY_CHANCE


@pytest.mark.parametrize("times", [[], [5]])
def test_without_two_events_there_is_no_rhythm(times):
    found = rhythm(times)
    assert math.isnan(found.usual)
    assert math.isnan(found.regular)
    assert found.n == 0


def test_the_fewest_cells_hold_their_share():
    assert fewest_cells([50, 20, 10, 10, 10]) == 3  # 50 + 20 + 10 of 100 are four in five
    assert fewest_cells([0, 0, 100]) == 1
    assert fewest_cells([1] * 10) == 8
    assert fewest_cells([0, 0]) == 0
