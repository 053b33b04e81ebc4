"""What a refusal of GitLab means, beyond what holds for every host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.http import judging
from connectors.http.errors import Absent
from connectors.http.retrying import GiveUp, Refused, Retry, Verdict
from dora.errors import SourceError

_HINT = "See that the token may read it; docs/sources.md says what it takes."


class Refusal(Exception):
    """An answer with an error status.

    Args:
        status: The status.
        headers: The answer's headers.
        body: What it says.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
        super().__init__(str(status))
        self.status = status
        self.headers = headers
        self.content = _content(body)

    @property
    def said(self) -> str:
        """Why, in the host's words."""
        for key in ("error_description", "message", "error"):
            if self.content.get(key):
                return str(self.content[key]).rstrip(".")[:300]
        return "no reason given"


class Forbidden(Absent):
    """Something is there and may not be seen with this token; the rest can go on."""


def judge(error: Exception) -> Verdict | None:
    """What to do about an error; None where it is no fault of the host's."""
    if not isinstance(error, Refusal):
        return judging.broken(error)
    if error.content.get("error") == "insufficient_scope":
        return Refused(f"{error.status} {error.said}")
    known = judging.answered(error.status, error.headers, error.said)
    if known is not None:
        return known
    if error.status == 403:
        return GiveUp(Forbidden(error.said, hint=_HINT))
    if error.status in (404, 410):
        return GiveUp(Absent(error.said, hint=_HINT))
    if error.status in (409, 425):
        return Retry(f"{error.status} {error.said}")
    return GiveUp(
        SourceError(
            f"GitLab answers {error.status}: {error.said}.", hint="Check url and what is named."
        )
    )


def _content(body: bytes | None) -> dict[str, Any]:
    try:
        content = json.loads(body or b"")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
