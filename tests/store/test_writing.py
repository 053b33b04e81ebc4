"""Merging facts into a store: new, changed, known, refused, gone; by records, frames and text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dora import store
from dora.connector import Block, Checkpoint, Item, Note, Rejected, Removed, Reread
from dora.errors import RepositoryError
from dora.identities import Identities
from dora.records import (
    Commit,
    CommitReference,
    Deployment,
    FlagChange,
    Incident,
    PullRequest,
    Record,
    columns,
)
from dora.store import spools
from tests.sync.fake import REPOSITORY, START, commit, deployment

PLAIN = Identities("plain", "", ("*[bot]*",))
NAMES = ("repository", "sha", "parents", "authored_at", "committed_at", "author", "subject")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[store.Writer]:
    with store.Writer.open(tmp_path / "s.duckdb", identities=PLAIN) as opened:
        yield opened


def write(writer: store.Writer, *items: Item, source: str = "git", n: int = 0) -> store.Tally:
    return writer.write(source, [*items, Checkpoint({"n": n})], stream="test")


def rows(writer: store.Writer, query: str) -> list[tuple[Any, ...]]:
    return writer.connection.execute(query).fetchall()


def delimited(*commits: Commit, names: tuple[str, ...] = NAMES, cut: int = 7) -> Block:
    """The same commits as text, in chunks that end anywhere."""
    text = "".join("\x1f".join(_field(getattr(c, n)) for n in names) + "\n" for c in commits)
    raw = text.encode()
    return Block(Commit, names, delimited=[raw[i : i + cut] for i in range(0, len(raw), cut)])


def _field(value: object) -> str:
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def frame(*facts: Record) -> Block:
    names = tuple(columns(type(facts[0])))
    return Block(
        type(facts[0]),
        names,
        frame=pd.DataFrame([[getattr(f, n) for n in names] for f in facts], columns=list(names)),
    )


def test_new_changed_and_known_facts_are_told_apart(writer: store.Writer) -> None:
    first = write(writer, commit(1), commit(2), commit(3))
    assert (first.new, first.updated) == ({"commits": 3}, {})
    second = write(writer, commit(1), commit(2, subject="Amended"), commit(4), n=1)
    assert (second.new, second.updated) == ({"commits": 1}, {"commits": 1})
    assert rows(writer, "select sha, subject, commit_id from commits order by sha") == [
        (f"{1:040x}", None, 1),
        (f"{2:040x}", "Amended", 2),
        (f"{3:040x}", None, 3),
        (f"{4:040x}", None, 4),
    ]


def test_the_last_of_several_with_one_key_wins_in_a_first_load_and_later(
    writer: store.Writer,
) -> None:
    again = [commit(1, subject=text) for text in ("a", "b", "c")]
    assert write(writer, *again).new == {"commits": 1}
    assert rows(writer, "select subject from commits") == [("c",)]
    later = [commit(1, subject=text) for text in ("d", "e")]
    tally = write(writer, *later, commit(2), commit(2, subject="f"), n=1)
    assert (tally.new, tally.updated) == ({"commits": 1}, {"commits": 1})
    assert rows(writer, "select subject from commits order by sha") == [("e",), ("f",)]
    assert store.duplicates(writer.connection) == {}


def test_the_last_wins_across_blocks_of_one_first_load(
    writer: store.Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "SPOOL_BYTES", 2000)
    numbers = [*range(100), *range(50)]
    block = delimited(*(commit(n, subject=str(i)) for i, n in enumerate(numbers)))
    assert write(writer, block).new == {"commits": 100}
    kept = rows(writer, "select subject from commits order by sha")
    assert [int(subject) for (subject,) in kept] == [*range(100, 150), *range(50, 100)]


def test_what_has_no_source_in_its_key_belongs_to_whoever_wrote_it_last(
    writer: store.Writer,
) -> None:
    write(writer, commit(1), deployment(1))
    tally = write(writer, commit(1, subject="x"), deployment(1), source="github")
    assert (tally.new, tally.updated) == ({"deployments": 1}, {"commits": 1})
    assert rows(writer, "select source, commit_id from commits") == [("github", 1)]
    assert rows(writer, "select source from deployments order by 1") == [("git",), ("github",)]


def test_records_frames_and_text_give_the_same_rows(tmp_path: Path) -> None:
    facts = [
        commit(n, subject=s, is_bot=n == 2, pull_request=n if n > 1 else None)
        for n, s in enumerate(("Ünï \"quoted\" 'x', \\n", None, "", "\t tab # ;"), 1)
    ]
    names = tuple(columns(Commit))
    found = []
    for number, items in enumerate((facts, [frame(*facts)], [delimited(*facts, names=names)])):
        path = tmp_path / f"{number}.duckdb"
        with store.Writer.open(path, identities=PLAIN) as writer:
            write(writer, *items)
            found.append(
                rows(
                    writer,
                    "select * replace (nullif(subject, '') as subject) from commits order by sha",
                )
            )
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 4


def test_values_of_every_type_come_out_as_they_went_in(writer: store.Writer) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    zone = moment.astimezone(tz=None)
    write(
        writer,
        FlagChange(
            id="1", flag="new\ncheckout\x1f", environment="prod", changed_at=zone, share=0.1
        ),
        PullRequest(repository="r", number=2**40, state="open", opened_at=moment),
        frame(
            Incident(id="i", detected_at=moment, external=True), Incident(id="j", detected_at=zone)
        ),
    )
    assert rows(writer, "select flag, changed_at, share, service from flag_changes") == [
        ("new\ncheckout\x1f", moment.replace(tzinfo=None), 0.1, None)
    ]
    assert rows(writer, "select number, opened_at, is_bot from pull_requests") == [
        (2**40, moment.replace(tzinfo=None), False)
    ]
    assert rows(writer, "select detected_at, external from incidents order by id") == [
        (moment.replace(tzinfo=None), True),
        (moment.replace(tzinfo=None), False),
    ]


def test_columns_that_are_left_out_take_the_default_of_the_fact(writer: store.Writer) -> None:
    write(
        writer,
        Block(
            CommitReference,
            ("repository", "sha", "kind", "target"),
            delimited=[b"r\x1fs\x1freverts\x1ft\n"],
        ),
        Block(
            CommitReference,
            ("repository", "sha", "kind", "target"),
            frame=pd.DataFrame(
                [("r", "s", "reverts", "u")], columns=["repository", "sha", "kind", "target"]
            ),
        ),
    )
    assert rows(writer, "select distinct rule from commit_references") == [("message",)]


def test_text_that_is_no_fact_is_kept_aside_and_the_rest_comes_in(writer: store.Writer) -> None:
    good = b"r\x1f%s\x1f\x1f1767225600\x1f1767225600\x1fA <a@b.c>\x1fs\n"
    lines = [
        good % b"a1",
        b"r\x1fa2\x1f\x1fyesterday\x1f1767225600\x1f\x1f\n",  # a time that is none
        b"r\x1fa3\x1f\x1f99999999999999\x1f1767225600\x1f\x1f\n",  # beyond the year 9999
        b"r\x1f\x1f\x1f1767225600\x1f1767225600\x1f\x1f\n",  # no sha
        good % b"a4",
        b"only\x1fthree\x1ffields\n",
        good % b"a\xff5",  # no UTF-8
        b"r\x1fa6\x1f\x1f\x1f1767225600\x1f\x1f\n",  # no time
        good % b"a7",
        b"r\x1fa8\x1f\x1f1767225600\x1f1767225600\x1f\x1fcarriage\rreturn\n",
        (good % b"a9").rstrip(b"\n"),  # the last line is not ended
    ]
    tally = write(writer, Block(Commit, NAMES, delimited=lines))
    assert [sha for (sha,) in rows(writer, "select sha from commits order by commit_id")] == [
        "a1",
        "a4",
        "a\N{REPLACEMENT CHARACTER}5",
        "a7",
        "a8",
        "a9",
    ]
    assert tally.rejected == {"commits": 5}
    refused = rows(writer, "select location, reason from quarantine order by location")
    assert refused == [
        ("row 2 (r a2)", "authored_at is no time"),
        ("row 3 (r a3)", "authored_at is no time"),
        ("row 4 (r)", "sha is missing"),
        ("row 6", "it has 3 fields instead of 7"),
        ("row 8 (r a6)", "authored_at is missing"),
    ]


def test_rows_of_a_frame_that_are_no_facts_are_kept_aside(writer: store.Writer) -> None:
    names = ("id", "repository", "environment", "status", "finished_at")
    table = pd.DataFrame(
        [
            ("1", "r", "production", "succeeded", "2026-01-01T00:00:00+02:00"),
            ("2", "r", "production", "exploded", "2026-01-01T00:00:00Z"),
            (None, "r", "production", "failed", None),
            ("4", "r", "production", "failed", "soon"),
        ],
        columns=list(names),
    )
    tally = write(writer, Block(Deployment, names, frame=table))
    assert (tally.new, tally.rejected) == ({"deployments": 1}, {"deployments": 3})
    assert rows(writer, "select finished_at::varchar from deployments") == [
        ("2025-12-31 22:00:00",)
    ]
    assert [
        reason for (reason,) in rows(writer, "select reason from quarantine order by location")
    ] == [
        "status is none of succeeded, failed, cancelled, running",
        "id is missing",
        "finished_at is no time",
    ]


def test_quarantine_holds_each_place_once_and_forgets_it_when_all_is_read_again(
    writer: store.Writer,
) -> None:
    bad = Rejected(Deployment, "deployments.csv:2", "status is 'x'", "1,x")
    writer.write("csv", [bad, Checkpoint({"n": 1})], stream="deployments")
    writer.write("csv", [bad, Checkpoint({"n": 2})], stream="deployments")
    writer.write("other", [bad, Checkpoint({"n": 1})], stream="deployments")
    assert rows(writer, "select source, location, content from quarantine order by source") == [
        ("csv", "deployments.csv:2", "1,x"),
        ("other", "deployments.csv:2", "1,x"),
    ]
    writer.forget("csv")
    writer.write("csv", [Checkpoint({"n": 3})], stream="deployments")
    assert rows(writer, "select source from quarantine") == [("other",)]


def test_a_file_read_again_is_judged_anew_and_no_other(writer: store.Writer) -> None:
    def read(*items: Item, n: int) -> None:
        writer.write("csv", [*items, Checkpoint({"n": n})], stream="deployments")

    def bad(location: str) -> Rejected:
        return Rejected(Deployment, location, "no time")

    read(bad("a.csv:2"), bad("a.csv:3"), bad("a.csv"), bad("a.csvx:2"), bad("b.csv:2"), n=1)
    read(Reread(Deployment, "a.csv"), bad("a.csv:3"), n=2)
    assert rows(writer, "select location from quarantine order by 1") == [
        ("a.csv:3",),
        ("a.csvx:2",),
        ("b.csv:2",),
    ]


def test_facts_that_are_gone_are_deleted_only_where_this_source_wrote_them(
    writer: store.Writer,
) -> None:
    write(writer, *(deployment(n) for n in range(3)), source="a")
    write(writer, *(deployment(n) for n in range(3)), source="b")
    keys = ({"id": "v0", "repository": REPOSITORY, "environment": "production"}, {"id": "v2"})
    tally = write(writer, Removed(Deployment, keys), source="a", n=1)
    assert tally.removed == {"deployments": 2}
    assert rows(writer, "select source, id from deployments order by all") == [
        ("a", "v1"),
        ("b", "v0"),
        ("b", "v1"),
        ("b", "v2"),
    ]


def test_what_is_gone_and_comes_again_in_one_reading_is_there(writer: store.Writer) -> None:
    gone = Removed(Deployment, ({"id": "v1"},))
    write(writer, deployment(1), gone, deployment(2), gone, deployment(1), Note("Rewritten."))
    assert rows(writer, "select id from deployments order by id") == [("v1",), ("v2",)]


def test_an_error_keeps_what_came_before_the_last_checkpoint(writer: store.Writer) -> None:
    def items() -> Iterator[Item]:
        yield commit(1)
        yield Checkpoint({"page": 1})
        yield commit(2)
        raise RepositoryError("It is gone.", hint="Find it.")

    tally = store.Tally()
    with pytest.raises(RepositoryError):
        writer.write("git", items(), stream="commits", tally=tally)
    assert tally.new == {"commits": 1}
    assert writer.cursor("git", "commits") == {"page": 1}
    assert rows(writer, "select sha from commits") == [(f"{1:040x}",)]
    assert write(writer, commit(2), n=1).new == {"commits": 1}


def test_an_error_within_text_is_raised_and_what_came_of_it_is_forgotten(
    writer: store.Writer,
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"r\x1fs\x1f\x1f0\x1f0\n" * 100
        raise RepositoryError("It is cut short.", hint="Fetch it again.")

    names = ("repository", "sha", "parents", "authored_at", "committed_at")
    with pytest.raises(RepositoryError):
        write(writer, Block(Commit, names, delimited=chunks()))
    assert rows(writer, "select count(*) from commits") == [(0,)]
    assert not [one for one in threading.enumerate() if one.name == "dora-ahead"]


def test_several_sources_written_at_once_lose_and_double_nothing(writer: store.Writer) -> None:
    def one(source: str, first: int) -> None:
        for page in range(5):
            facts = [commit(first + n) for n in range(page * 20, page * 20 + 40)]
            writer.write(source, [*facts, Checkpoint({"n": page})], stream="commits")

    threads = [threading.Thread(target=one, args=(f"s{n}", n * 60)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.duplicates(writer.connection) == {}
    found = rows(writer, "select count(*), count(distinct commit_id) from commits")
    assert found == [(3 * 60 + 120, 3 * 60 + 120)]


FACTS = st.tuples(st.integers(0, 8), st.sampled_from([None, "a", "b"]))
BATCHES = st.lists(
    st.tuples(
        st.sampled_from(["records", "frame", "text", "gone"]),
        st.lists(FACTS, min_size=1, max_size=12),
    ),
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(readings=st.lists(BATCHES, max_size=3))
def test_any_sequence_of_batches_leaves_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, readings: list[list[tuple[str, list[Any]]]]
) -> None:
    expected: dict[int, str | None] = {}
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    with store.Writer.open(path, identities=PLAIN) as writer:
        for reading in readings:
            items: list[Item] = []
            for form, batch in reading:
                facts = [commit(n, subject=subject) for n, subject in batch]
                if form == "gone":
                    for n, _ in batch:
                        expected.pop(n, None)
                    keys = tuple({"repository": f.repository, "sha": f.sha} for f in facts)
                    items.append(Removed(Commit, keys))
                    continue
                expected.update(batch)
                items += {"records": facts, "frame": [frame(*facts)], "text": [delimited(*facts)]}[
                    form
                ]
            before = dict(rows(writer, "select sha, commit_id from commits"))
            write(writer, *items, n=len(items))
            found = rows(writer, "select sha, subject, commit_id from commits order by sha")
            assert [(s, t) for s, t, _ in found] == [
                (f"{n:040x}", text) for n, text in sorted(expected.items())
            ]
            assert len({i for _, _, i in found}) == len(found)
            kept = {s: i for s, _, i in found if s in before}
            if not any(form == "gone" for form, _ in reading):
                assert kept == before


def test_a_negative_time_is_a_time(writer: store.Writer) -> None:
    early = START - timedelta(days=30_000)
    write(writer, delimited(commit(1, authored_at=early)))
    assert rows(writer, "select authored_at from commits") == [(early.replace(tzinfo=None),)]
