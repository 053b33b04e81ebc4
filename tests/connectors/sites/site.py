"""A site made for tests: it answers from what it holds, and may be befallen by any fault."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from tests.connectors import hosts
from tests.connectors.hosts import Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]

    @classmethod
    def of(cls, asked: hosts.Asked) -> Asked:
        """The same, taken apart."""
        parts = urlsplit(asked.path)
        return cls(
            asked.method,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            json.loads(asked.body) if asked.body else None,
            {name.lower(): value for name, value in asked.headers.items()},
        )

    def one(self, name: str, default: str = "") -> str:
        """The value of a parameter that comes once."""
        return self.query.get(name, [default])[-1]


Fault = Callable[[Reply], Reply]
"""What comes instead of a reply."""


@dataclass(slots=True)
class Trouble:
    """A fault that befalls some requests.

    Attributes:
        fault: What goes wrong.
        path: Expression that a path must have to be befallen.
        skip: How many such requests go well before.
        times: How many are befallen then.
    """

    fault: Fault
    path: str = ""
    skip: int = 0
    times: int = 1

    def befalls(self, asked: Asked) -> bool:
        """Whether it is this request's turn."""
        if not re.search(self.path, asked.path) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Site(ABC):
    """What all sites have in common.

    Attributes:
        url: Where it listens.
        now: What its clock shows, in the header `Date`.
        asked: Every request that came, in order.
        troubles: What goes wrong.
        before: Called with every request before it is answered; changes what is there midway.
    """

    url: str = ""
    now: datetime = datetime(2026, 4, 1, 12, tzinfo=UTC)
    asked: list[Asked] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    before: Callable[[Asked], None] = lambda _: None

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """What a site in good health says."""

    def reply(self, request: hosts.Asked, number: int) -> Reply:
        """What it says now."""
        asked = Asked.of(request)
        self.before(asked)
        self.asked.append(asked)
        reply = self.answer(asked)
        for trouble in self.troubles:
            if trouble.befalls(asked):
                reply = trouble.fault(reply)
        return replace(reply, headers={"Date": format_datetime(self.now, True), **reply.headers})


S = TypeVar("S", bound=Site)


@contextmanager
def serving(site: S) -> Iterator[S]:
    """Let a site listen on loopback for a while."""
    with hosts.serving(site.reply) as host:
        site.url = host.url
        yield site


def status(code: int, **headers: str) -> Fault:
    """Another status, with a message."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply({"message": "Something is wrong"}, code, named)


def _half(reply: Reply) -> Reply:
    whole = json.dumps(reply.content)
    return Reply(text=whole[: len(whole) // 2], headers={"Content-Type": "application/json"})


FAULTS: dict[str, Fault] = {
    "429 with Retry-After": status(429, Retry_After="7"),
    "429 without": status(429),
    "502": status(502),
    "503": status(503),
    "truncated": lambda reply: replace(reply, cut=True),
    "garbled": _half,
    "a web page": lambda _: Reply(text="<html><body>Please sign in</body></html>"),
    "nothing": lambda _: Reply(text=""),
    "partial": lambda _: Reply({"took": 3}),
    "dropped": lambda _: Reply(dropped=True),
    "slow": lambda reply: replace(reply, seconds=1.5),
}
"""Faults that pass: asked again, the site answers well."""
