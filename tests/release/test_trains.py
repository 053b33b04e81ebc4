"""Release trains against rows worked out by hand, on both engines."""

from __future__ import annotations

import pytest

from dora import words
from dora.words import trains as text
from tests.metrics.harness import at, change, deployed
from tests.release.harness import ask, started

TUESDAYS = """
[[calendar.trains]]
name = "weekly"
rrule = "FREQ=WEEKLY;BYDAY=TU"
start = 2026-01-06T10:00:00
cutoff = "24h"
tolerance = "2h"
"""
# March 2026 has five of them: the 3rd, 10th, 17th, 24th and 31st, each at ten.


def board(answer) -> dict[str, str]:
    told = answer.evidence
    return {f"{d:%d}": s for d, s in zip(told["planned_at"], told["state"], strict=True)}


def test_a_train_is_on_time_early_late_skipped_or_followed_by_another(engine):
    """The 3rd an hour early, the 10th a day late, the 17th not but for a repair, the 24th twice."""
    rows = deployed(
        started("early", "2026-03-03 09:00"),
        started("late", "2026-03-11 10:00"),
        started("hotfix", "2026-03-17 10:00", rework_kind="hotfix"),
        started("on time", "2026-03-24 10:30"),
        started("again", "2026-03-26 10:00"),
        started("last", "2026-03-31 12:00"),
    )
    answer = ask("trains", rows, TUESDAYS, engine=engine)
    assert board(answer) == {
        "03": "on time", "10": "late", "17": "skipped", "24": "on time", "31": "on time",
    }  # fmt: skip
    assert answer["planned"].value == 5
    assert answer["on_time_share"].value == 3 / 5
    assert answer["skipped_share"].value == 1 / 5
    assert answer["extra_departures"].value == 1
    # slips of −1, 24, 0.5 and 2 hours: the middle of 0.5 and 2
    assert answer["slip_median"].value == pytest.approx(1.25 / 24)
    assert list(answer.evidence["deployment"].dropna()) == ["early", "late", "on time", "last"]


def test_one_that_leaves_much_too_early_rides_in_the_place_of_the_one_before(engine):
    """Nine in the morning of the 9th is still the slot of the train of the 3rd: an extra one."""
    rows = deployed(started("a", "2026-03-03 10:00"), started("b", "2026-03-09 09:00"))
    answer = ask("trains", rows, TUESDAYS, engine=engine)
    assert board(answer)["10"] == "skipped"
    assert answer["extra_departures"].value == 1


def test_a_train_leaves_to_the_environments_that_it_goes_to(engine):
    """To Europe on Tuesdays and to America on Wednesdays: what goes out elsewhere is no departure.

    Europe's leaves on the 3rd; on the 10th only Canada and a repair in America go out. America's
    does not leave on the 4th, and does on the 11th.
    """
    american = TUESDAYS.replace("weekly", "american").replace("BYDAY=TU", "BYDAY=WE")
    american = american.replace("2026-01-06", "2026-01-07")
    text = f'{TUESDAYS}environments = ["eu"]\n{american}environments = ["us"]\n'
    rows = deployed(
        started("e3", "2026-03-03 10:00", environment="eu"),
        started("u10", "2026-03-10 10:00", environment="us", rework_kind="hotfix"),
        started("c10", "2026-03-10 10:00", environment="canada"),
        started("u11", "2026-03-11 10:00", environment="us"),
    )
    answer = ask("trains", rows, text, engine=engine, as_of=at("2026-03-12 00:00"))
    told = answer.evidence
    assert list(zip(told["train"], told["planned_at"].dt.day, told["state"], strict=True)) == [
        ("american", 4, "skipped"),
        ("american", 11, "on time"),
        ("weekly", 3, "on time"),
        ("weekly", 10, "skipped"),
    ]
    assert (answer["planned"].value, answer["extra_departures"].value) == (4, 0)


def test_what_is_not_due_yet_is_not_skipped(engine):
    rows = deployed(started("a", "2026-03-03 10:00"))
    answer = ask("trains", rows, TUESDAYS, engine=engine, as_of=at("2026-03-10 11:59"))
    assert board(answer) == {"03": "on time"}
    due = ask("trains", rows, TUESDAYS, engine=engine, as_of=at("2026-03-10 12:00"))
    assert board(due) == {"03": "on time", "10": "skipped"}


def test_a_change_misses_its_train_if_it_goes_with_a_later_one_or_not_at_all(engine):
    """The cutoff of the 10th is the 9th at ten.

    Landed on the 9th at nine, one boards the 10th and one the 17th; landed at eleven it means to
    go on the 17th, and does; landed on the 12th and never delivered, it missed the 17th. Two of
    four. Waits of 25, 193 and 191 hours.
    """
    rows = deployed(
        *(started(f"d{day}", f"2026-03-{day} 10:00") for day in ("03", "10", "17", "24", "31")),
        delivered_changes=[
            change("boards", "2026-03-10 10:00", 25),
            change("misses", "2026-03-17 10:00", 193),
            change("meant for the next", "2026-03-17 10:00", 191),
            change("never", None, 11 * 24),
        ],
    )
    answer = ask("trains", rows, TUESDAYS, engine=engine)
    assert (answer["missed_share"].value, answer["missed_share"].n) == (2 / 4, 4)
    assert answer["wait_median"].value == pytest.approx(191 / 24)
    assert answer["wait_mean"].value == pytest.approx((25 + 193 + 191) / 3 / 24)


def test_what_went_out_before_the_first_train_was_for_none(engine):
    """Trains begin with the 3rd: of what landed before its cutoff, one went with it, one still
    waits, and one had gone out in February."""
    rows = deployed(
        started("before", "2026-02-20 10:00"),
        started("first", "2026-03-03 10:00"),
        delivered_changes=[
            change("gone by then", "2026-02-20 10:00", 30),
            change("with the first", "2026-03-03 10:00", 300),
            change("waits", None, 1),
        ],
    )
    text_ = TUESDAYS.replace("2026-01-06", "2026-03-03")
    answer = ask("trains", rows, text_, engine=engine)
    assert (answer["missed_share"].value, answer["missed_share"].n) == (1 / 2, 2)
    assert answer["wait_median"].value == pytest.approx(300 / 24)


def test_changes_that_land_evenly_wait_half_a_period_and_the_cutoff(engine):
    """P ÷ 2 + cutoff = 3.5 + 1 days. A change an hour, each with the train it is for: the waits
    are 24, 25, … 191 hours, 107.5 hours on average, half an hour less than evenly spread ones."""
    days = (3, 10, 17, 24, 31)
    changes = [
        change(f"c{day}-{hours}", f"2026-03-{day:02d} 10:00", hours)
        for day in days
        for hours in range(24, 24 + 7 * 24)
    ]
    rows = deployed(
        *(started(f"d{day}", f"2026-03-{day:02d} 10:00") for day in days), delivered_changes=changes
    )
    answer = ask("trains", rows, TUESDAYS, engine=engine)
    assert answer["wait_expected"].value == pytest.approx(4.5)
    assert answer["wait_expected"].n == 5  # a week before each of the five Tuesdays
    assert answer["wait_mean"].value == pytest.approx(107.5 / 24)
    assert answer["wait_mean"].n == 5 * 7 * 24
    assert answer["missed_share"].value == 0


def test_trains_leave_by_the_clock_on_the_wall(engine):
    """Ten in Berlin is nine in UTC until 29 March, then eight."""
    text_ = TUESDAYS.replace('cutoff = "24h"', 'timezone = "Europe/Berlin"')
    rows = deployed(started("a", "2026-03-24 09:00"), started("b", "2026-03-31 08:00"))
    told = ask("trains", rows, text_, engine=engine).evidence.dropna(subset=["slip"])
    assert list(told["slip"]) == [0, 0]


def test_who_missed_is_told_by_team_and_not_of_a_few_people(engine):
    owned = [
        {"team": team, "service": service, "from_day": "0001-01-01", "until_day": "9999-12-31"}
        for team, service in (("red", "a"), ("blue", "b"))
    ]
    rows = deployed(
        started("a1", "2026-03-10 10:00", service="a"),
        started("b1", "2026-03-10 10:00", service="b"),
        delivered_changes=[
            change(f"{service}{n}", "2026-03-10 10:00", 30, service, authors=(who,))
            for service, people in (("a", "xyz"), ("b", "uv"))
            for n, who in enumerate(people)
        ],
        team_services=owned,
    )
    answer = ask("trains", rows, TUESDAYS, engine=engine, least_authors=3)
    by_team = {f.team: (f.value, f.n, f.reason) for f in answer.figures if f.team}
    assert by_team == {"red": (0, 3, None), "blue": (None, 0, words.few_people(3))}


def test_none_configured_and_none_due_say_so(engine):
    none = ask("trains", deployed(started("a", "2026-03-03 10:00")), engine=engine)
    assert {figure.reason for figure in none.figures} == {text.NO_TRAINS}
    assert none.sentence == text.NEEDS_TRAINS
    later = TUESDAYS.replace("2026-01-06", "2027-01-05")
    answer = ask("trains", deployed(started("a", "2026-03-03 10:00")), later, engine=engine)
    assert answer["planned"].value == 0
    assert answer["on_time_share"].reason == text.NONE_DUE
    assert "No train was due" in answer.sentence


def test_it_is_drawn(engine):
    rows = deployed(started("a", "2026-03-03 10:00"), started("b", "2026-03-11 10:00"))
    answer = ask("trains", rows, TUESDAYS, engine=engine)
    marks = {drawn.get_gid(): len(drawn.get_offsets()) for drawn in answer.plot().collections}
    assert marks["departed"] == 2
    assert marks["skipped"] == 3
