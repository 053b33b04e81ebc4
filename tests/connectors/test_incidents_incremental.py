"""Whatever happens at a site between syncs, and during them: many small ones equal one of all."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.jira import Jira
from connectors.pagerduty import PagerDuty
from connectors.testing import Reading, Waits, read
from dora.connector import Connector, Cursor
from dora.records import Incident
from tests.connectors.sites import jira, pagerduty
from tests.connectors.sites.site import Asked, Site, serving

START = datetime(2026, 3, 28, 20, tzinfo=UTC)  # Berlin's clocks go forward five hours later
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])

Step = tuple[str, int, int]
"""What happens, to which incident, and how many minutes later."""


def steps(*kinds: str) -> st.SearchStrategy[list[Step]]:
    kind = st.sampled_from([*kinds, "sync", "sync", "during"])
    return st.lists(
        st.tuples(kind, st.integers(0, 4), st.integers(0, 200)), min_size=1, max_size=12
    )


class Syncs:
    """Syncs a site again and again, and keeps what a store would hold."""

    def __init__(self, site: Site, made: Any) -> None:
        self.site = site
        self.made = made
        self.given: list[Any] = []
        self.cursor: Cursor | None = None
        self.meanwhile: list[Any] = []

    def sync(self) -> None:
        site = self.site
        site.asked.clear()

        def during(_: Asked) -> None:
            if self.meanwhile and len(site.asked) == 5:  # between two of its requests
                site.now += timedelta(seconds=20)
                self.meanwhile.pop(0)()

        site.before = during
        reading = read(self.connector(), Incident, self.cursor)
        site.before = lambda _: None
        self.given += reading.given
        self.cursor = reading.cursor
        assert reading.rejected == []

    def connector(self) -> Connector:
        made: Connector = self.made()
        made.patience = Waits()
        return made

    def equal_one_of_all(self) -> None:
        for _ in range(2):  # what happens during the first is found by the second
            self.site.now += timedelta(minutes=1)
            self.sync()
            self.meanwhile.clear()
        whole = read(self.connector(), Incident)
        assert Reading(self.given).facts() == whole.facts()
        self.site.now += timedelta(hours=1)
        last = read(self.connector(), Incident, self.cursor)
        assert last.records == []

    def go(self, happen: Any, first: str, planned: list[Step]) -> None:
        happen(first, 0)
        happen(first, 0)
        self.sync()
        for kind, which, minutes in planned:
            self.site.now += timedelta(minutes=minutes)
            if kind == "sync":
                self.sync()
            elif kind == "during":
                self.meanwhile.append(lambda which=which: happen("resolve", which))
            else:
                happen(kind, which)
        self.equal_one_of_all()


@settings(max_examples=25, deadline=None)
@given(planned=steps("file", "resolve", "reopen", "blame", "repeat"), zone=ZONES,
       cloud=st.booleans())  # fmt: skip
def test_syncs_of_jira_add_up(planned: list[Step], zone: str, cloud: bool) -> None:
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"TOKEN": "jira-token-Zx81"}))
        site = stack.enter_context(serving(jira.Jira(cloud=cloud, zone=zone, size=2)))
        site.now = START

        def happen(kind: str, which: int) -> None:
            issues = list(site.issues.values())
            if kind == "file" or not issues:
                site.add(jira.Issue(f"OPS-{len(issues) + 1}", site.now))
                return
            issue = issues[which % len(issues)]
            if kind in ("resolve", "reopen"):
                issue.move(site.now, "Done" if kind == "resolve" else "Reopened")
            elif kind == "blame":
                issue.touch(site.now, summary=f"caused by 0123abc{which}")
            else:
                issue.touch(site.now, links=[("Duplicate", True, issues[0].key)])

        given = {"url": site.url, "jql": "project = OPS", "token_env": "TOKEN"}
        given |= {"email": site.email} if cloud else {}
        syncs = Syncs(site, lambda: Jira("jira", Jira.Options(**given), base=Path()))
        syncs.go(happen, "file", planned)


@settings(max_examples=25, deadline=None)
@given(planned=steps("fire", "acknowledge", "resolve", "reopen", "merge", "blame"))
def test_syncs_of_pagerduty_add_up(planned: list[Step]) -> None:
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"TOKEN": "pd-token-u+Zx81Qw"}))
        site = stack.enter_context(serving(pagerduty.PagerDuty()))
        site.now = START
        site.largest = 2

        def happen(kind: str, which: int) -> None:
            fires = list(site.incidents.values())
            if kind == "fire" or not fires:
                number = len(fires) + 1
                site.add(pagerduty.Incident(f"P{number}", number, site.now))
                return
            fire = fires[which % len(fires)]
            if kind == "merge" and fire is not fires[0] and fire.status != "resolved":
                fire.merge(site.now, fires[0].id)
            elif kind == "blame" and fire.status != "resolved":
                fire.title = f"caused by 0123abc{which}"
            elif (kind == "reopen") == (fire.status == "resolved") and kind in (
                "acknowledge", "resolve", "reopen",
            ):  # fmt: skip
                fire.then(site.now, kind)

        given = {"url": site.url, "token_env": "TOKEN"}
        syncs = Syncs(site, lambda: PagerDuty("pd", PagerDuty.Options(**given), base=Path()))
        syncs.go(happen, "fire", planned)
