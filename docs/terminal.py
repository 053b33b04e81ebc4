"""What is left standing on a terminal of all that was written to it."""

from __future__ import annotations

import re

_MOVES = re.compile(r"(\r\n|\r|\n|\x1b\[\??\d*[A-Za-z])")


def left_standing(text: str) -> str:
    """The lines as they are in the end: a spinner or bar that was wiped out again is gone.

    Understood are the start of a line, lines up and wiping a line out, which is what progress is
    drawn with; other codes only colour or hide and are dropped.
    """
    lines, row, column = [""], 0, 0
    for piece in _MOVES.split(text):
        if piece in ("\n", "\r\n"):
            row, column = row + 1, 0
            lines += [""] * (row - len(lines) + 1)
        elif piece == "\r":
            column = 0
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif found := re.fullmatch(r"\x1b\[(\d*)A", piece):
            row = max(0, row - int(found[1] or 1))
        elif not _MOVES.fullmatch(piece):
            lines[row] = (
                lines[row][:column].ljust(column) + piece + lines[row][column + len(piece) :]
            )
            column += len(piece)
    return "\n".join(lines)
