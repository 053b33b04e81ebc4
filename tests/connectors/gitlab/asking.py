"""What the tests of the GitLab connector have in common."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from connectors.gitlab import GitLab
from connectors.testing import Waits
from dora.config import Config, Source
from dora.records import RECORD_TYPES, columns
from dora.sync import Summary, sync
from tests.forges.gitlab_host import GitLabHost
from tests.forges.scenario import INCIDENT_LABELS, RULES

VARIABLE = "ACME_GITLAB_TOKEN"


class InNoTime(Waits):
    """Waits as a sync makes them, that take no time."""

    def __init__(self, longest: timedelta | None = None, **others: Any) -> None:
        super().__init__(longest)
        self.stopped = others.get("stopped") or self.stopped


def options(host: GitLabHost, **changes: Any) -> dict[str, Any]:
    """The keys of a source for the scenario."""
    return {
        "url": host.url,
        "token_env": VARIABLE,
        "groups": ["acme"],
        "deployments": list(RULES),
        "incidents": {"labels": list(INCIDENT_LABELS)},
        "builds": True,
        **changes,
    }


def connector(host: GitLabHost, **changes: Any) -> GitLab:
    """A connector to the host that waits without taking time."""
    made = GitLab("acme", GitLab.Options(**options(host, **changes)), base=Path())
    made.patience = Waits()
    return made


def config(host: GitLabHost, store: Path, **changes: Any) -> Config:
    """A configuration with the host as its one source."""
    made = GitLab.Options(**options(host, **changes))
    source = Source("acme", "gitlab", made, ("*",))
    return Config(
        path=store.parent / "dora.toml", base=store.parent, store=store, sources=(source,)
    )


def synced(
    host: GitLabHost,
    store: Path,
    *,
    only: str | None = None,
    full: bool = False,
    reconcile: bool = False,
    **changes: Any,
) -> Summary:
    """Sync the host into a store."""
    return sync(config(host, store, **changes), only=only, full=full, reconcile=reconcile)


def rows(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the fact tables of a store, in an order of its own."""
    with duckdb.connect(str(store), read_only=True) as connection:
        found = {}
        for record_type in RECORD_TYPES:
            names = ", ".join(f'"{name}"' for name in ("source", *columns(record_type)))
            listed = connection.execute(f"select {names} from {record_type.table}").fetchall()
            found[record_type.table] = sorted(listed, key=repr)
        return found


def cursors(store: Path) -> dict[str, Any]:
    """Where every stream of a store stands, by table and part."""
    with duckdb.connect(str(store), read_only=True) as connection:
        kept = connection.execute("select stream, part, cursor from cursors").fetchall()
    return {f"{stream}/{part or ''}": json.loads(text) for stream, part, text in kept}
