"""What other products export, read as docs/incidents.md and docs/release.md say."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.files import Files, FilesOptions
from connectors.testing import Reading, read
from dora import config, connector
from dora.errors import SourceError
from dora.records import Deployment, FlagChange, Incident, IncidentCause, ManualChange, Record

HERE = Path(__file__).parent
MANUAL = (HERE.parents[1] / "docs" / "incidents.md").read_text("utf-8")
RELEASES = (HERE.parents[1] / "docs" / "release.md").read_text("utf-8")


def minute(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(HERE / "exports", tmp_path / "exports")
    return tmp_path


def as_the_manual_says(folder: Path, name: str, manual: str = MANUAL) -> connector.Connector:
    """The source of that name, made of the manual's own lines."""
    blocks = re.findall(r"^```toml\n(.*?)^```", manual, flags=re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if f'name = "{name}"' in block]
    (folder / "dora.toml").write_text(block, "utf-8")
    (source,) = config.load(folder / "dora.toml").sources
    return connector.load(source.kind)(source.name, source.options, base=folder)


def read_all(source: connector.Connector, record_type: type[Record]) -> list[Record]:
    reading = read(source, record_type)
    assert reading.rejected == []
    return reading.records


def test_statuspage(folder: Path) -> None:
    source = as_the_manual_says(folder, "statuspage")
    assert read_all(source, Incident) == [
        Incident(  # resolved at 11:10, back at 11:45, over at 12:30; the postmortem ends nothing
            id="p31zjtct2jer",
            detected_at=minute(2, 10, 20),
            resolved_at=minute(2, 12, 30),
            first_resolved_at=minute(2, 11, 10),
            reopenings=1,
            service="checkout,search",
            title="Checkout answers slowly",
            severity="major",
            original_status="postmortem",
            url="https://stspg.example/p31zjtct2jer",
        ),
        Incident(
            id="h2m1c8w0pq4d",
            detected_at=minute(9, 7, 5),
            service="search",
            title="Search finds nothing",
            severity="critical",
            original_status="identified",
            url="https://stspg.example/h2m1c8w0pq4d",
        ),
    ]
    assert read_all(source, IncidentCause) == [IncidentCause("p31zjtct2jer", "4711")]
    assert "1 row does not fit `where`" in read(source, Incident).notes[-1]


def test_unleash(folder: Path) -> None:
    told = read_all(as_the_manual_says(folder, "unleash", RELEASES), FlagChange)
    assert [(one.id, one.changed_at.month, one.share, one.action) for one in told] == [
        ("7", 4, 0, "removed"),
        ("6", 3, 0, "changed"),
        ("5", 3, 1, "changed"),
        ("3", 3, 0, "created"),
    ]
    named = {(one.flag, one.environment, one.service) for one in told}
    assert named == {("new-basket", "production", "checkout")}


def test_launchdarkly(folder: Path) -> None:
    """Written by hand: 8 March 09:00, 9 March 09:00, 10 March 09:00 and 30 April 09:00 UTC."""
    told = read_all(as_the_manual_says(folder, "launchdarkly", RELEASES), FlagChange)
    assert [(one.id, one.changed_at, one.share, one.action) for one in told] == [
        ("e5", datetime(2026, 4, 30, 9, tzinfo=UTC), 0, "removed"),
        ("e4", minute(10, 9), 0, "changed"),
        ("e3", minute(9, 9), 1, "changed"),
        ("e1", minute(8, 9), 0, "created"),
    ]
    assert {(one.flag, one.environment) for one in told} == {("new-basket", "production")}


def test_manual_changes_are_read_from_files_as_the_manual_shows(tmp_path: Path) -> None:
    blocks = re.findall(r"^```csv\n(.*?)^```", RELEASES, flags=re.DOTALL | re.MULTILINE)
    (shown,) = [block for block in blocks if "memory limit" in block]
    (tmp_path / "manual_changes.csv").write_text(shown)
    found = read_all(Files("done", FilesOptions(path=Path("*.csv")), base=tmp_path), ManualChange)
    assert found == [
        ManualChange(
            "1", "production", datetime(2026, 3, 4, 9, tzinfo=UTC), "raised the memory limit",
            "checkout", url="https://chat.example.com/42",
        )
    ]  # fmt: skip


def test_an_expression_that_finds_nothing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "deployments.csv").write_text(
        "id,repository,environment,status,finished_at,sha\n"
        "1,acme/shop,production,succeeded,2026-03-01T10:00:00Z,image:4f2a9c1\n"
        "2,acme/shop,production,succeeded,2026-03-02T10:00:00Z,latest\n"
    )
    options = FilesOptions(path=Path("deployments.csv"), cuts={"sha": "image:([0-9a-f]+)"})
    found = read_all(Files("cut", options, base=tmp_path), Deployment)
    assert [one.sha for one in found] == ["4f2a9c1", None]
    with pytest.raises(ValidationError, match="sha"):
        FilesOptions(path=Path("deployments.csv"), cuts={"sha": "no group"})


def test_incident_io(folder: Path) -> None:
    source = as_the_manual_says(folder, "incident-io")
    assert read_all(source, Incident) == [
        Incident(
            id="INC-123",
            detected_at=minute(2, 10, 15),
            resolved_at=minute(2, 11),
            service="payments",
            title="Payments are refused",
            severity="Major",
            original_status="closed",
            url="https://app.incident.example/acme/incidents/123",
        ),
        Incident(
            id="INC-124",
            detected_at=minute(3, 9),
            title="A false alarm",
            severity="Minor",
            not_planned=True,
            original_status="declined",
            url="https://app.incident.example/acme/incidents/124",
        ),
    ]
    assert read_all(source, IncidentCause) == [
        IncidentCause("INC-123", "github.com/acme/payments#77")
    ]


def test_opsgenie(folder: Path) -> None:
    source = as_the_manual_says(folder, "opsgenie")
    assert read_all(source, Incident) == [
        Incident(
            id="70413a06-38d6-4c85-92b8-5ebc900d42e2",
            detected_at=minute(2, 10, 30),
            resolved_at=minute(2, 11, 15),
            service="orders",
            title="Orders are not written",
            severity="P1",
            labels="third-party,db",
            external=True,
            original_status="closed",
            url="https://acme.app.opsgenie.example/incident/detail/70413a06",
        ),
        Incident(
            id="90413a06-38d6-4c85-92b8-5ebc900d42e9",
            detected_at=minute(8, 6),
            title="Orders are late",
            severity="P3",
            original_status="open",
            url="https://acme.app.opsgenie.example/incident/detail/90413a06",
        ),
    ]
    assert read_all(source, IncidentCause) == [
        IncidentCause("70413a06-38d6-4c85-92b8-5ebc900d42e2", "release-88")
    ]


def test_a_form_of_ones_own(folder: Path) -> None:
    source = as_the_manual_says(folder, "operations")
    first, second, third = read_all(source, Incident)
    assert first == Incident(
        id="INC-1",
        detected_at=minute(2, 10, 30),
        resolved_at=minute(2, 11),
        service="checkout",
        title="Checkout is down",
        severity="sev1",
        url="https://incidents.acme.example/1",
    )
    assert (second.duplicate_of, second.service) == ("INC-1", "checkout")
    assert third == Incident(
        id="INC-3",
        detected_at=minute(5, 8),
        service="search",
        external=True,
        labels="cloud,network",
        original_status="open",
    )
    assert read_all(source, IncidentCause) == [
        IncidentCause("INC-1", "4711"),
        IncidentCause("INC-1", "3f2a1bc"),
    ]
    shipped, fixed = read_all(source, Deployment)
    assert (fixed.fixes, fixed.unplanned, shipped.id) == ("4711", True, "4711")


def test_every_source_of_the_manual_is_a_good_one(folder: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", MANUAL, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 6
    (folder / "dora.toml").write_text("\n".join(blocks), "utf-8")
    loaded = config.load(folder / "dora.toml")
    assert [source.kind for source in loaded.sources] == ["jira", "pagerduty", *["files"] * 4]


def test_causes_that_a_file_no_longer_states_go(tmp_path: Path) -> None:
    source = Files("f", FilesOptions(path=Path("incidents.jsonl")), base=tmp_path)
    file = tmp_path / "incidents.jsonl"
    file.write_text(json.dumps(row(caused_by=["4711", "4712"])))
    first = read(source, IncidentCause)
    file.write_text(json.dumps(row(caused_by="4712, 4713")))
    second = read(source, IncidentCause, first.cursor)
    held = Reading([*first.given, *second.given]).facts()
    assert set(held) == {("1", "4712"), ("1", "4713")}


def test_the_lines_that_the_manual_shows_are_facts(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", MANUAL, flags=re.DOTALL | re.MULTILINE)
    incident, deployment = block.splitlines()
    (tmp_path / "incidents.jsonl").write_text(incident)
    (tmp_path / "deployments.jsonl").write_text(deployment)
    source = Files("files", FilesOptions(path=Path("*.jsonl")), base=tmp_path)
    for record_type in (Incident, IncidentCause, Deployment):
        reading = read(source, record_type)
        assert (len(reading.records), reading.rejected, reading.notes) == (1, [], [])


def incidents(folder: Path, document: Any, **options: Any) -> Reading:
    (folder / "incidents.json").write_text(json.dumps(document, indent=1))
    source = Files("f", FilesOptions(path=Path("incidents.json"), **options), base=folder)
    return read(source, Incident)


UPDATES = {"at": "log", "time": "at", "status": "now", "resolved": ["Fixed"]}


def row(**more: Any) -> dict[str, Any]:
    return {"id": "1", "detected_at": "2026-03-01T00:00:00Z", **more}


def test_a_list_on_top_of_a_document_needs_no_name(tmp_path: Path) -> None:
    reading = incidents(tmp_path, [row(), row(id="2"), 3])
    assert [record.id for record in reading.records] == ["1", "2"]
    assert [(r.location, r.reason) for r in reading.rejected] == [
        ("incidents.json:3", "it is no JSON object")
    ]


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        ({"data": [row()]}, {}, 'rows = "data"'),
        ({"data": [row()]}, {"rows": "date"}, "It has: data"),
        ([row(service={"name": "x"})], {"columns": {"service": "service.title"}}, "service.name"),
        ([row()], {"columns": {"service": "components[0].name"}}, "has no column"),
        ([row()], {"where": {"mode": ["real"]}}, "which `where` names"),
    ],
)
def test_a_document_that_is_not_as_configured_says_what_it_has(
    tmp_path: Path, document: Any, options: Any, message: str
) -> None:
    with pytest.raises(SourceError) as caught:
        incidents(tmp_path, document, **options)
    assert message in str(caught.value)


def test_a_path_may_lead_nowhere_as_long_as_something_could_stand_there(tmp_path: Path) -> None:
    reading = incidents(
        tmp_path,
        [row(ends=None, log=[])],
        columns={"resolved_at": "ends.at", "severity": "log[kind=sev].value"},
    )
    (record,) = reading.records
    assert record == Incident("1", detected_at=datetime(2026, 3, 1, tzinfo=UTC))


def test_a_broken_document_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "incidents.json").write_text('[{"id": "1",\n "detected_at"')
    source = Files("f", FilesOptions(path=Path("incidents.json")), base=tmp_path)
    with pytest.raises(SourceError, match="is no JSON"):
        read(source, Incident)


def test_updates_may_stand_in_any_order_and_an_unreadable_time_costs_one_row(
    tmp_path: Path,
) -> None:
    day = "2026-03-01T0{}:00:00Z"
    log = [
        {"at": day.format(hour), "now": now}
        for hour, now in [(5, "fixed"), (1, "open"), (4, "open"), (2, "Fixed"), (3, "fixed")]
    ]
    reading = incidents(
        tmp_path,
        [row(log=log), row(id="2", log=[{"at": "soon", "now": "fixed"}]), row(id="3", log=None)],
        updates=UPDATES,
    )
    one, three = reading.records
    assert isinstance(one, Incident)
    assert (one.first_resolved_at, one.resolved_at, one.reopenings) == (
        datetime(2026, 3, 1, 2, tzinfo=UTC),
        datetime(2026, 3, 1, 5, tzinfo=UTC),
        1,
    )
    assert three == Incident("3", detected_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert [r.reason for r in reading.rejected] == ["resolved_at is no time: 'soon'"]


def test_where_holds_for_every_format_and_for_causes_too(tmp_path: Path) -> None:
    (tmp_path / "incidents.csv").write_text(
        "id,detected_at,mode,caused_by\n"
        "1,2026-03-01T00:00:00Z,real,4711\n"
        "2,2026-03-01T00:00:00Z,test,4712\n"
    )
    options = FilesOptions(path=Path("incidents.csv"), where={"mode": ["real"]})
    source = Files("f", options, base=tmp_path)
    assert [record.id for record in read(source, Incident).records] == ["1"]
    assert read(source, IncidentCause).records == [IncidentCause("1", "4711")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": "a["}, "cannot be followed"),
        ({"caused_by": "a]b"}, "cannot be followed"),
        ({"cause_pattern": "("}, "no regular expression"),
        ({"cause_pattern": "caused by"}, "no group"),
        ({"updates": {"at": "log"}}, "Field required"),
    ],
)
def test_options_that_cannot_work_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FilesOptions(path=Path("x.json"), **options)
