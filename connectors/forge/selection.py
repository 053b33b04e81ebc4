"""Which repositories are meant: by name, by wildcard, but for those left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dora.patterns import wildcard


@dataclass(frozen=True, slots=True)
class Selection:
    """Repositories by their paths, such as owner/name; `*` stands for anything, case is ignored.

    Attributes:
        include: Paths and wildcards of those that are meant.
        exclude: Wildcards of those that are not.
    """

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @property
    def singles(self) -> tuple[str, ...]:
        """Those named one by one."""
        return tuple(one for one in self.include if "*" not in one)

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The others, that must be looked for."""
        return tuple(one for one in self.include if "*" in one)

    def takes(self, path: str) -> bool:
        """Whether a repository is meant."""
        return bool(wildcard(self.include).match(path)) and not self.leaves_out(path)

    def leaves_out(self, path: str) -> bool:
        """Whether a repository is excluded."""
        return bool(wildcard(self.exclude).match(path))

    def choose(self, paths: Iterable[str]) -> list[str]:
        """Those that are meant, each once, in order of their names."""
        included, excluded = wildcard(self.include), wildcard(self.exclude)
        return sorted({p for p in paths if included.match(p) and not excluded.match(p)})

    def in_vain(self, paths: Iterable[str]) -> list[str]:
        """Wildcards that fit none of the paths: misspelt, or not to be seen."""
        known = list(paths)
        return [
            one for one in self.wildcards if not any(wildcard([one]).match(path) for path in known)
        ]
