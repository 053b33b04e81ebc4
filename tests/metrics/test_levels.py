"""Levels and scores of results: what takes part, what is said, worked out by hand from records."""

from __future__ import annotations

from datetime import date

import pytest

from dora import metrics, plots
from dora.errors import UsageError
from dora.metrics.levels import Level, QuickCheck, Standing
from dora.metrics.overview import Overview
from dora.windows import Window
from dora.words import levels as words
from tests.metrics.harness import change, deployed, deployment, question
from tests.plots.test_kinds import failure

HOUR = 3600.0
SPRING = Window(date(2026, 3, 1), date(2026, 3, 29), name="")
"""Four weeks."""


def results(rows, **given):
    asked = question(rows, window=given.pop("window", SPRING), **given)
    return [metrics.find(name).ask(asked) for name in metrics.names()]


# Four weeks: 16 deployments, 4 a week, of which 4 failed, 25 %; 16 changes of 40 hours each; six
# recoveries within 2 hours.
def month(**given):
    deployments = [
        deployment(f"d{i}", f"2026-03-{i + 3:02} 10:00", failed=i % 4 == 0, **given)
        for i in range(16)
    ]
    changes = [change(f"c{i}", f"2026-03-{i + 3:02} 10:00", 40) for i in range(16)]
    back = [failure(f"d{i}", f"2026-03-{i + 3:02} 10:00", f"2026-03-{i + 3:02} 12:00")
            for i in range(6)]  # fmt: skip
    return deployed(*deployments, delivered_changes=changes, recovered_deployments=back)


def test_four_a_week_two_days_a_quarter_and_two_hours_are_high_in_2024():
    level = Level.of(results(month()), 2024)
    assert level.name == "high"
    row = level.frame.set_index("metric").loc
    assert row["deployment_frequency", "value"] == pytest.approx(4)
    assert row["lead_time", "answer"] == "a day to a week"
    assert row["change_failure_rate", "answer"] == "nearest to 20 %"
    assert row["time_to_restore", "answer"] == "an hour to a day"
    # odds 1/3 against 1/4, 1/19: 0.415 and 2.663 doublings; answers 4, 4 and 5 are high's own
    assert level.nearest.distances["high"] == pytest.approx(0.415 / 4, abs=1e-3)
    assert level.nearest.distances["elite"] == pytest.approx((2 + 1 + 2.663 + 1) / 4, abs=1e-3)
    assert "2024" in level.source


def test_the_score_is_the_mean_of_the_answers():
    # answers 4, 4 and 5 are 6, 6 and 8 points, a quarter failing is 7.5
    check = QuickCheck.of(results(month()))
    assert check.score == pytest.approx(6.875)
    assert check.scores == pytest.approx(
        {
            "deployment_frequency": 6,
            "lead_time": 6,
            "change_failure_rate": 7.5,
            "time_to_restore": 8,
        }
    )
    assert check.sentence == "Quick Check score 6.9 of 10, from all four answers."
    assert check.frame["score"].tolist() == pytest.approx([6, 6, 7.5, 8])


def test_a_frequency_over_two_services_is_held_as_that_of_one():
    rows = month()
    more = tuple(replace_service(row, "blog") for row in rows["production_deployments"])
    both = deployed(*rows["production_deployments"], *more)
    pooled = results(both)[0]
    assert pooled.value == pytest.approx(8)
    standing = Standing.of(pooled)
    assert (standing.value, standing.unit) == (pytest.approx(4), "per week and service")
    assert standing.answer(standing.value, 2024) == "once a day to once a week"


def test_only_services_that_were_in_the_scope_and_deployed_by_then_share_a_frequency():
    rows = month()
    late = deployment("late", "2026-03-30 10:00", "late")  # after the window
    old = [deployment(f"old{i}", f"2026-02-{i + 1:02} 10:00", "old") for i in range(3)]
    both = deployed(*rows["production_deployments"], late, *old)
    assert Standing.of(results(both)[0]).value == pytest.approx(4 / 2)  # shop and old
    ever, left = date(1, 1, 1), date(2026, 2, 15)
    owned = [
        {"team": "red", "service": "shop", "from_day": ever, "until_day": date(9999, 12, 31)},
        {"team": "red", "service": "old", "from_day": ever, "until_day": left},
    ]
    mine = results(both | {"team_services": owned}, teams=["red"])[0]
    assert Standing.of(mine).value == pytest.approx(4)  # old had left the team by then


def replace_service(row, service):
    return {**row, "service": service, "deployment": f"{service}-{row['deployment']}"}


def test_a_lower_bound_and_no_value_take_part_in_nothing():
    bare = results(month(covered=False))
    rate = next(r for r in bare if r.name == "change_failure_rate")
    assert rate.value is None
    assert rate.low == pytest.approx(0.25)
    level = Level.of(bare, 2024)
    assert (level.name, level.nearest.levels) == (None, ())
    assert level.sentence.startswith("No level of 2024: it takes three numbers of four, and 2 are")
    assert "change fail rate: no incident source covers" in level.sentence
    check = QuickCheck.of(bare)
    assert sorted(check.scores) == ["deployment_frequency", "lead_time"]
    assert check.score == pytest.approx(6)
    assert check.sentence == (
        "Quick Check score 6.0 of 10, from 2 answers: deployment frequency and change lead time."
    )


def test_a_number_with_a_grade_of_d_takes_part_in_nothing():
    doubtful = {"service": "shop", "day": date(2026, 3, 5), "deployments": 16,
                "of_known_commit": 8, "covered": 16, "told_once": 16, "in_order": 16}  # fmt: skip
    found = results(month() | {"coverage_deployments": [doubtful]})
    lead = next(r for r in found if r.name == "lead_time")
    assert lead.question.coverage.grade("lead_time").letter == "D"
    level = Level.of(found, 2024)
    assert level.name == "high"  # by the three others
    assert "told without change lead time (too much of its record is missing (grade D))" in (
        level.sentence
    )
    assert "lead_time" not in level.nearest.parts["high"]
    overview = Overview.of(found).frame.set_index("metric")
    assert overview.loc["lead_time", "answer"] is None
    assert overview.loc["deployment_frequency", "answer"] == "once a day to once a week"


def test_an_interval_over_two_answers_is_said():
    level = Level.of(results(month()), 2024)
    # 4 of 16: 10 to 49 %, nearest to 10 and to 40 %
    said = "Change fail rate may be anything from “nearest to 10 %” to “nearest to 40 %”."
    assert said in level.sentence
    assert "Change lead time may be" not in level.sentence


def test_nothing_at_all_has_no_level_and_no_score():
    nothing = results({})
    assert Level.of(nothing, 2019).sentence.startswith(
        "No level of 2019: it takes three numbers of four, and none is known"
    )
    check = QuickCheck.of(nothing)
    assert (check.score, check.sentence) == (
        None, "No Quick Check score: none of its four numbers is known.",
    )  # fmt: skip
    assert check.frame["score"].isna().all()


def test_a_year_without_levels_is_refused_with_those_that_have_some():
    with pytest.raises(UsageError, match="2020 has no levels") as caught:
        Level.of(results(month()), 2020)
    assert "2019, 2021, 2022, 2023, 2024" in str(caught.value.hint)


def test_an_overview_knows_its_level_and_its_score():
    overview = Overview.of(results(month()))
    assert overview.level(year=2024).name == "high"
    assert overview.level(2021).name == "high"
    assert overview.quick_check().score == pytest.approx(6.875)
    html = overview._repr_html_()
    assert "Nearest to high of 2024" in html
    assert "Quick Check score 6.9 of 10" in html


def test_the_strip_has_a_mark_a_number_on_its_answer_and_words_where_there_is_none():
    ax = Level.of(results(month(covered=False)), 2024).plot()
    marks = [dots for dots in ax.collections if dots.get_gid() == "value"]
    places = sorted(float(dots.get_offsets()[0][0]) for dots in marks)
    assert len(places) == 2
    assert all(3.5 < place < 4.5 for place in places)  # once a day to a week; a day to a week
    assert any("no incident source" in text.get_text() for text in ax.texts)
    assert plots.alt_text(results(month())[1], "benchmark").startswith("DORA's levels of 2024")


def test_places_on_the_strip_are_by_logarithm():
    from dora.plots import benchmark

    found = {r.name: Standing.of(r) for r in results(month())}
    lead, often = found["lead_time"], found["deployment_frequency"]
    assert benchmark.place_of(lead, HOUR) == pytest.approx(5.5)
    assert benchmark.place_of(lead, 24 * HOUR) == pytest.approx(4.5)
    assert benchmark.place_of(lead, 24**0.5 * HOUR) == pytest.approx(5.0)
    assert benchmark.place_of(lead, 0.0) == 6.5
    assert benchmark.place_of(lead, 1e12) == 0.5
    assert benchmark.place_of(often, 7) == pytest.approx(4.5)
    assert benchmark.place_of(often, 0) == 0.5
    assert benchmark.rate_place(2 / 3) == pytest.approx(0.5)
    assert benchmark.rate_place(1 / 65) == pytest.approx(6.5)
    assert benchmark.rate_place(0.0) == 6.5


LACKING = [("Change fail rate", "nothing was deployed")]


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (words.level(2024, ["high"], [], []), "Nearest to high of 2024."),
        (
            words.level(2019, ["elite", "high"], [], ["And so on."]),
            "Equally near to elite and high of 2019. And so on.",
        ),
        (
            words.level(2024, ["low"], LACKING, []),
            "Nearest to low of 2024, told without change fail rate (nothing was deployed).",
        ),
        (
            words.spanning("Change lead time", "an hour to a day", "a day to a week"),
            "Change lead time may be anything from “an hour to a day” to “a day to a week”.",
        ),
        (
            words.no_level(2024, 1, LACKING),
            (
                "No level of 2024: it takes three numbers of four, and one is known "
                "(change fail rate: nothing was deployed)."
            ),
        ),
        (words.either(["elite", "high"]), "elite or high"),
        (words.either([]), ""),
        (words.rates(0.16, 0.30, within=False), "nearest to 16–30 %"),
        (words.rates(0.05, 0.05, within=False), "nearest to 5 %"),
        (words.rates(0.05, 0.05, within=True), "5 %"),
        (words.rates(0.0, 0.15, within=True), "0–15 %"),
        (words.ungraded("E"), "too much of its record is missing (grade E)"),
    ],
)
def test_every_branch_is_a_sentence(said, whole):
    assert said == whole


def test_every_answer_has_its_words():
    assert set(words.FREQUENCIES) == set(words.LENGTHS) == set(range(1, 7))
