"""Roll-ups of results: the parts of a change and the warnings, worked out by hand from records."""

from __future__ import annotations

import re
from datetime import date

import pytest

from dora import metrics, plots
from dora.errors import UsageError
from dora.metrics.rollup import groups_of
from dora.rules import Rules
from dora.windows import Window
from dora.words import compared
from dora.words import rollup as words
from tests.metrics.harness import change, deployed, deployment, question

MARCH = Window(date(2026, 3, 1), date(2026, 4, 1), name="2026-03")
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1), name="2026-02")
ALWAYS = {"from_day": date(1, 1, 1), "until_day": date(9999, 12, 31)}


def some(service, month, deployments, failures):
    return [
        deployment(
            f"{service}-{month}-{i}", f"2026-{month:02}-{i % 27 + 1:02} {i % 23:02}:30", service,
            failed=i < failures,
        )
        for i in range(deployments)
    ]  # fmt: skip


# Both better, the whole worse: calm 2 of 100 -> 1 of 60, wild 30 of 100 -> 109 of 400. The whole
# 16 -> 23.9 %; by hand in tests/stats/test_rollup.py: themselves -1.99 points, mix +9.90 points,
# and 14.5 % in the mix of February.
TEAMS = deployed(
    *some("calm", 2, 100, 2), *some("wild", 2, 100, 30),
    *some("calm", 3, 60, 1), *some("wild", 3, 400, 109),
)  # fmt: skip


def ask(name, rows, **given):
    return metrics.find(name).ask(question(rows, window=MARCH, **given))


def test_both_services_improve_and_the_whole_worsens(engine):
    rolled = ask("change_failure_rate", TEAMS, engine=engine).rollup(against=FEBRUARY)
    assert rolled.split.change == pytest.approx(110 / 460 - 0.16)
    assert rolled.split.rate == pytest.approx(-0.019882, abs=1e-6)
    assert rolled.standardised.value == pytest.approx(0.144583, abs=1e-6)
    assert rolled.reverses
    assert re.sub(r" \((plausibly )?[^()]*\)", "", rolled.sentence) == (
        "Change fail rate, 24 % in 2026-03 after 16 % in 2026-02: +7.9 points, of which −2 points "
        "from the services themselves and +9.9 points from other shares of them. In the mix of "
        "2026-02 it would be 14 %. Mind the mix: the services themselves went the other way, if by "
        "no more than chance may do; the whole only follows which of them there is more of."
    )
    low, high = rolled.split.low, rolled.split.high
    assert low < rolled.split.rate < 0 < high
    assert f"(plausibly {compared.signed(low, 'share')} to {compared.signed(high, 'share')})" in (
        rolled.sentence
    )
    frame = rolled.frame.set_index("service")
    assert frame.loc["wild", ["n", "n_before"]].tolist() == [400, 100]
    assert frame["share"].tolist() == pytest.approx([60 / 460, 400 / 460])
    assert frame["rate"].sum() == pytest.approx(-0.019882, abs=1e-6)
    assert frame["mix"].sum() == pytest.approx(rolled.split.mix)
    assert (frame["shrunk"] - frame["value"]).abs().max() < 0.02  # large groups keep their own


def test_a_roll_up_is_read_in_words():
    html = ask("change_failure_rate", TEAMS).rollup(against=FEBRUARY)._repr_html_()
    assert "Mind the mix" in html
    # wild: 109 of 400 after 30 of 100, of all 87 % after 50 %; -1.9 of the -2.0 points
    assert "<td>400</td><td>87 %</td><td>30 %</td><td>100</td><td>50 %</td><td>−1.9 points" in html
    lengths = ask("lead_time", MIXED).rollup(against=FEBRUARY)._repr_html_()
    assert "<td>quick</td><td>3.5 h (1–6)</td><td>6</td><td>25 %</td><td>3.5 h</td>" in lengths
    assert "from itself" not in lengths  # the parts of a median do not add up over services
    assert "<td>" not in ask("lead_time", {}).rollup(against=FEBRUARY)._repr_html_()


def test_an_own_direction_beyond_chance_is_said_to_be():
    rows = deployed(
        *some("calm", 2, 100, 10), *some("wild", 2, 50, 40),
        *some("calm", 3, 60, 0), *some("wild", 3, 300, 180),
    )  # fmt: skip
    rolled = ask("change_failure_rate", rows).rollup(against=FEBRUARY)
    assert (rolled.reverses, rolled.split.certain) == (True, True)
    assert "went the other way, by more than chance;" in rolled.warning


def test_a_change_of_the_services_themselves_carries_no_warning():
    rows = deployed(*some("calm", 2, 100, 2), *some("wild", 2, 100, 30),
                    *some("calm", 3, 100, 1), *some("wild", 3, 100, 10))  # fmt: skip
    rolled = ask("change_failure_rate", rows).rollup(against=FEBRUARY)
    assert rolled.split.mix == pytest.approx(0)
    assert rolled.split.rate == pytest.approx(rolled.split.change) == pytest.approx(-0.105)
    assert (rolled.misleads, rolled.warning) == (False, "")


# Lead times: quick takes 1 … 6 hours, slow 100 … 105, neither changes; 18 of 24 were quick in
# February, 6 of 24 in March.
def lengths(month, quick, slow):
    made = {"quick": [1, 2, 3, 4, 5, 6] * quick, "slow": [100, 101, 102, 103, 104, 105] * slow}
    return [
        change(f"{service}-{month}-{i}", f"2026-{month:02}-10 10:00", hours, service,
               repository=f"org/{service}")
        for service, all_hours in made.items()
        for i, hours in enumerate(all_hours)
    ]  # fmt: skip


MIXED = {
    "production_deployments": [deployment(s, "2026-01-05 10:00", s) for s in ("quick", "slow")],
    "delivered_changes": [*lengths(2, 3, 1), *lengths(3, 1, 3)],
}


def test_a_median_that_only_the_mix_moved_says_so(engine):
    rolled = ask("lead_time", MIXED, engine=engine).rollup(against=FEBRUARY)
    # medians: February 12th and 13th of 24, 4 and 5 hours; March 102.5 … of the slow 18
    assert rolled.before.whole.value == pytest.approx(4.5 * 3600, rel=0.12)
    assert rolled.split.change > 90 * 3600
    assert rolled.split.rate == pytest.approx(0, abs=1)
    assert rolled.standardised.value == pytest.approx(rolled.before.whole.value, rel=1e-6)
    assert rolled.warning == "Most of it is the mix of services, not the services themselves."
    assert rolled.frame["rate"].isna().all()
    assert "shrunk" not in rolled.frame


def test_each_record_counts_once_where_services_share_a_repository(engine):
    twice = [
        change("c", "2026-03-05 10:00", 5, "quick", repository="org/both"),
        change("c", "2026-03-06 10:00", 29, "slow", repository="org/both"),
    ]
    rows = MIXED | {"delivered_changes": [*MIXED["delivered_changes"], *twice]}
    result = ask("lead_time", rows, engine=engine)
    seconds, group = result.rollup(against=FEBRUARY).now.lengths([True, True])
    assert len(seconds) == result.n == 25
    assert group.tolist().count(0) == 7  # six of its own and the shared one, first delivered there


def test_a_frequency_has_no_mix_but_new_services(engine):
    # old 28 in February and 31 in March, 7 a week; new 62 in March, 14 a week
    rows = deployed(*some("old", 2, 28, 0), *some("old", 3, 31, 0), *some("new", 3, 62, 0))
    rolled = ask("deployment_frequency", rows, engine=engine).rollup(against=FEBRUARY)
    assert rolled.split.change == pytest.approx(14)
    assert (rolled.split.rate, rolled.split.mix) == pytest.approx((0, 14))
    assert rolled.standardised.value == pytest.approx(7)
    assert rolled.sentence == (
        "Deployment frequency, 21 per week in 2026-03 after 7 per week in 2026-02: +14 per week, "
        "of which ±0 per week from services that were there before and +14 per week from new ones. "
        "Without the new ones it would be 7 per week. Most of it is the mix of services, not the "
        "services themselves."
    )


OWNERS = [("red", "calm"), ("blue", "wild")]


def owned(*owners, parents=()):
    return {
        "team_services": [{"team": team, "service": service, **ALWAYS} for team, service in owners],
        "teams": [{"team": team, "parent": parent} for team, parent in parents],
    }


def test_teams_are_rolled_up_and_what_no_team_owns_is_not_lost():
    rows = TEAMS | owned(("red", "calm"), ("blue", "idle"))
    rolled = ask("change_failure_rate", rows).rollup("team", against=FEBRUARY)
    assert rolled.frame["team"].tolist() == ["blue", "red"]
    assert rolled.split.change == pytest.approx(110 / 460 - 0.16)
    assert rolled.split.rate == pytest.approx(-0.019882, abs=1e-6)  # wild is the rest


def test_a_tree_of_teams_is_split_where_it_first_branches():
    rows = TEAMS | owned(
        *OWNERS, ("side", "x"), parents=[("red", "shop"), ("blue", "shop"), ("shop", "all-of-us")]
    )
    asked = question(rows, window=MARCH)
    directory = asked.directory

    def names(**scope):
        found = groups_of(directory, directory.scope(**scope), "team")
        return [group.team for group in found]

    assert names() == ["all-of-us", "side"]
    assert names(teams=["all-of-us"]) == ["shop"]
    assert names(teams=["shop"]) == ["blue", "red"]
    assert names(teams=["red"]) == ["red"]
    assert names(teams=["red", "shop"]) == ["blue", "red"]


def test_what_cannot_be_taken_apart_says_why():
    one = ask("change_failure_rate", TEAMS, services=["calm"]).rollup(against=FEBRUARY)
    assert one.sentence == "Change fail rate is not taken apart: there is only one group."
    twice = TEAMS | owned(*OWNERS, ("green", "wild"))
    overlapping = ask("change_failure_rate", twice).rollup("team", against=FEBRUARY)
    assert (overlapping.split, overlapping.reason) == (None, words.OVERLAP)
    never = ask("change_failure_rate", TEAMS).rollup(against="2025-12")
    assert "2025-12: before the first known deployment" in never.sentence
    assert never.frame["value_before"].isna().all()
    nothing = ask("lead_time", {}).rollup(against=FEBRUARY)
    assert nothing.split is None
    with pytest.raises(UsageError, match="split by"):
        ask("lead_time", TEAMS).rollup("person")
    with pytest.raises(UsageError, match="overlap"):
        ask("lead_time", TEAMS).rollup(against=MARCH)


def test_a_team_that_took_over_in_between_is_no_overlap():
    handed = [
        {"team": "red", "service": "calm", **ALWAYS},
        {"team": "red", "service": "wild", **ALWAYS | {"until_day": date(2026, 3, 1)}},
        {"team": "blue", "service": "wild", **ALWAYS | {"from_day": date(2026, 3, 1)}},
    ]
    rolled = ask("change_failure_rate", TEAMS | {"team_services": handed}).rollup(
        "team", against=FEBRUARY
    )
    assert rolled.reason is None
    # red had all 200 before and has the 60 calm ones now, at 32 of 200 and 1 of 60; blue is new
    frame = rolled.frame.set_index("team")
    assert frame.loc["red", "rate"] == pytest.approx((1 + 60 / 460) / 2 * (1 / 60 - 0.16))
    assert frame.loc["blue", "rate"] == 0


# Funnel
def crowd():
    steady = [d for i in range(20) for d in some(f"s{i:02}", 3, 50, 5)]
    return deployed(*steady, *some("odd", 3, 100, 40))


def test_the_funnel_names_only_what_lies_outside_and_ranks_nobody():
    result = ask("change_failure_rate", crowd())
    ax = result.plot("funnel")
    [dots] = [c for c in ax.collections if c.get_gid() == "group"]
    assert len(dots.get_offsets()) == 21
    named = [text.get_text() for text in ax.texts]
    assert named == ["odd"]  # 40 of 100 where all together have 140 of 1,100
    limits = [line for line in ax.lines if str(line.get_gid()).startswith("limit")]
    assert len(limits) == 4
    assert plots.alt_text(result, "funnel").endswith(
        "Of 21 services 1 lies outside of the 95 % limits, where chance alone puts about 1.05."
    )


def test_the_funnel_of_nothing_says_so_and_there_is_none_of_a_median():
    empty = ask("change_failure_rate", {})
    assert "no successful production deployment" in plots.alt_text(empty, "funnel")
    assert any("No successful" in text.get_text() for text in empty.plot("funnel").texts)
    with pytest.raises(UsageError, match="no funnel of lead_time"):
        ask("lead_time", MIXED).rollup(against=FEBRUARY).plot()


def test_a_team_of_few_people_is_among_the_others():
    few = {**TEAMS, **owned(*OWNERS, ("tiny", "small"))}
    extra = [*some("small", 2, 40, 20), *some("small", 3, 40, 20)]
    few["production_deployments"] = few["judged_deployments"] = [
        *TEAMS["production_deployments"], *extra,
    ]  # fmt: skip
    few["covered_services"] = [{"service": s} for s in ("calm", "wild", "small")]
    authors = {"calm": 6, "wild": 7, "small": 1}
    few["delivered_changes"] = [
        change(f"{s}-{month}-{a}", f"2026-{month:02}-10 10:00", 5, s, repository=f"org/{s}",
               authors=(f"{s} {a}",))
        for s, people in authors.items()
        for month in (2, 3)
        for a in range(people)
    ]  # fmt: skip
    asked = question(few, window=MARCH, least_authors=5)
    rolled = metrics.find("change_failure_rate").ask(asked).rollup("team", against=FEBRUARY)
    hidden = rolled.frame[rolled.frame["value"].isna()]["team"].tolist()
    assert "tiny" in hidden
    assert len(hidden) >= 2  # another one goes too, or the rest would give it away
    assert (
        rolled.frame[rolled.frame["team"].isin(hidden)]
        .drop(columns=["team", "unit"])
        .isna()
        .all()
        .all()
    )
    assert rolled.split.change == pytest.approx(130 / 500 - 52 / 240)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.021, "share", "+2.1 points"), (-0.1, "share", "−10 points"), (0.0, "share", "±0 points"),
        (-0.0001, "share", "±0 points"), (0.01, "share", "+1 point"),
        (-7200, "seconds", "−2 h"), (0.4, "per week", "+0.4 per week"),
    ],
)  # fmt: skip
def test_parts_have_their_sign(value, unit, said):
    assert compared.signed(value, unit) == said


def test_medians_reverse_without_a_claim_of_certainty():
    assert words.reversed_sign("team", certain=None) == (
        "Mind the mix: the teams themselves went the other way; the whole only follows which of "
        "them there is more of."
    )


def test_a_mix_that_is_gone_in_part_is_said():
    assert words.standardised("14 % (9–20)", "2026-02", 0.25) == (
        "In the mix of 2026-02, without the 25 % of it that there are none of now, it would be "
        "14 % (9–20)."
    )
    assert words.standardised("14 %", "2026-02", 0.0) == "In the mix of 2026-02 it would be 14 %."


def test_no_group_outside_is_said():
    assert words.outside("team", 40, 0, 0.95) == (
        "Of 40 teams none lie outside of the 95 % limits, where chance alone puts about 2."
    )


def test_a_roll_up_of_incidents_is_given_but_no_limits_of_a_share():
    counted = {"failures_counted": "incidents"}
    result = ask("change_failure_rate", TEAMS, rules=Rules(**counted))
    rolled = result.rollup(against=FEBRUARY)
    assert "limit_low" not in rolled.frame
    assert "incidents are counted" in plots.alt_text(result, "funnel")
