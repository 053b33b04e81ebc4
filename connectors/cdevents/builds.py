"""From an artifact to the commit it was built from, by what the events say of both.

A service event names what it deploys by a package URL and no commit. The event `artifact packaged`
ties the same URL to a change: the commit itself, or the id of a change whose merging another event
tells. Some package URLs name their commit themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from connectors.cdevents.events import Event
from connectors.journal import Position
from dora.addresses import repository_name

_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_SHORT = re.compile(r"(?=[0-9a-f]*[a-f])[0-9a-f]{7,63}", re.IGNORECASE)
_DIGEST = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]{64,128}")
_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What an artifact was built from, as far as it is known, and the lines that bear on that."""

    sha: str = ""
    repository: str = ""
    groups: tuple[Sequence[Position], ...] = ()


def commit(text: Any) -> str:
    """A commit's id, if a text is one; a number alone may be that of a change."""
    word = str(text or "").strip()
    return word.lower() if _FULL.fullmatch(word) or _SHORT.fullmatch(word) else ""


@lru_cache(maxsize=100_000)
def _parts(artifact: str) -> tuple[str, dict[str, str]]:
    """A package URL without its qualifiers, in one form, and the qualifiers."""
    bare, _, rest = artifact.strip().partition("#")[0].partition("?")
    pairs = (part.partition("=") for part in rest.split("&") if part)
    qualifiers = {name.lower(): unquote(value) for name, _, value in pairs}
    scheme, colon, path = bare.partition(":")
    if scheme.lower() != "pkg" or not colon:
        return unquote(bare), qualifiers
    kind, _, name = path.strip("/").partition("/")
    name = unquote(name)
    if kind.lower() in {"oci", "docker", "github", "bitbucket"}:
        name = name.lower()
    return f"pkg:{kind.lower()}/{name}", qualifiers


def key(artifact: str) -> str:
    """An artifact's name without what only says where it is found."""
    return _parts(artifact)[0]


def version(artifact: str) -> str:
    """The version in a package URL, or the tag that stands beside a digest."""
    bare, qualifiers = _parts(artifact)
    stated = bare.rpartition("@")[2] if bare.startswith("pkg:") and "@" in bare else ""
    digest = ":" in stated or commit(stated)
    return qualifiers.get("tag", "") if digest else stated


def digest(artifact: str) -> str:
    """The digest in a package URL or the name of an image, with its algorithm; else empty."""
    stated = _parts(artifact)[0].rpartition("@")[2].lower()
    return stated if _DIGEST.fullmatch(stated) else ""


def _by_itself(artifact: str) -> tuple[str, str]:
    """The commit and the repository that a package URL names."""
    bare, qualifiers = _parts(artifact)
    address, _, revision = qualifiers.get("vcs_url", "").partition("#")[0].rpartition("@")
    if address and commit(revision):
        named = repository_name(address.removeprefix("git+")) or ""
        return commit(revision), named
    kind, _, name = bare.removeprefix("pkg:").partition("/")
    path, _, revision = name.rpartition("@")
    if kind in _HOSTS and path and _FULL.fullmatch(revision):
        return revision.lower(), f"{_HOSTS[kind]}/{path}"
    return "", ""


class Builds:
    """What the events say of artifacts and changes.

    Args:
        host: Of repositories that are named without one.
        copies: Everywhere that an event stands.
    """

    def __init__(self, host: str | None, copies: Mapping[int, Sequence[Position]]) -> None:
        self._host = host
        self._copies = copies
        self._packaged: dict[str, list[Event]] = {}
        self._chains: dict[str, list[Event]] = {}
        self._merged: dict[str, list[Event]] = {}
        self._lines: dict[int, list[Position]] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Take in those events that tell of artifacts and changes, in their order."""
        for event in sorted(events, key=lambda event: event.order):
            if event.subject == "artifact" and event.predicate in ("packaged", "published"):
                self._packaged.setdefault(key(event.subject_id), []).append(event)
                if event.chain:
                    self._chains.setdefault(event.chain, []).append(event)
            elif event.subject == "change" and event.predicate == "merged":
                self._merged.setdefault(event.subject_id, []).append(event)

    def origin(self, artifact: str, chain: str = "") -> Origin:
        """What an artifact was built from: by its name, its packaging, or what shares a chain."""
        sha, repository = _by_itself(artifact)
        if sha:
            return Origin(sha, repository)
        packaged = self._packaged.get(key(artifact), []) if artifact else []
        found = next(self._known(packaged), Origin())
        groups = [self._positions(packaged)]
        if not found.sha and chain:
            together = self._chains.get(chain, [])
            groups.append(self._positions(together))
            known = list(self._known(together))
            if len({one.sha for one in known}) == 1:
                found = known[0]
        waits = [self._positions(self._merged.get(event.reference("change"), []))
                 for event in packaged]  # fmt: skip
        return Origin(found.sha, found.repository, tuple(g for g in (*groups, *waits) if g))

    def _known(self, packaged: Sequence[Event]) -> Iterator[Origin]:
        for event in packaged:
            change = event.content.get("change")
            stated = event.reference("change")
            merged = self._merged.get(stated, [])
            sha = commit(event.extra.get("sha")) or commit(stated)
            sha = sha or next((s for m in merged if (s := commit(m.extra.get("sha")))), "")
            if not sha:
                continue
            address = change.get("source") if isinstance(change, dict) else ""
            named = self.repository(event.extra.get("repository") or address)
            for one in merged if not named else ():
                named = named or self._of_change(one)
            yield Origin(sha, named)

    def repository(self, address: Any) -> str:
        """The name of a repository, with the host that is configured if it names none."""
        text = str(address or "").strip()
        bare = self._host and re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+", text)
        return repository_name(text) or (f"{self._host}/{text}" if bare else "")

    def _of_change(self, event: Event) -> str:
        held = event.content.get("repository")
        if not isinstance(held, dict):
            return ""
        id_, source = str(held.get("id") or ""), str(held.get("source") or "")
        return self.repository(id_) or self.repository(f"{source.rstrip('/')}/{id_}")

    def _positions(self, events: list[Event]) -> list[Position]:
        """Where events stand: one list for all who ask for it."""
        if not events:
            return []
        if id(events) not in self._lines:
            self._lines[id(events)] = [p for event in events for p in self._copies[id(event)]]
        return self._lines[id(events)]
