"""A made-up source that is read in parts, one a repository, by pages of pull requests.

`python -m tests.sync.forge STORE OPTIONS` is a sync of it in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from dora import connector
from dora.config import Config, Source
from dora.connector import Checkpoint, Cursor, Finding, Item, Only, Unread
from dora.patience import Patience
from dora.records import PullRequest, PullRequestCommit, Record
from dora.sync import Summary, sync
from tests.sync.fake import START


class Forge:
    """Gives pull requests, each with two commits, the pages of all repositories in turns."""

    kind: ClassVar[str] = "forge"
    provides: ClassVar[tuple[type[Record], ...]] = (PullRequest, PullRequestCommit)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        PullRequest: (PullRequestCommit,)
    }

    class Options(BaseModel):
        """What the forge has."""

        repositories: list[str] = ["a", "b", "c"]
        forbidden: list[str] = []
        pages: int = 3
        rows: int = 4
        gone: list[int] = []
        seconds: float = 0.0
        waits: float = 0.0
        marks: str | None = None
        asked: list[Any] = []

    def __init__(self, name: str, options: Any, *, base: Path) -> None:
        del base
        self.name = name
        self.options = options
        self.patience = Patience()
        self.spent = {"requests": 0}
        self._whole = False

    def reconcile(self) -> None:
        self._whole = True

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        options = self.options
        options.asked.append((record_type.table, cursor))
        parts = (cursor or {}).get("parts", {})
        if options.waits:
            self._mark("waits")
            self.patience.wait(options.waits, "rate limit")
        for page in range(options.pages):
            for repository in options.repositories:
                if repository not in options.forbidden:
                    yield from self._page(repository, page, parts.get(repository, {}))
        if self._whole:
            numbers = tuple({"number": n} for n in self._numbers(range(options.pages)))
            for repository in options.repositories:
                yield Only(PullRequest, {"repository": repository}, numbers)
                yield Only(PullRequestCommit, {"repository": repository}, numbers)
        for repository in options.forbidden:
            yield Unread(PullRequest, repository, "the token may not read it")
        yield Checkpoint({})

    def _page(self, repository: str, page: int, cursor: Cursor) -> Iterator[Item]:
        if page < cursor.get("page", 0):
            return
        self.spent["requests"] += 1
        for number in self._numbers(range(page, page + 1)):
            yield PullRequest(repository=repository, number=number, state="open", opened_at=START)
            for place in range(2):
                yield PullRequestCommit(
                    repository=repository,
                    number=number,
                    sha=f"{number:020x}{place:020x}",
                    authored_at=START + timedelta(minutes=number),
                )
        self._mark(f"{repository} {page}")
        time.sleep(self.options.seconds)
        yield Checkpoint({"page": page + 1}, part=repository)

    def _mark(self, what: str) -> None:
        """Let those who watch this process know how far it is."""
        if self.options.marks:
            with Path(self.options.marks).open("a") as file:
                file.write(f"{what}\n")

    def _numbers(self, pages: range) -> Iterator[int]:
        rows = self.options.rows
        for number in range(pages.start * rows, pages.stop * rows):
            if number not in self.options.gone:
                yield number

    def check(self) -> Iterator[Finding]:
        yield Finding("ok", self.name, "It is there.")


def config(store: Path, **options: Any) -> Config:
    """A configuration with a forge as its one source."""
    source = Source("forge", "forge", Forge.Options(**options), ())
    return Config(
        path=store.parent / "dora.toml", base=store.parent, store=store, sources=(source,)
    )


def main(store: str, options: str) -> Summary:
    """Sync as a process of its own; the options are JSON."""
    connector.load = lambda _: Forge
    return sync(config(Path(store), **json.loads(options)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
