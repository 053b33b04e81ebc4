"""Conditions on labels, type, severity and title, in any combination of and, or and not.

    label:incident and not (type:Question or severity:low)

A value is a wildcard (`*` stands for anything, case does not matter); one with spaces or brackets
stands in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dora.patterns import wildcard

FIELDS = ("label", "type", "severity", "title")

Values = Mapping[str, Sequence[str]]
"""What an issue has, by field."""

_PIECES = re.compile(r'\s*(?:(\(|\))|(\w+):(?:"([^"]*)"|([^\s()"]+))|(\w+)\b(?!:))')


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that an issue fulfils or not.

    Attributes:
        text: As it was written.
        holds: Whether an issue with such values fulfils it.
        fields: What it looks at.
    """

    text: str
    holds: Callable[[Values], bool]
    fields: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Condition:
        """The condition that a text says.

        Raises:
            ValueError: It says none, and what is wrong with it.
        """
        reader = _Reader(text)
        holds = reader.alternatives()
        if reader.piece is not None:
            raise ValueError(f"{text!r}: {reader.piece} is one too many; write and, or between")
        return cls(text, holds, frozenset(reader.fields))


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = _pieces(text)
        self.fields: set[str] = set()
        self.piece = next(self._pieces, None)

    def alternatives(self) -> Callable[[Values], bool]:
        any_ = [self._together()]
        while self._is("or"):
            any_.append(self._together())
        return any_[0] if len(any_) == 1 else lambda values: any(one(values) for one in any_)

    def _together(self) -> Callable[[Values], bool]:
        every = [self._one()]
        while self._is("and"):
            every.append(self._one())
        return every[0] if len(every) == 1 else lambda values: all(one(values) for one in every)

    def _one(self) -> Callable[[Values], bool]:
        if self._is("not"):
            inner = self._one()
            return lambda values: not inner(values)
        if self._is("("):
            inside = self.alternatives()
            if not self._is(")"):
                raise ValueError(f"{self._text!r}: a bracket is not closed")
            return inside
        piece, self.piece = self.piece, next(self._pieces, None)
        if not isinstance(piece, tuple):
            raise ValueError(f"{self._text!r}: {piece or 'the end'} stands where a field should")
        field, value = piece
        self.fields.add(field)
        fits = wildcard([value])
        return lambda values: any(fits.match(one) for one in values.get(field, ()))

    def _is(self, word: str) -> bool:
        if self.piece != word:
            return False
        self.piece = next(self._pieces, None)
        return True


def _pieces(text: str) -> Iterator[str | tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _PIECES.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} cannot be read from {text[at:].strip()!r} on")
        bracket, field, quoted, plain, word = match.groups()
        at = match.end()
        if bracket:
            yield bracket
        elif field:
            if field.lower() not in FIELDS:
                raise ValueError(f"{text!r}: {field} is none of {', '.join(FIELDS)}")
            yield field.lower(), quoted if quoted is not None else plain
        elif word.lower() in ("and", "or", "not"):
            yield word.lower()
        else:
            raise ValueError(f"{text!r}: {word} has no field; write label:{word}")
