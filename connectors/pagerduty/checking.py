"""What `dora check` says of a PagerDuty source: token, services, and how many incidents wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dora.connector import Finding
from dora.errors import SourceError

if TYPE_CHECKING:
    from connectors.pagerduty.connector import PagerDuty

_NAMED = 5


def findings(pagerduty: PagerDuty) -> Iterator[Finding]:
    """Everything worth saying, never failing."""
    name, options = pagerduty.name, pagerduty.options
    try:
        services = sorted(pagerduty.services().values())
        listing = pagerduty.listing()
        first = listing.first().content["incidents"]
        unresolved = len(listing.open())
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
        return
    listed = ", ".join(services[:_NAMED]) + (", …" if len(services) > _NAMED else "")
    yield Finding("ok", name, f"{options.url} accepts the token; services read: {listed}.")
    if not first:
        yield Finding(
            "warning",
            name,
            "These services never had an incident of this urgency.",
            "Correct services or urgency, if there should be any.",
        )
        return
    yield Finding(
        "ok", name, f"The first incident is of {first[0]['created_at'][:10]}; open: {unresolved}."
    )
