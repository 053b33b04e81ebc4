"""Whole syncs from a forge made for tests: by its configuration, with time that can be skipped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from dora import config, store
from dora.config import Config
from dora.patience import Patience
from dora.records import RECORD_TYPES
from dora.sync import Summary, sync
from tests.forges.scenario import INCIDENT_LABELS, RULES

Rows: TypeAlias = Mapping[str, frozenset[tuple[Any, ...]]]
"""What a store holds, by fact table."""


@dataclass(slots=True)
class Clock:
    """The time, as the forge and those who wait for it have it; waiting only puts it forward."""

    ahead: float = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead


@contextmanager
def skipping(clock: Clock) -> Iterator[list[tuple[str, float]]]:
    """Let syncs wait in no time; gives why they waited and for how long."""
    waits: list[tuple[str, float]] = []

    class Skips(Patience):
        def wait(self, seconds: float, why: str) -> None:
            waits.append((why, seconds))
            super().wait(seconds, why)

        def now(self) -> float:
            return time.monotonic() + clock.ahead

        def pause(self, seconds: float) -> None:
            clock.ahead += seconds
            self.check()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dora.sync.Patience", Skips)
        yield waits


def configured(folder: Path, kind: str, url: str, *, name: str = "forge", **keys: Any) -> Config:
    """A configuration file with a forge in it, as a user would write it, and what it says."""
    listed = {
        "url": url,
        "token_env": "FORGE_TOKEN",
        "groups": ["acme"],
        "deployments": list(RULES),
        "incidents": {"labels": list(INCIDENT_LABELS)},
        "covers": ["*"],
        **keys,
    }
    lines = ["[[sources]]", f'name = "{name}"', f'kind = "{kind}"']
    lines += [f"{key} = {_toml(value)}" for key, value in listed.items() if value is not None]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dora.toml"
    path.write_text("\n".join(lines) + "\n")
    return config.load(path)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    return json.dumps(value)


def synced(given: Config, **how: Any) -> Summary:
    """A sync that must not fail."""
    summary = sync(given, **how)
    assert not summary.failed, summary.sources[0].error
    return summary


def rows(path: Path) -> Rows:
    """Everything of a store that came from its sources."""
    held = {}
    with store.connect(path) as connection:
        for record_type in RECORD_TYPES:
            table = record_type.table
            listed = connection.execute(f"select * from {table} limit 0").description or []
            kept = ", ".join(f'"{column[0]}"' for column in listed if column[0] != "commit_id")
            held[table] = frozenset(connection.execute(f"select {kept} from {table}").fetchall())
    return held


def differences(one: Rows, other: Rows) -> dict[str, tuple[list[Any], list[Any]]]:
    """What only one of two stores has, by table; nothing where they are the same."""
    return {
        table: (
            sorted(one[table] - other[table], key=str),
            sorted(other[table] - one[table], key=str),
        )
        for table in one
        if one[table] != other[table]
    }
