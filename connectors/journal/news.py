"""Which lines are new, and so which facts are to be handed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.journal.facts import Bad, Fact, Position
from connectors.journal.files import Known
from dora.connector import Item, Rejected, Reread
from dora.records import Record


class News:
    """Tells what has been read before.

    Args:
        known: What of each file was; nothing is known of others.
    """

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known
        self._groups: dict[int, bool] = {}

    def touched(self, lines: Sequence[Position], groups: Sequence[Sequence[Position]] = ()) -> bool:
        """Whether anything is to be said of a fact: a line that bears on it is new, or elsewhere.

        What is not touched need not be made; that is what makes reading on a matter of little time.
        """
        return not all(map(self._judged, lines)) or any(map(self._any_new, groups))

    def items(self, fact: Fact) -> Iterator[Item]:
        """A fact that a new line bears on, or what it lacks."""
        old = [position for position in fact.lines if not self._new(position)]
        if fact.lacks:
            yield from self._refusals(fact)
        if len(old) == len(fact.lines) and not any(map(self._any_new, fact.groups)):
            return
        if old:
            yield from fact.only
        if isinstance(fact.record, Record):
            yield from (Reread(type(fact.record), str(position)) for position in old)
            yield fact.record

    def refusal(self, bad: Bad, otherwise: type[Record]) -> Iterator[Rejected]:
        """A line that is no fact, unless that was said before."""
        if not self._judged(bad.position):
            of = bad.record_type or otherwise
            yield Rejected(of, str(bad.position), bad.reason, bad.content)

    def _refusals(self, fact: Fact) -> Iterator[Rejected]:
        of = fact.record if isinstance(fact.record, type) else type(fact.record)
        for position in fact.lines:
            if not self._judged(position):
                yield Rejected(of, str(position), fact.lacks, fact.content)

    def _judged(self, position: Position) -> bool:
        known = self._known.get(position.place)
        return known is not None and position.line <= known.judged

    def _new(self, position: Position) -> bool:
        known = self._known.get(position.place)
        return known is None or position.line > known.lines

    def _any_new(self, group: Sequence[Position]) -> bool:
        if id(group) not in self._groups:
            self._groups[id(group)] = any(map(self._new, group))
        return self._groups[id(group)]
