"""What is made of the lines of a journal: facts, each with the lines it stands on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dora.connector import Only
from dora.records import Record


class Position(NamedTuple):
    """A line: the place of its file, and its number."""

    place: str
    line: int

    def __str__(self) -> str:
        return f"{self.place}:{self.line}"


@dataclass(frozen=True, slots=True)
class Said:
    """A JSON object of a line.

    Attributes:
        position: Where it stands.
        value: What it says.
        text: The line, if it holds nothing else: takes a fraction of the memory.
    """

    position: Position
    value: dict[str, Any]
    text: bytes | None = None

    def kept(self) -> bytes | dict[str, Any]:
        """What to keep of it until it is known whether it is needed."""
        return self.value if self.text is None else self.text


def unpacked(kept: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """What was said, from what was kept of it."""
    if isinstance(kept, bytes):
        said: dict[str, Any] = json.loads(kept)
        return said
    return kept


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that says nothing that can be used: where, of which fact, why, and what it says."""

    position: Position
    record_type: type[Record] | None
    reason: str
    content: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact, or what will be one once more is known.

    Attributes:
        record: The fact, or of which type it will be.
        lines: The lines that it is made of.
        groups: Further lines that bear on it, in lists that it may share with other facts.
        only: What of it may have been given before under another key, and is gone.
        lacks: What is missing; empty where it does not count, whatever else comes.
        content: What was said so far, where something is missing.
    """

    record: Record | type[Record]
    lines: Sequence[Position]
    groups: tuple[Sequence[Position], ...] = ()
    only: tuple[Only, ...] = ()
    lacks: str = ""
    content: str = ""


@dataclass(slots=True)
class Facts:
    """All that the files say: facts, lines that are none, and what the user should know."""

    facts: list[Fact] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
