"""What `[[sources]]` of kind `cdevents` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.fields import Zone

Shape = Literal[
    "cdevents",
    "datadog",
    "sleuth",
    "linearb",
    "swarmia",
    "jellyfish",
    "dx",
    "faros",
    "dora",
    "launchdarkly",
    "unleash",
]
Predicate = Literal["deployed", "upgraded", "rolledback", "published"]


class CDEventsOptions(BaseModel):
    """Where the events are, and what those mean that say too little."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="Folder, file or glob of JSON and JSON Lines")
    shape: Shape | None = Field(None, description="What every line is; else each tells by itself")
    deployments: list[Predicate] = Field(
        ["deployed", "upgraded", "rolledback"], description="Service events that are deployments"
    )
    incident_environments: list[str] = Field(
        [], description="Wildcards of environments whose incidents count; else by their names"
    )
    service: str | None = Field(None, description="Of deployments that name none")
    repository: str | None = Field(None, description="Of deployments that name none")
    environment: str = Field("production", description="Of deployments that name none")
    host: str | None = Field(None, description="Of repositories that are named without one")
    commits: Literal["first", "last"] | None = Field(
        None, description="Which of several listed commits was deployed; else none is known"
    )
    timezone: Zone = Field(None, description="Zone of times that state none")
