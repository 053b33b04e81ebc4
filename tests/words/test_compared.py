"""Verdicts read aloud: every branch of the sentences that say whether something changed."""

from __future__ import annotations

import math

import pytest

from dora.words import compared

HOUR, DAY = 3600.0, 86400.0


@pytest.mark.parametrize(
    ("kind", "value", "unit", "text"),
    [
        ("difference", -1.2 * DAY, "seconds", "29 h shorter"),
        ("difference", 5 * DAY, "seconds", "5 d longer"),
        ("difference", 0.01, "share", "1 point higher"),
        ("difference", -0.031, "share", "3.1 points lower"),
        ("difference", 0.0, "share", "no difference"),
        ("difference", 2.0, "per week", "2 per week higher"),
        ("ratio", 1.5, "per week", "1.5 times as often"),
        ("ratio", math.inf, "per week", "after none at all"),
    ],
)
def test_how_far_a_number_moved(kind, value, unit, text):
    assert compared.moved(kind, value, unit) == text


@pytest.mark.parametrize(
    ("kind", "low", "high", "unit", "text"),
    [
        ("difference", -0.53, -0.24, "share", "between 24 points and 53 points lower"),
        ("difference", 0.02, 0.3, "share", "between 2 points and 30 points higher"),
        ("difference", -0.1, 0.2, "share", "between 10 points lower and 20 points higher"),
        ("difference", -HOUR, 0.0, "seconds", "between 1 h shorter and no difference"),
        ("difference", -HOUR, -HOUR, "seconds", "1 h shorter"),
        ("ratio", 0.7, 1.4, "per week", "between 0.7 and 1.4 times as often"),
        ("ratio", 2.1, math.inf, "per week", "at least 2.1 times as often"),
    ],
)
def test_what_the_true_difference_may_be(kind, low, high, unit, text):
    assert compared.plausible(kind, low, high, unit) == text


@pytest.mark.parametrize(
    ("kind", "fall", "rise", "unit", "text"),
    [
        ("difference", -HOUR, 2 * HOUR, "seconds", "from 1 h shorter or 2 h longer on"),
        ("difference", None, 0.2, "share", "from 20 points higher on, and no fall at all"),
        ("difference", -0.2, None, "share", "from 20 points lower on, and no rise at all"),
        ("ratio", 0.5, 2.0, "per week", "from 0.5 times or 2 times as often on"),
        ("ratio", None, 3.0, "per week", "from 3 times as often on, and no fall at all"),
    ],
)
def test_from_what_size_on_a_change_would_have_shown(kind, fall, rise, unit, text):
    assert compared.would_show(kind, fall, rise, unit) == (
        f"a change would have shown reliably {text}"
    )


def test_where_no_size_is_known_nothing_is_said_of_it():
    assert compared.would_show("ratio", None, None, "per week") == ""
    said = compared.no_evidence("Lead time", "1 d in May after 1 d in April", "1 h shorter", "")
    assert said == (
        "Lead time: no evidence of a change: 1 d in May after 1 d in April, plausibly 1 h shorter."
    )


def test_every_verdict_is_a_sentence():
    values = compared.both("10 %", "May", "50 %", "April")
    assert compared.got(
        "Change fail rate", "better", values, "40 points lower", "between a and b"
    ) == (
        "Change fail rate got better: 10 % in May after 50 % in April, 40 points lower "
        "(plausibly between a and b)."
    )
    assert compared.one_of_several("Change fail rate", values, "40 points lower", 5) == (
        "Change fail rate: no evidence of a change: 10 % in May after 50 % in April, 40 points "
        "lower; alone that would be plain, but among 5 numbers one moves as far by chance too "
        "often."
    )
    assert compared.withheld("Change fail rate", values, ("3 of 9 have no end",)) == (
        "No verdict on the change fail rate (10 % in May after 50 % in April), as too much of the "
        "record is missing or wrong: 3 of 9 have no end."
    )
    assert compared.withheld("Change fail rate", values, ()).endswith("missing or wrong.")
    assert compared.too_little("Change fail rate", compared.unknown("May", None)) == (
        "Too little data to say whether the change fail rate changed: it is unknown in May."
    )


def test_little_data_is_said_itself():
    assert compared.records(3, "change", ["2 h", "5 h", "9 h"]) == "3 changes (2 h, 5 h and 9 h)"
    assert compared.records(1, "deployment", []) == "1 deployment"
    assert compared.share_of("0 %", 3, "deployment") == "0 % of 3 deployments"
    assert compared.together(60, "change", alike=False) == "60 changes"
    assert compared.together(60, "change", alike=True) == (
        "60 changes that came in few deployments"
    )
    assert compared.few_records(3, 4, "change") == "3 changes against 4"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("difference", -0.4, -0.53, -0.24, "share"), "−40 points (−53 points to −24 points)"),
        (("difference", 0.0, -HOUR, HOUR, "seconds"), "±0 s (−1 h to +1 h)"),
        (("ratio", 1.5, 1.1, 2.1, "per week"), "1.5 times (1.1–2.1)"),
        (("ratio", math.inf, 1.1, math.inf, "per week"), "from none (1.1 or more)"),
    ],
)
def test_a_difference_in_a_table(arguments, text):
    assert compared.change(*arguments) == text
