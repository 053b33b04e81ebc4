"""Calendars that ask what is easily got wrong: clocks that change, nights, overlaps, places."""

from __future__ import annotations

from datetime import timedelta

from tests.oracle.releases.almanac import Almanac, Entry

CAIRO = "Africa/Cairo"
HOUR = timedelta(hours=1)

CALENDARS = {
    # Cairo's clocks go forward at midnight before 24 April.
    "by Cairo's clock": Almanac(
        windows=(
            Entry("days", "2026-01-06T10:00:00", CAIRO, (1, 3), 6 * HOUR),
            Entry("night", "2026-01-06T22:00:00", "UTC", (1, 2), 9 * HOUR, services=("story-1*",)),
            Entry("eu", "2026-01-08T08:00:00", "UTC", (3,), 5 * HOUR, environments=("prod-eu",)),
        ),
        freezes=(
            Entry(
                *("audit", "2026-04-24T20:00:00", CAIRO),
                until="2026-04-26T00:00:00",
                exempt=("emergency",),
            ),
            Entry(
                *("sale", "2026-04-25T12:00:00", CAIRO),
                lasts=30 * HOUR,
                services=("story-4", "story-1*"),
            ),
            Entry("hush", "2026-04-24T06:00:00", CAIRO, lasts=6 * HOUR, services=("unheard",)),
        ),
        trains=(Entry("weekly", "2026-01-06T12:00:00", CAIRO, (1, 4), cutoff=24 * HOUR),),
        checks=("test", "li*"),
    ),
    "nights that touch": Almanac(
        windows=(
            Entry("night", "2026-01-05T20:00:00", CAIRO, tuple(range(7)), 4 * HOUR),
            Entry("after", "2026-01-06T00:00:00", CAIRO, (1, 3, 4), 5 * HOUR),
            Entry("once", "2026-04-27T03:00:00", "UTC", lasts=40 * HOUR, services=("story-3*",)),
        ),
        freezes=(
            Entry(
                *("weekly", "2026-01-04T22:00:00", "UTC", (6, 2)),
                lasts=14 * HOUR,
                environments=("production", "prod-us"),
                exempt=("risky",),
            ),
            Entry("rest", "2026-04-23T22:00:00", "UTC", lasts=50 * HOUR, services=("story-6*",)),
        ),
        trains=(
            Entry(
                *("night train", "2026-01-05T00:30:00", CAIRO, (0, 3, 4)),
                cutoff=3 * HOUR,
                tolerance=10 * HOUR,
                services=("story-1*", "story-3*", "trio"),
            ),
            Entry(
                *("to Europe", "2026-04-22T09:00:00", "UTC", (2, 4)),
                tolerance=2 * HOUR,
                environments=("prod-eu",),
            ),
        ),
    ),
    "none": Almanac(office=(0, 12)),
}
