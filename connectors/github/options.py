"""The keys of a GitHub source."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.forge.deploying import DeploymentRule, parse

PUBLIC = "https://api.github.com"

_REPOSITORY = re.compile(r"[\w.*?-]+/[\w.*?-]+")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_listed),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IncidentOptions(_Part):
    """Which issues are incidents."""

    labels: Texts = Field(default=(), description="An incident has any of these labels")
    all_labels: Texts = Field(default=(), description="And every one of these")
    without_labels: Texts = Field(default=(), description="And none of these")
    severity: Texts = Field(
        default=("severity:*", "severity/*", "sev*", "priority:*", "P0", "P1", "P2", "P3", "P4"),
        description="Wildcards of labels that state the severity; the first that fits is it",
    )
    external: Texts = Field(default=(), description="Labels of causes outside")
    not_planned: bool = Field(
        default=False, description="Whether those closed as not planned count too"
    )
    caused_by: str | None = Field(
        default=None, description="Expression whose first group is the cause, where yours differs"
    )

    @field_validator("caused_by")
    @classmethod
    def _expression(cls, given: str | None) -> str | None:
        if given is not None:
            try:
                groups = re.compile(given).groups
            except re.error as error:
                raise ValueError(f"{given!r} is no regular expression: {error}") from None
            if not groups:
                raise ValueError(f"{given!r} has no group that would be the cause")
        return given


class Options(_Part):
    """The keys of a GitHub source."""

    url: str = Field(
        default=PUBLIC,
        pattern=r"^https?://[^\s@]+$",
        description="API root: https://HOST/api/v3 for Enterprise Server",
    )
    token_env: Texts = Field(
        default=(),
        description="Variables that hold tokens; GITHUB_TOKEN or GH_TOKEN if left out. "
        "Several take turns",
    )
    app_id: int | None = Field(default=None, description="GitHub App that reads, by its id")
    installation_id: int | None = Field(default=None, description="Its installation")
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
    since: datetime | None = Field(default=None, description="Day before which nothing is read")
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
        default=7, gt=0, description="Days between looks for what was deleted or rewritten"
    )
    page_size: int = Field(default=50, ge=1, le=100, description="Rows of a page, at most")
    at_once: int = Field(default=4, ge=1, le=32, description="Repositories read at the same time")
    max_requests_per_second: float | None = Field(
        default=None, gt=0, description="No more requests than that"
    )
    timeout: int = Field(default=30, gt=0, description="Seconds that an answer may take")

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    @field_validator("repositories")
    @classmethod
    def _owner_and_name(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for text in given:
            if not _REPOSITORY.fullmatch(text):
                raise ValueError(f"{text!r} is no repository; write owner/name")
            if "*" in text.split("/")[0] or "?" in text.split("/")[0]:
                raise ValueError(f"{text!r}: an owner must be named; use owner/*")
        return given

    @field_validator("deployments")
    @classmethod
    def _known_rules(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse(given)
        return given

    @field_validator("since", mode="before")
    @classmethod
    def _a_day_is_its_beginning(cls, given: Any) -> Any:
        if isinstance(given, date) and not isinstance(given, datetime):
            return datetime(given.year, given.month, given.day, tzinfo=UTC)
        return given

    @field_validator("since")
    @classmethod
    def _in_utc(cls, given: datetime | None) -> datetime | None:
        return given if given is None or given.tzinfo else given.replace(tzinfo=UTC)

    @model_validator(mode="after")
    def _something_to_read(self) -> Options:
        if not self.repositories and not self.groups:
            raise ValueError(
                'name what to read: repositories = ["owner/name"] or groups = ["owner"]'
            )
        if (self.app_id is None) != (self.private_key_env is None):
            raise ValueError("app_id and private_key_env go together")
        return self

    @property
    def rules(self) -> tuple[DeploymentRule, ...]:
        """What makes a deployment, in order of trust."""
        parsed: tuple[DeploymentRule, ...] = parse(self.deployments)
        return parsed

    @property
    def host(self) -> str:
        """The host of the web address, as canonical names begin."""
        parts = urlsplit(self.url)
        host = (parts.hostname or "").lower()
        if host == "api.github.com":
            return "github.com"
        if host.startswith("api.") and host.endswith(".ghe.com"):
            host = host.removeprefix("api.")
        return f"{host}:{parts.port}" if parts.port else host
