"""Reads rows of text out of CSV and Parquet, some ten thousand at a time.

Whatever the format, a row is a text for each column, empty where there is nothing. Memory does not
grow with the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

ROWS = 20_000
"""How many rows are handed on at once."""

_SLICE = 4_000  # rows that are lists: few enough to stay in the processor's cache
SHOWN = 500
"""How much of a bad row is kept."""

MARK = b"\xef\xbb\xbf"
"""Some programs begin UTF-8 text with it."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows.

    Attributes:
        texts: A text for each row, by our name of the column.
        lines: The line on which each row begins, or its number where there are no lines.
    """

    texts: Mapping[str, Sequence[str]]
    lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bad:
    """What is no row: the line, the reason, and what stood there."""

    line: int
    reason: str
    content: str = ""


Choose = Callable[[Sequence[str]], Mapping[str, str]]
"""From the names in the file to those wanted: the file's name for each of ours."""


class Reader(Protocol):
    """Reads one format."""

    def __call__(self, file: BinaryIO, choose: Choose) -> Iterator[Chunk | Bad]:
        """The rows of a file; `choose` is called once, with the names of its columns."""


def csv_rows(delimiter: str, encoding: str) -> Reader:
    """A reader of delimited text with a line of names on top."""

    def read(file: BinaryIO, choose: Choose) -> Iterator[Chunk | Bad]:
        file.seek(len(MARK) if file.read(len(MARK)) == MARK else 0)
        with io.TextIOWrapper(
            file, encoding=encoding, errors="surrogateescape", newline=""
        ) as text:
            rows = csv.reader(text, delimiter=delimiter, strict=True)
            header = [name.strip() for name in next(rows, [])]
            chosen = choose(header)
            places = {ours: header.index(theirs) for ours, theirs in chosen.items()}
            yield from _gathered(_slices(rows, places, len(header)))

    return read


def _slices(rows: Any, places: Mapping[str, int], width: int) -> Iterator[Chunk | Bad]:
    """The rows of a csv reader, a few thousand at a time."""
    more = True
    while more:
        first = rows.line_num + 1
        found, fault = _next(rows)
        lines, after = _lines(found, first, None if fault else rows.line_num)
        yield from _regular(found, lines, places, width)
        if fault:
            yield Bad(after, _csv_reason(fault, after, rows.line_num))
        more = fault is not None or len(found) == _SLICE


def _gathered(parts: Iterator[Chunk | Bad]) -> Iterator[Chunk | Bad]:
    """The same rows in larger chunks."""
    texts: dict[str, list[str]] = {}
    lines: list[int] = []
    for part in parts:
        if isinstance(part, Bad):
            yield part
            continue
        for name, column in part.texts.items():
            texts.setdefault(name, []).extend(column)
        lines.extend(part.lines)
        if len(lines) >= ROWS:
            yield Chunk(texts, lines)
            texts, lines = {}, []
    if lines:
        yield Chunk(texts, lines)


def _next(rows: Iterator[list[str]]) -> tuple[list[list[str]], csv.Error | None]:
    """The next rows, up to the first that cannot be told from those after it."""
    chunk: list[list[str]] = []
    try:
        chunk.extend(islice(rows, _SLICE))
    except csv.Error as error:
        return chunk, error
    return chunk, None


def _csv_reason(error: csv.Error, line: int, last: int) -> str:
    reason = str(error)
    if "end of data" in reason or "field limit" in reason:
        reason = "a quote is opened and never closed"
    else:
        reason = f"the quotes do not fit: {reason}"
    return f"{reason}; what stands up to line {last} is left out" if last > line else reason


def _lines(rows: list[list[str]], first: int, last: int | None) -> tuple[Sequence[int], int]:
    """The line on which each row begins, and the one after them all."""
    if last is not None and last - first + 1 == len(rows):
        return range(first, first + len(rows)), last + 1
    lines = []
    for row in rows:
        lines.append(first)
        first += 1 + sum(len(_LINE_BREAK.findall(field)) for field in row)
    return lines, first


def _regular(
    rows: list[list[str]], lines: Sequence[int], places: Mapping[str, int], width: int
) -> Iterator[Chunk | Bad]:
    """The rows that have as many fields as the header; the others, but for empty lines, are bad."""
    if set(map(len, rows)) - {width}:
        kept = [n for n, row in enumerate(rows) if len(row) == width]
        for number, row in enumerate(rows):
            if row and len(row) != width:
                reason = f"it has {len(row)} fields instead of {width}"
                yield Bad(lines[number], reason, ",".join(row)[:SHOWN])
        rows, lines = [rows[n] for n in kept], [lines[n] for n in kept]
    if rows:
        columns = list(zip(*rows, strict=True))
        yield Chunk({ours: columns[at] for ours, at in places.items()}, lines)


def parquet_rows(path: Path, epochs: dict[str, str]) -> Reader:
    """A reader of Parquet; `epochs` learns which of our columns are times in microseconds."""

    def read(file: BinaryIO, choose: Choose) -> Iterator[Chunk | Bad]:  # noqa: ARG001  (DuckDB opens it by path)
        import duckdb

        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        try:
            source = "read_parquet($path, file_row_number = true)"
            kinds = {
                name: kind
                for name, kind, *_ in connection.execute(
                    "describe select * from read_parquet($path)", {"path": str(path)}
                ).fetchall()
            }
            chosen = choose(list(kinds))
            picked = []
            for ours, theirs in chosen.items():
                if kinds[theirs] == "TIMESTAMP WITH TIME ZONE":
                    epochs[ours] = "us"
                picked.append(_as_text(theirs, kinds[theirs]))
            first, listed = 0, ", ".join(picked)
            while rows := connection.execute(
                f"select {listed} from {source} where file_row_number between $first and $last"
                " order by file_row_number",
                {"path": str(path), "first": first, "last": first + ROWS - 1},
            ).fetchall():
                columns = list(zip(*rows, strict=True))
                texts = dict(zip(chosen, columns, strict=True))
                yield Chunk(texts, range(first + 1, first + 1 + len(rows)))
                first += ROWS
        finally:
            connection.close()

    return read


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        text = f"epoch_us({column})::varchar"
    elif kind.startswith("TIMESTAMP"):
        text = f"strftime({column}::timestamp, '%Y-%m-%dT%H:%M:%S.%f')"
    elif kind.endswith("[]"):
        text = f"array_to_string({column}, ',')"
    else:
        text = f"{column}::varchar"
    return f"coalesce({text}, '')"
