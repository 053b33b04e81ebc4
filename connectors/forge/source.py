"""Keys that the sources of all forges take: what is read, how eagerly, and what was deployed."""

from __future__ import annotations

from pydantic import ConfigDict, Field, field_validator

from connectors.fields import Since, Texts
from connectors.forge.deploying import DeploymentRule, parse
from connectors.forge.options import IncidentOptions, Part


class ForgeOptions(Part):
    """What a source of any forge takes; each adds how it is reached and what only it knows."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    exclude: Texts = Field(default=(), description="Repositories to leave out; * for anything")
    archived: bool = Field(default=False, description="Whether archived ones are read")
    forks: bool = Field(default=False, description="Whether forks are read")
    since: Since = Field(default=None, description="Day before which nothing is read")
    commits: bool = Field(
        default=True, description="Whether commits are read; false where a git source has a clone"
    )
    branches: Texts = Field(
        default=(), description="Branches read beside the default one; * stands for anything"
    )
    deployments: Texts = Field(
        default=("deployments",),
        description="Rules in order of trust: deployments, environment:REGEX, "
        "workflow:REGEX job:REGEX, releases, tags:GLOB, merges:BRANCH",
    )
    environment: str = Field(
        default="production",
        min_length=1,
        description="Where deployments go that name no environment",
    )
    service: str | None = Field(default=None, description="What they deploy, if it is one service")
    incidents: IncidentOptions | None = Field(
        default=None, description="Which issues are incidents; none if left out"
    )
    reconcile_days: float = Field(
        default=7, gt=0, description="Days between looks for what was deleted or rewritten"
    )
    at_once: int = Field(default=4, ge=1, le=32, description="Repositories read at the same time")
    max_requests_per_second: float | None = Field(
        default=None, gt=0, description="No more requests than that"
    )
    timeout: float = Field(default=30, gt=0, description="Seconds that an answer may take")

    @field_validator("deployments")
    @classmethod
    def _known_rules(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse(given)
        return given

    @property
    def rules(self) -> tuple[DeploymentRule, ...]:
        """What makes a deployment, in order of trust."""
        return parse(self.deployments)
