"""Progress of a sync on a terminal; silent where nobody is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from dora.sync import Progress


@contextmanager
def reporting(quiet: bool) -> Iterator[Progress | None]:
    """Something to tell a sync's progress to, or None where nobody is watching."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Terminal(bar)


class _Terminal:
    """One line for each source that is being read."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._lines: dict[str, TaskID] = {}

    def started(self, source: str) -> None:
        self._lines[source] = self._bar.add_task(f"{source}: reading")

    def advanced(self, source: str, table: str, rows: int) -> None:
        name = table.replace("_", " ")
        self._bar.update(self._lines[source], description=f"{source}: {rows:,} {name}")

    def finished(self, source: str) -> None:
        self._bar.update(self._lines[source], description=f"{source}: done", completed=1, total=1)
