"""Goals: how they are written, whose they are, and when they count as met."""

from __future__ import annotations

from datetime import date

import pytest

from dora import goals, metrics
from dora.goals import Goal
from dora.metrics.goals import judge
from dora.metrics.overview import Overview
from dora.words import goals as words
from tests.metrics.harness import change, deployed, deployment, question
from tests.metrics.test_levels import SPRING, month, results

HOUR, DAY = 3600.0, 86_400.0
ALWAYS = {"from_day": date(1, 1, 1), "until_day": date(9999, 12, 31)}


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [
        ("lead_time", "2d", 2 * DAY), ("time_to_restore", "90m", 1.5 * HOUR),
        ("change_failure_rate", "10%", 0.1), ("rework_rate", "2.5 %", 0.025),
        ("deployment_frequency", "5/week", 5), ("deployment_frequency", "2 per day", 14),
        ("deployment_frequency", "1/month", 7 / 30.4375),
        ("deployment_frequency", "4/Year", 28 / 365.25),
    ],
)  # fmt: skip
def test_a_goal_is_in_the_metrics_own_unit(metric, text, value):
    assert goals.target(metric, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("metric", "text", "said"),
    [
        ("lead_time", "fast", '"2d"'), ("lead_time", 2, '"2d"'), ("lead_time", "10%", '"2d"'),
        ("change_failure_rate", "0.1", '"10%"'), ("change_failure_rate", "120%", "at most 100%"),
        ("change_failure_rate", "0%", "never"), ("deployment_frequency", "5", '"5/week"'),
        ("deployment_frequency", "5/fortnight", '"5/week"'),
    ],
)  # fmt: skip
def test_a_goal_that_cannot_be_read_or_reached_is_refused(metric, text, said):
    with pytest.raises(ValueError, match=said):
        goals.target(metric, text)


def test_every_metric_and_alias_can_have_a_goal():
    assert set(goals.KINDS) == set(metrics.names())
    assert set(goals.ALIASES) == set(metrics.verbs()) - set(metrics.names())
    assert all(metrics.find(alias).name == name for alias, name in goals.ALIASES.items())


def judged(metric, target, rows=None, **given):
    asked = question(rows if rows is not None else month(), window=SPRING, **given)
    return judge(metrics.find(metric).ask(asked), [Goal(metric, target)])


# 4 of 16 failed: Wilson's interval is 10.2 to 49.5 % (Newcombe's formula by hand: centre 0.2984,
# half-width 0.1965). 16 in four weeks: Garwood's interval is 9.145 to 25.98, 2.29 to 6.50 a week.
@pytest.mark.parametrize(
    ("metric", "target", "state"),
    [
        ("change_failure_rate", 0.50, "met"),
        ("change_failure_rate", 0.30, "cannot be told yet"),
        ("change_failure_rate", 0.10, "missed"),
        ("deployment_frequency", 2.2, "met"),
        ("deployment_frequency", 4.0, "cannot be told yet"),
        ("deployment_frequency", 6.6, "missed"),
        ("lead_time", 40 * HOUR, "met"),  # every change took exactly that
        ("lead_time", 39 * HOUR, "missed"),
    ],
)
def test_a_goal_is_judged_by_the_whole_interval(metric, target, state):
    found = judged(metric, target)
    assert (found.state, found.standing.result.value is None) == (state, False)


def test_too_few_a_lower_bound_and_no_value_are_never_judged():
    few = deployed(
        deployment("d", "2026-03-05 10:00"),
        delivered_changes=[change(f"c{i}", "2026-03-05 10:00", 40) for i in range(5)],
    )
    assert judged("lead_time", 9 * DAY, few).reason == words.FEW
    bound = judged("change_failure_rate", 0.01, month(covered=False))
    assert bound.state == "cannot be told yet"  # though at least a quarter failed
    assert "no incident source covers" in bound.reason
    assert judged("lead_time", DAY, {}).state == "cannot be told yet"


def test_a_grade_of_d_withholds_the_judgement():
    doubtful = {"service": "shop", "day": date(2026, 3, 5), "deployments": 16,
                "of_known_commit": 8, "covered": 16, "told_once": 16, "in_order": 16}  # fmt: skip
    found = judged("lead_time", 9 * DAY, month() | {"coverage_deployments": [doubtful]})
    assert (found.state, found.reason) == (
        "cannot be told yet", "too much of its record is missing (grade D)",
    )  # fmt: skip


def test_the_nearest_goal_counts_a_services_before_a_teams_before_everybodys():
    rows = month() | {
        "team_services": [{"team": "acme/store", "service": "shop", **ALWAYS}],
        "teams": [{"team": "acme/store", "parent": "retail"}],
    }
    every = [
        Goal("lead_time", 1.0),
        Goal("lead_time", 1.5, team="retail"),
        Goal("lead_time", 2.0, team="store"),
        Goal("lead_time", 3.0, service="shop"),
        Goal("lead_time", 4.0, service="blog"),
        Goal("rework_rate", 0.5),
    ]

    def target(goals_given, **scope):
        found = judge(
            metrics.find("lead_time").ask(question(rows, window=SPRING, **scope)), goals_given
        )
        return None if found is None else found.goal.target

    assert target(every) == 1
    assert target(every, teams=["acme/store"]) == 2
    assert target(every, services=["shop"]) == 3
    assert target(every, teams=["retail"]) == 1.5
    assert target(every[:3], services=["shop"]) == 2  # of the team that owns it
    assert target(every[:2], services=["shop"]) == 1.5  # of the group that this is in
    assert target(every[4:], services=["shop"]) is None


def test_an_overview_tells_its_goals():
    overview = Overview.of(results(month()), [Goal("change_failure_rate", 0.5)])
    frame = overview.frame.set_index("metric")
    assert frame.loc["change_failure_rate", ["goal", "judgement"]].tolist() == ["50 %", "met"]
    assert frame.loc["lead_time", ["goal", "judgement"]].tolist() == [None, None]
    assert "Change fail rate meets its goal of 50 %: 25 % (10–49)." in overview._repr_html_()


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("met", None, "Change lead time meets its goal of 2 d: 1 d (0.5–1.5)."),
        ("missed", None, "Change lead time misses its goal of 2 d: 1 d (0.5–1.5)."),
        ("cannot be told yet", words.REACHES,
         ("Whether change lead time meets its goal of 2 d cannot be told yet: 1 d (0.5–1.5), "
         "its interval reaches to both sides of the goal.")),
        ("cannot be told yet", words.FEW,
         ("Whether change lead time meets its goal of 2 d cannot be told yet: 1 d (0.5–1.5), "
         "too few records for an interval.")),
    ],
)  # fmt: skip
def test_every_state_is_a_sentence(state, reason, said):
    assert words.sentence("Change lead time", state, "2 d", "1 d (0.5–1.5)", reason) == said
    assert words.short(state, "2 d") == f"2 d: {state}"
