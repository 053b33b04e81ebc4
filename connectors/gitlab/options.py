"""The keys of a GitLab source."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from connectors.fields import Since, Texts
from connectors.forge.deploying import DeploymentRule, parse
from connectors.forge.options import IncidentOptions as Common
from connectors.forge.options import Part

PUBLIC = "https://gitlab.com"

_PROJECT = re.compile(r"[\w.*+ -]+(?:/[\w.*+ -]+)*")


class IncidentOptions(Common):
    """Which issues are incidents; GitLab has no reason of its own for closing one."""

    not_planned_labels: Texts = Field(
        default=("wontfix", "won't *", "*not planned*", "not-planned", "*invalid*", "*::wontfix"),
        description="Labels of issues that were closed as not planned",
    )

    @model_validator(mode="before")
    @classmethod
    def _incidents_by_type(cls, given: Any) -> Any:
        chosen = {"labels", "all_labels", "types", "severities", "where"}
        if isinstance(given, dict) and not chosen & given.keys():
            return {**given, "types": ("incident",)}
        return given


class Options(Part):
    """The keys of a GitLab source."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    url: str = Field(
        default=PUBLIC,
        pattern=r"^https?://[^\s@?#]+$",
        description="Where GitLab is, with its path if it has one; /api/v4 may be left out",
    )
    token_env: Texts = Field(
        default=(),
        description="Variables that hold tokens; GITLAB_TOKEN if left out. Several take turns",
    )
    projects: Texts = Field(
        default=(), alias="repositories", description="group/project; * stands for anything"
    )
    groups: Texts = Field(
        default=(), description="Groups, with all their subgroups, or users; all they own"
    )
    exclude: Texts = Field(default=(), description="Projects to leave out; * for anything")
    archived: bool = Field(default=False, description="Whether archived ones are read")
    forks: bool = Field(default=False, description="Whether forks are read")
    since: Since = Field(default=None, description="Day before which nothing is read")
    commits: bool = Field(
        default=True,
        description="Whether commits are read, those of merge requests too; false where a git "
        "source has a clone",
    )
    branches: Texts = Field(
        default=(), description="Branches read beside the default one; * stands for anything"
    )
    merge_requests: bool = Field(
        default=True, alias="pull_requests", description="Whether merge requests are read"
    )
    reviews: bool = Field(
        default=True,
        description="Whether reviews, approvals and leaving draft are read: a request for each "
        "merge request that changed",
    )
    builds: bool = Field(
        default=False,
        description="Whether pipelines are read as builds: a request for each that changed",
    )
    deployments: Texts = Field(
        default=("deployments",),
        description="Rules in order of trust: deployments, workflow:REGEX job:REGEX, "
        "environment:REGEX, releases, tags:GLOB, merges:BRANCH",
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
        default=7, gt=0, description="Days between looks for what was deleted"
    )
    at_once: int = Field(default=4, ge=1, le=32, description="Projects read at the same time")
    max_requests_per_second: float | None = Field(
        default=None, gt=0, description="No more requests than that"
    )
    timeout: float = Field(default=30, gt=0, description="Seconds that an answer may take")

    @field_validator("projects")
    @classmethod
    def _paths(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not _PROJECT.fullmatch(text):
                raise ValueError(
                    f"{text!r} is no project; write group/project, with all its groups"
                )
            if "/" not in text and text != "*":
                raise ValueError(f"{text!r}: a project has a group before it; write group/project")
        return given

    @field_validator("deployments")
    @classmethod
    def _known_rules(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse(given)
        return given

    @model_validator(mode="after")
    def _something_to_read(self) -> Options:
        if not self.projects and not self.groups:
            raise ValueError(
                'name what to read: projects = ["group/project"] or groups = ["group"]'
            )
        return self

    @property
    def rules(self) -> tuple[DeploymentRule, ...]:
        """What makes a deployment, in order of trust."""
        parsed: tuple[DeploymentRule, ...] = parse(self.deployments)
        return parsed

    @property
    def root(self) -> str:
        """Where the host is, without the path of its API."""
        return re.sub(r"/api(?:/v4)?$", "", self.url.rstrip("/"))

    @property
    def home(self) -> str:
        """What canonical names begin with: the host, as in the address of a clone."""
        parts = urlsplit(self.root)
        return f"{(parts.hostname or '').lower()}{parts.path.rstrip('/')}"
