"""Numbers as words."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from dora import words
from dora.rules import Rules

HOUR, DAY = 3600.0, 86400.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (45, "45 s"), (90, "1.5 min"), (HOUR, "1 h"), (5.25 * HOUR, "5.2 h"),
        (47 * HOUR, "47 h"), (2 * DAY, "2 d"), (3.41 * DAY, "3.4 d"), (400 * DAY, "400 d"),
        (3 * 365.25 * DAY, "3 y"), (-90, "-1.5 min"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_in_the_unit_that_suits_it(seconds, text):
    assert words.duration(seconds) == text


def test_an_estimate_says_its_unit_once():
    assert words.estimate(2.31 * DAY, 1.9 * DAY, 2.8 * DAY, "seconds") == "2.3 d (1.9–2.8)"
    assert words.estimate(0.12, 0.05, 0.25, "share") == "12 % (5–25)"
    assert words.estimate(4.1, 3.0, 5.5, "per week") == "4.1 per week (3–5.5)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "0.04 %"),
        (0.0041, "0.4 %"),
        (0.994, "99 %"),
        (0.996, "99.6 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_few_are_not_none_and_nearly_all_are_not_all(value, text):
    assert words.share(value) == text


def test_ends_too_far_apart_for_one_unit_have_their_own():
    assert words.estimate(2 * DAY, 600, 2.8 * DAY, "seconds") == "2 d (10 min – 2.8 d)"


def test_no_value_is_unknown_and_a_lower_bound_says_at_least():
    assert words.estimate(None, None, None, "share") == "unknown"
    assert words.estimate(None, 0.08, None, "share") == "unknown, at least 8 %"
    assert words.estimate(None, 0.0, None, "share") == "unknown"  # at least 0 % says nothing
    assert words.quantity(float("nan"), "seconds") == "unknown"


def test_one_of_something_is_singular():
    assert words.quantity(1, "deployments") == "1 deployment"
    assert words.count(1, "change") == "1 change"
    assert words.count(1200, "change") == "1,200 changes"


def test_names_are_listed_and_the_rest_counted():
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(list("abcdef")) == "a, b, c and 3 more"


def test_periods_have_short_names():
    assert words.period(date(2026, 3, 2), date(2026, 3, 3)) == "2026-03-02"
    assert words.period(date(2025, 12, 29), date(2026, 1, 5)) == "2026-W01"
    assert words.period(date(2026, 3, 1), date(2026, 4, 1)) == "Mar 2026"
    assert words.period(date(2026, 4, 1), date(2026, 7, 1)) == "2026-Q2"
    assert words.period(date(2026, 3, 5), date(2026, 3, 9)) == "2026-03-05 to 2026-03-08"


def test_rules_are_told_where_they_are_not_the_usual_ones():
    usual = "preset dora.dev, change: commit, failure window 24 h, judged after 24 h"
    assert words.rules_text(Rules()) == usual
    assert words.rules_text(Rules.preset("gitlab")).startswith("preset GitLab, change: ")
    told = words.rules_text(Rules().but(failure_window="72h", bot_changes=True, baseline=False))
    assert "failure window 3 d, judged after 3 d" in told
    assert "baseline: no" in told
    assert "bot changes: yes" in told
    assert words.length(None) == "no limit"
    assert words.length(timedelta(minutes=90)) == "1.5 h"


def test_a_sha_is_cut_short_and_a_change_in_words_is_not():
    moved = "+1.4 points (−3.2 points to +5.9 points)"
    frame = pd.DataFrame({"change": ["0123456789" * 4, moved, "github.com/acme/shop#12"]})
    assert words.table(frame)["change"].tolist() == [
        "0123456789", moved, "github.com/acme/shop#12",
    ]  # fmt: skip
