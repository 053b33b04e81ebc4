from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from connectors.files import Files, FilesOptions
from connectors.files.keys import LIMIT
from connectors.testing import ConnectorContract, Reading, read
from dora.connector import Block, Connector, Note, Rejected, load
from dora.errors import SourceError
from dora.records import RECORD_TYPES, Commit, Deployment, Incident, Record, columns

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = "id,repository,environment,status,finished_at\n"


def source(folder: Path, path: str, **options: Any) -> Files:
    return Files("files", FilesOptions(path=Path(path), **options), base=folder)


def deployments(folder: Path, text: str | bytes, **options: Any) -> Reading:
    data = text.encode() if isinstance(text, str) else text
    (folder / "deployments.csv").write_bytes(data)
    return read(source(folder, "deployments.csv", **options), Deployment)


def ids(reading: Reading) -> list[str]:
    return [record.id for record in reading.records if isinstance(record, Deployment)]


def first(reading: Reading) -> Any:
    return reading.records[0]


class TestFiles(ConnectorContract):
    """One row of every fact, each in a CSV file of its own."""

    def make(self, folder: Path) -> Connector:
        for record_type in RECORD_TYPES:
            target = folder / f"{record_type.table}.csv"
            if not target.exists():
                names = [c.name for c in columns(record_type).values() if c.required]
                values = [_sample(record_type, name) for name in names]
                target.write_text(",".join(names) + "\n" + ",".join(values) + "\n")
        return source(folder, "*.csv")

    def broken(self, folder: Path) -> Connector | None:
        return source(folder, "nowhere/*.csv")


def _sample(record_type: type[Record], name: str) -> str:
    column = columns(record_type)[name]
    kinds = {str: "text", int: "7", float: "0.5", bool: "true", datetime: "2026-03-01T12:00:00Z"}
    return column.words[0] if column.words else kinds[column.python_type]


def test_it_is_found_by_its_kind() -> None:
    assert load("files") is Files


def test_a_row_of_csv_is_the_fact_that_was_written(tmp_path: Path) -> None:
    text = (
        "id,repository,environment,status,started_at,finished_at,sha,unplanned,labels,url,version\n"
        "42,github.com/acme/shop,production,succeeded,2026-03-01T13:30:00+02:00,"
        '2026-03-01T12:00:00.123456Z,abc,yes,"a,b",https://ci/42,\n'
    )
    assert deployments(tmp_path, text).records == [
        Deployment(
            id="42",
            repository="github.com/acme/shop",
            environment="production",
            status="succeeded",
            started_at=datetime(2026, 3, 1, 11, 30, tzinfo=UTC),
            finished_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
            sha="abc",
            unplanned=True,
            labels="a,b",
            url="https://ci/42",
        )
    ]


ROW = {"id": "1", "repository": "r", "environment": "prod", "status": "succeeded"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", AT),
        ("2026-03-01T12:00:00z", AT),
        ("2026-03-01 12:00:00+00:00", AT),
        ("2026-03-01 12:00:00 +0000", AT),
        ("2026-03-01T14:00+02", AT),
        ("2026-03-01T17:30:00.000+05:30", AT),
        ("2026-03-01T06:00:00.000000-06:00", AT),
        ("2026-03-01T12:00:00.000000999Z", AT),
        (" 2026-03-01T12:00:00Z ", AT),
        ("1601-01-01T00:00:00Z", datetime(1601, 1, 1, tzinfo=UTC)),
        ("", None),
    ],
)
def test_times_are_read_with_their_offset(
    tmp_path: Path, text: str, expected: datetime | None
) -> None:
    reading = deployments(tmp_path, f"{HEADER}1,r,prod,succeeded,{text}\n")
    assert reading.rejected == []
    assert first(reading).finished_at == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-03-01T12:00:00", "finished_at has no time zone"),
        ("2026-03-01", "finished_at has no time zone"),
        ("2026-02-30T12:00:00Z", "finished_at is no time"),
        ("2026-03-01T25:00:00Z", "finished_at is no time"),
        ("01/03/2026", "finished_at is no time"),
        ("1772366400", "finished_at is no time"),
        ("yesterday-at-noon-Z!", "finished_at is no time"),
    ],
)
def test_what_is_no_instant_is_put_aside(tmp_path: Path, text: str, reason: str) -> None:
    reading = deployments(tmp_path, f"{HEADER}1,r,prod,succeeded,{text}\n")
    assert reading.records == []
    (rejected,) = reading.rejected
    assert rejected.reason.startswith(reason)
    assert rejected.location == "deployments.csv:2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01 12:00", datetime(2026, 3, 1, 17, tzinfo=UTC)),
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ("2026-03-08T02:30:00", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # the hour left out
        ("2026-11-01T01:30:00", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # the first of two
        ("2026-03-01T12:00:00Z", AT),
    ],
)
def test_times_without_an_offset_are_in_the_zone_that_is_set(
    tmp_path: Path, text: str, expected: datetime
) -> None:
    row = f"{HEADER}1,r,prod,succeeded,{text}\n"
    assert first(deployments(tmp_path, row, timezone="America/New_York")).finished_at == expected


@pytest.mark.parametrize(
    ("unit", "text"),
    [("s", "1772366400"), ("ms", "1772366400000"), ("us", "1772366400000000")],
)
def test_times_may_be_numbers_since_1970(tmp_path: Path, unit: str, text: str) -> None:
    rows = f"{HEADER}1,r,prod,succeeded,{text}\n2,r,prod,succeeded,soon\n3,r,p,running,{'9' * 30}\n"
    reading = deployments(tmp_path, rows, epochs={"finished_at": unit})
    assert [(r.id, r.finished_at) for r in reading.records] == [("1", AT)]
    assert [r.location for r in reading.rejected] == ["deployments.csv:3", "deployments.csv:4"]


def test_nanoseconds_are_cut_to_microseconds(tmp_path: Path) -> None:
    rows = f"{HEADER}1,r,prod,succeeded,1772366400000001999\n"
    reading = deployments(tmp_path, rows, epochs={"finished_at": "ns"})
    assert first(reading).finished_at == AT.replace(microsecond=1)


def test_a_bad_row_is_put_aside_with_its_line_and_the_rest_comes_in(tmp_path: Path) -> None:
    text = (
        f"{HEADER}"
        "1,r,prod,succeeded,2026-03-01T12:00:00Z\n"
        ",r,prod,succeeded,2026-03-01T12:00:00Z\n"
        '2,r,"pr\no\r\nd",succeeded,2026-03-01T12:00:00Z\n'
        "3,r,prod,green,2026-03-01T12:00:00Z\n"
        "\n"
        "4,r,prod\n"
        "5,r,prod,failed,2026-03-01T12:00:00Z,more\n"
        "6,r,prod,failed,noon\n"
        "7,r,prod,failed,\n"
    )
    reading = deployments(tmp_path, text)
    assert ids(reading) == ["1", "2", "7"]
    assert reading.records[1].environment == "pr\no\r\nd"
    assert sorted((r.location, r.reason) for r in reading.rejected) == [
        ("deployments.csv:10", "it has 6 fields instead of 5"),
        ("deployments.csv:11", "finished_at is no time: 'noon'"),
        ("deployments.csv:3", "id is missing"),
        (
            "deployments.csv:7",
            "status is 'green', which is none of succeeded, failed, cancelled, running",
        ),
        ("deployments.csv:9", "it has 3 fields instead of 5"),
    ]
    by_line = {r.location: r.content for r in reading.rejected}
    assert by_line["deployments.csv:9"] == "4,r,prod"
    assert by_line["deployments.csv:11"] == "6,r,prod,failed,noon"


def test_a_quote_that_is_never_closed_is_named_and_what_came_before_stays(tmp_path: Path) -> None:
    text = f'{HEADER}1,r,prod,succeeded,\n2,r,"prod,succeeded,\n3,r,prod,succeeded,\n'
    reading = deployments(tmp_path, text)
    assert ids(reading) == ["1"]
    (rejected,) = reading.rejected
    assert rejected.location == "deployments.csv:3"
    assert "never closed" in rejected.reason
    assert "up to line 4" in rejected.reason


def test_a_quote_in_the_wrong_place_costs_only_its_row(tmp_path: Path) -> None:
    text = f'{HEADER}1,r,prod,succeeded,\n2,r,"pr"od,succeeded,\n3,r,prod,succeeded,\n'
    reading = deployments(tmp_path, text)
    assert ids(reading) == ["1", "3"]
    assert [r.location for r in reading.rejected] == ["deployments.csv:3"]


def test_an_endless_quote_costs_what_it_swallows_and_no_more(tmp_path: Path) -> None:
    lines = [f"{n},r,prod,succeeded,2026-03-01T12:00:00Z" for n in range(20_000)]
    lines[5] = '5,r,"prod,succeeded,'
    reading = deployments(tmp_path, HEADER + "\n".join(lines) + "\n")
    (rejected,) = reading.rejected
    assert rejected.location == "deployments.csv:7"
    kept = [int(i) for i in ids(reading)]
    assert kept[:5] == [0, 1, 2, 3, 4]
    assert kept[5:] == list(range(kept[5], 20_000))
    assert f"up to line {kept[5] + 1} " in rejected.reason


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text + b"\n\n",
        lambda text: text.replace(b"prod", b'"prod"'),
        lambda text: text.replace(b"id,repository", b"ID, Repository "),
    ],
)
def test_marks_line_ends_and_quotes_change_nothing(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    text = f"{HEADER}1,r,prod,succeeded,2026-03-01T12:00:00Z\n2,r,prod,failed,\n".encode()
    plain = deployments(tmp_path, text)
    changed = deployments(tmp_path, change(text))
    assert changed.rejected == []
    assert changed.records == plain.records
    assert len(plain.records) == 2


def test_bytes_of_another_encoding_cost_only_their_rows(tmp_path: Path) -> None:
    text = f"{HEADER}1,r,prod,succeeded,\n2,r,pr\xe9,succeeded,\n3,r,\xfc,failed,\n4,r,ok,failed,\n"
    latin = text.encode("latin-1")
    reading = deployments(tmp_path, latin)
    assert ids(reading) == ["1", "4"]
    assert [r.location for r in reading.rejected] == ["deployments.csv:3", "deployments.csv:4"]
    assert "environment holds bytes that are no text" in reading.rejected[0].reason
    assert json.dumps([r.content for r in reading.rejected]).isascii()
    read_as_latin = deployments(tmp_path, latin, encoding="latin-1")
    assert [r.environment for r in read_as_latin.records] == ["prod", "pré", "ü", "ok"]
    assert [r.environment for r in deployments(tmp_path, text).records][1] == "pré"


def test_a_null_byte_costs_only_its_row(tmp_path: Path) -> None:
    reading = deployments(tmp_path, f"{HEADER}1,r,p\0d,succeeded,\n2,r,prod,succeeded,\n")
    assert ids(reading) == ["2"]
    assert reading.rejected[0].location == "deployments.csv:2"


def test_an_empty_file_and_one_of_names_only_give_nothing(tmp_path: Path) -> None:
    empty = deployments(tmp_path, "")
    assert (empty.records, empty.rejected) == ([], [])
    assert empty.notes == ["deployments.csv is empty."]
    only_names = deployments(tmp_path, HEADER)
    assert (only_names.records, only_names.rejected, only_names.notes) == ([], [], [])


@pytest.mark.parametrize(
    ("header", "options", "message", "hint"),
    [
        (
            "id,repository,enviroment,status",
            {},
            "deployments.csv has no column 'environment'.",
            "Is it 'enviroment'?",
        ),
        (
            "id,repository,environment,status,finishd_at",
            {},
            "deployments.csv has an unknown column 'finishd_at'.",
            "Did you mean 'finished_at'?",
        ),
        (
            "key,repository,environment,status",
            {"columns": {"id": "Nr"}},
            "deployments.csv has no column 'Nr', which 'id' is mapped to.",
            "It has: key, repository, environment, status.",
        ),
        (
            "Key,repository,environment,status",
            {"columns": {"id": "Keys"}},
            "deployments.csv has no column 'Keys', which 'id' is mapped to.",
            "Did you mean 'Key'?",
        ),
        ("id,id,repository,environment,status", {}, "deployments.csv has two columns 'id'.", "Ren"),
        ("id;repository;environment;status", {}, "deployments.csv has no column 'id'.", "Map it"),
    ],
)
def test_a_wrong_column_is_one_clear_error(
    tmp_path: Path, header: str, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(SourceError) as caught:
        deployments(tmp_path, f"{header}\n1,r,prod,succeeded\n", **options)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    "text",
    [
        "id,environment,status\n1,prod,succeeded\n",
        "id,repository,environment,status\n1,,prod,succeeded\n",
    ],
)
def test_a_deployment_may_name_no_repository(tmp_path: Path, text: str) -> None:
    reading = deployments(tmp_path, text)
    assert reading.rejected == []
    assert [(one.id, one.repository) for one in reading.records] == [("1", "")]


def test_columns_of_no_fact_are_left_out_and_named(tmp_path: Path) -> None:
    text = "source,id,repository,environment,status,Cost Centre\nx,1,r,prod,succeeded,9\n"
    reading = deployments(tmp_path, text)
    assert ids(reading) == ["1"]
    assert reading.notes == ["deployments.csv: not read, as no fact has them: Cost Centre."]


def test_columns_words_and_defaults_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "releases.tsv").write_text(
        "Key\tWhen\tResult\tEnv\nv1\t2026-03-01T12:00:00Z\tOK\t\n"
    )
    files = source(
        tmp_path,
        "releases.tsv",
        table="deployments",
        columns={"id": "Key", "finished_at": "When", "status": "Result", "environment": "Env"},
        values={"status": {"OK": "succeeded"}},
        defaults={"repository": "github.com/acme/shop", "environment": "live", "unplanned": True},
    )
    assert read(files, Deployment).records == [
        Deployment(
            id="v1",
            repository="github.com/acme/shop",
            environment="live",
            status="succeeded",
            finished_at=AT,
            unplanned=True,
        )
    ]


def test_a_delimiter_may_be_set(tmp_path: Path) -> None:
    text = HEADER.replace(",", ";") + "1;r;prod;succeeded;\n"
    assert ids(deployments(tmp_path, text, delimiter=";")) == ["1"]


def test_json_lines_are_read_with_their_types(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"id": 7, "detected_at": "2026-03-01T12:00:00Z", "reopenings": 2, "external": True},
        {"id": "8", "detected_at": "2026-03-01T12:00:00Z", "labels": ["a", "b,c"], "title": None},
        {"id": "9", "detected_at": "2026-03-01T12:00:00Z", "impact": {"service": "web"}},
        {"id": "10", "detected_at": "2026-03-01T12:00:00Z", "reopenings": 1.5},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (tmp_path / "incidents.jsonl").write_text(f"\ufeff{text}\n\n[1]\n{{oops\n", encoding="utf-8")
    files = source(tmp_path, "incidents.jsonl", columns={"service": "impact.service"})
    reading = read(files, Incident)
    assert reading.records == [
        Incident(id="7", detected_at=AT, reopenings=2, external=True),
        Incident(id="8", detected_at=AT, labels="a,b c"),
        Incident(id="9", detected_at=AT, service="web"),
    ]
    assert sorted((r.location, r.reason[:24]) for r in reading.rejected) == [
        ("incidents.jsonl:4", "reopenings is no whole n"),
        ("incidents.jsonl:6", "it is no JSON object; on"),
        ("incidents.jsonl:7", "it is no JSON: Expecting"),
    ]


def test_json_in_another_encoding_costs_only_its_lines(tmp_path: Path) -> None:
    line = '{"id": "é", "detected_at": "2026-03-01T12:00:00Z"}\n'
    (tmp_path / "incidents.ndjson").write_bytes(line.encode("latin-1") + line.encode())
    reading = read(source(tmp_path, "incidents.ndjson"), Incident)
    assert [r.id for r in reading.records] == ["é"]
    assert reading.rejected[0].location == "incidents.ndjson:1"


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    target = tmp_path / "deployments.parquet"
    duckdb.sql(
        "copy (select i::varchar as id, 'r' as repository, 'prod' as environment,"
        " 'succeeded' as status, timestamptz '2026-03-01 12:00:00+00' as finished_at,"
        " ['a', 'b'] as labels, i = 1 as unplanned, null as sha from range(3) t(i))"
        f" to '{target}' (format parquet)"
    )
    assert read(source(tmp_path, target.name), Deployment).records == [
        Deployment(str(n), "r", "prod", "succeeded", finished_at=AT, labels="a,b", unplanned=n == 1)
        for n in range(3)
    ]


def test_parquet_times_without_a_zone_need_one(tmp_path: Path) -> None:
    duckdb.sql(
        "copy (select '1' as id, timestamp '2026-03-01 12:00:00' as detected_at)"
        f" to '{tmp_path / 'incidents.parquet'}' (format parquet)"
    )
    refused = read(source(tmp_path, "incidents.parquet"), Incident)
    assert refused.rejected[0].reason.startswith("detected_at has no time zone")
    utc = read(source(tmp_path, "incidents.parquet", timezone="UTC"), Incident)
    assert utc.records == [Incident("1", AT)]


def test_a_file_that_is_not_what_it_says_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "incidents.parquet").write_text("not parquet at all, really")
    with pytest.raises(SourceError, match="is no parquet"):
        read(source(tmp_path, "incidents.parquet"), Incident)


def test_the_name_of_a_file_tells_its_table(tmp_path: Path) -> None:
    for name in ("deployments.csv", "deployments-2026.csv", "Deployments.eu.csv"):
        (tmp_path / name).write_text(f"{HEADER}{name},r,prod,succeeded,\n")
    (tmp_path / "incidents_old.csv").write_text("id,detected_at\n1,2026-03-01T12:00:00Z\n")
    (tmp_path / "budget.csv").write_text("a,b\n")
    (tmp_path / "notes.md").write_text("no facts")
    folder = source(tmp_path, ".")
    assert sorted(ids(read(folder, Deployment))) == [
        "Deployments.eu.csv",
        "deployments-2026.csv",
        "deployments.csv",
    ]
    assert len(read(folder, Incident).records) == 1
    levels = [(finding.level, finding.message) for finding in folder.check()]
    assert ("warning", "budget.csv is not read.") in levels
    assert ("ok", "incidents_old.csv is read into incidents.") in levels
    with pytest.raises(SourceError, match=r"budget\.csv does not tell"):
        read(source(tmp_path, "budget.csv"), Deployment)


@pytest.mark.parametrize(
    "options",
    [
        {"table": "deploymnts"},
        {"timezone": "Mars/Olympus"},
        {"columns": {"finishd_at": "x"}},
        {"table": "incidents", "defaults": {"sha": "x"}},
        {"epochs": {"finished_at": "minutes"}},
        {"encoding": "utf-99"},
        {"delimiter": "::"},
        {"format": "xlsx"},
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FilesOptions(path=Path("x"), **options)


def rewrite(target: Path, text: str) -> None:
    """Write a file so that its time surely differs, however coarse the clock."""
    before = target.stat().st_mtime_ns if target.exists() else 0
    target.write_text(text)
    os.utime(target, ns=(before + 10**9, before + 10**9))


def rows(*names: str) -> str:
    return HEADER + "".join(f"{name},r,prod,succeeded,\n" for name in names)


def test_only_files_that_changed_are_read_again(tmp_path: Path) -> None:
    one, two = tmp_path / "deployments-1.csv", tmp_path / "deployments-2.csv"
    rewrite(one, rows("a", "b"))
    rewrite(two, rows("c"))
    files = source(tmp_path, "*.csv")
    begun = read(files, Deployment)
    assert ids(begun) == ["a", "b", "c"]
    rewrite(two, rows("c", "d"))
    changed = read(files, Deployment, begun.cursor)
    assert ids(changed) == ["c", "d"]
    assert changed.removed == []
    rewrite(one, rows("a", "b"))  # the same, written anew
    again = read(files, Deployment, changed.cursor)
    assert ids(again) == []
    assert len(again.checkpoints) == 1
    assert read(files, Deployment, again.cursor).cursor == again.cursor


def test_rows_and_files_that_are_gone_are_taken_out(tmp_path: Path) -> None:
    one, two = tmp_path / "deployments-1.csv", tmp_path / "deployments-2.csv"
    rewrite(one, rows("a", "b", "c"))
    rewrite(two, rows("d", "e"))
    files = source(tmp_path, "*.csv")
    begun = read(files, Deployment)
    rewrite(one, rows("a"))
    rewrite(two, rows("d", "e", "c"))  # c has moved
    fewer = read(files, Deployment, begun.cursor)
    assert fewer.removed == [("b", "r", "prod")]
    two.unlink()
    assert read(files, Deployment, fewer.cursor).removed == [
        ("c", "r", "prod"),
        ("d", "r", "prod"),
        ("e", "r", "prod"),
    ]


def test_when_everything_is_gone_nothing_is_taken_out(tmp_path: Path) -> None:
    target = tmp_path / "deployments.csv"
    rewrite(target, rows("a"))
    files = source(tmp_path, "*.csv")
    begun = read(files, Deployment)
    target.unlink()
    with pytest.raises(SourceError, match="There is no file"):
        read(files, Deployment, begun.cursor)


def test_another_mapping_reads_everything_again(tmp_path: Path) -> None:
    rewrite(tmp_path / "deployments.csv", rows("a"))
    begun = read(source(tmp_path, "deployments.csv"), Deployment)
    mapped = source(tmp_path, "deployments.csv", values={"environment": {"prod": "live"}})
    again = read(mapped, Deployment, begun.cursor)
    assert [r.environment for r in again.records] == ["live"]
    assert again.removed == [("a", "r", "prod")]


def test_of_rows_with_one_key_the_last_counts_and_it_is_said(tmp_path: Path) -> None:
    text = f"{HEADER}1,r,prod,running,\n2,r,prod,failed,\n1,r,prod,succeeded,\n"
    reading = deployments(tmp_path, text)
    assert {key[0]: fact.status for key, fact in reading.facts().items()} == {
        "1": "succeeded",
        "2": "failed",
    }
    assert reading.notes == [
        "deployments.csv: 1 row repeats the key of another; the last one counts."
    ]


def test_too_many_rows_to_watch_are_said_to_be(tmp_path: Path) -> None:
    target = tmp_path / "deployments.csv"
    rewrite(target, rows(*(f"d{n}" for n in range(LIMIT + 1))))
    files = source(tmp_path, target.name)
    cursor = _last_cursor(files, None)
    assert len(json.dumps(cursor)) < 1_000
    rewrite(target, rows("d1"))
    items = list(files.records(Deployment, cursor))
    notes = [item.message for item in items if isinstance(item, Note)]
    assert "too many deployments to tell which rows were taken out" in notes[0]


def _last_cursor(files: Files, cursor: Any) -> Any:
    return list(files.records(Deployment, cursor))[-1].cursor


def test_a_commit_may_have_no_parents_and_its_text_any_characters(tmp_path: Path) -> None:
    text = (
        "repository,sha,parents,authored_at,committed_at,author,subject,pull_request\n"
        'r,abc,,2026-03-01T12:00:00Z,2026-03-01T12:00:00Z,Zoë <z@x.org>,"Say ""hé""\t\u2028",12\n'
    )
    (tmp_path / "commits.csv").write_text(text, encoding="utf-8")
    assert read(source(tmp_path, "commits.csv"), Commit).records == [
        Commit("r", "abc", "", AT, AT, "Zoë <z@x.org>", False, 'Say "hé"\t\u2028', 12)
    ]


def test_twenty_megabytes_come_in_quickly_and_in_bounded_memory(tmp_path: Path) -> None:
    target = tmp_path / "deployments.csv"
    line = "{n},github.com/acme/shop,production,succeeded,2026-03-01T12:{m:02d}:{s:02d}Z,{n:040x}\n"
    with target.open("w") as file:
        file.write(HEADER.replace("\n", ",sha\n"))
        bad = 0
        for n in range(190_000):
            file.write(line.format(n=n, m=n // 60 % 60, s=n % 60) if n % 10_000 else "broken\n")
            bad += n % 10_000 == 0
    assert target.stat().st_size > 20_000_000
    files = source(tmp_path, target.name)
    started = time.perf_counter()
    kept, rejected = _counted(files)
    took = time.perf_counter() - started
    assert (kept, rejected) == (190_000 - bad, bad)
    assert took < 20, f"{190_000 / took:.0f} rows/s"
    assert _growth(target) < 150_000_000


def _growth(target: Path) -> int:
    """How many bytes reading a file takes at most, in a process of its own."""
    code = """
import resource, sys
from pathlib import Path
from connectors.files import Files, FilesOptions
from dora.records import Deployment
target = Path(sys.argv[1])
files = Files("files", FilesOptions(path=target), base=target.parent)
next(files.records(Deployment, None))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for item in files.records(Deployment, None): pass
print((peak() - before) * (1 if sys.platform == "darwin" else 1024))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def _counted(files: Files) -> tuple[int, int]:
    kept = rejected = 0
    for item in files.records(Deployment, None):
        kept += len(item.frame) if isinstance(item, Block) and item.frame is not None else 0
        rejected += isinstance(item, Rejected)
    return kept, rejected
