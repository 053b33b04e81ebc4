"""What an error of GitHub means: try again, wait until a moment, do without, or give up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from github import GithubException

from connectors.forge.retrying import GiveUp, Retry, Verdict, WaitUntil
from connectors.github.paging import Size
from dora.errors import SourceError

_LIMITED = {"RATE_LIMIT", "RATE_LIMITED"}
_ABSENT = {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "UNPROCESSABLE"}
_TOO_MUCH = {"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "TIMEOUT"}
_TOO_MUCH_SAID = re.compile(
    r"something went wrong while executing|respond to your request in time|timed? ?out"
    r"|resource limits",
    re.IGNORECASE,
)
_LIMIT_SAID = re.compile(
    r"rate limit|abuse detection|retry your request again later", re.IGNORECASE
)
_SECONDARY_WAIT = 60.0
_TOKEN_HINT = "Make a new token with the scopes of docs/sources.md and put it into the variable."


class Garbled(Exception):
    """An answer that is none of the interface: HTML, half a body, nothing."""


class Absent(SourceError):
    """Something is not there, or not to be seen with this token; the rest can go on."""


class Judge:
    """Tells what to do about an error.

    Args:
        size: The size of the pages asked for, if it can be made smaller.
    """

    def __init__(self, size: Size | None) -> None:
        self._size = size

    def __call__(self, error: Exception, redact: Callable[[str], str]) -> Verdict:
        """What to do about it.

        Raises:
            Absent: There is nothing to do: it is not there.
        """
        if isinstance(error, GithubException):
            return self._answered(error, redact)
        if isinstance(error, Garbled | requests.RequestException | ValueError | TypeError):
            return Retry(redact(f"{type(error).__name__}: {error}"[:200]))
        if isinstance(error, RuntimeError) and "redirected" in str(error):
            message = redact(f"GitHub is elsewhere: {error}"[:300])
            return GiveUp(SourceError(message, hint="Correct url: the address of its interface."))
        raise error

    def _answered(self, error: GithubException, redact: Callable[[str], str]) -> Verdict:
        status, headers = error.status, error.headers or {}
        told = errors_in(error.data)
        if told:
            return self._graphql(told, headers, redact)
        said = redact(_said(error))
        if status in (403, 429) and _is_limit(status, headers, said):
            return WaitUntil(_moment(headers), "rate limit")
        if status == 401:
            return GiveUp(
                SourceError(
                    f"GitHub refuses the token: {said}.", hint=f"It may have expired. {_TOKEN_HINT}"
                )
            )
        if status in (403, 404, 409, 410, 451):
            raise Absent(said, hint="See that the token may read it; docs/sources.md lists scopes.")
        if status >= 500 or status in (408, 200, 202):
            if self._size and status in (502, 504):
                self._size.too_much()
            return Retry(f"{status} {said}"[:200])
        return GiveUp(
            SourceError(f"GitHub answers {status}: {said}.", hint="Check url and repositories.")
        )

    def _graphql(
        self,
        told: list[Mapping[str, Any]],
        headers: Mapping[str, str],
        redact: Callable[[str], str],
    ) -> Verdict:
        kinds = {str(one.get("type") or "").upper() for one in told}
        said = redact("; ".join(str(one.get("message", "")) for one in told)[:300])
        if kinds & _LIMITED or any(one.get("code") == "graphql_rate_limit" for one in told):
            return WaitUntil(_moment(headers), "GraphQL rate limit")
        if kinds & _TOO_MUCH or _TOO_MUCH_SAID.search(said):
            if self._size:
                self._size.too_much()
            return Retry(said)
        if _LIMIT_SAID.search(said):
            return WaitUntil(_moment(headers), "secondary rate limit")
        if kinds & _ABSENT or "not accessible" in said or "SAML" in said:
            raise Absent(said, hint="See that the token may read it; docs/sources.md lists scopes.")
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


def only_absent(data: Any) -> bool:
    """Whether an answer has data and lacks only what is not there or not to be seen."""
    told = errors_in(data)
    kinds = {str(one.get("type") or "").upper() for one in told}
    return bool(told) and isinstance(data.get("data"), dict) and kinds <= _ABSENT


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


def _moment(headers: Mapping[str, str]) -> float:
    """When to ask again, in seconds since 1970: as told, else in a minute."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return time.time() + int(after)
    if reset.isdigit() and headers.get("x-ratelimit-remaining", "0") == "0":
        return int(reset) + 1.0
    return time.time() + _SECONDARY_WAIT
