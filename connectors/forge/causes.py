"""What a text says an incident was caused by, in the form that facts have."""

from __future__ import annotations

import re

CAUSED_BY = (
    r"\b(?:caused|introduced|broken)\s+by:?\s+(?:deployment\s+|commit\s+|release\s+)?"
    r"(?:\[[^\]]*\]\()?<?`?"
    r"(https?://[^\s<>)\]`]+|(?:[\w.-]+/)*[\w.-]+[#!]\d+|[#!]\d+|[0-9a-f]{7,64}\b)"
)
"""Caused by, introduced by or broken by: an address, a pull or merge request, or a commit."""

_COMMIT = re.compile(r"https?://[^/\s]+/.+/commits?/([0-9a-f]{7,64})\b", re.IGNORECASE)
_CHANGE = re.compile(r"https?://([^/\s]+/.+?)(?:/-)?/(?:pull|merge_requests)/(\d+)\b")
_RUN = re.compile(r"https?://[^/\s]+/.+/actions/runs/(\d+)(?:/(?:job|attempts)/(\d+))?")
_RELEASE = re.compile(r"https?://[^/\s]+/.+?(?:/-)?/releases/(?:tag/)?([^/\s?#]+)$")
_DEPLOYMENT = re.compile(r"https?://[^/\s]+/.+/deployments/(\d+)\b")
_SHORT = re.compile(r"((?:[\w.-]+/)*[\w.-]+)?[#!](\d+)")


def causes(text: str, repository: str, pattern: str = CAUSED_BY) -> list[str]:
    """What a text states as causes, each once, in order.

    Args:
        text: Title and body.
        repository: Canonical name of where it stands, host first.
        pattern: Expression whose first group is a cause.
    """
    stated = (match[1] for match in re.finditer(pattern, text, re.IGNORECASE) if match[1])
    return list(dict.fromkeys(_canonical(one.rstrip(".,;:"), repository) for one in stated))


def _canonical(stated: str, repository: str) -> str:
    """A cause as deployments, commits and pull requests are known: id, sha, repository#number."""
    if commit := _COMMIT.match(stated):
        return commit[1].lower()
    if change := _CHANGE.match(stated):
        return f"{change[1]}#{change[2]}"
    if run := _RUN.match(stated):
        return f"{run[1]}/{run[2] or 1}"
    if found := _DEPLOYMENT.match(stated) or _RELEASE.match(stated):
        return found[1]
    if short := _SHORT.fullmatch(stated):
        return f"{_named(short[1], repository)}#{short[2]}"
    return stated.lower() if re.fullmatch(r"[0-9a-f]{7,64}", stated, re.IGNORECASE) else stated


def _named(name: str | None, repository: str) -> str:
    """A repository that a text names in short: by owner and name, by its name alone, not at all."""
    if not name:
        return repository
    host, _, path = repository.partition("/")
    return f"{host}/{name}" if "/" in name else f"{host}/{path.rpartition('/')[0]}/{name}"
