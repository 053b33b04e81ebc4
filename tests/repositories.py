"""Real git repositories for tests, built in milliseconds by `git fast-import`.

    history = History(tmp_path / "shop")
    first = history.commit("Add the cart", at="2026-01-05T10:00Z")
    fixed = history.commit("Fix the cart", files={"cart.py": "total = 0\\n"})
    side = history.commit("Try", branch="try", parents=[first])
    merge = history.commit("Merge try", parents=[fixed, side])
    history.tag("v1.0", merge)                              # lightweight
    history.tag("v1.1", merge, at="2026-01-09T12:00Z")      # annotated
    Git("git", Git.Options(path=str(history.path)), base=tmp_path)

`commit` gives the full object id at once. Reading `path`, or calling `git`, writes what is pending;
more may be added afterwards. Without `at`, every commit is an hour after the one before.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

Text = str | bytes
Time = str | int | datetime

ADA = "Ada Lovelace <ada@example.org>"
_ISOLATED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada Lovelace"), ("EMAIL", "ada@example.org"))
}


class History:
    """One repository in the making.

    Args:
        path: Its folder, made if it is not there; an existing repository is gone on with.
        bare: Without a work tree.
        object_format: `sha1` or `sha256`.
        branch: The branch that HEAD names.
    """

    def __init__(
        self,
        path: Path,
        *,
        bare: bool = False,
        object_format: str = "sha1",
        branch: str = "main",
    ) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._marks = 0
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._tips: dict[str, str] = {}
        self._pending: dict[str, str] = {}  # marks of what this fast-import knows by mark alone
        self.branch_name = branch
        if not path.exists():
            path.mkdir(parents=True)
            kind = ["--bare"] if bare else []
            self.git("init", "-q", "-b", branch, f"--object-format={object_format}", *kind)

    @property
    def path(self) -> Path:
        """The folder; everything added so far is in it."""
        self.save()
        return self._path

    def commit(
        self,
        subject: Text,
        *,
        at: Time | None = None,
        authored_at: Time | None = None,
        author: Text = ADA,
        committer: Text | None = None,
        body: Text = "",
        branch: str | None = None,
        parents: Sequence[str] | None = None,
        files: Mapping[str, Text | None] | None = None,
    ) -> str:
        """Add a commit and give its object id.

        Args:
            subject: First line of the message.
            at: Committer time; `2026-01-05T10:00Z`, seconds since 1970, or an aware datetime.
            authored_at: Author time; the committer's if not given.
            author: `Name <email>`.
            committer: `Name <email>`; the author if not given.
            body: The message's further paragraphs.
            branch: The branch that moves to it; a full `refs/...` name is taken as it is.
            parents: Object ids; the branch's tip if not given, none for a new root.
            files: New contents by path; None deletes. The other files are the first parent's.
        """
        ref = _ref(branch or self.branch_name)
        parents = self._parents(ref) if parents is None else parents
        committed = self._time(at)
        authored = committed if authored_at is None else _seconds(authored_at)
        message = _bytes(subject) + (b"\n\n" + _bytes(body) if body else b"") + b"\n"
        self._marks += 1
        lines = [
            b"reset %s\n" % ref.encode() if not parents else b"",
            b"commit %s\nmark :%d\n" % (ref.encode(), self._marks),
            b"author %s %d +0000\n" % (_bytes(author), authored),
            b"committer %s %d +0000\n" % (_bytes(committer or author), committed),
            b"data %d\n%s\n" % (len(message), message),
            *(
                b"%s %s\n" % (b"merge" if place else b"from", self._name(parent))
                for place, parent in enumerate(parents)
            ),
            *(_change(path, content) for path, content in (files or {}).items()),
        ]
        self._send(b"".join(lines))
        sha = self._ask(b"get-mark :%d\n" % self._marks)
        self._tips[ref] = sha
        self._pending[sha] = f":{self._marks}"
        return sha

    def tag(
        self, name: str, target: str, *, at: Time | None = None, annotated: bool = False
    ) -> None:
        """Add or move a tag: lightweight, annotated where `at` is given.

        `annotated=True` without `at` makes a tag object that has no tagger, as very old tags.
        """
        if at is None and not annotated:
            self._send(b"reset refs/tags/%s\nfrom %s\n\n" % (name.encode(), self._name(target)))
            return
        tagger = b"" if at is None else b"tagger %s %d +0000\n" % (ADA.encode(), _seconds(at))
        self._send(
            b"tag %s\nfrom %s\n%sdata %d\n%s\n"
            % (name.encode(), self._name(target), tagger, len(name), name.encode())
        )

    def branch(self, name: str, target: str) -> None:
        """Add a branch, or move it wherever."""
        self._tips[_ref(name)] = target
        self._send(b"reset %s\nfrom %s\n\n" % (_ref(name).encode(), self._name(target)))

    def delete(self, ref: str) -> None:
        """Take away a branch, or any ref by its full name such as `refs/tags/v1.0`."""
        self._tips.pop(_ref(ref), None)
        self.git("update-ref", "-d", _ref(ref))

    def origin(self, url: str) -> None:
        """Name a remote called origin; nothing is fetched."""
        self.git("remote", "add", "origin", url)

    def write(self, kind: str, content: bytes) -> str:
        """Store any object as it is, however odd, and give its id."""
        return self.git("hash-object", "-t", kind, "-w", "--literally", "--stdin", given=content)

    def git(self, *arguments: str, given: bytes = b"") -> str:
        """Run git in the repository, after all that is pending is written; give its output."""
        self.save()
        done = subprocess.run(
            ["git", "-C", str(self._path), *arguments],
            input=given,
            capture_output=True,
            env={**os.environ, **_ISOLATED, **_WHO},
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode(errors="replace").strip()

    def save(self) -> None:
        """Write what is pending; called by everything that reads the repository."""
        process, self._process = self._process, None
        self._pending.clear()
        if process is None:
            return
        _, complaint = process.communicate(b"done\n")
        if process.returncode:
            raise RuntimeError(f"git fast-import: {complaint.decode(errors='replace')}")

    def __del__(self) -> None:
        self.save()

    def _name(self, sha: str) -> bytes:
        return self._pending.get(sha, sha).encode()

    def _parents(self, ref: str) -> Sequence[str]:
        if ref not in self._tips:
            found = self.git("for-each-ref", "--format=%(objectname)", ref)
            if found:
                self._tips[ref] = found
        return [self._tips[ref]] if ref in self._tips else []

    def _time(self, at: Time | None) -> int:
        if at is None:
            self._now += timedelta(hours=1)
        else:
            self._now = datetime.fromtimestamp(_seconds(at), UTC)
        return int(self._now.timestamp())

    def _send(self, commands: bytes) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "-C", str(self._path), "fast-import", "--quiet", "--done", "--force"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **_ISOLATED},
            )
        assert self._process.stdin is not None
        self._process.stdin.write(commands)

    def _ask(self, command: bytes) -> str:
        self._send(command)
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.flush()
        answer = process.stdout.readline().decode().strip()
        if not answer:
            self.save()
            raise RuntimeError("git fast-import gave no answer")
        return answer


def _ref(name: str) -> str:
    return name if name.startswith("refs/") else f"refs/heads/{name}"


def _bytes(text: Text) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _seconds(time: Time) -> int:
    if isinstance(time, int):
        return time
    moment = time if isinstance(time, datetime) else datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(f"{time} has no zone; write 2026-01-05T10:00Z")
    return int(moment.timestamp())


def _change(path: str, content: Text | None) -> bytes:
    if content is None:
        return b"D %s\n" % path.encode()
    blob = _bytes(content)
    return b"M 644 inline %s\ndata %d\n%s\n" % (path.encode(), len(blob), blob)
