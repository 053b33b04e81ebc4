from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.git import Git, process
from connectors.git.clone import canonical, web_address
from connectors.testing import read
from dora.connector import Block, Checkpoint
from dora.errors import RepositoryError, SourceError
from dora.records import Commit, CommitPath, Incident, Repository
from tests.repositories import History


def git(path: Path, **options: Any) -> Git:
    return Git("git", Git.Options(path=str(path), **options), base=Path("/"))


def failure(connector: Git, kind: Any = Commit) -> RepositoryError:
    with pytest.raises(RepositoryError) as caught:
        read(connector, kind)
    assert caught.value.hint
    return caught.value


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "shop")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "There is no folder" in failure(git(tmp_path / "gone")).message


def test_a_folder_that_is_no_repository_even_inside_of_one(history: History) -> None:
    history.commit("One")
    inside = history.path / "docs"
    inside.mkdir()
    assert "no git repository" in failure(git(inside)).message
    assert "no git repository" in next(git(inside).check()).message


def test_the_git_folder_of_a_clone_stands_for_the_clone(history: History) -> None:
    sha = history.commit("One")
    (found,) = read(git(history.path / ".git"), Repository).records
    assert found == Repository("local/shop", default_branch="main", head_sha=sha)


def test_a_repository_without_a_commit(history: History) -> None:
    assert "has no commit yet" in failure(git(history.path)).message
    with pytest.raises(RepositoryError, match="has no commit yet"):
        Git.suggest(history.path)


def test_a_commit_that_is_missing_is_an_error_with_gits_own_words(history: History) -> None:
    lost = history.commit("Lost")
    for number in range(3):
        history.commit(f"{number}")
    (history.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    error = failure(git(history.path))
    assert "is damaged" in error.message
    assert lost in error.message
    assert "git fsck" in error.hint
    assert [f.level for f in git(history.path).check()] == ["error"]


def test_a_commit_that_is_corrupt_is_an_error(history: History) -> None:
    history.commit("Root")
    bad = history.commit("Bad")
    history.commit("Tip")
    file = history.path / ".git" / "objects" / bad[:2] / bad[2:]
    file.chmod(0o644)
    file.write_bytes(b"this is no zlib stream")
    assert "is damaged" in failure(git(history.path)).message


def test_a_tip_that_is_missing_is_an_error(history: History) -> None:
    sha = history.commit("Only")
    (history.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    assert "is damaged" in failure(git(history.path)).message


def test_a_partial_clone_gives_commits_and_fetches_nothing(tmp_path: Path) -> None:
    source = History(tmp_path / "source")
    source.git("config", "uploadpack.allowFilter", "true")
    sha = source.commit("One", files={"a": "1\n"})
    partial = tmp_path / "partial.git"
    source.git("clone", "-q", "--bare", "--filter=tree:0", source.path.as_uri(), str(partial))
    before = sorted(partial.rglob("*"))
    assert [c.sha for c in read(git(partial), Commit).records] == [sha]
    assert "partial clone" in failure(git(partial), CommitPath).message
    assert "partial clone" in failure(git(partial, line_counts=True)).message
    assert sorted(partial.rglob("*")) == before


def test_git_that_dies_half_way_is_an_error_and_no_checkpoint(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        history.commit(f"{number}", body="long " * 400)
    monkeypatch.setattr(process, "CHUNK", 1000)
    items = git(history.path).records(Commit, None)
    block = next(items)
    assert isinstance(block, Block)
    chunks = iter(block.delimited or ())
    assert next(chunks) is not None
    children = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-x", "git"], capture_output=True, text=True, check=True
    )
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    with pytest.raises(RepositoryError, match="signal 9"):
        list(chunks)
    with pytest.raises(RepositoryError, match="signal 9"):
        next(items)


def test_rows_that_nobody_reads_still_have_to_be_whole(history: History) -> None:
    lost = history.commit("Lost")
    history.commit("Tip")
    (history.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    items = git(history.path).records(Commit, None)
    assert isinstance(next(items), Block)
    with pytest.raises(RepositoryError):
        next(items)


def test_a_reading_that_is_given_up_leaves_no_process(history: History) -> None:
    for number in range(200):
        history.commit(f"{number}", body="long " * 400)
    items = git(history.path, line_counts=True).records(Commit, None)
    block = next(items)
    assert isinstance(block, Block)
    next(iter(block.delimited or ()))
    del block
    items.close()
    done = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-x", "git"], capture_output=True, check=False
    )
    assert done.stdout == b""


def test_another_users_clone_is_refused_with_the_command_that_trusts_it(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.commit("One")
    path = history.path
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    error = failure(git(path))
    assert "does not trust" in error.message
    assert f"safe.directory {path}" in error.hint


def test_git_that_is_not_installed(
    history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = history.path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed" in failure(git(path)).message
    assert "not installed" in next(git(path).check()).message


def test_git_that_is_too_old(
    history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = history.path
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.11.0\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    finding = next(git(path).check())
    assert (finding.level, "too old" in finding.message) == ("error", True)
    assert "too old" in failure(git(path)).message


def test_facts_that_git_does_not_have_are_refused(history: History) -> None:
    history.commit("One")
    with pytest.raises(SourceError, match="no incidents"):
        next(git(history.path).records(Incident, None))


def test_a_misspelt_option_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="deployment"):
        Git.Options(path=".", deployment=["tags:v*"])
    with pytest.raises(ValidationError, match="repository"):
        Git.Options(path=".", repository="just-a-name")


def test_a_check_of_a_good_clone_says_what_was_found(history: History) -> None:
    history.tag("v1", history.commit("One"))
    found = list(git(history.path, deployments=["tags:v*", "merges:gone"]).check())
    assert [f.level for f in found] == ["ok", "ok", "error"]
    assert "local/shop: 1 commits" in found[0].message
    assert found[1].message == "tags:v*: 1 tags fit."
    (no_rule,) = [f for f in git(history.path).check() if f.level == "warning"]
    assert "deployments" in no_rule.hint


def test_nothing_new_asks_for_the_refs_and_no_more(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.tag("v1", history.commit("One"))
    cursors = {}
    connector = git(history.path, deployments=["tags:v*", "merges:main"])
    for kind in connector.provides:
        cursors[kind] = read(connector, kind).cursor
    asked: list[str] = []
    start = process.GitProcess.start

    def listen(self: Any, arguments: Any, *rest: Any, **more: Any) -> Any:
        asked.append(arguments[0])
        return start(self, arguments, *rest, **more)

    monkeypatch.setattr(process.GitProcess, "start", listen)
    again = git(history.path, deployments=["tags:v*", "merges:main"])
    for kind in again.provides:
        assert list(again.records(kind, cursors[kind])) == [Checkpoint(cursors[kind])]
    assert len(asked) <= 5
    assert "log" not in asked


@pytest.mark.parametrize(
    ("remote", "name", "url"),
    [
        ("git@github.com:acme/shop.git", "github.com/acme/shop", "https://github.com/acme/shop"),
        ("ssh://git@github.com:22/acme/shop", "github.com/acme/shop", "https://github.com/acme/shop"),
        ("ssh://git@ssh.github.com:443/a/b.git", "github.com/a/b", "https://github.com/a/b"),
        ("https://ada:s3cret@github.com/acme/shop.git/", "github.com/acme/shop",
         "https://github.com/acme/shop"),
        ("https://x-access-token:t@git.example.org/acme/shop", "git.example.org/acme/shop",
         "https://git.example.org/acme/shop"),
        ("https://GitLab.com/group/sub/shop.git", "gitlab.com/group/sub/shop",
         "https://gitlab.com/group/sub/shop"),
        ("ada@git.example.org:team/shop.git", "git.example.org/team/shop", None),
        ("host.example:shop.git", "host.example/shop", None),
        ("git://git.example.org/shop.git", "git.example.org/shop", None),
        ("", "local/clone", None),
        ("/srv/git/shop.git", "local/clone", None),
        ("../shop.git", "local/clone", None),
        ("file:///srv/git/shop.git", "local/clone", None),
        ("C:\\repos\\shop", "local/clone", None),
    ],
)  # fmt: skip
def test_a_remote_names_the_repository_without_credentials(
    remote: str, name: str, url: str | None
) -> None:
    assert canonical(remote, Path("/home/ada/clone")) == name
    assert web_address(remote) == url


@pytest.mark.parametrize(
    ("folder", "name"),
    [("shop.git", "local/shop"), ("shop/.git", "local/shop"), ("repo", "local/repo")],
)
def test_a_clone_without_remote_is_named_by_its_folder(folder: str, name: str) -> None:
    assert canonical("", Path("/srv") / folder) == name


def test_the_default_branch_is_the_remotes_then_heads_then_main(history: History) -> None:
    def default() -> tuple[str | None, str | None]:
        (found,) = read(git(history.path), Repository).records
        assert isinstance(found, Repository)
        return found.default_branch, found.head_sha

    base = history.commit("Base")
    topic = history.commit("Topic", branch="topic")
    history.git("symbolic-ref", "HEAD", "refs/heads/topic")
    assert default() == ("topic", topic)
    history.git("update-ref", "--no-deref", "HEAD", topic)
    history.git("checkout", "-q", "--detach", "topic")
    assert default() == ("main", base)
    ahead = history.commit("Fetched", branch="refs/remotes/origin/trunk", parents=[base])
    history.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert default() == ("trunk", ahead)
    (stated,) = read(git(history.path, default_branch="topic"), Repository).records
    assert stated == Repository("local/shop", default_branch="topic", head_sha=topic)


def test_a_repository_with_a_new_name_is_said_to_have_one(history: History) -> None:
    history.commit("One")
    before = read(git(history.path), Repository)
    history.origin("https://ada:s3cret@github.com/acme/shop.git")
    after = read(git(history.path), Repository, before.cursor)
    (found,) = after.records
    assert isinstance(found, Repository)
    assert (found.repository, found.url) == ("github.com/acme/shop", "https://github.com/acme/shop")
    assert "local/shop is now called github.com/acme/shop" in after.notes[0]
    assert "s3cret" not in str(after)
