"""What a PagerDuty account becomes, over real HTTP; expected values are worked out by hand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.pagerduty import PagerDuty
from connectors.pagerduty.options import Options
from connectors.testing import ConnectorContract, Reading, Waits, read
from dora.connector import Connector, load
from dora.errors import SourceError
from dora.records import Incident, IncidentCause
from tests.connectors.sites import pagerduty as site
from tests.connectors.sites.site import Asked, Trouble, serving, status

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PD_TEST", "pd-token-u+Zx81Qw")


def account(stack: ExitStack, *incidents: site.Incident) -> site.PagerDuty:
    served = stack.enter_context(serving(site.PagerDuty()))
    served.add(*incidents)
    return served


def source(served: site.PagerDuty, **options: Any) -> PagerDuty:
    made = PagerDuty(
        "pd", Options(**{"url": served.url, "token_env": "PD_TEST"} | options), base=Path()
    )
    made.patience = Waits()
    return made


def fire(number: int, after: float = 0, **more: Any) -> site.Incident:
    return site.Incident(f"P{number:06}", number, AT + hours(after), **more)


def some_incidents() -> list[site.Incident]:
    first = fire(1, priority="P1", title="Checkout is down, caused by 3f2a1bc")
    first.then(AT + hours(0.2), "acknowledge").then(AT + hours(1), "resolve")
    first.then(AT + hours(2), "reopen").then(AT + hours(4), "resolve")
    second = fire(2, 1, service="Search", urgency="low").then(AT + hours(2), "acknowledge")
    return [first, second, fire(3, 1.5).merge(AT + hours(1.7), "P000001")]


def incidents(reading: Reading) -> list[Incident]:
    return [record for record in reading.records if isinstance(record, Incident)]


def named(reading: Reading) -> set[str]:
    return {one.id for one in incidents(reading)}


def after(*readings: Reading) -> dict[Any, Any]:
    return Reading([item for reading in readings for item in reading.given]).facts()


class TestPagerDuty(ConnectorContract):
    @pytest.fixture(autouse=True)
    def _serve(self, stack: ExitStack) -> None:
        self.served = account(stack, *some_incidents())
        self.served.now = AT + hours(4.1)  # some were resolved within the overlap

    def make(self, folder: Path) -> Connector:
        return source(self.served)

    def broken(self, folder: Path) -> Connector | None:
        return source(self.served, services="Chekout")


class TestPagerDutyFromADayOn(TestPagerDuty):
    def make(self, folder: Path) -> Connector:
        return source(self.served, since=date(2025, 1, 1), services=["*"], urgency="high")


def test_it_is_found_by_its_kind() -> None:
    assert load("pagerduty") is PagerDuty


def test_an_incident_is_what_happened(stack: ExitStack) -> None:
    reading = read(source(account(stack, *some_incidents())), Incident)
    assert reading.rejected == []
    assert sorted(incidents(reading), key=lambda one: one.id) == [
        Incident(  # over at 11, back at 12, over at 14; acknowledged is not resolved
            id="P000001",
            detected_at=AT,
            resolved_at=AT + hours(4),
            first_resolved_at=AT + hours(1),
            reopenings=1,
            service="Checkout",
            title="Checkout is down, caused by 3f2a1bc",
            severity="P1",
            original_status="resolved",
            url="https://acme.pagerduty.example/incidents/P000001",
        ),
        Incident(
            id="P000002",
            detected_at=AT + hours(1),
            service="Search",
            title="It is on fire",
            original_status="acknowledged",
            url="https://acme.pagerduty.example/incidents/P000002",
        ),
        Incident(
            id="P000003",
            detected_at=AT + hours(1.5),
            resolved_at=AT + hours(1.7),
            first_resolved_at=AT + hours(1.7),
            service="Checkout",
            title="It is on fire",
            duplicate_of="P000001",
            original_status="resolved",
            url="https://acme.pagerduty.example/incidents/P000003",
        ),
    ]
    causes = [record for record in reading.records if isinstance(record, IncidentCause)]
    assert causes == [IncidentCause("P000001", "3f2a1bc")]


def test_a_field_of_another_kind_puts_its_incident_aside_alone(stack: ExitStack) -> None:
    reading = read(source(account(stack, fire(1), fire(2, 1, title=5), fire(3, 2))), Incident)
    assert named(reading) == {"P000001", "P000003"}
    assert [rejected.location for rejected in reading.rejected] == ["incidents:P000002"]


def test_without_logs_the_last_end_is_the_first(stack: ExitStack) -> None:
    served = account(stack, *some_incidents())
    reading = read(source(served, reopenings=False), Incident)
    (first, *_) = sorted(incidents(reading), key=lambda one: one.id)
    assert (first.first_resolved_at, first.resolved_at, first.reopenings) == (
        AT + hours(4),
        AT + hours(4),
        0,
    )
    assert not [asked for asked in served.asked if "log" in asked.path]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "P1"),
        ({"severities": {"P1": "sev1"}}, "sev1"),
        ({"severity_from": "urgency"}, "high"),
        ({"severity_from": "urgency", "severities": {"high": "sev1"}}, "sev1"),
    ],
)
def test_severity_is_priority_or_urgency(
    stack: ExitStack, options: dict[str, Any], expected: str
) -> None:
    (found,) = incidents(read(source(account(stack, fire(1, priority="P1")), **options), Incident))
    assert found.severity == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"services": "Checkout"}, {"P000001", "P000003"}),
        ({"services": ["PSEARC1"]}, {"P000002"}),
        ({"services": ["sear*", "bill*"]}, {"P000002"}),
        ({"urgency": "low"}, {"P000002"}),
        ({"urgency": ["low", "high"], "services": "*"}, {"P000001", "P000002", "P000003"}),
    ],
)
def test_services_and_urgency_say_which_incidents(
    stack: ExitStack, options: dict[str, Any], expected: set[str]
) -> None:
    assert named(read(source(account(stack, *some_incidents()), **options), Incident)) == expected


def test_what_was_open_on_the_first_day_counts_and_what_was_over_does_not(
    stack: ExitStack,
) -> None:
    day = datetime(2026, 3, 2, tzinfo=UTC)
    served = account(
        stack,
        fire(1, -500).then(day - hours(1), "resolve"),  # over before
        fire(2, -400).then(day + hours(1), "resolve"),  # over on that day
        fire(3, -9000),  # open for a year
        fire(4, 1),
    )
    reading = read(source(served, since=date(2026, 3, 2)), Incident)
    assert named(reading) == {"P000002", "P000003", "P000004"}


@pytest.mark.parametrize("only_days", [False, True])
@pytest.mark.parametrize("told_total", [False, True])
def test_years_are_read_in_windows_and_large_ones_in_smaller_ones(
    stack: ExitStack, only_days: bool, told_total: bool
) -> None:
    every = [fire(n, n * 7).then(AT + hours(n * 7 + 3), "resolve") for n in range(1, 1201)]
    served = account(stack, *every)
    served.now = AT + hours(1201 * 7)
    served.only_days, served.told_total, served.most = only_days, told_total, 400
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.pagerduty.listing.MOST", 400)
        made = source(served)
        reading = read(made, Incident)
    assert named(reading) == {one.id for one in every}
    assert len(incidents(reading)) == 1200
    assert {one.resolved_at for one in incidents(reading)} == {one.resolved for one in every}
    assert made.spent["requests"] < (60 if told_total else 1300)


def test_logs_of_many_incidents_are_read_at_once(stack: ExitStack) -> None:
    every = [fire(n, n).then(AT + hours(n + 0.5), "resolve") for n in range(1, 501)]
    every[7].then(AT + hours(9), "reopen").then(AT + hours(10), "resolve")
    served = account(stack, *every)
    served.now = AT + hours(600)
    made = source(served)
    first = read(made, Incident)
    assert [one.id for one in incidents(first) if one.reopenings] == ["P000008"]
    # The first incident; 500 in 6 pages that overlap by a row; how long their logs are; 1002
    # entries in 11 pages; what is open; and what was resolved lately.
    assert made.spent == {"requests": 1 + 6 + 1 + 11 + 1 + 1}
    made = source(served)
    read(made, Incident, first.cursor)
    assert made.spent == {"requests": 3}


def test_a_window_that_cannot_be_made_smaller_says_what_to_do(stack: ExitStack) -> None:
    served = account(stack, *[fire(n) for n in range(1, 300)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.pagerduty.listing.MOST", 100)
        with pytest.raises(SourceError, match="more than 100 rows at 2026-03-02") as caught:
            read(source(served), Incident)
    assert "Name fewer services" in caught.value.hint


# --- incrementally


def test_a_later_sync_reads_what_changed_and_equals_a_full_one(stack: ExitStack) -> None:
    old = fire(9, -7000).then(AT + hours(-6990), "resolve")
    served = account(stack, *some_incidents(), old, fire(4, 3), fire(5, 3))
    served.now = AT + hours(50)
    first = read(source(served), Incident)
    minute = timedelta(minutes=1)
    served.incidents["P000002"].then(served.now + minute, "resolve")
    old.then(served.now + minute, "reopen")
    served.incidents["P000004"].title = "Caused by 0123abc"
    served.incidents["P000005"].then(served.now + minute, "resolve")
    served.incidents["P000005"].then(served.now + 2 * minute, "reopen")
    served.add(fire(6, 50.1), fire(7, 50.2).then(AT + hours(50.3), "resolve"))
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert named(second) == {"P000002", "P000009"} | {f"P00000{n}" for n in (4, 5, 6, 7)}
    assert after(first, second) == read(source(served), Incident).facts()
    assert read(source(served), Incident, second.cursor).records == []


def test_one_that_is_resolved_while_it_is_read_is_found_the_next_time(stack: ExitStack) -> None:
    served = account(stack, *[fire(n, n / 60) for n in range(1, 8)])
    served.largest = 3
    served.now = AT + hours(1)

    def resolve(asked: Asked) -> None:
        if asked.one("offset") == "2":
            served.incidents["P000001"].then(served.now + timedelta(seconds=1), "resolve")

    served.before = resolve
    first = read(source(served), Incident)
    assert len(named(first)) == 7
    served.before = lambda _: None
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert after(first, second) == read(source(served), Incident).facts()


@pytest.mark.parametrize("gone", [[1], [2], [1, 2, 3], [4], [7]])
def test_incidents_that_go_between_two_pages_cost_no_other(
    stack: ExitStack, gone: list[int]
) -> None:
    every = [fire(n, n / 60).then(AT + hours(n / 60 + 0.1), "resolve") for n in range(1, 8)]
    served = account(stack, *every)
    served.largest = 3
    served.now = AT + hours(5)

    def delete(asked: Asked) -> None:
        if asked.one("offset") == "2" and "since" in asked.query:
            for number in gone:
                served.incidents.pop(f"P{number:06}", None)

    served.before = delete
    left = {f"P{n:06}" for n in range(1, 8) if n not in gone}
    assert named(read(source(served, reopenings=False), Incident)) >= left


def test_without_the_right_to_logs_the_rest_is_read_and_the_gap_is_named(
    stack: ExitStack,
) -> None:
    served = account(stack, *some_incidents())
    served.troubles = [Trouble(status(403), "log_entries", times=1000)]
    reading = read(source(served), Incident)
    assert len(named(reading)) == 3
    assert {(one.part, one.reason) for one in reading.unread} == {
        ("reopenings and first ends", "403 Something is wrong")
    }
    (first, *_) = sorted(incidents(reading), key=lambda one: one.id)
    assert (first.resolved_at, first.reopenings) == (AT + hours(4), 0)


def test_what_is_no_longer_there_goes(stack: ExitStack) -> None:
    served = account(stack, *some_incidents())
    served.incidents["P000002"].title = "caused by 0123abc"
    first = read(source(served), Incident)
    assert ("P000002", "0123abc") in first.facts()
    del served.incidents["P000002"]  # open: missed at once
    del served.incidents["P000003"]  # resolved: missed when all is read
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert set(after(first, second)) == {("P000001",), ("P000001", "3f2a1bc"), ("P000003",)}
    served.now += timedelta(days=31)
    third = read(source(served), Incident, second.cursor)
    assert set(after(first, second, third)) == {("P000001",), ("P000001", "3f2a1bc")}
    told = source(served)
    told.reconcile()
    assert after(first, read(told, Incident, first.cursor)) == after(first, second, third)


def test_after_a_long_time_everything_is_read(stack: ExitStack) -> None:
    served = account(stack, *some_incidents())
    first = read(source(served), Incident)
    served.now += hours(400)
    served.add(*[fire(n, 800 + n / 9).then(AT + hours(801 + n / 9), "resolve")
                 for n in range(100, 700)])  # fmt: skip
    served.now += hours(400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.pagerduty.listing.MOST", 400)
        second = read(source(served), Incident, first.cursor)
    assert after(first, second) == read(source(served), Incident).facts()


def test_a_reading_that_was_cut_off_goes_on_with_its_window(stack: ExitStack) -> None:
    served = account(stack, *[fire(n, n * 200).then(AT + hours(n * 200 + 1), "resolve")
                              for n in range(1, 60)])  # fmt: skip
    served.now = AT + hours(60 * 200)
    whole = read(source(served), Incident)
    assert len(whole.checkpoints) > 3
    count, cursor = whole.checkpoints[1]
    rest = read(source(served), Incident, cursor)
    assert Reading([*whole.given[:count], *rest.given]).facts() == whole.facts()
    assert len(incidents(rest)) < 40


def test_other_options_read_everything_anew(stack: ExitStack) -> None:
    served = account(stack, *some_incidents())
    first = read(source(served), Incident)
    second = read(source(served, services="Checkout"), Incident, first.cursor)
    assert {key[0] for key in after(first, second)} == {"P000001", "P000003"}
    third = read(source(served, services="Checkout", timeout=9), Incident, second.cursor)
    assert third.records == []


# --- faults of the configuration


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "acme.pagerduty.com"}, "is no address"),
        ({"url": "https://acme.pagerduty.com"}, "the interface is at https://api.pagerduty.com"),
        ({"urgency": "urgent"}, "Input should be 'high' or 'low'"),
        ({"caused_by": "("}, "no regular expression"),
        ({"service": "x"}, "Extra inputs"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Options(**options)


def test_the_european_host_is_one_of_them() -> None:
    assert Options(url="https://api.eu.pagerduty.com/").url == "https://api.eu.pagerduty.com"


def test_a_service_that_is_not_there_is_one_clear_error(stack: ExitStack) -> None:
    made = source(account(stack, *some_incidents()), services=["Search", "Chekout"])
    with pytest.raises(SourceError, match="no service 'Chekout'") as caught:
        read(made, Incident)
    assert "Did you mean 'Checkout'" in caught.value.hint
    (finding,) = made.check()
    assert (finding.level, finding.message) == ("error", caught.value.message)


def test_check_says_what_it_found(stack: ExitStack) -> None:
    served = account(stack, *some_incidents())
    assert [(f.level, f.message) for f in source(served).check()] == [
        ("ok", f"{served.url} accepts the token; services read: Billing (EU), Checkout, Search."),
        ("ok", "The first incident is of 2026-03-02; open: 1."),
    ]
    findings = list(source(served, services="bill*").check())
    assert [f.level for f in findings] == ["ok", "warning"]


def test_the_manual_shows_a_good_source() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", manual, flags=re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if 'kind = "pagerduty"' in block]
    (given,) = tomllib.loads(block)["sources"]
    known = {key: value for key, value in given.items() if key not in ("name", "kind", "covers")}
    assert Options(**known).urgency == ("high",)
    part = manual[manual.index("## PagerDuty") : manual.index("## GitHub")]
    assert set(re.findall(r"`(\w+)`", part)) >= set(Options.model_fields)
