"""Rows to look through, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dora import words


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: what it says, what it is sorted by, and where it leads."""

    text: str
    order: float | str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to look through.

    Attributes:
        title: What the rows are.
        columns: Their names.
        rows: The rows, cell by cell.
        more: How many further rows there are.
        empty: What to say where there are none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: int = 0
    empty: str = ""


def link(url: Any) -> str:
    """An address that may be followed; anything but the web's is none."""
    text = "" if words.missing(url) else str(url).strip()
    return text if text.lower().startswith(("https://", "http://")) else ""
