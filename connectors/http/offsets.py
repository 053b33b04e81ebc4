"""Lists that are paged by offset, read so that no row is lost when others go away meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]

Ask: TypeAlias = Callable[[int], tuple[list[JSON], bool]]
"""The rows from an offset on, and whether there are more behind them."""

Place: TypeAlias = Callable[[JSON], Any]
"""Where a row stands in the order of the list; no two rows stand in one place."""


def by_offset(ask: Ask, place: Place, *, size: int) -> Iterator[list[JSON]]:
    """Every row once, a page at a time.

    Each page begins with the last row of the one before. Where it begins behind it, rows before it
    went away and the others moved up; then the list is read again from further ahead.

    Args:
        ask: Asks for a page.
        place: Says where a row stands; the order must be one that a change of a row leaves alone.
        size: How many rows a page may have.
    """
    seen: set[Any] = set()
    last: Any = None
    start = overlap = 0
    while True:
        rows, more = ask(start)
        if overlap and start and (not rows or _is_behind(place(rows[0]), seen, last)):
            start = max(0, start - size)
            continue
        fresh = [row for row in rows if place(row) not in seen]
        seen.update(map(place, fresh))
        if fresh:
            yield fresh
        if not rows or not more:
            return
        last = place(rows[-1]) if last is None else max(last, place(rows[-1]))
        overlap = min(1, len(rows) - 1)  # pages of one row cannot overlap
        start += len(rows) - overlap


def _is_behind(first: Any, seen: set[Any], last: Any) -> bool:
    return first not in seen and bool(first > last)
