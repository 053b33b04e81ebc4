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

FORGOTTEN = "forgotten"
"""What stands for everybody who was forgotten: told apart from the others, not from each other."""

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
        forgotten: Who is not to be known again.
        titles: Whether subjects and titles are kept.
    """

    def __init__(
        self,
        mode: Mode,
        key: str,
        bots: Sequence[str],
        *,
        forgotten: Forgotten | None = None,
        titles: bool = True,
    ) -> None:
        self.mode = mode
        self.titles = titles
        self._key = key.encode()
        self._bots = wildcard(bots)
        self._forgotten = forgotten or Forgotten()
        self._known: dict[str, tuple[str, bool]] = {}

    @classmethod
    def for_store(
        cls, path: Path, mode: Mode, bots: Sequence[str], *, titles: bool = True
    ) -> Identities:
        """With the key of that store: from DORA_IDENTITY_KEY, else from the file beside it.

        The file `<store>.key` is made when it is not there, readable by its owner only.

        Raises:
            StoreUnreadable: The key's file cannot be read or made.
        """
        key = _key_of(path) if mode == "pseudonyms" else ""
        return cls(mode, key, bots, forgotten=Forgotten.of(path), titles=titles)

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
        kept = FORGOTTEN if person_in(raw) in self._forgotten else self.trace(raw)
        self._known[raw] = (kept, self._bots.match(raw) is not None)
        return self._known[raw]

    def trace(self, raw: str) -> str:
        """What the store keeps for a person who is not forgotten."""
        return raw if self.mode == "plain" else self._hash(person_in(raw))

    def _hash(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()[:_LENGTH]

    def redact(self, text: str) -> str:
        """A message without the e-mail addresses in it."""
        return text if self.mode == "plain" else _EMAIL.sub("…", text)


def person_in(raw: str) -> str:
    """What tells a person apart in a text such as `Ada <ada@example.org>`: the address, if any."""
    email = _IN_BRACKETS.search(raw)
    return (email.group(1) if email and email.group(1).strip() else raw).strip().casefold()


class Forgotten:
    """The people whom a store is not to know again, in a file beside it that names none of them.

    The file `<store>.forgotten` holds a salt and, for each person, a hash under it.

    Args:
        path: The file; None for nobody.
        salt: Its salt.
        hashes: The people.
    """

    def __init__(
        self, path: Path | None = None, salt: str = "", hashes: Iterable[str] = ()
    ) -> None:
        self._path = path
        self._salt = salt
        self._hashes = set(hashes)

    @classmethod
    def of(cls, store: Path) -> Forgotten:
        """Those of a store.

        Raises:
            StoreUnreadable: The file is there and cannot be understood.
        """
        path = store.with_name(f"{store.name}.forgotten")
        if not path.exists():
            return cls(path, secrets.token_hex(16))
        try:
            salt, *hashes = path.read_text(encoding="utf-8").split()
        except (OSError, ValueError) as error:
            raise StoreUnreadable(
                f"Who is to stay forgotten cannot be read from {path}.",
                hint="Restore the file; without it, people who were forgotten would come back.",
            ) from error
        return cls(path, salt, hashes)

    def __contains__(self, person: str) -> bool:
        return bool(self._hashes) and self._hash(person) in self._hashes

    def add(self, person: str) -> None:
        """Write a person down as one who is not to be known again."""
        if self._path is None:
            raise ValueError("there is no file to write to")
        self._hashes.add(self._hash(person))
        _private(self._path, "\n".join([self._salt, *sorted(self._hashes)])).replace(self._path)

    def _hash(self, person: str) -> str:
        return hmac.new(self._salt.encode(), person.encode(), "sha256").hexdigest()


def new_key(store: Path) -> str:
    """Put another key in the place of the one beside a store, and give it.

    Raises:
        StoreUnreadable: The key comes from DORA_IDENTITY_KEY, where only its owner can change it.
    """
    if os.environ.get(KEY_VARIABLE, "").strip():
        raise StoreUnreadable(
            f"The key behind the pseudonyms stands in {KEY_VARIABLE}.",
            hint="Give the variable another value and read everything again: dora sync --full.",
        )
    key = secrets.token_hex(32)
    path = store.with_name(f"{store.name}.key")
    _private(path, key).replace(path)
    return key


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
    fresh = _private(path, key)
    if path.exists() and path.read_text(encoding="utf-8").strip():  # another sync was quicker
        fresh.unlink()
        return path.read_text(encoding="utf-8").strip()
    fresh.replace(path)
    return key


def _private(path: Path, text: str) -> Path:
    """A file beside `path` with what is to stand there, readable by its owner only."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    return fresh
