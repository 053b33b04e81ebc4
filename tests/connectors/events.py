"""CDEvents as each released version of the specification has them, for tests.

Written from the fields that the published schemas of github.com/cdevents/spec require and allow:
which context keys there are, whether a subject states its type, and the version of each event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SPECIFICATIONS: dict[str, dict[str, str]] = {
    "0.1.0": {"": "0.1-draft"},
    "0.1.2": {"": "0.1.0", "change": "0.1.1"},
    "0.2.0": {"": "0.1.1", "incident": "0.1.0", "change": "0.1.2"},
    "0.3.0": {"": "0.1.1", "incident": "0.1.0", "change": "0.1.2"},
    "0.4.0": {"": "0.2.0"},
    "0.4.1": {"": "0.2.0"},
    "0.5.0": {"": "0.3.0"},
    "0.5.1": {"": "0.3.0"},
}
"""The version of an event's type in each version of the specification; incidents since 0.2.0."""

NEWEST = "0.5.1"
SHA = "4f2a9c1d0b7e8f6a5c4d3b2a1f0e9d8c7b6a5948"
OTHER_SHA = "9d8c7b6a59484f2a9c1d0b7e8f6a5c4d3b2a1f0e"
DIGEST = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"
ARTIFACT = f"pkg:oci/checkout@sha256%3A{DIGEST}"


def event(
    name: str,
    subject_id: str,
    content: Mapping[str, Any] | None = None,
    *,
    at: str = "2026-03-01T12:00:00Z",
    id: str = "271069a8-fc18-44f1-b38f-9d70a1695819",
    source: str = "/ci/acme",
    specification: str = NEWEST,
    subject_source: str | None = None,
    context: Mapping[str, Any] | None = None,
    dora: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A CDEvent such as `service.deployed`, as that version of the specification writes it."""
    subject, _, predicate = name.partition(".")
    versions = SPECIFICATIONS[specification]
    newer = specification >= "0.5"
    about: dict[str, Any] = {"id": subject_id, "content": dict(content or {})}
    if not newer:
        about["type"] = subject
    if subject_source is not None:
        about["source"] = subject_source
    made = {
        "context": {
            "specversion" if newer else "version": specification,
            "id": id,
            "source": source,
            "type": f"dev.cdevents.{subject}.{predicate}.{versions.get(subject, versions[''])}",
            "timestamp": at,
            **(context or {}),
        },
        "subject": about,
    }
    if dora is not None:
        made |= {"customData": {"dora": dict(dora)}, "customDataContentType": "application/json"}
    return made


def deployed(
    number: int,
    *,
    predicate: str = "deployed",
    service: str = "checkout",
    environment: str = "production",
    artifact: str = ARTIFACT,
    **more: Any,
) -> dict[str, Any]:
    """A service event; `number` gives it an id of its own and a time, in minutes after noon."""
    content = {"environment": {"id": environment}, "artifactId": artifact}
    if predicate in ("removed", "published"):
        del content["artifactId"]
    given = {"at": minute(number), "id": uuid(number)} | more
    return event(f"service.{predicate}", service, content, **given)


def incident(
    number: int,
    predicate: str,
    *,
    id_: str = "incident-1",
    environment: str = "production",
    service: str = "checkout",
    **more: Any,
) -> dict[str, Any]:
    """An incident event; `number` gives it an id of its own and a time, in minutes after noon."""
    content: dict[str, Any] = {"environment": {"id": environment}, "service": {"id": service}}
    content["description"] = "Answers are slow"
    if predicate == "reported":
        content["ticketURI"] = "https://tickets.example.com/1"
    given = {"at": minute(number), "id": uuid(number), "source": "/monitoring"} | more
    return event(f"incident.{predicate}", id_, content, **given)


def packaged(number: int, *, artifact: str = ARTIFACT, change: str = SHA, **more: Any) -> Any:
    """An artifact that was built from a change."""
    content = {"change": {"id": change, "source": "github.com/acme/shop"}}
    given = {"at": minute(number), "id": uuid(number)} | more
    return event("artifact.packaged", artifact, content, **given)


def minute(number: int) -> str:
    return f"2026-03-01T{12 + number // 60:02d}:{number % 60:02d}:00Z"


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def write(folder: Path, events: Iterable[Any], name: str = "events/a.jsonl") -> Path:
    """Add events to a file, a line each."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(json.dumps(one) + "\n" for one in events)
    return file
