"""Empty, single, tied, failed and unfinished records: no wrong number, no NaN, no traceback."""

from __future__ import annotations

import math
from datetime import date

import pytest

from dora import metrics, plots
from dora.goals import Goal
from dora.metrics.overview import Overview
from dora.stats.levels import REPORTS
from tests.metrics.harness import MARCH, change, deployed, deployment, question
from tests.metrics.test_rollup import FEBRUARY
from tests.plots.test_kinds import failure

ALWAYS = {"from_day": date(1, 1, 1), "until_day": date(9999, 12, 31)}
MONTHS = (2, 3)


def both(make):
    """The same records in February and in March, for two services."""
    return [row for month in MONTHS for service in ("calm", "wild") for row in make(month, service)]


def ships(count, **given):
    return both(
        lambda month, service: [
            deployment(f"{service}-{month}-{i}", f"2026-{month:02}-{i + 1:02} 10:00", service,
                       **given)
            for i in range(count)
        ]
    )  # fmt: skip


def changes(count, hours=5.0, delivered=True):
    return both(
        lambda month, service: [
            change(f"{service}-{month}-{i}", f"2026-{month:02}-10 10:00" if delivered else None,
                   hours, service, repository=f"org/{service}")
            for i in range(count)
        ]
    )  # fmt: skip


def recoveries(count, recovered=True):
    return both(
        lambda month, service: [
            failure(f"{service}-{month}-{i}", f"2026-{month:02}-{i + 1:02} 10:00",
                    f"2026-{month:02}-{i + 1:02} 12:00" if recovered else None, service)
            for i in range(count)
        ]
    )  # fmt: skip


TEAMS = {"team_services": [{"team": "red", "service": "calm", **ALWAYS},
                           {"team": "blue", "service": "wild", **ALWAYS}]}  # fmt: skip
CASES = {
    "nothing": {},
    "one": deployed(*ships(1), delivered_changes=changes(1), recovered_deployments=recoveries(1)),
    "all tied": deployed(*ships(9), delivered_changes=changes(9)),
    "all failed": deployed(*ships(9, failed=True), recovered_deployments=recoveries(9)),
    "none failed": deployed(*ships(9), delivered_changes=changes(9, 0.0)),
    "all waiting": deployed(*ships(9), delivered_changes=changes(9, delivered=False)),
    "all open": deployed(*ships(9, failed=True), recovered_deployments=recoveries(9, False)),
    "all pending": deployed(*ships(9, mature=False, pending=True)),
    "none covered": deployed(*ships(9, covered=False, failed=True)),
    "only attempts": deployed(*ships(3, status="failed")),
}
"""Every case has its records in both windows, of two services of two teams."""


def results(rows):
    asked = question(rows | TEAMS, window=MARCH)
    return [metrics.find(name).ask(asked) for name in metrics.names()]


def honest(text):
    assert not {"nan", "NaN", "None", "inf"} & set(text.replace("(", " ").replace(",", " ").split())
    assert text.strip()


def no_nan(frame):
    """Where there is no number a frame has NA or None."""
    for name in frame.columns:
        assert not [v for v in frame[name].tolist() if isinstance(v, float) and math.isnan(v)], name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("by", ["service", "team"])
def test_every_roll_up_is_a_number_or_a_reason(case, by):
    for result in results(CASES[case]):
        rolled = result.rollup(by, against=FEBRUARY)
        honest(rolled.sentence)
        no_nan(rolled.frame)
        assert (rolled.split is None) == (rolled.reason is not None)
        if rolled.split is not None:
            assert rolled.split.change == pytest.approx(result.value - rolled.before.whole.value)
            assert rolled.split.rate + rolled.split.mix == pytest.approx(rolled.split.change)


@pytest.mark.parametrize("case", CASES)
def test_every_level_score_goal_and_note_is_a_sentence(case):
    found = results(CASES[case])
    aims = [Goal(name, 0.5) for name in metrics.names()]
    overview = Overview.of(found, aims)
    for year in REPORTS:
        level = overview.level(year)
        honest(level.sentence)
        no_nan(level.frame)
    check = overview.quick_check()
    honest(check.sentence)
    no_nan(check.frame)
    for judgement in overview.judgements:
        honest(judgement.sentence)
        known = judgement.standing.low is not None and judgement.standing.high is not None
        assert known or judgement.state == "cannot be told yet"
    honest(repr(overview.notes))
    no_nan(overview.frame)
    honest(plots.alt_text(found[0], "benchmark"))
    overview.level().plot()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("metric", ["change_failure_rate", "rework_rate"])
def test_every_funnel_is_drawn(case, metric):
    result = next(r for r in results(CASES[case]) if r.name == metric)
    honest(plots.alt_text(result, "funnel"))
    result.plot("funnel")
