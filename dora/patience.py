"""Waiting for a source that asks for it: how long at most, who is told, and what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from dora.errors import WaitEnded

Told = Callable[[str, float], None]
"""Told, again and again, why there is a wait and how many seconds of it are left."""

_TELL_EVERY = 1.0


class Patience:
    """How long the readers of one source wait for it, all in all.

    Readers that wait at the same time wait together: an hour for all of them is one hour.

    Args:
        longest: How long they may wait in all; None if it does not matter.
        stopped: Set when the sync is being ended; waits end at once.
        told: Told why there is a wait, and the seconds that are left of it.
    """

    def __init__(
        self,
        longest: timedelta | None = None,
        *,
        stopped: threading.Event | None = None,
        told: Told | None = None,
    ) -> None:
        self.stopped = stopped or threading.Event()
        self._left = longest.total_seconds() if longest is not None else None
        self._told = told
        self._interrupted = threading.Event()
        self._granted_until = 0.0
        self._lock = threading.Lock()

    def wait(self, seconds: float, why: str) -> None:
        """Wait so many seconds.

        Raises:
            WaitEnded: That is longer than may be waited, or the sync is being ended.
        """
        until = self.now() + seconds
        self._grant(until, why)
        while (left := until - self.now()) > 0:
            if self._told is not None:
                self._told(why, left)
            self.pause(min(left, _TELL_EVERY))
        self.check()

    def check(self) -> None:
        """See whether to go on.

        Raises:
            WaitEnded: The sync, or the reading of this source, is being ended.
        """
        if self.stopped.is_set() or self._interrupted.is_set():
            raise WaitEnded("The sync is being ended.", hint="The next one goes on from here.")

    def interrupt(self) -> None:
        """End all waits within a second, and those that would come; nobody wants the rest."""
        self._interrupted.set()

    def now(self) -> float:
        """Seconds on the clock that waits are measured by."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Do nothing for some seconds, unless the sync is being ended.

        Raises:
            WaitEnded: It is.
        """
        self.stopped.wait(seconds)
        self.check()

    def _grant(self, until: float, why: str) -> None:
        """Take what the wait adds to those going on from what is left."""
        with self._lock:
            more = until - max(self.now(), self._granted_until)
            if self._left is not None and more > self._left:
                raise WaitEnded(
                    f"{why}: it would take another {_spelt(more)}, and waits may take"
                    f" {_spelt(self._left)} more.",
                    hint="What was read is kept. Sync again later, or allow a longer --max-wait.",
                )
            if more > 0:
                self._granted_until = until
                if self._left is not None:
                    self._left -= more


def _spelt(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"
