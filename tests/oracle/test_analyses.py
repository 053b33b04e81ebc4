"""The figures of the analyses of releases equal the oracle's: value and n."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dora import release
from dora.metrics.question import Question
from dora.metrics.scopes import Directory
from dora.release.base import Analysis, Answer
from dora.release.base import Asked as Put
from dora.release.plan import Plan
from dora.rules import Rules
from dora.windows import Window
from tests.oracle.dressing import told_world
from tests.oracle.releases.asked import Asked, Facts, Figures
from tests.oracle.releases.availability import availability
from tests.oracle.releases.before import staging
from tests.oracle.releases.calendars import CAIRO, CALENDARS
from tests.oracle.releases.freezes import freezes
from tests.oracle.releases.quality import quality
from tests.oracle.releases.trains import trains
from tests.oracle.releases.windows import windows
from tests.oracle.scenes import at
from tests.oracle.test_conformance import Databases
from tests.release.harness import planned

SEEDS = (1, 3, 4, 6, 13, 15)
ANALYSES: dict[str, Callable[[Asked], Figures]] = {
    "availability": availability,
    "freezes": freezes,
    "quality": quality,
    "staging": staging,
    "trains": trains,
    "windows": windows,
}
WHOLE = (date(2026, 4, 20), date(2026, 5, 6))
LATER = at(24 * 30)
QUESTIONS: dict[str, tuple[str, tuple[date, date], datetime, tuple[str, ...], dict[str, Any]]] = {
    "all": ("by Cairo's clock", WHOLE, LATER, (), {}),
    "in its midst": ("by Cairo's clock", WHOLE, at(130), (), {}),
    "a few days": ("by Cairo's clock", (date(2026, 4, 23), date(2026, 4, 27)), LATER, (), {}),
    "at night": ("nights that touch", WHOLE, LATER, (), {}),
    "at night, in its midst": ("nights that touch", WHOLE, at(105), (), {}),
    "some": ("nights that touch", WHOLE, LATER, ("story-3-web", "story-6-api", "trio"), {}),
    "pull requests": ("by Cairo's clock", WHOLE, LATER, (), {"change": "pull_request"}),
    "staging too": (
        "nights that touch",
        WHOLE,
        LATER,
        (),
        {"environments": ["production", "staging"]},
    ),
    "without a calendar": ("none", WHOLE, LATER, (), {}),
}


@pytest.fixture(scope="module")
def databases() -> Databases:
    return Databases(told_world(SEEDS))


@cache
def facts(databases: Databases, rules: str, as_of: datetime) -> Facts:
    return Facts(databases.world, RULES[rules], as_of)


RULES = {name: Rules().but(**asked[4]) for name, asked in QUESTIONS.items()}


def differing(databases: Databases, name: str, asked: str, engine: str) -> list[str]:
    """Figures whose value or n is not the oracle's."""
    calendar, days, as_of, services, _ = QUESTIONS[asked]
    workspace = databases.workspace(engine, RULES[asked], as_of, CAIRO)
    directory = Directory.read(workspace)
    scope = directory.scope(services)
    question = Question(
        workspace, Window(*days, CAIRO), (), as_of, RULES[asked], (scope,), directory
    )
    almanac = CALENDARS[calendar]
    laid_out = planned(almanac.text())
    answer = release.find(name).ask(Put(question, laid_out, Plan(laid_out, Path(), question)))
    members = frozenset(member.service for member in scope.members)
    same = next(one for one in RULES if RULES[one] == RULES[asked])
    expected = ANALYSES[name](Asked(facts(databases, same, as_of), almanac, *days, CAIRO, members))
    workspace.close()
    return list(_differing(answer, expected))


def _differing(answer: Answer, expected: Figures) -> Iterator[str]:
    said = {figure.name: figure for figure in answer.figures if figure.team is None}
    assert said.keys() == expected.keys()
    for name, (value, n) in expected.items():
        found = said[name]
        same = found.value == value or (
            None not in (value, found.value)
            and math.isclose(found.value or 0, value or 0, rel_tol=1e-12, abs_tol=1e-12)
        )
        if not same or found.n != n:
            yield f"{name}: {found.value} of {found.n}, not {value} of {n}"


@pytest.mark.parametrize("asked", QUESTIONS)
@pytest.mark.parametrize("name", ANALYSES)
def test_every_figure_equals_the_oracle(databases: Databases, name: str, asked: str) -> None:
    assert differing(databases, name, asked, "duckdb") == []


@pytest.mark.parametrize("name", ANALYSES)
def test_every_figure_equals_the_oracle_on_the_other_engine(
    databases: Databases, name: str
) -> None:
    assert differing(databases, name, "in its midst", "sqlite") == []


FAULTS: dict[str, tuple[str, str, str, str]] = {
    "an opening too early": ("windows", "at night", "w.from_us <= d.us", "w.from_us < d.us"),
    "a closing too late": ("windows", "all", "d.us < w.until_us", "d.us <= w.until_us"),
    "one is as two": ("windows", "at night", "p.changes = 1 then 1", "p.changes = 1 then 2"),
    "young ones are judged": ("windows", "in its midst", "p.mature and p.covered", "p.covered"),
    "of whom nobody knows": ("windows", "all", "p.mature and p.covered", "p.mature"),
    "the window after the next": ("windows", "all", "l.us desc, l.side desc", "l.us desc, l.side"),
    "what counts in no lead time waits": (
        *("windows", "all"),
        "where (t.left_out is null or t.left_out = 'not delivered')",
        "where true",
    ),
    "the thaw is frozen": ("freezes", "all", "p.sort = 'frozen' then", "p.sort <> '' then"),
    "any incident hurts": ("freezes", "at night", "k.standing = 'counts'", "true"),
    "all time is exposed": ("freezes", "all", "v.service = w.service", "true"),
    "all wait for the end": (
        *("freezes", "all"),
        "case when l.delivered_us < p.until_us then l.delivered_us else p.until_us end",
        "p.until_us",
    ),
    "only what is past": (
        "availability",
        "all",
        "t.until_us > $since_us",
        "t.until_us < $since_us",
    ),
    "no matter which incident": ("availability", "all", "k.standing = 'counts'", "true"),
    "bots wait": ("availability", "all", "(t.left_out is null or", "(true or"),
    "those that landed later": (
        *("availability", "a few days"),
        "<= (select max(k.day) from calendar k)",
        ">= (select min(k.day) from calendar k)",
    ),
    "the last attempt decides": (
        "quality",
        "all",
        "r.attempt, r.begun_us",
        "-r.attempt, r.begun_us",
    ),
    "what never ran first is known": (
        *("quality", "all"),
        "when c.first_attempt > 1 then 1",
        "when c.first_attempt > 9 then 1",
    ),
    "a failure alone is flaky": (
        *("quality", "all"),
        "case when c.passed = 1 then c.failed else 0",
        "case when c.failed = 1 then c.failed else 0",
    ),
    "a bot wants changes": ("quality", "all", "v.by = 'person' and", ""),
    "staging is staging though it is production": (
        *("quality", "staging too"),
        "when p.kind is null then",
        "when true then",
    ),
    "what is copied is apart": (
        *("staging", "all"),
        "b.sha = k.other",
        "b.sha = k.other and b.committed_at < a.committed_at",
    ),
    "a copy is apart": (
        *("staging", "all"),
        "b.sha = k.other",
        "b.sha = k.other and b.committed_at > a.committed_at",
    ),
    "what one stream begins with is everywhere": (
        *("staging", "a few days"),
        "having count(*) = u.streams",
        "having count(*) > 0",
    ),
    "repairs ride": ("trains", "all", "where not d.repair and", "where"),
    "a train goes anywhere": (
        *("trains", "at night"),
        "h.service = d.service and h.environment = d.environment",
        "h.service = d.service",
    ),
    "bots ride": (
        *("trains", "all", "(t.left_out is null or t.left_out = 'not delivered')", "true"),
    ),
    "one side is enough": (
        *("staging", "some", "min(case when t.staging", "max(case when t.staging"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_an_analysis_is_caught(
    databases: Databases, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, asked, right, wrong = FAULTS[fault]
    told = Analysis.sql
    file = (files(release) / f"{name}.sql").read_text("utf-8")
    assert right in file, f"{name}.sql no longer says {right!r}"
    monkeypatch.setattr(Analysis, "sql", lambda one, part: told(one, part).replace(right, wrong))
    assert differing(databases, name, asked, "duckdb") != []
