"""A GitHub on loopback with the scenario on it, and the token to read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation
from tests.forges.scenario import acme


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One token, and the key that names of persons are hidden by."""
    monkeypatch.setenv("FORGE_TOKEN", "ghp_good")
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")


@pytest.fixture
def organisation() -> Organisation:
    """All of the scenario."""
    return acme()


@pytest.fixture
def host(organisation: Organisation) -> Iterator[GitHubHost]:
    """A host that serves it."""
    with GitHubHost(organisation) as serving:
        yield serving
