"""What environments are called, and in which of them an incident counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.cdevents.events import Event
from connectors.journal import Position
from dora import patterns
from dora.environments import by_words

_NOT_PRODUCTION = frozenset({"staging", "test", "development"})


class Names:
    """The newest name of each environment, which others refer to by its id, and who told it."""

    def __init__(self, events: Iterable[Event], copies: Mapping[int, Sequence[Position]]) -> None:
        self._names: dict[str, str] = {}
        self._lines: dict[str, list[Position]] = {}
        for event in sorted(events, key=lambda event: event.order):
            if event.subject == "environment" and event.predicate in ("created", "modified"):
                self._lines.setdefault(event.subject_id, []).extend(copies[id(event)])
                if name := str(event.content.get("name") or ""):
                    self._names[event.subject_id] = name

    def of(self, id_: str) -> tuple[str, tuple[Sequence[Position], ...]]:
        """The name of an environment, its id where none is told, and the lines that bear on it."""
        lines = self._lines.get(id_)
        return self._names.get(id_, id_), (lines,) if lines else ()


class Where:
    """Tells whether an incident counts by where it was.

    Args:
        environments: Wildcards of those whose incidents count; without any, all count but those
            whose names say staging, test or development.

    Attributes:
        elsewhere: How many did not count.
    """

    def __init__(self, environments: Sequence[str]) -> None:
        self._pattern = patterns.wildcard(environments) if environments else None
        self.elsewhere = 0

    def counts(self, environment: str) -> bool:
        """Whether an incident there counts."""
        if self._pattern is not None:
            counts = bool(self._pattern.match(environment))
        else:
            counts = by_words(environment) not in _NOT_PRODUCTION
        self.elsewhere += not counts
        return counts
