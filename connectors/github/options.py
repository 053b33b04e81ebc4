"""The keys of a GitHub source."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.fields import Texts
from connectors.forge.source import ForgeOptions

PUBLIC = "https://api.github.com"

_REPOSITORY = re.compile(r"[\w.*-]+/[\w.*-]+")


class Options(ForgeOptions):
    """The keys of a GitHub source."""

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
    pull_requests: bool = Field(default=True, description="Whether pull requests are read")
    builds: bool = Field(default=True, description="Whether workflow runs are read as builds")
    page_size: int = Field(default=100, ge=1, le=100, description="Rows of a page, at most")
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
    def host(self) -> str:
        """The host of the web address, as canonical names begin; no name has a port."""
        host = (urlsplit(self.url).hostname or "").lower()
        if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
            return host.removeprefix("api.")
        return host
