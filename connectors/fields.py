"""Kinds of options that several connectors take."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from connectors.causes import pattern_fault
from dora import zones
from dora.errors import BadWindow


def listed(value: Any) -> Any:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _beginning(given: Any) -> Any:
    """A day stands for its first instant in UTC."""
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, tzinfo=UTC)
    return given


def _in_utc(given: datetime | None) -> datetime | None:
    return given if given is None or given.tzinfo else given.replace(tzinfo=UTC)


def _finds_causes(pattern: str) -> str:
    if why := pattern_fault(pattern):
        raise ValueError(why)
    return pattern


def _zone(name: str | None) -> str | None:
    try:
        return name and zones.zone(name).key
    except BadWindow as error:
        raise ValueError(f"{error.message} {error.hint}") from None


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address; write it like https://host.example")
    return url.rstrip("/")


Text = Annotated[str, Field(min_length=1)]

Texts = Annotated[tuple[Text, ...], BeforeValidator(listed)]
"""One text or several."""

Since = Annotated[datetime | None, BeforeValidator(_beginning), AfterValidator(_in_utc)]
"""A day, which stands for its beginning in UTC, or an instant."""

CausePattern = Annotated[str, AfterValidator(_finds_causes)]
"""An expression whose first group is the cause of an incident."""

Zone = Annotated[str | None, AfterValidator(_zone)]
"""A time zone by its IANA name."""

Address = Annotated[str, AfterValidator(_address)]
"""An address of the web, without a slash behind it."""
