"""What follows from facts once they are read: derived tables, and what is not to be kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from dora import lineage, repositories, services
from dora.config import Config
from dora.privacy import retention
from dora.store import Writer
from dora.store.schema import SCHEMA_VERSION, read_meta, write_meta
from dora.sync.summaries import named

log = logging.getLogger(__name__)


def derive(writer: Writer, config: Config) -> None:
    """Make anew what follows from facts and services, unless neither is different."""
    connection = writer.connection
    mapping = services.remembered(connection) if config.bare else services.Directory.of(config)
    basis = hashlib.sha256(f"{SCHEMA_VERSION} {mapping.text()}".encode()).hexdigest()
    if read_meta(connection, "derived") == basis:
        return
    log.info("deriving services and lineage")
    repositories.settle(connection)
    services.write(connection, config)
    lineage.update(connection)
    write_meta(connection, "derived", basis)


def erase(writer: Writer, config: Config) -> tuple[str, ...]:
    """Take out what is not to be kept, or no longer, and say what that was."""
    connection = writer.connection
    said = []
    if not config.store_titles:
        with writer.erasing() as texts:
            texts |= retention.drop_texts(connection)
        said += _erased(texts, "without their texts now")
    first = config.privacy.kept_from(datetime.now(UTC), config.timezone)
    if first is not None:
        until = retention.begins(first, config.timezone)
        with writer.erasing() as events:
            events |= retention.purge_events(connection, until)
        derive(writer, config)  # what was delivered by then is told by what is left
        with writer.erasing() as changes:
            changes |= retention.purge_changes(connection, until)
        said += _erased({**events, **changes}, f"of before {first} taken out")
    if said:
        derive(writer, config)
    return tuple(said)


def _erased(rows: Mapping[str, int], what: str) -> list[str]:
    listed = ", ".join(f"{n:,} {named(table, n)}" for table, n in rows.items())
    return [f"{listed} {what}."] if rows else []
