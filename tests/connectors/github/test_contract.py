"""The GitHub connector keeps every connector's promises, over real HTTP to a whole organisation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.github import GitHub
from connectors.github.options import Options
from connectors.testing import ConnectorContract, Waits
from dora.connector import Connector
from tests.forges.github_host import GitHubHost
from tests.forges.scenario import INCIDENT_LABELS, RULES, acme


class TestGitHub(ConnectorContract):
    @pytest.fixture(autouse=True)
    def _host(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("GITHUB_TOKEN", "ghp_good")
        with GitHubHost(acme()) as host:
            self.url = host.url
            yield

    def make(self, folder: Path, url: str | None = None) -> Connector:
        options = Options(
            url=url or self.url,
            groups=["acme"],
            deployments=RULES,
            incidents={"labels": INCIDENT_LABELS},
            page_size=10,
        )
        connector = GitHub("acme", options, base=folder)
        connector.patience = Waits()
        return connector

    def broken(self, folder: Path) -> Connector | None:
        with GitHubHost(acme()) as gone:
            url = gone.url
        return self.make(folder, url)
