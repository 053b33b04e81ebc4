"""What connectors to journals share: which lines are new, and handing over what they bear on.

All files are read whenever one of them has changed, as a new line may belong to what an old one
said: the outcome is the same in whatever order lines come and however they are dealt over files and
syncs. Handed over are only facts that a new line bears on. Facts whose lines are gone stay.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.journal.facts import Bad, Fact, Facts, Position
from connectors.journal.files import Content, Journal, Known, State
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Rejected, Removed, Reread
from dora.errors import SourceError
from dora.records import Record

_SHOWN = 500
_SECRET = re.compile(
    r'("[^"]*(?:token|password|secret|api[_-]?key|authorization)"\s*:\s*)"(?:[^"\\]|\\.)*"?',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A JSON object of a line, and where it stands."""

    position: Position
    value: dict[str, Any]


class JournalConnector:
    """Reads a journal; a connector says what its lines mean."""

    provides: ClassVar[tuple[type[Record], ...]]

    def __init__(self, name: str, options: BaseModel, path: Path, base: Path) -> None:
        self.name = name
        self._asked = hashlib.sha256(options.model_dump_json().encode()).hexdigest()[:16]
        self._journal = Journal(path, base)
        self._base = base
        self._last: tuple[dict[str, State], Facts] | None = None

    def facts(self, lines: Iterable[Said | Bad]) -> Facts:
        """What the lines of all files, in any order, come to."""
        raise NotImplementedError

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The facts of that type that a line bears on which was not read before `cursor`.

        Raises:
            SourceError: Nothing is there, or it cannot be read.
        """
        asked = cursor is not None and cursor.get("options") == self._asked
        before = _states(cursor) if asked and cursor else {}
        now = self._journal.states()
        if asked and before.keys() == now.keys() and all(
            before[place].same_file(state) for place, state in now.items()
        ):  # fmt: skip
            yield Checkpoint(self._cursor(before))
            return
        now, facts = self._all(now)
        known = {place: self._journal.known(place, state, before) for place, state in now.items()}
        yield from self._rereads(record_type, before, now, known)
        yield from self._bad(record_type, facts, known)
        for fact in facts.by_type.get(record_type, ()):
            yield from _given(record_type, fact, known)
        if record_type is self.provides[0]:
            yield from (Note(note) for note in facts.notes)
        yield Checkpoint(self._cursor(now))

    def check(self) -> Iterator[Finding]:
        """Whether the files can be read, and whether each line of them can be understood."""
        try:
            states, facts = self._all(self._journal.states())
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        lines = sum(state.lines for state in states.values())
        count = sum(1 for listed in facts.by_type.values() for one in listed if one.record)
        yield Finding("ok", self.name, f"{len(states)} files, {lines:,} lines, {count:,} facts.")
        for note in facts.notes:
            yield Finding("warning", self.name, note)
        if facts.bad:
            first = facts.bad[0]
            yield Finding(
                "warning",
                self.name,
                f"{len(facts.bad)} lines are no facts, the first {first.position}: {first.reason}.",
                "Correct them where they stand; the next sync reads them again.",
            )

    def _all(self, states: dict[str, State]) -> tuple[dict[str, State], Facts]:
        """What all files come to; kept while none changes, as each kind of fact asks for it."""
        if self._last is not None:
            kept = self._last[0]
            same = kept.keys() == states.keys()
            if same and all(kept[place].same_file(state) for place, state in states.items()):
                return self._last
        contents = {place: Content(state) for place, state in states.items()}
        facts = self.facts(self._lines(contents))
        for place, content in contents.items():
            if content.broken:
                facts.notes.append(f"{place} is cut short; what it holds so far is read.")
            elif content.unfinished:
                facts.notes.append(
                    f"The last line of {place} is not finished; it is read once it is."
                )
        self._last = (states, facts)
        return self._last

    def _lines(self, contents: Mapping[str, Content]) -> Iterator[Said | Bad]:
        for place, content in contents.items():
            for number, text in self._journal.read(place, content):
                position = Position(place, number)
                try:
                    values = list(_objects(text))
                except ValueError as error:
                    yield Bad(position, None, str(error), shown(text.decode(errors="replace")))
                    continue
                yield from (Said(position, value) for value in values)

    def _cursor(self, states: Mapping[str, State]) -> Cursor:
        return {
            "options": self._asked,
            "files": {place: state.as_json() for place, state in states.items()},
        }

    def _rereads(
        self,
        record_type: type[Record],
        before: Mapping[str, State],
        now: Mapping[str, State],
        known: Mapping[str, Known],
    ) -> Iterator[Reread]:
        """Files that say other things now, and those that are here under another name."""
        for place, state in before.items():
            if place in now:
                again = known[place].judged < state.lines
            else:
                again = any(other.digest == state.digest for other in now.values())
            if again:
                yield Reread(record_type, place)

    def _bad(
        self, record_type: type[Record], facts: Facts, known: Mapping[str, Known]
    ) -> Iterator[Rejected]:
        for bad in facts.bad:
            if (bad.record_type or self.provides[0]) is record_type and not _judged(
                bad.position, known
            ):
                yield Rejected(record_type, str(bad.position), bad.reason, bad.content)


def _given(record_type: type[Record], fact: Fact, known: Mapping[str, Known]) -> Iterator[Item]:
    """A fact that a new line bears on, or what it lacks."""
    if fact.record is None:
        for position in fact.lines:
            if not _judged(position, known):
                yield Rejected(record_type, str(position), fact.lacks, fact.content)
        return
    old = [position for position in fact.lines if position.line <= known[position.place].lines]
    if len(old) == len(fact.lines):
        return
    if old:
        yield from (Reread(record_type, str(position)) for position in old)
        if fact.former:
            yield Removed(record_type, fact.former)
    yield fact.record


def _judged(position: Position, known: Mapping[str, Known]) -> bool:
    return position.line <= known[position.place].judged


def _states(cursor: Cursor) -> dict[str, State]:
    return {place: State(*values) for place, values in cursor["files"].items()}


def _objects(text: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects of a line: one, a list of them, or several where an end of line is missing.

    Raises:
        ValueError: It holds anything else.
    """
    try:
        said = text.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is no utf-8") from None
    decoder, at = json.JSONDecoder(), 0
    found: list[Any] = []
    said = said.strip()
    while at < len(said):
        try:
            value, at = decoder.raw_decode(said, at)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"it is no JSON: {str(error).split(':')[0]}") from None
        found += value if isinstance(value, list) else [value]
        while at < len(said) and said[at].isspace():
            at += 1
    if not all(isinstance(value, dict) for value in found):
        raise ValueError("it is no JSON object")
    yield from found


def shown(text: str) -> str:
    """The beginning of what a line says, without what looks like a secret."""
    return _SECRET.sub(r'\1"***"', text)[:_SHOWN].strip()
