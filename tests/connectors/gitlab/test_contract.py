"""The GitLab connector keeps what every connector promises, over HTTP and with the real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.gitlab import GitLab
from connectors.testing import ConnectorContract
from dora.connector import Connector
from tests.connectors.gitlab.asking import connector
from tests.forges.gitlab_host import GitLabHost, Token
from tests.forges.scenario import acme


class TestGitLab(ConnectorContract):
    @pytest.fixture(autouse=True)
    def hosts(self) -> Iterator[None]:
        with GitLabHost(acme()).serving() as good, GitLabHost(acme()).serving() as bad:
            bad.tokens = {"another": Token()}
            self._good, self._bad = good, bad
            yield

    def make(self, folder: Path) -> Connector:
        made: GitLab = connector(self._good)
        return made

    def broken(self, folder: Path) -> Connector:
        made: GitLab = connector(self._bad)
        return made
