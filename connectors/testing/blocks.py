"""What a block of facts means, one fact after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from dora.connector import Block
from dora.records import Column, Record, columns


def rows(block: Block) -> Iterator[Record]:
    """The facts of a block, one by one: slow, and the measure of what a block means.

    Raises:
        ValueError: The block's columns are not the record's, or a row does not fit them.
        RecordError: A row is no fact.
    """
    known = columns(block.record_type)
    strangers = [name for name in block.columns if name not in known]
    if strangers or len(set(block.columns)) != len(block.columns):
        raise ValueError(f"{block.record_type.__name__} has no such columns: {block.columns}")
    if (block.frame is None) == (block.delimited is None):
        raise ValueError("a block has either a frame or delimited text")
    wanted = [known[name] for name in block.columns]
    for values in _framed(block) if block.frame is not None else _lines(block):
        if len(values) != len(wanted):
            raise ValueError(f"a row has {len(values)} fields instead of {len(wanted)}: {values}")
        yield block.record_type(
            **{c.name: v for c, v in zip(wanted, map(_value, wanted, values), strict=True)}
        )


def _lines(block: Block) -> Iterator[list[str]]:
    rest = b""
    for chunk in block.delimited or ():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8").split("\x1f")
    if rest:
        raise ValueError(f"the last row is not ended by a newline: {rest!r}")


def _framed(block: Block) -> Iterator[list[Any]]:
    frame = block.frame
    assert frame is not None
    if list(frame.columns) != list(block.columns):
        raise ValueError(f"the frame has the columns {list(frame.columns)}")
    for values in frame.astype(object).itertuples(index=False, name=None):
        yield [None if _absent(value) else value for value in values]


def _absent(value: Any) -> bool:
    return bool(pd.isna(value))


def _value(column: Column, value: Any) -> Any:
    """A field as the record has it, from text or from a frame's cell."""
    if value is None or (value == "" and column.python_type is not str):
        return column.default
    if column.python_type is datetime:
        return _time(value)
    if column.python_type is bool:
        return bool(int(value))
    if column.python_type is str:
        return None if value == "" and not column.required else str(value)
    return column.python_type(value)


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromtimestamp(int(value), UTC)
    moment: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
