"""What a text says an incident was caused by, in the form that facts have; nothing else is kept."""

from __future__ import annotations

import re
from collections.abc import Callable

CAUSED_BY = (
    r"\b(?:caused|introduced|broken)\s+by:?\s+(?:the\s+)?"
    r"(?:(?:commit|change|release|pull\s+request|merge\s+request)\s+)?"
    r"(?:\[[^\]|\n]*(?:\]\(|\|))?<?`?"  # a link's text, as Markdown or Jira write it
    r"(https?://[^\s<>)\]`|]+|(?:[\w.-]+/)*[\w.-]+[#!]\d+|[#!]\d+|[0-9a-f]{7,64}\b"
    r"|deploy(?:ment)?\s+(?=\S*\d)[\w.:/#-]+)"
)
"""Caused by, introduced by or broken by: an address, a pull or merge request, a commit, or the
word deployment and what it is called."""

REFERENCE = (
    r"(https?://[^\s<>)\]`|]+|(?:[\w.-]+/)+[\w.-]+[#!]\d+|\b(?=[a-f]*\d)[0-9a-f]{7,64}\b"
    r"|\bdeploy(?:ment)?\s+(?=\S*\d)[\w.:/#-]+)"
)
"""The same without the words, for the title of something that is known to be a cause."""

_COMMIT = re.compile(r"https?://[^/\s]+/.+/commits?/([0-9a-f]{7,64})\b", re.IGNORECASE)
_CHANGE = re.compile(r"https?://([^/\s]+/.+?)(?:/-)?/(?:pull|merge_requests|pull-requests)/(\d+)\b")
_RUN = re.compile(r"https?://[^/\s]+/.+/actions/runs/(\d+)(?:/(?:job|attempts)/(\d+))?")
_RELEASE = re.compile(r"https?://[^/\s]+/.+?(?:/-)?/releases/(?:tag/)?([^/\s?#]+)$")
_DEPLOYMENT = re.compile(r"https?://[^/\s]+/.+/deployments/(\d+)\b")
_NAMED = re.compile(r"deploy(?:ment)?\s+", re.IGNORECASE)
_SHORT = re.compile(r"((?:[\w.-]+/)*[\w.-]+)?[#!](\d+)")
_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


def causes(
    text: str,
    repository: str = "",
    pattern: str = CAUSED_BY,
    called: Callable[[str], str | None] | None = None,
) -> list[str]:
    """What a text states as causes, each once, in order.

    Args:
        text: Title and body.
        repository: Canonical name of where it stands, host first; empty where it stands in none.
        pattern: Expression whose first group is a cause; case does not matter.
        called: Knows what some of them are called in facts, where the text alone does not tell.
    """
    stated = (match[1] for match in re.finditer(pattern, text, re.IGNORECASE) if match[1])
    known = ((called(one) if called else None) or cause(one, repository) for one in stated)
    return list(dict.fromkeys(known))


def cause(stated: str, repository: str = "") -> str:
    """A cause as deployments, commits and pull requests are known: id, sha, repository#number."""
    stated = _NAMED.sub("", stated.strip().strip("<>"), count=1).rstrip(".,;:")
    if commit := _COMMIT.match(stated):
        return commit[1].lower()
    if change := _CHANGE.match(stated):
        return f"{change[1]}#{change[2]}"
    if run := _RUN.match(stated):
        return f"{run[1]}/{run[2] or 1}"
    if found := _DEPLOYMENT.match(stated) or _RELEASE.match(stated):
        return found[1]
    if repository and (short := _SHORT.fullmatch(stated)):
        return f"{_in_full(short[1], repository)}#{short[2]}"
    return stated.lower() if _SHA.fullmatch(stated) else stated


def pattern_fault(pattern: str) -> str | None:
    """Why an expression cannot find causes; None where it can."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return None if groups else f"{pattern!r} has no group that would be the cause"


def _in_full(name: str | None, repository: str) -> str:
    """A repository that a text names in short: by owner and name, by its name alone, not at all."""
    if not name:
        return repository
    host, _, path = repository.partition("/")
    if name.partition("/")[0] == host:
        return name
    return f"{host}/{name}" if "/" in name else f"{host}/{path.rpartition('/')[0]}/{name}"
