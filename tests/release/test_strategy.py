"""What a service follows, told from planted rhythms, on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from dora.release.strategy import follow, patches
from dora.windows import Window
from dora.words import strategy as text
from tests.metrics.harness import deployed
from tests.release.harness import ask, started

YEARS = Window(date(2024, 1, 1), date(2026, 4, 1), name="2024-01-01..2026-04-01")
START = datetime(2024, 1, 2, 10, tzinfo=UTC)  # a Tuesday


def ships(service: str, times, *, versions=None, **more):
    return [
        started(f"{service}{n}", f"{time:%Y-%m-%d %H:%M}", service=service, **more)
        | {"version": versions[n] if versions else None}
        for n, time in enumerate(times)
    ]


def follows(*services, engine=None) -> dict[str, object]:
    rows = deployed(*(row for service in services for row in service))
    told = ask("strategy", rows, engine=engine, window=YEARS).evidence
    return dict(zip(told["service"], told["follows"], strict=True))


def test_planted_ways_are_told_apart(engine):
    random = np.random.default_rng(1)
    trains = [START + timedelta(weeks=6 * n, days=int(random.integers(-3, 4))) for n in range(18)]
    monthly = [datetime(2024 + n // 12, 1 + n % 12, 5, 14, tzinfo=UTC) for n in range(26)]
    daily = [START + timedelta(days=n, hours=int(random.integers(0, 9))) for n in range(120)]
    tuesdays = [
        START + timedelta(weeks=n // 3, days=2 * (n % 2), minutes=int(random.integers(0, 240)))
        for n in range(150)
    ]
    chance = np.cumsum(random.exponential(10, 60))
    irregular = [START + timedelta(days=float(day)) for day in chance]
    few = [START + timedelta(weeks=n) for n in range(11)]
    assert follows(
        ships("trains", trains), ships("monthly", monthly), ships("daily", daily),
        ships("tuesdays", tuesdays), ships("chance", irregular), ships("few", few), engine=engine,
    ) == {
        "trains": "trains", "monthly": "trains", "daily": "continuous", "tuesdays": "windows",
        "chance": "irregular", "few": None,
    }  # fmt: skip


def test_patches_are_no_departures_and_repairs_are_nothing(engine):
    """Minor versions every six weeks, each mended after four and nine days and by a hotfix."""
    minors = [START + timedelta(weeks=6 * n) for n in range(18)]
    times = [m + timedelta(days=after) for m in minors for after in (0, 4, 9)]
    versions = [f"v3.{n}.{patch}" for n in range(18) for patch in range(3)]
    hotfixes = [m + timedelta(days=20) for m in minors]
    rows = deployed(
        *ships("shop", times, versions=versions),
        *(started(f"h{n}", f"{at:%Y-%m-%d %H:%M}", service="shop", rework_kind="hotfix")
          for n, at in enumerate(hotfixes)),
    )  # fmt: skip
    told = ask("strategy", rows, engine=engine, window=YEARS).evidence.iloc[0]
    assert (told["follows"], told["usual_days"], told["regular"]) == ("trains", 42, 1)


def test_versions_that_only_count_up_are_no_patches():
    assert list(patches(["1.34.0", "1.34.1", "v2.0.0-rc1"])) == [False, True, False]
    assert not patches(["build 7", None, "1.0.1"]).any()


def test_a_pause_that_comes_again_a_year_later_is_a_blackout():
    days = [d for d in range(800) if not (350 <= d < 365 or 715 <= d < 731)]
    us = np.array([d * 86_400_000_000 for d in days])
    found = follow("shop", us, "UTC")
    assert found.blackouts == 1
    assert found.way == "continuous"
    once = np.array([d * 86_400_000_000 for d in range(800) if not 350 <= d < 365])
    assert follow("shop", once, "UTC").blackouts == 0


def test_hours_are_those_of_the_reporting_zone():
    """Ten in Berlin, summer and winter, is one hour of the week there and two in UTC."""
    days = [datetime(2025, 1, 7, tzinfo=UTC) + timedelta(weeks=n) for n in range(52)]
    summer = (date(2025, 3, 30), date(2025, 10, 26))
    utc = [d.replace(hour=8 if summer[0] <= d.date() < summer[1] else 9) for d in days]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    us = np.array([(moment - epoch) // timedelta(microseconds=1) for moment in utc])
    assert follow("shop", us, "Europe/Berlin").hours == 1
    assert follow("shop", us, "UTC").hours == 2


def test_the_failure_rate_of_those_that_follow_a_way_goes_with_it(engine):
    daily = [START + timedelta(days=n) for n in range(40)]
    rows = ships("daily", daily[:30]) + [
        started(f"x{n}", f"{t:%Y-%m-%d %H:%M}", service="daily", failed=True)
        for n, t in enumerate(daily[30:])
    ]
    answer = ask("strategy", deployed(*rows), engine=engine, window=YEARS)
    found = answer["failure_rate_continuous"]
    assert (found.value, found.n) == (10 / 40, 40)
    assert answer["failure_rate_trains"].reason == text.NONE_JUDGED
    assert "continuously" in answer.sentence


def test_with_nothing_known_it_says_so(engine):
    answer = ask("strategy", {}, engine=engine)
    assert all(f.value is None and f.reason for f in answer.figures)
    assert text.TOO_FEW in answer.sentence


def test_it_needs_no_calendar_and_is_drawn(engine):
    rows = deployed(*ships("daily", [START + timedelta(days=n) for n in range(40)]))
    answer = ask("strategy", rows, engine=engine, window=YEARS)
    assert answer.needs == ""
    assert [label.get_text() for label in answer.plot().get_xticklabels()] == ["continuous\nn = 40"]


def test_a_day_is_told_as_people_say_it():
    assert (
        text.one("web", "continuous", 1.0, 0.9, 40)
        == "web releases continuously, usually every day."
    )
    assert text.one("web", "trains", 14.0, 0.9, 40).startswith(
        "web releases by trains, about every 14 days:"
    )
    assert text.one("web", "irregular", 1.0, 0.9, 40).endswith("between are above 1 day.")
