"""Waits that take no time, for connectors that would have to wait in a test."""

from __future__ import annotations

from datetime import timedelta

from dora.patience import Patience


class Waits(Patience):
    """Waits that take no time: the clock is put forward instead.

    Attributes:
        said: Why there was a wait, and for how long.
    """

    def __init__(self, longest: timedelta | None = None) -> None:
        super().__init__(longest)
        self.said: list[tuple[str, float]] = []
        self._ahead = 0.0

    def wait(self, seconds: float, why: str) -> None:
        """Remember a wait, and be done with it."""
        super().wait(seconds, why)
        self.said.append((why, seconds))

    def now(self) -> float:
        """Seconds on the clock, with those that were skipped."""
        return super().now() + self._ahead

    def pause(self, seconds: float) -> None:
        """Skip some seconds."""
        self._ahead += seconds
