"""The scenario on a GitHub made for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation
from tests.forges.scenario import acme


@pytest.fixture
def organisation() -> Organisation:
    """All of the scenario."""
    return acme()


@pytest.fixture
def host(organisation: Organisation) -> Iterator[GitHubHost]:
    """A host that serves it."""
    with GitHubHost(organisation) as serving:
        yield serving
