"""Deployments and incidents that pipelines have pushed, read from the folder they wrote to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from connectors.journal import Bad, Facts, JournalConnector, Said, shown
from connectors.spool.folding import Folding
from connectors.spool.values import text_of
from dora.addresses import repository_name
from dora.recording.lines import KINDS
from dora.records import Deployment, Incident, IncidentCause, Record


class SpoolOptions(BaseModel):
    """What `[[sources]]` of kind `spool` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(Path("dora.d"), description="Folder, file or glob of JSON Lines")
    repository: str | None = Field(None, description="Of deployments whose line names none")


class Spool(JournalConnector):
    """What was pushed."""

    kind: ClassVar[str] = "spool"
    provides: ClassVar[tuple[type[Record], ...]] = (Deployment, Incident, IncidentCause)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        Deployment: (Incident, IncidentCause)
    }
    Options: ClassVar[type[BaseModel]] = SpoolOptions

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, SpoolOptions):
            raise TypeError(f"the options of a spool are SpoolOptions, not {type(options)}")
        super().__init__(name, options, options.path, base)
        repository = options.repository or ""
        self._repository = repository_name(repository) or repository

    def facts(self, lines: Iterable[Said | Bad]) -> Facts:
        """Every deployment and incident, each from all lines that speak of it."""
        facts, folding = Facts(), Folding(self._repository)
        for said in lines:
            if isinstance(said, Bad):
                facts.bad.append(said)
                continue
            try:
                folding.add(said.value, said.position)
            except ValueError as error:
                of = KINDS.get(str(said.value.get("record")))
                facts.bad.append(Bad(said.position, of, str(error), shown(text_of(said.value))))
        facts.facts.extend(folding.facts())
        if folding.strange:
            listed = ", ".join(f"{key} ({n})" for key, n in sorted(folding.strange.items()))
            facts.notes.append(f"Not read, as no fact has them: {listed}.")
        return facts
