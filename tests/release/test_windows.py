"""Release windows against rows worked out by hand, on both engines."""

from __future__ import annotations

import pytest

from dora.words import release as words
from tests.metrics.harness import change, deployed, deployment
from tests.release.harness import ask, delivering, started

BERLIN = """
[[calendar.windows]]
name = "tuesdays and thursdays"
rrule = "FREQ=WEEKLY;BYDAY=TU,TH"
start = 2026-01-06T10:00:00
duration = "4h"
timezone = "Europe/Berlin"
"""


def test_a_window_stays_at_its_hour_when_the_clocks_change(engine):
    """Berlin is an hour ahead of UTC until 29 March 2026 and two hours after."""
    rows = deployed(
        started("first instant", "2026-03-24 09:00"),
        started("first instant after", "2026-03-24 13:00"),
        started("summer time", "2026-03-31 08:30"),
        started("no longer", "2026-03-31 12:30"),
        started("saturday", "2026-03-28 10:00"),
    )
    answer = ask("windows", rows, BERLIN, engine=engine)
    inside = dict(zip(answer.evidence["deployment"], answer.evidence["inside"], strict=True))
    assert [name for name, within in inside.items() if within] == ["first instant", "summer time"]
    assert (answer["inside_share"].value, answer["inside_share"].n) == (2 / 5, 5)
    assert answer["weekend_share"].value == 1 / 5


def test_windows_that_touch_or_run_over_midnight_are_one(engine):
    text = """
[[calendar.windows]]
name = "night"
rrule = "FREQ=DAILY"
start = 2026-01-01T22:00:00
duration = "8h"

[[calendar.windows]]
name = "morning"
rrule = "FREQ=DAILY"
start = 2026-01-01T06:00:00
duration = "2h"
"""
    hours = ("21:50", "22:00", "23:50", "00:10", "05:50", "06:00", "07:50", "08:00")
    rows = deployed(*(started(hour, f"2026-03-10 {hour}") for hour in hours))
    answer = ask("windows", rows, text, engine=engine)
    inside = answer.evidence.set_index("deployment")["inside"]
    assert [hour for hour in hours if inside[hour]] == list(hours[1:-1])


def test_a_window_holds_only_for_those_it_names(engine):
    rows = deployed(
        started("a", "2026-03-24 09:30"), started("b", "2026-03-24 09:30", service="search")
    )
    answer = ask("windows", rows, f'{BERLIN}services = ["sho*"]\n', engine=engine)
    assert dict(zip(answer.evidence["service"], answer.evidence["governed"], strict=True)) == {
        "search": False,
        "shop": True,
    }
    assert answer["inside_share"].n == 1


def test_a_deployment_whose_start_nobody_told_counts_where_it_ended(engine):
    answer = ask("windows", deployed(deployment("d", "2026-03-24 09:30")), BERLIN, engine=engine)
    assert answer["inside_share"].value == 1
    assert not answer.evidence["start_known"].any()


def test_equal_risk_where_only_repairs_go_outside_is_not_taken_for_a_risk_of_being_outside(engine):
    """Ten in a hundred fail inside and two in twenty outside, but for repairs, of which half do.

    All together: 17 of 50 outside against 10 of 100 inside, 24 points more. Like with like:
    10 % against 10 %.
    """
    inside = [started(f"i{n}", "2026-03-24 10:00", failed=n < 10) for n in range(100)]
    outside = [started(f"o{n}", "2026-03-24 15:00", failed=n < 2) for n in range(20)]
    repairs = [
        started(f"r{n}", "2026-03-24 16:00", failed=n < 15, rework_kind="hotfix") for n in range(30)
    ]
    rows = deployed(*inside, *outside, *repairs)
    answer = ask("windows", rows, BERLIN, engine=engine)
    assert answer["crude_difference"].value == pytest.approx(0.24)
    assert answer["crude_difference"].low > 0.09
    assert answer["crude_difference"].note == words.CONFOUNDED
    assert answer["stratified_difference"].value == pytest.approx(0)
    assert answer["stratified_difference"].low < 0 < answer["stratified_difference"].high
    assert answer["stratified_difference"].n == 120
    assert answer["repairs_outside_share"].value == 1
    assert "no evidence that windows make deployments safer" in answer.sentence


def test_large_deployments_outside_are_compared_with_large_ones_inside(engine):
    """Small ones never fail and large ones always do; large ones go outside more often."""
    sizes = {f"large-in{n}": 9 for n in range(4)} | {f"large-out{n}": 9 for n in range(8)}
    rows = deployed(
        *(started(f"large-in{n}", "2026-03-24 10:00", failed=True) for n in range(4)),
        *(started(f"large-out{n}", "2026-03-24 15:00", failed=True) for n in range(8)),
        *(started(f"small-in{n}", "2026-03-24 10:30") for n in range(8)),
        *(started(f"small-out{n}", "2026-03-24 15:30") for n in range(4)),
        **delivering(sizes),
    )
    answer = ask("windows", rows, BERLIN, engine=engine)
    assert answer["crude_difference"].value == pytest.approx(8 / 12 - 4 / 12)
    assert answer["stratified_difference"].value == pytest.approx(0)


def test_changes_that_land_evenly_wait_as_long_as_the_closed_form_says(engine):
    """A day in seven open: closed² ÷ (2 × period) = 6² ÷ 14 days on average.

    On the hour, from the hour of closing on, the waits are 144, 143, … 1 hours and then none:
    their sum over four weeks is 4 × 144 × 145 ÷ 2 hours.
    """
    text = """
[[calendar.windows]]
name = "a day a week"
rrule = "FREQ=WEEKLY"
start = 2026-01-04T00:00:00
duration = "24h"
"""
    landed = [
        change(f"c{n}", None, n)
        for n in range(28 * 24)  # from Sunday, 1 March on, the open day
    ]
    rows = deployed(started("d", "2026-03-03 10:00"), delivered_changes=landed)
    answer = ask("windows", rows, text, engine=engine)
    waited = answer["window_tax_total"]
    assert waited.n == 28 * 24
    assert waited.value == pytest.approx(4 * 144 * 145 / 2 / 24)
    assert answer["window_tax_mean"].value == pytest.approx(36 / 14, abs=0.02)


def test_a_change_waits_for_the_first_of_its_environments_to_open(engine):
    """It landed on Monday 2 March, 00:00. The window of one environment opens on Wednesday, the one
    of the other on Tuesday, at ten: that is 34 hours. A third has none and says nothing of it."""
    text = "".join(
        f'[[calendar.windows]]\nname = "{name}"\nrrule = "FREQ=WEEKLY;BYDAY={day}"\n'
        f'start = 2026-01-0{first}T10:00:00\nduration = "4h"\nenvironments = ["{name}"]\n'
        for name, day, first in (("eu", "WE", 7), ("us", "TU", 6))
    )
    places = ("eu", "us", "canada")
    rows = deployed(
        *(started(name, "2026-03-09 10:00", environment=name) for name in places),
        delivered_changes=[change("lands", None, 24)],
    )
    found = ask("windows", rows, text, engine=engine)["window_tax_total"]
    assert (found.value, found.n) == (pytest.approx(34 / 24), 1)


def test_nothing_configured_says_what_it_needs_and_what_can_be_said_without(engine):
    answer = ask("windows", deployed(started("d", "2026-03-28 10:00")), engine=engine)
    assert answer["weekend_share"].value == 1
    assert answer["off_hours_share"].value == 1
    for figure in answer.figures:
        if figure.name not in ("weekend_share", "off_hours_share"):
            assert (figure.value, figure.reason) == (None, words.NO_WINDOWS)
    assert "[[calendar.windows]]" in answer.sentence


def test_nothing_at_all_says_so(engine):
    answer = ask("windows", {}, BERLIN, engine=engine)
    assert all(figure.value is None and figure.reason for figure in answer.figures)
    assert answer.frame["value"].isna().all()


def test_it_is_drawn_and_described(engine):
    rows = deployed(started("a", "2026-03-24 10:00"), started("b", "2026-03-24 15:00", failed=True))
    answer = ask("windows", rows, BERLIN, engine=engine)
    drawn = answer.plot()
    assert [label.get_text() for label in drawn.get_xticklabels()] == [
        "inside of a window\nn = 1",
        "outside\nn = 1",
    ]
    assert drawn.alt_text == answer.sentence


def test_where_nothing_went_out_that_is_the_reason_and_not_the_calendar(engine):
    answer = ask("windows", deployed(started("before", "2026-02-03 10:00")), engine=engine)
    assert answer["weekend_share"].reason == words.NOTHING_STARTED
    assert answer["inside_share"].reason == words.NO_WINDOWS
    assert answer.sentence.startswith("Nothing to say: no deployment started.")
