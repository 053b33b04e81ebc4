"""Lists with cursors, as GraphQL pages them."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias, TypeVar

from tests.forges.github_host.values import GraphQLError

Key: TypeAlias = tuple[Any, ...]
T = TypeVar("T")


class InOrder(Sequence[T]):
    """Rows that are in the order of their keys already, of which there may be very many.

    Args:
        rows: The rows, the smallest key first.
    """

    def __init__(self, rows: Sequence[T]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        return self._rows[place]


class Connection:
    """One page of a list.

    A cursor is the place of a row in the order, not a count: a row that moves or goes between two
    pages shifts no other.

    Args:
        rows: All rows, in any order.
        key: What a row is ordered by; must tell any two rows apart.
        view: How a row is shown.
        arguments: `first`, `after`, `last`, `before`.
        descending: Whether keys fall.
    """

    def __init__(
        self,
        rows: Collection[Any],
        key: Callable[[Any], Key],
        view: Callable[[Any], Any],
        arguments: dict[str, Any],
        *,
        descending: bool = False,
    ) -> None:
        self._view = view
        self._key = key
        self.total = len(rows)
        ordered = rows if isinstance(rows, InOrder) else sorted(rows, key=key)
        above, below = _read(arguments.get("after")), _read(arguments.get("before"))
        if descending:
            above, below = below, above
        low = 0 if above is None else bisect_right(ordered, above, key=key)
        high = len(ordered) if below is None else bisect_left(ordered, below, key=key)
        lowest, highest = arguments.get("first"), arguments.get("last")
        if descending:
            lowest, highest = highest, lowest
        start, end = low, high
        if lowest is not None:
            end = min(high, low + lowest)
        elif highest is not None:
            start = max(low, high - highest)
        self._rows = list(ordered[start:end])
        before, behind = start > 0, end < len(ordered)
        self._earlier, self._more = (behind, before) if descending else (before, behind)
        if descending:
            self._rows.reverse()

    def nodes(self, info: Any) -> list[Any]:
        """The rows."""
        return [self._view(row) for row in self._rows]

    def edges(self, info: Any) -> list[dict[str, Any]]:
        """The rows with their cursors."""
        return [{"cursor": _write(self._key(r)), "node": self._view(r)} for r in self._rows]

    def totalCount(self, info: Any) -> int:
        """How many rows there are on all pages."""
        return self.total

    def pageInfo(self, info: Any) -> dict[str, Any]:
        """Where this page ends, and whether another follows."""
        ends = [_write(self._key(row)) for row in (self._rows[:1] + self._rows[-1:])]
        return {
            "hasNextPage": self._more,
            "hasPreviousPage": self._earlier,
            "startCursor": ends[0] if ends else None,
            "endCursor": ends[-1] if ends else None,
        }


def listed(
    rows: Sequence[Any],
    view: Callable[[Any], Any],
    arguments: dict[str, Any],
    *,
    total: int | None = None,
) -> Connection:
    """One page of a list that has an order of its own, as the commits of a history have.

    Args:
        rows: The rows that are shown.
        view: How a row is shown.
        arguments: `first`, `after`, `last`, `before`.
        total: How many rows there really are, where not all are shown.
    """
    places = InOrder(range(len(rows)))
    made = Connection(places, lambda place: (place,), lambda place: view(rows[place]), arguments)
    made.total = len(rows) if total is None else total
    return made


def _write(key: Key) -> str:
    return base64.b64encode(b"cursor:v2:" + json.dumps(key).encode()).decode()


def _read(cursor: str | None) -> Key | None:
    if cursor is None:
        return None
    try:
        return tuple(json.loads(base64.b64decode(cursor).removeprefix(b"cursor:v2:")))
    except ValueError:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise GraphQLError("INVALID_CURSOR_ARGUMENTS", message) from None
