"""The values of a line, each as its column has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.causes import cause
from dora.addresses import repository_name, without_credentials
from dora.recording.lines import CAUSED_BY, KINDS, REMOVED, keys, known, status
from dora.recording.moments import moment
from dora.records import Column, join_labels
from dora.spelling import closest

_ALIKE = 0.8
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


def checked(said: Mapping[str, Any], strange: dict[str, int]) -> tuple[str, dict[str, Any]]:
    """The fact that a line speaks of, and what it says of it; an empty text says nothing.

    Args:
        said: The line.
        strange: How often keys came that no fact has; counted up.

    Raises:
        ValueError: A key that looks misspelt, or a value that is none.
    """
    kind = said.get("record")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"record is {kind!r}, which is none of {', '.join(KINDS)}")
    columns = known(kind)
    values: dict[str, Any] = {}
    for key, value in said.items():
        if value == "" or key == "record":
            continue
        if key == "recorded_at":
            values[key] = _moment(key, value) if value is not None else None
        elif key == REMOVED:
            values[key] = _boolean(key, value)
        elif key == CAUSED_BY and kind == "incident":
            values[key] = listed(value)
        elif key in columns:
            values[key] = None if value is None else _value(columns[key], value)
        else:
            _count(key, kind, strange)
    return kind, values


def _count(key: str, kind: str, strange: dict[str, int]) -> None:
    close = closest(key, keys(kind), alike=_ALIKE)
    if close:
        raise ValueError(f"there is no key {key!r}; did you mean {close[0]!r}?")
    strange[key] = strange.get(key, 0) + 1


def _value(column: Column, value: Any) -> Any:
    if column.python_type is datetime:
        return _moment(column.name, value)
    if column.python_type is bool:
        return _boolean(column.name, value)
    if column.python_type is int:
        if not _COUNT.fullmatch(str(value)):
            raise ValueError(f"{column.name} is no whole number: {str(value)[:40]!r}")
        return int(value)
    if column.python_type is float:
        return _share(column.name, value)
    if column.name == "labels" and isinstance(value, list):
        return join_labels([str(label) for label in value])
    if isinstance(value, dict | list | bool):
        raise ValueError(f"{column.name} is no text: {text_of(value)[:40]}")
    text = str(value).strip()
    if column.name == "repository":
        return repository_name(text) or text
    if column.name == "sha":
        return text.lower()
    if column.name == "url":
        return without_credentials(text)
    if column.words:
        text = status(text)
        if text not in column.words:
            listed = ", ".join(column.words)
            raise ValueError(f"{column.name} is {text[:40]!r}, which is none of {listed}")
    return text


def _share(name: str, value: Any) -> float:
    try:
        share = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is no share from 0 to 1: {text_of(value)[:40]}")
    return share


def _moment(name: str, value: Any) -> datetime:
    try:
        return moment(value)
    except ValueError as error:
        raise ValueError(str(error).replace("it", name, 1)) from None


def _boolean(name: str, value: Any) -> bool:
    folded = str(value).strip().casefold()
    if folded not in ("true", "false"):
        raise ValueError(f"{name} is neither true nor false: {folded[:40]!r}")
    return folded == "true"


def listed(value: Any) -> list[str]:
    """One text or a list of them, without empty ones."""
    listed = value if isinstance(value, list) else [value]
    return [str(one).strip() for one in listed if one not in (None, "")]


def text_of(value: Any) -> str:
    """A value as JSON, for people to recognise the line by."""
    return json.dumps(value, ensure_ascii=False, default=str)


def every_name(stated: Iterable[str]) -> list[str]:
    """Causes as they are stated, and as the facts of a forge would name them."""
    return sorted({name for one in stated for name in (one, cause(one)) if name})
