"""The calls of other products, recognised one by one, on their way to facts.

Some say only by other calls what they deploy or fix: an artifact that was built from a commit, a
version that was deployed before. They are made facts of when all lines have been read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from connectors.cdevents import faros, shapes, toggles
from connectors.cdevents.names import Where
from connectors.cdevents.options import CDEventsOptions
from connectors.cdevents.shapes import Line, Said
from connectors.journal import Position
from connectors.spool.folding import Folding
from connectors.spool.values import text_of
from dora.recording.lines import natural_id
from dora.recording.moments import moment, written

_SELDOM = {"launchdarkly": "kind", "unleash": "type"}
"""Calls that tell of many things besides, and the key that says of what."""
_SHOWN = 60
_WHEN = {
    "deployment": "recorded_at",
    "flag_change": "changed_at",
    "manual_change": "changed_at",
}
"""What says when a fact was, by its kind."""
_TIMES = ("started_at", "finished_at", "detected_at", "resolved_at", "changed_at", "recorded_at")


def _has(*needed: str, one_of: tuple[str, ...] = ()) -> Callable[[Said], bool]:
    """Whether an object has all of these keys, and one of those."""
    return lambda said: (
        set(needed) <= said.keys() and (not one_of or any(key in said for key in one_of))
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of call.

    Attributes:
        recognises: Whether a JSON object is one.
        lines: The facts that it tells of, as lines of the spool.
    """

    recognises: Callable[[Said], bool]
    lines: Callable[[Said, CDEventsOptions], list[Line]]


SHAPES: Mapping[str, Shape] = {
    "dora": Shape(_has("record"), shapes.ours),
    "launchdarkly": Shape(toggles.is_launchdarkly, toggles.launchdarkly),
    "unleash": Shape(toggles.is_unleash, toggles.unleash),
    "faros": Shape(faros.recognises, faros.lines),
    "datadog": Shape(shapes.is_datadog, shapes.datadog),
    "linearb": Shape(_has("repo_url", "ref_name"), shapes.linearb),
    "jellyfish": Shape(
        _has("deployed_at", one_of=("is_successful", "commit_shas", "repo_name")), shapes.jellyfish
    ),
    "dx": Shape(_has("deployed_at", "service"), shapes.dx),
    "swarmia": Shape(
        _has(
            "version",
            one_of=("appName", "deployedAt", "commitSha", "repositoryFullName", "fixesVersion"),
        ),
        shapes.swarmia,
    ),
    "sleuth": Shape(shapes.is_sleuth, shapes.sleuth),
}
"""Every kind of call, in the order in which a line is tried."""


@dataclass(slots=True)
class _Call:
    """A fact that a call told of, and what it still leads to."""

    line: Line
    position: Position
    artifact: str
    fixes: str


class Calls:
    """Takes in calls, and makes lines of the spool of them."""

    def __init__(self, options: CDEventsOptions, zone: tzinfo | None, where: Where) -> None:
        self._options = options
        self._where = where
        self._zone = zone
        self._calls: list[_Call] = []
        self._built: dict[str, list[tuple[dict[str, Any], Position]]] = {}
        self.anywhere: Counter[str] = Counter()
        self.others: Counter[str] = Counter()

    def take(self, said: Said, position: Position, name: str | None) -> bool:
        """Take in a line; gives whether it is a call that is known.

        Raises:
            ValueError: It is one, and says something that cannot be understood.
        """
        fits = (known for known, shape in SHAPES.items() if shape.recognises(said))
        name = name or next(fits, None)
        if name is None:
            return False
        if name == "faros" and said.get("type") == "CI":
            artifact, commit = faros.built(said, self._options)
            self._built.setdefault(artifact, []).append((commit, position))
        lines = SHAPES[name].lines(said, self._options)
        if not lines and name in _SELDOM:
            self.others[f"{name} {shapes.text(said, _SELDOM[name])[:_SHOWN]}".strip()] += 1
        for line in lines:
            if line.get("record") != "incident" or self._where.counts(
                str(line.pop("environment", ""))
            ):
                self._calls.append(self._completed(line, position))
        return True

    def _completed(self, line: Line, position: Position) -> _Call:
        """A call with everything that its own line and the configuration tell."""
        for key in _TIMES:
            if line.get(key) not in (None, ""):
                line[key] = self._moment(key, line[key])
        artifact = str(line.pop("artifact", ""))
        fixes = str(line.pop("fixes_version", ""))
        options, kind = self._options, str(line.get("record"))
        if kind != "incident" and not line.get("environment"):
            line["environment"] = options.environment
            self.anywhere[kind] += line.get("action", "changed") == "changed"
        if kind == "deployment":
            line["repository"] = line.get("repository") or shapes.repository(
                options.repository or "", options
            )
        if kind in _WHEN and not line.get(_WHEN[kind]):
            raise ValueError("it does not say when; whoever stores it may add `received_at` to it")
        if options.service and not line.get("service"):
            line["service"] = options.service
        line["id"] = line.get("id") or natural_id(kind, line)
        return _Call(line, position, artifact, fixes)

    def _moment(self, key: str, value: Any) -> str:
        try:
            return written(moment(value, self._zone))
        except ValueError as error:
            raise ValueError(str(error).replace("it ", f"{key} ", 1)) from None

    def tell(self, folding: Folding) -> None:
        """Hand over all that was taken in."""
        versions = self._versions()
        for call in self._calls:
            groups = (*self._trace(call), *_fixed(call, versions))
            folding.add(call.line, call.position, groups, by_content=True)

    def _trace(self, call: _Call) -> Iterator[list[Position]]:
        """Add the commit that the artifact was built from; gives the lines that tell it."""
        built = self._built.get(call.artifact, []) if call.artifact else []
        if not built or call.line.get("sha"):
            return
        known = sorted((text_of(commit), commit) for commit, _ in built if commit["sha"])
        if known:
            call.line["sha"] = known[0][1]["sha"]
            call.line["repository"] = known[0][1]["repository"] or call.line["repository"]
        yield [position for _, position in built]

    def _versions(self) -> dict[tuple[str, ...], list[_Call]]:
        """The deployments of each version of a service in an environment, by their time."""
        found: dict[tuple[str, ...], list[_Call]] = {}
        for call in self._calls:
            if version := call.line.get("version"):
                found.setdefault(_place(call, str(version)), []).append(call)
        for calls in found.values():
            calls.sort(key=lambda call: (call.line["recorded_at"], call.line["id"]))
        return found


def _place(call: _Call, version: str) -> tuple[str, ...]:
    return str(call.line.get("service")), str(call.line.get("environment")), version


def _fixed(
    call: _Call, versions: Mapping[tuple[str, ...], Sequence[_Call]]
) -> Iterator[list[Position]]:
    """Add the deployment that is fixed: the last one of that version before this."""
    if not call.fixes:
        return
    fitting = versions.get(_place(call, call.fixes), ())
    before = [c for c in fitting if c.line["recorded_at"] < call.line["recorded_at"]]
    if before:
        call.line["fixes"] = before[-1].line["id"]
    yield [one.position for one in fitting]
