"""What a commit's message says: its subject, its pull request, the commits it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["reverts", "cherry_picked_from"]
Reference: TypeAlias = tuple[str, Kind, str]
"""Commit that refers, what it says (a `CommitReference.kind`), commit referred to."""

_SPACE = b" \t\r\n"  # what git takes for blank
_NUMBER = re.compile(rb"\((?:[#!]|pull request #)(\d{1,9})\)\s*$")
_MERGE_NUMBER = re.compile(rb"Merge(?:d PR| pull request #) ?(\d{1,9})\b")
_GITLAB_NUMBER = re.compile(rb"^See merge request \S*!(\d{1,9})\b", re.MULTILINE)
_REVERTS = re.compile(
    rb"\bthis reverts(?: merge)? commits?:?\s+"
    rb"((?:[0-9a-f]{7,64}\b(?:[\s,;&]+(?:and\s+)?(?=[0-9a-f]{7,64}\b))?)+)",
    re.IGNORECASE,
)
_PICKED = re.compile(rb"\(cherry[ -]picked from commit ([0-9a-f]{7,64})\)", re.IGNORECASE)
_SHA = re.compile(rb"[0-9a-f]{7,64}", re.IGNORECASE)


def subject(message: bytes) -> bytes:
    """The first paragraph as one line, as git has it; most messages begin with just that line."""
    end = message.find(b"\n")
    if end > 0 and message[end - 1] > 0x20 and message[end + 1 : end + 2] in (b"\n", b""):
        return message[:end]
    return b" ".join(_parted(message)[0])


def body(message: bytes) -> bytes:
    """What follows the first paragraph."""
    return _parted(message)[1]


def parts(message: str) -> tuple[str, str]:
    """Subject and body of a message that came from elsewhere, such as git has them itself."""
    whole = message.replace("\r", "").encode()
    return subject(whole).decode(), body(whole).decode()


def _parted(message: bytes) -> tuple[list[bytes], bytes]:
    """The lines of the first paragraph, and what follows it."""
    lines = message.split(b"\n")
    first = next((n for n, line in enumerate(lines) if line.strip(_SPACE)), len(lines))
    end = next((n for n in range(first, len(lines)) if not lines[n].strip(_SPACE)), len(lines))
    rest = next((n for n in range(end, len(lines)) if lines[n].strip(_SPACE)), len(lines))
    return [line.rstrip(_SPACE) for line in lines[first:end]], b"\n".join(lines[rest:])


def pull_request(subject: bytes, body: bytes) -> bytes:
    """The number of the pull or merge request that a message names; empty if it names none."""
    match = None
    if subject.endswith(b")"):
        match = _NUMBER.search(subject)
    elif subject.startswith(b"Merge"):
        match = _MERGE_NUMBER.match(subject)
        if match is None and b"See merge request" in body:
            match = _GITLAB_NUMBER.search(body)
    return match[1] if match else b""


def pull_requests(subjects: Sequence[bytes], messages: Sequence[bytes]) -> list[bytes]:
    """The same for many messages; most subjects name none, seen here without a call for each."""
    return [
        pull_request(subject, body(message) if b"See merge request" in message else b"")
        if subject[-1:] == b")" or subject[:5] == b"Merge"
        else b""
        for subject, message in zip(subjects, messages, strict=True)
    ]


def all_references(shas: Sequence[bytes], messages: Sequence[bytes]) -> Iterator[Reference]:
    """What many commits say of others; hardly any says something, and to look closely is dear."""
    telling = [
        (sha, message)
        for sha, message in zip(shas, messages, strict=True)
        if b" commit" in message and (b"everts " in message or b"icked from" in message)
    ]
    for sha, message in telling:
        yield from references(sha, body(message))


def references(sha: bytes, body: bytes) -> list[Reference]:
    """The commits that a message says it reverts or is a copy of, each once, in order."""
    reverted = (one for match in _REVERTS.finditer(body) for one in _SHA.findall(match[1]))
    found: list[tuple[Kind, bytes]] = [("reverts", target) for target in reverted]
    found += [("cherry_picked_from", target) for target in _PICKED.findall(body)]
    return [
        (sha.decode(), kind, target.decode().lower())
        for kind, target in dict.fromkeys(found)
        if not sha.startswith(target)
    ]
