"""Opening a store to read it: what its tables are, and what a wrong file is said to be."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dora import store
from dora.connector import Checkpoint
from dora.errors import StoreMissing, StoreTooNew, StoreUnreadable
from dora.identities import Identities
from dora.records import RECORD_TYPES, columns
from dora.store import reader, schema
from tests.sync.fake import commit, deployment

PLAIN = Identities("plain", "", ())


def made(path: Path, *facts: object) -> Path:
    """A published store with these facts."""
    with store.Writer.open(path, identities=PLAIN) as writer:
        writer.write("git", [*facts, Checkpoint({})], stream="test")
        writer.publish()
    return path


def test_every_fact_has_a_table_of_its_columns_behind_the_source(tmp_path: Path) -> None:
    with store.connect(made(tmp_path / "s.duckdb")) as connection:
        for record_type in RECORD_TYPES:
            rows = connection.execute(f"describe {record_type.table}").fetchall()
            expected = ["source", *columns(record_type)]
            if record_type.table == "commits":
                expected.append("commit_id")
            assert [row[0] for row in rows] == expected


def test_tables_and_columns_say_what_they_mean(tmp_path: Path) -> None:
    with store.connect(made(tmp_path / "s.duckdb")) as connection:
        silent = connection.execute(
            "select table_name from duckdb_columns() where database_name = 'facts'"
            " and comment is null union all select table_name from duckdb_tables()"
            " where database_name = 'facts' and comment is null"
        ).fetchall()
    assert silent == []


def test_a_store_that_was_begun_whole_is_not_gone_through_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "s.duckdb")
    made_anew: list[object] = []
    monkeypatch.setattr(schema, "create_tables", made_anew.append)
    with store.Writer.open(path, identities=PLAIN) as writer:
        assert schema.read_meta(writer.connection, "schema_version") == "1"
    assert made_anew == []


def test_beginning_a_store_leaves_every_core_and_the_optimizer_to_what_follows(
    tmp_path: Path,
) -> None:
    asked = (
        "select current_setting('threads')",
        "explain select 1 from (select unnest([1, 2]) as n) where n = 1 and 1 = 0",
    )
    with (
        store.Writer.open(tmp_path / "s.duckdb", identities=PLAIN) as writer,
        duckdb.connect() as c,
    ):
        for question in asked:
            expected = c.execute(question).fetchall()
            assert writer.connection.execute(question).fetchall() == expected


def test_a_table_made_twice_is_left_as_it_is() -> None:
    with store.memory() as connection:
        store.create_tables(connection)
        connection.execute("insert into cursors (source) values ('git')")
        store.create_tables(connection)
        assert connection.execute("select source from cursors").fetchall() == [("git",)]


def test_a_store_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="dora sync"):
        store.connect(tmp_path / "none.duckdb")
    assert list(tmp_path.iterdir()) == []


def _text(path: Path) -> None:
    path.write_text("date,deployment\n" * 1000)


def _nothing(path: Path) -> None:
    path.touch()


def _folder(path: Path) -> None:
    path.mkdir()


def _truncated(path: Path) -> None:
    made(path, *(commit(number) for number in range(5000)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def _header_only(path: Path) -> None:
    made(path)
    path.write_bytes(path.read_bytes()[:6000])


def _foreign(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table meta (k varchar)")


@pytest.mark.parametrize(
    "spoil",
    [_text, _nothing, _folder, _truncated, _header_only, _foreign],
    ids=lambda f: f.__name__,
)
def test_a_file_that_is_no_store_is_unreadable_for_readers_and_for_a_sync(
    tmp_path: Path, spoil: object
) -> None:
    path = tmp_path / "s.duckdb"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreUnreadable) as raised:
        _count(path)
    assert raised.value.hint
    with pytest.raises(StoreUnreadable), store.Writer.open(path, identities=PLAIN):
        pass
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert not path.with_name("s.duckdb.sync").exists()


def _count(path: Path) -> int:
    with store.connect(path) as connection:
        return int(connection.execute("select count(*) from commits").fetchall()[0][0])


def test_a_file_that_may_not_be_read_is_said_to_be_so() -> None:
    error = duckdb.IOException('Cannot open file "s.duckdb": Permission denied')
    assert "may not be read" in reader.unreadable(Path("s.duckdb"), error).message


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "s.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("update meta set value = '99' where key = 'schema_version'")
    with pytest.raises(StoreTooNew, match="pip install --upgrade"):
        store.connect(path)
    with pytest.raises(StoreTooNew), store.Writer.open(path, identities=PLAIN):
        pass


def test_an_older_store_is_read_with_what_it_lacks_left_empty(tmp_path: Path) -> None:
    path = made(tmp_path / "s.duckdb", commit(1), deployment(1))
    _age(path)
    with store.connect(path) as connection:
        assert connection.execute("select sha, subject from commits").fetchall() == [
            (f"{1:040x}", None)
        ]
        assert connection.execute("select count(*) from builds").fetchall() == [(0,)]


def _age(path: Path) -> None:
    """Make a store what an older version might have written."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table commits drop column subject; drop table builds")
        connection.execute("delete from meta where key = 'layout'")


def test_an_older_store_is_migrated_step_by_step_by_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "s.duckdb", commit(1))
    _age(path)
    steps = (
        lambda c: c.execute("update commits set author = author || '2'"),
        lambda c: c.execute("update commits set author = author || '3'"),
    )
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 3)
    with store.Writer.open(path, identities=PLAIN) as writer:
        writer.publish()
    with store.connect(path) as connection:
        rows = connection.execute("select author, subject from commits").fetchall()
        assert rows == [("Planted Name1 <planted1@example.org>23", None)]
        assert schema.read_meta(connection, "schema_version") == "3"
        assert connection.execute("select count(*) from builds").fetchall() == [(0,)]


def test_freshness_is_when_the_last_finished_sync_of_each_source_began(tmp_path: Path) -> None:
    path = made(tmp_path / "s.duckdb")
    with store.Writer.open(path, identities=PLAIN) as writer:
        writer.connection.execute(
            "insert into syncs (source, started_at, status) values"
            " ('git', '2026-01-01', 'finished'), ('git', '2026-01-02', 'finished'),"
            " ('git', '2026-01-03', 'failed'), ('jira', '2026-01-01 12:00', 'finished')"
        )
        writer.publish()
    with store.connect(path) as connection:
        assert store.freshness(connection) == {
            "git": datetime(2026, 1, 2, tzinfo=UTC),
            "jira": datetime(2026, 1, 1, 12, tzinfo=UTC),
        }


def test_the_newest_fact_is_none_in_an_empty_store_and_ignores_clocks_that_run_ahead(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "s.duckdb")
    with store.connect(path) as connection:
        assert store.newest_fact(connection) is None
    ahead = datetime(2037, 1, 1, tzinfo=UTC)
    with store.Writer.open(path, identities=PLAIN) as writer:
        facts = [commit(1), commit(2, committed_at=ahead), deployment(1), Checkpoint({"a": 1})]
        writer.write("git", facts, stream="commits")
        writer.connection.execute(
            "insert into syncs (source, started_at, status)"
            " values ('git', '2026-06-01', 'finished')"
        )
        writer.publish()
    with store.connect(path) as connection:
        assert store.newest_fact(connection) == datetime(2026, 1, 1, 1, 1, tzinfo=UTC)


def test_rows_that_repeat_a_key_are_counted_by_table() -> None:
    with store.memory() as connection:
        store.create_tables(connection)
        connection.execute(
            "insert into commits (repository, sha) values ('r', 'a'), ('r', 'a'), ('r', 'a'),"
            " ('r', 'b'), ('s', 'a');"
            "insert into incidents (source, id) values ('x', '1'), ('y', '1')"
        )
        assert store.duplicates(connection) == {"commits": 2}


def test_reading_writes_nothing_beside_the_store_and_bars_nobody(tmp_path: Path) -> None:
    path = made(tmp_path / "s.duckdb", commit(1))
    before = {f: f.read_bytes() for f in tmp_path.iterdir()}
    with store.connect(path) as connection:
        connection.execute("create table tried as select * from commits")
        other = f"import dora.store as s, pathlib; s.connect(pathlib.Path({str(path)!r}))"
        subprocess.run([sys.executable, "-c", other], check=True)
    assert {f: f.read_bytes() for f in tmp_path.iterdir()} == before
