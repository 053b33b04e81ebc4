"""GitLab's lists that are ordered by when their rows were changed, the one changed last first.

Pages are not counted: each asks for what is not newer than the last row of the one before. So
nothing that is deleted, added or touched between two pages, or between two syncs, shifts anything,
and the thousandth page is as quick as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.forge.changing import OVERLAP, Changing, Page, digest
from connectors.gitlab.client import Client
from connectors.gitlab.values import JSON, TICK, Project, instant, spelt
from dora.connector import Checkpoint, Cursor, Item

Facts = Callable[[Sequence[JSON], bool], Iterator[Item]]
"""What rows are in facts; told whether none of them was ever handed over before."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Which page comes next.

    Attributes:
        until: The page has rows that were not changed later than that.
        number: Which page of those; more than 1 only where a page is full of one moment.
        edge: Rows that were on pages before and are in this one again.
    """

    until: str | None = None
    number: int = 1
    edge: Sequence[str] = ()

    def parameters(self) -> JSON:
        """What to ask for."""
        asked: JSON = {"order_by": "updated_at", "sort": "desc", "per_page": 100}
        if self.until:
            asked["updated_before"] = self.until
        return asked | ({"page": self.number} if self.number > 1 else {})

    def after(self, rows: Sequence[JSON]) -> Window:
        """The window that follows a page.

        Times are shown to the millisecond and kept finer, so it begins a millisecond later.
        """
        last = instant(rows[-1]["updated_at"]) + TICK
        ids = [row["id"] for row in rows]
        if self.until is not None and last >= instant(self.until):
            return Window(self.until, self.number + 1, [*self.edge, *ids])
        edge = [row["id"] for row in rows if instant(row["updated_at"]) <= last]
        return Window(spelt(last), 1, edge)

    def kept(self) -> JSON:
        """In a cursor."""
        return {"until": self.until, "number": self.number, "edge": list(self.edge)}


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of one project.

    Attributes:
        client: Asks the host.
        project: The project.
        path: The list, below the project.
        since: The time before which nothing is read.
        parameters: What else to ask for.
    """

    client: Client
    project: Project
    path: str
    since: datetime | None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def read(
        self, cursor: Cursor | None, facts: Facts, asked: str = "", *, whole: bool = False
    ) -> Iterator[Item]:
        """Everything that changed since the cursor, with a checkpoint for each page.

        Args:
            cursor: Where the list stands.
            facts: What rows are in facts.
            asked: What the facts depend on beside the source; another value reads all again.
            whole: Whether all is read, though some of it is known.
        """
        state, meant = cursor or {}, digest([asked, str(self.since)])
        known = state.get("newest") if not whole and state.get("for") == meant else None
        lower = instant(known) - OVERLAP if known else None
        last: Checkpoint | None = None
        for item in Changing(
            part=self.project.repository,
            pages=lambda place: self._page(place, lower),
            facts=facts,
            since=self.since,
            by="updated_at",
            asked=asked,
            kept={"id": self.project.id, "for": meant},
        ).read(cursor, whole=whole):
            last = item if isinstance(item, Checkpoint) else last
            yield item
        if whole and last is not None:  # what was touched meanwhile has moved up, and is not gone
            yield from self.read(last.cursor, facts, asked)

    def rows(self) -> Iterator[Sequence[JSON]]:
        """All rows there are, by page; those that are touched meanwhile once more."""
        newest = yield from self._down(None)
        if newest is not None:
            yield from self._down(newest)

    def _down(self, lower: datetime | None) -> Generator[Sequence[JSON], None, datetime | None]:
        """All pages down to a time; gives back when the newest row was changed."""
        page = self._page(None, lower)
        newest = instant(page.rows[0]["updated_at"]) if page.rows else None
        yield page.rows
        while page.after is not None:
            page = self._page(page.after, lower)
            yield page.rows
        return newest

    def _page(self, place: JSON | None, lower: datetime | None) -> Page:
        window = Window(**(place or {}))
        limits = [limit for limit in (lower, self.since) if limit is not None]
        after = max(limits, default=_BEGINNING)  # a filter and the order must go together
        asked = {**self.parameters, **window.parameters(), "updated_after": spelt(after)}
        page = self.client.page(f"{self.project.api}{self.path}", asked)
        rows = [{**row, "id": str(row["id"])} for row in page.rows]
        following = window.after(rows).kept() if page.more and rows else None
        edge = set(window.edge)
        return Page([row for row in rows if row["id"] not in edge], following)
