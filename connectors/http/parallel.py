"""Reading the parts of a source at the same time, as one stream of items."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from dora.connector import Checkpoint, Item
from dora.patience import Patience

GATHERED = 5_000
"""Items that a reader keeps at most before it hands them over, if no checkpoint comes earlier."""

_LOOK_UP = 0.2


def read_all(
    parts: Sequence[str],
    read: Callable[[str], Iterator[Item]],
    *,
    at_once: int,
    patience: Patience,
) -> Iterator[Item]:
    """Read several parts at the same time; what belongs to one checkpoint stays together.

    Args:
        parts: Their names, in the order in which they are begun.
        read: Gives the items of one; called in threads of their own.
        at_once: How many are read at the same time.
        patience: How the readers wait; told when nobody wants what they read any more.

    Raises:
        SourceError: A part could not be read. What the others had finished by then came before.
    """
    if at_once == 1 or len(parts) <= 1:
        for part in parts:
            yield from read(part)
        return
    desk = _Desk(parts, read, at_once, patience)
    try:
        yield from desk.items()
    finally:
        desk.close()


class _Desk:
    """Where readers lay down what they have read."""

    def __init__(
        self,
        parts: Sequence[str],
        read: Callable[[str], Iterator[Item]],
        at_once: int,
        patience: Patience,
    ) -> None:
        self._read = read
        self._patience = patience
        self._waiting = iter(parts)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._finished = False
        self._done: queue.Queue[list[Item] | BaseException | None] = queue.Queue(2 * at_once)
        self._threads = [
            threading.Thread(target=self._work, name=f"dora-part-{number}", daemon=True)
            for number in range(min(at_once, len(parts)))
        ]

    def items(self) -> Iterator[Item]:
        """All that is read, until every reader has come to its end."""
        for thread in self._threads:
            thread.start()
        failure: BaseException | None = None
        working = len(self._threads)
        while working:
            given = self._done.get()
            if given is None:
                working -= 1
            elif isinstance(given, BaseException):
                failure = failure or given
                self._end()
            else:
                yield from given
        self._finished = True
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Let the readers end, wherever they are."""
        self._end()
        for thread in self._threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._done.get(timeout=_LOOK_UP / 10)
                thread.join(_LOOK_UP / 10)

    def _end(self) -> None:
        if not self._finished and not self._ending.is_set():
            self._ending.set()
            self._patience.interrupt()

    def _work(self) -> None:
        try:
            while not self._ending.is_set():
                with self._lock:
                    part = next(self._waiting, None)
                if part is None:
                    break
                self._one(part)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are used
            self._done.put(error)
        self._done.put(None)

    def _one(self, part: str) -> None:
        items = self._read(part)
        try:
            for gathered in _gathered(items):
                self._done.put(gathered)
                if self._ending.is_set():
                    return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()


def _gathered(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items up to a checkpoint, or as many as may be kept."""
    kept: list[Item] = []
    for item in items:
        kept.append(item)
        if isinstance(item, Checkpoint) or len(kept) >= GATHERED:
            yield kept
            kept = []
    if kept:
        yield kept
