r"""The three ways to say which texts are meant, and what each becomes.

* A *wildcard* (repositories, environments, branches, bots): `*` stands for anything, everything
  else for itself, brackets too; case does not matter and the whole text must fit.
* A *path glob* (the paths of a service), seen from the top of the repository: `*` and `?` stop at
  a slash, `**` does not, and a folder stands for everything below it; case matters.

  | glob | paths |
  |---|---|
  | `services/checkout/**` | everything below `services/checkout` |
  | `services/checkout` | the same, or a file of that name |
  | `services/*/api` | `services/cart/api` and what is below it, not `services/a/b/api` |
  | `**/Dockerfile` | a `Dockerfile` in any folder, and at the top |
  | `*.toml` | files at the top that end so |

* A *regular expression* (titles of hotfixes): looked for anywhere, in what Python and RE2, the
  library of the databases, have in common: no looking ahead or behind, no references back.

Texts for SQL are one regular expression each, made to be searched for ignoring case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NEVER = "a^"
"""A regular expression that fits no text, in Python and in RE2."""

_NOT_PORTABLE = (
    (re.compile(r"\(\?(?:=|!|<=|<!)"), "it looks ahead or behind"),
    (re.compile(r"\\[1-9]|\(\?P=|\(\?\("), "it refers back to a group"),
    (re.compile(r"\(\?>|(?:[*+?]|\{[0-9,]+\})\+"), "it does not track back"),
    (re.compile(r"\(\?#|\(\?[a-z]*[Lxu]"), "it has a comment or a flag of Python's own"),
    (re.compile(r"\\[ZuUN]"), "it has an escape of Python's own"),
)


def wildcard(patterns: Iterable[str]) -> re.Pattern[str]:
    """One expression for several wildcards; `match` tells whether any of them fits a text.

    No patterns fit nothing.
    """
    texts = [_wildcard(pattern) for pattern in patterns]
    whole = rf"\A(?:{'|'.join(texts)})\Z" if texts else NEVER
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


def paths(globs: Iterable[str]) -> re.Pattern[str]:
    """One expression for several path globs; `match` tells whether any of them fits a path."""
    texts = [_glob(glob) for glob in globs]
    return re.compile(rf"\A(?:{'|'.join(texts)})(?:/.*)?\Z" if texts else NEVER, re.DOTALL)


def any_path(globs: Iterable[str]) -> str:
    """An expression that fits paths as any of these path globs do; a dot must fit a newline."""
    return _any((_glob(glob) for glob in globs), "^(?:", ")(?:/.*)?$")


def any_label(labels: Iterable[str]) -> str:
    """An expression that finds any of these labels among labels joined by commas."""
    return _any((re.escape(label.strip()) for label in labels), "(?:^|,) *(?:", ") *(?:,|$)")


def any_wildcard(patterns: Iterable[str]) -> str:
    """An expression that fits whole texts, branches say, as any of these wildcards do."""
    return _any((_wildcard(pattern) for pattern in patterns), "^(?:", ")$")


def any_regex(expressions: Iterable[str]) -> str:
    """An expression that finds whatever any of these regular expressions finds."""
    return _any((f"(?:{expression})" for expression in expressions), "", "")


def fault(expression: str) -> str | None:
    """Why a regular expression cannot be used in every database, or None if it can."""
    try:
        re.compile(f"(?:{expression})")
    except re.error as error:
        return str(error)
    bare = re.sub(r"\\\\|\\?\[(?:\\.|[^\]\\])*\]", "", expression)
    return next((why for pattern, why in _NOT_PORTABLE if pattern.search(bare)), None)


def _any(texts: Iterable[str], before: str, after: str) -> str:
    kept = [text for text in texts if text]
    return f"{before}{'|'.join(kept)}{after}" if kept else NEVER


def _wildcard(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


_GLOB_PARTS = re.compile(r"/\*\*/|\*\*/|/\*\*|\*\*|\*|\?|[^*?/]+|/")
_GLOB_TEXTS = {
    "/**/": "/(?:.*/)?",
    "**/": "(?:.*/)?",
    "/**": "/.*",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
    "/": "/",
}


def _glob(glob: str) -> str:
    clean = re.sub(r"(?:\*\*/)+", "**/", glob.strip("/").removeprefix("./"))
    if clean in ("", "."):
        return ".*"
    parts = _GLOB_PARTS.findall(clean)
    return "".join(_GLOB_TEXTS.get(part, re.escape(part)) for part in parts)
