"""What reading costs, counted by all readers together."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Spent:
    """Counts by what was spent: requests, points."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, what: str, n: int = 1) -> None:
        """So much more of something."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + n

    def counts(self) -> Mapping[str, int]:
        """How much of what, so far."""
        with self._lock:
            return dict(self._counts)
