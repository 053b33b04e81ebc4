"""Facts from files: CSV, JSON Lines and Parquet, one file or a folder of them.

Columns have the names of the fact tables, or are mapped to them in the configuration. A row that is
no fact is put aside with its file, line and reason, and the rest comes in. A file is read again as
a whole when it has changed, and only then.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connectors.files.keys import Keys
from connectors.files.read import Bad, Chunk, Reader, csv_rows, json_rows, parquet_rows
from connectors.files.values import Values
from dora import zones
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
from dora.errors import BadWindow, RecordError, SourceError
from dora.records import RECORD_TYPES, Record, columns, record_type

Format = Literal["csv", "jsonl", "parquet"]
Scalar = str | bool | int | float | datetime | date

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
_OURS_ALONE = frozenset({"source", "commit_id"})
"""Columns of an exported store that are the store's, not the fact's."""


class FilesOptions(BaseModel):
    """What `[[sources]]` of kind `files` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="A file, a folder, or a glob such as exports/*.csv")
    table: str | None = Field(None, description="Fact table; else the file's name tells")
    format: Format | None = Field(None, description="csv, jsonl or parquet; else the suffix tells")
    columns: dict[str, str] = Field({}, description="Our column = the file's")
    defaults: dict[str, Scalar] = Field({}, description="Value where the file has none")
    values: dict[str, dict[str, str]] = Field({}, description="Column = { their word = ours }")
    epochs: dict[str, Literal["s", "ms", "us", "ns"]] = Field(
        {}, description="Columns whose times are numbers since 1970, and their unit"
    )
    timezone: str | None = Field(None, description="Zone of times that state none")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="Else a comma")
    encoding: str = Field("utf-8", description="Of the text; utf-8 unless set")

    @field_validator("table")
    @classmethod
    def _a_table(cls, table: str | None) -> str | None:
        try:
            return table and record_type(table).table
        except RecordError as error:
            raise ValueError(f"{error.message} {error.hint}") from None

    @field_validator("timezone")
    @classmethod
    def _a_zone(cls, name: str | None) -> str | None:
        try:
            return name and zones.zone(name).key
        except BadWindow as error:
            raise ValueError(f"{error.message} {error.hint}") from None

    @field_validator("encoding")
    @classmethod
    def _an_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f"there is no encoding {name!r}") from None
        return name

    @field_validator("columns", "defaults", "values", "epochs")
    @classmethod
    def _known_columns(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        known = _columns_of(info.data.get("table"))
        for name in given:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"it names {name!r}, which no such fact has{meant}")
        return given


def _columns_of(table: str | None) -> set[str]:
    wanted = [record_type(table)] if table else list(RECORD_TYPES)
    return {name for one in wanted for name in columns(one)}


@dataclass(slots=True)
class _Reading:
    """What is found out about a file while it is read."""

    notes: list[str] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)


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
            frame, faults = values.frame(found.texts, len(found.lines))
            for row, reason in sorted(faults.items()):
                content = ",".join(found.texts[name][row] for name in found.texts)[:500]
                yield Rejected(record_type, f"{place}:{found.lines[row]}", reason, content)
            if faults:
                frame = frame.drop(index=list(faults)).reset_index(drop=True)
            if len(frame):
                reading.keys.add(record_type, frame)
                yield Block(record_type, tuple(frame.columns), frame=frame)
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
        header = _Header(self._place(file), record_type, self._options, reading.notes)
        try:
            with file.open("rb") as opened:
                yield from self._reader(file, {} if epochs is None else epochs)(
                    opened, header.choose
                )
        except OSError as error:
            raise SourceError(
                f"{file} cannot be read: {error.strerror}.", hint="Make it readable."
            ) from error
        except (csv.Error, duckdb.Error, UnicodeError) as error:
            raise SourceError(
                f"{file} is no {self._format(file)}: {str(error).splitlines()[0]}",
                hint="Correct the file, or set `format` or `encoding`.",
            ) from error

    def _reader(self, file: Path, epochs: dict[str, str]) -> Reader:
        kind = self._format(file)
        if kind == "parquet":
            return parquet_rows(file, epochs)
        if kind == "jsonl":
            return json_rows(self._options.encoding)
        usual = "\t" if file.suffix.casefold() == ".tsv" else ","
        return csv_rows(self._options.delimiter or usual, self._options.encoding)

    def _format(self, file: Path) -> Format:
        return self._options.format or _SUFFIXES.get(file.suffix.casefold(), "csv")

    def _files(self, record_type: type[Record]) -> list[Path]:
        return [file for file in self._all_files() if self._table(file) == record_type.table]

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


class _Header:
    """Chooses the columns of a file."""

    def __init__(
        self, place: str, record_type: type[Record], options: FilesOptions, notes: list[str]
    ) -> None:
        self._place = place
        self._type = record_type
        self._options = options
        self._notes = notes

    def choose(self, header: Sequence[str]) -> Mapping[str, str]:
        """The file's name for each of our columns that it has.

        Raises:
            SourceError: A column is missing, doubled, or looks misspelt.
        """
        doubled = {name for name in header if name and header.count(name) > 1}
        if doubled:
            raise self._error(f"has two columns {sorted(doubled)[0]!r}", "Rename one of them.")
        known = columns(self._type)
        chosen = {ours: theirs for ours in known if (theirs := self._theirs(ours, header))}
        rest = [n for n in header if n and n not in chosen.values() and n not in _OURS_ALONE]
        for ours, column in known.items():
            if column.required and ours not in chosen and ours not in self._options.defaults:
                raise self._missing(ours, rest)
        absent = [ours for ours in known if ours not in chosen]
        for name in rest if not self._nested(rest) else []:
            close = difflib.get_close_matches(name.casefold(), absent, n=1, cutoff=0.85)
            if close:
                hint = f"Did you mean {close[0]!r}? Rename it, or map it under `columns`."
                raise self._error(f"has an unknown column {name!r}", hint)
        if rest:
            self._notes.append(f"{self._place}: not read, as no fact has them: {', '.join(rest)}.")
        return chosen

    def _nested(self, rest: list[str]) -> bool:
        return any("." in name for name in rest)

    def _theirs(self, ours: str, header: Sequence[str]) -> str | None:
        mapped = self._options.columns.get(ours)
        if mapped is None:
            folded = {name.casefold(): name for name in reversed(header)}
            return ours if ours in header else folded.get(ours)
        if mapped not in header and header:
            close = difflib.get_close_matches(mapped, header, n=1)
            there = close[0] if close else ", ".join(header)
            meant = f"Did you mean {there!r}?" if close else f"It has: {there}."
            raise self._error(f"has no column {mapped!r}, which {ours!r} is mapped to", meant)
        return mapped

    def _missing(self, ours: str, rest: list[str]) -> SourceError:
        close = difflib.get_close_matches(ours, rest, n=1)
        meant = f"Is it {close[0]!r}? " if close else ""
        example = f'columns = {{ {ours} = "{close[0] if close else "theirs"}" }}'
        return self._error(
            f"has no column {ours!r}",
            f"{meant}Map it, {example}, or give every row the same under `defaults`.",
        )

    def _error(self, what: str, hint: str) -> SourceError:
        return SourceError(f"{self._place} {what}.", hint=hint)


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
