"""PagerDuty: the incidents of an account, or of some of its services.

[[sources]]
name = "pagerduty"
kind = "pagerduty"
services = ["checkout", "search*"]
urgency = "high"
since = 2025-01-01
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from connectors.http.pacing import Pace
from connectors.http.rest import Refusal, Rest
from connectors.http.retrying import Caller, GiveUp, Verdict
from connectors.http.tokens import Token, Tokens, from_variables
from connectors.incidents import IncidentSource, asked
from connectors.pagerduty import checking
from connectors.pagerduty.incidents import Incidents, instant
from connectors.pagerduty.listing import Listing
from connectors.pagerduty.options import Options
from connectors.pagerduty.reading import Reading
from dora.connector import Finding
from dora.errors import SourceError
from dora.patterns import wildcard
from dora.spelling import suggestion


class PagerDuty(IncidentSource):
    """Reads the incidents of one PagerDuty account."""

    kind: ClassVar[str] = "pagerduty"
    title: ClassVar[str] = "PagerDuty"
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(
                f"a pagerduty source takes connectors.pagerduty.Options, not {type(options)}"
            )
        del base  # nothing of it is on this machine
        super().__init__(name)
        self.options = options

    @cached_property
    def rest(self) -> Rest:
        """Asks the host; made when first used, as only then a token is looked for."""
        options = self.options
        tokens = Tokens(from_variables([options.token_env], required=True))
        pace = Pace(options.max_requests_per_second)
        return Rest(
            options.url,
            Caller(tokens, self.patience, pace, self._spent),
            authorise=_token,
            headers={"Accept": "application/vnd.pagerduty+json;version=2"},
            timeout=options.timeout,
            judge=_judge,
        )

    def check(self) -> Iterator[Finding]:
        """Whether the token is good, and which services are read."""
        yield from checking.findings(self)

    def services(self) -> dict[str, str]:
        """The names of the services that are asked for, by id; all where none are named.

        Raises:
            SourceError: The host refuses or does not answer, or has no such service.
        """
        every: dict[str, str] = {}
        while True:
            asked = {"limit": 100, "offset": len(every)}
            said = self.rest.get("services", asked, whole=_has_services).content
            every |= {row["id"]: str(row.get("name") or row["id"]) for row in said["services"]}
            if not said.get("more") or not said["services"]:
                break
        if not self.options.services:
            return every
        for wanted in self.options.services:
            if not any(_fits(wanted, *one) for one in every.items()):
                raise _unknown(wanted, sorted(every.values()))
        return {
            id_: name
            for id_, name in every.items()
            if any(_fits(wanted, id_, name) for wanted in self.options.services)
        }

    def listing(self) -> Listing:
        """The lists of the services and urgencies that are asked for."""
        filters: dict[str, Any] = {}
        if self.options.services:
            filters["service_ids[]"] = sorted(self.services())
        if self.options.urgency:
            filters["urgencies[]"] = list(self.options.urgency)
        return Listing(self.rest, filters)

    def _reading(self) -> Reading:
        listing = self.listing()
        first = listing.first()
        rows = first.content["incidents"]
        return Reading(
            listing=listing,
            incidents=Incidents(self.options),
            clock=first.clock,
            oldest=instant(rows[0]["created_at"]) if rows else first.clock,
            asked=asked(self.options, sorted(listing.filters.items())),
            compare_after=timedelta(days=self.options.reconcile_days),
            compare=self._comparing,
        )


def _token(token: Token) -> Mapping[str, str]:
    return {"Authorization": f"Token token={token.value()}"}


def _judge(refusal: Refusal) -> Verdict | None:
    """What a refusal of PagerDuty means that other hosts do not give."""
    if refusal.status == 402:
        return GiveUp(
            SourceError(
                f"The account has no such ability: {refusal.said}.",
                hint="Leave urgency out where the account has no urgencies.",
            )
        )
    return None


def _has_services(said: Any) -> bool:
    rows = said.get("services") if isinstance(said, dict) else None
    return isinstance(rows, list) and all(isinstance(row, dict) and "id" in row for row in rows)


def _fits(wanted: str, id_: str, name: str) -> bool:
    return wanted == id_ or bool(wildcard([wanted]).match(name))


def _unknown(wanted: str, there: list[str]) -> SourceError:
    hint = f"{suggestion(wanted, there)} Correct services."
    return SourceError(f"PagerDuty has no service {wanted!r}.", hint=hint)
