"""Delimited text on its way into DuckDB's CSV reader, a few megabytes at a time.

The text names people, so it must never lie beside the store: it waits in memory that only looks
like a file or, where there is no such thing, in a file that only its owner can read.
"""

from __future__ import annotations

import contextlib
import os
import queue
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

SPOOL_BYTES = 8 << 20
"""How much text is read at once: enough to keep the reader busy, little enough to stay flat."""


class Spool:
    """Whole lines of delimited text, readable by path until closed.

    Attributes:
        path: Where DuckDB finds it.
        lines: How many lines it holds.
        first: The number of its first line in the whole text, from 1.
        returns: Whether a carriage return is among the text, which the CSV reader cannot stand.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.lines = 0
        self.returns = False
        self.size = 0
        self._named = not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir()
        if self._named:
            self._handle, self.path = tempfile.mkstemp(prefix="dora-")  # 0600 by its own promise
        else:
            self._handle = os.memfd_create("dora")
            self.path = f"/proc/self/fd/{self._handle}"

    def write(self, text: bytes) -> None:
        """Add text; it may end anywhere."""
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        self.lines += text.count(b"\n")
        self.size += len(text)
        self.returns = self.returns or b"\r" in text

    def text(self) -> bytes:
        """All of it."""
        return Path(self.path).read_bytes()

    def close(self) -> None:
        """Let go of the text."""
        with contextlib.suppress(OSError):
            os.close(self._handle)
        if self._named:
            Path(self.path).unlink(missing_ok=True)


def spools(chunks: Iterable[bytes]) -> Iterator[Spool]:
    """Gather chunks, which end anywhere, into spools, which end with a line."""
    spool = Spool(first=1)
    try:
        for chunk in chunks:
            if spool.size + len(chunk) >= SPOOL_BYTES and (end := chunk.rfind(b"\n") + 1):
                spool.write(chunk[:end])
                full, spool = spool, Spool(first=spool.first + spool.lines)
                yield full
                chunk = chunk[end:]
            spool.write(chunk)
        if spool.size:
            spool.write(b"\n" if not _ends_a_line(spool) else b"")
            full, spool = spool, Spool(first=1)
            yield full
    finally:
        spool.close()


def _ends_a_line(spool: Spool) -> bool:
    return spool.text().endswith(b"\n")


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    """An item, told from what went wrong in its stead."""

    item: T


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """The same items, made in a thread of their own while the last one is still being used."""
    made: queue.Queue[_Made[T] | BaseException | None] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def hand_over(what: _Made[T] | BaseException | None) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                made.put(what, timeout=0.1)
                return

    def run() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                hand_over(_Made(item))
                if stop.is_set():
                    break
            hand_over(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            hand_over(error)
        finally:
            if hasattr(iterator, "close"):
                iterator.close()

    thread = threading.Thread(target=run, name="dora-ahead", daemon=True)
    thread.start()
    try:
        while True:
            match made.get():
                case None:
                    return
                case _Made(item):
                    yield item
                case error:
                    raise error
    finally:
        stop.set()
        thread.join()
