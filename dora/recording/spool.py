"""Appends a line to the spool so that it is there as a whole or not at all.

Each host has a file of its own for each month: `HOST-2026-03.jsonl`. Processes of one host take
turns by a lock, and write with a single append, so that also a writer which knows of no lock, as a
shell, does not come in between. What a killed one left unfinished is ended by the next, on a line
of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dora.errors import NotRecorded

PATIENCE = 10.0
"""For how many seconds a writer waits for others: one that hangs must not stop every pipeline."""


def as_line(said: Mapping[str, Any]) -> str:
    """A record as one line of JSON, without its end."""
    return json.dumps(said, ensure_ascii=False, separators=(", ", ": "))


def append(folder: Path, line: str, now: datetime) -> Path:
    """Add a line to this host's file of the month, and see it safely on the disk.

    Args:
        folder: The spool; made if it is not there.
        line: One line of JSON, without its end.
        now: The time by the clock on the wall.

    Returns:
        The file it was added to.

    Raises:
        NotRecorded: The folder or its disk does not take it; nothing was added.
    """
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", socket.gethostname()).strip(".-") or "host"
    path = folder / f"{host}-{now:%Y-%m}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(path) as file:
            _write(file, line.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise NotRecorded(
            f"Nothing could be written to {path}: {error.strerror}.",
            hint=f"Make room, or name another folder with --spool. The line is:\n{line}",
        ) from error
    return path


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for appending and locked; closing it lets the next writer in."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        _take_turns(file)
        yield file
    finally:
        os.close(file)


def _take_turns(file: int) -> None:
    """Wait for other writers, but never for long: a single append also does without a lock."""
    try:
        import fcntl
    except ImportError:  # Windows, whose locks would keep readers out
        return
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(0.01)
        except OSError:  # a file system that knows no locks
            return
        else:
            return


def _write(file: int, line: bytes) -> None:
    size = os.fstat(file).st_size
    whole = (b"" if _ends_a_line(file, size) else b"\n") + line + b"\n"
    added = os.write(file, whole)
    try:
        while added < len(whole):  # a disk about to be full: the next try says so
            added += os.write(file, whole[added:])
        os.fsync(file)
    except OSError:
        if os.fstat(file).st_size == size + added:  # nobody else has appended meanwhile
            os.ftruncate(file, size)
        raise


def _ends_a_line(file: int, size: int) -> bool:
    if not size:
        return True
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) == b"\n"
