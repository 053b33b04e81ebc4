"""Release availability against timelines drawn by hand, on both engines."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.release.timelines import Spans
from dora.words import availability as text
from tests.metrics.harness import at, change, deployed
from tests.release.harness import SHOP, ask, main, started

MARCH = """
[[calendar.freezes]]
name = "audit"
start = 2026-02-20
until = 2026-03-03
[[calendar.freezes]]
name = "sale"
start = 2026-03-06T12:00:00
until = 2026-03-08
"""
NOW = at("2026-03-11 00:00")
# The window so far is ten days: 1 to 10 March.


def incident(name: str, detected: str, resolved: str | None, **more: Any) -> dict[str, Any]:
    return {
        "source": "pager",
        "incident": name,
        "service": "shop",
        "standing": "counts",
        "detected_at": at(detected),
        "resolved_at": at(resolved) if resolved else None,
        **more,
    }


def asked(engine, *builds: dict[str, Any], calendar: str = MARCH, as_of=NOW, **more: Any):
    tables = {**SHOP, "builds": builds, **more}
    rows = deployed(started("d", "2026-03-01 10:00"), **tables)
    return ask("availability", rows, calendar, engine=engine, as_of=as_of)


BUILDS = (
    main("a", "2026-03-01 23:50", 10, "succeeded"),
    main("b", "2026-03-04 23:50", 10, "failed"),
    main("c", "2026-03-06 23:50", 10, "succeeded"),
)
INCIDENTS = [
    incident("I1", "2026-03-07 12:00", "2026-03-09 00:00"),
    incident("I2", "2026-03-10 12:00", None),
    incident("of another", "2026-03-02 00:00", None, service="search"),
    incident("no matter", "2026-03-02 00:00", None, standing="external"),
]


def test_time_is_divided_by_what_stands_in_the_way(engine):
    """Day by day, with what comes first where several hold:

    1 unknown; 2 frozen; 3 and 4 free; 5 and 6 red; 7 frozen; 8 blocked; 9 free; 10 half blocked.
    Of nine known days 3.5 are free, 2 red, 2 frozen and 1.5 blocked.
    """
    answer = asked(engine, *BUILDS, known_incidents=INCIDENTS)
    shares = {f.name: f.value for f in answer.figures if f.name.endswith("_share")}
    assert shares == pytest.approx(
        {
            "available_share": 3.5 / 9,
            "red_share": 2 / 9,
            "frozen_share": 2 / 9,
            "blocked_share": 1.5 / 9,
            "unknown_share": 1 / 10,
        }
    )
    assert answer["red_longest"].value == pytest.approx(48)
    assert answer["closed_longest"].value == pytest.approx(4 * 24)  # 5 to 8 March
    assert answer["closed_longest"].n == 3


def test_the_parts_of_every_day_make_a_day(engine):
    told = asked(engine, *BUILDS, known_incidents=INCIDENTS).evidence
    states = ["available", "red", "frozen", "blocked", "unknown"]
    assert list(told[states].astype(float).sum(axis=1)) == [86_400] * 10
    assert list(told["unknown"]) == [86_400] + 9 * [0]
    assert list(told["blocked"]) == 7 * [0] + [86_400, 0, 43_200]


def test_a_change_is_ready_when_a_run_that_began_after_it_landed_leaves_the_trunk_green(engine):
    """It landed on the 2nd; the run of the 4th fails and the one of the 6th passes, so that it is
    ready from the 7th. One that landed after that run began is not ready yet, nor is one that is
    a bot's. Delivered on the 9th, one waited for two days and does not wait now."""
    changes = [
        change("waits", None, 24),
        change("landed too late", None, 6 * 24),
        change("of a bot", None, 24, left_out="bot"),
        change("goes", "2026-03-09 00:00", 6 * 24),
        change("went before", "2026-03-06 00:00", 24),
    ]
    answer = asked(engine, *BUILDS, delivered_changes=changes)
    assert (answer["waiting"].value, answer["waiting"].n) == (1, 2)
    assert answer["waiting_oldest"].value == pytest.approx(4)
    assert answer["waiting_mean"].value == pytest.approx((4 + 2) / 10)
    # What goes on the 9th is not there at the end of the 8th, a midnight.
    assert list(answer.evidence["waiting"]) == 5 * [0] + [2, 2, 1, 1, 1]
    assert list(answer.evidence["waiting_oldest"].dropna().astype(float)) == [
        0, 86_400, 2 * 86_400, 3 * 86_400, 4 * 86_400,
    ]  # fmt: skip


def test_at_the_end_of_a_window_that_is_over_waits_what_waited_then(engine):
    """What landed on the 10th of April, after it, was not there to wait."""
    changes = [change("waited", "2026-04-05 00:00", 30 * 24), change("later", None, 40 * 24)]
    build = main("a", "2026-03-30 23:50", 10, "succeeded")
    answer = asked(engine, build, delivered_changes=changes, as_of=at("2026-04-20 00:00"))
    assert (answer["waiting"].value, answer["waiting"].n) == (1, 1)
    assert answer["waiting_oldest"].value == pytest.approx(1)  # 31 March


def test_several_repositories_are_green_together(engine):
    """The other is known from the 3rd and red on the 9th."""
    there = {**SHOP["service_map"][0], "repository": "org/api"}
    repositories = [
        *SHOP["repositories"],
        {"repository": "org/api", "default_branch": "main"},
        {"repository": "org/docs", "default_branch": "main"},
    ]
    other = [
        main("x", "2026-03-02 23:50", 10, "succeeded", repository="org/api"),
        main("y", "2026-03-08 23:50", 10, "failed", repository="org/api"),
        main("z", "2026-03-09 23:50", 10, "succeeded", repository="org/api"),
    ]
    docs = {**there, "repository": "org/docs"}
    answer = asked(
        engine,
        *BUILDS,
        *other,
        calendar="",
        repositories=repositories,
        service_map=[*SHOP["service_map"], there, docs],
    )
    assert answer["unknown_share"].value == pytest.approx(2 / 10)
    assert answer["red_share"].value == pytest.approx(3 / 8)


def test_a_freeze_of_one_of_two_environments_is_none(engine):
    only = 'environments = ["eu"]\n'
    rows = deployed(
        *(started(e, "2026-03-01 10:00", environment=e) for e in ("eu", "us")),
        **SHOP,
        builds=BUILDS[:1],
    )
    calendar = MARCH.replace("until", f"{only}until")
    answer = ask("availability", rows, calendar, engine=engine, as_of=NOW)
    assert answer["available_share"].value == 1
    both = ask("availability", rows, MARCH, engine=engine, as_of=NOW)
    assert both["frozen_share"].value == pytest.approx(2.5 / 9)


def test_without_builds_nothing_is_known(engine):
    answer = asked(engine, known_incidents=INCIDENTS, delivered_changes=[change("c", None, 24)])
    assert answer["available_share"].reason == text.NO_TRUNK
    assert answer["unknown_share"].value == 1
    assert (answer["waiting"].value, answer["waiting"].reason) == (None, text.NO_TRUNK)
    assert answer.sentence == text.NEEDS_TRUNK
    assert list(answer.evidence["waiting"]) == 10 * [None]


def test_it_is_said_what_it_does_not_know_of(engine):
    answer = asked(engine, *BUILDS[:1], calendar="")
    assert answer.needs == "It knows of no freezes ([[calendar.freezes]])."
    axes = matplotlib.figure.Figure().subplots()
    answer.plot(axes)
    assert axes.get_ylabel().startswith("ready changes")


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


@given(spans, spans)
def test_spans_are_sets_of_moments(first, second):
    """Against sets of whole numbers."""

    def of(pairs):
        return Spans.of([a for a, _ in pairs], [b for _, b in pairs])

    def moments(pairs):
        return {moment for a, b in pairs for moment in range(a, b)}

    one, two = of(first), of(second)
    whole = np.arange(41)
    for found, expected in (
        (one, moments(first)),
        (one | two, moments(first) | moments(second)),
        (one & two, moments(first) & moments(second)),
        (one - two, moments(first) - moments(second)),
    ):
        assert set(np.flatnonzero(found.holds(whole))) == expected
        assert found.total == len(expected)
        assert list(found.before(whole)) == [len([m for m in expected if m < t]) for t in whole]
        assert (found.begins[1:] > found.ends[:-1]).all()
