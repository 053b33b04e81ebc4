"""A clone as it stands: its refs, its name, its default branch, whether its history is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.git.process import GitProcess
from dora.addresses import host_and_path
from dora.errors import RepositoryError

HEADS = "refs/heads/"
TAGS = "refs/tags/"
REMOTES = "refs/remotes/"

_KNOWN_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The refs of one moment, so that all streams of a sync see the same history.

    Attributes:
        repository: Canonical name.
        refs: Object id by full ref name, of branches, tags and remote branches; a detached HEAD
            is there as `HEAD`.
        default_branch: The branch that work lands on, if it is known.
        head_sha: Its newest commit.
        url: Web address, if the remote tells one.
        shallow: A digest of where history is cut short; empty if it is whole.
    """

    repository: str
    refs: Mapping[str, str]
    default_branch: str | None
    head_sha: str | None
    url: str | None
    shallow: str

    def tips(self) -> set[str]:
        """The objects that refs name."""
        return set(self.refs.values())

    def tags(self) -> dict[str, str]:
        """Object id by name of tag."""
        return {
            name.removeprefix(TAGS): sha for name, sha in self.refs.items() if name.startswith(TAGS)
        }

    def branch(self, name: str) -> tuple[str, str] | None:
        """The full ref of a branch and its newest commit; what the remote has goes first."""
        for ref in (f"{REMOTES}origin/{name}", f"{HEADS}{name}"):
            if ref in self.refs:
                return ref, self.refs[ref]
        for ref, sha in self.refs.items():
            if ref.startswith(REMOTES) and ref.split("/", 3)[3:] == [name]:
                return ref, sha
        return None

    def branches(self) -> list[str]:
        """The names of local branches and of the remotes' ones, without the remote's name."""
        local = {ref.removeprefix(HEADS) for ref in self.refs if ref.startswith(HEADS)}
        remote = {ref.split("/", 3)[-1] for ref in self.refs if ref.startswith(REMOTES)}
        return sorted(local | remote)


def snapshot(
    git: GitProcess,
    *,
    refs: Sequence[str],
    repository: str | None = None,
    default_branch: str | None = None,
) -> Snapshot:
    """How the clone stands now.

    Args:
        git: The clone.
        refs: The prefixes of refs that count.
        repository: Its canonical name, where the remote's address does not tell.
        default_branch: The branch that work lands on, where the clone does not tell.

    Raises:
        RepositoryError: No repository, or one without a commit.
    """
    common, is_shallow = _opened(git)
    found, links, head = _refs(git, refs)
    if not head:  # it is elsewhere, not born yet, or no branch
        head = git.ask("symbolic-ref", "-q", "HEAD", fine=(0, 1)).decode(errors="replace").strip()
    if not head:
        found["HEAD"] = git.ask("rev-parse", "--verify", "HEAD").decode().strip()
    if not found:
        raise RepositoryError(
            f"{git.path} has no commit yet.",
            hint="Fetch or commit something first, or correct the source's path.",
        )
    remote = _remote(git)
    bare = Snapshot(repository or canonical(remote, git.path), found, None, None, None, "")
    branch = default_branch or _default(bare, head, links)
    place = bare.branch(branch) if branch else None
    return Snapshot(
        repository=bare.repository,
        refs=found,
        default_branch=branch,
        head_sha=place[1] if place else found.get("HEAD"),
        url=web_address(remote),
        shallow=_cut(common) if is_shallow else "",
    )


def _opened(git: GitProcess) -> tuple[Path, bool]:
    answer = git.ask("rev-parse", "--git-common-dir", "--is-shallow-repository")
    common, shallow = answer.decode(errors="surrogateescape").splitlines()
    return git.path / common, shallow == "true"


def _refs(git: GitProcess, prefixes: Sequence[str]) -> tuple[dict[str, str], dict[str, str], str]:
    """Object id by ref, the target of those that stand for another one, and which one HEAD is."""
    form = "--format=%(refname)%00%(objectname)%00%(symref)%00%(HEAD)"
    found: dict[str, str] = {}
    links: dict[str, str] = {}
    head = ""
    for line in (
        git.ask("for-each-ref", form, *prefixes).decode(errors="backslashreplace").splitlines()
    ):
        name, sha, target, star = line.split("\0")
        if star == "*":
            head = name
        if target:
            links[name] = target
        else:
            found[name] = sha
    return found, links, head


def _default(clone: Snapshot, head: str, links: Mapping[str, str]) -> str | None:
    origin = f"{REMOTES}origin/"
    stated = links.get(f"{origin}HEAD", "")
    if stated in clone.refs:
        return stated.removeprefix(origin)
    if head in clone.refs:
        return head.removeprefix(HEADS)
    return next((name for name in ("main", "master") if clone.branch(name)), None)


def _cut(common: Path) -> str:
    return hashlib.sha256((common / "shallow").read_bytes()).hexdigest()[:16]


def _remote(git: GitProcess) -> str:
    """The address of origin, else of the only remote, else nothing."""
    answer = git.ask("config", "-z", "--get-regexp", r"^remote\..*\.url$", fine=(0, 1))
    found: dict[str, str] = {}
    for entry in answer.decode(errors="replace").split("\0")[:-1]:
        key, _, url = entry.partition("\n")
        found.setdefault(key, url)
    if "remote.origin.url" in found:
        return found["remote.origin.url"]
    return next(iter(found.values())) if len(found) == 1 else ""


def canonical(remote: str, path: Path) -> str:
    """The name of a repository: `host/owner/name`, or `local/name` without a remote.

    Args:
        remote: The remote's address, in any form git takes; user and password are left out.
        path: The clone's folder, which names it if the remote does not.
    """
    place = host_and_path(remote)
    if place:
        return "/".join(place)
    folder = path.parent if path.name == ".git" else path
    return f"local/{folder.name.removesuffix('.git') or 'repository'}"


def web_address(remote: str) -> str | None:
    """Where a browser finds the repository, if its remote is on the web or a well-known host."""
    place = host_and_path(remote)
    if place and (remote.startswith("https://") or place[0] in _KNOWN_HOSTS):
        return "https://" + "/".join(place)
    return None


def present(git: GitProcess, shas: Iterable[str]) -> set[str]:
    """Those objects that are there; others were pruned after history was rewritten."""
    asked = sorted(set(shas))
    if not asked:
        return set()
    answer = git.ask("cat-file", "--batch-check", given="\n".join([*asked, ""]).encode())
    return {line.split()[0] for line in answer.decode().splitlines() if "missing" not in line}
