"""The facts do not depend on the order of events, on duplicates, on files or on syncs."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.testing import Key, Reading, read
from dora import config, store, sync
from dora.connector import Only, Removed
from dora.records import Deployment, Record
from tests.connectors.events import OTHER_SHA, SHA, deployed, event, incident, packaged, uuid, write
from tests.connectors.test_cdevents import source

ARTIFACTS = st.sampled_from([f"pkg:oci/app@sha256:{n}" for n in range(3)])
SERVICES = st.sampled_from(["checkout", "service/checkout", "web"])
PLACES = st.sampled_from(["production", "e-1"])
MINUTES = st.integers(0, 20)  # few, so that events meet


def numbered(number: int, made: Any) -> dict[str, Any]:
    made["context"]["id"] = uuid(number)
    return made


SERVICE_EVENTS = st.builds(
    lambda at, predicate, service, environment, artifact: deployed(
        at, predicate=predicate, service=service, environment=environment, artifact=artifact
    ),
    MINUTES,
    st.sampled_from(["deployed", "upgraded", "rolledback", "removed", "published"]),
    SERVICES,
    PLACES,
    ARTIFACTS,
)
INCIDENT_EVENTS = st.builds(
    lambda at, predicate, id_, environment, said_by: incident(
        at, predicate, id_=id_, environment=environment, source=said_by
    ),
    MINUTES,
    st.sampled_from(["detected", "reported", "resolved"]),
    st.sampled_from(["1", "2"]),
    PLACES,
    st.sampled_from(["/a", "/b"]),
)
OTHER_EVENTS = st.one_of(
    st.builds(
        lambda at, artifact, change, chain: packaged(
            at, artifact=artifact, change=change, context=chain
        ),
        MINUTES,
        ARTIFACTS,
        st.sampled_from([SHA, OTHER_SHA, "change-1"]),
        st.sampled_from([{}, {"chainId": "c-1"}]),
    ),
    st.builds(
        lambda at, name: event(
            "environment.modified", "e-1", {"name": name}, at=f"2026-03-01T12:{at:02d}:30Z"
        ),
        MINUTES,
        st.sampled_from(["production", "staging", ""]),
    ),
    st.builds(
        lambda at, sha: event(
            "change.merged",
            "change-1",
            {"repository": {"id": "acme/shop", "source": "https://github.com"}},
            at=f"2026-03-01T12:{at:02d}:10Z",
            dora={"sha": sha},
        ),
        MINUTES,
        st.sampled_from([SHA, OTHER_SHA]),
    ),
)
EVENTS = st.lists(st.one_of(SERVICE_EVENTS, INCIDENT_EVENTS, OTHER_EVENTS), max_size=14).map(
    lambda made: [numbered(number, one) for number, one in enumerate(made)]
)


def fresh(folder: Path) -> None:
    shutil.rmtree(folder / "events", ignore_errors=True)
    (folder / "events").mkdir()


def held(folder: Path, dealt: list[Any], chance: random.Random, syncs: int) -> dict[Key, Record]:
    """What a store would hold after events came over so many syncs, in several files."""
    fresh(folder)
    given_: list[Record | Removed | Only] = []
    cursor = None
    for part in range(syncs):
        for one in dealt[part::syncs]:
            write(folder, [one], f"events/{chance.choice('abc')}.jsonl")
        reading = read(source(folder), Deployment, cursor)
        cursor = reading.cursor
        given_ += reading.given
    return Reading(given_).facts()


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS, chance=st.randoms(use_true_random=False), syncs=st.integers(1, 4))
def test_the_facts_are_the_same(
    tmp_path: Path, events: list[Any], chance: random.Random, syncs: int
) -> None:
    fresh(tmp_path)
    write(tmp_path, events)
    expected = read(source(tmp_path), Deployment).facts()
    dealt = events + chance.sample(events, len(events) // 2)
    chance.shuffle(dealt)
    assert held(tmp_path, dealt, chance, syncs) == expected


@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS, chance=st.randoms(use_true_random=False))
def test_the_store_is_the_same(tmp_path: Path, events: list[Any], chance: random.Random) -> None:
    whole = tmp_path / "whole"
    parted = tmp_path / "parted"
    for folder in (whole, parted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "dora.toml").write_text(
            '[[sources]]\nname = "events"\nkind = "cdevents"\npath = "events"\n'
        )
        fresh(folder)
    write(whole, events)
    sync.sync(config.load(whole / "dora.toml"))
    dealt = events + events[::2]
    chance.shuffle(dealt)
    for part in range(3):
        write(parted, dealt[part::3], f"events/{part}.jsonl")
        sync.sync(config.load(parted / "dora.toml"))
    for table in ("deployments", "incidents", "incident_causes"):
        assert rows(whole, table) == rows(parted, table)


def test_a_deployment_that_is_told_more_of_moves_to_its_new_place(tmp_path: Path) -> None:
    (tmp_path / "dora.toml").write_text(
        '[[sources]]\nname = "events"\nkind = "cdevents"\npath = "events"\n'
    )
    named = {"name": "production"}
    for number, (one, place) in enumerate(
        [
            (deployed(1, environment="e-1"), ("", "e-1", None)),
            (packaged(2), ("github.com/acme/shop", "e-1", SHA)),
            (
                event("environment.created", "e-1", named, id=uuid(3)),
                ("github.com/acme/shop", "production", SHA),
            ),
        ]
    ):
        write(tmp_path, [one], f"events/{number}.jsonl")
        sync.sync(config.load(tmp_path / "dora.toml"))
        found = rows(tmp_path, "deployments")
        assert [(row[2], row[3], row[7]) for row in found] == [place]


def rows(folder: Path, table: str) -> list[tuple[Any, ...]]:
    connection = store.connect(folder / "dora.duckdb")
    try:
        return connection.execute(f"select * from {table} order by all").fetchall()
    finally:
        connection.close()
