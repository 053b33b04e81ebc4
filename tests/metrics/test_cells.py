"""Each metric on hand-filled marts: what every cell holds, on both engines."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from dora import metrics, words
from dora.errors import UnknownMetric
from dora.rules import Rules
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

HOUR = 3600.0


def ask(name, rows, **given):
    return metrics.find(name).ask(question(rows, **given))


def column(result, name, **where):
    frame = result.frame
    for key, value in where.items():
        frame = frame[frame[key] == value]
    return [None if words.missing(value) else value for value in frame[name].tolist()]


MARCH = deployed(
    deployment("d1", "2026-03-03 10:00"),
    deployment("d2", "2026-03-03 18:00", failed=True, rule="stated"),
    deployment("d3", "2026-03-18 10:00", rework_kind="rollback", repairs="d2"),
    deployment("d4", "2026-03-31 10:00", mature=False, pending=True, failed=True),
    deployment("x1", "2026-03-18 09:00", status="failed"),
)


def test_frequency_counts_per_period_and_a_week_without_any_is_zero(engine):
    result = ask("deployment_frequency", MARCH, by="week", engine=engine)
    assert column(result, "period_start") == [
        date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16),
        date(2026, 3, 23), date(2026, 3, 30),
    ]  # fmt: skip
    assert column(result, "value") == [None, 2.0, 0.0, 1.0, 0.0, 1.0]
    assert column(result, "n") == [0, 2, 0, 1, 0, 1]
    assert column(result, "days_with_deployment") == [0, 1, 0, 1, 0, 1]
    assert column(result, "failed_attempts") == [0, 0, 0, 1, 0, 0]
    assert column(result, "unit") == ["deployments"] * 6


def test_before_the_first_known_deployment_frequency_is_unknown_not_zero(engine):
    result = ask("deployment_frequency", MARCH, by="week", engine=engine)
    assert column(result, "reason")[0] == words.BEFORE_FIRST
    assert column(result, "low")[0] is None


def test_a_period_is_partial_if_cut_unfinished_or_holding_the_first_deployment(engine):
    result = ask("deployment_frequency", MARCH, by="week", engine=engine)
    assert column(result, "partial") == [True, True, False, False, False, True]


def test_frequency_of_the_window_is_per_week_of_elapsed_days(engine):
    result = ask("deployment_frequency", MARCH, engine=engine)
    assert result.value == pytest.approx(4 / 31 * 7)
    assert (result.n, result.unit) == (4, "per week")
    # Garwood for 4: 1.0899 to 10.2416
    assert result.low == pytest.approx(1.0899 / 31 * 7, abs=1e-4)
    assert result.high == pytest.approx(10.2416 / 31 * 7, abs=1e-4)


def test_only_days_that_have_begun_count_as_elapsed(engine):
    result = ask("deployment_frequency", MARCH, as_of=at("2026-03-20 12:00"), engine=engine)
    assert result.question.elapsed_days == 20


def test_time_between_deployments_stands_on_the_day_of_the_later_one(engine):
    result = ask("deployment_frequency", MARCH, by="week", engine=engine)
    fifteen_days = (14 * 24 + 16) * HOUR  # 3 March 18:00 to 18 March 10:00
    assert column(result, "between") == [None, 8 * HOUR, None, fifteen_days, None, 13 * 24 * HOUR]
    assert ask("deployment_frequency", MARCH, engine=engine).frame["between"].tolist() == [
        13 * 24 * HOUR  # the middle one of 8 h, 13 d and 14 d 16 h
    ]


def test_a_period_that_has_not_begun_has_no_value(engine):
    result = ask(
        "deployment_frequency", MARCH, by="week", as_of=at("2026-03-20 12:00"), engine=engine
    )
    assert column(result, "reason")[-2:] == [words.NOT_BEGUN, words.NOT_BEGUN]
    assert column(result, "value")[-2:] == [None, None]


def test_no_deployment_at_all_is_no_value_with_a_reason(engine):
    result = ask("deployment_frequency", {}, engine=engine)
    assert (result.value, result.n, result.reason) == (None, 0, words.NO_DEPLOYMENT)


def test_failure_rate_is_failed_of_mature_with_pending_apart(engine):
    result = ask("change_failure_rate", MARCH, engine=engine)
    assert result.value == pytest.approx(1 / 3)
    assert (result.n, result.pending, result.counts["pending_failed"]) == (3, 1, 1)
    assert result.counts["failed_attempts"] == 1
    # Wilson for 1 of 3
    assert (round(result.low, 3), round(result.high, 3)) == (0.061, 0.792)


def test_a_week_with_nothing_mature_has_no_rate(engine):
    result = ask("change_failure_rate", MARCH, by="week", engine=engine)
    assert column(result, "value") == [None, 0.5, None, 0.0, None, None]
    assert column(result, "reason")[-1] == words.NOTHING_MATURE
    assert column(result, "reason")[2] == words.NOTHING_DEPLOYED


UNCOVERED = deployed(
    *(deployment(f"d{day}", f"2026-03-{day:02d} 10:00", covered=False) for day in range(2, 11)),
    deployment("d11", "2026-03-11 10:00", covered=False, failed=True, rework_kind="rollback"),
)


@pytest.mark.parametrize("name", ["change_failure_rate", "rework_rate"])
def test_without_an_incident_source_a_rate_is_only_a_lower_bound(name, engine):
    result = ask(name, UNCOVERED, engine=engine)
    assert (result.value, result.low, result.high) == (None, 0.1, None)
    assert result.n == 10
    assert "no incident source covers the deployments of shop" in result.reason
    assert "at least 10 %" in repr(result)


def test_a_roll_up_pools_the_covered_services_and_names_the_rest(engine):
    rows = deployed(
        *(
            deployment(f"a{day}", f"2026-03-{day:02d} 10:00", failed=day == 2)
            for day in range(2, 6)
        ),
        *(
            deployment(f"b{day}", f"2026-03-{day:02d} 10:00", "tools", covered=False, failed=True)
            for day in range(2, 10)
        ),
    )
    result = ask("change_failure_rate", rows, engine=engine)
    assert (result.value, result.n) == (0.25, 4)
    assert result.uncovered == ("tools",)
    assert "tools" in words.definition(result)
    assert set(result.evidence["service"]) == {"shop"}
    assert set(result.left_out["reason"]) == {"no incident source covers the service"}


def test_rework_is_repairs_of_all_successful_whatever_their_age(engine):
    result = ask("rework_rate", MARCH, engine=engine)
    assert (result.value, result.n) == (0.25, 4)
    assert result.counts["rollbacks"] == 1


CHANGES = [
    change(f"c{hours}", "2026-03-10 12:00", hours) for hours in (1, 2, 3, 4, 5, 6, 7, 8, 9, 30)
]


def test_lead_time_is_the_true_median_with_linear_quantiles(engine):
    result = ask("lead_time", deployed(*MARCH["production_deployments"], delivered_changes=CHANGES),
                 engine=engine)  # fmt: skip
    row = result.frame.iloc[0]
    assert result.value == 5.5 * HOUR
    # linear: place 0.75 * 9 = 6.75, 0.9 * 9 = 8.1, 0.95 * 9 = 8.55 of the sorted ten, from 0
    assert row["p75"] == pytest.approx(7.75 * HOUR)
    assert row["p90"] == pytest.approx((9 + 0.1 * 21) * HOUR)
    assert row["p95"] == pytest.approx((9 + 0.55 * 21) * HOUR)
    assert (result.low, result.high) == (2 * HOUR, 9 * HOUR)  # ranks 2 and 9 of 10


def test_below_six_values_there_is_no_interval_and_the_values_are_said(engine):
    rows = deployed(*MARCH["production_deployments"], delivered_changes=CHANGES[:5])
    result = ask("lead_time", rows, engine=engine)
    assert (result.value, result.low, result.high) == (3 * HOUR, None, None)
    assert repr(result) == "lead_time 3 h, n = 5 (60 min, 2 h, 3 h, 4 h, 5 h)".replace(
        "60 min", "1 h"
    )


def test_a_change_delivered_to_two_services_counts_once_at_its_first_delivery(engine):
    changes = [
        change("c1", "2026-03-10 12:00", 5, "shop"),
        change("c1", "2026-03-05 12:00", 2, "tools"),
        change("c2", "2026-03-10 12:00", 7, "shop"),
    ]
    rows = deployed(
        deployment("d1", "2026-03-02 10:00"),
        deployment("d2", "2026-03-02 10:00", "tools"),
        delivered_changes=changes,
    )
    result = ask("lead_time", rows, each=("service",), engine=engine)
    assert column(result, "n", scope="all") == [2]
    assert column(result, "value", scope="all") == [4.5 * HOUR]
    assert column(result, "n", scope="service", service="shop") == [2]
    assert column(result, "n", scope="service", service="tools") == [1]


def test_a_change_first_delivered_before_the_window_does_not_count_again_in_it(engine):
    changes = [
        change("c1", "2026-03-10 12:00", 5, "shop"),
        change("c1", "2026-02-05 12:00", 2, "tools"),
    ]
    rows = deployed(
        deployment("d1", "2026-02-02 10:00"),
        deployment("d2", "2026-02-02 10:00", "tools"),
        delivered_changes=changes,
    )
    assert ask("lead_time", rows, engine=engine).n == 0
    assert ask("lead_time", rows, services=["shop"], engine=engine).n == 1


def test_the_same_sha_in_two_repositories_is_two_changes(engine):
    changes = [
        change("c1", "2026-03-10 12:00", 5),
        change("c1", "2026-03-10 12:00", 7, "tools", repository="org/tools"),
    ]
    services = [{"service": name} for name in ("shop", "tools")]
    rows = deployed(
        deployment("d1", "2026-03-02 10:00"), services=services, delivered_changes=changes
    )
    assert ask("lead_time", rows, engine=engine).n == 2


def test_changes_not_delivered_are_a_level_that_stays_until_they_are(engine):
    changes = [change("w1", None, 24 * 8), change("w2", None, -24), *CHANGES]
    rows = deployed(*MARCH["production_deployments"], delivered_changes=changes)
    result = ask("lead_time", rows, by="week", engine=engine)
    # w2 was merged before the window, w1 on 9 March
    assert column(result, "open") == [1, 1, 2, 2, 2, 2]
    assert result.open == 2
    assert repr(result).endswith("n = 10, 2 not delivered")
    assert column(result, "reason")[0] == words.NOTHING_DELIVERED


def test_left_out_changes_say_why(engine):
    changes = [
        change("b", "2026-03-10 12:00", 5, left_out="bot"),
        change("early", "2026-02-10 12:00", 5, left_out="before the record"),
        change("w", None, 5),
        *CHANGES,
    ]
    rows = deployed(*MARCH["production_deployments"], delivered_changes=changes)
    result = ask("lead_time", rows, engine=engine)
    assert result.left_out[["record", "reason"]].to_numpy().tolist() == [
        ["w", "not delivered"],
        ["b", "bot"],
    ]


def recovery(name, failed, recovered, **given):
    start, end = at(failed), at(recovered) if recovered else None
    return {
        "source": "ci",
        "deployment": name,
        "environment": "production",
        "service": "shop",
        "failed_at": start,
        "recovered_at": end,
        "us": round((end - start).total_seconds() * 1e6) if end else None,
        "open": end is None,
        "kind": "incident resolved" if end else None,
        "rule": "stated",
        **given,
    }


def test_recovery_counts_on_the_day_it_ended_and_open_ones_are_said(engine):
    rows = MARCH | {
        "recovered_deployments": [
            recovery("d0", "2026-02-27 10:00", "2026-03-02 10:00"),
            recovery("d2", "2026-03-03 18:00", "2026-03-03 19:00"),
            recovery("d3", "2026-03-18 10:00", None),
            recovery("old", "2026-02-01 10:00", None),
        ]
    }
    result = ask("time_to_restore", rows, by="month", engine=engine)
    assert result.value == (72 + 1) / 2 * HOUR
    assert (result.n, result.open) == (2, 2)
    assert repr(result) == "time_to_restore 36 h, n = 2 (1 h, 3 d), 2 still open"
    assert result.evidence["deployment"].tolist() == ["old", "d0", "d2", "d3"]
    assert set(result.left_out["reason"]) == {"still open"}


def test_recovery_of_services_nobody_reports_incidents_of_is_unknown(engine):
    rows = UNCOVERED | {
        "recovered_deployments": [recovery("d11", "2026-03-11 10:00", "2026-03-12 10:00")]
    }
    result = ask("time_to_restore", rows, engine=engine)
    assert (result.value, result.low, result.n) == (None, None, 0)
    assert "no incident source covers" in result.reason
    assert result.left_out["reason"].tolist() == ["no incident source covers the service"]


@pytest.mark.parametrize("linked", [(None, None), ("d1", "d2"), ("d1", "d1")])
def test_an_incident_of_two_services_is_one_in_a_roll_up(engine, linked):
    shared = {"environment": None, "incident_source": "pd", "incident": "i1"}
    rows = deployed(
        deployment("d1", "2026-03-02 10:00"),
        deployment("d2", "2026-03-02 10:00", "tools"),
        recovered_deployments=[
            recovery(linked[0], "2026-03-03 10:00", "2026-03-03 12:00", **shared),
            recovery(linked[1], "2026-03-03 10:00", "2026-03-03 12:00", **shared, service="tools"),
        ],
    )
    result = ask("time_to_restore", rows, rules=Rules(caused_by="any"), each=("service",),
                 engine=engine)  # fmt: skip
    assert column(result, "n") == [1, 1, 1]


def test_a_team_owns_what_it_owned_on_the_day(engine):
    owned = [
        {"team": team, "service": "shop", "from_day": since, "until_day": until}
        for team, since, until in (
            ("blue", date(2026, 3, 1), date(2026, 3, 18)),
            ("red", date(2026, 3, 18), date(9999, 12, 31)),
        )
    ]
    rows = MARCH | {"team_services": owned}
    result = ask("deployment_frequency", rows, each=("team",), engine=engine)
    assert column(result, "n", scope="team", team="blue") == [2]
    assert column(result, "n", scope="team", team="red") == [2]
    both = ask("deployment_frequency", rows, teams=["blue", "red"], engine=engine)
    assert (both.n, both.question.scopes[0].label) == (4, "blue, red")


def grouped():
    """Blue and red are in shops, which is in all; green stands alone and owns tools."""
    owned = [
        ("blue", "shop", date(1, 1, 1), date(2026, 3, 18)),
        ("red", "shop", date(2026, 3, 18), date(9999, 12, 31)),
        ("shops", "ads", date(1, 1, 1), date(9999, 12, 31)),
        ("green", "tools", date(1, 1, 1), date(9999, 12, 31)),
    ]
    tree = {"blue": "shops", "red": "shops", "shops": "all", "empty": "all"}
    keys = ("team", "service", "from_day", "until_day")
    more = [
        deployment("a1", "2026-03-04 10:00", "ads"),
        deployment("t1", "2026-03-05 10:00", "tools"),
    ]
    return deployed(*MARCH["production_deployments"], *more) | {
        "team_services": [dict(zip(keys, row, strict=True)) for row in owned],
        "teams": [{"team": team, "parent": parent} for team, parent in tree.items()],
    }


def test_a_group_of_teams_is_all_below_it_by_their_dates(engine):
    """Blue owned shop for d1 and d2, red for d3 and d4; the group itself owns ads."""
    for team, n in (("blue", 2), ("red", 2), ("shops", 5), ("all", 5), ("green", 1)):
        result = ask("deployment_frequency", grouped(), teams=[team], engine=engine)
        assert (team, result.n) == (team, n)
    together = ask(
        "deployment_frequency", grouped(), teams=["shops", "red", "green"], engine=engine
    )
    assert together.n == 6
    empty = ask("deployment_frequency", grouped(), teams=["empty"], engine=engine)
    assert (empty.value, empty.n) == (None, 0)


def test_each_team_has_its_row_and_so_has_each_group(engine):
    result = ask("deployment_frequency", grouped(), each=("team",), engine=engine)
    counts = zip(column(result, "team"), column(result, "n"), strict=True)
    expected = {None: 6, "all": 5, "blue": 2, "green": 1, "red": 2, "shops": 5}
    assert dict(counts) == expected
    below = ask("deployment_frequency", grouped(), teams=["shops"], each=("team",), engine=engine)
    assert column(below, "team", scope="team") == ["shops", "blue", "red", "shops"]  # pooled first


def test_windows_that_touch_add_up(engine):
    whole = ask("deployment_frequency", MARCH, engine=engine).n
    days = (date(2026, 3, 1), date(2026, 3, 18), date(2026, 4, 1))
    halves = [
        ask("deployment_frequency", MARCH, window=Window(start, end), engine=engine).n
        for start, end in pairwise(days)
    ]
    assert sum(halves) == whole == 4


def test_sub_periods_of_several_grains_come_in_one_frame(engine):
    result = ask("deployment_frequency", MARCH, by=("month", "quarter"), engine=engine)
    assert column(result, "period_end") == [date(2026, 4, 1), date(2026, 4, 1)]
    assert column(result, "value") == [4.0, 4.0]


def test_aliases_and_near_misses_find_a_metric():
    assert metrics.find("change_lead_time").name == "lead_time"
    assert metrics.find("Change-Fail-Rate").name == "change_failure_rate"
    with pytest.raises(UnknownMetric, match="Did you mean lead_time"):
        metrics.find("leadtime")


def test_the_metrics_are_those_of_the_definitions_in_their_order():
    assert metrics.names() == (
        "deployment_frequency",
        "lead_time",
        "change_failure_rate",
        "time_to_restore",
        "rework_rate",
    )


def test_the_sql_that_is_shown_runs(engine):
    for name in metrics.names():
        result = ask(name, MARCH, by="week", engine=engine)
        result.question.rank(result.metric.sql(result.question, "sizes"), "delivered_changes")
        assert "cell" in result.question.query(result.sql).columns
