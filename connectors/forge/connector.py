"""What connectors to forges share: the facts they tell, and which come along with others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from dora.connector import Cursor, Item
from dora.errors import SourceError
from dora.patience import Patience
from dora.records import (
    Build,
    Commit,
    CommitReference,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)


class ForgeConnector(ABC):
    """Reads a forge; a connector says how one stream of it goes.

    Args:
        name: The source's name in the configuration.

    Attributes:
        title: What the forge is called.
        patience: How it waits for the host.
        cloned: Repositories whose commits another source has; they are not asked for.
    """

    title: ClassVar[str]
    provides: ClassVar[tuple[type[Record], ...]] = (
        Repository,
        Commit,
        CommitReference,
        PullRequest,
        PullRequestCommit,
        Review,
        Deployment,
        Incident,
        IncidentCause,
        Build,
    )
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        Commit: (CommitReference,),
        PullRequest: (PullRequestCommit, Review),
        Incident: (IncidentCause,),
    }

    def __init__(self, name: str) -> None:
        self.name = name
        self.patience = Patience()
        self.cloned: Collection[str] = ()
        self._served: set[type[Record]] = set()
        self._reconciling = False

    def reconcile(self) -> None:
        """Let the readings that follow find what was deleted or rewritten, too."""
        self._reconciling = True

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """Everything new of one type since `cursor`, with the facts that it carries.

        Raises:
            SourceError: The host cannot be read; what came before the last checkpoint is kept.
        """
        along = {one for facts in self.carries.values() for one in facts}
        if record_type not in self.provides or record_type in along:
            raise SourceError(
                f"A {self.title} source has no stream of {record_type.table}.",
                hint="Carried facts come with pull requests, commits and incidents.",
            )
        yield from self._stream(record_type, cursor or {})

    @abstractmethod
    def _stream(self, record_type: type[Record], cursor: Cursor) -> Iterator[Item]:
        """One stream to its end."""
