"""What connectors to journals share: which lines are new, and handing over what they bear on.

All files are read whenever one of them has changed, as a new line may belong to what an old one
said: the outcome is the same in whatever order lines come and however they are dealt over files and
syncs. Handed over are only facts that a new line bears on. Facts whose lines are gone stay.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.journal.facts import Bad, Fact, Facts, Position, Said
from connectors.journal.files import Content, Journal, Known, State
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Rejected, Reread
from dora.errors import SourceError
from dora.records import Record

_SHOWN = 500
_SECRET = re.compile(
    r'("[^"]*(?:token|password|secret|api[_-]?key|authorization)"\s*:\s*)"(?:[^"\\]|\\.)*"?',
    re.IGNORECASE,
)


class JournalConnector:
    """Reads a journal in one stream that carries all facts; a connector says what lines mean."""

    provides: ClassVar[tuple[type[Record], ...]]

    def __init__(self, name: str, options: BaseModel, path: Path, base: Path) -> None:
        self.name = name
        self._asked = hashlib.sha256(options.model_dump_json().encode()).hexdigest()[:16]
        self._journal = Journal(path, base)

    def facts(self, lines: Iterable[Said | Bad]) -> Facts:
        """What the lines of all files, in any order, come to."""
        raise NotImplementedError

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The facts that a line bears on which was not read before `cursor`.

        Raises:
            SourceError: Nothing is there, or it cannot be read.
        """
        asked = cursor is not None and cursor.get("options") == self._asked
        before = _states(cursor) if asked and cursor else {}
        now = self._journal.states()
        if asked and _same(before, now):
            yield Checkpoint(self._cursor(before))
            return
        facts = self._read(now)
        known = {place: self._journal.known(place, state, before) for place, state in now.items()}
        yield from _rereads(record_type, before, now, known)
        for bad in facts.bad:
            if not _judged(bad.position, known):
                of = bad.record_type or record_type
                yield Rejected(of, str(bad.position), bad.reason, bad.content)
        giving = _Giving(known)
        for fact in facts.facts:
            yield from giving.items(fact)
        yield from (Note(note) for note in facts.notes)
        yield Checkpoint(self._cursor(now))

    def check(self) -> Iterator[Finding]:
        """Whether the files can be read, and whether each line of them can be understood."""
        try:
            states = self._journal.states()
            facts = self._read(states)
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        lines = sum(state.lines for state in states.values())
        count = sum(isinstance(fact.record, Record) for fact in facts.facts)
        yield Finding("ok", self.name, f"{len(states)} files, {lines:,} lines, {count:,} facts.")
        for note in facts.notes:
            yield Finding("warning", self.name, note)
        if facts.bad:
            first = facts.bad[0]
            yield Finding(
                "warning",
                self.name,
                f"{len(facts.bad)} lines are no facts, such as {first.position}: {first.reason}.",
                "Correct them where they stand; the next sync reads them again.",
            )

    def _read(self, states: Mapping[str, State]) -> Facts:
        contents = {place: Content(state) for place, state in states.items()}
        facts = self.facts(self._lines(contents))
        for place, content in contents.items():
            if content.broken:
                facts.notes.append(f"{place} is cut short; what it holds so far is read.")
            elif content.unfinished:
                facts.notes.append(
                    f"The last line of {place} is not finished; it is read once it is."
                )
        return facts

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


def _same(before: Mapping[str, State], now: Mapping[str, State]) -> bool:
    return before.keys() == now.keys() and all(
        before[place].same_file(state) for place, state in now.items()
    )


def _rereads(
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


class _Giving:
    """Tells which facts a new line bears on, and hands them over."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known
        self._groups: dict[int, bool] = {}

    def items(self, fact: Fact) -> Iterator[Item]:
        """A fact that a new line bears on, or what it lacks."""
        old = [position for position in fact.lines if not self._new(position)]
        if fact.lacks:
            yield from self._refusals(fact)
        if len(old) == len(fact.lines) and not any(map(self._any_new, fact.groups)):
            return
        if old:
            yield from fact.only
        if isinstance(fact.record, Record):
            yield from (Reread(type(fact.record), str(position)) for position in old)
            yield fact.record

    def _refusals(self, fact: Fact) -> Iterator[Rejected]:
        of = fact.record if isinstance(fact.record, type) else type(fact.record)
        for position in fact.lines:
            if not _judged(position, self._known):
                yield Rejected(of, str(position), fact.lacks, fact.content)

    def _new(self, position: Position) -> bool:
        return position.line > self._known[position.place].lines

    def _any_new(self, group: Sequence[Position]) -> bool:
        if id(group) not in self._groups:
            self._groups[id(group)] = any(map(self._new, group))
        return self._groups[id(group)]


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
