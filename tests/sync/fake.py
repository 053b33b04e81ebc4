"""A source made up for tests: what it gives is a list of items by fact table, kept in a JSON file.

The file is read anew by every sync, so that a test can change what the source has, also while a
sync runs in a process of its own. `python -m tests.sync.fake STORE FILE…` is such a process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from dora import connector
from dora.config import Config, Source
from dora.connector import Block, Checkpoint, Cursor, Finding, Item, Note, Rejected, Removed
from dora.errors import RepositoryError
from dora.records import RECORD_TYPES, Commit, Deployment, Record
from dora.sync import Summary, sync

START = datetime(2026, 1, 1, tzinfo=UTC)
REPOSITORY = "example.org/acme/shop"


class Fake:
    """Gives commits by page, each page ended by a checkpoint, and deployments at once."""

    kind: ClassVar[str] = "fake"
    provides: ClassVar[tuple[type[Record], ...]] = RECORD_TYPES

    class Options(BaseModel):
        """What the fake source has."""

        pages: int = 0
        rows: int = 10
        blocks: bool = False
        seconds: float = 0.0
        fails_after: int | None = None
        asked: list[Any] = []
        extra: dict[str, list[Any]] = {}

    def __init__(self, name: str, options: Any, *, base: Path) -> None:
        del base
        self.name = name
        self.options = options

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        self.options.asked.append((record_type.table, cursor))
        done = int(cursor["page"]) if cursor else 0
        if record_type is Commit:
            for page in range(done, self.options.pages):
                if page == self.options.fails_after:
                    raise RepositoryError("The repository is gone.", hint="Find it.")
                yield from self._page(page)
                time.sleep(self.options.seconds)
                yield Checkpoint({"page": page + 1})
        yield from self.options.extra.get(record_type.table, [])
        yield Checkpoint({"page": self.options.pages if record_type is Commit else 0})

    def _page(self, page: int) -> Iterator[Item]:
        commits = [commit(number) for number in self._numbers(page)]
        if not self.options.blocks:
            yield from commits
            return
        names = ("repository", "sha", "parents", "authored_at", "committed_at", "author")
        lines = (
            "\x1f".join(_field(getattr(one, name)) for name in names) + "\n" for one in commits
        )
        yield Block(Commit, names, delimited=(line.encode() for line in lines))

    def _numbers(self, page: int) -> range:
        return range(page * self.options.rows, (page + 1) * self.options.rows)

    def check(self) -> Iterator[Finding]:
        yield Finding("ok", self.name, "It is there.")


def commit(number: int, **changes: Any) -> Commit:
    """The commit of that number, on the one before it."""
    values: dict[str, Any] = {
        "repository": REPOSITORY,
        "sha": f"{number:040x}",
        "parents": f"{number - 1:040x}" if number else "",
        "authored_at": START + timedelta(minutes=number),
        "committed_at": START + timedelta(minutes=number),
        "author": f"Planted Name{number % 7} <planted{number % 7}@example.org>",
    }
    return Commit(**{**values, **changes})


def deployment(number: int, **changes: Any) -> Deployment:
    """A deployment of the commit of that number, an hour after it."""
    values: dict[str, Any] = {
        "id": f"v{number}",
        "repository": REPOSITORY,
        "environment": "production",
        "status": "succeeded",
        "finished_at": START + timedelta(minutes=number, hours=1),
        "sha": f"{number:040x}",
    }
    return Deployment(**{**values, **changes})


def config(store: Path, **sources: dict[str, Any]) -> Config:
    """A configuration with fake sources by name."""
    made = tuple(
        Source(name, "fake", Fake.Options(**options), ()) for name, options in sources.items()
    )
    return Config(path=store.parent / "dora.toml", base=store.parent, store=store, sources=made)


def _field(value: Any) -> str:
    return str(int(value.timestamp())) if isinstance(value, datetime) else str(value)


def install() -> None:
    """Let `connector.load` find the fake in this process."""
    real = connector.load
    connector.load = lambda kind: Fake if kind == "fake" else real(kind)


def main(store: str, options: str) -> Summary:
    """Sync as a process of its own; the options of each source are JSON."""
    install()
    return sync(config(Path(store), **json.loads(options)))


if __name__ == "__main__":
    main(*sys.argv[1:3])

__all__ = ["Fake", "Note", "Rejected", "Removed", "commit", "config", "deployment", "install"]
