"""Staging against facts whose figures are worked out by hand, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from dora.words import staging as words
from dora.words.release import NONE_JUDGED, NOTHING_STARTED
from tests.models.harness import Given, at, sha
from tests.release.facts import ask

DAY = 24


@pytest.fixture(params=["duckdb", "sqlite"])
def given(request: pytest.FixtureRequest) -> Given:
    return Given(request.param)


def stage(given: Given, name: str, commit: str | None, hour: float, **more: Any) -> None:
    given.deploy(name, commit, hour, **{"environment": "staging"} | more)


def test_shares_rates_and_escapes_are_those_of_the_deployments(given):
    """Ten went out: s0 to s3 skipped staging, p0 to p5 were there for 12 hours each.

    Failed are s0, s1 and p0, so 2 of 4 against 1 of 6; all are of one service and deliver one
    commit each, so that there is one stratum: Mantel and Haenszel's difference is the crude one.
    """
    names = [f"c{n}" for n in range(12)]
    given.line(" ".join(names))
    stage(given, "before", "c0", 1)
    given.deploy("base", "c0", 2 - 30 * DAY)  # in January: no more than the beginning
    for n in range(6):
        stage(given, f"on staging {n}", f"c{n + 1}", (n + 1) * DAY)
        failed = {"labels": "failed"} if n == 0 else {}
        given.deploy(f"p{n}", f"c{n + 1}", (n + 1) * DAY + 12, **failed)
    for n in range(4):
        failed = {"labels": "failed"} if n < 2 else {}
        given.deploy(f"s{n}", f"c{n + 7}", (n + 8) * DAY, **failed)
    answer = ask("staging", given)
    assert answer["skipped_share"].value == 4 / 10
    assert answer["soak_median"].value == pytest.approx(0.5)
    assert answer["failure_rate_skipped"].value == 2 / 4
    assert answer["failure_rate_staged"].value == 1 / 6
    assert answer["skip_difference"].value == pytest.approx(2 / 4 - 1 / 6)
    assert answer["failure_rate_soak_1h_to_1d"].value == 1 / 6
    assert answer["failure_rate_soak_over_7d"].n == 0
    assert (answer["escapes"].value, answer["escape_share"].value) == (1, 1 / 3)
    assert "40 %" in answer.sentence


def test_no_escape_is_not_told_of_what_cannot_be_judged_yet(given):
    """Half a day after it, nobody knows whether the only deployment has failed."""
    given.line("a b")
    stage(given, "s", "a", 1)
    given.deploy("base", "a", 2 - 30 * DAY)
    stage(given, "s-b", "b", DAY)
    given.deploy("p", "b", DAY + 12)
    answer = ask("staging", given, as_of=2 * DAY)
    assert answer["skipped_share"].n == 1
    for name in ("escapes", "escape_share"):
        assert (answer[name].value, answer[name].n) == (None, 0)
        assert answer[name].reason == NONE_JUDGED
    assert ask("staging", given, as_of=5 * DAY)["escapes"].value == 0


def test_a_band_begins_with_its_first_instant(given):
    given.line("a b c d")
    for name, hour, soaked in (("a", 1, 1), ("b", 30, 24), ("c", 60, 7 * 24), ("d", 300, 0.5)):
        stage(given, f"s-{name}", name, hour)
        given.deploy(f"p-{name}", name, hour + soaked)
    answer = ask("staging", given)
    bands = ("under_1h", "1h_to_1d", "1d_to_7d", "over_7d")
    assert [answer[f"failure_rate_soak_{band}"].n for band in bands] == [1, 1, 1, 1]


def test_repairs_are_told_apart(given):
    given.line("a b c")
    given.commit("quick", "c", 10, subject="hotfix: c")
    stage(given, "s1", "a", 5)
    stage(given, "s2", "b", 6)
    given.deploy("p1", "a", 20)
    given.deploy("p2", "b", 21)
    given.deploy("p3", "quick", 30)
    answer = ask("staging", given)
    assert (answer["repairs_skipped_share"].value, answer["repairs_skipped_share"].n) == (1, 1)
    assert answer["failure_rate_skipped"].n == 0


def test_unknown_commits_are_counted_apart(given):
    given.line("a b")
    stage(given, "s", "a", 5)
    given.deploy("p", "a", 20)
    given.deploy("unknown", None, 30)
    answer = ask("staging", given)
    assert (answer["skipped_share"].value, answer["skipped_share"].n) == (0, 1)
    assert (answer["unknown"].value, answer["unknown"].n) == (1, 2)
    assert "Of 1 more deployment it is not known; `sha`" in answer.sentence


def test_deployments_by_version_alone_are_told_what_is_lacking(given):
    given.line("a")
    stage(given, "s", None, 5, version="v1")
    given.deploy("p", None, 20, version="v1")
    answer = ask("staging", given)
    assert (answer["skipped_share"].value, answer["unknown"].value) == (None, 1)
    assert "been on staging; `sha`, the commit of each" in answer.sentence


def test_where_nothing_went_out_that_is_the_reason(given):
    given.line("a")
    stage(given, "s", "a", -50)
    given.deploy("p", "a", -49)
    answer = ask("staging", given)
    assert answer["skipped_share"].reason == NOTHING_STARTED
    assert ask("evidence", given)["staging_share"].reason == NOTHING_STARTED


def drift(given: Given, **more: Any) -> tuple[float | None, ...]:
    answer = ask("staging", given, **more)
    names = ("ahead_now", "behind_now", "ahead_mean", "behind_mean")
    return tuple(answer[name].value for name in names)


def alone(given: Given, side: str) -> set[str]:
    told = ask("staging", given).evidence
    return {given.names[one] for one in told.loc[told["state"] == side, "sha"]}


def test_drift_is_what_one_has_and_the_other_has_not_weighted_by_time(given):
    """Both at b from 1 March on; staging at d from the 11th, production from the 21st."""
    given.line("a b c d")
    stage(given, "s1", "b", -DAY)
    given.deploy("p1", "b", -DAY)
    stage(given, "s2", "d", 10 * DAY)
    given.deploy("p2", "d", 20 * DAY)
    now, behind, mean, behind_mean = drift(given)
    assert (now, behind, behind_mean) == (0, 0, 0)
    assert mean == pytest.approx(2 * 10 / 31)


def test_until_both_are_known_drift_is_unknown_and_not_none(given):
    """Staging at a from the 1st; production at c from the 16th: 2 behind for all that is known."""
    given.line("a b c")
    stage(given, "s1", "a", 1)
    given.deploy("p1", "c", 15 * DAY)
    assert drift(given) == (0, 2, 0, pytest.approx(2))
    assert alone(given, "behind") == {"b", "c"}


def test_what_was_finished_this_instant_is_there_now(given):
    given.line("a b")
    stage(given, "s1", "a", 1)
    given.deploy("p1", "a", 1)
    assert ask("staging", given)["ahead_oldest"].reason == words.NOTHING_AHEAD
    stage(given, "s2", "b", 5 * DAY)
    assert drift(given, as_of=5 * DAY)[0] == 1


def test_a_rollback_leaves_staging_ahead_again(given):
    given.line("a b c")
    stage(given, "s1", "c", 10)
    given.deploy("p1", "a", 1)
    given.deploy("p2", "c", 20)
    given.deploy("back", "a", 30)
    assert alone(given, "ahead") == {"b", "c"}


def test_a_fix_past_staging_is_behind_until_its_copy_is_there(given):
    given.line("a b c")
    given.commit("fix", "a", 4)
    given.commit("copy", "c", 5)
    stage(given, "s1", "c", 10)
    given.deploy("p1", "fix", 10)
    assert alone(given, "behind") == {"fix"}
    given.says("copy", "cherry_picked_from", sha("fix"))
    stage(given, "s2", "copy", 20)
    assert alone(given, "behind") == set()
    assert alone(given, "ahead") == {"b", "c"}


def test_copies_that_stand_alone_by_rule_are_apart(given):
    given.line("a b")
    given.commit("copy", "a", 4)
    given.says("copy", "cherry_picked_from", sha("b"))
    stage(given, "s1", "b", 10)
    given.deploy("p1", "copy", 10)
    assert drift(given)[:2] == (0, 0)
    assert drift(given, follow_cherry_picks=False)[:2] == (1, 1)


def test_merges_are_no_change(given):
    given.line("a b")
    given.commit("side", "a", 3)
    given.commit("merge", "b side", 4)
    stage(given, "s1", "merge", 10)
    given.deploy("p1", "b", 10)
    assert alone(given, "ahead") == {"side"}


def test_what_is_on_any_staging_or_any_production_is_there(given):
    given.line("a b c d")
    stage(given, "s1", "a", 1)
    stage(given, "s2", "d", 2, environment="uat")
    given.deploy("p1", "b", 3)
    given.deploy("p2", "c", 4, environment="prod-eu")
    assert alone(given, "ahead") == {"d"}


def test_a_side_of_unknown_commit_is_unknown(given):
    """Known until the 11th, when something unknown goes out, and again from the 21st on."""
    given.line("a b c")
    stage(given, "s1", "b", -DAY)
    given.deploy("p1", "a", -DAY)
    given.deploy("unknown", None, 10 * DAY)
    assert drift(given) == (None, None, pytest.approx(1), 0)
    assert ask("staging", given)["ahead_oldest"].reason == words.NOT_COMPARABLE
    given.deploy("p2", "b", 20 * DAY)
    assert drift(given) == (0, 0, pytest.approx(10 / 21), 0)


def test_services_that_are_a_part_of_a_repository_count_their_own_commits(given):
    given.line("a b c")
    given.services = [("example.org/shop", "", "shop", True)]
    given.commit_services = [("a", "shop"), ("c", "shop")]
    stage(given, "s1", "c", 10)
    given.deploy("p1", "a", 10)
    assert alone(given, "ahead") == {"c"}


def test_the_oldest_that_waits_on_staging_is_told_by_its_age(given):
    given.line("a b c")  # b is committed an hour into March
    stage(given, "s1", "c", 10)
    given.deploy("p1", "a", 10)
    assert ask("staging", given)["ahead_oldest"].value == pytest.approx(31 - 1 / 24)
    # Seen from May it is as old as it was when March ended, as is what else is said of that time.
    later = ask("staging", given, as_of=61 * 24)
    assert later["ahead_oldest"].value == pytest.approx(31 - 1 / 24)


def test_without_staging_it_says_what_it_needs(given):
    given.line("a")
    given.deploy("p", "a", 10)
    answer = ask("staging", given)
    assert answer["skipped_share"].value is None
    assert answer["ahead_now"].reason == words.NO_STAGING
    assert answer.sentence == words.NEEDS_STAGING


def test_evidence_is_the_deployments_and_the_commits_apart(given):
    given.line("a b")
    stage(given, "s1", "a", 5)
    stage(given, "s2", "b", 20)
    given.deploy("p1", "a", 10)
    told = ask("staging", given).evidence
    assert list(told["state"]) == ["passed", "ahead"]
    assert told["soak"][0] == 5 * 3600
    assert told["staged_at"][0] == at(5)
    assert told["sha"][1] == sha("b")


def test_it_is_drawn(given):
    given.line("a b")
    stage(given, "s1", "a", 5)
    given.deploy("p1", "a", 10)
    given.deploy("p2", "b", 20)
    assert len(ask("staging", given).plot(theme="dark").get_xticklabels()) == 3
