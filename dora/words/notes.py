"""What to mind when reading the numbers, as words: notes, not blame."""

from __future__ import annotations

from collections.abc import Sequence

from dora.words import count, listed, share

SOON = "ten minutes"

UNSEEN = (
    "Not seen here: labels that were taken off and severities that were changed later, as sources "
    "tell those of today, and failures that nobody wrote down."
)
"""What no note can tell of."""


def redeployed(same: int, empty: int, total: int, without: str) -> str:
    """Deployments that brought nothing.

    Args:
        same: How many shipped the commit that was there already.
        empty: How many shipped another with nothing new in it.
        total: How many deployments there were.
        without: The frequency without them.
    """
    part = same + empty
    if not empty:
        what = "they shipped the commit that was there already"
    elif not same:
        what = "they shipped a commit with nothing new in it"
    else:
        what = (
            f"{same:,} shipped the commit that was there already, and {empty:,} shipped a commit "
            "with nothing new in it"
        )
    return (
        f"{part:,} of {count(total, 'deployment')} ({share(part / total)}) brought nothing new: "
        f"{what}. Without them the frequency would be {without}."
    )


def bursts(part: int, total: int, without: str) -> str:
    """Deployments in bursts: what one deployment could have brought came as several."""
    return (
        f"{part:,} of {count(total, 'deployment')} ({share(part / total)}) followed within {SOON} "
        "of the one before, of the same service and environment. Counted as one with it, the "
        f"frequency would be {without}."
    )


def reopened(part: int, total: int, *, last_close: bool) -> str:
    """Incidents that were opened again."""
    until = (
        "Their recovery lasts until the last close."
        if last_close
        else "Their recovery lasts until the first close, as the rules ask; what came after is in "
        "no number."
    )
    verb = "was" if part == 1 else "were"
    return f"{part:,} of {count(total, 'incident')} {verb} closed and opened again. {until}"


def tail(now: str, before: str, waiting: int, waiting_before: int, long: str) -> str:
    """A median that fell while old changes wait, which it does not see.

    Args:
        now: The median.
        before: The median before.
        waiting: How many changes waited, when the window ended, for longer than was usual.
        waiting_before: How many did when the window before ended.
        long: Longer than this is longer than nine in ten took before.
    """
    waited = "1 change waits" if waiting == 1 else f"{waiting:,} changes wait"
    return (
        f"The median lead time fell from {before} to {now}, and it holds delivered changes only: "
        f"{waited} for longer than {long}, which nine in ten did not take before; at the end of "
        f"the window before it was {waiting_before:,}."
    )


def partner(better: Sequence[str], worse: Sequence[str]) -> str:
    """Speed and stability that went opposite ways."""
    return (
        f"{_capital(listed(better, most=5))} got better while {listed(worse, most=5)} got worse: "
        "see whether the one was paid for with the other."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
