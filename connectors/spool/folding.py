"""Makes one fact of all lines that speak of it.

They are taken in the order in which they were written (`recorded_at`, else by file and line): what
a later one says replaces what earlier ones said, key by key; what it does not mention stays; null
takes it back. A success is never taken back or moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.journal import Fact, Position, shown
from connectors.spool.values import checked, text_of
from dora.connector import Only
from dora.recording.lines import CAUSED_BY, natural_id
from dora.recording.moments import written
from dora.records import Deployment, Incident, IncidentCause, Record, columns

_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says of one fact.

    Attributes:
        recorded_at: When it was written; the beginning of time where it does not say.
        position: Where it stands.
        values: What it says.
        groups: Further lines that bear on it.
        tie: What decides where two lines were written at once.
    """

    recorded_at: datetime
    position: Position
    values: Mapping[str, Any]
    groups: tuple[Sequence[Position], ...] = ()
    tie: str = ""

    @property
    def order(self) -> tuple[datetime, str, Position]:
        """When it was written, among all."""
        return self.recorded_at, self.tie, self.position

    @property
    def causes(self) -> Sequence[str]:
        """What an incident names as its causes."""
        return self.values.get(CAUSED_BY) or ()


class Folding:
    """Gathers lines and makes facts of them.

    Args:
        repository: Of deployments whose line names none.

    Attributes:
        strange: Keys that no fact has, and how often they came.
    """

    def __init__(self, repository: str = "") -> None:
        self.strange: dict[str, int] = {}
        self._repository = repository
        self._deployments: dict[tuple[str, str, str], list[Line]] = {}
        self._incidents: dict[str, list[Line]] = {}

    def add(
        self,
        said: Mapping[str, Any],
        position: Position,
        groups: tuple[Sequence[Position], ...] = (),
        *,
        by_content: bool = False,
    ) -> None:
        """Take in what a line says.

        Args:
            said: The line, with the keys of the spool.
            position: Where it stands.
            groups: Further lines that bear on it.
            by_content: Whether of two lines written at once the content decides, not the place.

        Raises:
            ValueError: It says nothing that can be used; the message says why.
        """
        kind, values = checked(said, self.strange)
        recorded_at = values.pop("recorded_at", None) or _FIRST
        tie = text_of(dict(sorted(said.items()))) if by_content else ""
        line = Line(recorded_at, position, values, groups, tie)
        if kind == "incident":
            self._incidents.setdefault(_id(kind, line), []).append(line)
        else:
            self._deployments.setdefault(self._key(line), []).append(line)

    def facts(self) -> Iterator[Fact]:
        """Every deployment and incident, each from all lines that speak of it."""
        for key, lines in self._deployments.items():
            yield _deployment(key, sorted(lines, key=lambda line: line.order))
        for id_, lines in self._incidents.items():
            yield from _incident(id_, sorted(lines, key=lambda line: line.order))

    def _key(self, line: Line) -> tuple[str, str, str]:
        said = line.values
        repository = said.get("repository") or self._repository
        return _id("deployment", line), repository, said.get("environment") or ""


def _id(kind: str, line: Line) -> str:
    said = {k: written(v) if isinstance(v, datetime) else v for k, v in line.values.items()}
    if line.recorded_at != _FIRST:
        said["recorded_at"] = written(line.recorded_at)
    return str(said.get("id") or natural_id(kind, said) or "")


def _deployment(key: tuple[str, str, str], lines: Sequence[Line]) -> Fact:
    values = _merged(lines)
    values.update(zip(("id", "repository", "environment"), key, strict=True))
    first = _first_success(lines)
    if first is not None:
        values |= first
    elif values.get("status") == "succeeded" and not values.get("finished_at"):
        return _lacking(Deployment, lines, "finished_at is missing")
    return _fact(Deployment, values, lines)


def _first_success(lines: Sequence[Line]) -> dict[str, Any] | None:
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


def _merged(lines: Sequence[Line]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for line in lines:
        values |= line.values
    return {name: value for name, value in values.items() if value is not None}


def _incident(id_: str, lines: Sequence[Line]) -> Iterator[Fact]:
    """An incident, and each cause that a line names."""
    values = _merged(lines) | {"id": id_}
    fact = _fact(Incident, {k: v for k, v in values.items() if k != CAUSED_BY}, lines)
    yield fact
    if isinstance(fact.record, Incident):
        for cause in sorted({cause for line in lines for cause in line.causes}):
            stating = [line for line in lines if cause in line.causes]
            yield Fact(IncidentCause(id_, cause), _where(stating))


def _fact(record_type: type[Record], values: Mapping[str, Any], lines: Sequence[Line]) -> Fact:
    missing = [
        name
        for name, column in columns(record_type).items()
        if column.required and not values.get(name) and name != "repository"
    ]
    if missing:
        what = ", ".join(name for name in missing if name != "id" or len(missing) == 1)
        return _lacking(record_type, lines, f"{what} is missing")
    groups = tuple(group for line in lines for group in line.groups)
    record = record_type(**values)
    return Fact(record, _where(lines), groups, _former(record) if groups else ())


def _former(record: Record) -> tuple[Only, ...]:
    """What a deployment may have been before other lines told its repository."""
    if not isinstance(record, Deployment):
        return ()
    within = {"id": record.id, "environment": record.environment}
    return (Only(Deployment, within, ({"repository": record.repository},)),)


def _lacking(record_type: type[Record], lines: Sequence[Line], why: str) -> Fact:
    said = {key: value for line in lines for key, value in line.values.items()}
    return Fact(record_type, _where(lines), lacks=why, content=shown(text_of(said)))


def _where(lines: Iterable[Line]) -> list[Position]:
    return [line.position for line in lines]
