"""Whatever stands in a journal: every line is a fact or is set aside, and the sync goes on."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dora import config, store, sync
from dora.recording.lines import keys
from tests.connectors.events import deployed, incident, packaged
from tests.connectors.test_calls import EXAMPLES
from tests.connectors.test_spool import BROKEN, DEPLOYED

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=()), max_size=8),
    st.sampled_from(["2026-03-01T12:00:00Z", "succeeded", "\ud800", "\0", "9" * 30, "", " "]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PUSHED = st.builds(
    lambda base, changes: base | changes,
    st.sampled_from([DEPLOYED, BROKEN]),
    st.dictionaries(
        st.sampled_from([*keys("deployment"), *keys("incident"), "nonsense"]), VALUES, max_size=3
    ),
)


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place within nested objects."""
    inner = value.items() if isinstance(value, dict) else ()
    return [one for key, held in inner for one in ((*path, key), *paths(held, (*path, key)))]


def mutated(made: Any, place: int, value: Any, *, gone: bool) -> Any:
    """A copy that says something else, or nothing, in one place."""
    made = copy.deepcopy(made)
    *outer, last = paths(made)[place % len(paths(made))]
    held = made
    for key in outer:
        held = held[key]
    if gone:
        del held[last]
    else:
        held[last] = value
    return made


TOLD = st.builds(
    mutated,
    st.sampled_from(
        [deployed(1), packaged(2), incident(3, "detected"), incident(4, "resolved"),
         deployed(5, dora={"sha": "abc1234", "labels": ["a"]}), *EXAMPLES.values()]
    ),
    st.integers(0, 50),
    VALUES,
    gone=st.booleans(),
)  # fmt: skip
RAW = st.sampled_from(
    [b"\n", b"{}\n", b"[]\n", b"nonsense\n", b"\xff\xfe\n", b'"text"\n', b"{" * 20_000 + b"\n",
     b"[" * 100_000 + b"\n", b'{"record":"deployment","id":"\\ud800"}\n', b"1" * 5000 + b"\n",
     b'{"a":1}{"b":2}\n', b"\0\0\0\n"]
)  # fmt: skip


def synced(folder: Path, content: bytes, configuration: str) -> None:
    """Sync twice: nothing fails, and the second time there is nothing new."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "dora.d").mkdir(parents=True)
    (folder / "dora.d" / "x.jsonl").write_bytes(content)
    (folder / "dora.toml").write_text(configuration)
    loaded = config.load(folder / "dora.toml")
    first = sync.sync(loaded)
    assert [source.error for source in first.sources] == [None]
    second = sync.sync(loaded)
    assert str(second.sources[0]) == "nothing new"
    connection = store.connect(folder / "dora.duckdb")
    try:
        assert not any(store.duplicates(connection).values())
    finally:
        connection.close()


def lines(objects: list[Any]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


FEW = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(pushed=st.lists(PUSHED, min_size=5, max_size=20), raw=st.lists(RAW, max_size=3))
def test_nothing_that_is_pushed_stops_a_sync(
    tmp_path: Path, pushed: list[Any], raw: list[bytes]
) -> None:
    synced(tmp_path / "spool", lines(pushed) + b"".join(raw), "")


@FEW
@given(told=st.lists(TOLD, min_size=5, max_size=20), raw=st.lists(RAW, max_size=3))
def test_no_event_and_no_call_stops_a_sync(
    tmp_path: Path, told: list[Any], raw: list[bytes]
) -> None:
    source = '[[sources]]\nname = "dora.d"\nkind = "cdevents"\npath = "dora.d"\n'
    synced(tmp_path / "events", lines(told) + b"".join(raw), source)


@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000b"])
def test_half_a_character_costs_only_its_line(tmp_path: Path, text: str) -> None:
    bad = json.dumps(DEPLOYED | {"id": "bad"})[:-1] + f', "version": "{text}"}}\n'
    synced(tmp_path / "w", lines([DEPLOYED]) + bad.encode(), "")
    connection = store.connect(tmp_path / "w" / "dora.duckdb")
    try:
        assert connection.execute("select id from deployments").fetchall() == [("d-1",)]
        (reason,) = connection.execute("select reason from quarantine").fetchall()
    finally:
        connection.close()
    assert reason == ("it holds characters that are no text",)
