"""What has to be known of a Jira site before its issues can be understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from connectors.http.errors import Absent
from connectors.http.rest import Rest
from connectors.jira import times
from connectors.jira.options import Options
from dora.errors import SourceError
from dora.spelling import suggestion

JSON: TypeAlias = dict[str, Any]

_EVERYWHERE = "../2/serverInfo"
"""Cloud and Data Center both have it, whichever version is asked otherwise."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site as the user of the token sees it.

    Attributes:
        web: Where people look at its issues.
        zone: The user's time zone, in which queries are read.
        clock: What time it was there when it was asked.
        over: Ids of the statuses in which an incident is over.
        fields: Ids of the fields that the options name, by that name.
    """

    web: str
    zone: ZoneInfo
    clock: datetime
    over: frozenset[str]
    fields: Mapping[str, str]

    @classmethod
    def of(cls, rest: Rest, options: Options) -> Site:
        """Ask for it.

        Raises:
            SourceError: The host refuses or does not answer, or has no such status or field.
        """
        try:
            site = rest.get(_EVERYWHERE, whole=lambda said: _has(said, "baseUrl"))
        except Absent as error:
            raise SourceError(
                f"There is no Jira at {options.url} ({error.message}).",
                hint="Correct url: the address that people open, without what follows the host.",
            ) from None
        _same_kind(site.content, options)
        user = rest.get("myself", whole=lambda said: _has(said, "displayName"))
        statuses = rest.get("status", whole=_listed).content
        known = rest.get("field", whole=_listed).content if options.fields_by_name else []
        return cls(
            web=str(site.content["baseUrl"]).rstrip("/"),
            zone=times.zone(user.content.get("timeZone")),
            clock=user.clock,
            over=frozenset(_over(statuses, options.resolved_status)),
            fields={name: _field(name, known, options) for name in options.fields_by_name},
        )


def _has(said: Any, name: str) -> bool:
    return isinstance(said, dict) and name in said


def _listed(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(one, dict) and "id" in one for one in said)


def _same_kind(said: JSON, options: Options) -> None:
    cloud = str(said.get("deploymentType", "")).casefold() == "cloud"
    if "deploymentType" in said and cloud != options.cloud:
        what = "Jira Cloud" if cloud else "no Jira Cloud"
        raise SourceError(
            f"{options.url} is {what}.",
            hint="Give the email of the token's account for Cloud, and leave it out for others.",
        )


def _over(statuses: Sequence[JSON], names: Sequence[str]) -> list[str]:
    if not names:
        return [
            str(one["id"])
            for one in statuses
            if (one.get("statusCategory") or {}).get("key") == "done"
        ]
    known = {str(one.get("name", "")).casefold() for one in statuses}
    for name in names:
        if name.casefold() not in known:
            there = sorted({str(one.get("name", "")) for one in statuses})
            raise _unknown("status", name, there, "resolved_status")
    wanted = {name.casefold() for name in names}
    return [str(one["id"]) for one in statuses if str(one.get("name", "")).casefold() in wanted]


def _field(name: str, known: Sequence[JSON], options: Options) -> str:
    fits = [one for one in known if name == one["id"]] or [
        one for one in known if name.casefold() == str(one.get("name", "")).casefold()
    ]
    if not fits:
        there = sorted({str(one.get("name", "")) for one in known})
        raise _unknown("field", name, there, "dora.toml")
    if len(fits) > 1:
        ids = ", ".join(str(one["id"]) for one in fits)
        raise SourceError(f"Several fields are called {name!r}.", hint=f"Write one of: {ids}.")
    kind = (fits[0].get("schema") or {}).get("type")
    if name in (options.resolved_field, options.detected_field) and kind != "datetime":
        raise SourceError(
            f"The field {name!r} holds no time but {kind or 'something else'}.",
            hint="An incident begins and ends at a time of day: name a field of date and time.",
        )
    return str(fits[0]["id"])


def _unknown(what: str, name: str, there: Sequence[str], where: str) -> SourceError:
    hint = f"{suggestion(name, there)} Correct {where}."
    return SourceError(f"Jira has no {what} {name!r}.", hint=hint)
