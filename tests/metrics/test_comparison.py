"""Verdicts: a difference that is plain, one that is not, and too few records to say."""

from __future__ import annotations

from datetime import date

import pytest

from dora import metrics
from dora.errors import UsageError
from dora.metrics.comparison import together
from dora.metrics.coverage import Coverage, Grade
from dora.metrics.scopes import find
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1), name="2026-02")


def month(number, failing, of, hours=5.0):
    name = f"2026-{number:02d}"
    days = [f"{name}-{1 + i % 27:02d} {i // 27:02d}:00" for i in range(of)]
    deployments = [deployment(f"{name}.{i}", day, failed=i < failing) for i, day in enumerate(days)]
    changes = [change(f"{name}.{i}", day, hours * (1 + i / 100)) for i, day in enumerate(days)]
    return deployments, changes


def compared(name, before, now):
    (old, old_changes), (new, new_changes) = before, now
    first = deployment("first", "2026-01-15 10:00")
    rows = deployed(first, *old, *new, delivered_changes=[*old_changes, *new_changes])
    return metrics.find(name).ask(question(rows)).compare(FEBRUARY)


def test_a_plainly_lower_failure_rate_is_better():
    comparison = compared("change_failure_rate", month(2, 30, 60), month(3, 6, 60))
    assert comparison.verdict == "better"
    assert comparison.change.value == pytest.approx(-0.4)
    assert "Change fail rate got better" in comparison.sentence
    # Newcombe's interval by statsmodels, confint_proportions_2indep(6, 60, 30, 60, "newcomb")
    assert (
        "40 points lower (plausibly between 24 points and 53 points lower)" in comparison.sentence
    )
    assert comparison.difference == "−40 points (−53 points to −24 points)"


def test_a_plainly_higher_frequency_is_better_and_longer_lead_time_worse():
    assert compared("deployment_frequency", month(2, 0, 20), month(3, 0, 90)).verdict == "better"
    assert compared("deployment_frequency", month(2, 0, 90), month(3, 0, 20)).verdict == "worse"
    assert compared("lead_time", month(2, 0, 20), month(3, 0, 20, hours=9)).verdict == "worse"


def test_a_difference_within_chance_is_no_evidence():
    for name in ("change_failure_rate", "lead_time", "deployment_frequency"):
        assert compared(name, month(2, 10, 50), month(3, 12, 54)).verdict == "no evidence"


def test_few_records_are_too_little_data():
    for name in ("change_failure_rate", "lead_time", "deployment_frequency"):
        comparison = compared(name, month(2, 1, 2), month(3, 0, 3))
        assert comparison.verdict == "too little data"
        assert comparison.sentence.startswith("Too little data to say whether the ")


def test_few_durations_are_said_themselves():
    comparison = compared("lead_time", month(2, 0, 2), month(3, 0, 3))
    assert comparison.sentence == (
        "Too little data to say whether the change lead time changed: "
        "3 changes (5 h, 5 h and 5.1 h) in 2026-03 after 2 changes (5 h and 5 h) in 2026-02."
    )


def test_where_there_is_no_value_it_says_of_which_window():
    comparison = compared("lead_time", ([], []), month(3, 0, 9))
    assert comparison.verdict == "too little data"
    assert comparison.chance is None
    assert comparison.sentence == (
        "Too little data to say whether the change lead time changed: "
        "it is unknown in 2026-02 (no change was delivered)."
    )


def test_no_evidence_says_what_would_have_shown():
    comparison = compared("change_failure_rate", month(2, 10, 50), month(3, 12, 54))
    # by statsmodels' Wilson limits over every pair of counts, their binomial chances, and brentq
    assert comparison.change.fall == pytest.approx(-0.1700, abs=1e-4)
    assert comparison.change.rise == pytest.approx(0.2516, abs=1e-4)
    assert comparison.sentence.endswith(
        "a change would have shown reliably from 17 points lower or 25 points higher on."
    )


def test_a_doubtful_record_withholds_the_verdict_and_says_why(monkeypatch):
    doubtful = Grade("D", ("3 of 9 deployments have a commit that is known (33 %)",))
    monkeypatch.setattr(Coverage, "grade", lambda *_: doubtful)
    comparison = compared("change_failure_rate", month(2, 30, 60), month(3, 6, 60))
    assert comparison.verdict == "withheld"
    assert "3 of 9 deployments have a commit that is known" in comparison.sentence
    assert "better" not in comparison.sentence


def test_among_several_numbers_one_has_to_move_further():
    # 16 of 60 after 28 of 60: Newcombe's interval ends at zero for a chance of 0.024
    alone = compared("change_failure_rate", month(2, 28, 60), month(3, 16, 60))
    assert alone.verdict == "better"
    assert 0.02 < alone.chance < 0.03
    first, *_ = together([alone, alone, alone])
    assert first.chance == pytest.approx(3 * alone.chance)
    assert (first.verdict, first.among) == ("no evidence", 3)
    assert "among 3 numbers" in first.sentence
    plain = compared("change_failure_rate", month(2, 30, 60), month(3, 6, 60))
    assert together([alone, plain])[1].verdict == "better"


def riding(number, hours, each):
    """A month whose changes ride together, so many in each deployment, alike in all of them."""
    deployments, _ = month(number, 0, len(hours))
    many = [
        change(
            f"{number}.{i}.{k}",
            row["finished_at"].strftime("%Y-%m-%d %H:%M"),
            h,
            step=100 * number + i,
        )
        for i, (row, h) in enumerate(zip(deployments, hours, strict=True))
        for k in range(each)
    ]
    return deployments, many


def test_changes_that_ride_together_are_worth_fewer():
    slow = [20 + 3 * i for i in range(8)]
    quick = [14 + 3 * i for i in range(8)]
    alone = compared("lead_time", riding(2, slow * 3, 1), riding(3, quick * 3, 1))
    together = compared("lead_time", riding(2, slow, 3), riding(3, quick, 3))
    assert together.change.value == alone.change.value
    assert together.now.effective_n < 12
    assert alone.now.effective_n == together.now.n == 24
    assert together.change.high - together.change.low > alone.change.high - alone.change.low


def test_many_changes_of_few_deployments_are_too_little_data():
    found = compared("lead_time", riding(2, [20, 30], 20), riding(3, [5, 6], 20))
    assert found.verdict == "too little data"
    assert found.sentence == (
        "Too little data to say whether the change lead time changed: 40 changes that came in few "
        "deployments in 2026-03 after 40 changes that came in few deployments in 2026-02."
    )


def test_unequal_months_are_compared_by_the_day():
    comparison = compared("deployment_frequency", month(2, 0, 56), month(3, 0, 62))
    assert comparison.change.value == pytest.approx(1.0)  # two a day in both


def test_the_last_part_of_a_name_is_enough_where_only_one_has_it():
    known = ("acme/checkout", "acme/search", "other/search")
    assert find("checkout", known, "service") == "acme/checkout"
    with pytest.raises(UsageError, match="acme/search or other/search"):
        find("search", known, "service")
    with pytest.raises(UsageError, match="Did you mean acme/checkout"):
        find("chekout", known, "service")
    with pytest.raises(UsageError, match="knows of no service yet"):
        find("checkout", (), "service")


def test_ranking_in_python_gives_what_the_portable_sql_gives():
    import random

    from dora.engines.duckdb import DuckDB
    from dora.engines.sqlite import SQLite

    dice = random.Random(11)
    services = ("shop", "tools", "web")
    deployments, changes = [], []
    for i in range(400):
        day = (
            f"2026-{dice.randint(1, 3):02d}-{dice.randint(1, 28):02d} {dice.randint(0, 23):02d}:00"
        )
        service = dice.choice(services)
        deployments.append(deployment(f"d{i}", day, service))
        hours = round(dice.lognormvariate(3, 1.5), 6)
        changes.append(
            change(f"c{i}", day, hours, service, repository=dice.choice(("org/a", "org/b")))
        )
        if dice.random() < 0.2:  # the same change again, elsewhere or in the same service's name
            changes.append(change(f"c{i}", day, hours, "web", repository=changes[-1]["repository"]))
    unique = {(c["repository"], c["service"], c["change"]): c for c in changes}
    rows = deployed(*deployments, delivered_changes=list(unique.values()))
    window = Window(date(2026, 1, 5), date(2026, 3, 20))
    for name in ("lead_time", "deployment_frequency"):
        frames = [
            metrics.find(name)
            .ask(
                question(
                    rows, window=window, by=("week", "month"), each=("service",), engine=engine,
                    as_of=at("2026-03-31 00:00"),
                )
            )
            .frame
            for engine in (DuckDB.empty(), SQLite())
        ]  # fmt: skip
        assert frames[0].equals(frames[1])
