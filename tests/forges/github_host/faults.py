"""Everything that goes wrong between GitHub and who asks it, each by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

Manner = Literal["whole", "half", "dropped"]


@dataclass(frozen=True, slots=True)
class Response:
    """What is sent: whole, only half of it, or nothing at all."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "whole"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong.

    Attributes:
        name: What it is called in tests.
        spoil: Makes the response of the right one, at a time in seconds since 1970.
        graphql: Whether it can happen to GraphQL.
        rest: Whether it can happen to REST.
        wait: For how long the host means it; it goes on for that time of its clock.
    """

    name: str
    spoil: Callable[[Response, float], Response]
    graphql: bool = True
    rest: bool = True
    wait: float = 0.0


def _status(status: int, message: str, *, html: bool = False) -> Callable[..., Response]:
    page = f"<html><body><h1>{message}</h1></body></html>"
    body = page.encode() if html else json.dumps({"message": message}).encode()
    kind = "text/html; charset=utf-8" if html else "application/json; charset=utf-8"

    def spoil(right: Response, now: float) -> Response:
        return Response(status, body, {**right.headers, "Content-Type": kind})

    return spoil


def _limited(
    status: int, message: str, *, after: int | None = None, reset: int | None = None
) -> Callable[..., Response]:
    """A refusal for a while, told by a delay, by a moment, or not at all."""

    def spoil(right: Response, now: float) -> Response:
        headers = {**right.headers, "Content-Type": "application/json; charset=utf-8"}
        if after is not None:
            headers["Retry-After"] = str(after)
        if reset is not None:
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now) + reset)}
        body = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        return Response(status, json.dumps(body).encode(), headers)

    return spoil


def _errors(
    kind: str | None, message: str, *, reset: int | None = None, **more: Any
) -> Callable[..., Response]:
    """GraphQL's own refusals, which come with status 200."""

    def spoil(right: Response, now: float) -> Response:
        error = ({"type": kind} if kind else {}) | {"message": message} | more
        headers = dict(right.headers)
        if reset is not None:
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now) + reset)}
        return Response(200, json.dumps({"errors": [error]}).encode(), headers)

    return spoil


def _resource_limits(right: Response, now: float) -> Response:
    """Half of the rows, null for the rest, and an error that says so."""
    body = json.loads(right.body)
    paths = list(_empty_half(body.get("data"), []))
    error = {
        "type": "RESOURCE_LIMITS_EXCEEDED",
        "message": "Resource limits for this query exceeded.",
        "path": paths[0] if paths else None,
    }
    return replace(right, body=json.dumps({**body, "errors": [error]}).encode())


def _empty_half(node: Any, path: list[Any]) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "nodes" and isinstance(value, list) and value:
                for place in range(len(value) // 2, len(value)):
                    value[place] = None
                    yield [*path, key, place]
            else:
                yield from _empty_half(value, [*path, key])
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _empty_half(value, [*path, place])


_TIMED_OUT = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it"
    " could be a GitHub bug. Please include `0FB0:1DE2` when reporting this issue."
)
_PRIMARY = "API rate limit exceeded for user ID 1."
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
_LONG, _SHORT = 1800, 30

ALL = (
    Fault("500", _status(500, "Server Error")),
    Fault("502", _status(502, "Server Error")),
    Fault("502 as a page", _status(502, "Unicorn!", html=True)),
    Fault("503", _status(503, "No server is currently available to service your request.")),
    Fault("504", _status(504, "We couldn't respond to your request in time.")),
    Fault("403 primary", _limited(403, _PRIMARY, reset=_LONG), wait=_LONG),
    Fault("403 secondary with Retry-After", _limited(403, _SECONDARY, after=_SHORT), wait=_SHORT),
    Fault("403 secondary", _limited(403, _SECONDARY), wait=60),
    Fault("429 with Retry-After", _limited(429, _SECONDARY, after=_SHORT), wait=_SHORT),
    Fault("429", _limited(429, _SECONDARY), wait=60),
    Fault("429 primary", _limited(429, _PRIMARY, reset=_LONG), wait=_LONG),
    Fault(
        "200 RATE_LIMIT",
        _errors(
            "RATE_LIMIT",
            "API rate limit already exceeded for user ID 1.",
            reset=_LONG,
            code="graphql_rate_limit",
        ),
        rest=False,
        wait=_LONG,
    ),
    Fault(
        "200 RATE_LIMITED",
        _errors("RATE_LIMITED", "API rate limit exceeded", reset=_LONG),
        rest=False,
        wait=_LONG,
    ),
    Fault("200 timed out", _errors(None, _TIMED_OUT), rest=False),
    Fault("200 resource limits", _resource_limits, rest=False),
    Fault("half a body", lambda right, _: replace(right, manner="half")),
    Fault("dropped", lambda right, _: replace(right, manner="dropped")),
    Fault("slow", lambda right, _: replace(right, seconds=3.0)),
    Fault("a page", _status(200, "Down for maintenance", html=True)),
    Fault("empty", lambda right, _: replace(right, body=b"")),
    Fault("bad JSON", lambda right, _: replace(right, body=right.body[: len(right.body) // 2])),
    Fault("null", lambda right, _: replace(right, body=b"null")),
)

FAULTS: Mapping[str, Fault] = MappingProxyType({one.name: one for one in ALL})
"""Faults that pass: whoever asks again gets the right answer."""

UNAUTHORIZED = Fault("401", _status(401, "Bad credentials"))
NOT_FOUND = Fault("404", _status(404, "Not Found"))


@dataclass(slots=True)
class Trouble:
    """A fault that is going to happen.

    Attributes:
        fault: What happens.
        times: How often; a fault that the host means for a while lasts that while instead.
        after: How many requests of the kind go well before.
        kind: What kind of request it happens to; any if None.
        above: It happens only where a page has more rows than this.
        until: When a lasting one is over, once it has begun.
    """

    fault: Fault
    times: int = 1
    after: int = 0
    kind: str | None = None
    above: int | None = None
    until: float | None = None

    def happens(self, kind: str, graphql: bool, size: int | None, now: float) -> bool:
        """Whether it happens to a request; counts it."""
        fits = self.fault.graphql if graphql else self.fault.rest
        if not fits or self.kind not in (None, kind):
            return False
        if self.above is not None and (size is None or size <= self.above):
            return False
        if self.until is not None:
            return now < self.until
        if self.after:
            self.after -= 1
            return False
        if self.times <= 0:
            return False
        self.times -= 1
        if self.fault.wait and self.times <= 0:
            self.until = now + self.fault.wait
        return True
