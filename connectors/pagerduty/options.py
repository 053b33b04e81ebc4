"""The keys of a PagerDuty source."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from connectors.causes import CAUSED_BY
from connectors.fields import Address, CausePattern, Since, Text, Texts, listed

PUBLIC = "https://api.pagerduty.com"

Urgencies = Annotated[tuple[Literal["high", "low"], ...], BeforeValidator(listed)]


class Options(BaseModel):
    """What `[[sources]]` of kind `pagerduty` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Address = Field(
        PUBLIC, description="Its interface; https://api.eu.pagerduty.com in Europe"
    )
    token_env: Text = Field("PAGERDUTY_TOKEN", description="Variable with the token")
    services: Texts = Field((), description="Names or ids; * stands for anything; else all")
    urgency: Urgencies = Field((), description="high, low, or both, as it is left out")
    since: Since = Field(None, description="Day before which nothing is read")
    severity_from: Literal["priority", "urgency"] = Field(
        "priority", description="What states the severity"
    )
    severities: dict[str, str] = Field({}, description="Their word for a severity = yours")
    caused_by: CausePattern = Field(
        CAUSED_BY, description="Expression whose first group is the cause, where titles differ"
    )
    reopenings: bool = Field(
        True, description="Whether logs are read for first ends and reopenings"
    )
    reconcile_days: float = Field(30, gt=0, description="Days between readings of everything")
    max_requests_per_second: float | None = Field(None, gt=0, description="No more than that")
    timeout: float = Field(30, gt=0, description="Seconds that an answer may take")

    @field_validator("url")
    @classmethod
    def _the_interface(cls, url: str) -> str:
        host = urlsplit(url).hostname or ""
        if host.endswith(".pagerduty.com") and not host.startswith("api."):
            raise ValueError(f"{url!r} is where people look; the interface is at {PUBLIC}")
        return url
