"""What an error of GitHub means: try again, wait until a moment, do without, or give up."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from connectors.http import judging
from connectors.http.errors import Absent
from connectors.http.retrying import GiveUp, Refused, Retry, Verdict, Wait
from dora.errors import SourceError

if TYPE_CHECKING:
    from github import GithubException

_LIMITED = {"RATE_LIMIT", "RATE_LIMITED"}
GONE = frozenset({"NOT_FOUND"})
"""What GitHub calls it where something is not there, or is not to be known of."""

ABSENT = GONE | {"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}
"""And where it is there, but may not be read."""

_TOO_MUCH = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
_TOO_MUCH_SAID = re.compile(
    r"something went wrong while executing|respond to your request in time|timed? ?out"
    r"|resource limits",
    re.IGNORECASE,
)
_LIMIT_SAID = re.compile(
    r"rate limit|abuse detection|retry your request again later", re.IGNORECASE
)
_RIGHTS = "Give the token that right; docs/sources.md lists what is needed."


class Judge:
    """Tells what to do about an error.

    Args:
        scrub: Takes secrets out of a text.
        too_much: Called when the host could not cope with what was asked of it.
    """

    def __init__(
        self, scrub: Callable[[str], str], too_much: Callable[[], None] = lambda: None
    ) -> None:
        self._scrub = scrub
        self._too_much = too_much

    def __call__(self, error: Exception) -> Verdict | None:
        """What to do about it; None where it is none of the host's."""
        from github import GithubException

        if isinstance(error, GithubException):
            return self._answered(error)
        if isinstance(error, RuntimeError) and "redirected" in str(error):
            message = self._scrub(f"GitHub is elsewhere: {error}"[:300])
            return GiveUp(SourceError(message, hint="Correct url: the address of its interface."))
        return judging.broken(error)

    def _answered(self, error: GithubException) -> Verdict:
        status, headers = error.status, {k.lower(): v for k, v in (error.headers or {}).items()}
        told = errors_in(error.data)
        if told:
            return self._graphql(told, headers)
        said = self._scrub(_said(error))
        if status == 401:
            return Refused(f"401 {said}")
        if status in (403, 429) and _is_limit(status, headers, said):
            return Wait(judging.seconds(_spent_only(headers)), "rate limit")
        if status in (403, 404, 409, 410, 451):
            return GiveUp(Absent(f"{status} {said}", hint=_RIGHTS))
        if status in (502, 504):
            self._too_much()
        if status < 400:
            return Retry(f"no answer of its interface: {said}")
        return judging.answered(status, headers, said) or GiveUp(
            SourceError(f"GitHub answers {status}: {said}.", hint="Check url and repositories.")
        )

    def _graphql(self, told: list[Mapping[str, Any]], headers: Mapping[str, str]) -> Verdict:
        kinds = kinds_of(told)
        said = self._scrub("; ".join(str(one.get("message", "")) for one in told)[:300])
        limited = any(one.get("code") == "graphql_rate_limit" for one in told)
        if kinds & _LIMITED or limited:
            return Wait(judging.seconds(_spent_only(headers)), "GraphQL rate limit")
        if kinds & _TOO_MUCH or _TOO_MUCH_SAID.search(said):
            self._too_much()
            return Retry(said)
        if _LIMIT_SAID.search(said):
            return Wait(judging.seconds(_spent_only(headers)), "secondary rate limit")
        if kinds & ABSENT or "not accessible" in said or "SAML" in said:
            return GiveUp(Absent(said.rstrip("."), hint=_RIGHTS))
        return GiveUp(
            SourceError(
                f"GitHub cannot answer: {said}.", hint="Its version may be too old for this."
            )
        )


def errors_in(data: Any) -> list[Mapping[str, Any]]:
    """The errors of a GraphQL answer; none in any other."""
    errors = data.get("errors") if isinstance(data, dict) else None
    if not isinstance(errors, list):
        return []
    return [one for one in errors if isinstance(one, dict) and "message" in one]


def kinds_of(told: list[Mapping[str, Any]]) -> set[str]:
    """The types of errors, in capital letters."""
    return {str(one.get("type") or "").upper() for one in told}


def lacks_only(kinds: Collection[str], data: Any) -> bool:
    """Whether an answer has data, and lacks some of it for no other reason than these."""
    told = errors_in(data)
    return bool(told) and isinstance(data.get("data"), dict) and kinds_of(told) <= set(kinds)


def _said(error: GithubException) -> str:
    data = error.data
    said = data.get("message") if isinstance(data, dict) else None
    return str(said or error.message or "no reason given").rstrip(".")[:300]


def _is_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    return (
        status == 429
        or "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or bool(_LIMIT_SAID.search(said))
    )


def _spent_only(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers without the reset where something is left: then another limit is meant."""
    if headers.get("x-ratelimit-remaining", "0") == "0":
        return headers
    return {name: value for name, value in headers.items() if name != "x-ratelimit-reset"}
