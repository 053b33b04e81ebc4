"""Added and deleted lines of commits: costly, as every commit must be compared with its parent.

Two `git diff-tree` processes are dealt blocks of commits in turn and answer each at once, so both
cores work and no more than a few blocks are held. Merges count no lines, as in `git log --numstat`.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from connectors.git.process import GitProcess, stop

BLOCK = 256
WORKERS = 2
_SEPARATOR = b"\x1f"
_SHA, _PARENTS = 1, 2  # places in a line of commits
_COMMAND = ("diff-tree", "--stdin", "--always", "--root", "-r", "-M", "--numstat")


class _Worker:
    """One diff-tree, asked block by block."""

    def __init__(self, git: GitProcess, complaints: IO[bytes]) -> None:
        self._git = git
        self._complaints = complaints
        self._process = git.start(_COMMAND, self._complaints)

    def count(self, shas: list[bytes]) -> dict[bytes, tuple[int, int]]:
        """Lines added and deleted by each commit.

        An empty line after the block is echoed by git, and makes it hand over all it holds.
        """
        sending, answering = self._process.stdin, self._process.stdout
        assert sending is not None
        assert answering is not None
        counts: dict[bytes, tuple[int, int]] = {}
        added = deleted = 0
        with suppress(BrokenPipeError):  # git is gone; it is asked why below
            sending.write(b"\n".join([*shas, b"", b""]))
            sending.flush()
        sha = b""
        while (line := answering.readline()) != b"\n":
            if not line:
                raise self._git.error(self._process.wait(), self._complaints)
            more, tab, rest = line.partition(b"\t")
            if not tab:
                sha, added, deleted = line.strip(), 0, 0
            elif more != b"-":  # a binary file has no lines
                added += int(more)
                deleted += int(rest.partition(b"\t")[0])
            counts[sha] = added, deleted
        return counts

    def stop(self) -> None:
        stop(self._process)


def counted(git: GitProcess, chunks: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """Lines of commits, each with its added and deleted lines as two more fields.

    Raises:
        RepositoryError: Git failed, as on a clone without file contents.
    """
    with _workers(git) as workers:
        waiting: deque[tuple[list[bytes], Future[dict[bytes, tuple[int, int]]]]] = deque()
        for number, block in enumerate(_blocks(chunks)):
            pool, worker = workers[number % WORKERS]
            waiting.append((block, pool.submit(worker.count, _changes(block))))
            if len(waiting) > 4 * WORKERS:
                yield _joined(*waiting.popleft())
        while waiting:
            yield _joined(*waiting.popleft())


@contextmanager
def _workers(git: GitProcess) -> Iterator[list[tuple[ThreadPoolExecutor, _Worker]]]:
    with ExitStack() as stack:
        workers = []
        for _ in range(WORKERS):
            pool = stack.enter_context(ThreadPoolExecutor(1))
            worker = _Worker(git, stack.enter_context(tempfile.TemporaryFile()))
            stack.callback(worker.stop)
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            workers.append((pool, worker))
        yield workers


def _blocks(chunks: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    for lines in chunks:
        for start in range(0, len(lines), BLOCK):
            yield lines[start : start + BLOCK]


def _changes(lines: list[bytes]) -> list[bytes]:
    """The commits that have one parent or none."""
    fields = (line.split(_SEPARATOR, 3) for line in lines)
    return [found[_SHA] for found in fields if b" " not in found[_PARENTS]]


def _joined(lines: list[bytes], counting: Future[dict[bytes, tuple[int, int]]]) -> list[bytes]:
    counts = counting.result()
    joined = []
    for line in lines:
        count = counts.get(line.split(_SEPARATOR, 2)[_SHA])
        joined.append(line + (b"\x1f%d\x1f%d" % count if count else b"\x1f\x1f"))
    return joined
