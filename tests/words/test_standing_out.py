"""Signals, shifts and trends read aloud: every branch of their sentences."""

from __future__ import annotations

import pytest

from dora.words import standing_out


@pytest.mark.parametrize(
    ("noun", "number", "text"),
    [
        ("week", 24, "24 weeks"),
        ("week", 1, "1 week"),
        ("gap between failures", 3, "3 gaps between failures"),
        ("gap between deployments", 1, "1 gap between deployments"),
        ("failed deployment", 9, "9 failed deployments"),
    ],
)
def test_points_are_counted(noun, number, text):
    assert standing_out.points(noun, number) == text


def test_nothing_stands_out_one_thing_or_several():
    one = standing_out.point("2026-W13", "5.2 d", "above", "worse")
    moved = standing_out.shift("2026-03-02", "2026-03-15", "2.1 d", "4 d", better=False)
    better = standing_out.shift("2026-05-02", "2026-05-15", "4 d", "1 d", better=True)
    assert standing_out.summary("Lead time", "24 weeks", [], [], "2.1 d") == (
        "Lead time: nothing stands out; all of 24 weeks lie within chance around 2.1 d."
    )
    assert standing_out.summary("Lead time", "24 weeks", [one], [], "2.1 d") == (
        "Lead time: of 24 weeks, 2026-W13 (5.2 d, above its limits: worse) stands out beyond "
        "chance; a reason to ask, not a cause."
    )
    assert "and 2026-W13 (5.2 d, above its limits: worse) stand out" in standing_out.summary(
        "Lead time", "24 weeks", [one, one], [], "2.1 d"
    )
    assert standing_out.summary("Lead time", "24 weeks", [], [moved, better], "1 d") == (
        "Lead time: nothing stands out; all of 24 weeks lie within the limits of each level. "
        "Its level changed between 2026-03-02 and 2026-03-15 from 2.1 d to 4 d, for the worse "
        "and between 2026-05-02 and 2026-05-15 from 4 d to 1 d, for the better."
    )


def test_a_change_on_one_day_is_on_that_day():
    said = standing_out.shift("2026-03-02", "2026-03-02", "2 h", "4 h", better=False)
    assert said == "on 2026-03-02 from 2 h to 4 h, for the worse"


def test_why_nothing_can_be_said():
    few = standing_out.too_few(1, 2, "failure", 4)
    assert standing_out.nothing("Change fail rate", few) == (
        "Change fail rate: nothing can be said of signals, as 1 whole period with a value and 2 "
        "failures are too few to tell signal from noise; 4 are needed."
    )
    assert standing_out.no_trend("Lead time", standing_out.too_short(3, "week", 8)) == (
        "Lead time: nothing can be said of a trend, as 3 whole weeks with a value are too few; "
        "8 are needed."
    )
    assert standing_out.doubtful(("2 of 9",)).endswith("missing or wrong: 2 of 9")
    assert standing_out.doubtful(()).endswith("missing or wrong")


def test_a_trend_has_its_step_and_interval():
    ends = ("+1 %", "+7 %")
    assert standing_out.trend("Lead time", "worse", "+4 %", ends, "24 weeks") == (
        "Lead time gets steadily worse over 24 weeks: +4 % from one to the next (plausibly "
        "between +1 % and +7 %)."
    )
    assert standing_out.trend("Lead time", "no evidence", "+4 %", ends, "24 weeks") == (
        "Lead time: no evidence of a steady trend over 24 weeks; from one to the next the usual "
        "step is plausibly between +1 % and +7 %."
    )
    assert standing_out.alike("Lead time", "24 weeks").endswith(
        "24 weeks, many of which are alike."
    )


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0312, "seconds", "+3.1 %"),
        (-0.004, "share", "−0.4 points"),
        (0.2, "deployments", "+0.2 deployments"),
        (-0.0001, "share", "±0 points"),
        (0.0, "seconds", "±0 %"),
    ],
)
def test_a_step_has_a_sign(value, unit, text):
    assert standing_out.step(value, unit) == text
