"""Waiting read aloud: every branch of the sentences about what is not over."""

from __future__ import annotations

import pytest

from dora.words import waiting

HOUR, DAY = 3600.0, 86400.0


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((2.1 * DAY, 1.9 * DAY, 2.4 * DAY), "2.1 d (1.9–2.4)"),
        ((2 * DAY, 26 * HOUR, None), "2 d (at least 26 h)"),
        ((2 * DAY, None, None), "2 d (at least 2 d)"),
        ((None, 5 * DAY, None), "not reached, at least 5 d"),
        ((None, None, None), "not reached"),
    ],
)
def test_a_time_has_an_interval_that_may_be_open(ends, text):
    assert waiting.quantile(*ends) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0), ""),
        ((1, 0), "; 1 is not delivered yet"),
        ((31, 12), "; 31 are not delivered yet, and 12 were given up"),
        ((0, 1), "; 1 was given up"),
    ],
)
def test_what_became_of_the_rest(counts, text):
    assert waiting.rest(*counts, "not delivered") == text


def test_what_is_open_is_still_so():
    assert waiting.rest(2, 0, "still open") == "; 2 are still open"


def test_half_are_over_or_not_yet():
    assert waiting.reached("9 changes", "May", "delivered", "2 d (1–3)", "") == (
        "Of 9 changes that began in May, half were delivered within 2 d (1–3)."
    )
    known = waiting.not_reached(
        "9 changes", "May", "delivered", (2, "not reached, at least 5 d"), ""
    )
    assert known == (
        "Of 9 changes that began in May, 2 are delivered so far, fewer than half: half will take "
        "at least 5 d."
    )
    assert waiting.not_reached("9 changes", "May", "delivered", (1, "not reached"), "; x") == (
        "Of 9 changes that began in May, 1 is delivered so far, fewer than half; x."
    )


def test_nothing_and_what_may_not_be_told():
    assert waiting.nothing("change", "May", None) == "No change that began in May is known."
    assert waiting.nothing("change", "May", "too few people") == (
        "What began in May is not told: too few people."
    )


def test_few_are_told_one_by_one():
    each = [(2 * HOUR, 1), (5 * HOUR, 1), (9 * DAY, 0), (HOUR, 2)]
    assert waiting.few("change", "May", each, "delivered") == (
        "Of 4 changes that began in May: delivered after 2 h and 5 h; still waiting after 9 d; "
        "given up after 1 h."
    )


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("better", "got better: what began in May takes less time than what began in April"),
        ("worse", "got worse: what began in May takes more time than what began in April"),
        ("no evidence", "no evidence of a change (median 2 d for May, 3 d for April)."),
        ("too little data", "too little data to compare 9 changes that began in May with 4 in"),
        ("withheld", "no verdict (median 2 d for May, 3 d for April), as too much of the record"),
    ],
)
def test_curves_are_compared_in_a_sentence(verdict, text):
    sides = ("May", "2 d", 9), ("April", "3 d", 4)
    said = waiting.compared("Change lead time", "change", verdict, *sides, ("2 of 9",))
    assert said.startswith("Change lead time, with what is not over")
    assert text in said
    assert ("2 of 9" in said) is (verdict == "withheld")
