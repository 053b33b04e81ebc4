"""Git as a child process: quiet, reading only, the same on every machine, failing in our words.

Nothing here writes into the user's repository, asks for a password or fetches: no lazy fetch of a
partial clone, no replaced or grafted history, no look at an outer repository.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dora.errors import RepositoryError

CHUNK = 1 << 20
BREATH = 0.002
"""Seconds that git is left to fill its pipe: it writes 4 KiB at a time, and taking each as it comes
wakes both sides up thousands of times."""

OLDEST_GIT = (2, 31)

_SETTINGS = ("protocol.allow=never", "log.showSignature=false", "core.quotePath=false")
_ENVIRONMENT = {
    "GIT_FLUSH": "0",  # else git log flushes a pipe after every commit
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# Set by git around hooks and aliases; each would lead away from the path that was asked for.
_MISLEADING = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

_DAMAGE = (
    r"bad object|bad tree|unable to read|could not read|cannot read|corrupt|inflate|missing"
    r"|could not parse|bad signature|does not match|invalid (sha1|object)|hash mismatch"
    r"|unable to (open|parse|find|unpack)|failed to (read|parse|unpack|traverse)|garbage"
    r"|not a valid object|is (empty|truncated|far too short)|pack"
)
_SAID = (
    (
        r"dubious ownership",
        "Git does not trust {path}: it belongs to another user",
        "If you trust it, run: git config --global --add safe.directory {path}",
    ),
    (
        r"not a git repository",
        "{path} is no git repository",
        "Give the top folder of a clone, or a bare repository.",
    ),
    (
        r"lazy fetch|promisor|transport '\w+' not allowed",
        "{path} is a partial clone and lacks what was asked for",
        "Fetch the rest (git fetch --refetch --no-filter), or ask for no line counts or patch ids.",
    ),
    (
        r"unknown repository (extension|object format)|expected git repo version|invalid option",
        "This git is too old for {path}",
        "Install a newer git and try again.",
    ),
    (
        _DAMAGE,
        "{path} is damaged",
        "See what git fsck says there, then fetch or clone it again.",
    ),
)


def environment(path: Path) -> dict[str, str]:
    """What git is told beside its arguments."""
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return {**kept, **_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(path.parent)}


class GitProcess:
    """The git command, bound to one repository.

    Args:
        path: The top folder of a clone, its `.git`, or a bare repository.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._version: tuple[int, ...] | None = None

    def version(self) -> tuple[int, ...]:
        """The version of git that is installed.

        Raises:
            RepositoryError: Git is not installed, or too old.
        """
        if self._version is not None:
            return self._version
        with self._started(["--version"]) as (process, _):
            said = process.communicate()[0].decode()
        version = tuple(int(number) for number in re.findall(r"\d+", said)[:3])
        if version < OLDEST_GIT:
            raise RepositoryError(
                f"This git is too old: {said.strip()}.",
                hint=f"Install git {'.'.join(map(str, OLDEST_GIT))} or newer.",
            )
        self._version = version
        return version

    def ask(self, *arguments: str, given: bytes = b"", fine: Sequence[int] = (0,)) -> bytes:
        """What git answers, whole.

        Args:
            arguments: The command.
            given: What it reads from its standard input.
            fine: The exit codes that are no failure.

        Raises:
            RepositoryError: Git failed.
        """
        with self._started(arguments) as (process, complaints):
            answer, _ = process.communicate(given)
            if process.returncode not in fine:
                raise self.error(process.returncode, complaints)
        return answer

    def stream(self, *arguments: str, given: bytes = b"") -> Iterator[bytes]:
        """What git answers, in chunks; the end is only reached if git says all went well.

        Raises:
            RepositoryError: Git failed, at the start or half-way.
        """
        with self._started(arguments) as (process, complaints):
            assert process.stdin is not None
            assert process.stdout is not None
            room = _widened(process.stdout)
            with suppress(BrokenPipeError):  # git is gone; its exit code and words say why
                process.stdin.write(given)
                process.stdin.close()
            while chunk := os.read(process.stdout.fileno(), CHUNK):
                yield chunk
                if room >= CHUNK and len(chunk) < room // 4:
                    time.sleep(BREATH)
            if process.wait():
                raise self.error(process.returncode, complaints)

    @contextmanager
    def _started(
        self, arguments: Sequence[str]
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """A running git with the file of its complaints; gone at the end, whatever happens."""
        with tempfile.TemporaryFile() as complaints:
            process = self.start(arguments, complaints)
            try:
                yield process, complaints
            finally:
                stop(process)

    def start(
        self,
        arguments: Sequence[str],
        complaints: IO[bytes],
        *,
        given: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start git, reading from `given` or from a pipe; the caller stops it.

        Raises:
            RepositoryError: There is no such folder, or no git.
        """
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        command = ["git", "-C", str(self.path), "--no-pager", *settings, *arguments]
        if not self.path.is_dir():
            raise RepositoryError(
                f"There is no folder {self.path}.", hint="Correct the source's path."
            )
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE if given is None else given,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment(self.path),
            )
        except FileNotFoundError as error:
            raise RepositoryError(
                "Git is not installed, or not on the PATH.",
                hint=f"Install git {'.'.join(map(str, OLDEST_GIT))} or newer.",
            ) from error

    def error(self, code: int, complaints: IO[bytes]) -> RepositoryError:
        """Git's failure in our words, with the essence of its own."""
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip()
        essence = _essence(said)
        if code < 0:
            return RepositoryError(
                f"Git was stopped by signal {-code} while reading {self.path}.{essence}",
                hint="Run it again; what was finished before is kept.",
            )
        for pattern, message, hint in _SAID:
            if re.search(pattern, said, re.IGNORECASE):
                return RepositoryError(
                    f"{message.format(path=self.path)}.{essence}", hint=hint.format(path=self.path)
                )
        return RepositoryError(
            f"Git failed on {self.path} (exit code {code}).{essence}",
            hint="See what git log and git fsck say there.",
        )


def _widened(pipe: IO[bytes]) -> int:
    """Let a pipe hold a whole chunk, so that git need not wait for us; gives what it holds then.

    Only Linux can; elsewhere a pipe is small, and what is in it had better be taken at once.
    """
    with suppress(ImportError, AttributeError, OSError):  # no Linux; more than this user may have
        import fcntl

        return int(fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK))
    return 0


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that may have ended already, and let go of its pipes."""
    if process.poll() is None:
        process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            with suppress(BrokenPipeError):  # what was not yet sent has no reader any more
                pipe.close()
    process.wait()


def _essence(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    return f" Git says: {lines[0].split(':', 1)[1].strip()}" if lines else ""
