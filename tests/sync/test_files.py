"""Files as a source, through a whole sync: what is refused, mended and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from dora import config, sync
from dora.config import Config
from tests.sync.reading import rows

HEADER = "id,repository,environment,status,finished_at\n"
GOOD = "1,example.org/acme/shop,production,succeeded,2026-01-05T10:00:00Z\n"
BAD = "2,example.org/acme/shop,production,exploded,2026-01-06T10:00:00Z\n"
MENDED = "2,example.org/acme/shop,production,failed,2026-01-06T10:00:00Z\n"


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    (tmp_path / "dora.toml").write_text(
        '[[sources]]\nname = "csv"\nkind = "files"\npath = "*.csv"\n'
    )
    (tmp_path / "deployments.csv").write_text(HEADER + GOOD + BAD)
    return config.load(tmp_path / "dora.toml")


def test_a_bad_row_is_put_aside_with_its_place_and_the_rest_comes_in(settings: Config) -> None:
    (source,) = sync.sync(settings).sources
    assert dict(source.new) == {"deployments": 1}
    assert dict(source.rejected) == {"deployments": 1}
    ((place, reason),) = rows(settings.store, "select location, reason from quarantine")
    assert place == "deployments.csv:3"
    assert "exploded" in str(reason)


def test_a_row_that_is_mended_comes_in_and_is_no_longer_held_against_the_file(
    settings: Config,
) -> None:
    sync.sync(settings)
    (settings.base / "deployments.csv").write_text(HEADER + GOOD + MENDED)
    sync.sync(settings)
    assert rows(settings.store, "select count(*) from quarantine") == [(0,)]
    assert rows(settings.store, "select id, status from deployments order by id") == [
        ("1", "succeeded"),
        ("2", "failed"),
    ]


def test_a_row_that_is_taken_out_of_its_file_leaves_the_store(settings: Config) -> None:
    sync.sync(settings)
    (settings.base / "deployments.csv").write_text(HEADER + MENDED)
    (source,) = sync.sync(settings).sources
    assert dict(source.removed) == {"deployments": 1}
    assert rows(settings.store, "select id from deployments") == [("2",)]


def test_a_file_that_is_gone_takes_its_facts_and_refusals_along(settings: Config) -> None:
    sync.sync(settings)
    (settings.base / "deployments.csv").rename(settings.base / "deployments.csv.old")
    (settings.base / "incidents.csv").write_text("id,detected_at\nI-1,2026-01-05T11:00:00Z\n")
    sync.sync(settings)
    assert rows(settings.store, "select count(*) from deployments") == [(0,)]
    assert rows(settings.store, "select count(*) from quarantine") == [(0,)]
