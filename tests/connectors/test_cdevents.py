"""CDEvents: every released version, artifacts led back to commits, rollbacks, incidents."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.cdevents import CDEvents, CDEventsOptions
from connectors.testing import ConnectorContract, Reading, read
from dora.connector import Connector, load
from dora.records import Deployment, Incident, IncidentCause
from tests.connectors.events import (
    ARTIFACT,
    DIGEST,
    OTHER_SHA,
    SHA,
    SPECIFICATIONS,
    deployed,
    event,
    incident,
    minute,
    packaged,
    uuid,
    write,
)
from tests.connectors.test_toggles import SLEUTH, UNLEASH

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = "pkg:oci/checkout@sha256:1111111111111111111111111111111111111111111111111111111111111111"
THIRD = "pkg:oci/checkout@sha256:2222222222222222222222222222222222222222222222222222222222222222"


def source(folder: Path, **options: Any) -> CDEvents:
    return CDEvents("events", CDEventsOptions(path=Path("events"), **options), base=folder)


def given(folder: Path, events: Iterable[Any], **options: Any) -> Reading:
    write(folder, events)
    return read(source(folder, **options), Deployment)


def deployments(reading: Reading) -> list[Deployment]:
    found = [record for record in reading.records if isinstance(record, Deployment)]
    return sorted(found, key=lambda one: (one.finished_at or NOON, one.id))


def incidents(reading: Reading) -> list[Incident]:
    return [record for record in reading.records if isinstance(record, Incident)]


class TestCDEvents(ConnectorContract):
    """A deployment, an incident that names its cause, and a change of a flag and by hand."""

    def make(self, folder: Path) -> Connector:
        if not (folder / "events").exists():
            caused = incident(9, "detected", dora={"caused_by": SHA})
            write(folder, [packaged(0), deployed(5), deployed(6, predicate="rolledback"), caused])
            write(folder, [UNLEASH, SLEUTH])
        return source(folder)

    def broken(self, folder: Path) -> Connector | None:
        return CDEvents("events", CDEventsOptions(path=Path("nowhere")), base=folder)


def test_it_is_found_by_its_kind() -> None:
    assert load("cdevents") is CDEvents


@pytest.mark.parametrize("version", SPECIFICATIONS)
def test_every_released_version_is_read_alike(tmp_path: Path, version: str) -> None:
    events = [
        event("change.merged", "1234", {"repository": {"id": "acme/shop"}}, specification=version),
        packaged(1, specification=version),
        event("artifact.published", ARTIFACT, id=uuid(2), specification=version),
        event("environment.created", "env-7", {"name": "production"}, id=uuid(3),
              specification=version),
        deployed(10, environment="env-7", specification=version),
        deployed(20, predicate="upgraded", environment="env-7", specification=version),
        deployed(30, predicate="rolledback", environment="env-7", specification=version),
        deployed(40, predicate="published", environment="env-7", specification=version),
        deployed(50, predicate="removed", environment="env-7", specification=version),
    ]  # fmt: skip
    reading = given(tmp_path, events)
    assert reading.rejected == []
    assert reading.notes == []
    first, *_ = found = deployments(reading)
    assert first == Deployment(
        id=uuid(10),
        repository="github.com/acme/shop",
        environment="production",
        status="succeeded",
        finished_at=NOON.replace(minute=10),
        sha=SHA,
        service="checkout",
        name=ARTIFACT,
        digest=f"sha256:{DIGEST}",
        original_status="deployed",
    )
    assert [one.original_status for one in found] == ["deployed", "upgraded", "rolledback"]


@pytest.mark.parametrize("version", [v for v in SPECIFICATIONS if v >= "0.2"])
def test_incidents_of_every_released_version_are_read_alike(tmp_path: Path, version: str) -> None:
    told = ("detected", "reported", "resolved")
    events = [
        incident(10 * n, predicate, specification=version) for n, predicate in enumerate(told)
    ]
    reading = given(tmp_path, events)
    assert reading.rejected == []
    assert reading.records == [
        Incident(
            id="incident-1",
            detected_at=NOON,
            resolved_at=NOON.replace(minute=20),
            first_resolved_at=NOON.replace(minute=20),
            service="checkout",
            title="Answers are slow",
            url="https://tickets.example.com/1",
            original_status="resolved",
        )
    ]


def test_structured_cloudevents_lists_and_single_files_hold_the_same_events(tmp_path: Path) -> None:
    whole = [packaged(1), deployed(5), deployed(6), deployed(7)]
    context = [one["context"] for one in whole]
    envelopes = [
        {"specversion": "1.0", "id": c["id"], "source": c["source"], "type": c["type"], "data": one}
        for c, one in zip(context, whole, strict=True)
    ]
    encoded = {k: v for k, v in envelopes[3].items() if k != "data"}
    encoded["data_base64"] = base64.b64encode(json.dumps(whole[3]).encode()).decode()
    write(tmp_path, [envelopes[0], encoded], "events/2026/11/25.ndjson")
    (tmp_path / "events" / "one.json").write_text(json.dumps(envelopes[1], indent=2))
    (tmp_path / "events" / "batch.json").write_text(json.dumps([envelopes[2], whole[0]], indent=2))
    reading = read(source(tmp_path), Deployment)
    assert reading.rejected == []
    assert [(one.id, one.sha) for one in deployments(reading)] == [
        (uuid(5), SHA), (uuid(6), SHA), (uuid(7), SHA),
    ]  # fmt: skip


def test_an_event_that_is_delivered_again_is_one_deployment(tmp_path: Path) -> None:
    reading = given(tmp_path, [deployed(5), deployed(5), deployed(5, source="/another")])
    assert [one.id for one in deployments(reading)] == [uuid(5)]


def test_ids_that_are_unique_in_their_source_only_are_told_apart(tmp_path: Path) -> None:
    events = [deployed(5, id="7", source="/argo"), deployed(6, id="7", source="/spinnaker")]
    assert [one.id for one in deployments(given(tmp_path, events))] == ["/argo#7", "/spinnaker#7"]


@pytest.mark.parametrize(
    ("artifact", "version"),
    [
        (f"pkg:github/acme/shop@{SHA}", None),
        (
            f"pkg:generic/shop@1.4?vcs_url=git%2Bhttps%3A%2F%2Fgithub.com%2Facme%2Fshop.git%40{SHA}",
            "1.4",
        ),
        (f"{SECOND}?tag=1.4&vcs_url=git+https://github.com/acme/shop@{SHA}", "1.4"),
    ],
)
def test_a_package_url_may_name_its_commit_itself(
    tmp_path: Path, artifact: str, version: str | None
) -> None:
    (found,) = deployments(given(tmp_path, [deployed(5, artifact=artifact)]))
    assert (found.sha, found.repository, found.version) == (SHA, "github.com/acme/shop", version)


@pytest.mark.parametrize(
    ("built", "used"),
    [
        ("pkg:OCI/Checkout@sha256:ab?repository_url=a.io", "pkg:oci/checkout@sha256%3Aab?tag=1"),
        ("pkg:npm/%40acme/shop@1.2", "pkg:npm/@acme/shop@1.2"),
        ("checkout-1.2.whl", "checkout-1.2.whl"),
    ],
)
def test_an_artifact_is_known_by_its_name_however_it_is_written(
    tmp_path: Path, built: str, used: str
) -> None:
    events = [packaged(1, artifact=built), deployed(5, artifact=used)]
    assert deployments(given(tmp_path, events))[0].sha == SHA


def test_a_digest_is_no_commit_and_an_unknown_artifact_has_none(tmp_path: Path) -> None:
    reading = given(tmp_path, [deployed(5)])
    (found,) = deployments(reading)
    assert (found.sha, found.repository, found.version) == (None, "", None)
    assert reading.notes == [
        "Deployments whose artifact no event ties to a commit: 1; they are in no lead time."
    ]


def test_a_change_leads_to_its_commit_when_its_merge_says_it(tmp_path: Path) -> None:
    merged = event(
        "change.merged", "feature1234", {"repository": {"id": "acme/shop", "source": "https://git.example.org"}},
        id=uuid(2), dora={"sha": SHA},
    )  # fmt: skip
    built = packaged(3, change="feature1234")
    del built["subject"]["content"]["change"]["source"]
    (found,) = deployments(given(tmp_path, [deployed(5), built, merged]))
    assert (found.sha, found.repository) == (SHA, "git.example.org/acme/shop")


def test_a_number_alone_is_the_id_of_a_change_and_no_commit(tmp_path: Path) -> None:
    (found,) = deployments(given(tmp_path, [packaged(1, change="1234567"), deployed(5)]))
    assert found.sha is None


def test_a_chain_leads_to_the_commit_where_the_artifact_does_not(tmp_path: Path) -> None:
    chain = {"chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b"}
    events = [packaged(1, context=chain), deployed(5, artifact=SECOND, context=chain)]
    assert deployments(given(tmp_path, events))[0].sha == SHA


def test_a_chain_with_two_commits_leads_to_none(tmp_path: Path) -> None:
    chain = {"chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b"}
    built = [
        packaged(1, context=chain),
        packaged(2, artifact=THIRD, change=OTHER_SHA, context=chain),
    ]
    events = [*built, deployed(5, artifact=SECOND, context=chain)]
    assert deployments(given(tmp_path, events))[0].sha is None


def rolled_back(reading: Reading) -> dict[str, str | None]:
    """What each rollback says it undid, by the minute of both."""
    return {
        str(int(one.id[-4:])): one.rolls_back and str(int(one.rolls_back[-4:]))
        for one in deployments(reading)
        if one.original_status == "rolledback"
    }


def test_a_rollback_names_the_deployment_it_undid_where_git_cannot_tell(tmp_path: Path) -> None:
    # V1 V2 V3, back to V2, back to V1: first V3 is undone, then V2
    events = [
        deployed(1),
        deployed(2, artifact=SECOND),
        deployed(3, artifact=THIRD),
        deployed(4, predicate="rolledback", artifact=SECOND),
        deployed(5, predicate="rolledback"),
        deployed(6, service="other"),
    ]
    assert rolled_back(given(tmp_path, reversed(events))) == {"4": "3", "5": "2"}


def test_a_rollback_that_undid_just_one_deployment_names_it(tmp_path: Path) -> None:
    events = [packaged(0), deployed(1), deployed(2, artifact=SECOND)]
    reading = given(tmp_path, [*events, deployed(3, predicate="rolledback")])
    assert rolled_back(reading) == {"3": "2"}


@pytest.mark.parametrize(
    "events",
    [
        [deployed(1), deployed(2, artifact=SECOND), deployed(3, artifact=THIRD)],  # two are undone
        [deployed(1, artifact=SECOND)],  # from before the record: perhaps more than this one
    ],
)
def test_a_rollback_to_a_commit_that_undid_more_is_left_to_git(
    tmp_path: Path, events: list[Any]
) -> None:
    reading = given(tmp_path, [packaged(0), *events, deployed(9, predicate="rolledback")])
    assert rolled_back(reading) == {"9": None}


@pytest.mark.parametrize(
    ("events", "undone"),
    [
        ([], None),  # nothing was there
        ([deployed(1)], None),  # it is what is running
        ([deployed(1, artifact=SECOND)], "1"),  # to something from before the record
        ([deployed(1, artifact=SECOND, environment="eu")], None),  # another environment
        ([deployed(1, artifact=SECOND), deployed(2, predicate="removed")], None),
    ],
)
def test_what_a_rollback_undid_is_never_guessed(
    tmp_path: Path, events: list[Any], undone: str | None
) -> None:
    reading = given(tmp_path, [*events, deployed(9, predicate="rolledback")])
    assert rolled_back(reading) == {"9": undone}


def test_being_published_can_count_instead_of_being_deployed(tmp_path: Path) -> None:
    events = [packaged(0), deployed(1), deployed(8, predicate="published")]
    (found,) = deployments(given(tmp_path, events, deployments=["published"]))
    assert (found.finished_at, found.sha) == (NOON.replace(minute=8), SHA)


@pytest.mark.parametrize("id_", ["service/checkout", "Deployment/checkout", "daemonsets/checkout"])
def test_a_service_is_known_by_its_name_without_its_kind(tmp_path: Path, id_: str) -> None:
    assert deployments(given(tmp_path, [deployed(1, service=id_)]))[0].service == "checkout"


def test_what_cdevents_has_no_field_for_stands_in_the_custom_data(tmp_path: Path) -> None:
    more = {
        "sha": OTHER_SHA, "url": "https://ci/1", "status": "failed", "labels": ["hotfix"],
        "unplanned": True, "fixes": "incident-1", "started_at": "2026-03-01T11:59:00Z",
    }  # fmt: skip
    worse = {"severity": "sev1", "caused_by": [SHA], "external": True}
    reading = given(
        tmp_path, [packaged(0), deployed(1, dora=more), incident(2, "detected", dora=worse)]
    )
    (found,) = deployments(reading)
    assert (found.sha, found.status, found.labels, found.unplanned) == (
        OTHER_SHA, "failed", "hotfix", True,
    )  # fmt: skip
    assert found.started_at == NOON.replace(hour=11, minute=59)
    assert (incidents(reading)[0].severity, incidents(reading)[0].external) == ("sev1", True)
    assert IncidentCause("incident-1", SHA) in reading.records


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["detected"], (0, None, None, 0)),
        (["reported"], (0, None, None, 0)),
        (["detected", "resolved"], (0, 1, 1, 0)),
        (["detected", "resolved", "detected"], (0, None, 1, 1)),
        (["detected", "resolved", "detected", "resolved"], (0, 3, 1, 1)),
        (["detected", "resolved", "reported"], (0, 1, 1, 0)),  # a ticket written when all is over
        (["detected", "detected", "resolved", "resolved"], (0, 2, 2, 0)),
    ],
)
def test_the_course_of_an_incident(
    tmp_path: Path, told: list[str], expected: tuple[int | None, ...]
) -> None:
    events = [incident(number, predicate) for number, predicate in enumerate(told)]
    (found,) = incidents(given(tmp_path, reversed(events)))
    moments = [m and m.minute for m in (found.resolved_at, found.first_resolved_at)]
    assert (found.detected_at.minute, *moments, found.reopenings) == expected


def test_detected_and_resolved_at_once_is_over(tmp_path: Path) -> None:
    events = [incident(5, "resolved", id=uuid(1)), incident(5, "detected", id=uuid(2))]
    (found,) = incidents(given(tmp_path, events))
    assert found.resolved_at == found.detected_at


def test_an_incident_without_a_beginning_waits_for_it(tmp_path: Path) -> None:
    first = given(tmp_path, [incident(9, "resolved")])
    assert first.records == []
    assert [(r.location, r.reason) for r in first.rejected] == [
        ("events/a.jsonl:1", "nothing says when it was detected")
    ]
    write(tmp_path, [incident(1, "detected")], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    assert second.rejected == []
    assert incidents(second)[0].resolved_at == NOON.replace(minute=9)


def test_incidents_of_two_systems_with_the_same_number_are_two(tmp_path: Path) -> None:
    one = [incident(1, "detected", id_="7"), incident(5, "resolved", id_="7")]
    first = given(tmp_path, one)
    assert [i.id for i in incidents(first)] == ["7"]
    theirs = {"source": "/tickets", "subject_source": "/other"}
    two = [
        incident(2, "detected", id_="7", source="/other"),
        incident(3, "resolved", id_="7", **theirs),
    ]
    write(tmp_path, two, "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    whole = Reading([*first.given, *second.given]).facts().values()
    found = {i.id: i.resolved_at for i in whole if isinstance(i, Incident)}
    assert found == {
        "/monitoring#7": NOON.replace(minute=5),
        "/other#7": NOON.replace(minute=3),
    }


def test_incidents_of_a_test_environment_do_not_count_and_are_told(tmp_path: Path) -> None:
    events = [incident(1, "detected", id_="a", environment="staging-eu"), incident(2, "detected")]
    reading = given(tmp_path, events)
    assert [one.id for one in incidents(reading)] == ["incident-1"]
    assert reading.notes == [
        "Incidents of other environments than production: 1; they do not count."
    ]


def test_which_environments_incidents_count_can_be_set(tmp_path: Path) -> None:
    events = [incident(1, "detected", id_="a", environment="staging-eu"), incident(2, "detected")]
    reading = given(tmp_path, events, incident_environments=["staging*"])
    assert [one.id for one in incidents(reading)] == ["a"]


def test_an_environment_that_is_named_later_takes_its_facts_along(tmp_path: Path) -> None:
    events = [deployed(1, environment="e-1"), incident(2, "detected", environment="e-1")]
    first = given(tmp_path, events)
    named = event("environment.created", "e-1", {"name": "staging"}, id=uuid(50))
    write(tmp_path, [named], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    whole = Reading([*first.given, *second.given]).facts().values()
    assert [(type(fact), getattr(fact, "environment", None)) for fact in whole] == [
        (Deployment, "staging")
    ]


def test_other_events_are_left_out_and_counted(tmp_path: Path) -> None:
    events = [
        event("pipelinerun.finished", "run-1", id=uuid(1)),
        event("pipelinerun.finished", "run-2", id=uuid(2)),
        event("build.started", "b-1", id=uuid(3)),
    ]
    custom = event("service.deployed", "s", id=uuid(4))
    custom["context"]["type"] = "dev.cdeventsx.mytool-resource.created.0.1.0"
    reading = given(tmp_path, [*events, custom])
    assert (reading.records, reading.rejected) == ([], [])
    assert reading.notes == [
        "Events that are not read: build started (1), custom events (1), pipelinerun finished (2)."
    ]


def without(path: str) -> dict[str, Any]:
    made = deployed(1)
    held = made
    *outer, last = path.split(".")
    for name in outer:
        held = held[name]
    del held[last]
    return made


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (without("context.timestamp"), "context.timestamp is missing"),
        (without("context.id"), "context.id is missing"),
        (without("context.source"), "context.source is missing"),
        (without("subject.id"), "subject.id is missing"),
        (deployed(1, at="2026-03-01T12:00:00"), "context.timestamp has no time zone"),
        (deployed(1, at="noon"), "context.timestamp is no time"),
        (deployed(1, context={"type": "com.example.deployed"}), "which is no CDEvent's"),
        (deployed(1, dora={"status": "green"}), "status is 'green'"),
        ({"specversion": "1.0", "type": "t", "id": "1", "source": "s"}, "without data"),
        (
            {"specversion": "1.0", "type": "t", "id": "1", "source": "s", "data_base64": "!"},
            "data_base64 holds no JSON",
        ),
        ({"hello": "world"}, "it is no CDEvent and no call that is known"),
    ],
)
def test_what_is_no_event_is_put_aside_with_its_place(
    tmp_path: Path, line: Any, reason: str
) -> None:
    reading = given(tmp_path, [deployed(5), line, deployed(6)])
    assert len(deployments(reading)) == 2
    (rejected,) = reading.rejected
    assert rejected.location == "events/a.jsonl:2"
    assert reason in rejected.reason


def test_times_without_an_offset_are_in_the_zone_that_is_set(tmp_path: Path) -> None:
    events = [deployed(1, at="2026-03-01T13:00:00")]
    (found,) = deployments(given(tmp_path, events, timezone="Europe/Berlin"))
    assert found.finished_at == NOON


def test_a_host_completes_the_names_of_repositories(tmp_path: Path) -> None:
    built = packaged(0)
    built["subject"]["content"]["change"]["source"] = "acme/shop"
    (found,) = deployments(given(tmp_path, [built, deployed(1)], host="git.example.org"))
    assert found.repository == "git.example.org/acme/shop"


def test_minutes_are_what_they_say() -> None:
    assert minute(61) == "2026-03-01T13:01:00Z"


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        (SECOND, "sha256:" + "1" * 64),
        (SECOND.replace(":1", "%3A1") + "?tag=2.0", "sha256:" + "1" * 64),
        ("registry.acme.io/checkout@SHA256:" + "1" * 64, "sha256:" + "1" * 64),
        ("pkg:oci/checkout@2.0", None),
        ("pkg:github/acme/shop@" + "1" * 40, None),
        ("pkg:oci/checkout@sha256:12", None),
    ],
)
def test_a_digest_in_the_package_url_is_that_of_what_was_deployed(
    tmp_path: Path, artifact: str, expected: str | None
) -> None:
    (one,) = deployments(given(tmp_path, [deployed(5, artifact=artifact)]))
    assert one.digest == expected
