"""What came of a sync, in counts and in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dora.connector import Unread

NAMED = 3
"""How many repositories a line of the summary names, where there may be hundreds."""


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What came of one source: rows by fact table, and what the user should know.

    Attributes:
        name: The source's name in dora.toml.
        started: When reading it began, in UTC.
        finished: When reading it ended.
        new: Rows that were not known before.
        updated: Rows that are different now.
        removed: Rows that the source no longer has.
        rejected: Rows and answers that are no facts; the store's quarantine keeps them.
        spent: What reading it cost, such as requests.
        notes: What the connector has to say.
        error: Why it could not be read to its end; None where it was.
        hint: What to do about that.
    """

    name: str
    started: datetime
    finished: datetime
    new: Mapping[str, int]
    updated: Mapping[str, int]
    removed: Mapping[str, int]
    rejected: Mapping[str, int]
    spent: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        said = [
            f"{rows:,} {named(table, rows)} {word}"
            for word in ("new", "updated", "removed", "rejected")
            for table, rows in getattr(self, word).items()
            if rows
        ]
        came = ", ".join(said) or "nothing new"
        spent = ", ".join(f"{n:,} {named(what, n)}" for what, n in self.spent.items() if n)
        return f"{came}; {spent} spent" if spent else came

    def as_json(self) -> str:
        """The counts, the notes and the error, for the store to keep."""
        words = ("new", "updated", "removed", "rejected", "spent", "notes", "error")
        return json.dumps({word: getattr(self, word) for word in words})


def named(table: str, rows: int) -> str:
    """What a table holds, in words: `1 repository`, `3 commit paths`."""
    plural = table.replace("_", " ")
    if rows != 1:
        return plural
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a sync.

    Attributes:
        sources: What came of each source, in the order of dora.toml.
        notes: What the user should know about the store itself.
    """

    sources: tuple[SourceSummary, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether any source could not be read to its end."""
        return any(source.error is not None for source in self.sources)


def missing(unread: Sequence[Unread]) -> Iterator[str]:
    """What could not be read, a line for each kind of fact and reason."""
    parts: dict[tuple[str, str], list[str]] = {}
    for one in unread:
        parts.setdefault((one.record_type.table, one.reason), []).append(one.part)
    for (table, reason), listed in parts.items():
        more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
        of = f"{', '.join(listed[:NAMED])}{more}"
        yield f"{table.replace('_', ' ')} of {of} could not be read: {reason}."
