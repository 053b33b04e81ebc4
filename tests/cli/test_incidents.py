"""Incidents of Jira and PagerDuty on their way into the metrics, every number worked out by hand.

    D1 checkout  Mon 10:00  OPS-1 names it, and was mitigated at 13:30: 1 h 30 min
    D2 checkout  Tue 10:00  OPS-2 from 11:00, over at 15:00, again from 16:00 to 17:00: 6 h;
                            OPS-3 repeats it
    D3 checkout  Wed 10:00  OPS-4 came from outside, OPS-5 was none: not failed
    D4 checkout  Thu 10:00  P4 from 10:30, acknowledged: open
    S1 search    Mon 09:00  P3 is of low urgency: not failed
    S2 search    Wed 12:00  P1 from 12:20 to 12:50: 30 min; P2 was merged into it

Four of six failed; the median of 30 min, 1 h 30 min and 6 h is 1 h 30 min, and one is open.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.connectors.sites import jira, pagerduty
from tests.connectors.sites.site import Trouble, serving, status

Command = Callable[..., Ran]
JIRA_TOKEN, PAGERDUTY_TOKEN = "hidden-jira-Zx81Qw", "hidden-pd-u+Zx81Qw"

DEPLOYMENTS = """id,service,repository,environment,status,finished_at
D1,checkout,acme/checkout,production,succeeded,2026-03-02T10:00:00Z
D2,checkout,acme/checkout,production,succeeded,2026-03-03T10:00:00Z
D3,checkout,acme/checkout,production,succeeded,2026-03-04T10:00:00Z
D4,checkout,acme/checkout,production,succeeded,2026-03-05T10:00:00Z
S1,search,acme/search,production,succeeded,2026-03-02T09:00:00Z
S2,search,acme/search,production,succeeded,2026-03-04T12:00:00Z
"""

CONFIG = """
[[sources]]
name = "deployments"
kind = "files"
path = "deployments.csv"

[[sources]]
name = "jira"
kind = "jira"
url = "{jira}"
email = "robot@acme.example"
token_env = "OUR_JIRA"
jql = "project = OPS"
resolved_status = ["Mitigated", "Done"]
external = ["third-party"]
covers = ["*"]

[[sources]]
name = "pagerduty"
kind = "pagerduty"
url = "{pagerduty}"
token_env = "OUR_PAGERDUTY"
urgency = "high"
since = 2026-01-01

[[services]]
name = "checkout"

[[services]]
name = "search"
"""


def march(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def issues() -> list[jira.Issue]:
    def issue(number: int, *at: int, **more: Any) -> jira.Issue:
        return jira.Issue(f"OPS-{number}", march(*at), components=["checkout"], **more)

    first = issue(1, 2, 12, description="Surely caused by the deployment D1, says the postmortem.")
    second = issue(2, 3, 11).move(march(3, 15), "Done").move(march(3, 16), "Reopened")
    third = issue(3, 3, 11, 10, links=[("Duplicate", True, "OPS-2")])
    return [
        first.move(march(2, 13, 30), "Mitigated").move(march(3, 9), "Done"),
        second.move(march(3, 17), "Done"),
        third.move(march(3, 20), "Done"),
        issue(4, 4, 11, labels=["third-party"]).move(march(4, 12), "Done"),
        issue(5, 4, 12, resolution="Cannot Reproduce").move(march(4, 13), "Done"),
    ]


def fires() -> list[pagerduty.Incident]:
    def fire(number: int, service: str, *at: int, **more: Any) -> pagerduty.Incident:
        return pagerduty.Incident(f"P{number}", number, march(*at), service=service, **more)

    return [
        fire(1, "Search", 4, 12, 20).then(march(4, 12, 50), "resolve"),
        fire(2, "Search", 4, 12, 25).merge(march(4, 12, 26), "P1"),
        fire(3, "Search", 2, 9, 30, urgency="low").then(march(2, 10), "resolve"),
        fire(4, "Checkout", 5, 10, 30).then(march(5, 10, 31), "acknowledge"),
    ]


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[jira.Jira, pagerduty.PagerDuty]]:
    monkeypatch.setenv("OUR_JIRA", JIRA_TOKEN)
    monkeypatch.setenv("OUR_PAGERDUTY", PAGERDUTY_TOKEN)
    with ExitStack() as stack:
        issuing = stack.enter_context(serving(jira.Jira(cloud=True, zone="Europe/Berlin")))
        paging = stack.enter_context(serving(pagerduty.PagerDuty()))
        issuing.token, paging.token = JIRA_TOKEN, PAGERDUTY_TOKEN
        issuing.add(*issues())
        paging.add(*fires())
        yield issuing, paging


@pytest.fixture
def path(tmp_path: Path, sites: tuple[jira.Jira, pagerduty.PagerDuty]) -> Path:
    (tmp_path / "deployments.csv").write_text(DEPLOYMENTS)
    path = tmp_path / "dora.toml"
    path.write_text(CONFIG.format(jira=sites[0].url, pagerduty=sites[1].url))
    return path


def rows(ran: Ran) -> list[dict[str, str]]:
    assert ran.code == 0, ran.err
    return list(csv.DictReader(io.StringIO(ran.out)))


WINDOW = ("--window", "2026-03-01..2026-04-02", "--as-of", "2026-04-02", "--format", "csv")


def test_incidents_reach_the_metrics_and_each_link_is_explained(
    dora: Command, path: Path, sites: tuple[jira.Jira, pagerduty.PagerDuty]
) -> None:
    ran = dora("sync", "-c", path)
    assert ran.code == 0, ran.err
    assert "5 incidents new" in ran.err
    assert "3 incidents new" in ran.err

    (rate,) = rows(dora("show", "change_failure_rate", "-c", path, *WINDOW))
    assert (float(rate["value"]), rate["n"]) == (4 / 6, "6")
    (restored,) = rows(dora("show", "time_to_restore", "-c", path, *WINDOW))
    assert (float(restored["value"]), restored["n"]) == (5400, "3")

    explained = rows(dora("explain", "time_to_restore", "-c", path, *WINDOW))
    assert {r["deployment"]: (r["incident"], r["seconds"], r["rule"]) for r in explained} == {
        "D1": ("OPS-1", "5400.0", "stated"),
        "D2": ("OPS-2", "21600.0", "window"),
        "D4": ("P4", "", "window"),
        "S2": ("P1", "1800.0", "window"),
    }
    assert {r["url"] for r in explained} >= {f"{sites[0].url}/browse/OPS-1"}
    explained = rows(dora("explain", "change_failure_rate", "-c", path, *WINDOW))
    assert {r["deployment"]: (r["failed"], r["rule"]) for r in explained} == {
        "D1": ("true", "stated"),
        "D2": ("true", "window"),
        "D3": ("false", ""),
        "D4": ("true", "window"),
        "S1": ("false", ""),
        "S2": ("true", "window"),
    }


def test_what_changes_later_changes_the_metrics(
    dora: Command, path: Path, sites: tuple[jira.Jira, pagerduty.PagerDuty]
) -> None:
    assert dora("sync", "-c", path).code == 0
    issuing, paging = sites
    second = next(issue for issue in issuing.issues.values() if issue.key == "OPS-2")
    second.touch(issuing.now, labels=["third-party"])  # so nothing says that D2 failed
    paging.incidents["P4"].then(paging.now + jira.hours(1), "resolve")  # on 1 April at 13:00
    for site in sites:
        site.now += jira.hours(2)
    assert dora("sync", "-c", path).code == 0
    (rate,) = rows(dora("show", "change_failure_rate", "-c", path, *WINDOW))
    assert (float(rate["value"]), rate["n"]) == (3 / 6, "6")
    explained = rows(dora("explain", "time_to_restore", "-c", path, *WINDOW))
    days, hours = 27, 2.5  # from 5 March at 10:30
    assert {r["deployment"]: float(r["seconds"]) for r in explained} == {
        "D1": 5400,
        "S2": 1800,
        "D4": days * 86_400 + hours * 3600,
    }


def test_an_incident_of_two_services_is_put_down_to_a_deployment_of_each(
    dora: Command, path: Path, sites: tuple[jira.Jira, pagerduty.PagerDuty]
) -> None:
    both = jira.Issue("OPS-6", march(2, 11), components=["checkout", "search"])
    sites[0].add(both.move(march(2, 12), "Done"))
    assert dora("sync", "-c", path).code == 0
    explained = rows(dora("explain", "time_to_restore", "-c", path, *WINDOW))
    seconds = {r["deployment"]: r["seconds"] for r in explained}
    assert seconds["S1"] == "3600.0"
    assert seconds["D1"] == "9000.0"  # from 11:00, when the first of its two was noticed, to 13:30


def test_neither_token_nor_text_reaches_the_store_or_the_terminal(
    dora: Command, path: Path, sites: tuple[jira.Jira, pagerduty.PagerDuty]
) -> None:
    said = [dora("sync", "-c", path, "-v"), dora("check", "-c", path, "-v")]
    sites[0].troubles = [Trouble(status(401), times=1000)]
    sites[1].troubles = [Trouble(status(403), times=1000)]
    said += [dora("sync", "-c", path, "-v", "--full"), dora("check", "-c", path)]
    texts = [text for ran in said for text in (ran.out, ran.err)]
    kept = [one.read_bytes() for one in path.parent.iterdir() if one.name != "dora.toml"]
    for secret in (JIRA_TOKEN, PAGERDUTY_TOKEN, "postmortem", "Grace Hopper"):
        assert not any(secret in text for text in texts)
        assert not any(secret.encode() in content for content in kept)


@pytest.mark.parametrize(
    ("source", "variable"), [("jira", "OUR_JIRA"), ("pagerduty", "OUR_PAGERDUTY")]
)
@pytest.mark.parametrize("token", ["good", "wrong", "expired", "missing"])
def test_check_and_sync_say_how_the_token_stands(
    dora: Command,
    path: Path,
    sites: tuple[jira.Jira, pagerduty.PagerDuty],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    variable: str,
    token: str,
) -> None:
    site = sites[source == "pagerduty"]
    if token == "wrong":
        monkeypatch.setenv(variable, "hidden-but-wrong-Aa11")
    elif token == "missing":
        monkeypatch.delenv(variable)
    elif token == "expired":
        site.token = "hidden-and-renewed-Bb22"
    checked, synced = dora("check", "-c", path), dora("sync", "-c", path)
    expected = 0 if token == "good" else 1
    assert (checked.code, synced.code) == (expected, expected), checked.out
    assert (variable in checked.out) == (variable in synced.err) == (token != "good")
    assert "hidden" not in checked.out + checked.err + synced.out + synced.err
    other = "3 incidents new" if source == "jira" else "5 incidents new"
    assert other in synced.err  # one source that fails stops no other
