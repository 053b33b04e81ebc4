"""The deployment calls of other products: each recognised by its fields, and told in our words.

What comes out are lines as the spool has them. `artifact` beside them names what was deployed where
no commit does; `builds` says what an artifact was built from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cdevents.builds import commit
from connectors.cdevents.options import CDEventsOptions
from dora.addresses import repository_name

RECEIVED = "received_at"
"""Whoever stores a call may add when it came, for those that may leave the time out."""

Said = Mapping[str, Any]
Line = dict[str, Any]


def text(said: Said, *keys: str) -> str:
    """The first of these keys that says something, as text."""
    for key in keys:
        value = said.get(key)
        if value not in (None, "") and not isinstance(value, dict | list):
            return str(value)
    return ""


def within(said: Said, key: str) -> Said:
    """An object inside another; an empty one where there is none."""
    held = said.get(key)
    return held if isinstance(held, Mapping) else {}


def several(said: Said, key: str) -> list[str]:
    """A list of texts, or a text alone."""
    value = said.get(key)
    listed = value if isinstance(value, list) else [value]
    return [str(one) for one in listed if one not in (None, "") and not isinstance(one, dict)]


def repository(name: str, options: CDEventsOptions, host: str | None = None) -> str:
    """A repository by its one name; one without a host takes that which is configured."""
    where = options.host or host
    return repository_name(name) or (f"{where}/{name.strip('/')}" if name and where else "")


def one_commit(listed: list[str], options: CDEventsOptions) -> str:
    """Which of the commits that are listed was deployed, if that can be told."""
    if len(listed) == 1 or (listed and options.commits == "first"):
        return listed[0]
    return listed[-1] if listed and options.commits == "last" else ""


def deployment(when: str, **said: Any) -> Line:
    """A deployment as a line of the spool.

    Args:
        when: When it happened, or was told: decides which of two lines is the later one.
        said: Its columns; what is empty is not said.
    """
    line = {"record": "deployment", "status": "succeeded", "recorded_at": when, **said}
    line.setdefault("finished_at", when)
    return {key: value for key, value in line.items() if value not in (None, "", [])}


def datadog(said: Said, options: CDEventsOptions) -> list[Line]:
    """A deployment or a failure as Datadog's API takes it; a failure is an incident."""
    held = within(within(said, "data"), "attributes") or said
    git = within(held, "git")
    common = {
        "repository": repository(text(git, "repository_url"), options),
        "labels": [*several(held, "custom_tags")],
        "id": text(held, "id"),
    }
    services = several(held, "services")
    if _is_failure(held):
        return _for_each(services or several(held, "team"), [
            {
                "record": "incident",
                "detected_at": held.get("started_at"),
                "resolved_at": held.get("finished_at"),
                "recorded_at": held.get("finished_at") or held.get("started_at"),
                "title": text(held, "name"),
                "severity": text(held, "severity"),
                "environment": text(held, "env"),
                **common,
            }
        ])  # fmt: skip
    return [
        deployment(
            text(held, "finished_at"),
            service=text(held, "service"),
            started_at=held.get("started_at"),
            environment=text(held, "env"),
            version=text(held, "version"),
            sha=text(git, "commit_sha"),
            **common,
        )
    ]


def _is_failure(held: Said) -> bool:
    return "service" not in held and ("services" in held or "severity" in held or "team" in held)


def _for_each(services: list[str], lines: list[Line]) -> list[Line]:
    """A line for each service; their ids are told apart where there are several."""
    made = []
    for service in services or [""]:
        for line in lines:
            own = f"{line['id']}/{service}" if len(services) > 1 and line.get("id") else None
            given = {**line, "service": service, "id": own or line.get("id")}
            made.append({key: value for key, value in given.items() if value not in (None, "", [])})
    return made


_SLEUTH_MANUAL = frozenset(
    {"name", "description", "environment", "date", "tags", "author", "email", "api_key", RECEIVED}
)
"""What a call of `register_manual_deploy` may say; a name alone could be of anything."""


def is_sleuth(said: Said) -> bool:
    """Whether an object is a deployment or a manual change as Sleuth's API takes it."""
    return "sha" in said or ("name" in said and len(said) > 1 and said.keys() <= _SLEUTH_MANUAL)


def sleuth(said: Said, _: CDEventsOptions) -> list[Line]:
    """A deployment as `register_deploy` takes it, or a change as `register_manual_deploy` does."""
    links = said.get("links")
    first = next(iter(links.values()), "") if isinstance(links, Mapping) else text(said, "links")
    tags = [tag.strip() for one in several(said, "tags") for tag in one.split(",")]
    if "sha" not in said and "name" in said:
        when = text(said, "date", RECEIVED)
        told = {name: text(said, name) for name in ("name", "environment")}
        labels = [tag.removeprefix("#") for tag in tags]
        line = {"changed_at": when, "recorded_at": when, "labels": labels, **told}
        return [{"record": "manual_change", **{k: v for k, v in line.items() if v}}]
    return [
        deployment(
            text(said, "date", RECEIVED),
            sha=text(said, "sha"),
            environment=text(said, "environment"),
            labels=[tag.removeprefix("#") for tag in tags],
            url=str(first).rpartition("=")[2] if "=http" in str(first) else str(first),
        )
    ]


def linearb(said: Said, options: CDEventsOptions) -> list[Line]:
    """A deployment as LinearB's API takes it, one for each service; `release` is production."""
    stage = text(said, "stage") or "release"
    ref = text(said, "ref_name")
    line = deployment(
        text(said, "timestamp", RECEIVED),
        repository=repository(text(said, "repo_url"), options),
        sha=commit(ref),
        version="" if commit(ref) else ref,
        environment=stage,
        tier="production" if stage == "release" else "",
    )
    return _for_each(several(said, "services"), [line])


def swarmia(said: Said, options: CDEventsOptions) -> list[Line]:
    """A deployment, or one that fixes a version, as Swarmia's API takes it."""
    version = text(said, "version")
    fixed = text(said, "fixesVersion")
    return [
        deployment(
            text(said, "deployedAt", RECEIVED),
            service=text(said, "appName"),
            environment=text(said, "environment"),
            version=version,
            sha=text(said, "commitSha") or commit(version),
            repository=repository(text(said, "repositoryFullName"), options, "github.com"),
            unplanned=bool(fixed),
            fixes_version=fixed,
        )
    ]


def jellyfish(said: Said, options: CDEventsOptions) -> list[Line]:
    """A deployment as Jellyfish's webhook takes it."""
    return [
        deployment(
            text(said, "deployed_at"),
            id=text(said, "reference_id"),
            service=text(said, "name"),
            status="succeeded" if said.get("is_successful", True) else "failed",
            repository=repository(text(said, "repo_name"), options),
            sha=one_commit(several(said, "commit_shas"), options),
            labels=several(said, "labels"),
            url=text(said, "source_url"),
        )
    ]


def dx(said: Said, options: CDEventsOptions) -> list[Line]:
    """A deployment as `deployments.create` of DX takes it."""
    service = said.get("service")
    named = text(service, "identifier", "name") if isinstance(service, Mapping) else str(service)
    return [
        deployment(
            text(said, "deployed_at"),
            id=text(said, "reference_id"),
            service=named,
            environment=text(said, "environment"),
            status="succeeded" if said.get("success", True) else "failed",
            repository=repository(text(said, "repository"), options),
            sha=text(said, "commit_sha") or one_commit(several(said, "merge_commit_shas"), options),
            url=text(said, "source_url"),
            name=text(said, "source_name"),
        )
    ]


def ours(said: Said, _: CDEventsOptions) -> list[Line]:
    """A line as the spool has it."""
    return [dict(said)]


def is_datadog(said: Said) -> bool:
    """Whether an object is a deployment or a failure as Datadog's API takes it."""
    held = within(within(said, "data"), "attributes") or said
    whole = {"service", "started_at", "finished_at"} <= held.keys()
    return "started_at" in held and (whole or _is_failure(held))
