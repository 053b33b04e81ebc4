"""Where a value stands within a JSON object.

service.name             the value `name` of the object `service`
components.name          the same of every object in a list
components[0].name       of the first one; [-1] is the last
times[type.name=Ended].value   of those in which something has a value
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[list[Any]], Iterable[Any]]

_PART = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]|\[([^\[\]=]*)=([^\[\]]*)\]")


def root(path: str) -> str:
    """The key at the top of the object that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def fault(path: str) -> str | None:
    """Why a text is no path; None where it is one."""
    rest = _PART.sub("", path)
    return f"{path!r} cannot be followed from {rest!r} on" if rest or not path else None


def follow(found: Mapping[str, Any], path: str) -> list[Any]:
    """The values at a path, in order; a key that is written like a path goes before it."""
    return _spread(_found(found, path))


def text(found: Mapping[str, Any], path: str) -> str:
    """The values at a path as one text: empty where there is none, several parted by commas."""
    plain = found.get(path)
    if isinstance(plain, str):  # as nearly all are
        return plain
    values = _found(found, path)
    if len(values) == 1 and not isinstance(values[0], list):
        return "" if values[0] is None else _written(values[0])
    return ",".join(_written(value).replace(",", " ") for value in _spread(values))


def _found(found: Mapping[str, Any], path: str) -> list[Any]:
    if path in found:
        return [found[path]]
    values: list[Any] = [found]
    for match in _PART.finditer(path):
        values = list(_step(values, match))
    return values


def _step(values: list[Any], match: re.Match[str]) -> Iterator[Any]:
    key, place, inner, wanted = match.groups()
    if place is not None:
        for value in values:
            if isinstance(value, list) and -len(value) <= int(place) < len(value):
                yield value[int(place)]
        return
    for value in _spread(values):
        if inner == "" and _written(value) == wanted:
            yield value
        if not isinstance(value, dict) or inner == "":
            continue
        if inner is not None:
            if wanted in map(_written, follow(value, inner)):
                yield value
        elif key in value:
            yield value[key]


def _spread(values: list[Any]) -> list[Any]:
    """The same with lists taken apart, and without what is null."""
    flat: list[Any] = []
    for value in values:
        flat += value if isinstance(value, list) else [value]
    return [value for value in flat if value is not None]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)
