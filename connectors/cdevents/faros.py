"""Events of Faros: CI ties an artifact to a commit, CD deploys an artifact or a commit."""

from __future__ import annotations

import re
from typing import Any

from connectors.cdevents.builds import commit
from connectors.cdevents.options import CDEventsOptions
from connectors.cdevents.shapes import Line, Said, deployment, repository, text, within

ARTIFACT = "artifact"
"""Beside a line: the artifact that was deployed, or built."""

_URI = re.compile(r"(?P<source>[^:/]+)://(?P<first>[^/]+)/(?P<middle>.+)/(?P<last>[^/]+)")
_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_STATUSES = {
    "success": "succeeded",
    "failed": "failed",
    "rolledback": "failed",
    "canceled": "cancelled",
    "queued": "running",
    "running": "running",
}


def recognises(said: Said) -> bool:
    """Whether a JSON object is an event of Faros."""
    return said.get("type") in ("CI", "CD") and bool(within(said, "data"))


def lines(said: Said, options: CDEventsOptions) -> list[Line]:
    """The deployment that a CD event tells of; a CI event tells of none.

    Raises:
        ValueError: Its status is none that is known.
    """
    if said.get("type") != "CD":
        return []
    data = within(said, "data")
    deploy = within(data, "deploy")
    uri = _URI.fullmatch(text(deploy, "uri"))
    built = _commit(data, options)
    word = text(deploy, "status")
    status = _STATUSES.get(word.casefold())
    if status is None:
        raise ValueError(f"data.deploy.status is {word[:40]!r}, which is none that is known")
    ended = text(deploy, "endTime")
    return [
        deployment(
            ended or text(deploy, "startTime", "requestedAt"),
            id=text(deploy, "id") or (uri["last"] if uri else ""),
            service=text(deploy, "application") or (uri["first"] if uri else ""),
            environment=text(deploy, "environment") or (uri["middle"] if uri else ""),
            status=status,
            original_status="" if word.casefold() == status else word,
            started_at=text(deploy, "startTime"),
            finished_at=ended if status != "running" else None,
            url=text(deploy, "url"),
            artifact=artifact(data),
            **built,
        )
    ]


def artifact(data: Said) -> str:
    """The artifact that an event is about, by one name; empty where it names none."""
    held = within(data, "artifact")
    if uri := text(held, "uri"):
        return uri
    parts = [text(held, key) for key in ("source", "organization", "repository", "id")]
    return "{}://{}/{}/{}".format(*parts) if parts[-1] else ""


def built(said: Said, options: CDEventsOptions) -> tuple[str, dict[str, Any]]:
    """The artifact that a CI event ties to a commit, and that commit."""
    data = within(said, "data")
    return artifact(data), _commit(data, options)


def _commit(data: Said, options: CDEventsOptions) -> dict[str, Any]:
    held = within(data, "commit")
    uri = _URI.fullmatch(text(held, "uri"))
    sha = text(held, "sha") or (uri["last"] if uri else "")
    source = (text(held, "source") or (uri["source"] if uri else "")).casefold()
    path = [text(held, "organization"), text(held, "repository")]
    if uri and not all(path):
        path = [uri["first"], uri["middle"]]
    named = "/".join(path) if all(path) else ""
    return {"sha": commit(sha), "repository": repository(named, options, _HOSTS.get(source))}
