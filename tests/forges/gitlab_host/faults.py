"""What can go wrong between a client and the host, to be let loose on chosen requests."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal[
    "502",
    "503",
    "429 with Retry-After",
    "429 with RateLimit-Reset",
    "429 with a reset in seconds",
    "429 bare",
    "truncated",
    "dropped",
    "slow",
    "HTML",
    "bad JSON",
    "no list",
    "empty",
    "401",
    "403",
    "404",
]


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What happens.
        match: An expression that the path of the requests meant has.
        after: How many of those go well before.
        times: How many of those go wrong; None for all that follow.
        seconds: How long a limit holds, or how slow a slow answer is.
    """

    kind: FaultKind
    match: str = ""
    after: int = 0
    times: int | None = 1
    seconds: float = 1.0
    seen: int = field(default=0, init=False)

    def strikes(self, path: str) -> bool:
        """Whether it befalls this request."""
        if not re.search(self.match, path):
            return False
        self.seen += 1
        number = self.seen - self.after
        return number >= 1 and (self.times is None or number <= self.times)


@dataclass(slots=True)
class Answer:
    """What is sent back.

    Attributes:
        status: The status code.
        body: The content as it goes out.
        headers: Headers beside those that every answer has.
        cut: Whether only half of the body is sent.
        dropped: Whether the connection ends without an answer.
        delay: Seconds before it is sent.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    dropped: bool = False
    delay: float = 0.0


def limited(seconds: float, now: float, *names: str) -> Answer:
    """Too many requests, with those headers that say for how long, by the host's clock."""
    reset = now + seconds
    known = {
        "Retry-After": str(round(seconds)),
        "RateLimit-Limit": "2000",
        "RateLimit-Observed": "2001",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(int(reset)),
        "RateLimit-ResetTime": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(reset)),
    }
    return Answer(
        429,
        b"Retry later\n",
        {"Content-Type": "text/plain", **{name: known[name] for name in names}},
    )


def spoiled(fault: Fault, good: Answer, now: float) -> Answer:
    """What becomes of an answer."""
    html = b"<!DOCTYPE html><html><body><h1>Whoops, something went wrong</h1></body></html>"
    if fault.kind in ("502", "503"):
        return Answer(int(fault.kind), html, {"Content-Type": "text/html"})
    if fault.kind == "429 with Retry-After":
        return limited(fault.seconds, now, "Retry-After", "RateLimit-Remaining", "RateLimit-Reset")
    if fault.kind == "429 with RateLimit-Reset":
        return limited(fault.seconds, now, "RateLimit-Remaining", "RateLimit-Reset")
    if fault.kind == "429 with a reset in seconds":
        answer = limited(fault.seconds, now, "RateLimit-Remaining")
        answer.headers["RateLimit-Reset"] = str(round(fault.seconds))
        return answer
    if fault.kind == "429 bare":
        return limited(fault.seconds, now)
    if fault.kind == "HTML":
        return Answer(200, html, {"Content-Type": "text/html"})
    if fault.kind == "bad JSON":
        return Answer(200, good.body[:-1] + b",,]", good.headers)
    if fault.kind == "no list":
        return Answer(200, b'{"message": "Please try again"}', good.headers)
    if fault.kind == "empty":
        return Answer(200, b"", good.headers)
    if fault.kind == "truncated":
        return Answer(good.status, good.body, good.headers, cut=True)
    if fault.kind == "dropped":
        return Answer(good.status, good.body, good.headers, dropped=True)
    if fault.kind == "slow":
        return Answer(good.status, good.body, good.headers, delay=fault.seconds)
    said = {"401": "401 Unauthorized", "403": "403 Forbidden", "404": "404 Not found"}[fault.kind]
    return Answer(int(fault.kind), f'{{"message":"{said}"}}'.encode())


@dataclass(slots=True)
class Faults:
    """Those that are loose; each strikes by itself."""

    loose: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        """Let some loose."""
        with self._lock:
            self.loose += faults

    def clear(self) -> None:
        """Let everything be well."""
        with self._lock:
            self.loose = []

    def befall(self, path: str, good: Answer, now: float) -> Answer:
        """What becomes of the answer to a request."""
        with self._lock:
            striking = next((one for one in self.loose if one.strikes(path)), None)
        return spoiled(striking, good, now) if striking else good
