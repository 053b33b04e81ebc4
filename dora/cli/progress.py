"""Progress of a sync on a terminal; where nobody is watching only long waits are told of."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from dora.sync import Progress


@contextmanager
def reporting(quiet: bool) -> Iterator[Progress | None]:
    """Something to tell a sync's progress to, or None where it must be silent."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _Log()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Terminal(bar)


LONG = 30.0
"""Seconds of a wait from which on a log should say why nothing happens."""


class _Log:
    """A line for each long wait; a log of every row would help nobody."""

    def __init__(self) -> None:
        self._waits: dict[tuple[str, str], float] = {}

    def started(self, source: str) -> None:
        del source

    def advanced(self, source: str, table: str, rows: int) -> None:
        del source, table, rows

    def waiting(self, source: str, why: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        said = self._waits.get((source, why), 0.0)
        if seconds >= LONG and until > said + 1:  # told every second, by every reader
            click.echo(f"{source}: {waits(why, seconds)}", err=True)
            self._waits[source, why] = until

    def finished(self, source: str) -> None:
        del source


def waits(why: str, seconds: float) -> str:
    """A wait and the time left of it, in words."""
    from dora.words import duration

    return f"{why}, waiting {duration(seconds)}"


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

    def waiting(self, source: str, why: str, seconds: float) -> None:
        self._bar.update(self._lines[source], description=f"{source}: {waits(why, seconds)}")

    def finished(self, source: str) -> None:
        self._bar.update(self._lines[source], description=f"{source}: done", completed=1, total=1)
