"""Facts from files: CSV, JSON and Parquet, one file or a folder of them.

Columns have the names of the fact tables, or are mapped to them in the configuration. A row that is
no fact is put aside with its file, line and reason, and the rest comes in. A file is read again as
a whole when it has changed, and only then.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.files.headers import Header
from connectors.files.keys import Keys
from connectors.files.objects import Wanted, is_document, json_document, json_lines
from connectors.files.options import FilesOptions, Format, Scalar
from connectors.files.read import Bad, Chunk, Reader, csv_rows, parquet_rows
from connectors.files.rows import cut, kept, stated
from connectors.files.values import Values
from dora.connector import (
    Block,
    Checkpoint,
    Cursor,
    Finding,
    Item,
    Note,
    Rejected,
    Removed,
    Reread,
)
from dora.errors import SourceError
from dora.records import RECORD_TYPES, Incident, IncidentCause, Record, columns, record_type

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(slots=True)
class _Reading:
    """What is found out about a file while it is read."""

    notes: list[str] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)
    passed_over: int = 0


class Files:
    """Facts kept in files."""

    kind: ClassVar[str] = "files"
    provides: ClassVar[tuple[type[Record], ...]] = RECORD_TYPES
    Options: ClassVar[type[BaseModel]] = FilesOptions

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, FilesOptions):
            raise TypeError(f"the options of a files source are FilesOptions, not {type(options)}")
        self.name = name
        self._options = options
        self._base = base

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The facts of every file of that table that is new or has changed.

        Raises:
            SourceError: Nothing is there, or a file lacks a column, or has a wrong one.
        """
        before = dict(cursor or {})
        asked = self._fingerprint()
        kept = before.get("files", {}) if before.get("options") == asked else {}
        known: dict[str, Any] = {}
        changed = False
        keys = {name: Keys.of(state) for name, state in before.get("files", {}).items()}
        gone = set(keys)
        for file in self._files(record_type):
            place = self._place(file)
            gone.discard(place)
            state, same = _state(file, kept.get(place))
            if same:
                known[place] = {**kept[place], **state}
                continue
            changed = True
            reading = _Reading()
            yield Reread(record_type, place)
            yield from self._read(file, record_type, reading)
            known[place] = {**state, **reading.keys.state()}
            yield from (Note(note) for note in reading.notes)
            if not keys:
                yield Checkpoint({"options": asked, "files": dict(known)})
        if keys and (changed or gone):
            yield from (Reread(record_type, place) for place in sorted(gone))
            now = [Keys.of(state) for state in known.values()]
            yield from _removed(record_type, keys, now, gone)
        yield Checkpoint({"options": asked, "files": known})

    def check(self) -> Iterator[Finding]:
        """Whether the files are there, and which table each is read into."""
        try:
            files = self._all_files()
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        for file in files:
            table = self._table(file)
            if table is None:
                yield Finding("warning", self.name, f"{self._place(file)} is not read.", _NAMING)
                continue
            reading = _Reading()
            try:
                rows = self._chunks(file, record_type(table), reading)
                next(iter(rows), None)
            except SourceError as error:
                yield Finding("error", self.name, error.message, error.hint)
            else:
                yield Finding("ok", self.name, f"{self._place(file)} is read into {table}.")

    def _read(
        self, file: Path, record_type: type[Record], reading: _Reading
    ) -> Iterator[Block | Rejected]:
        place = self._place(file)
        epochs = dict[str, str](self._options.epochs)
        values = Values(
            record_type,
            zone=self._options.timezone,
            epochs=epochs,
            words=self._options.values,
            defaults={k: _written(v) for k, v in self._options.defaults.items()},
        )
        for found in self._chunks(file, record_type, reading, epochs):
            if isinstance(found, Bad):
                yield Rejected(record_type, f"{place}:{found.line}", found.reason, found.content)
                continue
            if not found.lines:
                continue
            frame, faults = values.frame(found.texts, len(found.lines))
            for row, reason in sorted(faults.items()):
                content = ",".join(found.texts[name][row] for name in found.texts)[:500]
                yield Rejected(record_type, f"{place}:{found.lines[row]}", reason, content)
            if faults:
                frame = frame.drop(index=list(faults)).reset_index(drop=True)
            if len(frame):
                reading.keys.add(record_type, frame)
                yield Block(record_type, tuple(frame.columns), frame=frame)
        if reading.passed_over:
            rows = "1 row does" if reading.passed_over == 1 else f"{reading.passed_over} rows do"
            reading.notes.append(f"{place}: {rows} not fit `where`.")
        repeated = reading.keys.repeated()
        if repeated:
            rows = "1 row repeats" if repeated == 1 else f"{repeated} rows repeat"
            reading.notes.append(f"{place}: {rows} the key of another; the last one counts.")

    def _chunks(
        self,
        file: Path,
        record_type: type[Record],
        reading: _Reading,
        epochs: dict[str, str] | None = None,
    ) -> Iterator[Chunk | Bad]:
        import duckdb

        if file.stat().st_size == 0:
            reading.notes.append(f"{self._place(file)} is empty.")
            return
        header = Header(self._place(file), record_type, self._options, reading.notes)
        states = self._states_causes(file, record_type)
        choose = header.choose_causes if states else header.choose
        try:
            with file.open("rb") as opened:
                for found in self._reader(file, {} if epochs is None else epochs)(opened, choose):
                    yield found if isinstance(found, Bad) else self._counted(found, states, reading)
        except OSError as error:
            raise SourceError(
                f"{file} cannot be read: {error.strerror}.", hint="Make it readable."
            ) from error
        except (csv.Error, duckdb.Error, UnicodeError) as error:
            raise SourceError(
                f"{file} is no {self._format(file)}: {str(error).splitlines()[0]}",
                hint="Correct the file, or set `format` or `encoding`.",
            ) from error

    def _states_causes(self, file: Path, record_type: type[Record]) -> bool:
        """Whether causes are read out of the incidents that state them."""
        return record_type is IncidentCause and self._table(file) == Incident.table

    def _counted(self, chunk: Chunk, states: bool, reading: _Reading) -> Chunk:
        options = self._options
        if options.where and chunk.texts:
            before = len(chunk.lines)
            chunk = kept(chunk, options.where)
            reading.passed_over += 0 if states else before - len(chunk.lines)
        if options.cuts:
            chunk = cut(chunk, options.cuts)
        return stated(chunk, options.cause_pattern) if states else chunk

    def _reader(self, file: Path, epochs: dict[str, str]) -> Reader:
        kind, options = self._format(file), self._options
        if kind == "parquet":
            return parquet_rows(file, epochs)
        if kind == "jsonl":
            return json_lines(options.encoding, self._wanted())
        if kind == "json":
            return json_document(options.encoding, options.rows, self._wanted())
        usual = "\t" if file.suffix.casefold() == ".tsv" else ","
        return csv_rows(options.delimiter or usual, options.encoding)

    def _wanted(self) -> Wanted:
        options = self._options
        values = Values(Incident, zone=options.timezone, epochs=options.epochs)
        ended = columns(Incident)["resolved_at"]
        return Wanted(
            paths=(*options.columns.values(), *options.where, options.caused_by),
            updates=options.updates,
            time=lambda text: values.value(ended, text),
        )

    def _format(self, file: Path) -> Format:
        if self._options.format:
            return self._options.format
        if file.suffix.casefold() != ".json":
            return _SUFFIXES.get(file.suffix.casefold(), "csv")
        if self._options.rows is not None:
            return "json"
        with file.open("rb") as opened:
            return "json" if is_document(opened) else "jsonl"

    def _files(self, record_type: type[Record]) -> list[Path]:
        return [
            file
            for file in self._all_files()
            if self._table(file) == record_type.table or self._states_causes(file, record_type)
        ]

    def _all_files(self) -> list[Path]:
        """Every file there, in the order of their names."""
        given = self._options.path.expanduser()
        path = self._base / given
        if path.is_dir():
            found = [file for file in path.iterdir() if file.suffix.casefold() in _SUFFIXES]
        elif path.exists():
            if self._table(path) is None:
                raise SourceError(
                    f"The name of {path} does not tell which facts are in it.", hint=_NAMING
                )
            return [path]
        else:
            pattern = str(given.relative_to(given.anchor)) if given.is_absolute() else str(given)
            root = Path(given.anchor) if given.is_absolute() else self._base
            found = list(root.glob(pattern)) if set(pattern) & set("*?[") else []
        if not found:
            raise SourceError(f"There is no file {path}.", hint="Correct `path`; it may be a glob.")
        return sorted(file for file in found if file.is_file())

    def _table(self, file: Path) -> str | None:
        """The table that is set, or that the file's name begins with."""
        if self._options.table:
            return self._options.table
        stem = file.name.partition(".")[0].casefold().replace("-", "_").replace(" ", "_")
        tables = sorted((t.table for t in RECORD_TYPES), key=len, reverse=True)
        return next((t for t in tables if stem == t or stem.startswith(f"{t}_")), None)

    def _place(self, file: Path) -> str:
        return str(file.relative_to(self._base)) if file.is_relative_to(self._base) else str(file)

    def _fingerprint(self) -> str:
        """What the reading of a file depends on beside the file."""
        return hashlib.sha256(self._options.model_dump_json().encode()).hexdigest()[:16]


_NAMING = (
    f"Name it after its table, such as deployments.csv, or set `table`; the tables are "
    f"{', '.join(t.table for t in RECORD_TYPES)}."
)


def _written(value: Scalar) -> str:
    """A default as the file would have written it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _state(file: Path, before: Mapping[str, Any] | None) -> tuple[dict[str, Any], bool]:
    """How a file stands, and whether it says the same as before.

    Its text is only looked at when its size or time is another: a copy made anew may be the same.
    """
    stat = file.stat()
    state: dict[str, Any] = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    if before and all(before[name] == value for name, value in state.items()):
        return state, True
    with file.open("rb") as opened:
        state["sha256"] = hashlib.file_digest(opened, "sha256").hexdigest()
    return state, before is not None and before["sha256"] == state["sha256"]


def _removed(
    record_type: type[Record], before: Mapping[str, Keys], now: Sequence[Keys], gone: set[str]
) -> Iterator[Item]:
    """The facts whose rows are no longer in any file."""
    if not all(keys.whole for keys in (*before.values(), *now)):
        what = f"; files that are gone: {', '.join(sorted(gone))}" if gone else ""
        yield Note(
            f"There are too many {record_type.table} to tell which rows were taken out{what}. "
            "`dora sync --full` reads everything anew."
        )
        return
    still = set().union(*(keys.listed for keys in now)) if now else set()
    missing = sorted({key for keys in before.values() for key in keys.listed} - still)
    if missing:
        yield Removed(record_type, tuple(Keys.named(record_type, key) for key in missing))
