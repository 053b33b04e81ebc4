"""Commits of a repository that is cloned here are read from the clone alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dora import store
from dora.config import load
from tests.forges.github_host import GitHubHost
from tests.forges.scenario import acme
from tests.forges.syncing import configured, synced
from tests.repositories import History

pytestmark = pytest.mark.timeout(60)


def test_commits_are_left_to_a_clone(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.commit("As cloned")
    organisation = acme()
    with GitHubHost(organisation) as host:
        path = configured(tmp_path, "github", host.url).path
        assert path is not None
        clone = f'[[sources]]\nname = "clone"\nkind = "git"\npath = "{history.path}"\n'
        path.write_text(f'{path.read_text()}{clone}repository = "127.0.0.1/acme/shop"\n')
        given = load(path)
        synced(given)
        asked = {one.asked["repository"] for one in host.requests if one.kind == "History"}
    assert asked == {f"R_{organisation[name].id}" for name in ("search", "ledger", "cli")}
    with store.connect(given.store) as connection:
        found = connection.execute(
            "select source, subject from commits where repository like '%/shop'"
        ).fetchall()
    assert found == [("clone", "As cloned")]
