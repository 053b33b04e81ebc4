"""What can be wrong with an answer, beyond what a source's errors say."""

from __future__ import annotations

from dora.errors import SourceError


class Absent(SourceError):
    """Something is not there, or may not be seen with this token; the rest can go on."""


class Garbled(Exception):
    """An answer that is none of the interface: a web page, half a body, nothing at all."""
