"""A number as it is told: with its interval, its n, and the reason where there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an analysis.

    Attributes:
        name: What it is, such as `inside_share`.
        value: The number; None where there is none, with the reason.
        unit: share, seconds, days, or words that follow the number.
        n: How many records are behind it.
        low: Low end of its 95 % interval, where it has one.
        high: High end of its 95 % interval.
        reason: Why there is no value.
        note: What to mind when reading it, such as that it is confounded.
        team: The team it is of; None for all in scope.
    """

    name: str
    value: float | None
    unit: str
    n: int
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    note: str | None = None
    team: str | None = None
