"""What `[privacy]` says: how many people stand behind a number, and how long facts are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dora.errors import BadWindow
from dora.windows import window


def _span(value: Any) -> Any:
    if isinstance(value, str):
        try:
            window(value, as_of=datetime(2026, 6, 15, tzinfo=UTC))
        except BadWindow:
            value = None
    if not isinstance(value, str) or not value[0].isdigit() or not value[-1].isalpha():
        raise ValueError("it is a length of time such as 2y, 18mo or 400d")
    return value


class Privacy(BaseModel):
    """How the people behind the numbers are protected.

    Attributes:
        k: With fewer distinct authors than this behind it, a team's number is not shown.
        retention: How long facts are kept, such as `2y`; None for as long as the store is there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    k: int = Field(default=5, ge=1)
    retention: Annotated[str, BeforeValidator(_span)] | None = None

    def kept_from(self, now: datetime, zone: str) -> date | None:
        """The first day whose facts are kept, the first of a month; None where all are."""
        if self.retention is None:
            return None
        return window(self.retention, as_of=now, zone=zone).start.replace(day=1)
