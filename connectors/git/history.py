"""Commits as git tells them, turned into rows without holding more than a chunk at a time.

One pass of `git rev-list` gives the commits and, from their messages, what they say of each other
and of pull requests. The messages themselves go no further than this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import TypeAlias

from connectors.git import messages
from connectors.git.process import GitProcess
from dora.connector import Rejected
from dora.records import Commit

COLUMNS: tuple[str, ...] = (
    "repository",
    "sha",
    "parents",
    "authored_at",
    "committed_at",
    "author",
    "subject",
    "pull_request",
)
COUNT_COLUMNS = ("lines_added", "lines_deleted")
PATH_COLUMNS = ("repository", "sha", "path")

# rev-list and not log, which reads trees that a partial clone may not have. It begins every commit
# with a line of its own, or with nothing where it can be told so: that becomes the first field. The
# message comes whole, as git takes longer to part it than we do.
_FORMAT = "--format=%x00%at%x00%ct%x00%H%x00%P%x00%an <%ae>%x00%B%x00"
_FIELDS = 7
_BARE_SINCE = (2, 33)
_LONGEST_TIME = 11  # digits; beyond the year 5138 a time is a mistake and fits no calendar
_SEPARATOR = b"\x1f"

Row: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Commits to read: all that `tips` reach and `known` do not."""

    tips: tuple[str, ...]
    known: tuple[str, ...]

    def given(self) -> bytes:
        """The range as git reads it."""
        return "".join([*(f"{t}\n" for t in self.tips), *(f"^{k}\n" for k in self.known)]).encode()


@dataclass(slots=True)
class Log:
    """One pass over a range of commits.

    Attributes:
        rejected: Commits that are no facts; complete once the rows are.
        references: What messages say of other commits; complete once the rows are.
    """

    git: GitProcess
    commits: Range
    repository: str
    rejected: list[Rejected] = field(default_factory=list)
    references: list[messages.Reference] = field(default_factory=list)

    def rows(self) -> Iterator[bytes]:
        """Every commit as a line of `COLUMNS`, in chunks of whole lines of valid UTF-8."""
        return text(self.lines())

    def lines(self) -> Iterator[list[bytes]]:
        """The same as lists of lines, one list a chunk, not yet made valid UTF-8."""
        name = self.repository.encode()
        for fields in self._fields():
            _, authored, committed, shas, parents, authors, told = (
                fields[place::_FIELDS] for place in range(_FIELDS)
            )
            self.references.extend(messages.all_references(shas, told))
            subjects = list(map(messages.subject, told))
            numbers = messages.pull_requests(subjects, told)
            rows: Iterable[Row] = zip(
                repeat(name), shas, parents, authored, committed, authors, subjects, numbers
            )  # fmt: skip
            if not (_all_times(authored) and _all_times(committed)):
                rows = self._without_odd(rows)
            yield list(map(_SEPARATOR.join, rows))

    def _without_odd(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows whose times are times; the others are set aside."""
        for row in rows:
            _, sha, _, authored, committed, *_ = row
            if _all_times([authored, committed]):
                yield row
            else:
                self._reject(sha, committed if _all_times([authored]) else authored)

    def _fields(self) -> Iterator[list[bytes]]:
        rest: list[bytes] = []
        bare = ["--no-commit-header"] if self.git.version() >= _BARE_SINCE else []
        arguments = ("--stdin", "--encoding=UTF-8", *bare, _FORMAT)
        for chunk in self.git.stream("rev-list", *arguments, given=self.commits.given()):
            # Control characters that would end a field or a row elsewhere have no meaning here.
            if b"\r" in chunk or _SEPARATOR in chunk:
                chunk = chunk.translate(None, b"\r" + _SEPARATOR)
            pieces = chunk.split(b"\0")
            if rest:
                rest[-1] += pieces[0]
                pieces = rest + pieces[1:]
            whole = (len(pieces) - 1) // _FIELDS * _FIELDS
            rest = pieces[whole:]
            yield pieces[:whole]

    def _reject(self, sha: bytes, time: bytes) -> None:
        self.rejected.append(
            Rejected(
                Commit,
                location=f"commit {sha.decode()}",
                reason="its author or committer time is missing or no time of any calendar",
                content=time.decode(errors="replace"),
            )
        )


def _all_times(texts: list[bytes]) -> bool:
    """Whether all are whole numbers of a length that fits a calendar, seen at once for speed."""
    lengths = set(map(len, texts))
    return not lengths or (
        min(lengths) > 0 and max(lengths) <= _LONGEST_TIME and b"".join(texts).isdigit()
    )


class Rows(Iterator[bytes]):
    """Chunks that can be seen to have been read to the end; a failure stays one."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._failure: Exception | None = None

    def __next__(self) -> bytes:
        """The next chunk."""
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as failure:
            self._failure = failure
            raise

    def finish(self) -> None:
        """Read what nobody read.

        Raises:
            RepositoryError: Git failed, now or earlier; nothing may be taken for complete.
        """
        for _ in self:
            pass


def text(chunks: Iterable[list[bytes]]) -> Iterator[bytes]:
    """Lists of lines as chunks of valid UTF-8."""
    for lines in filter(None, chunks):
        yield utf8(b"\n".join([*lines, b""]))


def utf8(line: bytes) -> bytes:
    """The same as valid UTF-8; what is not becomes the replacement character."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode(errors="replace").encode()
    return line


def referring(git: GitProcess, commits: Range) -> Iterator[messages.Reference]:
    """What messages say of other commits, in a pass of its own over those that say anything."""
    words = ("this reverts", "picked from commit")
    arguments = [f"--grep={word}" for word in words]
    log = git.stream(
        "rev-list", "--stdin", "-i", "-F", "--encoding=UTF-8", "--format=%H%x00%b%x00", *arguments,
        given=commits.given(),
    )  # fmt: skip
    for sha, body in _pairs(log):
        yield from messages.references(sha.rpartition(b"\n")[2], body)


def paths(git: GitProcess, commits: Range, repository: str) -> Iterator[bytes]:
    """Every changed path of every commit with at most one parent, as lines of `PATH_COLUMNS`.

    A merge is never a change, so its paths are not asked for. A renamed file is two paths.
    """
    name = repository.encode()
    return text(
        [_SEPARATOR.join((name, sha, _one_line(path))) for sha, path in pairs]
        for pairs in changed_paths(git, commits, merges=True)
    )


def changed_paths(
    git: GitProcess, commits: Range, *, merges: bool
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Commits, each with every path it changed; those of a chunk at once.

    Args:
        git: The clone.
        commits: Which ones.
        merges: Whether merges are among them, with what they changed on the branch that they
            were made on; a pull request lands in the services whose paths its merge touches.

    Raises:
        RepositoryError: Git failed.
    """
    log = git.stream(
        "log", "--stdin", "-z", "--diff-merges=first-parent" if merges else "--no-merges",
        "--name-only", "--no-renames", "--root", "--format=%x00%H", given=commits.given(),
    )  # fmt: skip
    sha, header = b"", False
    for pieces in _pieces(log):
        pairs = []
        for piece in pieces:
            if header:
                sha, header = piece, False
            elif piece:
                pairs.append((sha, piece.removeprefix(b"\n")))
            else:
                header = True
        yield pairs


def _one_line(path: bytes) -> bytes:
    """A path with the three characters that would break its row replaced; hardly any has one."""
    return re.sub(rb"[\n\r\x1f]", "\N{REPLACEMENT CHARACTER}".encode(), path)


def _pieces(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The pieces between NULs, those of a chunk at once."""
    rest = b""
    for chunk in chunks:
        *pieces, rest = (rest + chunk).split(b"\0")
        yield pieces


def _pairs(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    first: bytes | None = None
    for pieces in _pieces(chunks):
        for piece in pieces:
            if first is None:
                first = piece
            else:
                yield first, piece
                first = None
