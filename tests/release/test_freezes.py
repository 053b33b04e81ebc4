"""Freezes against rows worked out by hand, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from dora.words import release as words
from tests.metrics.harness import at, change, deployed
from tests.release.harness import ask, delivering, started

MARCH = """
[[calendar.freezes]]
name = "audit"
start = 2026-03-10
until = 2026-03-15
exempt = ["Emergency"]
"""
# Frozen: 10 to 14 March. As long before: 5 to 9 March. Thaw: 15 to 19 March.


def incident(
    name: str, detected: str, resolved: str | None, service: str = "shop"
) -> dict[str, Any]:
    return {
        "source": "pager",
        "incident": name,
        "service": service,
        "standing": "counts",
        "detected_at": at(detected),
        "resolved_at": at(resolved) if resolved else None,
    }


def labelled(name: str, labels: str) -> dict[str, Any]:
    return {"source": "ci", "id": name, "environment": "production", "labels": labels}


def test_what_goes_out_in_a_freeze_is_a_violation_unless_something_excuses_it(engine):
    rows = deployed(
        started("first instant", "2026-03-10 00:00"),
        started("plain", "2026-03-11 10:00"),
        started("labelled", "2026-03-12 10:00"),
        started("repair", "2026-03-13 10:00", rework_kind="hotfix"),
        started("amid", "2026-03-14 10:00"),
        started("just over", "2026-03-14 12:00"),
        started("first instant after", "2026-03-15 00:00"),
        deployments=[labelled("labelled", "night,emergency"), labelled("plain", "emergency room")],
        known_incidents=[incident("I1", "2026-03-14 09:00", "2026-03-14 12:00")],
    )
    answer = ask("freezes", rows, MARCH, engine=engine)
    # first instant, plain and just over: three of six that went out in it
    assert answer["violations"].value == 3
    assert answer["exemptions"].value == 3
    assert answer["violation_share"].value == 0.5
    assert list(answer.evidence["deployment"]) == [
        "first instant", "plain", "labelled", "repair", "amid", "just over",
    ]  # fmt: skip
    assert (answer["freezes"].value, answer["freeze_days"].value) == (1, 5)


def test_in_two_freezes_at_once_both_have_to_excuse_it(engine):
    other = MARCH.replace("audit", "sale").replace('exempt = ["Emergency"]\n', "")
    rows = deployed(started("d", "2026-03-12 10:00"), deployments=[labelled("d", "emergency")])
    answer = ask("freezes", rows, MARCH + other, engine=engine)
    assert (answer["violations"].value, answer["violations"].n) == (1, 1)


def test_incidents_in_it_are_held_against_as_much_time_before(engine):
    """One in five days against two in five: half as many.

    Given three in all, each falls into either half alike: the exact interval of Clopper and
    Pearson for 1 of 3 is 0.84 % to 90.57 %, as odds 0.0085 to 9.606.
    """
    rows = deployed(
        started("d", "2026-03-04 10:00"),
        known_incidents=[
            incident("in", "2026-03-12 10:00", None),
            incident("before", "2026-03-05 00:00", "2026-03-05 01:00"),
            incident("before too", "2026-03-09 23:00", "2026-03-12 01:00"),
            incident("long before", "2026-03-04 23:00", "2026-03-05 01:00"),
            incident("after", "2026-03-15 00:00", None),
            incident("of another", "2026-03-12 10:00", None, "search"),
        ],
    )
    found = ask("freezes", rows, MARCH, engine=engine)["incident_ratio"]
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.0085, 9.606), rel=0.01)
    assert found.n == 3


def test_time_of_services_whose_incidents_are_not_known_is_not_counted(engine):
    """One incident in the five frozen days and one in the five before is a ratio of one. The other
    service is frozen from the 5th until the 8th, too: eight days against five, the 2nd to 4th and
    the 8th and 9th. As nobody would know of its incidents, it is in neither."""
    early = MARCH.replace("audit", "early").replace("03-10", "03-05").replace("03-15", "03-08")
    text = f'{MARCH}{early}services = ["other"]\n'
    rows = deployed(
        started("d", "2026-03-04 10:00"),
        started("o", "2026-03-04 10:00", service="other", covered=False),
        known_incidents=[
            incident("I1", "2026-03-06 00:00", None),
            incident("I2", "2026-03-12 00:00", None),
        ],
    )
    found = ask("freezes", rows, text, engine=engine)["incident_ratio"]
    assert found.value == pytest.approx(1)


def test_incidents_of_nobody_known_are_no_good_sign(engine):
    rows = deployed(started("d", "2026-03-04 10:00", covered=False))
    found = ask("freezes", rows, MARCH, engine=engine)["incident_ratio"]
    assert (found.value, found.reason) == (None, words.NO_INCIDENT_SOURCE)


def test_changes_that_land_in_it_wait_for_its_end_or_are_delivered_all_the_same(engine):
    """From 12 March until the 15th is three days; from the 13th to a delivery on the 14th one."""
    rows = deployed(
        started("d", "2026-03-14 00:00"),
        delivered_changes=[
            change("waits", None, 11 * 24),
            change("goes", "2026-03-14 00:00", 24),
            change("landed before", "2026-03-14 00:00", 5 * 24),
        ],
    )
    found = ask("freezes", rows, MARCH, engine=engine)["change_days_waited"]
    assert (found.value, found.n) == (pytest.approx(4), 2)


def test_what_can_go_out_elsewhere_does_not_wait(engine):
    """One environment is frozen from the 12th until the 15th, the other until the 14th, a third
    never. Of a service of the first two the change of the 12th waits for two days."""
    short = MARCH.replace("audit", "sale").replace("until = 2026-03-15", "until = 2026-03-14")
    text = f'{MARCH}environments = ["eu"]\n{short}environments = ["us"]\n'
    waits = [change("waits", None, 11 * 24)]
    for places, expected in ((("eu", "us"), (2, 1)), (("eu", "us", "canada"), (None, 0))):
        rows = deployed(
            *(started(name, "2026-03-04 10:00", environment=name) for name in places),
            delivered_changes=waits,
        )
        found = ask("freezes", rows, text, engine=engine)["change_days_waited"]
        assert (found.value or None, found.n) == expected


def test_what_goes_out_in_the_thaw_is_larger_and_fails_more(engine):
    thaw = [started(f"t{n}", f"2026-03-{15 + n} 10:00", failed=n < 2) for n in range(4)]
    usual = [started(f"u{n}", f"2026-03-{20 + n} 10:00", failed=n < 1) for n in range(10)]
    sizes = {f"t{n}": 9 for n in range(4)} | {f"u{n}": 2 for n in range(10)}
    answer = ask("freezes", deployed(*thaw, *usual, **delivering(sizes)), MARCH, engine=engine)
    assert answer["batch_thaw"].value == 9
    assert answer["batch_otherwise"].value == 2
    assert answer["failure_rate_thaw"].value == 2 / 4
    assert answer["failure_rate_otherwise"].value == 1 / 10
    assert answer["thaw_difference"].value == pytest.approx(0.4)


def test_a_freeze_over_a_change_of_clocks_has_an_hour_less(engine):
    text = """
[[calendar.freezes]]
name = "spring"
start = 2026-03-28
until = 2026-03-30
timezone = "Europe/Berlin"
"""
    answer = ask("freezes", deployed(started("d", "2026-03-29 22:30")), text, engine=engine)
    assert answer["freeze_days"].value == pytest.approx(47 / 24)
    assert answer["violations"].n == 0  # it is the 30th in Berlin


def test_a_freeze_that_goes_on_has_no_thaw_and_waits_are_counted_so_far(engine):
    text = MARCH.replace("2026-03-15", "2026-05-01")
    rows = deployed(
        started("d", "2026-03-04 10:00"), delivered_changes=[change("waits", None, 11 * 24)]
    )
    answer = ask("freezes", rows, text, engine=engine, as_of=at("2026-03-22 00:00"))
    assert answer["change_days_waited"].value == pytest.approx(10)  # 12 to 22 March
    assert answer["batch_thaw"].value is None


def test_freezes_of_others_do_not_hold(engine):
    answer = ask(
        "freezes", deployed(started("d", "2026-03-12 10:00")), f'{MARCH}services = ["x"]\n'
    )
    assert {figure.reason for figure in answer.figures} == {words.NO_FREEZES}
    assert answer.sentence == words.NEEDS_FREEZES


def test_without_any_it_says_what_it_needs(engine):
    answer = ask("freezes", {}, engine=engine)
    assert answer.frame["value"].isna().all()
    assert "[[calendar.freezes]]" in answer.sentence


def test_a_window_without_a_freeze_is_told_so(engine):
    text = MARCH.replace("2026-03", "2026-02")
    answer = ask("freezes", deployed(started("d", "2026-03-12 10:00")), text, engine=engine)
    assert answer["freezes"].value == 0
    assert "No freeze began" in answer.sentence


def test_it_is_drawn(engine):
    rows = deployed(started("t", "2026-03-16 10:00"), started("u", "2026-03-25 10:00"))
    drawn = ask("freezes", rows, MARCH, engine=engine).plot(theme="dark")
    assert len(drawn.get_xticklabels()) == 2
