"""What a Jira site becomes, over real HTTP; expected values are worked out by hand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.jira import Jira
from connectors.jira.options import Options
from connectors.testing import ConnectorContract, Reading, Waits, read
from dora.connector import Connector, Only, load
from dora.errors import SourceError
from dora.records import Incident, IncidentCause
from tests.connectors.sites import jira as host
from tests.connectors.sites.jira import Issue, hours
from tests.connectors.sites.site import Asked, serving

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
EDITIONS = pytest.mark.parametrize("cloud", [True, False], ids=["cloud", "data center"])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def site(stack: ExitStack, *issues: Issue, cloud: bool = True, **more: Any) -> host.Jira:
    served = stack.enter_context(serving(host.Jira(cloud=cloud, **more)))
    served.add(*issues)
    return served


def source(served: host.Jira, **options: Any) -> Jira:
    given: dict[str, Any] = {"url": served.url, "jql": "project = OPS", "token_env": "JIRA_TEST"}
    given |= {"email": served.email} if served.cloud else {}
    made = Jira("jira", Options(**given | options), base=Path())
    made.patience = Waits()
    return made


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_TEST", "jira-token-Zx81")


def one(reading: Reading) -> Incident:
    (found,) = [r for r in reading.records if isinstance(r, Incident)]
    return found


def causes(reading: Reading) -> set[str]:
    return {r.cause for r in reading.records if isinstance(r, IncidentCause)}


def some_issues() -> list[Issue]:
    first = Issue("OPS-1", AT, summary="Caused by 3f2a1bc", components=["checkout"])
    first.move(AT + hours(1), "Done").move(AT + hours(2), "Reopened").move(AT + hours(4), "Done")
    other = Issue("OPS-2", AT + hours(1), links=[("Cause", False, "SHOP-7")])
    again = Issue("OPS-3", AT + hours(2), links=[("Duplicate", True, "OPS-1")], resolution="Done")
    return [first, other, again.move(AT + hours(3), "Done")]


class JiraContract(ConnectorContract):
    cloud = True

    @pytest.fixture(autouse=True)
    def _serve(self, stack: ExitStack) -> None:
        self.served = site(stack, *some_issues(), cloud=self.cloud, size=2)
        self.served.now = AT + hours(2)  # some of the issues lie within the overlap

    def make(self, folder: Path) -> Connector:
        return source(self.served)

    def broken(self, folder: Path) -> Connector | None:
        return source(self.served, jql="projekt = OPS")


class TestCloud(JiraContract):
    cloud = True


class TestDataCenter(JiraContract):
    cloud = False


def test_it_is_found_by_its_kind() -> None:
    assert load("jira") is Jira


@EDITIONS
def test_an_issue_is_the_incident_that_was_filed(stack: ExitStack, cloud: bool) -> None:
    served = site(stack, *some_issues(), cloud=cloud, zone="America/New_York")
    reading = read(source(served), Incident)
    assert reading.rejected == []
    assert [r for r in reading.records if isinstance(r, Incident)] == [
        Incident(  # closed at 11, open again from 12 to 14
            id="OPS-1",
            detected_at=AT,
            resolved_at=AT + hours(4),
            first_resolved_at=AT + hours(1),
            reopenings=1,
            service="checkout",
            title="Caused by 3f2a1bc",
            severity="High",
            original_status="Done",
            url=f"{served.url}/browse/OPS-1",
        ),
        Incident(
            id="OPS-2",
            detected_at=AT + hours(1),
            title="It is broken",
            severity="High",
            original_status="Open",
            url=f"{served.url}/browse/OPS-2",
        ),
        Incident(
            id="OPS-3",
            detected_at=AT + hours(2),
            resolved_at=AT + hours(3),
            first_resolved_at=AT + hours(3),
            title="It is broken",
            severity="High",
            duplicate_of="OPS-1",
            original_status="Done",
            url=f"{served.url}/browse/OPS-3",
        ),
    ]
    assert [r for r in reading.records if isinstance(r, IncidentCause)] == [
        IncidentCause("OPS-1", "3f2a1bc"),
        IncidentCause("OPS-2", "SHOP-7"),
    ]


def moved(*steps: tuple[float, str]) -> Issue:
    issue = Issue("OPS-1", AT)
    for after, status in steps:
        issue.move(AT + hours(after), status)
    return issue


@EDITIONS
@pytest.mark.parametrize(
    ("steps", "statuses", "first", "last", "reopenings"),
    [
        # The category Done, where no statuses are named.
        ([(1, "In Progress"), (2, "Mitigated"), (5, "Done")], (), 5, 5, 0),
        # Mitigated is the end, and closing the ticket later moves nothing.
        ([(1, "In Progress"), (2, "Mitigated"), (5, "Done")], ("Mitigated", "Done"), 2, 2, 0),
        ([(2, "mitigated".title()), (3, "In Progress")], ("mitigated", "done"), 2, None, 1),
        ([(2, "Mitigated"), (3, "In Progress"), (9, "Done")], ("Mitigated", "Done"), 2, 9, 1),
        ([(1, "Done"), (2, "Open"), (3, "Done"), (4, "Open"), (5, "Done")], (), 1, 5, 2),
        ([], (), None, None, 0),
    ],
)
def test_the_status_tells_first_and_last_end(
    stack: ExitStack,
    cloud: bool,
    steps: list[tuple[float, str]],
    statuses: tuple[str, ...],
    first: float | None,
    last: float | None,
    reopenings: int,
) -> None:
    served = site(stack, moved(*steps), cloud=cloud)
    found = one(read(source(served, resolved_status=statuses), Incident))
    assert found.first_resolved_at == (None if first is None else AT + hours(first))
    assert found.resolved_at == (None if last is None else AT + hours(last))
    assert found.reopenings == reopenings


def test_fields_tell_when_it_began_and_ended(stack: ExitStack) -> None:
    issue = moved((3, "Done"))
    issue.custom = {"Began at": AT - hours(1), "Mitigated at": AT + hours(0.5)}
    served = site(stack, issue, zone="Asia/Kolkata")
    options = {"detected_field": "Began at", "resolved_field": "customfield_10050"}
    found = one(read(source(served, **options), Incident))
    assert (found.detected_at, found.resolved_at) == (AT - hours(1), AT + hours(0.5))
    issue.custom = {"Began at": None}
    found = one(read(source(served, **options), Incident))
    assert (found.detected_at, found.resolved_at) == (AT, AT + hours(3))


def test_a_reopening_after_the_stated_end_is_not_undone_by_it(stack: ExitStack) -> None:
    issue = moved((3, "Done"), (6, "Reopened"))
    issue.custom = {"Mitigated at": AT + hours(2)}
    found = one(read(source(site(stack, issue), resolved_field="Mitigated at"), Incident))
    assert (found.first_resolved_at, found.resolved_at) == (AT + hours(2), None)


def test_imported_issues_end_when_jira_says_they_were_resolved(stack: ExitStack) -> None:
    issue = Issue("OPS-1", AT, status="Done", resolutiondate=AT + hours(7))
    assert one(read(source(site(stack, issue)), Incident)).resolved_at == AT + hours(7)


def test_one_that_was_filed_as_done_and_opened_later_is_open(stack: ExitStack) -> None:
    issue = Issue("OPS-1", AT, status="Done").move(AT + hours(2), "Open")
    found = one(read(source(site(stack, issue)), Incident))
    assert (found.first_resolved_at, found.resolved_at, found.reopenings) == (AT, None, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "checkout,search"),
        ({"service": "shop"}, "shop"),
        ({"service_from": "label:svc-*"}, "cart"),
        ({"service_from": "field: Service"}, "payments"),
    ],
)
def test_the_service_stands_where_the_options_say(
    stack: ExitStack, options: dict[str, Any], expected: str
) -> None:
    issue = Issue("OPS-1", AT, labels=["incident", "svc-cart"], components=["checkout", "search"])
    issue.custom = {"Service": [{"id": "5", "value": "payments"}]}
    reading = read(source(site(stack, issue), **options), Incident)
    assert one(reading).service == expected


def test_severity_comes_from_a_field_and_may_be_reworded(stack: ExitStack) -> None:
    issue = Issue("OPS-1", AT, labels=["sev2"], custom={"Severity": {"value": "Critical"}})
    served = site(stack, issue)
    for options, expected in [
        ({}, "High"),
        ({"severities": {"High": "sev1"}}, "sev1"),
        ({"severity_from": "field:Severity"}, "Critical"),
        ({"severity_from": "label:sev*"}, "2"),
        ({"severity_from": "label:sev2"}, "sev2"),
    ]:
        assert one(read(source(served, **options), Incident)).severity == expected


def test_what_was_no_incident_and_what_came_from_outside_are_marked(stack: ExitStack) -> None:
    served = site(
        stack,
        Issue("OPS-1", AT, resolution="Cannot Reproduce").move(AT + hours(1), "Done"),
        Issue("OPS-2", AT, labels=["third-party"], resolution="Done"),
        Issue("OPS-3", AT, resolution="No action"),
    )
    options = {"external": ["third-*"], "not_planned": ["cannot reproduce", "No Action"]}
    found = read(source(served, **options), Incident).records
    assert [(r.external, r.not_planned) for r in found if isinstance(r, Incident)] == [
        (False, True),
        (True, False),
        (False, True),
    ]


@EDITIONS
def test_causes_are_found_in_links_and_texts(stack: ExitStack, cloud: bool) -> None:
    issue = Issue(
        "OPS-1",
        AT,
        summary="Checkout is down, caused by the deployment 4711",
        description="It was caused by https://github.com/acme/shop/pull/77 and nothing else.",
        links=[("Cause", False, "SHOP-7"), ("Cause", True, "OPS-9"), ("Duplicate", False, "OPS-5")],
    )
    reading = read(source(site(stack, issue, cloud=cloud)), Incident)
    assert causes(reading) == {"4711", "github.com/acme/shop#77", "SHOP-7"}
    assert one(reading).duplicate_of is None  # others duplicate it
    assert "nothing else" not in repr(reading.records)


def test_a_linked_change_says_what_it_deployed(stack: ExitStack) -> None:
    issue = Issue("OPS-1", AT, links=[("Cause", False, "CHG-7")], linked="Deploy 3f2a1bc to EU")
    assert causes(read(source(site(stack, issue)), Incident)) == {"CHG-7", "3f2a1bc"}


@EDITIONS
def test_a_long_history_is_never_cut(stack: ExitStack, cloud: bool) -> None:
    issue = Issue("OPS-1", AT)
    issue.move(AT + hours(1), "Done").move(AT + hours(2), "Reopened")
    for number in range(250):
        issue.touch(AT + hours(3) + timedelta(seconds=number), summary=f"It is broken {number}")
    issue.move(AT + hours(9), "Done")
    served = site(stack, issue, cloud=cloud)
    served.embedded = 40
    found = one(read(source(served), Incident))
    assert (found.first_resolved_at, found.reopenings) == (AT + hours(1), 1)
    assert found.resolved_at == AT + hours(9)


def test_older_data_centers_have_no_pages_of_history(stack: ExitStack) -> None:
    served = site(stack, moved((1, "Done")), cloud=False)
    served.pages_of_changes = False
    assert one(read(source(served), Incident)).resolved_at == AT + hours(1)
    served.embedded = 0  # and where even the whole issue has only a part, it is put aside
    reading = read(source(served), Incident)
    assert reading.records == []
    (rejected,) = reading.rejected
    assert (rejected.location, rejected.reason) == (
        "issues:OPS-1",
        "Jira gives only a part of its history",
    )


# --- incrementally


def after(first: Reading, *more: Reading) -> dict[Any, Any]:
    return Reading([item for reading in (first, *more) for item in reading.given]).facts()


@EDITIONS
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Mars/Base"])
def test_a_later_sync_reads_what_changed_and_equals_a_full_one(
    stack: ExitStack, cloud: bool, zone: str
) -> None:
    served = site(stack, *some_issues(), cloud=cloud, size=2)
    served.zone, served.told = ("UTC", zone) if zone == "Mars/Base" else (zone, None)
    served.now = AT + hours(30)
    first = read(source(served), Incident)
    ops2 = next(i for i in served.issues.values() if i.key == "OPS-2")
    ops2.move(served.now + timedelta(minutes=1), "Done").touch(
        served.now + timedelta(minutes=2), summary="Caused by 0123abc", links=[]
    )
    served.add(Issue("OPS-9", served.now + timedelta(minutes=3)))
    served.now += hours(1)
    served.asked.clear()
    second = read(source(served), Incident, first.cursor)
    assert {r.id for r in second.records if isinstance(r, Incident)} == {"OPS-2", "OPS-9"}
    assert after(first, second) == read(source(served), Incident).facts()
    third = read(source(served), Incident, second.cursor)
    assert third.records == []


@pytest.mark.parametrize("fold", [0, 1])
@EDITIONS
def test_the_hour_that_comes_twice_loses_nothing(stack: ExitStack, cloud: bool, fold: int) -> None:
    night = datetime(2026, 10, 25, 0, tzinfo=UTC)  # Berlin: 02:00, an hour before the change
    for minutes in range(0, 180, 15):
        served = site(stack, cloud=cloud, zone="Europe/Berlin")
        served.fold = fold
        served.now = night + timedelta(minutes=minutes)
        first = read(source(served), Incident)
        served.add(Issue("OPS-1", served.now + timedelta(seconds=30)))
        served.now += timedelta(minutes=5)
        second = read(source(served), Incident, first.cursor)
        assert one(second).id == "OPS-1", minutes


@EDITIONS
def test_an_issue_that_changes_between_two_pages_is_lost_by_neither(
    stack: ExitStack, cloud: bool
) -> None:
    issues = [Issue(f"OPS-{n}", AT + timedelta(minutes=n)) for n in range(1, 8)]
    served = site(stack, *issues, cloud=cloud, size=2)
    served.now = AT + hours(50)

    def touch(asked: Asked) -> None:
        if "/search" in asked.path and len(searches(served)) == 1:
            issues[0].move(served.now + timedelta(seconds=1), "Done")
            issues[6].move(served.now + timedelta(seconds=2), "Done")

    served.before = touch
    first = read(source(served), Incident)
    assert {r.id for r in first.records if isinstance(r, Incident)} == {i.key for i in issues}
    served.before = lambda _: None
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert after(first, second) == read(source(served), Incident).facts()


def searches(served: host.Jira) -> list[Asked]:
    return [asked for asked in served.asked if "/search" in asked.path]


@EDITIONS
@pytest.mark.parametrize("gone", [[0], [1], [0, 1], [0, 1, 2], [2], [5], [6]])
def test_issues_deleted_between_two_pages_cost_no_other_issue(
    stack: ExitStack, cloud: bool, gone: list[int]
) -> None:
    issues = [Issue(f"OPS-{n}", AT + timedelta(minutes=n)) for n in range(1, 8)]
    served = site(stack, *issues, cloud=cloud, size=3)

    def delete(asked: Asked) -> None:
        if "/search" in asked.path and len(searches(served)) == 1:
            for number in gone:
                served.issues.pop(issues[number].id, None)

    served.before = delete
    first = read(source(served), Incident)
    left = {("OPS-" + str(n + 1),) for n in range(7) if n not in gone}
    assert set(first.facts()) == left
    assert len(served.asked) < 25


def test_an_issue_deleted_before_its_history_is_read_is_none(stack: ExitStack) -> None:
    served = site(stack, *some_issues(), cloud=False)
    served.embedded = 0

    def delete(asked: Asked) -> None:
        if asked.path.endswith("/issue/10001/changelog"):
            del served.issues["10001"]

    served.before = delete
    reading = read(source(served), Incident)
    assert (set(reading.facts()), reading.rejected) == ({("OPS-3",)} | _second(), [])


def _second() -> set[tuple[str, ...]]:
    return {("OPS-2",), ("OPS-2", "SHOP-7")}


@EDITIONS
def test_a_field_of_another_kind_puts_its_issue_aside_alone(stack: ExitStack, cloud: bool) -> None:
    issues = some_issues()
    issues[0].labels = 7  # some app has replaced the field
    reading = read(source(site(stack, *issues, cloud=cloud)), Incident)
    assert [rejected.location for rejected in reading.rejected] == ["issues:OPS-1"]
    assert ("OPS-2",) in reading.facts()


@EDITIONS
def test_a_time_that_is_none_puts_its_issue_aside_alone(stack: ExitStack, cloud: bool) -> None:
    issues = some_issues()
    issues[0].custom = {"Mitigated at": "soon"}
    made = source(site(stack, *issues, cloud=cloud), resolved_field="Mitigated at")
    reading = read(made, Incident)
    assert set(reading.facts()) == {("OPS-3",)} | _second()
    (rejected,) = reading.rejected
    assert rejected.location == "issues:OPS-1"
    assert "soon" in rejected.reason
    assert [f.level for f in made.check()][:2] == ["ok", "ok"]


@EDITIONS
def test_what_vanished_in_silence_goes_at_the_next_comparison(
    stack: ExitStack, cloud: bool
) -> None:
    served = site(stack, *some_issues(), cloud=cloud)
    first = read(source(served), Incident)
    del served.issues["10002"]  # deleted, with its cause
    served.issues["10003"].key = "WEB-4"  # moved to a project that the query does not have
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert after(first, second).keys() == first.facts().keys()
    served.now += timedelta(days=8)
    third = read(source(served), Incident, second.cursor)
    assert set(after(first, second, third)) == {("OPS-1",), ("OPS-1", "3f2a1bc")}
    told = source(served)
    told.reconcile()
    assert set(after(first, read(told, Incident, first.cursor))) == set(after(first, second, third))


@EDITIONS
def test_an_issue_with_a_new_key_leaves_the_old_one(stack: ExitStack, cloud: bool) -> None:
    issue = Issue("OPS-1", AT, summary="caused by 3f2a1bc")
    served = site(stack, issue, cloud=cloud)
    first = read(source(served), Incident)
    issue.touch(served.now + timedelta(minutes=1), key="OPS-21")
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert set(after(first, second)) == {("OPS-21",), ("OPS-21", "3f2a1bc")}


def test_other_rules_read_everything_anew(stack: ExitStack) -> None:
    served = site(stack, moved((1, "Mitigated"), (2, "Done")))
    first = read(source(served), Incident)
    second = read(source(served, resolved_status="Mitigated"), Incident, first.cursor)
    assert one(second).first_resolved_at == AT + hours(1)
    third = read(source(served, resolved_status="Mitigated", timeout=9), Incident, second.cursor)
    assert third.records == []


@EDITIONS
def test_a_reading_that_was_cut_off_goes_on_where_it_stopped(stack: ExitStack, cloud: bool) -> None:
    issues = [Issue(f"OPS-{n}", AT + timedelta(minutes=n)) for n in range(1, 40)]
    served = site(stack, *issues, cloud=cloud, size=10)
    whole = read(source(served), Incident)
    count, cursor = whole.checkpoints[1]
    served.asked.clear()
    rest = read(source(served), Incident, json.loads(json.dumps(cursor)))
    assert Reading([*whole.given[:count], *rest.given]).facts() == whole.facts()
    assert len([r for r in rest.records if isinstance(r, Incident)]) < 25


def test_requests_are_few(stack: ExitStack) -> None:
    issues = [Issue(f"OPS-{n}", AT + timedelta(minutes=n)).move(AT + hours(99), "Done")
              for n in range(1, 401)]  # fmt: skip
    served = site(stack, *issues, size=5000)
    served.changes = 1000
    made = source(served)
    first = read(made, Incident)
    assert len([r for r in first.records if isinstance(r, Incident)]) == 400
    # Three about the site, four pages, the changes of each, and one page of all keys.
    assert made.spent == {"requests": 3 + 4 + 4 + 1}
    assert len(served.asked) == 12
    served.asked.clear()
    read(source(served), Incident, first.cursor)
    assert len(served.asked) == 4


def test_reading_again_removes_causes_that_are_no_longer_stated(stack: ExitStack) -> None:
    issue = Issue("OPS-1", AT, summary="caused by 3f2a1bc")
    served = site(stack, issue)
    first = read(source(served), Incident)
    issue.touch(served.now + timedelta(minutes=1), summary="caused by 0123abc")
    served.now += hours(1)
    second = read(source(served), Incident, first.cursor)
    assert any(isinstance(item, Only) for item in second.given)
    assert set(after(first, second)) == {("OPS-1",), ("OPS-1", "0123abc")}


# --- faults of the configuration


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "acme.atlassian.net"}, "is no address"),
        ({"url": "https://acme.atlassian.net", "email": None}, "give the email"),
        ({"jql": "project = OPS ORDER BY created"}, "leave ORDER BY out"),
        ({"jql": ""}, "at least 1 character"),
        ({"service_from": "priority"}, "is no place"),
        ({"severity_from": "component"}, "is no place"),
        ({"service_from": "field:"}, "is no place"),
        ({"caused_by": "caused by"}, "no group"),
        ({"statuses": []}, "Extra inputs"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    good = {"url": "https://jira.acme.example", "jql": "project = OPS"}
    with pytest.raises(ValidationError, match=message):
        Options(**good | options)


def test_an_order_within_a_text_is_none() -> None:
    jql = 'summary ~ "order by mail" AND project = OPS'
    assert Options(url="https://jira.acme.example", jql=jql).jql == jql


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolved_status": "Mitigatd"}, "Did you mean 'Mitigated'"),
        ({"resolved_field": "Mitigated"}, "Did you mean 'Mitigated at'"),
        ({"resolved_field": "Due day"}, "holds no time but date"),
        ({"service_from": "field:Twice"}, "customfield_10055, customfield_10056"),
        ({"jql": "projekt = OPS"}, "cannot understand 'projekt = OPS'"),
    ],
)
def test_what_the_site_does_not_have_is_one_clear_error(
    stack: ExitStack, options: dict[str, Any], message: str
) -> None:
    made = source(site(stack, *some_issues()), **options)
    with pytest.raises(SourceError) as caught:
        read(made, Incident)
    assert message in str(caught.value)
    (finding,) = [f for f in made.check() if f.level == "error"]
    assert message in f"{finding.message} {finding.hint}"


def test_an_address_without_a_jira_says_so(stack: ExitStack) -> None:
    served = site(stack, *some_issues(), cloud=False)
    made = source(served, url=f"{served.url}/browse")
    with pytest.raises(SourceError, match="There is no Jira at") as caught:
        read(made, Incident)
    assert "Correct url" in caught.value.hint


def test_cloud_and_data_center_are_told_apart(stack: ExitStack) -> None:
    with pytest.raises(SourceError, match="is no Jira Cloud"):
        read(source(site(stack, cloud=False), email="robot@acme.example"), Incident)
    with pytest.raises(SourceError, match="is Jira Cloud"):
        read(source(site(stack, cloud=True), email=None), Incident)


@EDITIONS
def test_check_says_what_it_found(stack: ExitStack, cloud: bool) -> None:
    served = site(stack, *some_issues(), cloud=cloud, zone="Europe/Berlin")
    first, second = source(served).check()
    kind = "Jira Cloud" if cloud else "Jira Data Center"
    assert first.message == (f"{served.url} ({kind}) accepts the token; times are Europe/Berlin.")
    assert second.message == (
        "The query finds issues, such as OPS-1 (checkout, over 2026-03-02 14:00 UTC)."
    )
    assert [f.level for f in source(served, jql="project = WEB").check()] == ["ok", "warning"]
    served.issues = {"1": Issue("OPS-1", AT)}
    warnings = [f.message for f in source(served).check() if f.level == "warning"]
    assert warnings == [
        "None of 1 issues names a service by 'component'.",
        "None of 1 issues was ever resolved by these rules.",
    ]


def test_the_manual_shows_a_good_source() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", manual, flags=re.DOTALL | re.MULTILINE)
    (block,) = [block for block in blocks if 'kind = "jira"' in block]
    (given,) = tomllib.loads(block)["sources"]
    known = {key: value for key, value in given.items() if key not in ("name", "kind", "covers")}
    assert Options(**known).resolved_status == ("Mitigated", "Done")
    keys = set(
        re.findall(r"`(\w+)`", manual[manual.index("## Jira") : manual.index("## PagerDuty")])
    )
    assert keys >= set(Options.model_fields) - {"url"}
