"""Makes one fact of all lines that speak of it.

They are taken in the order in which they were written (`recorded_at`, else by file and line): what
a later one says replaces what earlier ones said, key by key; what it does not mention stays; null
takes it back. A success is never taken back or moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.journal import Bad, Fact, News, Position, shown, unpacked
from connectors.spool.values import checked, every_name, text_of
from dora.addresses import repository_name
from dora.connector import Only
from dora.recording.lines import CAUSED_BY, KINDS, REMOVED, natural_id
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


@dataclass(frozen=True, slots=True)
class _Raw:
    """A line as it came."""

    kept: bytes | Mapping[str, Any]
    position: Position
    groups: tuple[Sequence[Position], ...]
    by_content: bool


_Key = tuple[str, str, str, str]


class Folding:
    """Gathers lines by the fact they speak of, and makes those facts that are touched by news.

    Args:
        news: Tells which are.
        repository: Of deployments whose line names none.

    Attributes:
        strange: Keys that no fact has, and how often they came.
        bad: Lines that say nothing that can be used.
    """

    def __init__(self, news: News, repository: str = "") -> None:
        self.strange: dict[str, int] = {}
        self.bad: list[Bad] = []
        self._news = news
        self._repository = repository
        self._names: dict[str, str] = {}
        self._raws: dict[_Key, list[_Raw]] = {}

    def add(
        self,
        said: Mapping[str, Any],
        position: Position,
        groups: tuple[Sequence[Position], ...] = (),
        *,
        kept: bytes | Mapping[str, Any] | None = None,
        by_content: bool = False,
    ) -> None:
        """Take in what a line says.

        Args:
            said: The line, with the keys of the spool.
            position: Where it stands.
            groups: Further lines that bear on it.
            kept: What to keep of it.
            by_content: Whether of two lines written at once the content decides, not the place.
        """
        raw = _Raw(said if kept is None else kept, position, groups, by_content)
        key = self._stated_key(said)
        if key is None:
            line = self._checked(raw, {})
            if line is None:
                return
            key = self._key(str(said["record"]), line)
        self._raws.setdefault(key, []).append(raw)

    def facts(self) -> Iterator[Fact]:
        """Every fact that is touched, each from all lines that speak of it."""
        repositories: dict[tuple[str, str], list[str]] = {}
        for _, id_, repository, environment in self._raws:
            repositories.setdefault((id_, environment), []).append(repository)
        for key, raws in self._raws.items():
            positions = [raw.position for raw in raws]
            if not self._news.touched(positions, [g for raw in raws for g in raw.groups]):
                continue
            found = (self._checked(raw, self.strange) for raw in raws)
            lines = [line for line in found if line is not None]
            lines.sort(key=lambda line: line.order)
            if not lines:
                continue
            if key[0] == "incident":
                yield from _incident(key[1], lines)
            elif key[0] == "deployment":
                yield _deployment(key[1:], lines, repositories[key[1], key[3]])
            else:
                yield _change(KINDS[key[0]], key[1], lines)

    def _stated_key(self, said: Mapping[str, Any]) -> _Key | None:
        """What a line says itself to be known by, without looking at the rest of it."""
        kind, id_ = said.get("record"), said.get("id")
        if not isinstance(id_, str) or not id_ or id_ != id_.strip():
            return None
        if isinstance(kind, str) and kind in KINDS and kind != "deployment":
            return kind, id_, "", ""
        place = said.get("environment")
        repository = said.get("repository") or ""
        if kind != "deployment" or not isinstance(place, str) or not isinstance(repository, str):
            return None
        if repository not in self._names:
            self._names[repository] = repository_name(repository) or repository.strip()
        return kind, id_, self._names[repository] or self._repository, place.strip()

    def _checked(self, raw: _Raw, strange: dict[str, int]) -> Line | None:
        """What a line says; None if that cannot be used."""
        said = unpacked(raw.kept)
        try:
            _, values = checked(said, strange)
        except ValueError as error:
            of = KINDS.get(str(said.get("record")))
            self.bad.append(Bad(raw.position, of, str(error), shown(text_of(said))))
            return None
        recorded_at = values.pop("recorded_at", None) or _FIRST
        tie = text_of(dict(sorted(said.items()))) if raw.by_content else ""
        return Line(recorded_at, raw.position, values, raw.groups, tie)

    def _key(self, kind: str, line: Line) -> _Key:
        if kind != "deployment":
            return kind, _id(kind, line), "", ""
        repository = line.values.get("repository") or self._repository
        return kind, _id(kind, line), repository, line.values.get("environment") or ""


def _id(kind: str, line: Line) -> str:
    said = {k: written(v) if isinstance(v, datetime) else v for k, v in line.values.items()}
    if line.recorded_at != _FIRST:
        said["recorded_at"] = written(line.recorded_at)
    return str(said.get("id") or natural_id(kind, said) or "")


def _deployment(key: Sequence[str], told: Sequence[Line], repositories: Sequence[str]) -> Fact:
    """A deployment.

    Args:
        key: Its id, repository and environment.
        told: What speaks of it, in order.
        repositories: All that share its id and environment.
    """
    within = {"id": key[0], "environment": key[2]}
    if not (lines := _standing(told)):
        others = tuple({"repository": one} for one in repositories if one != key[1])
        return Fact(Deployment, _where(told), only=(Only(Deployment, within, others),))
    values = _merged(lines)
    values.update(zip(("id", "repository", "environment"), key, strict=True))
    first = _first_success(lines)
    if first is not None:
        values |= first
    elif values.get("status") == "succeeded" and not values.get("finished_at"):
        return _lacking(Deployment, lines, "finished_at is missing")
    fact = _fact(Deployment, values, lines)
    if not fact.groups:  # nothing else could tell its repository
        return fact
    stay = tuple({"repository": one} for one in repositories)
    return replace(fact, only=(Only(Deployment, within, stay),))


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


def _standing(told: Sequence[Line]) -> Sequence[Line]:
    """The lines since the fact was last taken back."""
    taken_back = [place for place, line in enumerate(told, 1) if line.values.get(REMOVED)]
    return told[taken_back[-1] :] if taken_back else told


def _merged(lines: Sequence[Line]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for line in lines:
        values |= line.values
    return {n: value for n, value in values.items() if value is not None and n != REMOVED}


def _incident(id_: str, told: Sequence[Line]) -> Iterator[Fact]:
    """An incident, and each cause that a line names."""
    if not (lines := _standing(told)):
        gone = (Only(Incident, {"id": id_}, ()), Only(IncidentCause, {"incident": id_}, ()))
        yield Fact(Incident, _where(told), only=gone)
        return
    values = _merged(lines) | {"id": id_}
    fact = _fact(Incident, {k: v for k, v in values.items() if k != CAUSED_BY}, lines)
    yield fact
    if isinstance(fact.record, Incident):
        for cause in every_name({cause for line in lines for cause in line.causes}):
            stating = [line for line in lines if cause in every_name(line.causes)]
            yield Fact(IncidentCause(id_, cause), _where(stating))


def _change(record_type: type[Record], id_: str, told: Sequence[Line]) -> Fact:
    """A change of a flag or one by hand; nobody sees a flag just created, or one removed."""
    if not (lines := _standing(told)):
        return Fact(record_type, _where(told), only=(Only(record_type, {"id": id_}, ()),))
    values = _merged(lines) | {"id": id_}
    if values.get("action") in ("created", "removed"):
        values.setdefault("share", 0.0)
    return _fact(record_type, values, lines)


def _fact(record_type: type[Record], values: Mapping[str, Any], lines: Sequence[Line]) -> Fact:
    missing = [
        name
        for name, column in columns(record_type).items()
        if column.required and values.get(name) in (None, "") and not column.nameless
    ]
    if missing:
        what = ", ".join(name for name in missing if name != "id" or len(missing) == 1)
        return _lacking(record_type, lines, f"{what} is missing")
    groups = tuple(group for line in lines for group in line.groups)
    return Fact(record_type(**values), _where(lines), groups)


def _lacking(record_type: type[Record], lines: Sequence[Line], why: str) -> Fact:
    said = {key: value for line in lines for key, value in line.values.items()}
    return Fact(record_type, _where(lines), lacks=why, content=shown(text_of(said)))


def _where(lines: Iterable[Line]) -> list[Position]:
    return [line.position for line in lines]
