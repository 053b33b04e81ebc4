"""The keys of a Jira source."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from connectors.causes import CAUSED_BY
from connectors.fields import Address, CausePattern, Text, Texts

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'")
_FROM = re.compile(r"(?:field|label):\s*\S.*")


class Options(BaseModel):
    """What `[[sources]]` of kind `jira` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Address = Field(description="Address of the site, such as https://acme.atlassian.net")
    token_env: Text = Field("JIRA_TOKEN", description="Variable with the token")
    email: str | None = Field(
        None, description="Account of the token; given for Cloud, and only then"
    )
    jql: Text = Field(description="Which issues are incidents; without ORDER BY")
    resolved_status: Texts = Field(
        (), description="Statuses in which it is over; else those of the category Done"
    )
    resolved_field: str | None = Field(
        None, description="Field with the time it was over, where somebody filled it in"
    )
    detected_field: str | None = Field(
        None, description="Field with the time it was noticed; else when the issue was created"
    )
    service: str | None = Field(None, description="What they concern, if it is one service")
    service_from: str = Field(
        "component", description="Where the service stands: component, field:NAME or label:PREFIX*"
    )
    severity_from: str = Field(
        "priority", description="Where the severity stands: priority, field:NAME or label:PREFIX*"
    )
    severities: dict[str, str] = Field({}, description="Their word for a severity = yours")
    caused_by_links: Texts = Field(
        ("is caused by",), description="Links, as the incident shows them, to what caused it"
    )
    caused_by: CausePattern = Field(
        CAUSED_BY, description="Expression whose first group is the cause, where texts differ"
    )
    duplicate_links: Texts = Field(
        ("duplicates",), description="Links, as the duplicate shows them, to the original"
    )
    external: Texts = Field((), description="Labels of causes outside; * stands for anything")
    not_planned: Texts = Field(
        ("Won't Do", "Won't Fix", "Cannot Reproduce", "Invalid", "Duplicate", "Declined",
         "Incomplete", "Not a Bug", "Rejected"),
        description="Resolutions of what was no incident",
    )  # fmt: skip
    reconcile_days: float = Field(
        7, gt=0, description="Days between looks for what was deleted, moved or renamed"
    )
    max_requests_per_second: float | None = Field(None, gt=0, description="No more than that")
    timeout: float = Field(30, gt=0, description="Seconds that an answer may take")

    @field_validator("jql")
    @classmethod
    def _unordered(cls, jql: str) -> str:
        if re.search(r"\border\s+by\b", _QUOTED.sub("", jql), re.IGNORECASE):
            raise ValueError("leave ORDER BY out; the order is chosen so that no issue is lost")
        return jql

    @field_validator("service_from", "severity_from")
    @classmethod
    def _a_place(cls, place: str, info: ValidationInfo) -> str:
        usual = "component" if info.field_name == "service_from" else "priority"
        if place != usual and not _FROM.fullmatch(place):
            raise ValueError(f"{place!r} is no place; write {usual}, field:NAME or label:PREFIX*")
        return place

    @model_validator(mode="after")
    def _who_asks(self) -> Self:
        host = urlsplit(self.url).hostname or ""
        if self.email is None and host.endswith((".atlassian.net", "api.atlassian.com")):
            raise ValueError(f"{host} is Jira Cloud: give the email of the token's account, too")
        return self

    @property
    def cloud(self) -> bool:
        """Whether it is Jira Cloud, whose tokens belong to the email of an account."""
        return self.email is not None

    @property
    def fields_by_name(self) -> tuple[str, ...]:
        """The fields that are named, as people call them."""
        places = (self.service_from, self.severity_from)
        named = [place.partition(":")[2].strip() for place in places if place.startswith("field:")]
        return tuple(f for f in (self.resolved_field, self.detected_field, *named) if f)
