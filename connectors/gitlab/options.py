"""The keys of a GitLab source."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.fields import Texts
from connectors.forge.options import IncidentOptions as Common
from connectors.forge.source import ForgeOptions

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


class Options(ForgeOptions):
    """The keys of a GitLab source."""

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
    incidents: IncidentOptions | None = Field(
        default=None, description="Which issues are incidents; none if left out"
    )

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

    @model_validator(mode="after")
    def _something_to_read(self) -> Options:
        if not self.projects and not self.groups:
            raise ValueError(
                'name what to read: projects = ["group/project"] or groups = ["group"]'
            )
        return self

    @property
    def root(self) -> str:
        """Where the host is, without the path of its API."""
        return re.sub(r"/api(?:/v4)?$", "", self.url.rstrip("/"))

    @property
    def home(self) -> str:
        """What canonical names begin with: the host, as in the address of a clone."""
        parts = urlsplit(self.root)
        return f"{(parts.hostname or '').lower()}{parts.path.rstrip('/')}"
