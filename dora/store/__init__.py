"""The DuckDB file that holds the facts: read by anybody at any time, written by one sync."""

from __future__ import annotations

from dora.store.reader import (
    connect,
    duplicates,
    freshness,
    meant_to_be_read,
    memory,
    newest_fact,
)
from dora.store.schema import SCHEMA_VERSION, create_tables
from dora.store.tally import Tally
from dora.store.writer import Writer

__all__ = [
    "SCHEMA_VERSION",
    "Tally",
    "Writer",
    "connect",
    "create_tables",
    "duplicates",
    "freshness",
    "meant_to_be_read",
    "memory",
    "newest_fact",
]
