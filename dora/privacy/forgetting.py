"""Taking persons out of a store: one, or all of them by another key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora.config import Config
from dora.errors import UsageError
from dora.identities import FORGOTTEN, Forgotten, Identities, new_key, person_in
from dora.records import RECORD_TYPES, columns
from dora.store import Writer
from dora.store.schema import write_meta

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAME = re.compile(r"^([^<]*)<")
_LEAST_NAME = 3
"""Shorter names are found inside other words, and are left where they stand."""
_TEXTS = {"quarantine": ("location", "reason", "content"), "syncs": ("summary",)}


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out.

    Attributes:
        rows: How many facts named who was forgotten.
        texts: How many texts had the name or the address in them.
    """

    rows: int
    texts: int = 0


def forget(config: Config, person: str) -> Erased:
    """Take one person out of the store, for good and for every sync to come.

    Facts stay, without saying whose they are. The name and the address are taken out of titles,
    subjects and messages too, and the file is written anew.

    Args:
        config: Whose store it is.
        person: As the sources name the person: `Ada <ada@example.org>`, an address or a login.

    Raises:
        UsageError: Nobody is named.
        StoreError: The store is missing or cannot be written, or another sync is running.
    """
    if not person_in(person):
        raise UsageError("Nobody is named.", hint='Name one: dora forget "Ada <ada@example.org>".')
    _existing(config)
    identities = _identities(config)
    Forgotten.of(config.store).add(person_in(person))
    with Writer.open(config.store, identities=identities) as writer:
        with writer.erasing() as gone:
            rows = _replace(writer.connection, *_whose(identities, person))
            texts = _redact(writer.connection, person)
            gone |= {"facts": rows, "texts": texts}
        writer.publish()
    return Erased(rows, texts)


def forget_all(config: Config) -> Erased:
    """Put another key behind the pseudonyms, so that no old key tells who anybody was.

    No fact says whose it is until the next sync, which reads everything again under the new key.

    Raises:
        UsageError: Names are kept in plain words.
        StoreError: The store is missing or cannot be written, another sync is running, or the key
            stands in an environment variable.
    """
    if config.identities == "plain":
        raise UsageError(
            "There is no key: names are kept in plain words.",
            hint='Set identities = "pseudonyms" in dora.toml and run `dora sync --full`.',
        )
    _existing(config)
    with Writer.open(config.store, identities=_identities(config)) as writer:
        key = new_key(config.store)
        fresh = Identities("pseudonyms", key, config.rules.bots)
        with writer.erasing() as gone:
            rows = _replace(writer.connection)
            writer.connection.execute("delete from cursors")
            write_meta(writer.connection, "identities", fresh.fingerprint)
            gone |= {"facts": rows}
        writer.publish()
    return Erased(rows)


def _existing(config: Config) -> None:
    from dora import store

    store.connect(config.store).close()


def _identities(config: Config) -> Identities:
    return Identities.for_store(
        config.store, config.identities, config.rules.bots, titles=config.store_titles
    )


def _whose(identities: Identities, person: str) -> tuple[str, str]:
    """A test of an identity column, `{}`, that holds for one person, and the value it asks for."""
    if identities.mode == "plain":
        address = "coalesce(nullif(trim(regexp_extract({0}, '<([^<>]*)>', 1)), ''), trim({0}))"
        return f"lower({address}) = $whose", person_in(person)
    return "{0} = $whose", identities.trace(person)


def _replace(connection: DuckDBPyConnection, test: str = "", whose: str = "") -> int:
    """Let facts no longer say whose they are: those of one person, or all of them."""
    changed = 0
    given = {"forgotten": FORGOTTEN} | ({"whose": whose} if test else {})
    for record_type in RECORD_TYPES:
        for name in (c.name for c in columns(record_type).values() if c.identity):
            asked = test.format(name) if test else "true"
            rows = connection.execute(
                f"update {record_type.table} set {name} = $forgotten"
                f" where {name} <> $forgotten and {asked}",
                given,
            ).fetchall()
            changed += int(rows[0][0])
    return changed


def _redact(connection: DuckDBPyConnection, person: str) -> int:
    """Take a person's name and address out of what people and sources wrote."""
    name = _NAME.match(person)
    said = [person_in(person), name[1].strip() if name else ""]
    pattern = "|".join(re.escape(one) for one in said if len(one) >= _LEAST_NAME)
    texts = {
        t.table: tuple(c.name for c in columns(t).values() if c.free_text) for t in RECORD_TYPES
    }
    changed = 0
    for table, names in {**texts, **_TEXTS}.items() if pattern else ():
        for column in names:
            rows = connection.execute(
                f"update {table} set {column} = regexp_replace({column}, $pattern, '…', 'gi')"
                f" where regexp_matches({column}, $pattern, 'i')",
                {"pattern": pattern},
            ).fetchall()
            changed += int(rows[0][0])
    return changed
