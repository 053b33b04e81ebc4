"""One stream read to its end, and what a store would hold of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connectors.testing.blocks import rows
from dora.connector import (
    Block,
    Checkpoint,
    Connector,
    Cursor,
    Note,
    Only,
    Rejected,
    Removed,
    Unread,
)
from dora.records import Record

Key: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class Reading:
    """What one pass over a stream gave; facts in blocks are made into records.

    Attributes:
        given: The facts and what takes facts away again, in order.
        rejected: What was no fact.
        notes: What the user is told.
        unread: What could not be read.
        checkpoints: For each checkpoint, how much was given before it, and the cursor as the store
            has it then, with those of parts.
        closed: Whether a checkpoint came last.
    """

    given: list[Record | Removed | Only] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    checkpoints: list[tuple[int, Cursor]] = field(default_factory=list)
    closed: bool = False

    @property
    def records(self) -> list[Record]:
        """The facts alone."""
        return [one for one in self.given if isinstance(one, Record)]

    @property
    def removed(self) -> list[Key]:
        """Keys of facts that the source says it no longer has."""
        return [
            _named_key(one.record_type, keys)
            for one in self.given
            if isinstance(one, Removed)
            for keys in one.keys
        ]

    @property
    def cursor(self) -> Cursor:
        """The last cursor, as it comes back from a store: through JSON."""
        return stored(self.checkpoints[-1][1])

    def facts(self) -> dict[Key, Record]:
        """The facts that a store would now hold, by key."""
        held: dict[tuple[type[Record], Key], Record] = {}
        for one in self.given:
            if isinstance(one, Record):
                held[type(one), key_of(one)] = one
            elif isinstance(one, Removed):
                for keys in one.keys:
                    held.pop((one.record_type, _named_key(one.record_type, keys)), None)
            else:
                held = {place: fact for place, fact in held.items() if not _gone(fact, one)}
        return {key: fact for (_, key), fact in held.items()}


def read(connector: Connector, record_type: type[Record], cursor: Cursor | None = None) -> Reading:
    """Read one stream to its end, as a sync does."""
    reading = Reading()
    standing = stored(cursor or {})
    for item in connector.records(record_type, cursor):
        reading.closed = isinstance(item, Checkpoint)
        match item:
            case Record() | Removed() | Only():
                reading.given.append(item)
            case Block():
                reading.given.extend(rows(item))
            case Rejected():
                reading.rejected.append(item)
            case Note():
                reading.notes.append(item.message)
            case Unread():
                reading.unread.append(item)
            case Checkpoint():
                standing = _moved(standing, item)
                reading.checkpoints.append((len(reading.given), standing))
    return reading


def _moved(standing: Cursor, checkpoint: Checkpoint) -> Cursor:
    """Where a stream stands after a checkpoint, as a store tells it."""
    parts = dict(standing.get("parts", {}))
    whole = {name: value for name, value in standing.items() if name != "parts"}
    if checkpoint.part:
        parts[checkpoint.part] = checkpoint.cursor
    else:
        assert "parts" not in checkpoint.cursor, "`parts` is where the cursors of parts stand"
        whole = dict(checkpoint.cursor)
    parts = {part: at for part, at in parts.items() if at}
    return {**whole, "parts": parts} if parts else whole


def stored(cursor: Cursor) -> Cursor:
    """A cursor as it comes back from a store: through JSON."""
    kept: Cursor = json.loads(json.dumps(cursor))
    return kept


def _gone(fact: Record, only: Only) -> bool:
    """Whether a fact is not among the only ones there are."""
    if type(fact) is not only.record_type:
        return False
    if any(getattr(fact, name) != value for name, value in only.where.items()):
        return False
    return not any(all(getattr(fact, n) == v for n, v in key.items()) for key in only.keys)


def key_of(record: Record) -> Key:
    """A fact's key, without the source that the store adds."""
    return tuple(getattr(record, name) for name in record.key if name != "source")


def _named_key(record_type: type[Record], keys: Any) -> Key:
    return tuple(keys[name] for name in record_type.key if name != "source")
