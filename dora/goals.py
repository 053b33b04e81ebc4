"""What an organisation aims at: a goal for a metric, of everything, of a service or of a team."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dora.errors import ConfigError
from dora.rules import duration

KINDS = {
    "deployment_frequency": "frequency",
    "lead_time": "length",
    "change_failure_rate": "share",
    "time_to_restore": "length",
    "rework_rate": "share",
}
"""The metrics that can have a goal, and what it is written as."""

ALIASES = {
    "change_lead_time": "lead_time",
    "change_fail_rate": "change_failure_rate",
    "failed_deployment_recovery_time": "time_to_restore",
    "deployment_rework_rate": "rework_rate",
}
"""Other names that a goal's metric may be called by."""

EXAMPLES = {"frequency": "5/week", "length": "2d", "share": "10%"}
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_FREQUENCY = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/|per)\s*(day|week|month|year)", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Goal:
    """A number to reach.

    Attributes:
        metric: The metric's name.
        target: In the metric's own unit: deployments of a service a week, seconds, or a share.
        service: The service it is of; None for any.
        team: The team it is of; None for any.
    """

    metric: str
    target: float
    service: str | None = None
    team: str | None = None


def target(metric: str, text: object) -> float:
    """A goal as it is written, such as `2d`, `10%` or `5/week`, in the metric's own unit.

    Raises:
        ValueError: It is not written so, or cannot be reached.
    """
    kind = KINDS[metric]
    read = {"frequency": _frequency, "length": _length, "share": _share}[kind]
    value = read(text.strip()) if isinstance(text, str) else None
    if value is None:
        raise ValueError(f'{text!r} is no goal for it; write it like "{EXAMPLES[kind]}"')
    if value <= 0:
        raise ValueError("a goal of nothing can never be seen to be met; write a small number")
    if kind == "share" and value > 1:
        raise ValueError("a share is at most 100%")
    return value


def _frequency(text: str) -> float | None:
    found = _FREQUENCY.fullmatch(text)
    return float(found[1]) * 7 / _DAYS[found[2].lower()] if found else None


def _length(text: str) -> float | None:
    try:
        return duration(text).total_seconds()
    except ConfigError:
        return None


def _share(text: str) -> float | None:
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else None
