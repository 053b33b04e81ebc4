"""Signals, changes of level and trends of a result: planted ones, and none where nothing is."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from dora import metrics
from dora.metrics.coverage import Coverage, Grade
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

HALF = Window(date(2026, 1, 5), date(2026, 7, 6), name="2026-H1")  # 26 whole weeks
AS_OF = at("2026-07-31 00:00")
DAY = 86400.0


def moment(week, day=0, hour=0.0):
    """A time of a week of the half, counted from 0."""
    return at("2026-01-05 00:00") + timedelta(weeks=week, days=day, hours=hour)


def text(when):
    return when.strftime("%Y-%m-%d %H:%M")


def never(week, i):
    return False


def alike(week, i):
    return 20.0


def steady(weeks=26, each=8, failing=never, hours=alike):
    """Deployments spread over weeks, each with a change."""
    first = deployment("first", "2025-12-01 10:00")
    rows, changes = [first], []
    for week in range(weeks):
        for i in range(each):
            when = text(moment(week, i % 7, 3 + i // 7))
            rows.append(deployment(f"{week}.{i}", when, failed=failing(week, i)))
            changes.append(change(f"{week}.{i}", when, hours(week, i)))
    return deployed(*rows, delivered_changes=changes)


def signals(name, rows, **given):
    asked = {"window": HALF, "by": "week", "as_of": AS_OF} | given
    return metrics.find(name).ask(question(rows, **asked)).signals()


def wave(week, i):
    """Lead times that vary from week to week and change to change, with nothing behind it."""
    return 20 * math.exp(0.4 * math.sin(2.7 * week) + 0.3 * math.cos(1.9 * i + week))


def test_a_planted_outlier_is_the_one_signal(engine):
    slow = steady(hours=lambda week, i: wave(week, i) * (40 if week == 17 else 1))
    found = signals("lead_time", slow, engine=engine)
    assert found.found["period_start"].tolist() == [moment(17).date()]
    assert found.found[["signal", "verdict"]].values.tolist() == [["above", "worse"]]
    assert found.shifts == ()
    assert "2026-W19 (" in found.sentence
    assert "above its limits: worse) stands out beyond chance; a reason to ask" in found.sentence


def test_weekly_medians_are_charted_on_a_log_scale():
    rows = steady(hours=wave)
    found = signals("lead_time", rows)
    frame = found.frame
    result = metrics.find("lead_time").ask(question(rows, window=HALF, by="week", as_of=AS_OF))
    logs = np.log(result.frame["value"].to_numpy(float))
    # Wheeler: mean ± 2.66 mean moving ranges; all weeks have eight changes
    step = np.abs(np.diff(logs)).mean()
    assert frame["centre"][0] == pytest.approx(math.exp(logs.mean()))
    assert frame["upper"][0] == pytest.approx(math.exp(logs.mean() + 2.66 * step), rel=1e-3)
    assert found.found.empty
    assert found.sentence.startswith(
        "Change lead time: nothing stands out; all of 26 weeks lie within chance around 20 h"
    )


def test_a_change_of_level_is_dated_by_a_range_and_limits_step_there():
    found = signals("lead_time", steady(hours=lambda w, i: wave(w, i) * (4 if w >= 13 else 1)))
    (shift,) = found.shifts
    assert shift.earliest <= moment(13).date() <= shift.latest
    assert (shift.latest - shift.earliest).days < 60
    assert not shift.better
    assert shift.after / shift.before == pytest.approx(4, rel=0.2)
    assert found.frame["level"].tolist() == [1] * found.starts[1] + [2] * (26 - found.starts[1])
    assert found.found.empty  # the new level is no string of signals
    assert f"between {shift.earliest} and {shift.latest} from" in found.sentence
    assert "for the worse" in found.sentence


def test_failure_rates_have_laneys_limits_where_failures_are_not_rare():
    def failing(week, i):
        return i % 8 == week % 8 or (week == 20 and i < 15)

    found = signals("change_failure_rate", steady(each=16, failing=failing))
    assert found.series.kind == "rates"
    assert found.found["period_start"].tolist() == [moment(20).date()]
    assert found.found["verdict"].tolist() == ["worse"]


def test_rare_failures_are_told_by_how_many_go_well_between(engine):
    fail = {(3, 0), (4, 1), (6, 0), (7, 1), (9, 1)}
    found = signals(
        "change_failure_rate", steady(each=2, failing=lambda w, i: (w, i) in fail), engine=engine
    )
    assert found.series.kind == "gaps"
    # two a week from week 0: six before (3, 0), then 2, 2, 2, 3, and 32 since
    assert found.frame["value"].tolist() == [6, 2, 2, 2, 3, 32]
    assert found.frame["running"].tolist() == [False] * 5 + [True]
    assert found.frame["centre"][0] == pytest.approx((52 - 5) / 5)
    assert "6 gaps between failures" in found.sentence


def test_a_long_time_without_failure_is_a_signal_for_the_better():
    fail = {(week, i) for week in range(4) for i in (0, 3)}
    found = signals("change_failure_rate", steady(each=8, failing=lambda w, i: (w, i) in fail))
    last = found.frame.iloc[-1]
    assert (last["running"], last["signal"], last["verdict"]) == (True, "above", "better")


def test_rare_deployments_are_told_by_the_time_between_them():
    rows = deployed(
        deployment("first", "2025-12-01 10:00"),
        *(deployment(f"d{i}", text(moment(2 * i, i % 3))) for i in range(11)),
    )
    found = signals("deployment_frequency", rows)
    assert found.series.kind == "times"
    days = [(14 + d) for d in (1, 1, -2, 1, 1, -2, 1, 1, -2, 1)]
    assert (found.frame["value"] / DAY).tolist() == [*days, pytest.approx(41)]
    assert found.frame["signal"].tolist() == [None] * 10 + ["above"]
    assert found.frame["verdict"].iloc[-1] == "worse"


def test_deployments_are_counted_by_period_where_they_are_not_rare():
    rows = steady(each=9)
    extra = [deployment(f"x{i}", text(moment(12, i % 7, 9))) for i in range(30)]
    rows["production_deployments"] = rows["judged_deployments"] = [
        *rows["production_deployments"], *extra,
    ]  # fmt: skip
    found = signals("deployment_frequency", rows)
    assert found.series.kind == "counts"
    assert found.found["period_start"].tolist() == [moment(12).date()]
    assert found.found["verdict"].tolist() == ["better"]
    assert found.frame["value"][12] == 39


def test_cut_and_unfinished_weeks_are_not_judged():
    cut = Window(date(2026, 1, 7), date(2026, 7, 2))
    found = signals("deployment_frequency", steady(each=9), window=cut)
    assert found.frame["period_start"].tolist()[0] == date(2026, 1, 12)
    assert found.frame["period_end"].tolist()[-1] == date(2026, 6, 29)


def test_without_periods_asked_for_weeks_are_taken():
    assert len(signals("lead_time", steady(hours=wave), by=()).frame) == 26


def test_too_few_points_give_no_limits():
    found = signals("lead_time", steady(weeks=3, each=2))
    assert found.chart is None
    assert list(found.frame.columns)[:4] == ["period_start", "period_end", "running", "value"]
    assert len(found.frame) == 0
    assert found.sentence == (
        "Change lead time: nothing can be said of signals, as 3 whole weeks with a value are too "
        "few; 8 are needed."
    )
    short = Window(date(2026, 1, 5), date(2026, 2, 2))
    assert signals("deployment_frequency", steady(each=9), window=short).series is None


def recovery(name, week, hours):
    failed = moment(week, 1)
    return {
        "source": "ci", "deployment": name, "environment": "production", "service": "shop",
        "kind": "rollback", "rule": "rollback", "failed_at": failed, "open": False,
        "recovered_at": failed + timedelta(hours=hours), "us": int(hours * 3_600_000_000),
    }  # fmt: skip


def test_few_recoveries_are_charted_one_by_one(engine):
    hours = [2.0, 3.0, 2.5, 1.8, 2.2, 3.1, 2.4, 2.0, 90.0]
    rows = steady(weeks=1)
    rows["recovered_deployments"] = [
        recovery(f"r{i}", 2 * (i // 2), h) for i, h in enumerate(hours)
    ]
    found = signals("time_to_restore", rows, engine=engine)
    assert found.series.kind == "lengths"
    assert (found.frame["value"] / 3600).tolist() == pytest.approx(sorted(hours[:2]) + sorted(
        hours[2:4]) + sorted(hours[4:6]) + sorted(hours[6:8]) + hours[8:])  # fmt: skip
    assert found.frame["signal"].tolist() == [None] * 8 + ["above"]
    assert "of 9 failed deployments" in found.sentence
    rows["recovered_deployments"] = rows["recovered_deployments"][:5]
    few = signals("time_to_restore", rows, engine=engine)
    assert "5 failed deployments are too few to tell signal from noise" in few.sentence


def test_a_doubtful_record_has_no_signals(monkeypatch):
    doubtful = Grade("D", ("3 of 9 deployments have a commit that is known (33 %)",))
    monkeypatch.setattr(Coverage, "grade", lambda *_: doubtful)
    found = signals("lead_time", steady(hours=wave))
    assert found.chart is None
    assert "3 of 9 deployments" in found.sentence
    assert found.result.trend().verdict == "withheld"


def trend(name, rows):
    asked = question(rows, window=HALF, by="week", as_of=AS_OF)
    return metrics.find(name).ask(asked).trend()


def test_a_trend_of_durations_is_relative():
    def slower(week, i):
        return 10 * 1.05**week

    found = trend("lead_time", steady(hours=slower))
    assert found.slope == pytest.approx(0.05)
    assert found.verdict == "worse"
    assert found.sentence.startswith("Change lead time gets steadily worse over 26 weeks: +5 %")


def test_a_trend_of_rates_is_in_points():
    found = trend("change_failure_rate", steady(each=26, failing=lambda week, i: i < 26 - week))
    assert found.slope == pytest.approx(-1 / 26)
    assert found.verdict == "better"
    assert "−3.8 points" in found.sentence


def test_no_trend_is_no_evidence_of_one():
    assert trend("lead_time", steady(hours=wave)).verdict == "no evidence"
    flat = trend("deployment_frequency", steady(each=5))
    assert flat.verdict == "no evidence"
    assert flat.sentence.endswith("26 weeks, many of which are alike.")
    few = trend("lead_time", steady(weeks=3))
    assert (few.verdict, few.slope) == ("too little data", None)
    assert few.sentence.endswith("3 whole weeks with a value are too few; 8 are needed.")


def test_the_picture_has_levels_limits_and_rings():
    rows = steady(hours=lambda week, i: wave(week, i) * (40 if week == 17 else 1))
    found = signals("lead_time", rows)
    ax = found.plot(Figure().subplots())
    top, bottom = ax.child_axes
    (rings,) = [c for c in top.collections if c.get_gid() == "signals"]
    assert rings.get_offsets().tolist() == [[17, pytest.approx(found.found["value"][0])]]
    assert top.get_yscale() == "log"
    moving = bottom.lines[0].get_ydata()
    assert moving[1] == pytest.approx(max(found.frame["value"][:2]) / min(found.frame["value"][:2]))


RECORDS = st.lists(
    st.tuples(st.integers(0, 25), st.sampled_from([0.0, 1.0, 5.0, 5.0, 700.0]), st.booleans()),
    max_size=60,
)


@settings(deadline=None, max_examples=25)
@given(RECORDS, st.sampled_from(["lead_time", "change_failure_rate", "deployment_frequency"]))
def test_whatever_there_is_gives_sentences_and_tables_without_a_nan(records, name):
    rows, changes = [deployment("first", "2025-12-01 10:00")], []
    for i, (week, hours, failed) in enumerate(records):
        when = text(moment(week, i % 7, i % 24))
        rows.append(deployment(f"d{i}", when, failed=failed))
        changes.append(change(f"c{i}", when, hours))
    found = signals(name, deployed(*rows, delivered_changes=changes))
    frame = found.frame
    whole = frame[["value", "centre", "n", "level"]]
    assert not whole.isna().any().any()
    assert np.isfinite(whole.to_numpy(float)).all()
    for limit in ("lower", "upper"):
        assert not any(isinstance(v, float) and math.isnan(v) for v in frame[limit])
    for said in (found.sentence, found._repr_html_(), found.result.trend().sentence):
        assert said
        assert "nan" not in said
