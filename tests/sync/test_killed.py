"""What a published store is worth when a sync dies, waits, or runs out of room: real processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dora import connector, store
from dora.errors import StoreBusy
from dora.sync import sync
from tests.sync import fake
from tests.sync.fake import config

ROOT = Path(__file__).parents[2]
KILLS = 8


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "load", lambda _: fake.Fake)


@contextmanager
def syncing(path: Path, **sources: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """A sync in a process of its own, killed at the latest when the block ends."""
    command = [sys.executable, "-m", "tests.sync.fake", str(path), json.dumps(sources)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def commits(path: Path) -> list[tuple[Any, ...]]:
    """What the published store says of commits, duplicates included."""
    with store.connect(path) as connection:
        return connection.execute(
            "select source, sha, parents, authored_at, author from commits order by all"
        ).fetchall()


def wait_for(path: Path, size: int = 0) -> None:
    """Wait until a file is there and larger than that."""
    until = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > size):
        assert time.monotonic() < until
        time.sleep(0.005)


def naming(folder: Path) -> list[str]:
    """The files in which a name stands that should not."""
    return [p.name for p in folder.glob("dora*") if b"planted" in p.read_bytes().lower()]


def test_killed_at_any_moment_it_loses_nothing_finished_and_doubles_nothing(
    path: Path, tmp_path: Path
) -> None:
    chance = random.Random(20260301)
    whole = {"pages": 30, "rows": 300, "blocks": True, "seconds": 0.01}
    undisturbed = tmp_path / "undisturbed" / "dora.duckdb"
    sync(config(undisturbed, git=whole))
    sync(config(path, git={**whole, "pages": 3}))
    published = {frozenset(commits(path)), frozenset(commits(undisturbed))}
    for _ in range(KILLS):
        with syncing(path, git=whole) as process:
            _at_work(path, process)
            time.sleep(chance.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert frozenset(commits(path)) in published
        assert naming(path.parent) == []
    summary = sync(config(path, git=whole))
    assert not summary.failed
    assert commits(path) == commits(undisturbed)
    with store.connect(path) as connection:
        assert store.duplicates(connection) == {}
        ids = connection.execute("select count(distinct commit_id), count(*) from commits")
        assert ids.fetchall() == [(9000, 9000)]


def _at_work(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a sync holds the lock, or has ended."""
    until = time.monotonic() + 60
    lock = path.with_name("dora.duckdb.lock")
    while process.poll() is None and f'"pid": {process.pid},' not in lock.read_text():
        assert time.monotonic() < until
        time.sleep(0.002)


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_killed_while_publishing_the_store_is_the_old_or_the_new_one(
    path: Path, moment: str
) -> None:
    sync(config(path, git={"pages": 1}))
    wanted: dict[str, Any] = {"pages": 4}
    code = (
        "import os, signal, sys; from pathlib import Path; from dora.store import files;"
        "from tests.sync import fake; die = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "real = files.publish; "
        + {
            "before": "files.publish = die;",
            "between": "Path.replace = lambda a, b: die() if str(b).endswith('.duckdb') else"
            " os.replace(a, b);",
            "after": "files.publish = lambda place: (real(place), die());",
        }[moment]
        + "fake.main(*sys.argv[1:])"
    )
    arguments = [str(path), json.dumps({"git": wanted})]
    ended = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(commits(path)) == (40 if moment == "after" else 10)
    summary = sync(config(path, git=wanted))
    assert str(summary.sources[0]) == "nothing new"
    assert len(commits(path)) == 40


def test_an_interrupted_sync_ends_soon_and_is_gone_on_with(path: Path) -> None:
    slow = {"pages": 400, "rows": 10, "seconds": 0.05}
    with syncing(path, git=slow, other=slow) as process:
        wait_for(path.with_name("dora.duckdb.sync"))
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said
    assert not path.exists()
    summary = sync(config(path, git={"pages": 1}))
    assert summary.notes == ("Went on where a sync that was cut short had stopped.",)


def test_a_reader_keeps_what_it_opened_while_a_sync_publishes(path: Path) -> None:
    sync(config(path, git={"pages": 1}))
    reading = (
        "import sys, pathlib; from dora import store;"
        f"c = store.connect(pathlib.Path({str(path)!r}));"
        "count = lambda: print(c.execute('select count(*) from commits').fetchall()[0][0],"
        " flush=True);"
        "count(); sys.stdin.readline(); count()"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", reading],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "10\n"
    with syncing(path, git={"pages": 3}) as process:
        assert process.wait(timeout=60) == 0
    assert len(commits(path)) == 30
    assert reader.communicate("\n", timeout=60)[0] == "10\n"


def test_a_second_process_is_refused_and_the_first_goes_on(path: Path) -> None:
    slow = {"pages": 30, "seconds": 0.1}
    with syncing(path, git=slow) as process:
        wait_for(path.with_name("dora.duckdb.sync"))
        with pytest.raises(StoreBusy, match=f"process {process.pid}, since"):
            sync(config(path, git={"pages": 1}))
        assert process.wait(timeout=60) == 0
    assert len(commits(path)) == 300


def test_a_full_disk_leaves_the_store_as_it_was_and_the_next_sync_works(path: Path) -> None:
    sync(config(path, git={"pages": 1}))
    before = path.read_bytes()
    more = {"pages": 20, "rows": 2000, "blocks": True}
    for limit in (100_000, len(before) // 2, len(before) + 300_000, len(before) + 900_000):
        said = _limited(path, limit, more)
        assert "dora.errors.StoreFull: There is no room left" in said
        assert path.read_bytes() == before
        assert naming(path.parent) == []
    assert not sync(config(path, git=more)).failed
    assert len(commits(path)) == 10 + 19 * 2000


def _limited(path: Path, limit: int, options: dict[str, Any]) -> str:
    """What a sync says that may write no file larger than a limit."""
    code = (
        "import resource, sys; from tests.sync import fake;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        "fake.main(*sys.argv[1:])"
    )
    arguments = [str(path), json.dumps({"git": options})]
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ended.returncode == 1
    return ended.stderr
