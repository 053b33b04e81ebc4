"""Jira: issues that are incidents, Cloud and Data Center.

[[sources]]
name = "jira"
kind = "jira"
url = "https://acme.atlassian.net"
email = "robot@acme.example"
jql = "project = OPS AND labels = incident"
resolved_status = ["Mitigated", "Done"]
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from connectors.http.pacing import Pace
from connectors.http.rest import Authorise, Refusal, Rest, bearer
from connectors.http.retrying import Caller, GiveUp, Verdict
from connectors.http.spending import Spent
from connectors.http.tokens import Token, Tokens, from_variables
from connectors.jira import checking
from connectors.jira.issues import Issues
from connectors.jira.options import Options
from connectors.jira.reading import Reading
from connectors.jira.searching import Search
from connectors.jira.site import Site
from dora.connector import Cursor, Finding, Item
from dora.errors import SourceError
from dora.patience import Patience
from dora.records import Incident, IncidentCause, Record


class Jira:
    """Reads the incidents of one Jira site."""

    kind: ClassVar[str] = "jira"
    provides: ClassVar[tuple[type[Record], ...]] = (Incident, IncidentCause)
    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]] = {
        Incident: (IncidentCause,)
    }
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a jira source takes connectors.jira.Options, not {type(options)}")
        del base  # nothing of it is on this machine
        self.name = name
        self.options = options
        self.patience = Patience()
        self._spent = Spent()
        self._comparing = False

    @cached_property
    def rest(self) -> Rest:
        """Asks the site; made when first used, as only then a token is looked for."""
        options = self.options
        tokens = Tokens(from_variables([options.token_env], required=True))
        caller = Caller(tokens, self.patience, Pace(options.max_requests_per_second), self._spent)
        return Rest(
            f"{options.url}/rest/api/{3 if options.cloud else 2}",
            caller,
            authorise=_basic(options.email, tokens) if options.email else bearer,
            timeout=options.timeout,
            judge=_judge,
        )

    @property
    def spent(self) -> Mapping[str, int]:
        """What reading has cost so far."""
        return self._spent.counts()

    def reconcile(self) -> None:
        """Let the next reading read everything, and so find what is no longer there."""
        self._comparing = True

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """The incidents that changed since `cursor`, with the causes that they state.

        Raises:
            SourceError: The site cannot be read; what came before the last checkpoint is kept.
        """
        if record_type is not Incident:
            raise SourceError(
                f"A Jira source has no stream of {record_type.table}.",
                hint="Causes come along with incidents.",
            )
        options = self.options
        site = Site.of(self.rest, options)
        reading = Reading(
            search=Search(self.rest, cloud=options.cloud),
            issues=Issues(options, site),
            jql=options.jql,
            asked=self._asked(site),
            compare_after=timedelta(days=options.reconcile_days),
            compare=self._comparing,
        )
        yield from reading.items(cursor)

    def check(self) -> Iterator[Finding]:
        """Whether the token is good, and what the query and the rules would make of it."""
        yield from checking.findings(self)

    def _asked(self, site: Site) -> str:
        """What the facts depend on beside the source."""
        unimportant = {"token_env", "email", "timeout", "max_requests_per_second", "reconcile_days"}
        said = self.options.model_dump_json(exclude=unimportant)
        return hashlib.sha256(f"{said} {sorted(site.over)} {site.web}".encode()).hexdigest()[:16]


def _basic(email: str, tokens: Tokens) -> Authorise:
    """Cloud's way: the account's email and the token; a secret in this form, too."""

    def authorise(token: Token) -> Mapping[str, str]:
        shown = base64.b64encode(f"{email}:{token.value()}".encode()).decode()
        tokens.scrubber.learn(shown)
        return {"Authorization": f"Basic {shown}"}

    return authorise


def _judge(refusal: Refusal) -> Verdict | None:
    """What a refusal of Jira means that other hosts do not give."""
    if refusal.status == 400:
        return GiveUp(
            SourceError(
                f"Jira does not understand the query: {refusal.said}.",
                hint="Correct jql; try it in Jira's own search first.",
            )
        )
    return None
