"""What `dora check` says of a Jira source: token, query, and what a sample would become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from connectors.http.errors import UNREADABLE
from connectors.jira.issues import Issues, Read
from connectors.jira.searching import Search
from connectors.jira.site import Site
from dora.connector import Finding
from dora.errors import SourceError

if TYPE_CHECKING:
    from connectors.jira.connector import Jira


def findings(jira: Jira) -> Iterator[Finding]:
    """Everything worth saying, never failing."""
    name, options = jira.name, jira.options
    try:
        site = Site.of(jira.rest, options)
        kind = "Jira Cloud" if options.cloud else "Jira Data Center"
        yield Finding("ok", name, f"{site.web} ({kind}) accepts the token; times are {site.zone}.")
        sample = _sample(jira, site)
    except SourceError as error:
        yield Finding("error", name, error.message, error.hint)
        return
    if not sample:
        yield Finding("warning", name, f"No issue fits {options.jql!r}.", "Correct jql.")
        return
    yield Finding("ok", name, f"The query finds issues, such as {_spoken(sample[0])}.")
    if not any(read.incident.service for read in sample):
        yield Finding(
            "warning",
            name,
            f"None of {len(sample)} issues names a service by {options.service_from!r}.",
            "Set service_from, or service if all are of one service.",
        )
    if not any(read.incident.first_resolved_at for read in sample):
        yield Finding(
            "warning",
            name,
            f"None of {len(sample)} issues was ever resolved by these rules.",
            "Set resolved_status to the statuses in which an incident is over.",
        )


def _sample(jira: Jira, site: Site) -> list[Read]:
    """The issues of one page."""
    issues = Issues(jira.options, site)
    search = Search(jira.rest, cloud=jira.options.cloud)
    read: list[Read] = []
    for page in islice(search.issues(f"({jira.options.jql})", issues.fields), 1):
        for found in page:
            with suppress(*UNREADABLE):  # the sync puts such an issue aside
                read.append(issues.read(found.row, found.changes or ()))
    return read


def _spoken(read: Read) -> str:
    incident = read.incident
    ended = f"over {incident.resolved_at:%Y-%m-%d %H:%M}" if incident.resolved_at else "open"
    return f"{incident.id} ({incident.service or 'no service'}, {ended} UTC)"
