"""The clone that a reader of the notebooks would have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.repositories import History


def clone(path: Path) -> None:
    """Make it: releases every other week, and work that waits."""
    history = History(path)
    for week in range(1, 13):
        for day in (1, 3, 5):
            at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(weeks=week, days=day)
            sha = history.commit(f"Change {week}.{day}", at=f"{at:%Y-%m-%dT%H:%MZ}")
        if week % 2:
            shipped = at + timedelta(hours=20)
            history.tag(f"v1.{week}", sha, at=f"{shipped:%Y-%m-%dT%H:%MZ}")
    assert history.path == path
