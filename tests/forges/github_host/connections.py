"""Lists with cursors, as GraphQL pages them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tests.forges.github_host.values import GraphQLError

Key: TypeAlias = tuple[Any, ...]


class Connection:
    """One page of a list.

    A cursor is the place of a row in the order, not a count: a row that moves or goes between two
    pages shifts no other.

    Args:
        rows: All rows, in order.
        key: What a row is ordered by; must tell any two rows apart.
        view: How a row is shown.
        arguments: `first`, `after`, `last`, `before`.
        descending: Whether keys fall.
    """

    def __init__(
        self,
        rows: Sequence[Any],
        key: Callable[[Any], Key],
        view: Callable[[Any], Any],
        arguments: dict[str, Any],
        *,
        descending: bool = False,
    ) -> None:
        self._view = view
        self._key = key
        self._total = len(rows)
        kept = sorted(rows, key=key, reverse=descending)
        after = _read(arguments.get("after"))
        if after is not None:
            kept = [r for r in kept if (key(r) < after if descending else key(r) > after)]
        before = _read(arguments.get("before"))
        if before is not None:
            kept = [r for r in kept if (key(r) > before if descending else key(r) < before)]
        first, last = arguments.get("first"), arguments.get("last")
        self._more, self._earlier = False, after is not None
        if first is not None:
            self._more, kept = len(kept) > first, kept[:first]
        elif last is not None:
            self._earlier, kept = len(kept) > last, kept[-last:] if last else []
        self._rows = kept

    def nodes(self, info: Any) -> list[Any]:
        """The rows."""
        return [self._view(row) for row in self._rows]

    def edges(self, info: Any) -> list[dict[str, Any]]:
        """The rows with their cursors."""
        return [{"cursor": _write(self._key(r)), "node": self._view(r)} for r in self._rows]

    def totalCount(self, info: Any) -> int:
        """How many rows there are on all pages."""
        return self._total

    def pageInfo(self, info: Any) -> dict[str, Any]:
        """Where this page ends, and whether another follows."""
        ends = [_write(self._key(row)) for row in (self._rows[:1] + self._rows[-1:])]
        return {
            "hasNextPage": self._more,
            "hasPreviousPage": self._earlier,
            "startCursor": ends[0] if ends else None,
            "endCursor": ends[-1] if ends else None,
        }


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
