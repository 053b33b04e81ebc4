"""Deployments that name no repository are those of the only one that has their commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dora import config, sync
from dora.delivery import Delivery
from dora.status import status
from tests.repositories import History
from tests.sync import reading


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Two repositories as sources, beside a spool that is empty."""
    (tmp_path / "dora.d").mkdir()
    text = ""
    for name in ("shop", "web"):
        text += f'[[sources]]\nname = "{name}"\nkind = "git"\npath = "{name}"\n'
        text += f'repository = "example.org/acme/{name}"\n'
    (tmp_path / "dora.toml").write_text(text)
    return tmp_path


def shas(workplace: Path) -> dict[str, list[str]]:
    made = {}
    for name in ("shop", "web"):
        history = History(workplace / name)
        made[name] = [
            history.commit(f"{name} {day}", at=f"2026-02-0{day}T10:00Z") for day in (1, 2, 3)
        ]
    return made


def push(workplace: Path, id_: str, sha: str | None, **more: Any) -> None:
    line = {
        "record": "deployment", "id": id_, "service": "checkout", "environment": "production",
        "sha": sha, "status": "succeeded", "finished_at": "2026-02-04T12:00:00Z", **more,
    }  # fmt: skip
    with (workplace / "dora.d" / "ci.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def rows(workplace: Path, query: str) -> list[tuple[Any, ...]]:
    """What a store holds after another sync."""
    sync.sync(config.load(workplace / "dora.toml"))
    return reading.rows(workplace / "dora.duckdb", query)


BY_ID = "select id, repository from deployments order by all"


def test_the_commit_tells_the_repository(workplace: Path) -> None:
    made = shas(workplace)
    push(workplace, "whole", made["shop"][2])
    push(workplace, "short", made["web"][1][:10])
    push(workplace, "unknown", "f" * 40)
    push(workplace, "none", None)
    push(workplace, "named", made["web"][0], repository="example.org/acme/other")
    assert rows(workplace, BY_ID) == [
        ("named", "example.org/acme/other"),
        ("none", ""),
        ("short", "example.org/acme/web"),
        ("unknown", ""),
        ("whole", "example.org/acme/shop"),
    ]


def test_what_has_none_is_told_by_the_status(workplace: Path) -> None:
    shas(workplace)
    push(workplace, "unknown", "f" * 40)
    rows(workplace, BY_ID)
    frame = status(Delivery.of(config.load(workplace / "dora.toml")))
    told = frame[frame["item"] == "deployments whose repository is not known"]
    assert list(told["state"]) == ["1: unknown"]


def test_what_it_delivered_follows(workplace: Path) -> None:
    made = shas(workplace)
    push(workplace, "first", made["shop"][0], finished_at="2026-02-01T12:00:00Z")
    push(workplace, "second", made["shop"][2])
    assert rows(workplace, "select deployment, outcome from stream_deployments order by 1") == [
        ("first", "baseline"),
        ("second", "delivered"),
    ]


def test_a_commit_that_two_repositories_have_tells_nothing(workplace: Path) -> None:
    history = History(workplace / "shop")
    sha = history.commit("Shared", at="2026-02-01T10:00Z")
    history.git("clone", "-q", str(workplace / "shop"), str(workplace / "web"))
    push(workplace, "either", sha)
    assert rows(workplace, BY_ID) == [("either", "")]


def test_a_deployment_that_is_told_more_of_stays_one(workplace: Path) -> None:
    made = shas(workplace)
    push(workplace, "d", made["shop"][2], status="running", finished_at=None)
    assert rows(workplace, "select id, repository, status from deployments") == [
        ("d", "example.org/acme/shop", "running")
    ]
    push(workplace, "d", made["shop"][2])
    expected = [("d", "example.org/acme/shop", "succeeded")]
    for _ in range(2):
        assert rows(workplace, "select id, repository, status from deployments") == expected


def test_commits_that_come_later_tell_it_then(workplace: Path) -> None:
    made = shas(workplace)
    both = (workplace / "dora.toml").read_text()
    (workplace / "dora.toml").write_text(both[both.index('[[sources]]\nname = "web"') :])
    push(workplace, "d", made["shop"][2])
    assert rows(workplace, BY_ID) == [("d", "")]
    (workplace / "dora.toml").write_text(both)
    assert rows(workplace, BY_ID) == [("d", "example.org/acme/shop")]
