"""On which line of a TOML text each key stands, so that a fault can point at it."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_PART = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[][{}\n]"
    r"|[^][{}\n\"'#]+",
    re.DOTALL,
)
_OPENS, _CLOSES = frozenset("[{"), frozenset("]}")


def lines(text: str) -> dict[Path, int]:
    """The line of every table, array table and key of a valid TOML text, counted from 1.

    Entries of an array of tables go by their number from 0: `("sources", 1, "path")`.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text.replace("\r\n", "\n")):
        if statement.startswith("["):
            table = _resolved(_keys(statement.lstrip("[")), counts)
            if statement.startswith("[["):
                number = counts[table] = counts.get(table, -1) + 1
                table = (*table, number)
            found.setdefault(table, line)
        else:
            path = table
            for key in _keys(statement):
                path = (*path, key)
                found.setdefault(path, line)
    return found


def line_of(path: Path, found: dict[Path, int]) -> int | None:
    """The line of a key, or of the nearest thing around it that has one."""
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Every header and key with its value, and the line on which it begins."""
    line, begun, depth, parts = 1, 1, 0, list[str]()
    for match in _TOKEN.finditer(text + "\n"):
        token = match[0]
        if token == "\n" and depth == 0:
            statement = "".join(parts).strip()
            if statement:
                yield begun, statement
            parts.clear()
        elif not token.startswith("#"):
            if not "".join(parts).strip():
                begun = line
            parts.append(token)
            depth += (token in _OPENS) - (token in _CLOSES)
        line += token.count("\n")


def _keys(text: str) -> tuple[str, ...]:
    keys, position = list[str](), 0
    while match := _PART.match(text, position):
        keys.append(match[1].strip("\"'"))
        position = match.end()
        if not match[2]:
            break
    return tuple(keys)


def _resolved(keys: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """The path of a header, seen from the newest entry of each array of tables on its way."""
    path: Path = ()
    for index, key in enumerate(keys):
        path = (*path, key)
        if path in counts and index < len(keys) - 1:
            path = (*path, counts[path])
    return path
