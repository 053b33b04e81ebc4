"""Every fault that a host of incidents may show, over real HTTP: the same facts in the end."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.jira import Jira
from connectors.pagerduty import PagerDuty
from connectors.testing import Reading, Waits, read
from dora.connector import Checkpoint
from dora.errors import SourceError
from dora.patience import Patience
from dora.records import Incident, IncidentCause
from tests.connectors.sites import jira, pagerduty
from tests.connectors.sites.jira import Issue, hours
from tests.connectors.sites.site import FAULTS, Site, Trouble, serving, status

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOKEN = "hidden-token-Zx81Qw"


@dataclass(frozen=True)
class Case:
    """A site with some incidents, and what reads it."""

    name: str
    site: Callable[[], Site]
    options: Callable[[Any], dict[str, Any]]
    connector: type[Any]
    paths: tuple[str, ...]

    def source(self, served: Site, **more: Any) -> Any:
        given = {"url": served.url, "token_env": "HIDDEN_TOKEN", "timeout": 1}
        options = self.connector.Options(**given | self.options(served) | more)
        made = self.connector("incidents", options, base=Path())
        made.patience = Waits()
        return made


def some_issues(*, cloud: bool) -> jira.Jira:
    site = jira.Jira(cloud=cloud, size=2, zone="Europe/Berlin")
    site.token = TOKEN
    site.embedded = 1
    for number in range(1, 6):
        issue = Issue(f"OPS-{number}", AT + timedelta(minutes=number), summary="caused by 0123abc")
        site.add(issue.move(AT + hours(number), "Done").move(AT + hours(number + 1), "Open"))
    return site


def some_fires() -> pagerduty.PagerDuty:
    """Incidents of more than a year, for several windows; the last one is open again."""
    site = pagerduty.PagerDuty()
    site.token = TOKEN
    for number in range(1, 6):
        began = AT - timedelta(days=100 * (5 - number))
        fire = pagerduty.Incident(f"P{number}", number, began, title="caused by 0123abc")
        site.add(fire.then(began + hours(1), "resolve"))
    fire.then(AT + hours(2), "reopen")
    return site


CASES = [
    Case(
        "cloud",
        lambda: some_issues(cloud=True),
        lambda site: {"jql": "project = OPS", "email": site.email},
        Jira,
        ("/serverInfo", "/myself", "/status", "/search/jql", "/changelog/bulkfetch"),
    ),
    Case(
        "data center",
        lambda: some_issues(cloud=False),
        lambda _: {"jql": "project = OPS"},
        Jira,
        ("/serverInfo", "/myself", "/status", "/search", r"/issue/\d+/changelog"),
    ),
    Case(
        "pagerduty",
        some_fires,
        lambda _: {"services": "Checkout"},
        PagerDuty,
        ("/services", "^/log_entries", r"/incidents/\w+/log_entries", "/incidents$"),
    ),
]
PATHS = [(case, path) for case in CASES for path in case.paths]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN_TOKEN", TOKEN)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, by whatever library, as `-v` would show it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def without_fault(case: Case, stack: ExitStack) -> tuple[Reading, int]:
    served = stack.enter_context(serving(case.site()))
    return read(case.source(served), Incident), len(served.asked)


def place_of(reading: Reading) -> dict[Any, Any]:
    """The facts, without the port that the site happened to have."""
    return {key: repr(fact).split("url=")[0] for key, fact in reading.facts().items()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("case", "path"), PATHS, ids=[f"{case.name} {path}" for case, path in PATHS]
)
def test_a_fault_that_passes_changes_nothing(
    stack: ExitStack, log: io.StringIO, case: Case, path: str, fault: str
) -> None:
    expected, requests = without_fault(case, stack)
    assert expected.records
    served = stack.enter_context(serving(case.site()))
    served.troubles = [Trouble(FAULTS[fault], f"{path}$")]
    made = case.source(served)
    reading = read(made, Incident)
    assert served.troubles[0].times == 0, "nothing was befallen"
    assert place_of(reading) == place_of(expected)
    assert reading.rejected == []
    assert len(served.asked) == requests + 1
    assert TOKEN not in log.getvalue()
    least = {"429 with Retry-After": 7.0, "429 without": 60.0}.get(fault, 0.1)
    assert least - 0.1 <= sum(seconds for _, seconds in made.patience.said) < least + 60


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_one_clear_error_after_a_few_requests(
    stack: ExitStack, case: Case, fault: str
) -> None:
    served = stack.enter_context(serving(case.site()))
    served.troubles = [Trouble(FAULTS[fault], case.paths[3], skip=1, times=1000)]
    if fault == "slow":
        served.troubles = [Trouble(FAULTS["dropped"], case.paths[3], skip=1, times=1000)]
    made = case.source(served)
    with pytest.raises(SourceError) as caught:
        read(made, Incident)
    assert "times" in caught.value.message
    assert caught.value.hint
    assert TOKEN not in str(caught.value)
    assert len(served.asked) <= 30


def test_what_was_read_before_a_fault_is_kept(stack: ExitStack, case: Case) -> None:
    expected, _ = without_fault(case, stack)
    served = stack.enter_context(serving(case.site()))
    served.troubles = [Trouble(FAULTS["502"], case.paths[3], skip=2, times=1000)]
    given: list[Any] = []
    with pytest.raises(SourceError):
        given.extend(case.source(served).records(Incident, None))
    served.troubles = []
    cursor = [one.cursor for one in given if isinstance(one, Checkpoint)][-1]
    rest = read(case.source(served), Incident, cursor)
    before = Reading([one for one in given if isinstance(one, Incident | IncidentCause)])
    assert len(before.records) >= 2
    assert place_of(Reading([*before.given, *rest.given])) == place_of(expected)


@pytest.mark.parametrize(
    ("code", "message"), [(401, "No token is accepted (HIDDEN_TOKEN: 401"), (403, "403")]
)
def test_a_token_that_is_refused_is_named_but_not_shown(
    stack: ExitStack, log: io.StringIO, case: Case, code: int, message: str
) -> None:
    served = stack.enter_context(serving(case.site()))
    served.troubles = [Trouble(status(code), case.paths[3], times=1000)]
    made = case.source(served)
    with pytest.raises(SourceError) as caught:
        read(made, Incident)
    assert message in caught.value.message
    (finding,) = [f for f in case.source(served).check() if f.level == "error"]
    assert finding.hint
    for text in (str(caught.value), repr(made), repr(made.rest), str(finding), log.getvalue()):
        assert TOKEN not in text
    assert len(served.asked) <= 20


@pytest.mark.parametrize("token", ["", "wrong-token-Yy22"])
def test_a_token_that_is_missing_or_wrong_says_which_variable(
    stack: ExitStack, case: Case, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HIDDEN_TOKEN", token)
    served = stack.enter_context(serving(case.site()))
    with pytest.raises(SourceError, match="HIDDEN_TOKEN") as caught:
        read(case.source(served), Incident)
    errors = [f for f in case.source(served).check() if f.level == "error"]
    assert [f.message for f in errors] == [caught.value.message]
    assert not token or token not in str(caught.value)


def test_a_host_that_is_not_there_is_one_clear_error(case: Case, stack: ExitStack) -> None:
    served = stack.enter_context(serving(case.site()))
    made = case.source(served, url="http://127.0.0.1:9")
    with pytest.raises(SourceError, match="did not answer"):
        read(made, Incident)


def test_nothing_is_waited_for_longer_than_allowed(stack: ExitStack, case: Case) -> None:
    served = stack.enter_context(serving(case.site()))
    served.troubles = [Trouble(status(429, Retry_After="4000"), case.paths[3], times=1000)]
    made = case.source(served)
    made.patience = Patience(timedelta(seconds=30))
    with pytest.raises(SourceError, match="rate limit") as caught:
        read(made, Incident)
    assert "--max-wait" in caught.value.hint
