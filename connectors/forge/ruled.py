"""Reading what a repository deployed, one signal after the other, each told only once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from connectors.forge.deploying import DeploymentRule, Trust, all_of_a_rule
from connectors.http.errors import Absent
from dora.connector import Checkpoint, Item, Only, Unread
from dora.records import Deployment

JSON: TypeAlias = dict[str, Any]


class RuledReading(ABC):
    """One reading of one repository by all rules; a forge says what its signals are read from.

    Args:
        rules: The rules, the most trusted first.
        repository: Its canonical name.
        state: What its cursor is to say, `begun` apart; sources' own cursors are put into it.
        begun: When each signal began to tell, as an earlier reading left it.
    """

    def __init__(
        self, rules: tuple[DeploymentRule, ...], repository: str, state: JSON, begun: JSON | None
    ) -> None:
        self._rules = {rule.text: rule for rule in rules}
        self._repository = repository
        self._state = state
        self._trust = Trust.of(rules, begun)
        self._there: dict[str, set[tuple[str, str]]] = {text: set() for text in self._rules}
        self._unread: set[str] = set()

    def items(self) -> Iterator[Item]:
        """All that is new; what may not be read is left out by its rules."""
        for signal in self._trust.signals:
            rules = tuple(rule for rule in self._rules.values() if rule.signal == signal)
            try:
                for name, found in self._sources(signal, rules):
                    yield from self._taken(name, found)
            except Absent as error:
                self._unread |= {rule.text for rule in rules}
                yield Unread(Deployment, self._repository, error.message)

    def checkpoint(self) -> Checkpoint:
        """Where the repository stands now."""
        begun = {signal: dict(places) for signal, places in self._trust.begun.items()}
        return Checkpoint({**self._state, "begun": begun}, part=self._repository)

    def all_there_is(self, before: Collection[str], kept: Collection[str] = ()) -> Iterator[Only]:
        """That what was handed over is all, as far as it could be read.

        Args:
            before: Rules that were read by earlier, which may be no more.
            kept: Rules by which not all was read.
        """
        for text in sorted({*before, *self._there} - self._unread - {*kept}):
            yield all_of_a_rule(self._repository, text, self._there.get(text, set()))

    @abstractmethod
    def _sources(
        self, signal: str, rules: tuple[DeploymentRule, ...]
    ) -> Iterator[tuple[str, Iterator[Item]]]:
        """What a signal is read from, each with the name that its cursor is kept by."""

    def _taken(self, name: str, items: Iterator[Item]) -> Iterator[Item]:
        """What of the items is believed; checkpoints become those of the repository."""
        for item in items:
            if isinstance(item, Checkpoint):
                self._state[name] = item.cursor
                yield self.checkpoint()
            elif isinstance(item, Deployment):
                rule = self._rules[str(item.rule)]
                if self._trust.believes(item, rule):
                    self._there[rule.text].add((item.id, item.environment))
                    yield item
            else:
                yield item
