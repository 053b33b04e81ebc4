"""The table `[calendar]`: when releases are meant to happen, and when they are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dora import zones
from dora.config.checks import Faults, distinct, nearest, tables, worded
from dora.config.lines import Path
from dora.errors import BadWindow, ConfigError
from dora.rules import duration

Kind = Literal["windows", "freezes", "trains"]
M = TypeVar("M", bound=BaseModel)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    if not isinstance(value, str | timedelta):
        raise ValueError("it is a length of time such as 4h or 2d")
    try:
        return duration(value)
    except ConfigError as error:
        raise ValueError(f"{error.message} {error.hint}") from error


def _zone(value: Any) -> Any:
    try:
        zones.zone(str(value))
    except BadWindow as error:
        raise ValueError(f"{error.message} {error.hint}") from error
    return value


def _rule(value: Any) -> Any:
    from dateutil.rrule import rrulestr

    if not isinstance(value, str):
        raise ValueError("it is a rule such as FREQ=WEEKLY;BYDAY=TU,TH")
    if "DTSTART" in value.upper():
        raise ValueError("the first time stands in `start`, not in the rule")
    try:
        rrulestr(value, dtstart=datetime(2026, 1, 1))  # noqa: DTZ001  (local times have no zone)
    except ValueError as error:
        raise ValueError(f"{value!r} is no rule of RFC 5545: {error}") from error
    return value.removeprefix("RRULE:")


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Length = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
Rule = Annotated[str, BeforeValidator(_rule)]
Zone = Annotated[str, BeforeValidator(_zone)]


class Entry(BaseModel):
    """What windows, freezes and trains have in common.

    Attributes:
        name: What it is called.
        rrule: How it comes again, as RFC 5545 writes it; without, it happens once.
        start: When it happens first, by the clock of its zone.
        timezone: Whose clock that is; the reporting zone where none is named.
        ics: A calendar file to read the times from instead, seen from the configuration.
        services: Wildcards of the services it holds for.
        teams: The teams whose services it holds for.
        environments: Wildcards of the environments it holds for.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    name: str = Field(min_length=1)
    rrule: Rule | None = None
    start: datetime | None = None
    timezone: Zone | None = None
    ics: str | None = None
    services: Texts = ()
    teams: Texts = ()
    environments: Texts = ()

    @model_validator(mode="after")
    def _is_told_once(self) -> Entry:
        if (self.start is None) is (self.ics is None):
            raise ValueError("it needs either `start`, its first time, or `ics`, a calendar file")
        if self.start is not None and self.start.tzinfo is not None:
            raise ValueError("`start` is a time by the clock of its zone, without an offset")
        if self.ics is not None and self.rrule is not None:
            raise ValueError("a calendar file has its own rules; leave `rrule` out")
        return self


class Span(Entry):
    """A window or a freeze: it lasts.

    Attributes:
        duration: How long each lasts.
        until: When a single one ends, instead of its duration.
        exempt: Labels of deployments that may go out all the same.
    """

    duration: Length | None = None
    until: datetime | None = None
    exempt: Texts = ()

    @model_validator(mode="after")
    def _ends_once(self) -> Span:
        if self.ics is not None:
            return self
        if (self.duration is None) is (self.until is None):
            raise ValueError("it needs either `duration` or `until`, when it ends")
        if self.until is not None:
            if self.rrule is not None:
                raise ValueError("what comes again has a `duration`, not one end")
            if self.start is not None and self.until <= self.start:
                raise ValueError("it ends before it begins")
        return self


class Train(Entry):
    """A release train: it departs at set times.

    Attributes:
        cutoff: How long before its departure what is to go along has to be merged.
        tolerance: How far from its time a departure is still on time.
    """

    cutoff: Annotated[timedelta, BeforeValidator(_duration)] = timedelta(0)
    tolerance: Length = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When releases are meant to happen, and when they are not.

    Attributes:
        windows: When deployments may go out.
        freezes: When they may not.
        trains: When they leave by plan.
        holidays: A country, or one of its parts such as `DE-BY`, whose holidays are no working
            days; it needs the extra `calendars`.
        office_hours: The hours of a working day, by the reporting zone, as `09:00-17:00`.
        checks: Wildcards of the CI checks that have to pass before a release; all where none is
            named.
        released_share: The share of users from which on what is behind a flag is released.
    """

    windows: tuple[Span, ...] = ()
    freezes: tuple[Span, ...] = ()
    trains: tuple[Train, ...] = ()
    holidays: str | None = None
    office_hours: str = "09:00-17:00"
    checks: tuple[str, ...] = ()
    released_share: float = 1.0


class _Days(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True)

    holidays: str | None = Field(None, pattern=r"^[A-Z]{2}(-[A-Z0-9]+)?$")
    office_hours: str = Field(
        "09:00-17:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$"
    )
    checks: Texts = ()
    released_share: float = Field(1.0, gt=0, le=1)


def read(given: Any, faults: Faults) -> Calendar:
    """The calendar that is given; every fault is named with its line."""
    if not isinstance(given, dict):
        faults.add(("calendar",), "it is a table: [[calendar.windows]], [[calendar.freezes]] …")
        return Calendar()
    if not given:
        return Calendar()
    for key in given:
        if key not in Calendar.__dataclass_fields__:
            spoken = nearest(str(key), Calendar.__dataclass_fields__)
            faults.add(("calendar", str(key)), f"there is no key {key!r} here; {spoken}")

    def entries(kind: Kind, model: type[M]) -> tuple[M, ...]:
        return tuple(_entries(kind, model, given.get(kind, []), faults))

    windows = entries("windows", Span)
    freezes = entries("freezes", Span)
    trains = entries("trains", Train)
    days = _valid(_Days, given, ("calendar",), faults)
    return Calendar(windows, freezes, trains, **(days.model_dump() if days else {}))


def _entries(kind: Kind, model: type[M], given: Any, faults: Faults) -> Iterator[M]:
    if not isinstance(given, list):
        message = f"each entry begins with a line of its own: [[calendar.{kind}]]"
        faults.add(("calendar", kind), message)
    distinct(f"calendar.{kind}", given, faults)
    for number, entry in tables(given):
        timed = {key: _as_time(value) for key, value in entry.items()}
        found = _valid(model, timed, ("calendar", kind, number), faults)
        if found is not None:
            yield found


def _valid(model: type[M], given: Mapping[str, Any], place: Path, faults: Faults) -> M | None:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.add((*place, *fault["loc"]), worded(fault, model))
    return None


def _as_time(value: Any) -> Any:
    """A day stands for its first instant: `2026-12-18` is midnight."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  (a clock's own time)
    return value
