"""Which rows of a file count, and those that incidents give of what caused them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.causes import cause, causes
from connectors.files.headers import TESTED
from connectors.files.read import Chunk


def kept(chunk: Chunk, where: Mapping[str, Sequence[str]]) -> Chunk:
    """The rows that have one of the words asked for, without the columns only read for that."""
    tests = [(chunk.texts[f"{TESTED}{name}"], set(words)) for name, words in where.items()]
    rows = [
        row for row in range(len(chunk.lines)) if all(texts[row] in words for texts, words in tests)
    ]
    return _picked(chunk, rows)


def cut(chunk: Chunk, patterns: Mapping[str, str]) -> Chunk:
    """The rows with columns that hold just what an expression finds, or nothing."""
    texts = dict(chunk.texts)
    for name, pattern in patterns.items():
        if name in texts:
            found = map(re.compile(pattern, re.IGNORECASE).search, texts[name])
            texts[name] = [match[1] or "" if match else "" for match in found]
    return Chunk(texts, chunk.lines)


def stated(chunk: Chunk, pattern: str) -> Chunk:
    """One row for each cause that the incidents state; sentences are searched for them."""
    pairs = [
        (row, found)
        for row, said in enumerate(chunk.texts.get("cause", ()))
        for found in dict.fromkeys(_found(said, pattern))
    ]
    picked = _picked(chunk, [row for row, _ in pairs])
    return Chunk({**picked.texts, "cause": [found for _, found in pairs]}, picked.lines)


def _found(said: str, pattern: str) -> list[str]:
    if not said.strip():
        return []
    parts = [part.strip() for part in said.split(",") if part.strip()]
    if any(len(part.split()) > 1 for part in parts):
        return causes(said, pattern=pattern)
    return [cause(part) for part in parts]


def _picked(chunk: Chunk, rows: Sequence[int]) -> Chunk:
    texts = {
        name: [column[row] for row in rows]
        for name, column in chunk.texts.items()
        if not name.startswith(TESTED)
    }
    return Chunk(texts, [chunk.lines[row] for row in rows])
