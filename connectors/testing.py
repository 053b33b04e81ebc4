"""What every connector promises, as tests to inherit; any connector's own test is three lines.

    class TestMine(ConnectorContract):
        def make(self, folder):
            return Mine("mine", Mine.Options(url=serve(folder)), base=folder)

`make` sets up a source that has something of every type in `provides`, and gives a connector to
it; called again with the same folder it gives another connector to the same, unchanged source.
`broken`, if there is such a thing, gives a connector to a source that cannot be read.
`read` is for tests of one's own, and `Waits` for a connector that would have to wait in them.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from dora.connector import (
    Block,
    Checkpoint,
    Connector,
    Cursor,
    Finding,
    Note,
    Only,
    Reconciles,
    Rejected,
    Removed,
    Unread,
    carried,
    streams,
)
from dora.errors import SourceError
from dora.patience import Patience
from dora.records import RECORD_TYPES, Column, Record, columns

Key: TypeAlias = tuple[Any, ...]

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


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
        return _stored(self.checkpoints[-1][1])

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
    standing = _stored(cursor or {})
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


def _stored(cursor: Cursor) -> Cursor:
    stored: Cursor = json.loads(json.dumps(cursor))
    return stored


def _gone(fact: Record, only: Only) -> bool:
    """Whether a fact is not among the only ones there are."""
    if type(fact) is not only.record_type:
        return False
    if any(getattr(fact, name) != value for name, value in only.where.items()):
        return False
    return not any(all(getattr(fact, n) == v for n, v in key.items()) for key in only.keys)


class Waits(Patience):
    """Waits that take no time: the clock is put forward instead.

    Attributes:
        said: Why there was a wait, and for how long.
    """

    def __init__(self, longest: timedelta | None = None) -> None:
        super().__init__(longest)
        self.said: list[tuple[str, float]] = []
        self._ahead = 0.0

    def wait(self, seconds: float, why: str) -> None:
        """Remember a wait, and be done with it."""
        super().wait(seconds, why)
        self.said.append((why, seconds))

    def now(self) -> float:
        """Seconds on the clock, with those that were skipped."""
        return super().now() + self._ahead

    def pause(self, seconds: float) -> None:
        """Skip some seconds."""
        self._ahead += seconds


def key_of(record: Record) -> Key:
    """A fact's key, without the source that the store adds."""
    return tuple(getattr(record, name) for name in record.key if name != "source")


def rows(block: Block) -> Iterator[Record]:
    """The facts of a block, one by one: slow, and the measure of what a block means.

    Raises:
        ValueError: The block's columns are not the record's, or a row does not fit them.
        RecordError: A row is no fact.
    """
    known = columns(block.record_type)
    strangers = [name for name in block.columns if name not in known]
    if strangers or len(set(block.columns)) != len(block.columns):
        raise ValueError(f"{block.record_type.__name__} has no such columns: {block.columns}")
    if (block.frame is None) == (block.delimited is None):
        raise ValueError("a block has either a frame or delimited text")
    wanted = [known[name] for name in block.columns]
    for values in _framed(block) if block.frame is not None else _lines(block):
        if len(values) != len(wanted):
            raise ValueError(f"a row has {len(values)} fields instead of {len(wanted)}: {values}")
        yield block.record_type(
            **{c.name: v for c, v in zip(wanted, map(_value, wanted, values), strict=True)}
        )


def _lines(block: Block) -> Iterator[list[str]]:
    rest = b""
    for chunk in block.delimited or ():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8").split("\x1f")
    if rest:
        raise ValueError(f"the last row is not ended by a newline: {rest!r}")


def _framed(block: Block) -> Iterator[list[Any]]:
    frame = block.frame
    assert frame is not None
    if list(frame.columns) != list(block.columns):
        raise ValueError(f"the frame has the columns {list(frame.columns)}")
    for values in frame.astype(object).itertuples(index=False, name=None):
        yield [None if _absent(value) else value for value in values]


def _absent(value: Any) -> bool:
    return bool(pd.isna(value))


def _value(column: Column, value: Any) -> Any:
    """A field as the record has it, from text or from a frame's cell."""
    if value is None or (value == "" and column.python_type is not str):
        return column.default
    if column.python_type is datetime:
        return _time(value)
    if column.python_type is bool:
        return bool(int(value))
    if column.python_type is str:
        return None if value == "" and not column.required else str(value)
    return column.python_type(value)


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromtimestamp(int(value), UTC)
    moment: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _named_key(record_type: type[Record], keys: Any) -> Key:
    return tuple(keys[name] for name in record_type.key if name != "source")


class ConnectorContract(ABC):
    """The promises; pytest runs them for every class that inherits and implements `make`."""

    @abstractmethod
    def make(self, folder: Path) -> Connector:
        """A connector to a source with something of every type it provides."""

    def broken(self, folder: Path) -> Connector | None:  # noqa: ARG002  (theirs use it)
        """A connector to a source that cannot be read; None if there is no such thing."""
        return None

    def _readings(self, folder: Path) -> list[tuple[type[Record], Reading]]:
        connector = self.make(folder)
        return [(one, read(connector, one)) for one in streams(connector)]

    def test_names_its_kind_and_the_facts_it_provides(self, tmp_path: Path) -> None:
        """A connector says what it is."""
        connector = self.make(tmp_path)
        assert connector.kind == connector.kind.strip().lower() != ""
        assert connector.provides
        assert set(connector.provides) <= set(RECORD_TYPES)
        assert len(set(connector.provides)) == len(connector.provides)
        for along, carrier in carried(connector).items():
            assert {along, carrier} <= set(connector.provides)
            assert carrier in streams(connector)

    def test_refuses_options_that_it_does_not_know(self, tmp_path: Path) -> None:
        """A misspelt key must be a fault, not a silent default."""
        assert self.make(tmp_path).Options.model_config.get("extra") == "forbid"

    def test_touches_nothing_when_it_is_made(self, tmp_path: Path) -> None:
        """Making a connector is no reading: a source that is gone only fails when read."""
        self.broken(tmp_path)

    def test_gives_only_the_facts_asked_for_and_some_of_each(self, tmp_path: Path) -> None:
        """Every stream has facts of its own type and of those it carries, each a valid record."""
        along = carried(self.make(tmp_path))
        for record_type, reading in self._readings(tmp_path):
            expected = {record_type} | {one for one, by in along.items() if by is record_type}
            found = {type(record) for record in reading.records}
            assert found == expected, f"the source made has not all, or more than {expected}"

    def test_gives_no_fact_twice(self, tmp_path: Path) -> None:
        """Keys are unique within a stream read from its beginning."""
        for record_type, reading in self._readings(tmp_path):
            keys = [(type(record), key_of(record)) for record in reading.records]
            assert len(set(keys)) == len(keys), f"{record_type.table} has keys twice"

    def test_ends_every_stream_with_a_checkpoint(self, tmp_path: Path) -> None:
        """What comes after the last checkpoint would be read again, or be lost."""
        for record_type, reading in self._readings(tmp_path):
            assert reading.closed, f"{record_type.table} does not end with a checkpoint"

    def test_has_cursors_that_survive_json(self, tmp_path: Path) -> None:
        """The store keeps cursors as JSON text."""
        for _, reading in self._readings(tmp_path):
            for _, cursor in reading.checkpoints:
                assert _stored(cursor) == cursor

    def test_gives_the_same_facts_every_time(self, tmp_path: Path) -> None:
        """A full sync of an unchanged source is no change."""
        for (_, once), (_, again) in zip(
            self._readings(tmp_path), self._readings(tmp_path), strict=True
        ):
            assert once.facts() == again.facts()

    def test_gives_nothing_when_nothing_is_new(self, tmp_path: Path) -> None:
        """The second sync of an unchanged source neither gives nor takes facts."""
        for record_type, first in self._readings(tmp_path):
            second = read(self.make(tmp_path), record_type, first.cursor)
            assert second.closed
            assert not second.records, f"{record_type.table} are given again"
            assert second.facts() == {}
            assert not second.removed
            assert Reading([*first.given, *second.given]).facts() == first.facts()

    def test_goes_on_from_any_checkpoint(self, tmp_path: Path) -> None:
        """A sync killed after a checkpoint loses nothing and doubles nothing."""
        for record_type, whole in self._readings(tmp_path):
            for given, cursor in whole.checkpoints:
                rest = read(self.make(tmp_path), record_type, _stored(cursor))
                resumed = Reading([*whole.given[:given], *rest.given])
                assert resumed.facts() == whole.facts()

    def test_finds_nothing_gone_when_nothing_is(self, tmp_path: Path) -> None:
        """Reconciling an unchanged source takes no fact away and changes none."""
        for record_type, first in self._readings(tmp_path):
            connector = self.make(tmp_path)
            if not isinstance(connector, Reconciles):
                return
            connector.reconcile()
            second = read(connector, record_type, first.cursor)
            assert second.closed
            assert Reading([*first.given, *second.given]).facts() == first.facts()

    def test_names_persons_in_identity_columns_only(self, tmp_path: Path) -> None:
        """The store makes pseudonyms of identity columns; a name elsewhere would get through."""
        for _, reading in self._readings(tmp_path):
            persons = sorted(set(_persons(reading.records)))
            said = "|".join(map(re.escape, persons)) or "a^"
            named = re.compile(rf"(?<!\w)(?:{said})(?!\w)")  # a login may stand in a sha by chance
            for text in _open_texts(reading.records):
                assert not named.search(text.lower()), text

    def test_checks_itself_without_failing(self, tmp_path: Path) -> None:
        """`check` tells how things stand and never raises, whatever is wrong."""
        findings = list(self.make(tmp_path).check())
        assert findings
        assert all(isinstance(finding, Finding) for finding in findings)
        assert not [finding for finding in findings if finding.level == "error"]
        connector = self.broken(tmp_path)
        if connector is not None:
            errors = [finding for finding in connector.check() if finding.level == "error"]
            assert errors
            assert all(finding.message and finding.hint for finding in errors)

    def test_says_what_to_do_when_the_source_cannot_be_read(self, tmp_path: Path) -> None:
        """A failure is a SourceError with a hint, and no checkpoint comes before it."""
        connector = self.broken(tmp_path)
        for record_type in streams(connector) if connector else ():
            assert connector is not None
            error = _failure(connector, record_type)
            assert error is not None, f"{record_type.table} were read"
            assert error.message
            assert error.hint


def _failure(connector: Connector, record_type: type[Record]) -> SourceError | None:
    try:
        for item in connector.records(record_type, None):
            assert not isinstance(item, Checkpoint), "a checkpoint came before the failure"
    except SourceError as error:
        return error
    return None


def _persons(records: Iterable[Record]) -> Iterator[str]:
    """What identity columns say: the address where there is one, else the whole text."""
    for record in records:
        for name, column in columns(type(record)).items():
            text = getattr(record, name) if column.identity else None
            if text:
                address = _ADDRESS.search(text)
                yield (address[1] if address else text).lower()


def _open_texts(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        for name, column in columns(type(record)).items():
            text = getattr(record, name)
            if not column.identity and isinstance(text, str):
                yield text
