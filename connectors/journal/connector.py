"""What connectors to journals share: which lines are new, and handing over what they bear on.

All files are read whenever one of them has changed, as a new line may belong to what an old one
said: the outcome is the same in whatever order lines come and however they are dealt over files and
syncs. Handed over are only facts that a new line bears on. Facts whose lines are gone stay.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.journal.facts import Bad, Facts, Position, Said
from connectors.journal.files import Content, Journal, Known, Moved, State
from connectors.journal.news import News
from dora.connector import Checkpoint, Cursor, Finding, Item, Note, Reread
from dora.errors import SourceError
from dora.records import Record

_SHOWN = 500
_SECRET = re.compile(
    r'("[^"]*(?:token|password|secret|api[_-]?key|authorization)"\s*:\s*)"(?:[^"\\]|\\.)*"?',
    re.IGNORECASE,
)

_ODD = re.compile(r"\\u(?:d[89a-f]|0000)", re.IGNORECASE)
"""What may be written of characters that are none."""


class JournalConnector(ABC):
    """Reads a journal in one stream that carries all facts; a connector says what lines mean."""

    provides: ClassVar[tuple[type[Record], ...]]

    def __init__(self, name: str, options: BaseModel, path: Path, base: Path) -> None:
        self.name = name
        self._asked = hashlib.sha256(options.model_dump_json().encode()).hexdigest()[:16]
        self._journal = Journal(path, base)

    @abstractmethod
    def facts(self, lines: Iterable[Said | Bad], news: News) -> Facts:
        """What the lines of all files, in any order, come to.

        Args:
            lines: All lines, old and new.
            news: Tells which facts are touched by a new one; others may be left out.
        """

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The facts that a line bears on which was not read before `cursor`.

        Raises:
            SourceError: Nothing is there, or it cannot be read.
        """
        asked = cursor is not None and cursor.get("options") == self._asked
        before = _states(cursor) if asked and cursor else {}
        read = self._all(before, asked=asked)
        if read is None:
            yield Checkpoint(self._cursor(before))
            return
        now, known, facts = read
        news = News(known)
        yield from _rereads(record_type, before, now, known)
        for bad in facts.bad:
            yield from news.refusal(bad, record_type)
        for fact in facts.facts:
            yield from news.items(fact)
        yield from (Note(note) for note in facts.notes)
        yield Checkpoint(self._cursor(now))

    def check(self) -> Iterator[Finding]:
        """Whether the files can be read, and whether each line of them can be understood."""
        try:
            states = self._journal.states()
            facts = self._read(states, News({}))
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        lines = sum(state.lines for state in states.values())
        count = sum(isinstance(fact.record, Record) for fact in facts.facts)
        yield Finding(
            "ok", self.name, f"Files: {len(states):,}; lines: {lines:,}; facts: {count:,}."
        )
        for note in facts.notes:
            yield Finding("warning", self.name, note)
        if facts.bad:
            first = facts.bad[0]
            yield Finding(
                "warning",
                self.name,
                f"Lines that are no facts: {len(facts.bad):,}. {first.position}: {first.reason}.",
                "Correct them where they stand; the next sync reads them again.",
            )

    def _all(
        self, before: Mapping[str, State], *, asked: bool, tries: int = 3
    ) -> tuple[dict[str, State], dict[str, Known], Facts] | None:
        """How the files stand, what of them was known, and what they say; None if as before."""
        now = self._journal.states()
        if asked and _same(before, now):
            return None
        known = {place: self._journal.known(place, state, before) for place, state in now.items()}
        try:
            return now, known, self._read(now, News(known))
        except Moved:
            if tries == 1:
                raise
        return self._all(before, asked=asked, tries=tries - 1)

    def _read(self, states: Mapping[str, State], news: News) -> Facts:
        contents = {place: Content(state) for place, state in states.items()}
        facts = self.facts(self._lines(contents), news)
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
                alone = text if len(values) == 1 and text.startswith(b"{") else None
                yield from (Said(position, value, alone) for value in values)

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
    if _ODD.search(said) and not _is_text(found):
        raise ValueError("it holds characters that are no text")
    yield from found


def _is_text(found: list[Any]) -> bool:
    """Whether all of it can be stored: no half of a character, no NUL."""
    written = json.dumps(found, ensure_ascii=False)
    return "\\u0000" not in written and written.encode(errors="replace").decode() == written


def shown(text: str) -> str:
    """The beginning of what a line says, without what looks like a secret."""
    return _SECRET.sub(r'\1"***"', text)[:_SHOWN].strip()
