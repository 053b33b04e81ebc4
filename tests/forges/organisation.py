"""An organisation on a forge that lives: repositories, and everything that can happen to them.

A story is told by calling verbs, each with its time; what is told can be served as GitHub or as
GitLab, between any two sentences. Numbers and object ids depend on the story alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.forges.repository import Moment, Repository, at

__all__ = ["Moment", "Organisation", "Repository", "at"]


@dataclass(slots=True)
class Organisation:
    """Everything on one host.

    Attributes:
        name: The organisation or group that owns the repositories.
        repositories: Those that are there, by id.
        moved: Ids by paths that repositories had before.
        lock: Held while something is told or served.
    """

    name: str
    repositories: dict[int, Repository] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: Iterator[int] = field(default_factory=lambda: count(1001))

    def add(self, name: str, *, owner: str | None = None, **more: Any) -> Repository:
        """A new, empty repository."""
        repository = Repository(next(self._ids), owner or self.name, name, self._ids, **more)
        self.repositories[repository.id] = repository
        return repository

    def find(self, path: str) -> Repository | None:
        """The repository of that path, or that once had it."""
        for repository in self.repositories.values():
            if repository.path.casefold() == path.casefold():
                return repository
        return self.repositories.get(self.moved.get(path.casefold(), 0))

    def __getitem__(self, name: str) -> Repository:
        found = self.find(f"{self.name}/{name}")
        if found is None:
            raise KeyError(name)
        return found

    def rename(self, name: str, new: str) -> None:
        """Give a repository another name; the old one leads to it."""
        repository = self[name]
        self.moved[repository.path.casefold()] = repository.id
        repository.name = new

    def transfer(self, name: str, owner: str) -> None:
        """Give a repository to another owner; the old name leads to it."""
        repository = self[name]
        self.moved[repository.path.casefold()] = repository.id
        repository.owner = owner

    def delete(self, name: str) -> None:
        """Let a repository be gone."""
        del self.repositories[self[name].id]
