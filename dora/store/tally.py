"""What came of reading, counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from dora.connector import Unread


@dataclass(slots=True)
class Tally:
    """What came of reading: rows by table, counted where their checkpoint was reached."""

    new: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether any fact is not as it was."""
        return any(n for counts in (self.new, self.updated, self.removed) for n in counts.values())

    def add(self, other: Tally) -> None:
        """Count in what another has counted."""
        for name in ("new", "updated", "removed", "rejected"):
            mine: dict[str, int] = getattr(self, name)
            for table, n in getattr(other, name).items():
                if n or table in mine:
                    mine[table] = mine.get(table, 0) + n
        self.notes += (note for note in other.notes if note not in self.notes)
        self.unread += (one for one in other.unread if one not in self.unread)
