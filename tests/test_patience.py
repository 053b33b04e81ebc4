"""Waiting for a source: together, no longer than allowed, and not after the end."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from connectors.testing import Waits
from dora.errors import WaitEnded
from dora.patience import Patience


def test_waits_add_up_to_what_is_allowed() -> None:
    patience = Waits(timedelta(minutes=5))
    patience.wait(200, "rate limit")
    patience.wait(99, "server error")
    with pytest.raises(WaitEnded, match=r"rate limit: it would take another 10 s.* 1 s more"):
        patience.wait(10, "rate limit")
    assert patience.said == [("rate limit", 200), ("server error", 99)]


def test_readers_that_wait_at_the_same_time_wait_together() -> None:
    patience = Patience(timedelta(seconds=0.3))
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            patience.wait(0.2, "rate limit")
        except WaitEnded as error:
            failed.append(error)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with pytest.raises(WaitEnded):
        patience.wait(0.2, "rate limit")


def test_the_time_left_is_told_every_second() -> None:
    told: list[float] = []

    class Told(Waits):
        def __init__(self) -> None:
            super().__init__()
            self._told = lambda _, left: told.append(left)

    Told().wait(3.5, "rate limit")
    assert [round(left, 1) for left in told] == [3.5, 2.5, 1.5, 0.5]


def test_nobody_waits_when_the_sync_is_being_ended() -> None:
    stopped = threading.Event()
    patience = Patience(stopped=stopped)
    threading.Timer(0.05, stopped.set).start()
    with pytest.raises(WaitEnded, match="being ended"):
        patience.wait(60, "rate limit")
