"""Streams read in parts: each goes on by itself, carries its facts, and loses what vanished."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.testing import ConnectorContract
from dora import connector
from dora.connector import Connector
from dora.sync import sync
from tests.sync.forge import Forge, config
from tests.sync.reading import rows

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "load", lambda _: Forge)


def wait_for(marks: Path, lines: int) -> None:
    """Wait until a sync in another process has come so far."""
    until = time.monotonic() + 120
    while not (marks.exists() and marks.read_text().count("\n") >= lines):
        assert time.monotonic() < until
        time.sleep(0.005)


class TestForge(ConnectorContract):
    def make(self, folder: Path) -> Connector:
        return Forge("forge", Forge.Options(), base=folder)

    def test_refuses_options_that_it_does_not_know(self, tmp_path: Path) -> None:
        """The made-up forge takes anything."""


def test_facts_that_come_along_are_kept_and_no_stream_is_asked_for_them(path: Path) -> None:
    given = config(path)
    one = sync(given).sources[0]
    assert one.new == {"pull_requests": 36, "pull_request_commits": 72}
    assert given.sources[0].options.asked == [("pull_requests", None)]
    assert rows(path, "select distinct repository from pull_request_commits order by 1") == [
        ("a",),
        ("b",),
        ("c",),
    ]


def test_what_was_spent_is_said_and_kept(path: Path) -> None:
    one = sync(config(path)).sources[0]
    assert one.spent == {"requests": 9}
    assert str(one).endswith("; 9 requests spent")
    assert json.loads(one.as_json())["spent"] == {"requests": 9}
    assert str(sync(config(path)).sources[0]) == "nothing new"


def test_each_part_goes_on_from_its_own_checkpoint(path: Path) -> None:
    sync(config(path, repositories=["a"]))
    given = config(path, pages=4, repositories=["a", "b"])
    one = sync(given).sources[0]
    asked = dict(given.sources[0].options.asked)
    assert asked["pull_requests"] == {"parts": {"a": {"page": 3}}}
    assert one.spent == {"requests": 1 + 4}
    assert rows(path, "select part, cursor from cursors order by part") == [
        ("", "{}"),
        ("a", '{"page": 4}'),
        ("b", '{"page": 4}'),
    ]


def test_killed_in_the_middle_every_part_is_gone_on_with(path: Path, tmp_path: Path) -> None:
    whole: dict[str, Any] = {"pages": 40}
    chance = random.Random(20260301)
    for number in range(4):
        marks = tmp_path / f"marks{number}"
        options = json.dumps({**whole, "marks": str(marks)})
        command = [sys.executable, "-m", "tests.sync.forge", str(path), options]
        with subprocess.Popen(command, cwd=ROOT) as process:
            wait_for(marks, chance.randint(2, 30))  # pages it has read by then
            process.send_signal(signal.SIGKILL)
    last = sync(config(path, **whole)).sources[0]
    assert last.spent["requests"] < 3 * 40  # it did not begin again
    undisturbed = tmp_path / "undisturbed" / "dora.duckdb"
    sync(config(undisturbed, **whole))
    for table in (
        "pull_requests",
        "pull_request_commits",
        "(select source, part, cursor from cursors)",
    ):
        assert rows(path, f"from {table} order by all") == rows(
            undisturbed, f"from {table} order by all"
        )


def test_what_vanished_in_silence_is_found_by_reconciling(path: Path) -> None:
    sync(config(path))
    fewer: dict[str, Any] = {"gone": [2, 7]}
    assert str(sync(config(path, **fewer)).sources[0]) == "nothing new"
    one = sync(config(path, **fewer), reconcile=True).sources[0]
    assert one.removed == {"pull_requests": 6, "pull_request_commits": 12}
    fresh = path.with_name("fresh.duckdb")
    sync(config(fresh, **fewer))
    for table in ("pull_requests", "pull_request_commits"):
        assert rows(path, f"from {table} order by all") == rows(fresh, f"from {table} order by all")


def test_reading_everything_again_finds_it_too(path: Path) -> None:
    sync(config(path))
    one = sync(config(path, gone=[2]), full=True).sources[0]
    assert one.removed == {"pull_requests": 3, "pull_request_commits": 6}


def test_what_could_not_be_read_is_said_in_a_line_and_kept_until_it_can(path: Path) -> None:
    names = [f"r{number}" for number in range(6)]
    one = sync(config(path, repositories=names, forbidden=names[1:])).sources[0]
    assert one.error is None
    assert one.notes == (
        "pull requests of r1, r2, r3 and 2 more could not be read: the token may not read it.",
    )
    missing = "select stream, record_type, part, reason from unread order by part"
    assert rows(path, missing) == [
        ("pull_requests", "pull_requests", name, "the token may not read it") for name in names[1:]
    ]
    again = sync(config(path, repositories=names, forbidden=names[1:2])).sources[0]
    assert again.new == {"pull_requests": 48, "pull_request_commits": 96}
    assert rows(path, "select part from unread") == [("r1",)]
    sync(config(path, repositories=names))
    assert rows(path, missing) == []


def test_a_source_that_wants_too_long_a_wait_has_failed_with_everything_kept(path: Path) -> None:
    sync(config(path, repositories=["a"]))
    given = config(path, pages=4, waits=7200)
    one = sync(given, max_wait=timedelta(minutes=30)).sources[0]
    assert (
        one.error == "rate limit: it would take another 2 h 0 min, and waits may take 30 min more."
    )
    assert "--max-wait" in one.hint
    assert rows(path, "select count(*) from pull_requests") == [(12,)]


def test_waits_are_told_with_the_time_left(path: Path) -> None:
    told: list[tuple[str, str, float]] = []

    class Told:
        def started(self, source: str) -> None: ...
        def advanced(self, source: str, table: str, rows: int) -> None: ...
        def finished(self, source: str) -> None: ...
        def waiting(self, source: str, why: str, seconds: float) -> None:
            told.append((source, why, seconds))

    assert not sync(config(path, waits=0.05), progress=Told()).failed
    assert [(source, why) for source, why, _ in told] == [("forge", "rate limit")]
    assert 0 < told[0][2] <= 0.05


def test_an_interrupt_ends_a_long_wait_at_once(path: Path) -> None:
    marks = path.with_name("marks")
    options = json.dumps({"waits": 3600, "marks": str(marks)})
    command = [sys.executable, "-m", "tests.sync.forge", str(path), options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        wait_for(marks, 1)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
