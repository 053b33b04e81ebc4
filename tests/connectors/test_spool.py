"""The spool: what its lines mean, and that no line is lost or counted twice, wherever it lies."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.spool import Spool, SpoolOptions
from connectors.testing import ConnectorContract, Key, Reading, read
from dora import config, store, sync
from dora.connector import Connector, Reread, load
from dora.records import (
    Deployment,
    FlagChange,
    Incident,
    IncidentCause,
    ManualChange,
    Record,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEPLOYED = {
    "record": "deployment",
    "id": "d-1",
    "service": "checkout",
    "repository": "github.com/acme/shop",
    "environment": "production",
    "sha": "4f2a9c1",
    "status": "succeeded",
    "finished_at": "2026-03-01T12:00:00Z",
    "recorded_at": "2026-03-01T12:00:01Z",
}
FLAG = {
    "record": "flag_change",
    "flag": "new-basket",
    "environment": "production",
    "share": 0.2,
    "changed_at": "2026-03-01T12:00:00Z",
}
DONE = "0a8f6b360c44"  # printf "raised the memory limit" | sha256sum
BY_HAND = {
    "record": "manual_change",
    "environment": "production",
    "service": "checkout",
    "name": "raised the memory limit",
    "changed_at": "2026-03-01T12:00:00Z",
}
BROKEN = {
    "record": "incident",
    "id": "I-1",
    "service": "checkout",
    "detected_at": "2026-03-01T12:00:00Z",
    "caused_by": ["d-1", "4f2a9c1"],
}


def spool(folder: Path, **options: Any) -> Spool:
    return Spool("pushed", SpoolOptions(path=Path("dora.d"), **options), base=folder)


def write(folder: Path, *lines: dict[str, Any] | str, name: str = "ci.jsonl") -> Path:
    """Add lines to a file of the spool; a text is added as it is."""
    file = folder / "dora.d" / name
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        for line in lines:
            opened.write(line if isinstance(line, str) else json.dumps(line) + "\n")
    return file


def only(reading: Reading) -> Any:
    assert reading.rejected == []
    (record,) = reading.records
    return record


class TestSpool(ConnectorContract):
    """A deployment, an incident with its causes, and a change of each kind."""

    def make(self, folder: Path) -> Connector:
        if not (folder / "dora.d").exists():
            write(folder, DEPLOYED, BROKEN, FLAG, BY_HAND)
        return spool(folder)

    def broken(self, folder: Path) -> Connector | None:
        return Spool("pushed", SpoolOptions(path=Path("nowhere")), base=folder)


def test_it_is_found_by_its_kind() -> None:
    assert load("spool") is Spool


def test_a_line_is_the_fact_that_was_pushed(tmp_path: Path) -> None:
    more = {
        "started_at": 1772366100,
        "version": 2.5,
        "labels": ["hotfix", "a,b"],
        "unplanned": "true",
        "digest": "sha256:ab",
        "manual": False,
        "automatic": "true",
        "fixes": "d-0",
        "rolls_back": "",
        "url": None,
    }
    write(tmp_path, DEPLOYED | more | {"repository": "https://github.com/acme/shop.git"})
    assert only(read(spool(tmp_path), Deployment)) == Deployment(
        id="d-1",
        repository="github.com/acme/shop",
        environment="production",
        status="succeeded",
        started_at=NOON.replace(hour=11, minute=55),
        finished_at=NOON,
        sha="4f2a9c1",
        service="checkout",
        version="2.5",
        digest="sha256:ab",
        manual=False,
        automatic=True,
        labels="hotfix,a b",
        unplanned=True,
        fixes="d-0",
    )


def test_an_incident_and_each_cause_it_names_are_facts(tmp_path: Path) -> None:
    write(tmp_path, BROKEN | {"resolved_at": "1772370000", "external": False, "reopenings": 2})
    assert read(spool(tmp_path), Deployment).records == [
        Incident(
            id="I-1",
            detected_at=NOON,
            resolved_at=NOON.replace(hour=13),
            reopenings=2,
            service="checkout",
        ),
        IncidentCause("I-1", "4f2a9c1"),
        IncidentCause("I-1", "d-1"),
    ]


def test_a_change_of_a_flag_or_by_hand_is_a_fact_known_by_what_it_says(tmp_path: Path) -> None:
    write(tmp_path, FLAG, BY_HAND, FLAG, BY_HAND | {"labels": ["urgent", "by night"]})
    assert read(spool(tmp_path), Deployment).records == [
        FlagChange(
            "new-basket/production@2026-03-01T12:00:00Z", "new-basket", "production", NOON, 0.2
        ),
        ManualChange(
            f"checkout/production/{DONE}@2026-03-01T12:00:00Z",
            "production",
            NOON,
            name="raised the memory limit",
            service="checkout",
            labels="urgent,by night",
        ),
    ]


def test_a_flag_that_is_created_or_removed_needs_no_share_and_any_other_does(
    tmp_path: Path,
) -> None:
    bare = {key: value for key, value in FLAG.items() if key != "share"}
    write(tmp_path, bare | {"action": "created"}, bare | {"action": "removed"})
    found = read(spool(tmp_path), Deployment).records
    assert [(one.action, one.share) for one in found] == [("created", 0), ("removed", 0)]
    write(tmp_path, bare)
    (rejected,) = read(spool(tmp_path), Deployment).rejected
    assert (rejected.record_type, rejected.reason) == (FlagChange, "share is missing")


@pytest.mark.parametrize("share", ["half", -0.1, 20, "nan", True, [1], {}, "inf", "1e400"])
def test_a_share_is_none_unless_it_lies_from_0_to_1(tmp_path: Path, share: Any) -> None:
    write(tmp_path, FLAG | {"share": share})
    (rejected,) = read(spool(tmp_path), Deployment).rejected
    assert "share is no share from 0 to 1" in rejected.reason


@pytest.mark.parametrize("line", [FLAG, BY_HAND])
def test_a_change_can_be_corrected_and_taken_back(tmp_path: Path, line: dict[str, Any]) -> None:
    named = line | {"id": "x", "recorded_at": "2026-03-01T12:00:00Z"}
    write(tmp_path, named)
    first = read(spool(tmp_path), Deployment)
    later = {"record": line["record"], "id": "x", "recorded_at": "2026-03-01T13:00:00Z"}
    write(tmp_path, later | {"service": "search"})
    second = read(spool(tmp_path), Deployment, first.cursor)
    (changed,) = Reading([*first.given, *second.given]).facts().values()
    assert changed.service == "search"
    write(tmp_path, later | {"removed": True, "recorded_at": "2026-03-01T14:00:00Z"})
    third = read(spool(tmp_path), Deployment, second.cursor)
    assert Reading([*first.given, *second.given, *third.given]).facts() == {}


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("https://github.com/acme/shop/commit/4F2A9C1", "4f2a9c1"),
        ("https://github.com/acme/shop/pull/12", "github.com/acme/shop#12"),
        ("https://github.com/acme/shop/actions/runs/77", "77/1"),
    ],
)
def test_a_cause_that_is_an_address_is_also_known_by_what_it_leads_to(
    tmp_path: Path, stated: str, named: str
) -> None:
    write(tmp_path, BROKEN | {"caused_by": stated})
    found = [r.cause for r in read(spool(tmp_path), Deployment).records[1:]]
    assert found == [named, stated]


def test_what_a_shell_writes_is_known_by_what_it_says(tmp_path: Path) -> None:
    line = '{"record":"deployment","service":"web","environment":"prod","sha":"4f2a9c1",'
    line += '"status":"success","finished_at":"1772366400","version":""}\n'
    write(tmp_path, line, line)
    found = only(read(spool(tmp_path, repository="github.com/acme/shop"), Deployment))
    assert found.id == "web/prod/4f2a9c1@2026-03-01T12:00:00Z"
    assert found.repository == "github.com/acme/shop"
    assert (found.status, found.original_status) == ("succeeded", None)


def test_a_later_line_replaces_what_it_mentions_and_leaves_the_rest(tmp_path: Path) -> None:
    began = DEPLOYED | {
        "status": "running",
        "started_at": "2026-03-01T11:50:00Z",
        "url": "https://a",
    }
    del began["finished_at"]
    ended = {k: DEPLOYED[k] for k in ("record", "id", "repository", "environment", "finished_at")}
    ended |= {"status": "failed", "url": None, "recorded_at": "2026-03-01T12:00:02Z"}
    write(tmp_path, ended, began)  # the file's order is not that of writing
    found = only(read(spool(tmp_path), Deployment))
    assert (found.status, found.sha, found.url) == ("failed", "4f2a9c1", None)
    assert found.started_at == NOON.replace(hour=11, minute=50)
    assert found.finished_at == NOON


def test_a_success_is_never_taken_back_or_moved(tmp_path: Path) -> None:
    again = {"finished_at": "2026-03-01T12:10:00Z", "recorded_at": "2026-03-01T12:10:01Z"}
    failed = again | {"status": "failed", "recorded_at": "2026-03-01T12:20:01Z"}
    before = {"status": "failed", "recorded_at": "2026-03-01T11:00:00Z"}
    write(tmp_path, DEPLOYED | before, DEPLOYED, DEPLOYED | again, DEPLOYED | failed)
    found = only(read(spool(tmp_path), Deployment))
    assert (found.status, found.finished_at) == ("succeeded", NOON)


def test_a_success_without_a_finish_ends_when_it_was_written_down(tmp_path: Path) -> None:
    line = {key: value for key, value in DEPLOYED.items() if key != "finished_at"}
    write(tmp_path, line)
    assert only(read(spool(tmp_path), Deployment)).finished_at == NOON.replace(second=1)


@pytest.mark.parametrize(
    ("line", "table", "reason"),
    [
        ("oops\n", "deployments", "it is no JSON"),
        ("[1]\n", "deployments", "it is no JSON object"),
        (
            {"service": "web"},
            "deployments",
            "record is None, which is none of deployment, incident",
        ),
        (DEPLOYED | {"enviroment": "x"}, "deployments", "did you mean 'environment'?"),
        (DEPLOYED | {"status": "green"}, "deployments", "status is 'green', which is none of"),
        (DEPLOYED | {"finished_at": "noon"}, "deployments", "finished_at is no time: 'noon'"),
        (DEPLOYED | {"unplanned": "perhaps"}, "deployments", "unplanned is neither true nor false"),
        (DEPLOYED | {"environment": ""}, "deployments", "environment is missing"),
        (DEPLOYED | {"sha": {"a": 1}}, "deployments", "sha is no text"),
        (
            DEPLOYED | {"recorded_at": None, "finished_at": None},
            "deployments",
            "finished_at is missing",
        ),
        (BROKEN | {"detected_at": None}, "incidents", "detected_at is missing"),
        (BROKEN | {"reopenings": "many"}, "incidents", "reopenings is no whole number"),
    ],
)
def test_a_bad_line_is_put_aside_with_its_place_and_the_rest_comes_in(
    tmp_path: Path, line: Any, table: str, reason: str
) -> None:
    write(tmp_path, DEPLOYED | {"id": "good"}, line, BROKEN | {"id": "good"})
    reading = read(spool(tmp_path), Deployment)
    good = [type(record) for record in reading.records if getattr(record, "id", "") == "good"]
    assert good == [Deployment, Incident]
    (rejected,) = reading.rejected
    assert rejected.record_type.table == table
    assert rejected.location == "dora.d/ci.jsonl:2"
    assert reason in rejected.reason


def test_a_key_of_no_fact_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path, DEPLOYED | {"cost_centre": 7})
    reading = read(spool(tmp_path), Deployment)
    assert len(reading.records) == 1
    assert reading.notes == ["Not read, as no fact has them: cost_centre (1)."]


def test_secrets_of_a_bad_line_are_not_kept(tmp_path: Path) -> None:
    write(tmp_path, DEPLOYED | {"api_key": "s3cret", "status": "green"})
    (rejected,) = read(spool(tmp_path), Deployment).rejected
    assert "s3cret" not in rejected.content
    assert "green" in rejected.content


def test_a_last_line_that_is_not_finished_waits_and_is_no_bad_line(tmp_path: Path) -> None:
    line = json.dumps(DEPLOYED)
    write(tmp_path, line[:40])
    first = read(spool(tmp_path), Deployment)
    assert (first.records, first.rejected) == ([], [])
    assert first.notes == [
        "The last line of dora.d/ci.jsonl is not finished; it is read once it is."
    ]
    write(tmp_path, line[40:] + "\n")
    assert only(read(spool(tmp_path), Deployment, first.cursor)).id == "d-1"


def test_a_last_line_without_its_end_counts_if_it_is_whole(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(DEPLOYED))
    first = read(spool(tmp_path), Deployment)
    assert only(first).id == "d-1"
    write(tmp_path, json.dumps(DEPLOYED | {"id": "d-2"}) + "\n")  # two objects on one line
    second = read(spool(tmp_path), Deployment, first.cursor)
    assert {r.id for r in second.records} == {"d-1", "d-2"}


def test_only_what_a_new_line_bears_on_is_given_again(tmp_path: Path) -> None:
    write(tmp_path, DEPLOYED, DEPLOYED | {"id": "d-2"})
    first = read(spool(tmp_path), Deployment)
    write(tmp_path, DEPLOYED | {"id": "d-3"}, DEPLOYED | {"sha": "abc1234", "recorded_at": None})
    second = read(spool(tmp_path), Deployment, first.cursor)
    assert {r.id for r in second.records} == {"d-1", "d-3"}


REMOVED = {"record": "deployment", "id": "d-1", "environment": "production", "removed": True}


def test_what_was_written_down_by_mistake_can_be_taken_back(tmp_path: Path) -> None:
    (tmp_path / "dora.toml").write_text("")
    write(tmp_path, DEPLOYED, DEPLOYED | {"repository": "github.com/acme/web"}, BROKEN)
    sync.sync(config.load(tmp_path / "dora.toml"))
    later = {"recorded_at": "2026-03-01T13:00:00Z"}
    write(tmp_path, REMOVED | {"repository": "github.com/acme/shop"} | later)
    write(tmp_path, {"record": "incident", "id": "I-1", "removed": True} | later)
    sync.sync(config.load(tmp_path / "dora.toml"))
    assert stored(tmp_path, "select repository from deployments") == [("github.com/acme/web",)]
    assert stored(tmp_path, "select count(*) from incidents") == [(0,)]
    assert stored(tmp_path, "select count(*) from incident_causes") == [(0,)]
    assert stored(tmp_path, "select count(*) from quarantine") == [(0,)]


def test_what_is_pushed_after_it_was_taken_back_counts_from_then_on(tmp_path: Path) -> None:
    gone = REMOVED | {"repository": "github.com/acme/shop", "recorded_at": "2026-03-02T12:00:00Z"}
    again = DEPLOYED | {"status": "failed", "recorded_at": "2026-03-03T12:00:00Z"}
    write(tmp_path, DEPLOYED | {"url": "https://ci/1"}, gone, again)
    found = only(read(spool(tmp_path), Deployment))
    assert (found.status, found.url) == ("failed", None)


def test_what_was_taken_back_at_once_is_never_there(tmp_path: Path) -> None:
    gone = REMOVED | {"repository": "github.com/acme/shop", "recorded_at": "2026-03-02T12:00:00Z"}
    write(tmp_path, gone, DEPLOYED)
    assert read(spool(tmp_path), Deployment).facts() == {}


def test_an_address_is_kept_without_the_password_in_it(tmp_path: Path) -> None:
    address = "https://ada:s3cret@ci.example.org/1"
    write(tmp_path, DEPLOYED | {"url": address, "repository": "https://t0ken@github.com/acme/shop"})
    found = only(read(spool(tmp_path), Deployment))
    assert (found.url, found.repository) == ("https://ci.example.org/1", "github.com/acme/shop")


def test_a_file_that_is_put_away_while_it_is_read_is_found_again(tmp_path: Path) -> None:
    file = write(tmp_path, DEPLOYED)
    connector = spool(tmp_path)
    look = connector._journal.states
    looked = []

    def looking() -> Any:
        found = look()
        if not looked:
            rotate(file)
        looked.append(found)
        return found

    connector._journal.states = looking
    assert only(read(connector, Deployment)).id == "d-1"
    assert len(looked) == 2


def test_a_compressed_file_that_is_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    file = write(tmp_path, *(DEPLOYED | {"id": f"d-{n}"} for n in range(2000)))
    whole = gzip.compress(file.read_bytes())
    file.unlink()
    packed = tmp_path / "dora.d" / "ci.jsonl.gz"
    packed.write_bytes(whole[: len(whole) // 2])
    first = read(spool(tmp_path), Deployment)
    assert 0 < len(first.records) < 2000
    assert first.notes == ["dora.d/ci.jsonl.gz is cut short; what it holds so far is read."]
    packed.write_bytes(whole)
    second = read(spool(tmp_path), Deployment, first.cursor)
    assert len(first.records) + len(second.records) == 2000


def rotate(file: Path) -> None:
    file.rename(file.with_name(f"{file.name}.1"))


def compress(file: Path) -> None:
    with gzip.open(f"{file}.gz", "wb") as packed:
        packed.write(file.read_bytes())
    file.unlink()


def joined(file: Path) -> None:
    file.with_name("all.jsonl").write_bytes(file.read_bytes())
    file.unlink()


def dated(file: Path) -> None:
    (file.parent / "2026" / "03").mkdir(parents=True)
    file.rename(file.parent / "2026" / "03" / "ci.jsonl-20260301")


@pytest.mark.parametrize("put_away", [rotate, compress, joined, dated])
def test_a_file_that_is_put_away_gives_nothing_again_and_goes_on(
    tmp_path: Path, put_away: Any
) -> None:
    file = write(tmp_path, DEPLOYED, "oops\n")
    first = read(spool(tmp_path), Deployment)
    put_away(file)
    write(tmp_path, DEPLOYED | {"id": "d-2"})
    second = read(spool(tmp_path), Deployment, first.cursor)
    assert [r.id for r in second.records] == ["d-2"]
    (rejected,) = second.rejected  # under its new name, in place of the old
    assert rejected.location != "dora.d/ci.jsonl:2"
    items = list(spool(tmp_path).records(Deployment, first.cursor))
    assert Reread(Deployment, "dora.d/ci.jsonl") in items


def test_what_was_read_stays_when_its_file_is_gone(tmp_path: Path) -> None:
    (tmp_path / "dora.toml").write_text("")
    file = write(tmp_path, DEPLOYED, "oops\n")
    sync.sync(config.load(tmp_path / "dora.toml"))
    file.unlink()
    write(tmp_path, DEPLOYED | {"id": "d-2"}, name="other.jsonl")
    sync.sync(config.load(tmp_path / "dora.toml"))
    assert stored(tmp_path, "select id from deployments order by id") == [("d-1",), ("d-2",)]
    assert stored(tmp_path, "select location from quarantine") == [("dora.d/ci.jsonl:2",)]


def test_a_line_that_is_mended_comes_in_and_is_no_longer_held_against_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "dora.toml").write_text("")
    file = write(tmp_path, DEPLOYED, DEPLOYED | {"id": "d-2", "status": "green"})
    sync.sync(config.load(tmp_path / "dora.toml"))
    assert stored(tmp_path, "select location from quarantine") == [("dora.d/ci.jsonl:2",)]
    file.write_text(file.read_text().replace("green", "failed"))
    sync.sync(config.load(tmp_path / "dora.toml"))
    assert stored(tmp_path, "select count(*) from quarantine") == [(0,)]
    assert stored(tmp_path, "select id, status from deployments order by id") == [
        ("d-1", "succeeded"),
        ("d-2", "failed"),
    ]


def stored(folder: Path, query: str) -> list[tuple[Any, ...]]:
    connection = store.connect(folder / "dora.duckdb")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_the_folder_is_picked_up_without_being_configured(tmp_path: Path) -> None:
    (tmp_path / "dora.toml").write_text("")
    assert config.load(tmp_path / "dora.toml").sources == ()
    write(tmp_path, DEPLOYED)
    (source,) = config.load(tmp_path / "dora.toml").sources
    assert (source.name, source.kind) == ("dora.d", "spool")
    (summary,) = sync.sync(config.load(tmp_path / "dora.toml")).sources
    assert dict(summary.new) == {"deployments": 1}


@pytest.mark.parametrize("path", ["dora.d", "./dora.d", "../{}/dora.d"])
def test_a_source_that_names_the_folder_takes_its_place(tmp_path: Path, path: str) -> None:
    write(tmp_path, DEPLOYED)
    given = path.format(tmp_path.name)
    (tmp_path / "dora.toml").write_text(
        f'[[sources]]\nname = "pushed"\nkind = "spool"\npath = "{given}"\ncovers = ["*"]\n'
    )
    assert [source.name for source in config.load(tmp_path / "dora.toml").sources] == ["pushed"]


def test_other_folders_can_be_named_beside_it(tmp_path: Path) -> None:
    write(tmp_path, DEPLOYED)
    (tmp_path / "dora.toml").write_text(
        '[[sources]]\nname = "eu"\nkind = "spool"\npath = "eu/*.jsonl"\n'
    )
    names = [source.name for source in config.load(tmp_path / "dora.toml").sources]
    assert names == ["eu", "dora.d"]


MINUTES = st.integers(0, 59)
LINES = st.lists(
    st.builds(
        lambda number, minute, status, extra: (
            DEPLOYED
            | {
                "id": f"d-{number}",
                "status": status,
                "recorded_at": f"2026-03-01T12:{minute:02d}:00Z",
            }
            | extra
        ),
        st.integers(0, 4),
        MINUTES,
        st.sampled_from(["succeeded", "failed", "running"]),
        st.dictionaries(
            st.sampled_from(["url", "version", "sha", "finished_at", "started_at"]),
            st.sampled_from([None, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]),
        ),
    ),
    max_size=12,
    unique_by=lambda line: line["recorded_at"],
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=LINES, chance=st.randoms(use_true_random=False), syncs=st.integers(1, 4))
def test_the_outcome_is_the_same_in_any_order_over_any_files_and_syncs(
    tmp_path: Path, lines: list[dict[str, Any]], chance: random.Random, syncs: int
) -> None:
    shutil.rmtree(tmp_path / "dora.d", ignore_errors=True)
    write(tmp_path, *lines)
    expected = read(spool(tmp_path), Deployment).facts()
    shutil.rmtree(tmp_path / "dora.d")
    write(tmp_path)
    dealt = lines + chance.sample(lines, len(lines) // 2)
    chance.shuffle(dealt)
    held: dict[Key, Record] = {}
    cursor = None
    for part in range(syncs):
        for line in dealt[part::syncs]:
            write(tmp_path, line, name=chance.choice(["a.jsonl", "b.jsonl", "c.ndjson"]))
        reading = read(spool(tmp_path), Deployment, cursor)
        cursor = reading.cursor
        held |= reading.facts()
    assert held == expected
