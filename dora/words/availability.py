"""Release availability as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dora.words import listed, number, share
from dora.words.quality import NO_TRUNK, OF_KNOWN_TIME

if TYPE_CHECKING:
    from dora.stats.figure import Figure

__all__ = ["NO_TRUNK", "OF_KNOWN_TIME", "needs", "sentence"]

NO_TIME = "none of the window of time is over yet, or no service is in scope"
NONE_WAITING = "no change that is ready waits"
NEEDS_TRUNK = (
    "Whether we could release needs builds that say their branch; the sources github and gitlab"
    " read them, files too."
)


def needs(*, builds: bool, freezes: bool, incidents: bool) -> str:
    """What is missing, and what is therefore not looked at."""
    if not builds:
        return NEEDS_TRUNK
    missing = [
        name
        for name, there in (
            ("freezes ([[calendar.freezes]])", freezes),
            ("incidents (no source is mapped to these services)", incidents),
        )
        if not there
    ]
    return f"It knows of no {listed(missing)}." if missing else ""


def sentence(told: Mapping[str, Figure]) -> str:
    """How much of the time we could release, what stood in the way, and what waits."""
    available = told["available_share"]
    if available.value is None:
        return ""
    away = [
        f"{share(told[name].value or 0)} {words}"
        for name, words in (
            ("red_share", "the default branch was red"),
            ("frozen_share", "a freeze held"),
            ("blocked_share", "an incident was open"),
        )
        if told[name].value
    ]
    because = f": {listed(away)}" if away else ""
    longest = told["closed_longest"].value
    spell = f", {number(longest)} hours at the longest" if longest else ""
    said = f"We could have released {share(available.value)} of the known time{because}{spell}."
    unknown = told["unknown_share"].value
    rest = f" Of {share(unknown)} of the time nothing is known." if unknown else ""
    return f"{said}{rest} {_waiting(told)}"


def _waiting(told: Mapping[str, Figure]) -> str:
    waiting, oldest = told["waiting"], told["waiting_oldest"]
    if not waiting.value:
        return "No change that is ready waits."
    ready = "change that is ready waits" if waiting.value == 1 else "changes that are ready wait"
    return f"{int(waiting.value):,} {ready}, the oldest for {number(oldest.value or 0)} days."
