"""One CDEvent as every released version of the specification writes it.

Versions 0.1 to 0.4 have `context.version` and `subject.type`; 0.5 has `context.specversion` and no
type of the subject; the rest that is read here is the same in all. An event may stand by itself or
be the data of a CloudEvent in structured mode.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from connectors.journal import Position, unpacked
from dora.recording.moments import moment

_TYPE = re.compile(r"(?:dev\.cdevents|cd)\.([a-z]+)\.([a-z]+)\.v?\d[\w.-]*", re.IGNORECASE)
_FLAG = re.compile(r"dev\.cdeventsx\.[^.]+-(?:feature)?flag\.([a-z]+)\.v?\d[\w.-]*", re.IGNORECASE)
"""A custom event of some tool that is about a feature flag."""
_CUSTOM = re.compile(r"dev\.cdeventsx\.", re.IGNORECASE)
_OURS = "dora"
"""Under this key of its custom data an event may say what CDEvents has no field for."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one event says.

    Attributes:
        position: Where it stands.
        subject: What it is about: service, incident, artifact, change, environment …
        predicate: What happened: deployed, detected …
        id: Its own id, unique within its source.
        source: Who says so.
        happened_at: When.
        chain: What ties it to others, if anything.
        subject_id: The id of what it is about.
        subject_source: Who owns that.
        content: What else is said of it.
        extra: What its custom data says under `dora`.
        kept: All of it.
    """

    position: Position
    subject: str
    predicate: str
    id: str
    source: str
    happened_at: datetime
    chain: str
    subject_id: str
    subject_source: str
    content: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    kept: bytes | Mapping[str, Any] = b"{}"

    def text(self) -> str:
        """All of it in one order: decides between two events of one id."""
        return json.dumps(unpacked(self.kept), sort_keys=True)

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Its place among all, whatever order they come in."""
        return self.happened_at, self.source, self.id

    def reference(self, key: str) -> str:
        """The id of another thing that its content refers to; empty if it does not."""
        held = self.content.get(key)
        return str(held.get("id") or "") if isinstance(held, Mapping) else ""


def unwrapped(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a CloudEvent in structured mode holds, or what was given.

    Raises:
        ValueError: Its data cannot be read.
    """
    if not ({"specversion", "type", "id", "source"} <= said.keys() and "context" not in said):
        return said
    data = said.get("data")
    if "data_base64" in said:
        try:
            data = json.loads(base64.b64decode(str(said["data_base64"]), validate=True))
        except ValueError:
            raise ValueError("data_base64 holds no JSON") from None
    if not isinstance(data, Mapping):
        raise ValueError("it is a CloudEvent without data")
    return data


def is_event(said: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a CDEvent."""
    return isinstance(said.get("context"), Mapping) and isinstance(said.get("subject"), Mapping)


def parsed(
    said: Mapping[str, Any],
    position: Position,
    zone: tzinfo | None,
    kept: bytes | Mapping[str, Any],
) -> Event | None:
    """The event that a JSON object is; None for a custom one that is not about a flag.

    Args:
        said: The object.
        position: Where it stands.
        zone: The zone of a time that states none.
        kept: What to keep of it.

    Raises:
        ValueError: Something that every event has is missing or cannot be understood.
    """
    if not is_event(said):
        raise ValueError("it has no context and subject, as every CDEvent has")
    context, subject = said["context"], said["subject"]
    type_ = _needed(context, "context", "type")
    named = _named(type_)
    if named is None:
        return None
    source = _needed(context, "context", "source")
    try:
        happened_at = moment(_needed(context, "context", "timestamp"), zone)
    except ValueError as error:
        raise ValueError(str(error).replace("it ", "context.timestamp ", 1)) from None
    content = subject.get("content")
    return Event(
        position=position,
        subject=named[0],
        predicate=named[1],
        id=_needed(context, "context", "id"),
        source=source,
        happened_at=happened_at,
        chain=str(context.get("chainId") or context.get("chain_id") or ""),
        subject_id=_needed(subject, "subject", "id"),
        subject_source=str(subject.get("source") or source),
        content=content if isinstance(content, Mapping) else {},
        extra=_extra(said),
        kept=kept,
    )


def _named(type_: str) -> tuple[str, str] | None:
    """The subject and predicate of a type; None for a custom one that is not read."""
    if match := _TYPE.fullmatch(type_):
        return match[1].lower(), match[2].lower()
    if match := _FLAG.fullmatch(type_):
        return "flag", match[1].lower()
    if _CUSTOM.match(type_):
        return None
    raise ValueError(f"context.type is {type_[:60]!r}, which is no CDEvent's")


def _needed(held: Mapping[str, Any], where: str, key: str) -> str:
    value = held.get(key)
    if value in (None, "") or isinstance(value, dict | list):
        raise ValueError(f"{where}.{key} is missing")
    return str(value)


def _extra(said: Mapping[str, Any]) -> Mapping[str, Any]:
    custom = said.get("customData")
    held = custom.get(_OURS) if isinstance(custom, Mapping) else None
    return held if isinstance(held, Mapping) else {}
