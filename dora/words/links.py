"""What an incident was put down to, and why a deployment failed or did not, as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dora.words import duration, length, missing

if TYPE_CHECKING:
    from dora.rules import Rules

STATED_ONLY = "stated links only"

REPAIRS = {
    "stated": "says that it repairs it",
    "rollback": "rolled it back",
    "revert": "reverted a change of it",
    "hotfix": "brought a hotfix",
}
"""What a repair did, by the rule that tells so."""

ATTEMPTS = {
    "failed": "the attempt failed",
    "cancelled": "the attempt was cancelled",
    "running": "the attempt had not ended",
}


def within(window: str) -> str:
    """A failure window that was tried: `window of 6 h`."""
    return f"window of {window[:-1]} {window[-1]}"


def in_force(rules: Rules) -> str:
    """The failure window of the rules in force."""
    return f"as it is (window {length(rules.failure_window)})"


def apart(seconds: Any) -> str:
    """How far a deployment is from what speaks of it: `35 min after it`, `2 h before it`."""
    if missing(seconds):
        return ""
    if not seconds:
        return ", at the same moment"
    side = "after" if seconds > 0 else "before"
    return f", {duration(abs(float(seconds)))} {side} it finished"


def evidence(row: Mapping[str, Any]) -> str:
    """One piece of evidence in a sentence's part: `incident I-1 (window), 35 min after it`."""
    if not missing(row["incident"]):
        told = "names it" if row["rule"] == "stated" else "followed it"
        return f"incident {row['incident']} {told}{apart(row['seconds'])}"
    if not missing(row["repaired_by"]):
        return f"{row['repaired_by']} {REPAIRS[row['rule']]}{apart(row['seconds'])}"
    return "it carries a failure label"


def why(row: Mapping[str, Any], judged_after: str) -> str:
    """Why a deployment is failed, fine, pending or not judged.

    Args:
        row: standing, status, and one piece of evidence: rule, incident, repaired_by, seconds,
            decides; all of that empty where there is none.
        judged_after: The age at which a deployment is judged.
    """
    said = "" if missing(row["rule"]) else evidence(row)
    if said and not row["decides"]:
        said = f"a stronger rule decides otherwise, though {said}"
    if row["standing"] == "not judged":
        told = ATTEMPTS.get(row["status"], "no incident source covers its service")
    elif row["standing"] == "pending":
        told = f"younger than {judged_after}"
    else:
        told = "" if said else "nothing speaks against it"
    return "; ".join(part for part in (told, said) if part)


def unknown(noun: str, name: str) -> str:
    """What to say of an id that is nowhere."""
    return f"There is no {noun} {name!r} in the record."
