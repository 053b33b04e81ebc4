"""What a published store holds, as anybody reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dora import store


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """The answer to a query of a store."""
    with store.connect(path) as connection:
        return connection.execute(query).fetchall()
