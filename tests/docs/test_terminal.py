"""Pages show what a reader of a terminal would be left with, not what progress was drawn with."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Left = Callable[[str], str]


@pytest.fixture(scope="module")
def left_standing() -> Iterator[Left]:
    """The function as `python docs/notebooks.py` sees it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
        yield importlib.import_module("terminal").left_standing


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("", ""),
        ("one\r\ntwo\n", "one\ntwo\n"),
        ("reading 1 %\rreading 50 %\rdone        \n", "done        \n"),
        ("50 %\r\x1b[2Kdone\n", "done\n"),
        # a bar of two lines: drawn, wiped out from below, and told in words where it stood
        ("read\na 1 %\nb 1 %\r\x1b[2K\x1b[1A\x1b[2Kall\n", "read\nall\n"),
        # what stands above a bar stays
        ("kept\n\x1b[?25l⠋ shop\r\x1b[2K\x1b[?25hshop: 3 commits\n", "kept\nshop: 3 commits\n"),
        ("\x1b[1mbold\x1b[0m\n", "bold\n"),
        ("abcdef\rxy\n", "xycdef\n"),
        ("up\x1b[9Aon\n", "upon\n"),
    ],
    ids=["nothing", "plain", "over itself", "wiped", "two lines", "above", "bold", "short", "top"],
)
def test_what_was_wiped_out_is_not_shown(left_standing: Left, written: str, left: str) -> None:
    assert left_standing(written) == left
