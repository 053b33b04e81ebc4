"""What a misspelt word was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str], *, most: int = 1, alike: float = 0.6) -> list[str]:
    """The known words that look most like `word`, whatever their case; the most alike first.

    Args:
        word: What was written.
        known: What could have been.
        most: How many there are at most.
        alike: How much of a word has to agree, from 0 to 1.
    """
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.casefold(), one)
    return [folded[hit] for hit in difflib.get_close_matches(word.casefold(), folded, most, alike)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """A question after the known word that was probably meant; all of them where none is alike."""
    known = list(known)
    close = closest(word, known)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
