"""The deployment calls of other products, written from the fields that they document."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.cdevents import CDEvents, CDEventsOptions
from connectors.cdevents.calls import SHAPES
from connectors.testing import Reading, read
from dora.connector import Only, Removed
from dora.records import Deployment, Incident, Record
from tests.connectors.events import OTHER_SHA, SHA, deployed, write

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # 1772366400 s
LATER = NOON.replace(minute=10)  # 1772367000 s

DATADOG = {
    "data": {
        "attributes": {
            "service": "checkout",
            "started_at": 1772366400000000000,
            "finished_at": 1772367000000000000,
            "env": "production",
            "team": "payments",
            "version": "v1.2",
            "git": {"commit_sha": SHA, "repository_url": "https://github.com/acme/shop"},
            "custom_tags": ["language:java", "region:eu"],
        }
    }
}
DATADOG_FAILURE = {
    "data": {
        "attributes": {
            "services": ["checkout"],
            "started_at": 1772366400,
            "finished_at": 1772367000,
            "severity": "High",
            "name": "Checkout is down",
            "id": "incident-7",
            "env": "production",
        }
    }
}
SLEUTH = {
    "sha": SHA,
    "environment": "production",
    "date": "2026-03-01T12:10:00Z",
    "tags": "#web, #hotfix",
    "links": {"build": "https://ci/1"},
    "ignore_if_duplicate": "true",
    "email": "ada@example.org",
    "api_key": "s3cret",
}
LINEARB = {
    "repo_url": "https://github.com/acme/shop.git",
    "ref_name": SHA,
    "timestamp": "2026-03-01T12:10:00Z",
    "stage": "release",
    "services": ["checkout"],
}
SWARMIA = {
    "version": "v1.2",
    "appName": "checkout",
    "environment": "production",
    "deployedAt": "2026-03-01T12:10:00Z",
    "commitSha": SHA,
    "repositoryFullName": "acme/shop",
}
JELLYFISH = {
    "reference_id": "build-17",
    "is_successful": True,
    "name": "checkout",
    "deployed_at": "2026-03-01T12:10:00Z",
    "repo_name": "acme/shop",
    "commit_shas": [SHA],
    "labels": ["web"],
    "source_url": "https://ci/1",
}
DX = {
    "reference_id": "1680723287",
    "deployed_at": 1772367000000,
    "service": "checkout",
    "repository": "acme/shop",
    "commit_sha": SHA,
    "environment": "production",
    "source_url": "https://ci/1",
    "source_name": "argoCD",
    "metadata": {"cluster": "eu"},
}
FAROS_BUILT = {
    "type": "CI",
    "version": "0.0.1",
    "origin": "Faros_Script_Event",
    "data": {
        "artifact": {"id": "1.2", "repository": "shop", "organization": "acme", "source": "Docker"},
        "commit": {"sha": SHA, "repository": "shop", "organization": "acme", "source": "GitHub"},
    },
}
FAROS = {
    "type": "CD",
    "version": "0.0.1",
    "origin": "Faros_Script_Event",
    "data": {
        "deploy": {
            "id": "deploy-17",
            "environment": "Prod",
            "application": "checkout",
            "source": "CodeDeploy",
            "status": "Success",
            "startTime": "2026-03-01T12:00:00Z",
            "endTime": "2026-03-01T12:10:00Z",
            "url": "https://ci/1",
        },
        "artifact": {"id": "1.2", "repository": "shop", "organization": "acme", "source": "Docker"},
    },
}
DORA = {
    "record": "deployment",
    "id": "d-1",
    "service": "checkout",
    "environment": "production",
    "sha": SHA,
    "status": "succeeded",
    "finished_at": "2026-03-01T12:10:00Z",
    "recorded_at": "2026-03-01T12:10:00Z",
}
EXAMPLES: dict[str, Any] = {
    "datadog": DATADOG,
    "sleuth": SLEUTH,
    "linearb": LINEARB,
    "swarmia": SWARMIA,
    "jellyfish": JELLYFISH,
    "dx": DX,
    "faros": FAROS,
    "dora": DORA,
}
NATURAL = f"checkout/production/{SHA[:12]}"
EXPECTED: dict[str, dict[str, Any]] = {
    "datadog": {
        "id": f"{NATURAL}@2026-03-01T12:00:00Z",
        "repository": "github.com/acme/shop",
        "started_at": NOON,
        "version": "v1.2",
        "labels": "language:java,region:eu",
    },
    "sleuth": {
        "id": f"production/{SHA[:12]}@2026-03-01T12:10:00Z",
        "service": None,
        "labels": "web,hotfix",
        "url": "https://ci/1",
    },
    "linearb": {
        "id": f"checkout/release/{SHA[:12]}@2026-03-01T12:10:00Z",
        "repository": "github.com/acme/shop",
        "environment": "release",
        "tier": "production",
    },
    "swarmia": {
        "id": f"{NATURAL}@2026-03-01T12:10:00Z",
        "repository": "github.com/acme/shop",
        "version": "v1.2",
    },
    "jellyfish": {"id": "build-17", "labels": "web", "url": "https://ci/1"},
    "dx": {"id": "1680723287", "url": "https://ci/1", "name": "argoCD"},
    "faros": {
        "id": "deploy-17",
        "environment": "Prod",
        "sha": None,
        "started_at": NOON,
        "url": "https://ci/1",
        "original_status": "Success",
    },
    "dora": {"id": "d-1"},
}


def source(folder: Path, **options: Any) -> CDEvents:
    return CDEvents("calls", CDEventsOptions(path=Path("events"), **options), base=folder)


def told(folder: Path, *calls: Any, **options: Any) -> Reading:
    write(folder, calls)
    return read(source(folder, **options), Deployment)


def only(reading: Reading) -> Any:
    assert reading.rejected == []
    (record,) = reading.records
    return record


def test_every_product_has_an_example() -> None:
    assert set(EXAMPLES) | {"launchdarkly", "unleash"} == set(SHAPES)  # test_toggles has those


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_call_is_the_deployment_that_it_tells(tmp_path: Path, name: str, forced: bool) -> None:
    options = {"shape": name} if forced else {}
    usual = {
        "repository": "",
        "environment": "production",
        "status": "succeeded",
        "finished_at": LATER,
        "sha": SHA,
        "service": "checkout",
    }
    found = only(told(tmp_path, EXAMPLES[name], **options))
    assert found == Deployment(**{**usual, **EXPECTED[name]})


def test_all_of_them_may_stand_in_one_file_beside_cdevents(tmp_path: Path) -> None:
    reading = told(tmp_path, *EXAMPLES.values(), deployed(1))
    assert reading.rejected == []
    assert len(reading.records) == len(EXAMPLES) + 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_call_that_comes_again_is_one_deployment(tmp_path: Path, name: str) -> None:
    only(told(tmp_path, EXAMPLES[name], EXAMPLES[name]))


def attributes(call: Any, **changes: Any) -> Any:
    return {"data": {"attributes": {**call["data"]["attributes"], **changes}}}


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000_000])
def test_datadog_counts_in_seconds_milliseconds_or_nanoseconds(tmp_path: Path, unit: int) -> None:
    call = attributes(DATADOG, started_at=1772366400 * unit, finished_at=1772367000 * unit)
    found = only(told(tmp_path, call))
    assert (found.started_at, found.finished_at) == (NOON, LATER)


def test_datadog_may_be_sent_without_its_envelope(tmp_path: Path) -> None:
    assert only(told(tmp_path, DATADOG["data"]["attributes"])).service == "checkout"


def test_a_failure_of_datadog_is_an_incident(tmp_path: Path) -> None:
    assert only(told(tmp_path, DATADOG_FAILURE)) == Incident(
        id="incident-7",
        detected_at=NOON,
        resolved_at=LATER,
        service="checkout",
        title="Checkout is down",
        severity="High",
    )


def test_a_failure_that_is_sent_when_it_begins_and_when_it_ends_is_one(tmp_path: Path) -> None:
    open_ = attributes(DATADOG_FAILURE)
    del open_["data"]["attributes"]["finished_at"]
    assert only(told(tmp_path, DATADOG_FAILURE, open_)).resolved_at == LATER


def test_a_failure_of_several_services_is_one_incident_each(tmp_path: Path) -> None:
    reading = told(tmp_path, attributes(DATADOG_FAILURE, services=["checkout", "web"]))
    found = {(i.id, i.service) for i in reading.records if isinstance(i, Incident)}
    assert found == {("incident-7/checkout", "checkout"), ("incident-7/web", "web")}


def test_a_failure_of_a_test_environment_does_not_count(tmp_path: Path) -> None:
    reading = told(tmp_path, attributes(DATADOG_FAILURE, env="staging"))
    assert reading.records == []
    assert reading.notes == [
        "Incidents of other environments than production: 1; they do not count."
    ]


def test_linearb_may_name_a_tag_and_several_services(tmp_path: Path) -> None:
    call = LINEARB | {"ref_name": "v1.20.55", "services": ["checkout", "web"]}
    found = [r for r in told(tmp_path, call).records if isinstance(r, Deployment)]
    assert [(one.service, one.sha, one.version) for one in found] == [
        ("checkout", None, "v1.20.55"), ("web", None, "v1.20.55"),
    ]  # fmt: skip
    assert len({one.id for one in found}) == 2


def test_another_stage_of_linearb_is_an_environment_like_any(tmp_path: Path) -> None:
    found = only(told(tmp_path, LINEARB | {"stage": "qa"}))
    assert (found.environment, found.tier) == ("qa", None)


def test_a_fix_deployment_names_the_newest_deployment_of_that_version_before_it(
    tmp_path: Path,
) -> None:
    again = SWARMIA | {"deployedAt": "2026-03-01T12:20:00Z"}
    fix = SWARMIA | {
        "version": "v1.3", "commitSha": OTHER_SHA, "deployedAt": "2026-03-01T12:30:00Z",
        "fixesVersion": "v1.2",
    }  # fmt: skip
    after = SWARMIA | {"deployedAt": "2026-03-01T12:40:00Z"}
    elsewhere = SWARMIA | {"appName": "web", "deployedAt": "2026-03-01T12:25:00Z"}
    reading = told(tmp_path, fix, after, again, SWARMIA, elsewhere)
    found = {r.id: r for r in reading.records if isinstance(r, Deployment)}
    (fixing,) = [one for one in found.values() if one.unplanned]
    assert fixing.fixes == f"{NATURAL}@2026-03-01T12:20:00Z"
    assert fixing.fixes in found


def test_a_version_of_swarmia_may_be_the_commit(tmp_path: Path) -> None:
    call = {"version": SHA[:10], "appName": "checkout", "deployedAt": "2026-03-01T12:10:00Z"}
    reading = told(tmp_path, call)
    assert only(reading).sha == SHA[:10]
    assert reading.notes == ["Deployments that name no environment: 1; taken to be in production."]


@pytest.mark.parametrize("which", [None, "first", "last"])
@pytest.mark.parametrize(("call", "key"), [(JELLYFISH, "commit_shas"), (DX, "merge_commit_shas")])
def test_of_several_commits_none_is_taken_unless_it_is_said_which(
    tmp_path: Path, call: Any, key: str, which: Any
) -> None:
    listed = {k: v for k, v in call.items() if k != "commit_sha"} | {key: [SHA, OTHER_SHA]}
    found = only(told(tmp_path, listed, commits=which))
    assert found.sha == {None: None, "first": SHA, "last": OTHER_SHA}[which]


@pytest.mark.parametrize("call", [JELLYFISH | {"is_successful": False}, DX | {"success": False}])
def test_what_did_not_succeed_has_failed(tmp_path: Path, call: Any) -> None:
    assert only(told(tmp_path, call)).status == "failed"


def test_dx_may_describe_a_service(tmp_path: Path) -> None:
    call = DX | {"service": {"identifier": "checkout", "name": "The checkout"}}
    assert only(told(tmp_path, call)).service == "checkout"


def test_faros_leads_from_the_artifact_to_the_commit_whichever_comes_first(tmp_path: Path) -> None:
    first = told(tmp_path, FAROS)
    assert only(first).sha is None
    write(tmp_path, [FAROS_BUILT], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    (found,) = Reading([*first.given, *second.given]).facts().values()
    assert isinstance(found, Deployment)
    assert (found.sha, found.repository) == (SHA, "github.com/acme/shop")


def test_a_deployment_of_two_repositories_stays_whole_when_artifacts_are_told_later(
    tmp_path: Path,
) -> None:
    other = {"id": "7", "repository": "web", "organization": "acme", "source": "Docker"}
    both = [FAROS, FAROS | {"data": {**FAROS["data"], "artifact": other}}]
    built = {
        "artifact": other,
        "commit": {
            "sha": OTHER_SHA,
            "repository": "web",
            "organization": "acme",
            "source": "GitHub",
        },
    }
    first = told(tmp_path, *both, FAROS_BUILT)
    write(tmp_path, [FAROS_BUILT | {"data": built}], "events/b.jsonl")
    second = read(source(tmp_path), Deployment, first.cursor)
    whole = Reading([*first.given, *second.given]).facts().values()
    found = {fact.repository: fact.sha for fact in whole if isinstance(fact, Deployment)}
    assert found == {"github.com/acme/shop": SHA, "github.com/acme/web": OTHER_SHA}


def test_faros_may_write_everything_as_addresses(tmp_path: Path) -> None:
    call = {
        "type": "CD",
        "data": {
            "deploy": {
                "uri": "CodeDeploy://checkout/Prod/deploy-17",
                "status": "Failed",
                "startTime": 1772366400000,
                "endTime": 1772367000000,
            },
            "commit": {"uri": f"GitHub://acme/shop/{SHA}"},
        },
    }
    found = only(told(tmp_path, call))
    assert (found.id, found.service, found.environment) == ("deploy-17", "checkout", "Prod")
    assert (found.sha, found.repository) == (SHA, "github.com/acme/shop")
    assert (found.status, found.finished_at) == ("failed", LATER)


@pytest.mark.parametrize(
    ("word", "status"),
    [("Success", "succeeded"), ("Failed", "failed"), ("RolledBack", "failed"),
     ("Canceled", "cancelled"), ("Queued", "running"), ("Running", "running")],
)  # fmt: skip
def test_the_statuses_of_faros(tmp_path: Path, word: str, status: str) -> None:
    deploy = {**FAROS["data"]["deploy"], "status": word}
    found = only(told(tmp_path, FAROS | {"data": {"deploy": deploy}}))
    assert (found.status, found.finished_at is None) == (status, status == "running")


def test_what_the_calls_leave_out_can_be_configured(tmp_path: Path) -> None:
    call = {"sha": SHA, "date": "2026-03-01T12:10:00"}
    found = only(
        told(tmp_path, call, service="web", repository="acme/shop", host="git.example.org",
             environment="eu", timezone="UTC", shape="sleuth")
    )  # fmt: skip
    assert (found.service, found.repository, found.environment) == (
        "web", "git.example.org/acme/shop", "eu",
    )  # fmt: skip


def test_a_call_without_a_time_needs_one_from_whoever_stores_it(tmp_path: Path) -> None:
    call = {"repo_url": "https://github.com/acme/shop.git", "ref_name": SHA}
    (rejected,) = told(tmp_path, call).rejected
    assert "received_at" in rejected.reason
    later = told(tmp_path / "b", call | {"received_at": "2026-03-01T12:10:00Z"})
    assert only(later).finished_at == LATER


def test_neither_a_key_nor_an_address_of_a_person_is_kept(tmp_path: Path) -> None:
    reading = told(tmp_path, SLEUTH, SLEUTH | {"date": "noon"})
    assert len(reading.records) == 1
    everything = repr(reading.records) + repr(reading.rejected)
    assert "s3cret" not in everything


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (DX | {"deployed_at": "noon"}, "finished_at is no time"),
        (FAROS | {"data": {"deploy": {"status": "Custom"}}}, "'Custom', which is none"),
        (DORA | {"status": "green"}, "status is 'green'"),
    ],
)
def test_a_call_that_cannot_be_understood_is_put_aside(
    tmp_path: Path, call: Any, reason: str
) -> None:
    reading = told(tmp_path, call, JELLYFISH)
    assert len(reading.records) == 1
    (rejected,) = reading.rejected
    assert reason in rejected.reason


def changed(name: str, service: str, minute: int) -> Any:
    """An example that differs in what it deploys and when."""
    at = f"2026-03-01T12:{minute:02d}:00Z"
    if name == "datadog":
        return attributes(DATADOG, service=service, finished_at=1772366400 + 60 * minute)
    if name == "faros":
        deploy = {**FAROS["data"]["deploy"], "endTime": at, "application": service}
        return FAROS | {"data": {**FAROS["data"], "deploy": deploy}}
    keys = {"swarmia": ("appName", "deployedAt"), "jellyfish": ("name", "deployed_at"),
            "dx": ("service", "deployed_at")}  # fmt: skip
    what, when = keys[name]
    fix = (
        {"fixesVersion": "v1.2", "version": f"v1.{minute}"}
        if name == "swarmia" and minute % 2
        else {}
    )
    return EXAMPLES[name] | {what: service, when: at} | fix


CALLS = st.lists(
    st.one_of(
        st.just(FAROS_BUILT),
        st.builds(
            changed,
            st.sampled_from(["datadog", "faros", "swarmia", "jellyfish", "dx"]),
            st.sampled_from(["checkout", "web"]),
            st.integers(0, 5),
        ),
    ),
    max_size=10,
)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=CALLS, chance=st.randoms(use_true_random=False), syncs=st.integers(1, 3))
def test_order_duplicates_files_and_syncs_change_nothing(
    tmp_path: Path, calls: list[Any], chance: random.Random, syncs: int
) -> None:
    shutil.rmtree(tmp_path / "events", ignore_errors=True)
    expected = told(tmp_path, *calls).facts()
    shutil.rmtree(tmp_path / "events")
    (tmp_path / "events").mkdir()
    dealt = calls + chance.sample(calls, len(calls) // 2)
    chance.shuffle(dealt)
    given_: list[Record | Removed | Only] = []
    cursor = None
    for part in range(syncs):
        for one in dealt[part::syncs]:
            write(tmp_path, [one], f"events/{chance.choice('abc')}.jsonl")
        reading = read(source(tmp_path), Deployment, cursor)
        cursor = reading.cursor
        given_ += reading.given
    assert Reading(given_).facts() == expected
