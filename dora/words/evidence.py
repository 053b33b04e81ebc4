"""Evidence as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dora.words import count, listed
from dora.words.release import NO_FREEZES, NO_WINDOWS, NOTHING_STARTED, estimate
from dora.words.staging import NO_STAGING

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NAMES = {
    "reviewed": "approved before merge",
    "checks": "checks green",
    "staging": "staging first",
    "window": "in its window",
    "freeze": "not in a freeze",
    "linked": "linked",
}
REASONS = {
    "reviewed": "nothing was delivered",
    "checks": NOTHING_STARTED,
    "staging": NO_STAGING,
    "window": NO_WINDOWS,
    "freeze": NO_FREEZES,
    "linked": "nothing was delivered",
}
NOT_KNOWN = "of no deployment is it known"


def unknown(n: int) -> str | None:
    """How many of those that did not pass are unknown."""
    return f"unknown for {count(n, 'deployment')}, which does not pass" if n else None


def needs(lacking: Sequence[str]) -> str:
    """What else would be looked at if it were configured."""
    if not lacking:
        return ""
    said = listed(lacking, most=len(lacking))
    return f"More can be controlled with {said} in dora.toml."


def sentence(told: Mapping[str, Figure], controls: Sequence[str]) -> str:
    """How many deployments passed all controls, and each."""
    complete = told["complete_share"]
    if complete.value is None:
        return f"Nothing to say: {complete.reason}."
    known = {control: told[f"{control}_share"] for control in controls}
    parts = [_part(NAMES[c], f) for c, f in known.items() if f.n]
    of = count(complete.n, "deployment")
    whole = f"{estimate(complete)} of {of} passed every control that there is."
    return f"{whole} {'; '.join(parts).capitalize()}." if parts else whole


def _part(name: str, figure: Figure) -> str:
    """A share, and of how many it is not known: nobody is to take those for refused."""
    if figure.value is None:
        return f"{name} unknown for all"
    return f"{name} {estimate(figure)}{f', {figure.note}' if figure.note else ''}"
