"""Reads the lines of files that grow, and tells those that are new from those read before.

A file's line counts as read when all up to its end is as it was, whatever the file is called now:
so that one which was renamed, compressed or joined with another by `logrotate` or by hand gives
nothing twice. A last line without its end is still being written; it waits.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dora.errors import Retryable, SourceError

_NAMES = re.compile(r".*\.(?:jsonl|ndjson|json)(?:[.-][0-9][0-9-]*)?(?:\.gz)?", re.IGNORECASE)
_DOCUMENT = re.compile(r".*\.json(?:\.gz)?", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"


class Moved(SourceError, Retryable):
    """A file that was there a moment ago has another name now."""


@dataclass(slots=True)
class State:
    """How a file stood when it was read.

    Attributes:
        size: Its size on the disk.
        mtime_ns: When it was last changed.
        lines: How many lines are complete.
        length: How many bytes these are.
        digest: What they say, as a hash.
    """

    size: int
    mtime_ns: int
    lines: int = 0
    length: int = 0
    digest: str = ""

    def same_file(self, other: State) -> bool:
        """Whether nothing has been written in between."""
        return (self.size, self.mtime_ns) == (other.size, other.mtime_ns)

    def as_json(self) -> list[Any]:
        """The state for a cursor."""
        return [self.size, self.mtime_ns, self.lines, self.length, self.digest]


@dataclass(slots=True)
class Known:
    """What of a file has been read before.

    Attributes:
        lines: So many lines, wherever they were then.
        judged: So many of them, under this very name.
    """

    lines: int = 0
    judged: int = 0


@dataclass(slots=True)
class Content:
    """What a file said when it was read, and how that ended."""

    state: State
    unfinished: bool = False
    broken: bool = False


@dataclass
class Journal:
    """The files at a path: one, a folder of them with its folders, or those that a glob fits.

    Attributes:
        path: As it stands in the configuration.
        base: What a relative path is seen from.
    """

    path: Path
    base: Path

    def states(self) -> dict[str, State]:
        """How every file stands, by its place, in the order of their names; nothing is read.

        Raises:
            SourceError: Nothing is there.
        """
        found = {}
        for file in sorted(self._found()):
            try:
                stat = file.stat()
            except FileNotFoundError:  # renamed this very moment: it is read the next time
                continue
            found[self._place(file)] = State(stat.st_size, stat.st_mtime_ns)
        return found

    def read(self, place: str, content: Content) -> Iterator[tuple[int, bytes]]:
        """The lines of a file with their numbers; how it ended is put into `content`.

        Raises:
            SourceError: The file cannot be read.
        """
        file = self.base / place
        try:
            with _opened(file) as opened:
                if _DOCUMENT.fullmatch(file.name):
                    whole = opened.read()
                    if _one_document(whole):
                        content.state.lines, content.state.length = 1, len(whole)
                        content.state.digest = hashlib.sha256(whole).hexdigest()
                        yield 1, whole
                        return
                    yield from _lines(whole.splitlines(keepends=True), content)
                else:
                    yield from _lines(opened, content)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            content.unfinished = content.broken = True
        except FileNotFoundError as error:
            raise Moved(f"{file} was put away while it was read.", hint="Read again.") from error
        except OSError as error:
            raise SourceError(
                f"{file} cannot be read: {error.strerror}.", hint="Make it readable."
            ) from error

    def known(self, place: str, now: State, before: Mapping[str, State]) -> Known:
        """What of a file was read before, when the files stood as in `before`."""
        own = before.get(place)
        if own is not None and own.same_file(now):
            return Known(own.lines, own.lines)
        digests = _digests(self.base / place, {s.length for s in before.values()})
        judged = own.lines if own and digests.get(own.length) == own.digest else 0
        lines = max(
            (s.lines for s in before.values() if digests.get(s.length) == s.digest), default=0
        )
        return Known(max(lines, judged), judged)

    def _found(self) -> list[Path]:
        path = self.base / self.path.expanduser()
        if path.is_dir():
            return [f for f in path.rglob("*") if _is_one(f.relative_to(path)) and f.is_file()]
        if path.exists():
            return [path]
        given = self.path.expanduser()
        if set(str(given)) & set("*?["):
            root = Path(given.anchor) if given.is_absolute() else self.base
            pattern = str(given.relative_to(given.anchor))
            if found := [file for file in root.glob(pattern) if file.is_file()]:
                return found
        raise SourceError(
            f"There is nothing at {path}.", hint="Correct `path`: a folder, a file or a glob."
        )

    def _place(self, file: Path) -> str:
        return str(file.relative_to(self.base)) if file.is_relative_to(self.base) else str(file)


def _is_one(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and bool(_NAMES.fullmatch(path.name))


def _opened(file: Path) -> IO[bytes] | gzip.GzipFile:
    opened = file.open("rb")
    start = opened.read(2)
    opened.seek(0)
    if start == _GZIP:
        opened.close()
        return gzip.open(file, "rb")
    return opened


def _one_document(whole: bytes) -> bool:
    """Whether a text is one JSON value over several lines."""
    if whole.strip().count(b"\n") == 0:
        return False
    try:
        json.loads(whole.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return False
    return True


def _lines(lines: Iterable[bytes], content: Content) -> Iterator[tuple[int, bytes]]:
    state, hashed = content.state, hashlib.sha256()
    try:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(_MARK) if number == 1 else line
            if not line.endswith(b"\n"):
                if _whole(text):  # nothing that could follow would belong to it
                    yield number, text
                else:
                    content.unfinished = True
                break
            hashed.update(line)
            state.lines, state.length = number, state.length + len(line)
            yield number, text
    finally:  # also where a compressed file is cut short
        state.digest = hashed.hexdigest()


def _whole(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return not text.strip()


def _digests(file: Path, lengths: set[int]) -> dict[int, str]:
    """What a file says up to each of these lengths, as a hash, as far as it goes."""
    found: dict[int, str] = {}
    hashed, done = hashlib.sha256(), 0
    try:
        with _opened(file) as opened:
            for length in sorted(lengths - {0}):
                while done < length and (part := opened.read(min(1 << 20, length - done))):
                    hashed.update(part)
                    done += len(part)
                if done < length:
                    break
                found[length] = hashed.hexdigest()
    except (OSError, EOFError, zlib.error):
        pass
    return found
