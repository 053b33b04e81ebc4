"""The promises of a connector, each as a test."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.testing.reading import Reading, key_of, read, stored
from dora.connector import Checkpoint, Connector, Finding, Reconciles, carried, streams
from dora.errors import SourceError
from dora.records import RECORD_TYPES, Record, columns

_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


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
                assert stored(cursor) == cursor

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
                rest = read(self.make(tmp_path), record_type, stored(cursor))
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
