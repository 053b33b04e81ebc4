"""DORA's levels, each year's as that year's report has them, and the score of its Quick Check.

The levels are clusters of survey answers, not rungs of a ladder: in 2024 the second best fails more
often than the third. So measured numbers are held against each level's whole profile, and the level
is the nearest one. Frequencies and lengths of time are placed on the survey's own six answers, from
1, the slowest, to 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
MONTH = 365.25 / 12 * DAY

LEAST_METRICS = 3
"""With fewer numbers than this there is no level: two of four can be near to anything."""

ON_DEMAND, HOURLY_DAILY, DAILY_WEEKLY, WEEKLY_MONTHLY, MONTHLY_HALF_YEARLY, RARER = 6, 5, 4, 3, 2, 1
WITHIN_HOUR, WITHIN_DAY, WITHIN_WEEK, WITHIN_MONTH, WITHIN_HALF_YEAR, LONGER = 6, 5, 4, 3, 2, 1


@dataclass(frozen=True, slots=True)
class Profile:
    """What the teams of one level answered.

    Attributes:
        frequency: How often they deploy, as one of the six answers.
        lead_time: How long a change takes, as one of the six answers.
        failure_rate: How many deployments fail, as a range of shares; both ends alike for a point.
        recovery: How long recovery takes, as one of the six answers.
    """

    frequency: int
    lead_time: int
    failure_rate: tuple[float, float]
    recovery: int


@dataclass(frozen=True, slots=True)
class Report:
    """The levels of one year.

    Attributes:
        source: Where they were published.
        profiles: Each level's profile by its name, best first.
    """

    source: str
    profiles: Mapping[str, Profile]


def _report(source: str, **profiles: Profile) -> Report:
    return Report(source, MappingProxyType(profiles))


_FEW, _SOME, _MANY = (0.0, 0.15), (0.16, 0.30), (0.46, 0.60)

REPORTS: Mapping[int, Report] = MappingProxyType(
    {
        2019: _report(
            "Accelerate State of DevOps 2019 (DORA, Google Cloud)",
            elite=Profile(ON_DEMAND, WITHIN_DAY, _FEW, WITHIN_HOUR),
            high=Profile(DAILY_WEEKLY, WITHIN_WEEK, _FEW, WITHIN_DAY),
            medium=Profile(WEEKLY_MONTHLY, WITHIN_MONTH, _FEW, WITHIN_DAY),
            low=Profile(MONTHLY_HALF_YEARLY, WITHIN_HALF_YEAR, _MANY, WITHIN_MONTH),
        ),
        2021: _report(
            "Accelerate State of DevOps 2021 (DORA, Google Cloud)",
            elite=Profile(ON_DEMAND, WITHIN_HOUR, _FEW, WITHIN_HOUR),
            high=Profile(WEEKLY_MONTHLY, WITHIN_WEEK, _SOME, WITHIN_DAY),
            medium=Profile(MONTHLY_HALF_YEARLY, WITHIN_HALF_YEAR, _SOME, WITHIN_WEEK),
            low=Profile(RARER, LONGER, _SOME, LONGER),
        ),
        2022: _report(
            "Accelerate State of DevOps Report 2022 (DORA, Google Cloud)",
            high=Profile(ON_DEMAND, WITHIN_WEEK, _FEW, WITHIN_DAY),
            medium=Profile(WEEKLY_MONTHLY, WITHIN_MONTH, _SOME, WITHIN_WEEK),
            low=Profile(MONTHLY_HALF_YEARLY, WITHIN_HALF_YEAR, _MANY, WITHIN_HALF_YEAR),
        ),
        2023: _report(
            "Accelerate State of DevOps Report 2023 (DORA, Google Cloud)",
            elite=Profile(ON_DEMAND, WITHIN_DAY, (0.05, 0.05), WITHIN_HOUR),
            high=Profile(DAILY_WEEKLY, WITHIN_WEEK, (0.10, 0.10), WITHIN_DAY),
            medium=Profile(WEEKLY_MONTHLY, WITHIN_MONTH, (0.15, 0.15), WITHIN_WEEK),
            low=Profile(WEEKLY_MONTHLY, WITHIN_MONTH, (0.64, 0.64), WITHIN_HALF_YEAR),
        ),
        2024: _report(
            "Accelerate State of DevOps Report 2024 (DORA, Google Cloud)",
            elite=Profile(ON_DEMAND, WITHIN_DAY, (0.05, 0.05), WITHIN_HOUR),
            high=Profile(DAILY_WEEKLY, WITHIN_WEEK, (0.20, 0.20), WITHIN_DAY),
            medium=Profile(WEEKLY_MONTHLY, WITHIN_MONTH, (0.10, 0.10), WITHIN_DAY),
            low=Profile(MONTHLY_HALF_YEARLY, WITHIN_HALF_YEAR, (0.40, 0.40), WITHIN_MONTH),
        ),
    }
)
"""Every year that had levels and a table of them; 2025 dropped the levels."""

NEWEST = max(REPORTS)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of the four numbers that have levels; None takes part in nothing.

    Attributes:
        frequency: Deployments of one service a week.
        lead_time: Seconds from commit to production.
        failure_rate: Share of deployments that failed.
        recovery: Seconds from failure to recovery.
        trials: How many deployments the share is of; it says how far from 0 a rate of 0 may be.
    """

    frequency: float | None = None
    lead_time: float | None = None
    failure_rate: float | None = None
    recovery: float | None = None
    trials: int | None = None


METRICS = ("frequency", "lead_time", "failure_rate", "recovery")
"""What has levels, by the names of `Measured` and `Profile`."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The level that measured numbers come nearest to.

    Attributes:
        year: The year of the report.
        levels: The nearest level; several, best first, where they are equally near; none where
            fewer than three numbers were measured.
        distances: How far each level is: the mean over the measured numbers.
        parts: How far each level is in each measured number.
    """

    year: int
    levels: tuple[str, ...]
    distances: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class QuickCheck:
    """The score that dora.dev's Quick Check would give.

    Attributes:
        scores: 0 to 10 for each measured number.
        score: Their mean; None where nothing was measured.
    """

    scores: Mapping[str, float]
    score: float | None


def frequency_band(per_week: ArrayLike) -> NDArray[np.float64]:
    """Which of the survey's six answers a frequency is; NaN for none.

    The answers are read literally: once a day up to once an hour is 5, from once an hour on it is
    6, "on demand". A frequency on the border of two answers is the better one.
    """
    import numpy as np

    edges = WEEK / np.array([6 * MONTH, MONTH, WEEK, DAY, HOUR])
    found = np.asarray(per_week, float)
    return np.where(np.isnan(found), np.nan, 1 + np.searchsorted(edges, found, side="right"))


def length_band(seconds: ArrayLike) -> NDArray[np.float64]:
    """Which of the survey's six answers a length of time is, 6 below an hour; NaN for none.

    A length on the border of two answers is the longer one, as "less than a day" excludes a day;
    six months themselves are still "1–6 months".
    """
    import numpy as np

    found = np.asarray(seconds, float)
    passed = np.searchsorted([HOUR, DAY, WEEK, MONTH], found, side="right")
    return np.where(np.isnan(found), np.nan, 6 - passed - (found > 6 * MONTH))


def rate_distance(share: float, low: float, high: float, trials: int | None = None) -> float:
    """How far a rate is from a range of rates, in doublings of the odds; 0 inside.

    Nothing failed and everything failed have no odds. They count as half a failure more, or less,
    than was seen (Haldane, Annals of Human Genetics 1956), of `trials` or else of 1,000. More
    failures than trials, where incidents are counted, are as far as everything.
    """
    share = min(share, 1.0)
    if share in (0.0, 1.0) and not low <= share <= high:
        n = 1000 if trials is None else trials
        share = (share * n + 0.5) / (n + 1)
    if low <= share <= high:
        return 0.0
    edge = low if share < low else high
    return abs(_log_odds(share) - _log_odds(edge)) / math.log(2)


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def rate_band(share: float, year: int, trials: int | None = None) -> tuple[float, float]:
    """The failure rate, among those that a year's levels have, that a rate is nearest to."""
    ranges = sorted({profile.failure_rate for profile in REPORTS[year].profiles.values()})
    return min(ranges, key=lambda ends: rate_distance(share, ends[0], ends[1], trials))


def nearest(measured: Measured, year: int = NEWEST) -> Nearest:
    """The level whose profile is nearest: smallest mean absolute difference of the answers.

    A failure rate differs by its log-odds ÷ ln 2, so that twice the odds are as far as one answer.

    Args:
        measured: What was measured.
        year: Whose levels, a key of `REPORTS`.
    """
    parts = {
        level: _differences(measured, profile) for level, profile in REPORTS[year].profiles.items()
    }
    used = len(next(iter(parts.values())))
    if used < LEAST_METRICS:
        return Nearest(year, (), {}, parts)
    distances = {level: sum(of.values()) / used for level, of in parts.items()}
    least = min(distances.values())
    tied = tuple(
        level for level, far in distances.items() if math.isclose(far, least, abs_tol=1e-9)
    )
    return Nearest(year, tied, distances, parts)


def _differences(measured: Measured, profile: Profile) -> dict[str, float]:
    found = {name: abs(band - getattr(profile, name)) for name, band in answers(measured).items()}
    if measured.failure_rate is not None:
        found["failure_rate"] = rate_distance(
            measured.failure_rate, *profile.failure_rate, measured.trials
        )
    return found


def answers(measured: Measured) -> dict[str, float]:
    """The survey's answers that measured frequencies and lengths of time are, from 1 to 6."""
    found: dict[str, float] = {}
    if measured.frequency is not None:
        found["frequency"] = float(frequency_band(measured.frequency))
    if measured.lead_time is not None:
        found["lead_time"] = float(length_band(measured.lead_time))
    if measured.recovery is not None:
        found["recovery"] = float(length_band(measured.recovery))
    return found


def quick_check(measured: Measured) -> QuickCheck:
    """The score that dora.dev's Quick Check gives: 0 to 10 by answer, a rate p is 10 - p/10.

    A rate of incidents that passes 100 % is 0, the least there is.
    """
    scores = {name: 2 * (band - 1) for name, band in answers(measured).items()}
    if measured.failure_rate is not None:
        scores["failure_rate"] = 10 * (1 - min(measured.failure_rate, 1.0))
    return QuickCheck(scores, sum(scores.values()) / len(scores) if scores else None)
