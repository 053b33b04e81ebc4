"""What the tests of the GitHub connector have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.github import GitHub
from connectors.testing import Reading, Waits
from tests.forges.github_host import GitHubHost


def source(host: GitHubHost, *rules: str, reconcile: bool = False, **keys: Any) -> GitHub:
    """A connector to a host, by the usual rules or by these, that waits without taking time."""
    options = {"url": host.url, "token_env": "FORGE_TOKEN", "groups": ["acme"], **keys}
    if rules:
        options["deployments"] = rules
    made = GitHub("acme", GitHub.Options.model_validate(options), base=Path())
    made.patience = Waits()
    if reconcile:
        made.reconcile()
    return made


def on(reading: Reading, more: Reading) -> Reading:
    """What is held after another reading."""
    return Reading([*reading.given, *more.given], checkpoints=more.checkpoints)
