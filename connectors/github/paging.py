"""Following lists to their end, in pages of a size that the host can cope with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from connectors.github.client import Client

JSON: TypeAlias = dict[str, Any]

MOST = 100
"""Rows that GitHub puts on a page at most."""

_GROW_AFTER = 4
_TRY_AGAIN_AFTER = 50


class Size:
    """How many rows to ask for: fewer when the host gives up, more again after some good pages.

    A size at which the host gave up is not tried again for a long while.

    Args:
        most: How many at most.
        first: How many to begin with.
    """

    def __init__(self, most: int = MOST, first: int | None = None) -> None:
        self._most = most
        self._ceiling = most
        self._now = min(first or most, most)
        self._good = 0
        self._lock = threading.Lock()

    @property
    def now(self) -> int:
        """How many rows the next page may have."""
        return self._now

    def too_much(self, asked: int) -> None:
        """The host could not cope with so many rows."""
        with self._lock:
            if asked > self._now:
                return  # another reader was told so, too
            self._ceiling = max(1, asked * 3 // 4)
            self._now = max(1, asked // 2)
            self._good = 0

    def went_well(self) -> None:
        """The host answered."""
        with self._lock:
            self._good += 1
            if self._good >= _TRY_AGAIN_AFTER:
                self._ceiling = self._most
            if self._good % _GROW_AFTER == 0:
                self._now = min(self._ceiling, self._now * 2)


def nodes(connection: Mapping[str, Any] | None) -> list[JSON]:
    """The rows of a list that are there; the host gives null for those it cannot show."""
    return [node for node in (connection or {}).get("nodes") or () if node]


def hidden(connection: Mapping[str, Any]) -> int:
    """How many rows of a list are there and cannot be shown."""
    return sum(node is None for node in connection.get("nodes") or ())


PARTLY = "the host shows only a part of it"


def shown(row: JSON, lists: Sequence[str]) -> bool:
    """Whether a row has all of its lists; the host gives null for one that it cannot show."""
    return all(row.get(name) is not None for name in lists)


def after(connection: Mapping[str, Any] | None) -> str | None:
    """Where the next page of a list begins; None where there is none."""
    page = (connection or {}).get("pageInfo") or {}
    return page.get("endCursor") if page.get("hasNextPage") else None


def whole(
    client: Client, connection: Mapping[str, Any] | None, query: str, owner: str, field: str
) -> list[JSON]:
    """All rows of a list within something, those that did not fit asked for by themselves."""
    rows = nodes(connection)
    following = after(connection)
    size = Size()
    while following is not None:
        data = client.ask(query, {"id": owner, "after": following}, size=size)
        rest = (data.get("node") or {}).get(field)
        rows += nodes(rest)
        following = after(rest)
    return rows


def follow(
    ask: Callable[[str | None], Mapping[str, Any] | None], begin: str | None = None
) -> Iterator[tuple[list[JSON], str | None]]:
    """The pages of a list, each with where the next one begins; None with the last."""
    following = begin
    while True:
        connection = ask(following)
        following = after(connection)
        yield nodes(connection), following
        if following is None:
            return
