"""Goals as words: met, missed, or not to be told yet."""

from __future__ import annotations

MET, MISSED, OPEN = "met", "missed", "cannot be told yet"

FEW = "too few records for an interval"
REACHES = "its interval reaches to both sides of the goal"


def sentence(title: str, state: str, goal: str, figure: str, reason: str | None) -> str:
    """Whether a number meets its goal.

    Args:
        title: The metric.
        state: `met`, `missed` or `cannot be told yet`.
        goal: The goal, as text.
        figure: The value with its interval, as text.
        reason: Why it cannot be told.
    """
    if state == MET:
        return f"{title} meets its goal of {goal}: {figure}."
    if state == MISSED:
        return f"{title} misses its goal of {goal}: {figure}."
    return (
        f"Whether {title.lower()} meets its goal of {goal} cannot be told yet: {figure}, {reason}."
    )


def short(state: str, goal: str) -> str:
    """The same for a table: `2 d: met`."""
    return f"{goal}: {state}"
