"""Flags as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dora.words import count, number
from dora.words.release import estimate

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NEEDS_FLAGS = "Nothing can be said of flags without their changes; a source of files reads them."
NEEDS_LABELS = (
    "Of no delivered change it is known which flag it is behind; label pull requests with flag:KEY."
)
NO_FLAGS = "no change of a flag of these services is known"
NONE_DELIVERED = "no change was delivered"
NONE_FLAGGED = "of no delivered change it is known which flag it is behind"
NONE_STALE = "no flag is stale"
NONE_RESOLVED = "no incident was over"
NOT_REACHED = "not reached: more than half of them are not over"


def still(n: int) -> str:
    """How many are not over yet."""
    return f"{n:,} not over yet, counted for as long as they have been there"


def sentence(told: Mapping[str, Figure]) -> str:
    """When what is deployed is released, what flags are owed, and what they mend."""
    said = [_dark(told), _debt(told), _mended(told)]
    return " ".join(one for one in said if one)


def _dark(told: Mapping[str, Figure]) -> str:
    deployed, released = told["deployed_median"], told["released_median"]
    if deployed.value is None:
        return ""
    then = estimate(released) if released.value is not None else "not yet for more than half"
    return (
        f"Of {count(deployed.n, 'change')} behind flags half were deployed after"
        f" {estimate(deployed)}, and released after {then};"
        f" {int(told['dark_now'].value or 0):,} are dark."
    )


def _debt(told: Mapping[str, Figure]) -> str:
    flags, stale = told["flags"], told["stale_share"]
    if not flags.value:
        return ""
    there = f"{count(int(flags.value), 'flag')} {'is' if flags.value == 1 else 'are'} there"
    oldest = told["stale_oldest"].value
    age = f", the oldest of them {number(oldest)} days old" if oldest else ""
    return f"{there}; {estimate(stale)} are stale{age}."


def _mended(told: Mapping[str, Figure]) -> str:
    found = told["switched_off_1h"]
    if found.value is None:
        return ""
    return (
        f"{estimate(found)} of {count(found.n, 'incident')} ended within an hour after a flag of"
        " their service was turned off."
    )
