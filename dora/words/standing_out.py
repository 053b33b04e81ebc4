"""Signals, changes of level and trends, as sentences to be read aloud.

A signal is a reason to ask, never a cause.
"""

from __future__ import annotations

from collections.abc import Sequence

from dora.words import count, listed


def too_few(periods: int, records: int, noun: str, least: int) -> str:
    """Why there are no limits."""
    return (
        f"{count(periods, 'whole period')} with a value and {count(records, noun)} are too few "
        f"to tell signal from noise; {least} are needed"
    )


def doubtful(reasons: Sequence[str]) -> str:
    """Why nothing is told: the record cannot be trusted."""
    why = f": {listed(list(reasons))}" if reasons else ""
    return f"too much of the record is missing or wrong{why}"


def nothing(title: str, reason: str | None) -> str:
    """There are no limits, and so no signals."""
    return f"{title}: nothing can be said of signals, as {reason}."


def points(noun: str, number: int) -> str:
    """How many points there are, and of what: `24 weeks`, `31 gaps between deployments`."""
    head, space, tail = noun.partition(" between")
    return f"{count(number, head)}{space}{tail}"


def point(when: str, value: str, side: str, verdict: str) -> str:
    """A point beyond its limits: `2026-W13 (5.2 d, above its limits: worse)`."""
    return f"{when} ({value}, {side} its limits: {verdict})"


def shift(earliest: str, latest: str, before: str, after: str, *, better: bool) -> str:
    """A change of level: `between 2026-03-02 and 2026-03-15 from 2.1 d to 4 d, for the worse`."""
    way = "better" if better else "worse"
    when = f"on {earliest}" if earliest == latest else f"between {earliest} and {latest}"
    return f"{when} from {before} to {after}, for the {way}"


def summary(
    title: str, all_points: str, signals: Sequence[str], shifts: Sequence[str], usual: str
) -> str:
    """What stands out of a series, and when its level changed.

    Args:
        title: The metric.
        all_points: How many points there are, and of what.
        signals: The points beyond their limits.
        shifts: The changes of level.
        usual: The level at the end.
    """
    moved = f" Its level changed {listed(list(shifts), most=9)}." if shifts else ""
    if not signals:
        still = "within the limits of each level" if shifts else f"within chance around {usual}"
        return f"{title}: nothing stands out; all of {all_points} lie {still}.{moved}"
    verb = "stands" if len(signals) == 1 else "stand"
    told = listed(list(signals), most=5)
    return (
        f"{title}: of {all_points}, {told} {verb} out beyond chance; a reason to ask, "
        f"not a cause.{moved}"
    )


def no_trend(title: str, reason: str) -> str:
    """Whether there is a trend cannot be said."""
    return f"{title}: nothing can be said of a trend, as {reason}."


def too_short(number: int, grain: str, least: int) -> str:
    """Why there is no trend."""
    return f"{count(number, f'whole {grain}')} with a value are too few; {least} are needed"


def trend(title: str, verdict: str, slope: str, ends: tuple[str, str], over: str) -> str:
    """Whether a number moves steadily in one direction.

    Args:
        title: The metric.
        verdict: better, worse or no evidence.
        slope: The usual step from one period to the next, as text.
        ends: The interval of that step.
        over: How many periods there are.
    """
    low, high = ends
    if verdict == "no evidence":
        return (
            f"{title}: no evidence of a steady trend over {over}; from one to the next the usual "
            f"step is plausibly between {low} and {high}."
        )
    return (
        f"{title} gets steadily {verdict} over {over}: {slope} from one to the next "
        f"(plausibly between {low} and {high})."
    )


def alike(title: str, over: str) -> str:
    """Many periods have one and the same value, so that there is no usual step."""
    return f"{title}: no evidence of a steady trend over {over}, many of which are alike."


def step(value: float, unit: str) -> str:
    """A step from one period to the next: `+3.1 %`, `−0.4 points`, `+0.2 deployments`."""
    shown = f"{abs(value) * 100:.1f}" if unit in ("seconds", "share") else f"{abs(value):.2f}"
    shown = shown.rstrip("0").rstrip(".") or "0"
    sign = "±" if shown == "0" else "+" if value > 0 else "−"
    return f"{sign}{shown} {({'seconds': '%', 'share': 'points'}).get(unit, unit)}"
