"""What pipelines have pushed, read from the folder they wrote to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from connectors.journal import Bad, Facts, JournalConnector, News, Said
from connectors.spool.folding import Folding
from dora.addresses import repository_name
from dora.records import (
    Deployment,
    FlagChange,
    Incident,
    IncidentCause,
    ManualChange,
    Record,
)

_CARRIED = (Incident, IncidentCause, FlagChange, ManualChange)


class SpoolOptions(BaseModel):
    """What `[[sources]]` of kind `spool` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(Path("dora.d"), description="Folder, file or glob of JSON Lines")
    repository: str | None = Field(None, description="Of deployments whose line names none")


class Spool(JournalConnector):
    """What was pushed."""

    kind: ClassVar[str] = "spool"
    provides: ClassVar[tuple[type[Record], ...]] = (Deployment, *_CARRIED)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {Deployment: _CARRIED}
    Options: ClassVar[type[BaseModel]] = SpoolOptions

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, SpoolOptions):
            raise TypeError(f"the options of a spool are SpoolOptions, not {type(options)}")
        super().__init__(name, options, options.path, base)
        repository = options.repository or ""
        self._repository = repository_name(repository) or repository

    def facts(self, lines: Iterable[Said | Bad], news: News) -> Facts:
        """Every fact that is touched, each from all lines that speak of it."""
        facts, folding = Facts(), Folding(news, self._repository)
        for said in lines:
            if isinstance(said, Bad):
                facts.bad.append(said)
                continue
            folding.add(said.value, said.position, kept=said.kept())
        facts.facts.extend(folding.facts())
        facts.bad.extend(folding.bad)
        if folding.strange:
            listed = ", ".join(f"{key} ({n})" for key, n in sorted(folding.strange.items()))
            facts.notes.append(f"Not read, as no fact has them: {listed}.")
        return facts
