"""What forges share: which repositories, what deployments and incidents are, what changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.causes import causes
from connectors.forge.boolean import Condition
from connectors.forge.changing import OVERLAP, Changing, Page
from connectors.forge.deploying import DeploymentRule, Named, Trust, parse
from connectors.forge.incidents import Issue, Rules, Turn
from connectors.forge.options import IncidentOptions
from connectors.forge.selection import Selection
from connectors.forge.whole import without_the_rest
from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Deployment, Incident

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_repositories_are_chosen_by_name_and_wildcard_but_for_those_left_out() -> None:
    selection = Selection(("acme/*", "other/one"), ("*/*-archive", "acme/play"))
    paths = ["acme/shop", "Acme/Shop-Archive", "acme/play", "other/one", "other/two", "acme/a/b"]
    assert selection.choose(paths) == ["acme/a/b", "acme/shop", "other/one"]
    assert selection.singles == ("other/one",)
    assert selection.wildcards == ("acme/*",)
    assert selection.takes("ACME/shop")
    assert not selection.takes("acme/play")
    assert Selection(("acme/*", "acne/*")).in_vain(paths) == ["acne/*"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployments", DeploymentRule("deployments", "deployments", "")),
        ("releases", DeploymentRule("releases", "releases", "")),
        ("tags:v*", DeploymentRule("tags:v*", "tags", "v*")),
        ("merges:main", DeploymentRule("merges:main", "merges", "main")),
        ("environment:^prod", DeploymentRule("environment:^prod", "environment", "^prod")),
        ("workflow:^Deploy", DeploymentRule("workflow:^Deploy", "workflow", "^Deploy")),
        (
            "workflow:^Deploy it$ job:to prod",
            DeploymentRule(
                "workflow:^Deploy it$ job:to prod", "workflow", "^Deploy it$", "to prod"
            ),
        ),
        ("job:^ship", DeploymentRule("job:^ship", "workflow", ".*", "^ship")),
    ],
)
def test_rules_are_read_as_they_are_written(text: str, expected: DeploymentRule) -> None:
    assert parse([text]) == (expected,)
    assert str(parse([text])[0]) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deploys", "no rule; there are deployments, environment:…, workflow:…"),
        ("deployments:x", "no rule"),
        ("tags", "no rule"),
        ("tags:", "write tags:* if all are meant"),
        ("environment:", "an empty expression would fit everything"),
        ("workflow:a job:", "an empty expression would fit everything"),
        ("workflow:(", "no regular expression"),
        ("job:(?P<team>x)", "names team; groups that mean something are environment and service"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse([text])


def test_a_forge_offers_the_rules_it_knows() -> None:
    with pytest.raises(ValueError, match=r"there are deployments, tags:…$"):
        parse(["workflow:x"], kinds=("deployments", "tags"))


def test_names_say_what_they_can_of_environment_and_service() -> None:
    (rule,) = parse([r"workflow:. job:^deploy (?P<service>\w+) to (?P<environment>\w+)$"])
    assert rule.takes("anything") == Named()
    assert rule.takes_job("Deploy checkout to prod") == Named("prod", "checkout")
    assert rule.takes_job("deploy") is None
    assert Named(None, "checkout").over(Named("prod", "shop")) == Named("prod", "checkout")
    (tags,) = parse(["tags:v[0-9]*"])
    assert tags.takes("v1.2") == Named()
    assert tags.takes("V1.2") is None
    (merges,) = parse(["merges:release/*"])
    assert merges.takes("release/*") == Named()
    assert merges.takes("release/1") is None


def deployed(hours: float, sha: str = "a", environment: str = "production") -> Deployment:
    at = START + timedelta(hours=hours)
    return Deployment(
        id=str(hours),
        repository="h/o/r",
        environment=environment,
        status="succeeded",
        started_at=at,
        finished_at=at + timedelta(minutes=5),
        sha=sha,
    )


def test_a_rule_is_believed_until_a_more_trusted_one_begins() -> None:
    rules = own, tags = parse(["deployments", "tags:*"])
    trust = Trust.of(rules, None)
    assert all(trust.believes(deployed(h, f"d{h}"), own) for h in (100, 50, 10))
    assert trust.believes(deployed(5, "t5"), tags)
    assert not trust.believes(deployed(9.99, "t9"), tags)  # it ended after that one began
    assert not trust.believes(deployed(9, "d10"), tags)  # it led to that one
    assert not trust.believes(deployed(70, "t70"), tags)
    assert trust.believes(deployed(70, "t70", environment="pre-release"), tags)
    assert trust.passed_over == {"tags:*": 3}
    again = Trust.of(rules, json.loads(json.dumps(trust.begun)))
    assert not again.believes(deployed(200, "t200"), tags)


def test_rules_that_look_at_the_same_are_believed_alike() -> None:
    rules = parse(["releases", "tags:*"])
    trust = Trust.of(rules, None)
    assert all(trust.believes(deployed(h), rules[h % 2]) for h in (4, 3, 2, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label:incident", True),
        ("label:INC*", True),
        ("label:bug", False),
        ("not label:bug", True),
        ("label:bug or type:Incident", True),
        ("label:bug and type:Incident or label:incident", True),
        ("label:bug and (type:Incident or label:incident)", False),
        ('label:"needs review"', True),
        ("severity:s* and not title:*drill*", True),
        ("NOT NOT label:incident AND type:incident", True),
    ],
)
def test_conditions_hold_as_they_read(text: str, expected: bool) -> None:
    values = {
        "label": ["incident", "needs review"],
        "type": ["Incident"],
        "severity": ["s1"],
        "title": ["Checkout is down"],
    }
    assert Condition.parse(text).holds(values) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("incident", "write label:incident"),
        ("label:a label:b", "one too many"),
        ("(label:a", "bracket is not closed"),
        ("label:a or", "the end stands where a field should"),
        ("colour:red", "colour is none of label, type, severity, title"),
        ("label:a ) or", "one too many"),
        ("label:a & label:b", "cannot be read from '& label:b' on"),
        ("", "the end stands"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Condition.parse(text)


HOME = "github.com/acme/shop"
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Caused by {SHA}.", [SHA]),
        ("caused by: 0123ABC", ["0123abc"]),
        ("introduced by #12, later caused by lib#3", [f"{HOME}#12", "github.com/acme/lib#3"]),
        ("broken by other/thing#4", ["github.com/other/thing#4"]),
        ("caused by !7", [f"{HOME}#7"]),
        (f"Caused by https://github.com/acme/shop/commit/{SHA}", [SHA]),
        (f"caused by [this](https://gitlab.com/acme/shop/-/commit/{SHA})", [SHA]),
        ("caused by <https://github.com/acme/shop/pull/12/files>", [f"{HOME}#12"]),
        ("caused by https://gitlab.com/a/b/c/-/merge_requests/9", ["gitlab.com/a/b/c#9"]),
        ("caused by https://github.com/acme/shop/actions/runs/5/job/77", ["5/77"]),
        ("caused by https://github.com/acme/shop/actions/runs/5/attempts/2", ["5/2"]),
        ("caused by https://github.com/acme/shop/actions/runs/5", ["5/1"]),
        ("caused by https://api.github.com/repos/acme/shop/deployments/31", ["31"]),
        (
            "caused by deployment https://deploy.example.com/runs/8.",
            ["https://deploy.example.com/runs/8"],
        ),
        ("caused by release https://github.com/acme/shop/releases/tag/v1.2", ["v1.2"]),
        ("caused by the database, see #12", []),
        ("", []),
    ],
)
def test_causes_are_read_in_the_form_that_facts_have(text: str, expected: list[str]) -> None:
    assert causes(text, HOME) == expected


def test_a_pattern_of_ones_own_says_where_the_cause_stands() -> None:
    assert causes("Root cause: v1.2", HOME, r"root cause:\s*(\S+)") == ["v1.2"]


def issue(**changes: Any) -> Issue:
    return replace(
        Issue(
            id="I1",
            repository=HOME,
            title="Checkout is down",
            body="Caused by #12",
            labels=("incident", "severity:high"),
            type=None,
            severity=None,
            opened=START,
            closed=False,
            closed_at=None,
            turns=(),
            not_planned=False,
            duplicate_of=None,
            status="open",
            url=None,
        ),
        **changes,
    )


def test_which_issues_are_incidents_is_said_by_label_type_severity_or_any_of_them() -> None:
    def counts(one: Issue, **options: Any) -> bool:
        return Rules(IncidentOptions(**options)).counts(one)

    assert counts(issue(), labels=["inc*"])
    assert not counts(issue(), labels=["bug"])
    assert counts(issue(), all_labels=["incident", "severity:*"])
    assert not counts(issue(), all_labels=["incident", "customer"])
    assert not counts(issue(), labels=["incident"], without_labels=["severity:high"])
    assert counts(issue(type="Incident"), types=["incident"])
    assert not counts(issue(), types=["incident"])
    assert counts(issue(), severities=["high", "critical"])
    assert not counts(issue(labels=()), severities=["high"])
    assert counts(issue(), where="label:incident and severity:high")
    assert not counts(issue(), labels=["incident"], where="severity:low")
    assert counts(issue(labels=()))


def test_an_incident_lasts_to_its_last_closing_and_counts_its_reopenings() -> None:
    hours = [START + timedelta(hours=n) for n in range(6)]
    turns = (Turn(hours[1], "closed"), Turn(hours[2], "open"), Turn(hours[4], "closed"))
    rules = Rules(IncidentOptions(), "checkout")
    closed = rules.incident(issue(closed=True, closed_at=hours[4], turns=turns, status="completed"))
    assert (closed.detected_at, closed.first_resolved_at, closed.resolved_at) == (
        hours[0],
        hours[1],
        hours[4],
    )
    assert (closed.reopenings, closed.severity, closed.service) == (1, "high", "checkout")
    reopened = rules.incident(issue(turns=turns[:2]))
    assert (reopened.resolved_at, reopened.first_resolved_at) == (None, hours[1])
    told = rules.incident(issue(closed=True, closed_at=hours[3]))
    assert (told.resolved_at, told.first_resolved_at) == (hours[3], hours[3])
    assert rules.incident(issue(severity="CRITICAL")).severity == "CRITICAL"


def test_closed_as_not_planned_is_none_unless_that_is_asked_for() -> None:
    dropped = issue(closed=True, closed_at=START, not_planned=True)
    assert Rules(IncidentOptions()).incident(dropped).not_planned
    assert not Rules(IncidentOptions(not_planned=True)).incident(dropped).not_planned
    assert (
        Rules(IncidentOptions(external=["cause:*"])).incident(issue(labels=["cause:aws"])).external
    )


@pytest.mark.parametrize(
    "options",
    [{"where": "incident"}, {"caused_by": "caused by"}, {"caused_by": "("}, {"label": ["x"]}],
)
def test_options_of_incidents_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IncidentOptions(**options)


class Source:
    """A list of rows that changes, read two rows a page."""

    def __init__(self, rows: int) -> None:
        self.rows = {f"r{n}": (n, 0) for n in range(rows)}  # minute, and what else there is
        self.asked = 0

    def touch(self, name: str, minute: int) -> None:
        self.rows[name] = (minute, self.rows.get(name, (0, 0))[1] + 1)

    def pages(self, after: Any) -> Page:
        self.asked += 1
        listed = sorted(self.rows.items(), key=lambda one: (-one[1][0], one[0]))
        rest = [one for one in listed if after is None or (-one[1][0], one[0]) > tuple(after)]
        page = [self.row(name) for name, _ in rest[:2]]
        last = rest[:2][-1] if rest else None
        return Page(page, [-last[1][0], last[0]] if last and len(rest) > 2 else None)

    def row(self, name: str) -> dict[str, Any]:
        minute, version = self.rows[name]
        at = (START + timedelta(minutes=minute)).isoformat()
        return {"id": name, "updatedAt": at, "version": version}

    def again(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        return [self.row(name) for name in ids if name in self.rows]

    def reading(self, **changes: Any) -> Changing:
        def facts(rows: Sequence[dict[str, Any]], first: bool) -> Iterator[Item]:
            for row in rows:
                at = datetime.fromisoformat(row["updatedAt"])
                yield Incident(id=row["id"], detected_at=at, reopenings=row["version"])
                if not first:
                    yield Only(Incident, {"id": row["id"]}, ({"id": row["id"]},))

        return Changing("p", self.pages, facts, **changes)


class Store:
    """What a store would hold, and where it would go on."""

    def __init__(self) -> None:
        self.held: dict[str, Incident] = {}
        self.cursor: Cursor | None = None
        self.given = 0

    def take(self, items: Iterator[Item], pages: int | None = None) -> None:
        """Take all items, or die after so many checkpoints, with what came since lost."""
        waiting: list[Incident] = []
        for item in items:
            if isinstance(item, Incident):
                waiting.append(item)
            elif isinstance(item, Checkpoint):
                self.held |= {one.id: one for one in waiting}
                self.given += len(waiting)
                waiting = []
                self.cursor = json.loads(json.dumps(item.cursor))
                if pages is not None and (pages := pages - 1) <= 0:
                    return

    def same_as(self, source: Source) -> bool:
        fresh = Store()
        fresh.take(source.reading().read(None))
        return self.held == fresh.held and set(self.held) == set(source.rows)


def test_a_first_reading_gives_all_rows_a_page_at_a_time() -> None:
    source, store = Source(7), Store()
    store.take(source.reading().read(None))
    assert store.same_as(source)
    assert store.given == 7
    again = list(source.reading().read(store.cursor))
    assert [type(one) for one in again] == [Checkpoint]
    assert again[0].cursor == store.cursor


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_a_first_reading_that_is_cut_off_goes_on_and_finds_what_changed_meanwhile(
    pages: int,
) -> None:
    source, store = Source(9), Store()
    store.take(source.reading().read(None), pages)
    source.touch("r1", 50)
    source.touch("r8", 51)
    source.touch("new", 52)
    asked = source.asked
    store.take(source.reading().read(store.cursor))
    assert source.asked - asked <= 5 + 6
    assert store.same_as(source)


def test_a_row_touched_while_the_list_is_read_is_found_by_the_next_reading() -> None:
    source, store = Source(8), Store()
    reading = source.reading().read(None)
    store.take(reading, 1)
    source.touch("r3", 60)  # moves above what is read already
    store.take(reading)
    assert "r3" not in store.held
    store.take(source.reading().read(store.cursor))
    assert store.same_as(source)


def test_only_rows_that_are_new_or_different_are_made_into_facts_again() -> None:
    source, store = Source(30), Store()
    store.take(source.reading().read(None))
    store.given = 0
    source.touch("r2", 100)
    asked = source.asked
    store.take(source.reading().read(store.cursor))
    assert (store.given, source.asked - asked) == (
        1,
        7,
    )  # r2, 11 rows not 10 minutes older, and one that is
    assert store.same_as(source)


def test_another_question_reads_all_again_and_says_what_is_left_of_each_row() -> None:
    source, store = Source(4), Store()
    store.take(source.reading(asked="a").read(None))
    items = list(source.reading(asked="b").read(store.cursor))
    assert sum(isinstance(one, Incident) for one in items) == 4
    assert sum(isinstance(one, Only) for one in items) == 4


def test_rows_that_may_change_without_moving_are_asked_for_by_their_ids() -> None:
    source, store = Source(40), Store()
    now = datetime.now(UTC)
    minute = int((now - START).total_seconds() // 60)
    source.touch("young", minute - 60)
    settings_ = {"pending": lambda row: row["version"] < 2, "again": source.again}
    store.take(source.reading(**settings_).read(None))
    assert store.cursor is not None
    assert set(store.cursor["pending"]) == {"young"}  # the others are too old to wait for
    source.touch("top", minute)
    store.take(source.reading(**settings_).read(store.cursor))
    source.rows["young"] = (minute - 60, 2)
    store.given = 0
    store.take(source.reading(**settings_).read(store.cursor))
    assert (store.given, store.held["young"].reopenings) == (1, 2)
    assert "young" not in store.cursor.get("pending", {})


def test_nothing_is_asked_where_the_host_says_that_nothing_is_newer() -> None:
    source, store = Source(5), Store()
    reading = source.reading()
    store.take(reading.read(None))
    newest = source.row("r4")["updatedAt"]
    assert reading.settled(store.cursor, newest)
    source.touch("r0", 9)
    assert not reading.settled(store.cursor, source.row("r0")["updatedAt"])
    assert not reading.settled(None, newest)
    assert not source.reading(asked="else").settled(store.cursor, newest)
    minute = int((datetime.now(UTC) - OVERLAP / 2 - START).total_seconds() // 60)
    source.touch("r0", minute)  # others may become visible behind it
    store.take(reading.read(store.cursor))
    assert not reading.settled(store.cursor, source.row("r0")["updatedAt"])


def test_nothing_before_the_day_is_read() -> None:
    source, store = Source(20), Store()
    store.take(source.reading(since=START + timedelta(minutes=15)).read(None))
    assert set(store.held) == {f"r{n}" for n in range(15, 20)}
    assert source.asked == 3


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_changes_and_wherever_it_is_cut_off_the_store_is_as_after_a_full_reading(
    data: st.DataObject,
) -> None:
    source, store, minute = Source(6), Store(), 30
    for _ in range(data.draw(st.integers(1, 6))):
        for _ in range(data.draw(st.integers(0, 3))):
            minute += data.draw(st.integers(0, 12))
            source.touch(f"r{data.draw(st.integers(0, 9))}", minute)
        cut = data.draw(st.one_of(st.none(), st.integers(1, 4)))
        store.take(source.reading().read(store.cursor), cut)
    store.take(source.reading().read(store.cursor))
    assert store.same_as(source)


def test_a_whole_reading_says_what_is_there_and_moves_the_cursor_only_in_its_end() -> None:
    source, store = Source(5), Store()
    store.take(source.reading().read(None))
    del source.rows["r1"]
    assert store.cursor is not None
    items = list(
        without_the_rest(
            source.reading().read(store.cursor, whole=True), store.cursor, Incident, ("id",), {}
        )
    )
    (only,) = [one for one in items if isinstance(one, Only) and not one.where]
    assert sorted(key["id"] for key in only.keys) == ["r0", "r2", "r3", "r4"]
    moves = [one.cursor for one in items if isinstance(one, Checkpoint)]
    assert all(one == store.cursor for one in moves[:-1])
    assert len(moves) > 1


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_row_touched_while_all_is_read_again_is_not_taken_for_gone(pages: int) -> None:
    source, store = Source(8), Store()
    store.take(source.reading().read(None))
    assert store.cursor is not None
    whole = source.reading().read(store.cursor, whole=True)
    given: list[Item] = []
    for item in without_the_rest(whole, store.cursor, Incident, ("id",), {}):
        given.append(item)
        if sum(isinstance(one, Checkpoint) for one in given) == pages and "r0" in source.rows:
            source.touch("r1", 60)
            del source.rows["r0"]
    (only,) = [one for one in given if isinstance(one, Only) and not one.where]
    assert {key["id"] for key in only.keys} - {"r0"} == {f"r{n}" for n in range(1, 8)}
