"""What a log is told of a sync where no terminal shows its progress."""

from __future__ import annotations

import pytest

from dora.cli.progress import reporting


def test_a_log_has_a_line_for_each_long_wait_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with reporting(quiet=False) as progress:
        assert progress is not None
        progress.started("forge")
        progress.advanced("forge", "commits", 10)
        for left in (1800.0, 1799.9, 1799.0):  # told every second, by several readers
            progress.waiting("forge", "rate limit", left)
        progress.waiting("forge", "server error", 4.0)
        progress.finished("forge")
    assert capsys.readouterr().err == "forge: rate limit, waiting 30 min\n"


def test_a_quiet_sync_says_nothing_of_waits() -> None:
    with reporting(quiet=True) as progress:
        assert progress is None
