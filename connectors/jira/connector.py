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
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from connectors.http.pacing import Pace
from connectors.http.rest import Authorise, Refusal, Rest, bearer
from connectors.http.retrying import Caller, GiveUp, Verdict
from connectors.http.tokens import Token, Tokens, from_variables
from connectors.incidents import IncidentSource, asked
from connectors.jira import checking
from connectors.jira.issues import Issues
from connectors.jira.options import Options
from connectors.jira.reading import Reading
from connectors.jira.searching import Search
from connectors.jira.site import Site
from dora.connector import Finding
from dora.errors import SourceError


class Jira(IncidentSource):
    """Reads the incidents of one Jira site."""

    kind: ClassVar[str] = "jira"
    title: ClassVar[str] = "Jira"
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a jira source takes connectors.jira.Options, not {type(options)}")
        del base  # nothing of it is on this machine
        super().__init__(name)
        self.options = options

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

    def check(self) -> Iterator[Finding]:
        """Whether the token is good, and what the query and the rules would make of it."""
        yield from checking.findings(self)

    def _reading(self) -> Reading:
        options = self.options
        site = Site.of(self.rest, options)
        return Reading(
            search=Search(self.rest, cloud=options.cloud),
            issues=Issues(options, site),
            jql=options.jql,
            asked=asked(options, sorted(site.over), site.web),
            compare_after=timedelta(days=options.reconcile_days),
            compare=self._comparing,
        )


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
