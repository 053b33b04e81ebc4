"""Following lists to their end, in pages of a size that the host can cope with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from connectors.github.client import Client

JSON: TypeAlias = dict[str, Any]

_GROW_AFTER = 4


class Size:
    """How many rows to ask for: halved when the host gives up, doubled after some good pages."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = most
        self._good = 0
        self._lock = threading.Lock()

    @property
    def now(self) -> int:
        """How many rows the next page may have."""
        return self._now

    def too_much(self) -> None:
        """The host could not cope."""
        with self._lock:
            self._now = max(1, self._now // 2)
            self._good = 0

    def went_well(self) -> None:
        """The host answered."""
        with self._lock:
            self._good += 1
            if self._good >= _GROW_AFTER and self._now < self._most:
                self._now = min(self._most, self._now * 2)
                self._good = 0


def nodes(connection: Mapping[str, Any] | None) -> list[JSON]:
    """The rows of a list that are there; the host gives null for those it cannot show."""
    return [node for node in (connection or {}).get("nodes") or () if node]


def whole(
    client: Client, connection: Mapping[str, Any] | None, query: str, owner: str, field: str
) -> list[JSON]:
    """All rows of a list within something, those that did not fit asked for by themselves."""
    rows = nodes(connection)
    page = (connection or {}).get("pageInfo") or {}
    size = Size(100)
    while page.get("hasNextPage"):
        data = client.ask(query, {"id": owner, "after": page["endCursor"]}, size=size)
        rest = (data.get("node") or {}).get(field) or {}
        rows += nodes(rest)
        page = rest.get("pageInfo") or {}
    return rows


def follow(
    ask: Callable[[str | None], Mapping[str, Any] | None], after: str | None = None
) -> Iterator[tuple[list[JSON], str | None]]:
    """The pages of a list, each with where the next one begins; None with the last."""
    while True:
        connection = ask(after) or {}
        page = connection.get("pageInfo") or {}
        after = page.get("endCursor") if page.get("hasNextPage") else None
        yield nodes(connection), after
        if after is None:
            return
