"""Frames as text and files: CSV, JSON, Markdown, Parquet, or a table to read.

Files carry seconds, shares and ISO 8601 times in UTC, and an empty cell or null for no value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dora.errors import UsageError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

FORMS = ("table", "csv", "json", "jsonl", "markdown", "parquet")

_SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
    ".txt": "table",
}


def form_of(path: Path) -> str:
    """The format that a file's name asks for; CSV where it says nothing."""
    return _SUFFIXES.get(path.suffix.lower(), "csv")


def write(frame: pd.DataFrame, path: Path, form: str) -> None:
    """Write a frame to a file, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    if form != "parquet":
        write_text(path, text(frame, form))
        return
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        connection.register("frame", frame)
        copy(connection, "select * from frame", path, "format parquet")
    finally:
        connection.close()


def write_text(path: Path, content: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    with whole(path) as partial:
        partial.write_text(content, encoding="utf-8", newline="")


def copy(connection: duckdb.DuckDBPyConnection, select: str, path: Path, options: str) -> None:
    """Have the engine write what a query gives to a file, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    import duckdb

    with whole(path) as partial:
        quoted = str(partial).replace("'", "''")
        try:
            connection.execute(f"copy ({select}) to '{quoted}' ({options})").fetchall()
        except duckdb.IOException as error:
            raise OSError(str(error)) from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside the one wanted, which takes its place when all is written.

    Raises:
        UsageError: It cannot be written there.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise UsageError(
            f"{path} cannot be written: {reason}.",
            hint="Name another place, or make room there.",
        ) from error


def text(frame: pd.DataFrame, form: str) -> str:
    """A frame as text in one of the formats.

    Raises:
        UsageError: Parquet, which is no text.
    """
    if form not in _RENDERERS:
        raise UsageError(
            "Parquet goes to a file, not to a terminal.", hint="Name it with -o file.parquet."
        )
    return _RENDERERS[form](frame)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame in cells of plain Python: ISO times, and None for no value."""
    import pandas as pd

    return pd.DataFrame({name: _plain(frame[name]) for name in frame.columns}, dtype=object)


def _plain(column: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
        written = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return [
            None if missing else value
            for value, missing in zip(written, column.isna(), strict=True)
        ]
    missing = column.isna().tolist()
    return [
        None if absent else value.isoformat() if hasattr(value, "isoformat") else value
        for value, absent in zip(column.tolist(), missing, strict=True)
    ]


def as_csv(frame: pd.DataFrame) -> str:
    """Comma-separated, a header, one line a row, empty for no value."""
    shown = plain(frame)
    for name in shown.columns:
        if frame[name].dtype.kind in "bO" or str(frame[name].dtype) == "boolean":
            shown[name] = [
                str(value).lower() if isinstance(value, bool) else value for value in shown[name]
            ]
    return str(shown.to_csv(index=False, lineterminator="\n"))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = plain(frame).to_dict(orient="records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def as_json(frame: pd.DataFrame) -> str:
    """One JSON array of objects, null for no value."""
    return json.dumps(_records(frame), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_jsonl(frame: pd.DataFrame) -> str:
    """One JSON object a line, null for no value."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in _records(frame))
    return "".join(f"{line}\n" for line in lines)


def as_markdown(frame: pd.DataFrame) -> str:
    """A table for a README, a comment or a wiki."""
    header = [str(name) for name in frame.columns]
    rule = ["---:" if _is_number(frame[name]) else "---" for name in frame.columns]
    rows = [
        [_cell(value).replace("|", "\\|").replace("\n", " ") for value in row]
        for row in plain(frame).values.tolist()
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rule, *rows))


def as_table(frame: pd.DataFrame) -> str:
    """A table for a terminal, each column as wide as its contents."""
    from rich.cells import cell_len, set_cell_size

    rows = [[_cell(value) for value in row] for row in plain(frame).values.tolist()]
    header = [str(name) for name in frame.columns]
    widths = [max(map(cell_len, cells)) for cells in zip(header, *rows, strict=True)]
    right = [_is_number(frame[name]) for name in frame.columns]

    def line(cells: list[str]) -> str:
        padded = (
            " " * (width - cell_len(cell)) + cell if to_right else set_cell_size(cell, width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip() + "\n"

    rule = "  ".join("─" * width for width in widths) + "\n"
    return line(header) + rule + "".join(map(line, rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return str(value)


def _is_number(column: pd.Series[Any]) -> bool:
    return column.dtype.kind in "iuf"


_RENDERERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "table": as_table,
    "csv": as_csv,
    "json": as_json,
    "jsonl": as_jsonl,
    "markdown": as_markdown,
}
