from __future__ import annotations

from pathlib import Path

import pytest

from connectors.git import Git
from connectors.testing import ConnectorContract
from dora.connector import Connector
from tests.repositories import History


def shop(folder: Path) -> Path:
    """A history with something of everything the connector reads."""
    path = folder / "shop"
    if path.exists():
        return path
    history = History(path)
    history.origin("git@github.com:acme/shop.git")
    first = history.commit("Add the cart (#1)", files={"cart.py": "a\nb\n"})
    broken = history.commit("Speed it up", author="Grace Hopper <grace@example.org>",
                            files={"cart.py": "a\n"})  # fmt: skip
    history.tag("v1.0", broken, at="2026-01-02T00:00Z")
    undo = history.commit("Revert it", body=f"This reverts commit {broken}.",
                          files={"cart.py": "a\nb\n"})  # fmt: skip
    side = history.commit("Fix", branch="release", parents=[first], files={"fix.py": "x\n"})
    history.commit("Fix", parents=[undo], files={"fix.py": "x\n"},
                   body=f"(cherry picked from commit {side})")  # fmt: skip
    history.tag("v1.0.1", side)
    history.tag("v2.0-rc1", undo)
    return history.path


class TestGit(ConnectorContract):
    def make(self, folder: Path) -> Connector:
        return Git("git", Git.Options(path=str(shop(folder)), **self.options()), base=folder)

    def options(self) -> dict[str, object]:
        return {"deployments": ["tags:v*"]}

    def broken(self, folder: Path) -> Connector:
        return Git("git", Git.Options(path="nowhere"), base=folder)


class TestGitByMergesWithAllThatCosts(TestGit):
    def options(self) -> dict[str, object]:
        return {"deployments": ["merges:main"], "line_counts": True, "patch_ids": True}


class TestGitByAFileOfDeployments(TestGit):
    def options(self) -> dict[str, object]:
        return {"deployments": ["file:deployments.csv"]}

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        text = "version,finished_at\n1.0,2026-01-03T00:00:00Z\n"
        (tmp_path / "deployments.csv").write_text(text)
