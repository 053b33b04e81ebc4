"""When something was closed and reopened, made of what its source says of its states."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter


@dataclass(frozen=True, slots=True)
class History:
    """How often an incident ended and began again.

    Attributes:
        closes: When it was closed, in order.
        reopenings: When it was opened again, in order; between the closes.
    """

    closes: tuple[datetime, ...] = ()
    reopenings: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, states: Iterable[tuple[datetime, bool]]) -> History:
        """From moments and whether it was resolved from then on, in any order.

        Those of the same moment count in the order given.
        """
        closes: list[datetime] = []
        reopenings: list[datetime] = []
        for moment, resolved in sorted(states, key=itemgetter(0)):
            closed = len(closes) > len(reopenings)
            if resolved and not closed:
                closes.append(moment)
            elif closed and not resolved:
                reopenings.append(moment)
        return cls(tuple(closes), tuple(reopenings))

    def corrected(self, end: datetime) -> History:
        """The same, where somebody stated when it really ended.

        The statement replaces the close of the stretch that it falls into: a later reopening is
        not undone by it.
        """
        stretch = bisect_right(self.reopenings, end)
        closes = (*self.closes[:stretch], end, *self.closes[stretch + 1 :])
        return History(closes, self.reopenings)

    @property
    def first(self) -> datetime | None:
        """The first close."""
        return self.closes[0] if self.closes else None

    @property
    def last(self) -> datetime | None:
        """The last close; None while it is open or open again."""
        return self.closes[-1] if len(self.closes) > len(self.reopenings) else None
