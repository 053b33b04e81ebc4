"""The keys of a GitHub source."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from connectors.fields import Since, Texts
from connectors.forge.deploying import DeploymentRule, parse
from connectors.forge.options import IncidentOptions, Part

PUBLIC = "https://api.github.com"

_REPOSITORY = re.compile(r"[\w.*-]+/[\w.*-]+")


class Options(Part):
    """The keys of a GitHub source."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    url: str = Field(
        default=PUBLIC,
        pattern=r"^https?://[^\s@]+$",
        description="API root: https://HOST/api/v3 for Enterprise Server",
    )
    token_env: Texts = Field(
        default=(),
        description="Variables that hold tokens; several take turns. If left out: GITHUB_TOKEN, "
        "GH_TOKEN, `gh auth token`, netrc",
    )
    app_id: int | None = Field(default=None, description="GitHub App that reads, by its id")
    installation_id: int | None = Field(
        default=None, description="Its installation; needed where it has several"
    )
    private_key_env: str | None = Field(
        default=None, description="Variable that holds the App's private key"
    )
    repositories: Texts = Field(default=(), description="owner/name; * stands for anything")
    groups: Texts = Field(
        default=(), alias="organisations", description="Organisations or users, all they own"
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
    pull_requests: bool = Field(default=True, description="Whether pull requests are read")
    builds: bool = Field(default=True, description="Whether workflow runs are read as builds")
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
    page_size: int = Field(default=100, ge=1, le=100, description="Rows of a page, at most")
    at_once: int = Field(default=4, ge=1, le=32, description="Repositories read at the same time")
    max_requests_per_second: float | None = Field(
        default=None, gt=0, description="No more requests than that"
    )
    timeout: int = Field(default=30, gt=0, description="Seconds that an answer may take")

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not _REPOSITORY.fullmatch(text):
                raise ValueError(f"{text!r} is no repository; write owner/name")
            if "*" in text.split("/")[0]:
                raise ValueError(f"{text!r}: an owner must be named; use owner/*")
        return given

    @field_validator("deployments")
    @classmethod
    def _known_rules(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse(given)
        return given

    @model_validator(mode="after")
    def _something_to_read(self) -> Options:
        if not self.repositories and not self.groups:
            raise ValueError(
                'name what to read: repositories = ["owner/name"] or groups = ["owner"]'
            )
        if (self.app_id is None) != (self.private_key_env is None):
            raise ValueError("app_id and private_key_env go together")
        if self.app_id is not None and self.token_env:
            raise ValueError("an App signs in by itself; leave out app_id or token_env")
        return self

    @property
    def rules(self) -> tuple[DeploymentRule, ...]:
        """What makes a deployment, in order of trust."""
        return parse(self.deployments)

    @property
    def host(self) -> str:
        """The host of the web address, as canonical names begin; no name has a port."""
        host = (urlsplit(self.url).hostname or "").lower()
        if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
            return host.removeprefix("api.")
        return host
