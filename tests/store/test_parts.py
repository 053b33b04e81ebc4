"""Cursors of parts, and facts that are all there is of something, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dora import store
from dora.connector import Checkpoint, Item, Only, Removed
from dora.identities import Identities
from dora.records import Deployment, PullRequest, PullRequestCommit, Repository
from dora.store import taking
from tests.sync.fake import REPOSITORY, START, deployment

PLAIN = Identities("plain", "", ())


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[store.Writer]:
    with store.Writer.open(tmp_path / "s.duckdb", identities=PLAIN) as opened:
        yield opened


def write(writer: store.Writer, *items: Item, source: str = "forge") -> store.Tally:
    return writer.write(source, items, stream="test")


def rows(writer: store.Writer, query: str) -> list[tuple[Any, ...]]:
    return writer.connection.execute(query).fetchall()


def pull(number: int, repository: str = "r") -> PullRequest:
    return PullRequest(repository=repository, number=number, state="open", opened_at=START)


def original(number: int, sha: str, repository: str = "r") -> PullRequestCommit:
    return PullRequestCommit(repository=repository, number=number, sha=sha, authored_at=START)


def shas(writer: store.Writer) -> list[tuple[Any, ...]]:
    return rows(writer, "select repository, number, sha from pull_request_commits order by all")


def test_a_part_has_a_cursor_of_its_own_beside_the_streams(writer: store.Writer) -> None:
    assert writer.cursor("forge", "test") is None
    write(writer, Checkpoint({"n": 1}, part="a"))
    assert writer.cursor("forge", "test") == {"parts": {"a": {"n": 1}}}
    write(writer, Checkpoint({"n": 2}, part="b"), Checkpoint({"all": True}))
    assert writer.cursor("forge", "test") == {"all": True, "parts": {"a": {"n": 1}, "b": {"n": 2}}}
    write(writer, Checkpoint({}, part="a"), Checkpoint({"n": 3}, part="b"))
    assert writer.cursor("forge", "test") == {"all": True, "parts": {"b": {"n": 3}}}
    with pytest.raises(ValueError, match="parts"):
        write(writer, Checkpoint({"parts": {}}))
    writer.forget("forge")
    assert writer.cursor("forge", "test") is None


def test_cursors_of_parts_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with store.Writer.open(path, identities=PLAIN) as writer:
        write(writer, Checkpoint({"n": 1}, part="a"), Checkpoint({"n": 2}))
        writer.publish()
    with store.Writer.open(path, identities=PLAIN) as writer:
        assert writer.cursor("forge", "test") == {"n": 2, "parts": {"a": {"n": 1}}}


def test_a_store_from_before_parts_keeps_its_cursors(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with store.Writer.open(path, identities=PLAIN) as writer:
        write(writer, Checkpoint({"n": 1}))
        writer.connection.execute("alter table cursors drop column part; drop table unread")
        store.schema.write_meta(writer.connection, "layout", "older")
        writer.publish()
    with store.Writer.open(path, identities=PLAIN) as writer:
        assert writer.cursor("forge", "test") == {"n": 1}
        write(writer, Checkpoint({"n": 2}))
        assert rows(writer, "select cursor from cursors") == [('{"n": 2}',)]


def test_what_is_not_among_the_only_ones_of_a_place_is_gone(writer: store.Writer) -> None:
    write(
        writer,
        *(original(number, sha, name) for name in "rs" for number in (1, 2) for sha in "abc"),
        Checkpoint({"n": 1}),
    )
    tally = write(
        writer,
        Only(PullRequestCommit, {"repository": "r", "number": 1}, ({"sha": "a"}, {"sha": "b"})),
        Only(PullRequestCommit, {"repository": "r", "number": 2}, ()),
        Checkpoint({"n": 2}),
    )
    assert tally.removed == {"pull_request_commits": 4}
    assert shas(writer) == [
        ("r", 1, "a"),
        ("r", 1, "b"),
        *(("s", number, sha) for number in (1, 2) for sha in "abc"),
    ]


def test_a_key_of_fewer_columns_keeps_all_that_fit_it(writer: store.Writer) -> None:
    write(writer, *(original(n, sha) for n in (1, 2, 3) for sha in "ab"), Checkpoint({}))
    only = Only(PullRequestCommit, {"repository": "r"}, ({"number": 1}, {"number": 3}))
    assert write(writer, only).removed == {"pull_request_commits": 2}
    assert shas(writer) == [("r", n, sha) for n in (1, 3) for sha in "ab"]


def test_only_this_sources_facts_are_taken_away(writer: store.Writer) -> None:
    write(writer, deployment(1), deployment(2), Repository("r"), source="other")
    write(writer, deployment(1), deployment(2), Repository("s"), Repository("t"))
    where = {"repository": REPOSITORY, "rule": None}
    key = {"id": "v1", "environment": "production"}
    tally = write(
        writer, Only(Deployment, where, (key,)), Only(Repository, {}, ({"repository": "t"},))
    )
    assert tally.removed == {"deployments": 1, "repositories": 1}
    assert rows(writer, "select source, id from deployments order by all") == [
        ("forge", "v1"),
        ("other", "v1"),
        ("other", "v2"),
    ]
    assert rows(writer, "select repository from repositories order by 1") == [("r",), ("t",)]
    assert write(writer, Only(Deployment, {}, ())).removed == {"deployments": 1}


def test_what_comes_after_the_others_were_said_to_be_gone_is_there(writer: store.Writer) -> None:
    within = {"repository": "r", "number": 1}
    write(
        writer,
        original(1, "a"),
        original(1, "b"),
        Only(PullRequestCommit, within, ({"sha": "a"},)),
        original(1, "c"),
        original(2, "d"),
    )
    assert shas(writer) == [("r", 1, "a"), ("r", 1, "c"), ("r", 2, "d")]
    write(
        writer,
        Only(PullRequestCommit, within, ({"sha": "a"}, {"sha": "b"})),
        Only(PullRequestCommit, within, ({"sha": "c"}, {"sha": "b"})),
    )
    assert shas(writer) == [("r", 2, "d")]


def test_types_that_come_in_turns_are_merged_together(
    writer: store.Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    merges: list[int] = []
    real = taking.Merge.staged

    def counted(self: Any, record_type: Any) -> Any:
        merges.append(1)
        return real(self, record_type)

    monkeypatch.setattr(taking.Merge, "staged", counted)
    items = (item for n in range(500) for item in (pull(n), original(n, "a"), original(n, "b")))
    tally = write(writer, *items, Checkpoint({}))
    assert tally.new == {"pull_requests": 500, "pull_request_commits": 1000}
    assert len(merges) == 2


def test_a_removal_and_a_fact_of_another_type_stay_in_order(writer: store.Writer) -> None:
    gone = Removed(PullRequest, ({"repository": "r", "number": 1},))
    write(writer, pull(1), original(1, "a"), gone, pull(2), pull(1))
    assert rows(writer, "select number from pull_requests order by 1") == [(1,), (2,)]
