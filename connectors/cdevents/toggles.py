"""Changes of feature flags: webhooks of LaunchDarkly and Unleash, and custom CDEvents.

The CDEvents specification has no flag. A custom event may tell of one where its subject, behind
the name of the tool, is `flag` or `featureflag`: `dev.cdeventsx.mytool-flag.changed.0.1.0`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.cdevents.events import Event
from connectors.cdevents.names import Names
from connectors.cdevents.options import CDEventsOptions
from connectors.cdevents.services import event_id, service_name, stated
from connectors.cdevents.shapes import Line, Said, text, within
from connectors.journal import Fact, Position
from connectors.spool.values import checked
from dora.recording.moments import written
from dora.records import FlagChange

PREDICATES: Mapping[str, Mapping[str, Any]] = {
    "created": {"action": "created", "share": 0},
    "changed": {},
    "enabled": {"share": 1},
    "disabled": {"share": 0},
    "removed": {"action": "removed", "share": 0},
    "deleted": {"action": "removed", "share": 0},
    "archived": {"action": "removed", "share": 0},
}
"""What happens to a flag in custom events, and what follows for its columns."""

_UNLEASH: Mapping[str, Mapping[str, Any]] = {
    "feature-created": PREDICATES["created"],
    "feature-revived": PREDICATES["created"],
    "feature-environment-enabled": PREDICATES["enabled"],
    "feature-environment-disabled": PREDICATES["disabled"],
    "feature-archived": PREDICATES["removed"],
}
_STAYING = frozenset({"kill-switch", "permission"})
"""Types of flags that Unleash takes to stay."""
_LAUNCHDARKLY: Mapping[str, Mapping[str, Any]] = {
    "createFlag": PREDICATES["created"],
    "cloneFlag": PREDICATES["created"],
    "deleteFlag": PREDICATES["removed"],
    "updateOn": {},
    "updateGlobalArchived": {},
}
_RESOURCE = re.compile(r"proj/([^:;]+)(?::env/([^:;]+))?:flag/([^:;]+)")
_TURNED = re.compile(r"\bturned (?:the flag )?(on|off)\b", re.IGNORECASE)
_UNNAMED = "default"
"""The project that is there before anybody has named one."""


def is_unleash(said: Said) -> bool:
    """Whether an object is an event of Unleash that is about a flag."""
    return {"featureName", "type", "createdAt"} <= said.keys()


def unleash(said: Said, _: CDEventsOptions) -> list[Line]:
    """A change of a flag as Unleash's webhook sends it; what is enabled is on for all."""
    meant = _UNLEASH.get(text(said, "type"))
    if meant is None:
        return []
    kind = text(within(said, "data"), "type")
    line = {
        "id": text(said, "id", "eventId"),
        "flag": text(said, "featureName"),
        "environment": text(said, "environment"),
        "service": _service(text(said, "project")),
        "temporary": kind not in _STAYING if kind else None,
        **meant,
    }
    return [_line(text(said, "createdAt"), line)]


def is_launchdarkly(said: Said) -> bool:
    """Whether an object is an entry of LaunchDarkly's audit log, as its webhook sends it."""
    return {"_id", "date", "kind", "accesses"} <= said.keys()


def launchdarkly(said: Said, _: CDEventsOptions) -> list[Line]:
    """Changes of flags as LaunchDarkly's webhook sends them, one for each flag and environment.

    Raises:
        ValueError: A flag was switched or archived, and it does not say which way.
    """
    if text(said, "kind") != "flag" or not isinstance(said["accesses"], list):
        return []
    found = dict.fromkeys(_switched(said["accesses"]))
    lines = []
    for action, resource in found:
        named = _RESOURCE.match(resource)
        if named is None:
            raise ValueError(f"accesses name no flag: {resource[:60]!r}")
        project, environment, flag = named.groups("*")
        several = f"/{action}/{environment}/{flag}" if len(found) > 1 else ""
        line = {
            "id": text(said, "_id") + several,
            "flag": flag,
            "environment": environment if environment != "*" else "",
            "service": _service(project),
            "temporary": _boolean(within(said, "currentVersion"), "temporary"),
            **(_LAUNCHDARKLY[action] or _meant(said, action, environment)),
        }
        lines.append(_line(text(said, "date"), line))
    return lines


def _switched(accesses: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for access in accesses:
        if isinstance(access, Mapping) and text(access, "action") in _LAUNCHDARKLY:
            yield text(access, "action"), text(access, "resource")


def _meant(said: Said, action: str, environment: str) -> Mapping[str, Any]:
    """Which way a flag was switched, or archived: by what it is now, else by the words."""
    now, words = within(said, "currentVersion"), text(said, "titleVerb")
    if action == "updateGlobalArchived":
        archived = _boolean(now, "archived")
        if archived is None and not words:
            raise ValueError("it does not say whether the flag was archived or restored")
        gone = "archived" in words if archived is None else archived
        return PREDICATES["removed" if gone else "created"]
    on = _boolean(within(within(now, "environments"), environment), "on")
    turned = _TURNED.search(words) or _TURNED.search(text(said, "description"))
    if on is None and turned is None:
        raise ValueError("it does not say whether the flag was turned on or off")
    return {"share": int(turned is not None and turned[1].lower() == "on" if on is None else on)}


def _boolean(held: Said, key: str) -> bool | None:
    value = held.get(key)
    return value if isinstance(value, bool) else None


def _service(project: str) -> str:
    return "" if project == _UNNAMED else project


def _line(when: str, said: Mapping[str, Any]) -> Line:
    line = {"record": "flag_change", "changed_at": when, "recorded_at": when, **said}
    return {key: value for key, value in line.items() if value not in (None, "")}


def facts(
    events: Iterable[Event], copies: Mapping[int, list[Position]], names: Names, otherwise: str
) -> Iterator[Fact]:
    """Changes of flags from custom events.

    Args:
        events: Events of flags, each once.
        copies: Everywhere that an event stands.
        names: What environments are called.
        otherwise: The environment of those that name none.
    """
    for event in events:
        environment, groups = names.of(event.reference("environment"))
        values = {**event_values(event), "environment": environment or otherwise}
        values |= stated("flag_change", event)
        yield Fact(FlagChange(**values), copies[id(event)], groups)


def event_values(event: Event) -> dict[str, Any]:
    """The columns that a custom event says itself.

    Raises:
        ValueError: It says no share of users, or one that is none.
    """
    content = event.content
    said = {
        "record": "flag_change",
        "id": event_id(event),
        "flag": event.subject_id,
        "changed_at": written(event.happened_at),
        "share": content.get("share"),
        "temporary": content.get("temporary"),
        "service": service_name(event.reference("service")),
        "url": text(content, "url"),
    }
    named = {key: value for key, value in said.items() if value not in (None, "")}
    _, values = checked({**PREDICATES[event.predicate], **named}, {})
    if "share" not in {**values, **stated("flag_change", event)}:
        raise ValueError("subject.content.share is missing: the share of users who see it, 0 to 1")
    return values
