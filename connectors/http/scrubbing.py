"""Keeping secrets out of what people and files get to see, also where a library put them there."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "…"

_LOOKS_SECRET = re.compile(
    r"\bgh[a-z]_[A-Za-z0-9_]{16,}"  # GitHub's tokens
    r"|\bgithub_pat_[A-Za-z0-9_]{16,}"
    r"|\bgl[a-z]{2,5}-[A-Za-z0-9_.-]{16,}"  # GitLab's
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # signed ones, as Apps use them
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^/\s@]+(?=@)"  # names and passwords in addresses
    r"|(?i:(?<=authorization: )|(?<=authorization': ')|(?<=private-token: )"
    r"|(?<=private-token': '))[^\r\n'\"]+"
    r"|(?i:(?<=access_token=)|(?<=private_token=))[^&\s'\"]+",
    re.DOTALL,
)
_SHORTEST = 4


class Scrubber:
    """Takes the secrets it was told of, and all that looks like one, out of texts.

    Args:
        secrets: What must never be seen.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)

    def __repr__(self) -> str:
        return f"Scrubber({len(self._known)} secrets)"

    def learn(self, secret: str) -> None:
        """From now on take this out too, in the forms in which it is sent."""
        plain = secret.strip()
        forms = {plain, quote(plain, safe=""), repr(plain)[1:-1], *plain.splitlines()}
        with self._lock:
            self._known |= {form for form in forms if len(form) >= _SHORTEST}

    def scrub(self, text: str) -> str:
        """A text without any secret."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return _LOOKS_SECRET.sub(HIDDEN, text)

    def watch(self, *loggers: str) -> None:
        """Scrub what libraries log under these names; names below them are theirs to give."""
        for name in loggers:
            logger = logging.getLogger(name)
            for one in [f for f in logger.filters if isinstance(f, _Filter)]:
                if one.scrubber is self:
                    return
            logger.addFilter(_Filter(self))


class _Filter(logging.Filter):
    """Scrubs records on their way through a logger."""

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__()
        self.scrubber = scrubber

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub the message, whatever it is made of; nothing is held back."""
        record.msg = self.scrubber.scrub(record.getMessage())
        record.args = None
        return True
