"""What can be wrong with an answer, beyond what a source's errors say."""

from __future__ import annotations

from dora.errors import RecordError, SourceError

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RecordError)
"""What comes of a row that is not as it should be; it is kept aside, and the others go on."""


class Absent(SourceError):
    """Something is not there, or may not be seen with this token; the rest can go on."""


class Garbled(Exception):
    """An answer that is none of the interface: a web page, half a body, nothing at all."""
