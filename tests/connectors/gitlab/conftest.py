"""A GitLab on loopback with the scenario on it, and connectors and syncs against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.gitlab.asking import VARIABLE
from tests.forges.gitlab_host import GOOD, GitLabHost
from tests.forges.scenario import acme


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One token, and nothing of the user's own."""
    for name in [one for one in os.environ if one.startswith("GITLAB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv(VARIABLE, GOOD)
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")


@pytest.fixture
def host() -> Iterator[GitLabHost]:
    """The scenario at the end of its month."""
    with GitLabHost(acme()).serving() as serving:
        yield serving
