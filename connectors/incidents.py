"""What connectors to incident systems share: one stream of incidents, which states causes along."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Protocol

from pydantic import BaseModel

from connectors.http.spending import Spent
from dora.connector import Cursor, Item
from dora.errors import SourceError
from dora.patience import Patience
from dora.records import Incident, IncidentCause, Record

_HOW = {"token_env", "email", "timeout", "max_requests_per_second", "reconcile_days"}
"""Keys that say how a source is read, not what its facts are."""


class Reading(Protocol):
    """One reading of a source."""

    def items(self, cursor: Cursor | None) -> Iterator[Item]:
        """What is new since the cursor, with checkpoints."""


class IncidentSource(ABC):
    """Reads incidents through an interface; a connector says how one reading of them goes.

    Attributes:
        title: What the system is called.
        patience: How it waits for the host.
    """

    title: ClassVar[str]
    provides: ClassVar[tuple[type[Record], ...]] = (Incident, IncidentCause)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        Incident: (IncidentCause,)
    }

    def __init__(self, name: str) -> None:
        self.name = name
        self.patience = Patience()
        self._spent = Spent()
        self._comparing = False

    @property
    def spent(self) -> Mapping[str, int]:
        """What reading has cost so far."""
        return self._spent.counts()

    def reconcile(self) -> None:
        """Let the next reading read everything, and so find what is no longer there."""
        self._comparing = True

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The incidents that changed since `cursor`, with the causes that they state.

        Raises:
            SourceError: The source cannot be read; what came before the last checkpoint is kept.
        """
        if record_type is not Incident:
            raise SourceError(
                f"A {self.title} source has no stream of {record_type.table}.",
                hint="Causes come along with incidents.",
            )
        yield from self._reading().items(cursor)

    @abstractmethod
    def _reading(self) -> Reading:
        """One reading, from what the host says now."""


def asked(options: BaseModel, *further: object) -> str:
    """What facts depend on beside the source, in short: the keys that bear on them, and more."""
    said = options.model_dump_json(exclude=_HOW)
    return hashlib.sha256(" ".join([said, *map(str, further)]).encode()).hexdigest()[:16]
