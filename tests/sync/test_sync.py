"""A sync from sources to a published store: what is asked, kept, counted and passed over."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dora import connector, store
from dora.config import Config, Service
from dora.connector import Note, Rejected, Removed
from dora.errors import StoreBusy, StoreMissing, UsageError
from dora.identities import Identities
from dora.records import RECORD_TYPES, Deployment
from dora.store import Writer
from dora.sync import Summary, sync
from tests.repositories import History
from tests.sync import fake
from tests.sync.fake import commit, config, deployment
from tests.sync.reading import rows


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "load", lambda _: fake.Fake)


def test_facts_services_and_lineage_are_published_together(path: Path) -> None:
    summary = sync(config(path, git={"pages": 3, "extra": {"deployments": [deployment(9)]}}))
    assert not summary.failed
    assert summary.sources[0].new == {"commits": 30, "deployments": 1}
    assert str(summary.sources[0]) == "30 commits new, 1 deployment new"
    assert rows(path, "select count(*), max(commit_id) from commits") == [(30, 30)]
    assert rows(path, "select service from service_map") == [("acme/shop",)]
    assert rows(path, "select outcome from stream_deployments") == [("baseline",)]
    assert sorted(f.name for f in path.parent.iterdir()) == ["dora.duckdb", "dora.duckdb.lock"]


def test_a_second_sync_asks_from_where_the_first_stood_and_derives_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = config(path, git={"pages": 2})
    sync(given)
    before = datetime.now(UTC)
    monkeypatch.setattr("dora.services.write", None)  # would fail if it were called
    monkeypatch.setattr("dora.lineage.update", None)
    summary = sync(given)
    assert str(summary.sources[0]) == "nothing new"
    assert summary.notes == ()
    asked = dict(given.sources[0].options.asked)
    assert asked["commits"] == {"page": 2}
    with store.connect(path) as connection:
        assert store.freshness(connection)["git"] >= before


def test_what_is_new_comes_in_and_lineage_follows(path: Path) -> None:
    sync(config(path, git={"pages": 1, "extra": {"deployments": [deployment(5)]}}))
    more = [deployment(5), deployment(15)]
    summary = sync(config(path, git={"pages": 2, "extra": {"deployments": more}}))
    assert summary.sources[0].new == {"commits": 10, "deployments": 1}
    assert rows(path, "select outcome from stream_deployments order by position") == [
        ("baseline",),
        ("delivered",),
    ]


def test_a_changed_mapping_is_derived_anew_though_no_fact_changed(path: Path) -> None:
    given = config(path, git={"pages": 1, "extra": {"deployments": [deployment(5)]}})
    sync(given)
    sync(replace(given, services=(Service("checkout", repositories=("*shop",)),)))
    assert rows(path, "select distinct service from service_map") == [("checkout",)]
    assert rows(path, "select service from streams") == [("checkout",)]


def test_paths_are_asked_for_only_where_a_service_is_made_of_them(path: Path) -> None:
    given = config(path, git={"pages": 1})
    sync(given)
    asked = [table for table, _ in given.sources[0].options.asked]
    assert asked == [t.table for t in RECORD_TYPES if t.table != "commit_paths"]
    given = config(path, git={"pages": 1})
    sync(replace(given, services=(Service("checkout", paths=("checkout/**",)),)))
    asked = [table for table, _ in given.sources[0].options.asked]
    assert asked == [t.table for t in RECORD_TYPES]


def test_reading_everything_again_doubles_nothing(path: Path) -> None:
    given = config(path, git={"pages": 3, "blocks": True})
    sync(given)
    first = rows(path, "from commits order by commit_id")
    before = len(given.sources[0].options.asked)
    summary = sync(given, full=True)
    anew = given.sources[0].options.asked[before:]
    assert anew[0] == ("repositories", None)
    assert {cursor for _, cursor in anew} == {None}
    assert str(summary.sources[0]) == "nothing new"
    assert rows(path, "from commits order by commit_id") == first


def test_only_the_source_that_is_named_is_read(path: Path) -> None:
    given = config(path, a={"pages": 1}, b={"pages": 1})
    assert [one.name for one in sync(given, only="b").sources] == ["b"]
    with pytest.raises(UsageError, match="a, b"):
        sync(given, only="c")
    with pytest.raises(UsageError, match=r"dora\.toml"):
        sync(config(path))


def test_a_source_that_fails_keeps_what_it_gave_and_stops_no_other(path: Path) -> None:
    summary = sync(config(path, a={"pages": 4, "fails_after": 2}, b={"extra": _deployments(3)}))
    failed, fine = summary.sources
    assert summary.failed
    assert (failed.error, failed.hint) == ("The repository is gone.", "Find it.")
    assert failed.new == {"commits": 20}
    assert fine.error is None
    assert fine.new == {"deployments": 3}
    assert rows(path, "select source, status from syncs order by source") == [
        ("a", "failed"),
        ("b", "finished"),
    ]
    with store.connect(path) as connection:
        assert list(store.freshness(connection)) == ["b"]
    assert not sync(config(path, a={"pages": 4}, b={"extra": _deployments(3)})).failed
    assert rows(path, "select count(*) from commits") == [(40,)]


def _deployments(count: int) -> dict[str, list[Any]]:
    return {"deployments": [deployment(number) for number in range(count)]}


def test_a_fault_in_a_connector_is_told_like_any_failure(path: Path) -> None:
    summary = sync(config(path, a={"extra": {"commits": [object()]}}, b={"pages": 1}))
    assert summary.sources[0].error is not None
    assert "AttributeError" in summary.sources[0].error
    assert summary.sources[1].new == {"commits": 10}


def test_where_nothing_could_be_read_no_empty_store_is_left(path: Path) -> None:
    summary = sync(config(path, git={"pages": 1, "fails_after": 0}))
    assert summary.failed
    with pytest.raises(StoreMissing):
        store.connect(path)
    assert not path.with_name("dora.duckdb.sync").exists()


def test_notes_rejects_and_removals_are_counted(path: Path) -> None:
    extra = [
        deployment(1),
        Rejected(Deployment, "line 3", "no time"),
        Removed(Deployment, ({"id": "v1"},)),
        Note("Two tags were deleted."),
        Note("Ask ada@example.org."),
    ]
    one = sync(config(path, git={"extra": {"deployments": extra}})).sources[0]
    assert (one.new, one.removed, one.rejected) == (
        {"deployments": 1},
        {"deployments": 1},
        {"deployments": 1},
    )
    assert one.notes == ("Two tags were deleted.", "Ask ….")
    assert rows(path, "select location from quarantine") == [("line 3",)]


def test_progress_is_told_by_source_and_table(path: Path) -> None:
    told: list[tuple[Any, ...]] = []

    class Told:
        def started(self, source: str) -> None:
            told.append(("started", source))

        def advanced(self, source: str, table: str, rows: int) -> None:
            told.append((source, table, rows))

        def finished(self, source: str) -> None:
            told.append(("finished", source))

    sync(config(path, git={"pages": 2}), progress=Told())
    assert told == [
        ("started", "git"),
        ("git", "commits", 10),
        ("git", "commits", 20),
        ("finished", "git"),
    ]


def test_a_second_sync_at_the_same_time_is_told_who_holds_the_store(path: Path) -> None:
    identities = Identities.for_store(path, "pseudonyms", ())
    busy = pytest.raises(StoreBusy, match=r"process \d+, since 20\d\d-")
    with Writer.open(path, identities=identities), busy:
        sync(config(path, git={"pages": 1}))
    assert not sync(config(path, git={"pages": 1})).failed


def test_a_lock_file_left_behind_bars_nobody(path: Path) -> None:
    path.with_name("dora.duckdb.lock").write_text('{"pid": 1, "since": "2020-01-01"}')
    assert not sync(config(path, git={"pages": 1})).failed


def test_a_work_file_that_does_not_fit_is_thrown_away_and_said(path: Path) -> None:
    given = config(path, git={"pages": 1})
    sync(given)
    work = path.with_name("dora.duckdb.sync")
    older = path.read_bytes()
    sync(config(path, git={"pages": 2}))
    for left in (older, b"nonsense" * 1000, path.read_bytes()[:20_000], b""):
        work.write_bytes(left)
        work.with_name("dora.duckdb.sync.wal").write_bytes(b"old log")
        summary: Summary = sync(config(path, git={"pages": 2}))
        assert "Threw away" in summary.notes[0]
        assert str(summary.sources[0]) == "nothing new"
    assert rows(path, "select count(*) from commits") == [(20,)]


def test_a_log_left_by_another_program_is_taken_in_and_never_given_to_the_next_store(
    path: Path,
) -> None:
    sync(config(path, git={"pages": 1}))
    writing = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r});"
        "c.execute('delete from commits where commit_id = 10');"
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", writing], check=False)
    assert path.with_name("dora.duckdb.wal").exists()
    sync(config(path, git={"pages": 1}))
    assert not path.with_name("dora.duckdb.wal").exists()
    assert rows(path, "select count(*) from commits") == [(9,)]


def test_a_link_to_a_store_stays_a_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.duckdb"
    real.parent.mkdir()
    path.symlink_to(real)
    given: Config = config(path, git={"pages": 1})
    sync(given)
    sync(config(path, git={"pages": 2}))
    assert path.is_symlink()
    assert rows(path, "select count(*) from commits") == [(20,)]
    assert commit(1).sha in {sha for (sha,) in rows(real, "select sha from commits")}


def test_a_clone_is_read_and_its_deployments_followed_without_pandas(
    path: Path, tmp_path: Path
) -> None:
    history = History(tmp_path / "shop")
    history.commit("One")
    history.tag("v1", history.commit("Two"))
    (tmp_path / "dora.toml").write_text(
        f'store = "{path}"\n[[sources]]\nname = "shop"\nkind = "git"\n'
        f'path = "{history.path}"\ndeployments = ["tags:v*"]\n'
    )
    code = (
        "import sys; from pathlib import Path; from dora import config, sync;"
        "sync.sync(config.load(Path(sys.argv[1]))); print([*sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "dora.toml")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "'duckdb'" in imported
    assert "'pandas'" not in imported
    assert rows(path, "select count(*) from lineage") == [(2,)]
