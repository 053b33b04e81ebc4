"""Reads rows out of JSON: an object on each line, or a list of them somewhere in a document."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from connectors.files.options import Updates
from connectors.files.paths import follow, root, text
from connectors.files.read import MARK, ROWS, SHOWN, Bad, Choose, Chunk, Reader
from connectors.histories import History
from dora.errors import SourceError

Time = Callable[[str], datetime | None]

ENDS = ("resolved_at", "first_resolved_at", "reopenings")
"""The columns that an incident's history tells."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What else to find in an object than its keys.

    Attributes:
        paths: The paths that the configuration names.
        updates: Where an incident's history stands, if it has one.
        time: Reads the time of an update.
    """

    paths: Collection[str] = ()
    updates: Updates | None = None
    time: Time = datetime.fromisoformat


def json_lines(encoding: str, wanted: Wanted) -> Reader:
    """A reader of one JSON object a line."""

    def read(file: BinaryIO, choose: Choose) -> Iterator[Chunk | Bad]:
        chosen: Mapping[str, str] | None = None
        line = 1
        while batch := list(islice(file, ROWS)):
            objects, lines = [], []
            for number, raw in enumerate(batch, line):
                parsed = _parsed(raw.removeprefix(MARK) if number == 1 else raw, encoding)
                if isinstance(parsed, dict):
                    objects.append(parsed)
                    lines.append(number)
                elif parsed is not None:
                    yield Bad(number, parsed, raw[:SHOWN].decode(encoding, "replace").rstrip())
            line += len(batch)
            if chosen is None:
                chosen = choose(_names(objects, wanted))
            yield from _chunk(objects, lines, chosen, wanted)
        if chosen is None:
            choose([])

    return read


def json_document(encoding: str, rows: str | None, wanted: Wanted) -> Reader:
    """A reader of a document that is a list of objects, or has one at the path `rows`."""

    def read(file: BinaryIO, choose: Choose) -> Iterator[Chunk | Bad]:
        try:
            document = json.loads(file.read().removeprefix(MARK).decode(encoding))
        except (json.JSONDecodeError, RecursionError) as error:
            raise SourceError(
                f"{file.name} is no JSON: {error}.", hint="Correct the file, or set `format`."
            ) from None
        listed = list(enumerate(_listed(document, rows, file.name), 1))
        objects = [one for _, one in listed if isinstance(one, dict)]
        lines = [number for number, one in listed if isinstance(one, dict)]
        for number, one in listed:
            if not isinstance(one, dict):
                yield Bad(number, "it is no JSON object", json.dumps(one)[:SHOWN])
        yield from _chunk(objects, lines, choose(_names(objects, wanted)), wanted)

    return read


def is_document(file: BinaryIO) -> bool:
    """Whether a file is one JSON document, not an object a line."""
    first = file.readline().removeprefix(MARK).strip()
    if not first.startswith(b"{"):
        return first.startswith(b"[")
    try:
        json.loads(first)
    except ValueError:
        return first in {b"{", b"{}"} or not first.endswith(b"}")
    return False


def _listed(document: Any, rows: str | None, name: str) -> list[Any]:
    if rows is None:
        if isinstance(document, list):
            return document
        lists = [key for key, value in document.items() if isinstance(value, list)]
        raise SourceError(
            f"{name} is one JSON object, not a list of rows.",
            hint=f'Say where they stand: rows = "{lists[0] if lists else "data"}".',
        )
    found = follow(document if isinstance(document, dict) else {}, rows)
    if not found and not (isinstance(document, dict) and root(rows) in document):
        there = ", ".join(document) if isinstance(document, dict) else "a list"
        raise SourceError(f"{name} has nothing at {rows!r}.", hint=f"It has: {there}.")
    return found


def _parsed(raw: bytes, encoding: str) -> dict[str, Any] | str | None:
    """An object, the reason why it is none, or None for an empty line."""
    try:
        line = raw.decode(encoding).strip()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is no {encoding}"
    if not line:
        return None
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return f"it is no JSON: {str(error).split(':')[0]}"
    return found if isinstance(found, dict) else "it is no JSON object; one stands on each line"


def _names(objects: Sequence[Mapping[str, Any]], wanted: Wanted) -> list[str]:
    """The names that objects have, and the paths that can be followed in them."""
    names: dict[str, None] = {}
    for found in objects:
        names.update(dict.fromkeys(found))
        for key, value in found.items():
            if isinstance(value, dict):
                names.update(dict.fromkeys(f"{key}.{inner}" for inner in value))
    names.update((path, None) for path in wanted.paths if _leads_on(objects, path))
    return list(names)


def _leads_on(objects: Sequence[Mapping[str, Any]], path: str) -> bool:
    """Whether a path may lead to something: it does, or only where nothing is yet."""
    if "[" in path or "." not in path:
        return any(root(path) in found for found in objects)
    here: list[Any] = list(objects)
    for key in path.split("."):
        there = [found for found in here if isinstance(found, dict)]
        if there and not any(key in found for found in there):
            return False
        here = [value for found in there for value in follow(found, key)]
    return True


def _chunk(
    objects: Sequence[Mapping[str, Any]],
    lines: Sequence[int],
    chosen: Mapping[str, str],
    wanted: Wanted,
) -> Iterator[Chunk]:
    if not objects:
        return
    texts: dict[str, Sequence[str]] = {
        ours: [text(found, theirs) for found in objects] for ours, theirs in chosen.items()
    }
    if wanted.updates is not None:
        ends = [_ends(found, wanted.updates, wanted.time) for found in objects]
        for ours, column in zip(ENDS, zip(*ends, strict=True), strict=True):
            texts.setdefault(ours, column)
    yield Chunk(texts, lines)


def _ends(found: Mapping[str, Any], updates: Updates, time: Time) -> tuple[str, str, str]:
    """The last close, the first one and the number of reopenings, as the file has written them."""
    over = {word.casefold() for word in updates.resolved}
    written: dict[datetime | None, str] = {None: ""}
    states: list[tuple[datetime, bool]] = []
    for update in follow(found, updates.at):
        at = text(update, updates.time) if isinstance(update, dict) else ""
        try:
            moment = time(at) if at else None
        except ValueError:
            return at, at, ""  # put aside, with the reason, as any other column would be
        if moment is not None:
            written[moment] = at
            states.append((moment, text(update, updates.status).casefold() in over))
    history = History.of(states)
    return written[history.last], written[history.first], str(len(history.reopenings))
