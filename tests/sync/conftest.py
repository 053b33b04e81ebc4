"""Where the stores of these tests are, and the key that names of persons are hidden by."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key for all, as nobody's own may be touched."""
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that is not there yet."""
    return tmp_path / "dora.duckdb"
