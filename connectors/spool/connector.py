"""Deployments and incidents that pipelines have pushed, read from the folder they are written to.

Several lines may speak of one fact. They are taken in the order in which they were written
(`recorded_at`, else by file and line): what a later one says replaces what earlier ones said, key
by key; what it does not mention stays; null takes it back. A success is never taken back or moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from connectors.journal import Bad, Fact, Facts, JournalConnector, Position, Said, shown
from connectors.spool.values import checked, text_of
from dora.addresses import repository_name
from dora.recording.lines import CAUSED_BY, KINDS, natural_id
from dora.recording.moments import written
from dora.records import Deployment, Incident, IncidentCause, Record, columns

_FIRST = datetime.min.replace(tzinfo=UTC)


class SpoolOptions(BaseModel):
    """What `[[sources]]` of kind `spool` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(Path("dora.d"), description="Folder, file or glob of JSON Lines")
    repository: str | None = Field(None, description="Of deployments whose line names none")


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line says of one fact."""

    recorded_at: datetime
    position: Position
    values: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, Position]:
        return self.recorded_at, self.position

    @property
    def causes(self) -> Sequence[str]:
        return self.values.get(CAUSED_BY) or ()


_Group = dict[tuple[str, ...], list[_Line]]


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
        facts, strange = Facts(), dict[str, int]()
        deployments: _Group = {}
        incidents: _Group = {}
        for said in lines:
            if isinstance(said, Bad):
                facts.bad.append(said)
                continue
            try:
                kind, values = checked(said.value, strange)
            except ValueError as error:
                of = KINDS.get(str(said.value.get("record")))
                facts.bad.append(Bad(said.position, of, str(error), shown(text_of(said.value))))
                continue
            line = _Line(values.pop("recorded_at", None) or _FIRST, said.position, values)
            if kind == "incident":
                incidents.setdefault((_id(kind, line),), []).append(line)
            else:
                deployments.setdefault(self._key(line), []).append(line)
        for key, group in deployments.items():
            facts.facts.append(self._deployment(key, group))
        for (id_,), group in incidents.items():
            facts.facts += _incident(id_, group)
        if strange:
            listed = ", ".join(f"{key} ({n})" for key, n in sorted(strange.items()))
            facts.notes.append(f"Not read, as no fact has them: {listed}.")
        return facts

    def _key(self, line: _Line) -> tuple[str, ...]:
        said = line.values
        repository = said.get("repository") or self._repository
        return _id("deployment", line), repository, said.get("environment") or ""

    def _deployment(self, key: tuple[str, ...], lines: list[_Line]) -> Fact:
        lines.sort(key=lambda line: line.order)
        values = _merged(lines)
        values.update(zip(("id", "repository", "environment"), key, strict=True))
        first = _first_success(lines)
        if first is not None:
            values |= first
        elif values.get("status") == "succeeded" and not values.get("finished_at"):
            return _lacking(Deployment, lines, "finished_at is missing")
        return _fact(Deployment, values, lines)


def _first_success(lines: Sequence[_Line]) -> dict[str, Any] | None:
    """When the first line that says so says it had succeeded; None if none says when."""
    for line in lines:
        if line.values.get("status") == "succeeded":
            finished = line.values.get("finished_at")
            if not finished and line.recorded_at != _FIRST:
                finished = line.recorded_at
            if finished:
                said = line.values.get("original_status")
                return {"status": "succeeded", "finished_at": finished, "original_status": said}
    return None


def _id(kind: str, line: _Line) -> str:
    said = {k: written(v) if isinstance(v, datetime) else v for k, v in line.values.items()}
    if line.recorded_at != _FIRST:
        said["recorded_at"] = written(line.recorded_at)
    return str(said.get("id") or natural_id(kind, said) or "")


def _merged(lines: Sequence[_Line]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for line in lines:
        values |= line.values
    return {name: value for name, value in values.items() if value is not None}


def _incident(id_: str, lines: list[_Line]) -> Iterator[Fact]:
    """An incident, and each cause that a line names."""
    lines.sort(key=lambda line: line.order)
    values = _merged(lines) | {"id": id_}
    fact = _fact(Incident, {k: v for k, v in values.items() if k != CAUSED_BY}, lines)
    yield fact
    if isinstance(fact.record, Incident):
        for cause in sorted({cause for line in lines for cause in line.causes}):
            stating = [line for line in lines if cause in line.causes]
            yield Fact(IncidentCause(id_, cause), list(_where(stating)))


def _fact(record_type: type[Record], values: Mapping[str, Any], lines: Sequence[_Line]) -> Fact:
    missing = [
        name
        for name, column in columns(record_type).items()
        if column.required and not values.get(name) and name != "repository"
    ]
    if missing:
        what = ", ".join(name for name in missing if name != "id" or len(missing) == 1)
        return _lacking(record_type, lines, f"{what} is missing")
    return Fact(record_type(**values), list(_where(lines)))


def _lacking(record_type: type[Record], lines: Sequence[_Line], why: str) -> Fact:
    said = {key: value for line in lines for key, value in line.values.items()}
    return Fact(record_type, list(_where(lines)), lacks=why, content=shown(text_of(said)))


def _where(lines: Iterable[_Line]) -> Iterator[Position]:
    return (line.position for line in lines)
