"""Copies found by their content: commits of releases whose patch is on the default branch too.

A patch id needs a whole diff, so only those commits of the default branch get one that touch
exactly the same paths as a commit of a release.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from connectors.git.history import Range, changed_paths
from connectors.git.process import GitProcess, stop

_DIFF = ("diff-tree", "--stdin", "--root", "-p", "--no-ext-diff", "--no-textconv")


def copies(git: GitProcess, released: Iterable[str], mainline: str) -> Iterator[tuple[str, str]]:
    """Pairs of a commit that only releases have and the commit of the default branch it equals.

    Where several commits of the default branch have the same patch, the oldest is named.

    Args:
        git: The clone.
        released: What was deployed.
        mainline: The newest commit of the default branch.

    Raises:
        RepositoryError: Git failed, as on a clone without file contents.
    """
    tips = tuple(sorted(released))
    candidates = _touched(git, Range(tips, (mainline,))) if tips else {}
    if not candidates:
        return
    wanted = set(candidates.values())
    originals = {
        sha: touched
        for sha, touched in _touched(git, Range((mainline,), ())).items()
        if touched in wanted
    }
    # Newest first, so that of several the oldest remains.
    known = {patch: sha for sha, patch in _patch_ids(git, list(originals))}
    found = set(originals.values())
    for sha, patch in _patch_ids(git, [s for s, touched in candidates.items() if touched in found]):
        if patch in known:
            yield sha, known[patch]


def _touched(git: GitProcess, commits: Range) -> dict[bytes, int]:
    """A number that stands for the paths a commit touched, by commit."""
    touched: dict[bytes, int] = {}
    for pairs in changed_paths(git, commits, merges=False):
        for sha, path in pairs:
            touched[sha] = touched.get(sha, 0) ^ hash(path)
    return touched


def _patch_ids(git: GitProcess, shas: list[bytes]) -> Iterator[tuple[str, str]]:
    """Each commit with the id of its patch, which line numbers and white space do not change."""
    with ExitStack() as stack:
        given = stack.enter_context(tempfile.TemporaryFile())
        complaints = stack.enter_context(tempfile.TemporaryFile())
        given.write(b"\n".join([*shas, b""]))
        given.seek(0)
        diff = git.start(_DIFF, complaints, given=given)
        stack.callback(stop, diff)
        ids = git.start(("patch-id", "--stable"), complaints, given=diff.stdout)
        stack.callback(stop, ids)
        answer, _ = ids.communicate()
        code = diff.wait() or ids.returncode
        if code:
            raise git.error(code, complaints)
    for line in answer.decode().splitlines():
        patch, sha = line.split()
        yield sha, patch
