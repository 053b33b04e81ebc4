"""Asking no faster than is allowed."""

from __future__ import annotations

import threading

from dora.patience import Patience


class Pace:
    """Lets requests through one after the other, evenly, from however many readers.

    Args:
        per_second: How many at most; None for as many as there are.
    """

    def __init__(self, per_second: float | None = None) -> None:
        self._between = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, patience: Patience) -> None:
        """Wait for this request's turn.

        Raises:
            WaitEnded: The sync is being ended.
        """
        patience.check()
        if not self._between:
            return
        with self._lock:
            now = patience.now()
            turn = max(now, self._next)
            self._next = turn + self._between
        if turn > now:
            patience.pause(turn - now)
