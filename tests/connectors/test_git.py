from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.git import Git, messages
from connectors.git.process import GitProcess
from connectors.testing import Reading, read
from dora.records import Commit, CommitPath, CommitReference, Record, Repository
from tests.repositories import ADA, History


def git(history: History, **options: Any) -> Git:
    return Git("git", Git.Options(path=str(history.path), **options), base=Path("/"))


def commits(history: History, **options: Any) -> dict[str, Commit]:
    return {c.sha: c for c in of(Commit, read(git(history, **options), Commit))}


def of(kind: type[Record], reading: Reading) -> list[Any]:
    assert all(isinstance(record, kind) for record in reading.records)
    return list(reading.records)


def referred(history: History, **options: Any) -> set[tuple[str, str, str, str]]:
    found = of(CommitReference, read(git(history, **options), CommitReference))
    return {(r.sha, r.kind, r.target, r.rule) for r in found}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "shop")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("bare", [False, True])
def test_a_commit_comes_with_all_that_git_knows(
    tmp_path: Path, bare: bool, object_format: str
) -> None:
    history = History(tmp_path / "shop.git", bare=bare, object_format=object_format)
    root = history.commit("Start", at="2026-01-01T00:00Z")
    side = history.commit("Side", branch="side", parents=[root], at="2026-01-02T00:00Z")
    merge = history.commit(
        "Merge pull request #12 from acme/side",
        at="2026-01-04T10:00Z",
        authored_at="2026-01-03T09:30Z",
        author="Grace Hopper <grace@example.org>",
        committer=ADA,
        parents=[root, side],
    )
    assert commits(history)[merge] == Commit(
        repository="local/shop",
        sha=merge,
        parents=f"{root} {side}",
        authored_at=datetime(2026, 1, 3, 9, 30, tzinfo=UTC),
        committed_at=datetime(2026, 1, 4, 10, tzinfo=UTC),
        author="Grace Hopper <grace@example.org>",
        subject="Merge pull request #12 from acme/side",
        pull_request=12,
    )
    assert commits(history)[root].parents == ""


def test_branches_tags_and_remote_branches_are_read_and_nothing_else(history: History) -> None:
    base = history.commit("Base")
    wanted = {base, history.commit("On a branch", branch="topic")}
    wanted.add(history.commit("Fetched", branch="refs/remotes/origin/main", parents=[base]))
    wanted.add(history.commit("Tagged only", branch="refs/tags/v1", parents=[base]))
    for hidden in ("refs/pull/1/head", "refs/stash", "refs/notes/commits", "refs/changes/1"):
        history.commit(hidden, branch=hidden, parents=[base])
    assert set(commits(history)) == wanted
    assert len(commits(history, refs=["refs/"])) == len(wanted) + 4


def test_a_detached_head_counts_too(history: History) -> None:
    base = history.commit("Base")
    loose = history.commit("Loose", branch="gone", parents=[base])
    history.git("update-ref", "--no-deref", "HEAD", loose)
    history.delete("gone")
    assert set(commits(history)) == {base, loose}


def test_names_and_subjects_that_are_no_utf_8_are_replaced_not_refused(history: History) -> None:
    sha = history.commit(b"Caf\xe9 \x1f\r at noon", author=b"Ren\xe9 <rene@example.org>")
    found = commits(history)[sha]
    assert found.subject == "Caf\N{REPLACEMENT CHARACTER}  at noon"
    assert found.author == "Ren\N{REPLACEMENT CHARACTER} <rene@example.org>"


def test_a_message_in_another_declared_encoding_is_converted(history: History) -> None:
    tree = history.git("mktree")
    sha = history.write(
        "commit",
        f"tree {tree}\nauthor {ADA} 1 +0000\ncommitter {ADA} 1 +0000\n".encode()
        + b"encoding ISO-8859-1\n\nCaf\xe9\n",
    )
    history.branch("main", sha)
    assert commits(history)[sha].subject == "Café"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n",
        " \n\t\n",
        "One line",
        "One line\n",
        "  indented, with blanks behind \t \n\nBody\n",
        "\n\n \nafter blank lines\n\n\n\nBody\n\nand more\n\n",
        "two lines \nof a subject\n \t\n  Body\n",
        "ends with a return\r\n\r\nBody\r\n",
        "one\x0b\n\x0b\ntwo\n\nBody",
    ],
)
def test_a_message_is_parted_as_git_parts_it(history: History, message: str) -> None:
    tree = history.git("mktree")
    sha = history.write(
        "commit",
        f"tree {tree}\nauthor {ADA} 1 +0000\ncommitter {ADA} 1 +0000\n\n{message}".encode(),
    )
    history.branch("main", sha)
    raw = history.git("log", "-1", "--format=%x00%s%x00%b%x00", sha)
    _, subject, body, _ = raw.replace("\r", "").split("\0")
    assert (commits(history)[sha].subject or "") == subject
    assert messages.parts(message) == (subject, body)


def test_a_git_that_begins_commits_with_a_line_of_its_own_tells_the_same(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = history.commit("First", body="Why\n\nand how")
    history.commit("Second", parents=[first, history.commit("Side", branch="side", parents=[])])
    now = commits(history)
    monkeypatch.setattr(GitProcess, "version", lambda _: (2, 31, 0))
    assert commits(history) == now
    assert len(now) == 3


@pytest.mark.parametrize("time", ["-5", "", "99999999999999999999"])
def test_a_commit_without_a_time_of_any_calendar_is_set_aside(history: History, time: str) -> None:
    root = history.commit("Good")
    tree = history.git("rev-parse", f"{root}^{{tree}}")
    odd = history.write(
        "commit",
        f"tree {tree}\nparent {root}\nauthor {ADA} {time} +0000\n"
        f"committer {ADA} 1767225600 +0000\n\nOdd\n".encode(),
    )
    history.branch("main", odd)
    reading = read(git(history), Commit)
    assert [c.sha for c in of(Commit, reading)] == [root]
    assert [(r.location, r.record_type) for r in reading.rejected] == [(f"commit {odd}", Commit)]


def test_times_before_1970_and_far_ahead_are_kept_where_git_can_write_them(
    history: History,
) -> None:
    sha = history.commit("Born old", at=0, authored_at=4102444800)
    found = commits(history)[sha]
    assert found.committed_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert found.authored_at == datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "body", "number"),
    [
        ("Add the cart (#7)", "", 7),
        ("Add the cart (!8)", "", 8),
        ("Merged in cart (pull request #9)", "", 9),
        ("Merge pull request #10 from acme/cart", "", 10),
        ("Merged PR 11: Add the cart", "", 11),
        ("Merge branch 'cart' into 'main'", "See merge request acme/shop!12", 12),
        ('Revert "Add the cart (#7)" (#13)', "", 13),
        ('Revert "Add the cart (#7)"', "", None),
        ("Fix #14", "", None),
        ("Add the cart", "Closes acme/shop!15", None),
    ],
)
def test_the_pull_request_is_taken_from_the_message(
    history: History, subject: str, body: str, number: int | None
) -> None:
    sha = history.commit(subject, body=body)
    assert commits(history)[sha].pull_request == number


def test_what_a_message_reverts_or_copies_is_told(history: History) -> None:
    a, b, c = (history.commit(name) for name in "abc")
    two = history.commit("Undo", body=f"This reverts commit {a}.\n\nThis reverts commit {b[:12]}.")
    both = history.commit("Undo", body=f"this reverts commits {a},\n{b} and {c}.")
    merge = history.commit(
        "Undo a merge", body=f"This reverts commit {c}, reversing\nchanges made to {b}."
    )
    pick = history.commit("Pick", body=f"Why.\n\n(cherry picked from commit {b})")
    history.commit("No sha", body="This reverts commit of yesterday, see deadbeef.")
    assert referred(history) == {
        (two, "reverts", a, "message"),
        (two, "reverts", b[:12], "message"),
        (both, "reverts", a, "message"),
        (both, "reverts", b, "message"),
        (both, "reverts", c, "message"),
        (merge, "reverts", c, "message"),
        (pick, "cherry_picked_from", b, "message"),
    }


def test_references_are_the_same_beside_the_commits_and_in_a_pass_of_their_own(
    history: History,
) -> None:
    first = history.commit("First")
    history.commit("Undo", body=f"This reverts commit {first}.")
    connector = git(history)
    read(connector, Commit)
    assert read(connector, CommitReference).facts() == read(git(history), CommitReference).facts()
    assert connector._told is None


def test_a_copy_without_trailer_is_found_by_its_patch_where_asked(history: History) -> None:
    base = history.commit("Base", files={"a.txt": "1\n2\n3\n", "b.txt": "x\n"})
    history.commit("Else", files={"b.txt": "y\n"})
    fixed = history.commit("Fix (#2)", files={"a.txt": "1\n2\nthree\n"})
    copy = history.commit("Backport", branch="r1", parents=[base], files={"a.txt": "1\n2\nthree\n"})
    history.commit("Other", branch="r1", files={"a.txt": "1\n2\nelse\n"})
    history.tag("v1.0.1", history.git("rev-parse", "r1"))
    rule = ["tags:v*"]
    assert referred(history, deployments=rule) == set()
    assert referred(history, deployments=rule, patch_ids=True) == {
        (copy, "cherry_picked_from", fixed, "patch-id")
    }


def test_paths_are_those_that_changes_touch_and_of_a_merge_what_it_brings(history: History) -> None:
    root = history.commit("Root", files={"a/one.py": "1\n", "naïve name.txt": "2\n"})
    moved = history.commit("Move", files={"a/one.py": None, "b/one.py": "1\n"})
    empty = history.commit("Nothing")
    side = history.commit("Side", branch="side", parents=[root], files={"c": "3\n"})
    merge = history.commit("Merge", parents=[empty, side], files={"c": "3\n"})
    found = of(CommitPath, read(git(history), CommitPath))
    assert {(p.sha, p.path) for p in found} == {
        (root, "a/one.py"),
        (root, "naïve name.txt"),
        (moved, "a/one.py"),
        (moved, "b/one.py"),
        (side, "c"),
        (merge, "c"),
    }


def test_lines_are_counted_where_asked_and_not_for_merges(history: History) -> None:
    root = history.commit("Root", files={"a": "1\n2\n3\n", "bin": b"\0\1"})
    change = history.commit("Change", files={"a": "1\nB\n3\n4\n", "bin": b"\0\2"})
    move = history.commit("Move", files={"a": None, "b": "1\nB\n3\n4\n"})
    empty = history.commit("Empty")
    merge = history.commit("Merge", parents=[empty, root])
    found = commits(history, line_counts=True)
    counts = {sha: (c.lines_added, c.lines_deleted) for sha, c in found.items()}
    assert counts == {
        root: (3, 0),
        change: (2, 1),
        move: (0, 0),
        empty: (0, 0),
        merge: (None, None),
    }


def test_lines_of_more_commits_than_a_block_keep_to_their_commits(history: History) -> None:
    shas = [history.commit(f"{n}", files={"a": "x\n" * n}) for n in range(1, 700)]
    found = commits(history, line_counts=True)
    assert [found[sha].lines_added for sha in shas] == [1] * len(shas)
    assert all(c.lines_deleted == 0 for c in found.values())


def test_counting_lines_later_reads_all_commits_again(history: History) -> None:
    sha = history.commit("Root", files={"a": "1\n"})
    before = read(git(history), Commit)
    after = read(git(history, line_counts=True), Commit, before.cursor)
    assert [(c.sha, c.lines_added) for c in of(Commit, after)] == [(sha, 1)]


def test_a_second_sync_reads_only_what_is_new(history: History) -> None:
    history.commit("Old")
    streams = {t: read(git(history), t) for t in (Commit, CommitPath, CommitReference)}
    new = history.commit("New", files={"a": "1\n"})
    undo = history.commit("Undo", body=f"This reverts commit {new}.")
    later = {t: read(git(history), t, first.cursor) for t, first in streams.items()}
    assert {c.sha for c in of(Commit, later[Commit])} == {new, undo}
    assert [(p.sha, p.path) for p in of(CommitPath, later[CommitPath])] == [(new, "a")]
    assert [r.target for r in of(CommitReference, later[CommitReference])] == [new]
    assert all(reading.notes == [] for reading in later.values())


def test_rewritten_history_is_noted_and_read(history: History) -> None:
    root = history.commit("Root")
    history.commit("Regretted")
    before = read(git(history), Commit)
    better = history.commit("Better", parents=[root])
    after = read(git(history), Commit, before.cursor)
    assert [c.sha for c in of(Commit, after)] == [better]
    assert after.notes == ["History was rewritten: refs/heads/main. Commits read earlier are kept."]


def test_a_default_branch_set_back_is_noted_though_another_branch_has_its_commits(
    history: History,
) -> None:
    root = history.commit("Root")
    kept = history.commit("Kept elsewhere")
    before = read(git(history), Commit)
    history.branch("other", kept)
    history.commit("Another way", parents=[root])
    after = read(git(history), Commit, before.cursor)
    assert len(after.records) == 1
    assert "refs/heads/main" in after.notes[0]


def test_old_commits_that_were_pruned_do_not_stop_a_sync(history: History) -> None:
    root = history.commit("Root")
    history.commit("Pruned")
    before = read(git(history), Commit)
    better = history.commit("Better", parents=[root])
    history.git("reflog", "expire", "--expire=now", "--all")
    history.git("gc", "-q", "--prune=now")
    after = read(git(history), Commit, before.cursor)
    assert better in {c.sha for c in of(Commit, after)}
    assert "rewritten" in after.notes[0]


def test_all_streams_of_one_sync_see_the_same_refs(history: History) -> None:
    first = history.commit("First")
    connector = git(history)
    read(connector, Commit)
    history.commit("Meanwhile", files={"a": "1\n"})
    history.save()
    assert of(Repository, read(connector, Repository))[0].head_sha == first
    assert len(read(connector, Commit).records) == 2


def test_a_shallow_clone_is_read_and_said_to_be_cut_short(tmp_path: Path) -> None:
    source = History(tmp_path / "source")
    for name in "abc":
        source.commit(name)
    url = source.path.as_uri()
    source.git("clone", "-q", "--depth=1", url, str(tmp_path / "shallow"))
    shallow = History(tmp_path / "shallow")
    reading = read(git(shallow), Repository)
    assert of(Repository, reading)[0].incomplete
    assert "git fetch --unshallow" in reading.notes[0]
    before = read(git(shallow), Commit)
    assert len(before.records) == 1
    assert ("warning", True) in [(f.level, "cut short" in f.message) for f in git(shallow).check()]

    shallow.git("fetch", "-q", "--unshallow")
    assert len(read(git(shallow), Commit, before.cursor).records) == 3
    assert not of(Repository, read(git(shallow), Repository, reading.cursor))[0].incomplete


def test_replaced_and_grafted_history_is_not_believed(history: History) -> None:
    root = history.commit("Root")
    true = history.commit("True")
    false = history.commit("False", branch="tmp", parents=[])
    history.delete("tmp")
    history.git("replace", true, false)
    (history.path / ".git" / "info" / "grafts").write_text(f"{true}\n")
    found = commits(history)
    assert found[true].subject == "True"
    assert found[true].parents == root


def test_nothing_in_the_clone_is_changed_by_reading_it(history: History) -> None:
    history.commit("One", files={"a": "1\n"})
    history.tag("v1", history.commit("Two"), at="2026-02-01T00:00Z")
    files = {p: p.stat().st_mtime_ns for p in history.path.rglob("*")}
    connector = git(history, deployments=["tags:v*"], line_counts=True, patch_ids=True)
    for record_type in connector.provides:
        read(connector, record_type)
    list(connector.check())
    assert {p: p.stat().st_mtime_ns for p in history.path.rglob("*")} == files


def test_settings_of_the_user_change_nothing(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = history.commit("One (#1)", files={"a": "1\n"})
    plain = commits(history)
    for key, value in {
        "log.showSignature": "true",
        "color.ui": "always",
        "log.date": "relative",
        "format.pretty": "oneline",
        "i18n.logOutputEncoding": "latin1",
        "log.showRoot": "false",
        "diff.noprefix": "true",
        "core.pager": "false",
    }.items():
        history.git("config", key, value)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    assert commits(history) == plain
    assert [p.sha for p in of(CommitPath, read(git(history), CommitPath))] == [sha]
