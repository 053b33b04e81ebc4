"""Times in every form that pipelines and other products send."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dora.recording.moments import moment, written

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # 1772366400 s, by `date -u -d 2026-03-01T12:00Z +%s`


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00+01:00",
        "2026-03-01 12:00:00+0000",
        "2026-03-01 12:00:00 UTC",
        "2026-03-01T12:00:00.000000000Z",
        1772366400,
        "1772366400",
        " 1772366400 ",
        1772366400.0,
        1772366400000,
        1772366400000000,
        1772366400000000000,
        "1772366400000000000",
    ],
)
def test_seconds_to_nanoseconds_and_iso_are_the_same_instant(said: object) -> None:
    assert moment(said) == NOON


@pytest.mark.parametrize(
    ("said", "micro"),
    [
        ("1772366400.25", 250_000),
        ("1772366400123.5", 123_500),
        (1772366400000001999, 1),
        ("2026-03-01T12:00:00.123456789Z", 123_456),
    ],
)
def test_fractions_are_kept_down_to_microseconds(said: object, micro: int) -> None:
    assert moment(said) == NOON.replace(microsecond=micro)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("2026-03-01T12:00:00", "it has no time zone"),
        ("2026-03-01", "it has no time zone"),
        ("noon", "it is no time"),
        ("", "it is no time"),
        (True, "it is no time"),
        (None, "it is no time"),
        ("2026-02-30T12:00:00Z", "it is no time"),
        ("99999999999999999999", "it is no time"),
        (20260301, "it has no time zone"),
        ("20260301120000", "it is no time"),
        ("-1772366400", "it is no time"),
        ("0001-01-01T00:00:00+14:00", "it is no time"),
    ],
)
def test_what_is_no_instant_is_refused(said: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        moment(said)


def test_a_zone_may_stand_in_for_an_offset_that_is_missing() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment("2026-03-01T13:00:00", berlin) == NOON
    assert moment("2026-03-01T12:00:00Z", berlin) == NOON


SECONDS = st.integers(700_000_000, 4_000_000_000)  # 1992 to 2096


@given(SECONDS, st.integers(0, 999_999))
def test_what_is_written_is_read_back(seconds: int, micro: int) -> None:
    instant = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)
    assert moment(written(instant)) == instant
    for parts in (1, 1_000, 1_000_000, 1_000_000_000):
        assert moment(seconds * parts) == instant.replace(microsecond=0)
