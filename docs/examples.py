"""Runs the examples of a page, and writes below each what it says or draws.

A block of Python is run in the namespace of those before it, shown or, as `<!-- python ... -->`,
not shown. The quotation that follows it is the last expression in words; the picture that follows
it is what it drew, with its description.
"""

from __future__ import annotations

import ast
import contextlib
import re
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WIDTH = 108
_BLOCK = re.compile(
    r"(?P<block>^```python\n(?P<shown>.*?)^```\n|^<!-- python\n(?P<hidden>.*?)^-->\n)"
    r"(?P<answer>\n(?:(?:^>[^\n]*\n)+|^!\[[^\]]*\]\((?P<picture>[^)]+)\)\n))?",
    flags=re.DOTALL | re.MULTILINE,
)


def answered(page: str, folder: Path, known: Mapping[str, Any]) -> str:
    """A page with its answers as they are now.

    Args:
        page: Its text.
        folder: Where its pictures are drawn, at the places that the page names.
        known: Names that its examples may use.
    """
    namespace = dict(known)

    def answer(found: re.Match[str]) -> str:
        value = _run(found["shown"] or found["hidden"], namespace)
        if found["picture"]:
            return f"{found['block']}\n{_drawn(value, folder, found['picture'])}"
        return found["block"] + (f"\n{_quoted(value)}" if found["answer"] else "")

    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        return _BLOCK.sub(answer, page)


def _run(code: str, namespace: dict[str, Any]) -> Any:
    """Run a block; what its last statement is worth, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "example", "exec"), namespace)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "example", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "example", "eval"), namespace)


def _quoted(value: Any) -> str:
    """A value in words as a quotation, each line a paragraph."""
    paragraphs = [
        [f"> {part}" for part in textwrap.wrap(line, WIDTH, break_on_hyphens=False)]
        for line in str(value).splitlines()
    ]
    return "\n>\n".join("\n".join(lines) for lines in paragraphs if lines) + "\n"


def _drawn(axes: Any, folder: Path, name: str) -> str:
    """A picture written to its place, as the page shows it."""
    from dora import plots

    plots.save(axes, folder / name)
    words = axes.alt_text.replace("[", "(").replace("]", ")")
    return f"![{words}]({name})\n"
