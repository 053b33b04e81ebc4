"""What an error of a connection or an answer means, as far as it holds for every host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from connectors.http.errors import Garbled
from connectors.http.retrying import GiveUp, Refused, Retry, Verdict, Wait
from dora.errors import SourceError

SECONDS_UNTOLD = 60.0
"""How long to leave a host alone that says that it is too much, but not for how long."""

_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_AFTER_NOW = 1_000_000_000
"""Resets are moments since 1970, but some hosts give seconds from now."""


def broken(error: Exception) -> Verdict | None:
    """What a connection that failed, or an answer that cannot be read, means."""
    import requests

    said = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, requests.exceptions.SSLError):
        return GiveUp(
            SourceError(
                f"The host's certificate is not accepted: {said}.",
                hint="Name your own authority's file in REQUESTS_CA_BUNDLE.",
            )
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Retry(said)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return GiveUp(
            SourceError(
                "A token holds characters that cannot be sent.",
                hint="See that its variable holds one line, without anything around it.",
            )
        )
    unusable = (
        requests.exceptions.InvalidURL
        | requests.exceptions.MissingSchema
        | requests.exceptions.InvalidSchema
    )
    if isinstance(error, unusable):
        return None  # a ValueError, too, but asking again is of no use
    if isinstance(error, requests.RequestException | Garbled | ValueError | OSError):
        return Retry(said)
    return None


def answered(status: int, headers: Mapping[str, str], said: str) -> Verdict | None:
    """What an answer with an error status means, whoever gave it; None where hosts differ.

    Args:
        status: The HTTP status.
        headers: The answer's headers, in any case.
        said: What it says.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if status == 401:
        return Refused(f"401 {said}".strip())
    if status == 429 or (status == 503 and "retry-after" in lower):
        return Wait(seconds(lower), f"rate limit ({status})")
    if status >= 500 or status == 408:
        return Retry(f"{status} {said}"[:300].strip())
    return None


def seconds(headers: Mapping[str, str]) -> float:
    """How long to wait, as the headers (in lower case) tell it; else a minute."""
    after = headers.get("retry-after", "").strip()
    if after.isdigit():
        return float(after)
    here = _moment(headers.get("date", "")) or time.time()  # a wrong clock must not matter
    if (moment := _moment(after)) is not None:
        return max(0.0, moment - here)
    for name in _RESETS:
        reset = headers.get(name, "").strip()
        if reset.isdigit():
            left = int(reset) - here if int(reset) > _AFTER_NOW else int(reset)
            return max(0.0, left) + 1.0
    return SECONDS_UNTOLD


def _moment(text: str) -> float | None:
    """A moment as HTTP writes it, in seconds since 1970."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
