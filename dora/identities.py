"""Names of people, kept as pseudonyms: the same person is the same text, and who it is stays out.

A pseudonym is the start of an HMAC-SHA256 under a key that lives outside the store, so that nobody
who has the store alone can find the names by trying them.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from dora.errors import StoreUnreadable
from dora.patterns import wildcard

Mode = Literal["pseudonyms", "plain"]

KEY_VARIABLE = "DORA_IDENTITY_KEY"
_LENGTH = 16
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_EMAIL = re.compile(r"[^\s<>@,;:\"']+@[^\s<>@,;:\"']*[^\s<>@,;:.\"']")


class Identities:
    """Turns what a source calls a person into what the store keeps, and tells machines apart.

    Args:
        mode: `pseudonyms`, or `plain` to keep the texts as they are.
        key: The secret behind the pseudonyms; of no use in plain mode.
        bots: Patterns of machine accounts, `*` standing for anything; case is ignored.
    """

    def __init__(self, mode: Mode, key: str, bots: Sequence[str]) -> None:
        self.mode = mode
        self._key = key.encode()
        self._bots = wildcard(bots)
        self._known: dict[str, tuple[str, bool]] = {}

    @classmethod
    def for_store(cls, path: Path, mode: Mode, bots: Sequence[str]) -> Identities:
        """With the key of that store: from DORA_IDENTITY_KEY, else from the file beside it.

        The file `<store>.key` is made when it is not there, readable by its owner only.

        Raises:
            StoreUnreadable: The key's file cannot be read or made.
        """
        return cls(mode, _key_of(path) if mode == "pseudonyms" else "", bots)

    @property
    def fingerprint(self) -> str:
        """What two stores share that keep identities alike; says nothing about the key itself."""
        return "plain" if self.mode == "plain" else f"pseudonyms {self._hash('fingerprint')}"

    def pseudonym(self, raw: str) -> str:
        """What the store keeps for a person that a source calls `raw`."""
        return self.known([raw])[0][0]

    def is_bot(self, raw: str) -> bool:
        """Whether `raw` matches any of the patterns of machine accounts."""
        return self.known([raw])[0][1]

    def known(self, raws: Iterable[str]) -> list[tuple[str, bool]]:
        """For each text, what the store keeps and whether it is a machine; each is made once."""
        return [self._known.get(raw) or self._learn(raw) for raw in raws]

    def _learn(self, raw: str) -> tuple[str, bool]:
        email = _IN_BRACKETS.search(raw)
        person = (email.group(1) if email and email.group(1).strip() else raw).strip()
        kept = raw if self.mode == "plain" else self._hash(person.casefold())
        self._known[raw] = (kept, self._bots.match(raw) is not None)
        return self._known[raw]

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()[:_LENGTH]

    def redact(self, text: str) -> str:
        """A message without the e-mail addresses in it."""
        return text if self.mode == "plain" else _EMAIL.sub("…", text)


def _key_of(store: Path) -> str:
    given = os.environ.get(KEY_VARIABLE, "").strip()
    if given:
        return given
    path = store.with_name(f"{store.name}.key")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        return kept or _make_key(path)
    except OSError as error:
        raise StoreUnreadable(
            f"The key behind the pseudonyms cannot be read or made: {error}.",
            hint=f"Give it in {KEY_VARIABLE}, or make {path} readable and writable for this user.",
        ) from error


def _make_key(path: Path) -> str:
    key = secrets.token_hex(32)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and path.read_text(encoding="utf-8").strip():  # another sync was quicker
        fresh.unlink()
        return path.read_text(encoding="utf-8").strip()
    fresh.replace(path)
    return key
