"""A store that is open, and what has been built of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dora import models
from dora.metrics.scopes import Directory
from dora.rules import Rules

if TYPE_CHECKING:
    import duckdb

    from dora.config import Config

_KEPT = 4
"""How many sets of rules stay built, so that going back and forth between two costs nothing."""


class Session:
    """A store that is open, and what has been built of it; shared by all that is asked of it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._opened: duckdb.DuckDBPyConnection | None = None  # for `now`, then for a workspace
        if config.bare:
            self._opened = self.connect()
            self.config = _as_synced(config, self._opened)
        self._spaces: dict[tuple[Rules, datetime], models.Workspace] = {}
        self._directories: dict[tuple[Rules, datetime], Directory] = {}
        self._now: datetime | None = None

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the store's facts, for reading."""
        from dora import store

        return store.connect(self.config.store)

    def now(self) -> datetime:
        """What stands for now: when the source furthest behind was asked, or the newest fact."""
        if self._now is None:
            from dora import store

            self._opened = self._opened or self.connect()
            synced = store.freshness(self._opened)
            named = {source.name for source in self.config.sources}
            read = (moment for name, moment in synced.items() if not named or name in named)
            chosen = min(read, default=None)  # a source that was given up is behind for ever
            if chosen is None or self.config.as_of == "newest":
                chosen = store.newest_fact(self._opened) or chosen
            self._now = chosen or datetime.now(UTC)
        return self._now

    def configured_services(self) -> tuple[str, ...]:
        """The services that the configuration names, or that of the last sync did."""
        if not self.config.bare:
            return tuple(service.name for service in self.config.services)
        from dora import services

        connection = self.connect()
        try:
            return tuple(service.name for service in services.remembered(connection).services)
        finally:
            connection.close()

    def workspace(self, rules: Rules, as_of: datetime) -> tuple[models.Workspace, Directory]:
        """The derived tables for some rules and time, built when first asked for."""
        key = (rules, as_of)
        if key not in self._spaces:
            while len(self._spaces) >= _KEPT:
                oldest = next(iter(self._spaces))
                del self._spaces[oldest], self._directories[oldest]
            space = self._open(rules, as_of)
            self._spaces[key], self._directories[key] = space, Directory.read(space)
        return self._spaces[key], self._directories[key]

    def _open(self, rules: Rules, as_of: datetime) -> models.Workspace:
        for other in self._spaces.values():  # what no differing rule touches stays built
            return other.with_rules(rules, as_of=as_of)
        opened, self._opened = self._opened, None
        return models.open_workspace(
            self.config.store,
            config=self.config,
            rules=rules,
            as_of=as_of,
            zone=self.config.timezone,
            opened=opened,
        )


def _as_synced(config: Config, connection: duckdb.DuckDBPyConnection) -> Config:
    """A bare store, read as the configuration that it was filled with says."""
    from dora import store

    known = store.meant_to_be_read(connection)
    newest = known.get("as_of") == "newest"
    zone = known.get("timezone", config.timezone)
    return replace(config, timezone=zone, as_of="newest" if newest else "sync")
