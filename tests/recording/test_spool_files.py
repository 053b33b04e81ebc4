"""Writing to the spool from real processes: all at once, killed, on a full disk."""

from __future__ import annotations

import fcntl
import json
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dora import config, store, sync
from dora.errors import NotRecorded
from dora.recording.spool import append

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def command(number: int, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "dora", "record", "deployment", "--service", "checkout",
        "--environment", "production", "--status", "succeeded", "--id", f"d-{number}",
        "--finished", f"2026-03-01T12:00:{number % 60:02d}Z", "--spool", str(folder), "-q",
        "--labels", "x" * 3000,
    ]  # fmt: skip


def start(number: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(number, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A configuration with a spool and nothing else."""
    (tmp_path / "dora.toml").write_text('as_of = "newest"\n')
    (tmp_path / "dora.d").mkdir()
    return tmp_path


def synced(workplace: Path) -> list[str]:
    """The ids in the store after one more sync."""
    sync.sync(config.load(workplace / "dora.toml"))
    connection = store.connect(workplace / "dora.duckdb")
    try:
        rows = connection.execute("select id from deployments order by id").fetchall()
        assert connection.execute("select count(*) from quarantine").fetchall() == [(0,)]
    finally:
        connection.close()
    return [id_ for (id_,) in rows]


@pytest.fixture
def syncing(workplace: Path) -> Iterator[list[int]]:
    """Syncs one after the other, in processes of their own, until the test is over."""
    stop, codes = threading.Event(), list[int]()

    def again() -> None:
        while not stop.is_set():
            ran = subprocess.run(
                [sys.executable, "-m", "dora", "sync", "-c", str(workplace / "dora.toml"), "-q"],
                capture_output=True,
                check=False,
            )
            codes.append(ran.returncode)

    thread = threading.Thread(target=again)
    thread.start()
    yield codes
    stop.set()
    thread.join()


def test_twenty_at_once_during_syncs_lose_and_double_nothing(
    workplace: Path, syncing: list[int]
) -> None:
    folder = workplace / "dora.d"
    running = [start(number, folder) for number in range(20)]
    assert [process.wait(60) for process in running] == [0] * 20
    while not syncing:
        time.sleep(0.05)
    assert set(syncing) == {0}
    time.sleep(0.05)
    _wait_for_a_sync(syncing)
    expected = sorted(f"d-{number}" for number in range(20))
    for _ in range(2):
        assert _until_free(workplace) == expected


def _wait_for_a_sync(codes: list[int]) -> None:
    seen = len(codes)
    while len(codes) == seen:
        time.sleep(0.05)


def _until_free(workplace: Path) -> list[str]:
    """Sync in this process, between those of the others."""
    from dora.errors import StoreBusy

    while True:
        try:
            return synced(workplace)
        except StoreBusy:
            time.sleep(0.02)


def test_the_killed_leave_whole_lines_or_nothing(workplace: Path) -> None:
    folder, chance = workplace / "dora.d", random.Random(7)
    running = [start(number, folder) for number in range(20)]
    victims = set(chance.sample(range(20), 8))
    time.sleep(0.1)
    for number in victims:
        time.sleep(chance.uniform(0, 0.15))
        running[number].send_signal(signal.SIGKILL)
    codes = {number: process.wait(60) for number, process in enumerate(running)}
    found = synced(workplace)
    assert len(found) == len(set(found))
    assert {f"d-{number}" for number, code in codes.items() if code == 0} <= set(found)
    for file in folder.iterdir():
        assert all(json.loads(line)["id"] for line in file.read_text().splitlines())


def test_a_full_disk_refuses_the_line_as_a_whole_and_says_it(workplace: Path) -> None:
    folder = workplace / "dora.d"
    path = append(folder, json.dumps({"first": True}), NOW)
    before = path.read_bytes()
    limit = len(before) + 1000  # there is room for a part of the next line

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    path.rename(folder / f"{path.name.rsplit('-', 2)[0]}-{datetime.now(UTC):%Y-%m}.jsonl")
    (path,) = folder.iterdir()
    ran = subprocess.run(
        command(1, folder), capture_output=True, text=True, preexec_fn=narrow, check=False
    )
    assert ran.returncode == 1
    assert "could be written" in ran.stderr
    assert '"id": "d-1"' in ran.stderr  # whoever reads the log can still add it
    assert path.read_bytes() == before
    assert subprocess.run(command(1, folder), check=True, capture_output=True).stdout == b"d-1\n"
    assert path.read_bytes().startswith(before)


def test_a_torn_line_is_ended_before_the_next_is_written(tmp_path: Path) -> None:
    path = append(tmp_path, '{"a": 1}', NOW)
    path.write_bytes(path.read_bytes() + b'{"record": "depl')
    append(tmp_path, '{"b": 2}', NOW)
    assert path.read_bytes() == b'{"a": 1}\n{"record": "depl\n{"b": 2}\n'


def test_a_folder_that_cannot_be_made_is_one_error_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotRecorded) as caught:
        append(tmp_path / "file" / "dora.d", '{"a": 1}', NOW)
    assert '{"a": 1}' in caught.value.hint


def test_a_writer_that_hangs_with_the_lock_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = append(tmp_path, '{"a": 1}', NOW)
    monkeypatch.setattr("dora.recording.spool.PATIENCE", 0.1)
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        append(tmp_path, '{"b": 2}', NOW)
    assert path.read_bytes() == b'{"a": 1}\n{"b": 2}\n'
