"""The GitLab connector keeps what every connector promises, over HTTP and with the real client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.gitlab import GitLab
from connectors.testing import ConnectorContract
from dora.connector import Connector
from tests.connectors.gitlab.asking import connector
from tests.forges.gitlab_host import GitLabHost, Sizes, Token
from tests.forges.scenario import acme


class TestGitLab(ConnectorContract):
    sizes = Sizes()

    @pytest.fixture(autouse=True)
    def hosts(self) -> Iterator[None]:
        good_host, bad_host = GitLabHost(acme(), sizes=self.sizes), GitLabHost(acme())
        with good_host.serving() as good, bad_host.serving() as bad:
            bad.tokens = {"another": Token()}
            self._good, self._bad = good, bad
            yield

    def make(self, folder: Path) -> Connector:
        made: GitLab = connector(self._good)
        return made

    def broken(self, folder: Path) -> Connector:
        made: GitLab = connector(self._bad)
        return made


class TestGitLabInSmallPages(TestGitLab):
    """Every list goes over several pages, each a place where a sync may be cut off."""

    sizes = Sizes(rows=7, counted=5)
