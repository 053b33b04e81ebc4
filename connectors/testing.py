"""What every connector promises, as tests to inherit; any connector's own test is three lines.

    class TestMine(ConnectorContract):
        def make(self, folder):
            return Mine("mine", Mine.Options(url=serve(folder)), base=folder)

`make` sets up a source that has something of every type in `provides`, and gives a connector to
it; called again with the same folder it gives another connector to the same, unchanged source.
`broken`, if there is such a thing, gives a connector to a source that cannot be read.
`read` is for tests of one's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    Rejected,
    Removed,
)
from dora.errors import SourceError
from dora.records import RECORD_TYPES, Column, Record, columns

Key: TypeAlias = tuple[Any, ...]

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


@dataclass(slots=True)
class Reading:
    """What one pass over a stream gave; facts in blocks are made into records.

    Attributes:
        records: The facts, in order.
        removed: Keys of facts that the source no longer has.
        rejected: What was no fact.
        notes: What the user is told.
        checkpoints: How many facts and removals there were before each checkpoint, and its cursor.
        closed: Whether a checkpoint came last.
    """

    records: list[Record] = field(default_factory=list)
    removed: list[Key] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checkpoints: list[tuple[int, int, Cursor]] = field(default_factory=list)
    closed: bool = False

    @property
    def cursor(self) -> Cursor:
        """The last cursor, as it comes back from a store: through JSON."""
        stored: Cursor = json.loads(json.dumps(self.checkpoints[-1][2]))
        return stored

    def facts(self) -> dict[Key, Record]:
        """The facts that a store would now hold, by key."""
        held = {key_of(record): record for record in self.records}
        for key in self.removed:
            held.pop(key, None)
        return held


def read(connector: Connector, record_type: type[Record], cursor: Cursor | None = None) -> Reading:
    """Read one stream to its end, as a sync does."""
    reading = Reading()
    for item in connector.records(record_type, cursor):
        reading.closed = isinstance(item, Checkpoint)
        match item:
            case Record():
                reading.records.append(item)
            case Block():
                reading.records.extend(rows(item))
            case Removed():
                reading.removed.extend(_named_key(item.record_type, keys) for keys in item.keys)
            case Rejected():
                reading.rejected.append(item)
            case Note():
                reading.notes.append(item.message)
            case Checkpoint():
                sizes = len(reading.records), len(reading.removed)
                reading.checkpoints.append((*sizes, item.cursor))
    return reading


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


class ConnectorContract:
    """The promises; pytest runs them for every class that inherits and implements `make`."""

    def make(self, folder: Path) -> Connector:
        """A connector to a source with something of every type it provides."""
        raise NotImplementedError

    def broken(self, folder: Path) -> Connector | None:  # noqa: ARG002
        """A connector to a source that cannot be read; None if there is no such thing."""
        return None

    def _readings(self, folder: Path) -> list[tuple[type[Record], Reading]]:
        connector = self.make(folder)
        return [(record_type, read(connector, record_type)) for record_type in connector.provides]

    def test_names_its_kind_and_the_facts_it_provides(self, tmp_path: Path) -> None:
        """A connector says what it is."""
        connector = self.make(tmp_path)
        assert connector.kind == connector.kind.strip().lower() != ""
        assert connector.provides
        assert set(connector.provides) <= set(RECORD_TYPES)
        assert len(set(connector.provides)) == len(connector.provides)

    def test_refuses_options_that_it_does_not_know(self, tmp_path: Path) -> None:
        """A misspelt key must be a fault, not a silent default."""
        assert self.make(tmp_path).Options.model_config.get("extra") == "forbid"

    def test_touches_nothing_when_it_is_made(self, tmp_path: Path) -> None:
        """Making a connector is no reading: a source that is gone only fails when read."""
        self.broken(tmp_path)

    def test_gives_only_the_facts_asked_for_and_some_of_each(self, tmp_path: Path) -> None:
        """Every stream has facts of its own type only, each valid as a record."""
        for record_type, reading in self._readings(tmp_path):
            assert reading.records, f"the source made has no {record_type.table}"
            assert {type(record) for record in reading.records} == {record_type}

    def test_gives_no_fact_twice(self, tmp_path: Path) -> None:
        """Keys are unique within a stream read from its beginning."""
        for record_type, reading in self._readings(tmp_path):
            keys = [key_of(record) for record in reading.records]
            assert len(set(keys)) == len(keys), f"{record_type.table} has keys twice"

    def test_ends_every_stream_with_a_checkpoint(self, tmp_path: Path) -> None:
        """What comes after the last checkpoint would be read again, or be lost."""
        for record_type, reading in self._readings(tmp_path):
            assert reading.closed, f"{record_type.table} does not end with a checkpoint"

    def test_has_cursors_that_survive_json(self, tmp_path: Path) -> None:
        """The store keeps cursors as JSON text."""
        for _, reading in self._readings(tmp_path):
            for _, _, cursor in reading.checkpoints:
                assert json.loads(json.dumps(cursor)) == cursor

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
            assert not second.removed

    def test_goes_on_from_any_checkpoint(self, tmp_path: Path) -> None:
        """A sync killed after a checkpoint loses nothing and doubles nothing."""
        for record_type, whole in self._readings(tmp_path):
            for given, gone, cursor in whole.checkpoints:
                rest = read(self.make(tmp_path), record_type, json.loads(json.dumps(cursor)))
                resumed = Reading(
                    whole.records[:given] + rest.records, whole.removed[:gone] + rest.removed
                )
                assert resumed.facts() == whole.facts()

    def test_names_persons_in_identity_columns_only(self, tmp_path: Path) -> None:
        """The store makes pseudonyms of identity columns; a name elsewhere would get through."""
        for _, reading in self._readings(tmp_path):
            persons = set(_persons(reading.records))
            for text in _open_texts(reading.records):
                assert not any(person in text.lower() for person in persons), text

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
        for record_type in connector.provides if connector else ():
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
