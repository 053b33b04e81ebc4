"""Keys that all forges take in `[[sources]]`, and how their values are understood."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.causes import CAUSED_BY
from connectors.fields import CausePattern, Texts
from connectors.forge.boolean import Condition


class Part(BaseModel):
    """Keys that stand together; none that is not known, and no value shown in a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IncidentOptions(Part):
    """Which issues are incidents: all keys that are given must fit."""

    labels: Texts = Field(default=(), description="It has any of these labels; * for anything")
    all_labels: Texts = Field(default=(), description="And every one of these")
    without_labels: Texts = Field(default=(), description="And none of these")
    types: Texts = Field(default=(), description="It is of any of these types")
    severities: Texts = Field(default=(), description="Its severity is any of these")
    where: str | None = Field(
        default=None,
        description="Any condition: (label:incident or type:Bug) and not severity:low",
    )
    severity: Texts = Field(
        default=("severity:*", "severity/*", "sev*", "priority:*", "P0", "P1", "P2", "P3", "P4"),
        description="Labels that state the severity; the first that fits is it",
    )
    external: Texts = Field(default=(), description="Labels of causes outside")
    not_planned: bool = Field(
        default=False, description="Whether those closed as not planned count too"
    )
    caused_by: CausePattern = Field(
        default=CAUSED_BY, description="Expression whose first group is the cause that is stated"
    )

    @field_validator("where")
    @classmethod
    def _condition(cls, given: str | None) -> str | None:
        if given is not None:
            Condition.parse(given)
        return given


def regular(text: str) -> re.Pattern[str]:
    """A regular expression that says something.

    Raises:
        ValueError: It is none, or fits everything because nothing stands in it.
    """
    if not text:
        raise ValueError("an empty expression would fit everything; write .* if that is meant")
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
