"""What a text says caused an incident; of the text nothing else is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

CAUSED_BY = (
    r"(?i)\b(?:caused|introduced|broken)\s+by:?\s+(?:the\s+)?"
    r"(?:(?:commit|change|pull\s+request|merge\s+request|release)\s+)?"
    r"(?:\[[^|\]\n]*\|)?<?"
    r"(https?://[^\s<>)\]|]+"  # the address of a deployment, commit or pull request
    r"|[\w.-]+(?:/[\w.-]+)+#\d+"
    r"|[0-9a-f]{7,64}\b"
    r"|deploy(?:ment)?\s+[\w.:/#-]+)"
)
"""Finds `caused by` and what follows; its first group is the cause."""

_COMMIT = re.compile(r"https?://\S+?/commits?/([0-9a-f]{7,64})\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"https?://([^/\s]+/\S+?)/(?:pull|-/merge_requests|merge_requests|pull-requests)/(\d+)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"deploy(?:ment)?\s+", re.IGNORECASE)
_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Causes:
    """Finds causes in texts.

    Attributes:
        pattern: Expression whose first group is the cause.
    """

    pattern: str = CAUSED_BY

    def stated(self, *texts: str | None) -> set[str]:
        """The causes that texts state, in the form that facts have."""
        found = (m[1] for text in texts for m in re.finditer(self.pattern, text or ""))
        return {cause(one) for one in found if one}


def cause(stated: str) -> str:
    """A deployment's id or address, a commit, or repository#number, out of what refers to it."""
    stated = _NAMED.sub("", stated.strip().strip("<>"), count=1).rstrip(".,;:)]")
    if commit := _COMMIT.match(stated):
        return commit[1].lower()
    if request := _REQUEST.match(stated):
        return f"{request[1]}#{request[2]}"
    return stated.lower() if _SHA.fullmatch(stated) else stated


def pattern_fault(pattern: str) -> str | None:
    """Why an expression cannot find causes; None where it can."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return None if groups else f"{pattern!r} has no group that would be the cause"
