"""Quantiles of many groups, against fractions worked out one group at a time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dora.stats import Sample

ROWS = st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 10**14)), max_size=60)


def exact(values, numerator, denominator):
    """The linear quantile by fractions, times the denominator."""
    ordered = sorted(values)
    place = Fraction(numerator * (len(ordered) - 1), denominator)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    quantile = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return int(quantile * denominator)


@given(ROWS)
def test_quantiles_are_exact_in_every_group(rows):
    groups = np.array([group for group, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.int64)
    found = Sample.of(values).grouped([(slice(None), groups)], 5, at_most=len(values))
    for numerator, denominator in ((1, 2), (3, 4), (9, 10), (19, 20)):
        quantiles = found.quantile(numerator, denominator)
        for group in range(5):
            mine = [value for g, value in rows if g == group]
            if mine:
                assert int(quantiles[group]) == exact(mine, numerator, denominator)
            else:
                assert np.isnan(quantiles[group])


@given(ROWS)
def test_ranks_pick_the_sorted_values(rows):
    groups = np.array([group for group, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.int64)
    again = np.where(groups == 0, 5, -1)
    both = [(slice(None), groups), (slice(None), again)]
    found = Sample.of(values).grouped(both, 6, at_most=2 * len(values))
    zeros = sorted(value for group, value in rows if group == 0)
    assert found.counts[5] == found.counts[0] == len(zeros)
    for rank in range(1, len(zeros) + 1):
        assert found.ranked(np.full(6, rank))[5] == zeros[rank - 1]
    assert np.isnan(found.ranked(np.zeros(6, np.int64))).all()
