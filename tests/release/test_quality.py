"""Quality before production against rows worked out by hand, on both engines."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import pytest

from dora.words import quality as text
from tests.metrics.harness import at, deployed
from tests.release.harness import SHOP, ask, main, run, started


def asked(engine, *builds: dict[str, Any], calendar: str = "", **more: Any):
    given = {name: more.pop(name) for name in ("as_of",) if name in more}
    rows = deployed(started("d", "2026-03-02 10:00"), **{**SHOP, "builds": builds, **more})
    return ask("quality", rows, calendar, engine=engine, **given)


def test_the_first_attempt_decides_and_what_says_nothing_is_left_out_and_counted(engine):
    """a passes, b fails and passes when run again, c's first attempt was cancelled and its second
    passes, d was only cancelled, e still runs, of f only the second attempt is known: 2 of 3."""
    answer = asked(
        engine,
        run("a", "2026-03-03 10:00", 10, "succeeded"),
        run("b", "2026-03-03 11:00", 20, "failed"),
        run("b", "2026-03-03 12:00", 16, "succeeded", attempt=2),
        run("c", "2026-03-03 13:00", 1, "cancelled"),
        run("c", "2026-03-03 13:05", 15, "succeeded", attempt=2),
        run("d", "2026-03-03 14:00", 3, "cancelled"),
        run("e", "2026-03-03 15:00", None, "running"),
        run("f", "2026-03-03 16:00", 30, "succeeded", attempt=2),
        run("before", "2026-02-28 23:59", 10, "failed"),
    )
    assert (answer["first_pass_share"].value, answer["first_pass_share"].n) == (2 / 3, 3)
    # a 10, b 20, c 5 + 15 = 20 from its first run on, f 30
    assert answer["signal_median"].value == pytest.approx(20)
    assert answer["signal_p90"].value == pytest.approx(27)  # 20 + 0.7 × 10
    assert answer["left_out"].value == 3
    assert answer["left_out"].note == text.left_out(2, 1, 1)
    # Of the four checks that said anything, b both failed and passed: its failure took 20 minutes.
    assert (answer["flaky_share"].value, answer["flaky_share"].n) == (1 / 4, 4)
    assert (answer["flaky_minutes"].value, answer["flaky_minutes"].n) == (20, 1)


def test_only_required_checks_count_but_the_clock_starts_with_any(engine):
    """The lint run starts at ten and fails; what is required starts at five past."""
    builds = (
        run("a", "2026-03-03 10:00", 1, "failed", name="lint"),
        run("a", "2026-03-03 10:05", 10, "succeeded", name="Test / linux"),
        run("a", "2026-03-03 10:05", 20, "succeeded", name="build"),
    )
    required = '[calendar]\nchecks = ["build", "test*"]\n'
    answer = asked(engine, *builds, calendar=required)
    assert answer["first_pass_share"].value == 1
    assert answer["signal_median"].value == pytest.approx(15)
    assert text.ALL_CHECKS not in answer.sentence
    every = asked(engine, *builds)
    assert every["first_pass_share"].value == 0
    assert every["signal_median"].value == pytest.approx(1)
    assert text.ALL_CHECKS in every.sentence


def test_a_flake_is_of_one_commit_and_one_check(engine):
    """Failing on one commit and passing on the next, or in one check and not in another, is none;
    passing first and failing later is one. A failure of unknown length costs unknown time."""
    answer = asked(
        engine,
        run("a", "2026-03-03 10:00", 10, "failed"),
        run("b", "2026-03-03 11:00", 10, "succeeded"),
        run("b", "2026-03-03 11:00", 10, "failed", name="lint"),
        run("c", "2026-03-03 12:00", 10, "succeeded"),
        run("c", "2026-03-04 12:00", 7, "failed", attempt=2),
        run("d", "2026-03-04 13:00", None, "failed"),
        run("d", "2026-03-04 14:00", 9, "succeeded", attempt=2),
    )
    assert (answer["flaky_share"].value, answer["flaky_share"].n) == (2 / 5, 5)
    assert (answer["flaky_minutes"].value, answer["flaky_minutes"].n) == (7, 1)
    flaky = answer.evidence[answer.evidence["flaky"]]
    assert list(zip(flaky["sha"], flaky["first_said"], strict=True)) == [
        ("c", "succeeded"), ("d", "failed"),
    ]  # fmt: skip


def test_what_flakes_cost_is_unknown_where_none_is_of_known_length(engine):
    answer = asked(
        engine,
        run("a", "2026-03-03 10:00", None, "failed"),
        run("a", "2026-03-03 11:00", 9, "succeeded", attempt=2),
    )
    assert answer["flaky_share"].value == 1
    lost = answer["flaky_minutes"]
    assert (lost.value, lost.n, lost.reason) == (None, 0, text.NONE_TIMED)
    steady = asked(engine, run("a", "2026-03-03 11:00", 9, "succeeded"))
    assert steady["flaky_minutes"].value == 0
    assert text.NONE_TIMED in answer.sentence
    assert "minutes went into" not in answer.sentence


def test_the_trunk_is_red_while_the_newest_run_of_any_check_was(engine):
    """Known from 2 March, 00:00, to the end of 11 March: ten days.

    test fails on the 3rd and passes on the 5th, lint fails on the 4th and passes on the 6th: red
    for three days in one spell. The failure of an old commit that ends on the 8th says nothing, nor
    does a cancelled run, nor one of another branch; test is red again for the last day.
    """
    answer = asked(
        engine,
        main("a", "2026-03-01 23:50", 10, "succeeded"),
        main("b", "2026-03-02 23:50", 10, "failed"),
        main("b2", "2026-03-03 23:50", 10, "failed", name="lint"),
        main("c", "2026-03-04 23:50", 10, "succeeded"),
        main("c2", "2026-03-05 23:50", 10, "succeeded", name="lint"),
        main("a", "2026-03-07 23:50", 10, "failed", attempt=2),
        main("d", "2026-03-08 10:00", 10, "cancelled"),
        run("e", "2026-03-08 12:00", 10, "failed", branch="feature"),
        run("e", "2026-03-08 13:00", 10, "failed"),
        main("f", "2026-03-10 23:50", 10, "failed"),
        as_of=at("2026-03-12 00:00"),
    )
    assert answer["red_share"].value == pytest.approx(4 / 10)
    assert answer["red_longest"].value == pytest.approx(72)
    assert (answer["red_share"].n, answer["red_longest"].n) == (1, 2)


def test_a_run_that_gave_way_to_a_newer_commit_stays_the_older_one(engine):
    """As b is pushed on the 2nd, the run of a is cancelled; b is green. That a is run again and
    fails on the 4th says nothing of the branch, whose newest commit is b. Red is the first of the
    ten days alone, by what z had said.
    """
    answer = asked(
        engine,
        main("z", "2026-02-28 23:50", 10, "failed"),
        main("a", "2026-03-01 23:40", 5, "cancelled"),
        main("b", "2026-03-01 23:50", 10, "succeeded"),
        main("a", "2026-03-03 23:50", 10, "failed", attempt=2),
        as_of=at("2026-03-11 00:00"),
    )
    assert answer["red_share"].value == pytest.approx(1 / 10)
    assert answer["red_longest"].value == pytest.approx(24)


def test_what_was_red_before_the_window_is_red_in_it(engine):
    answer = asked(
        engine,
        main("a", "2026-02-20 10:00", 10, "failed"),
        main("b", "2026-03-01 23:50", 10, "succeeded"),
        as_of=at("2026-03-11 00:00"),
    )
    assert answer["red_share"].value == pytest.approx(1 / 10)


def test_a_check_that_is_gone_is_not_red_for_good(engine):
    """It failed on 20 January and never ran again, while another has passed now and then: on
    2 March a month has passed. Without the other one it is red still."""
    gone = main("a", "2026-01-20 00:00", 0, "failed", name="old")
    others = [main(f"n{d}", f"2026-03-{d:02d} 00:00", 0, "succeeded") for d in (2, 9, 16)]
    now = at("2026-03-11 00:00")
    assert asked(engine, gone, *others, as_of=now)["red_share"].value == pytest.approx(1 / 10)
    assert asked(engine, gone, as_of=now)["red_share"].value == 1


def test_without_a_branch_nothing_is_said_of_the_trunk(engine):
    answer = asked(engine, run("a", "2026-03-03 10:00", 10, "failed"))
    assert (answer["red_share"].value, answer["red_share"].reason) == (None, text.NO_TRUNK)


def staging(name: str, status: str, environment: str = "staging") -> dict[str, Any]:
    return {
        "source": "ci",
        "id": name,
        "repository": "org/shop",
        "environment": environment,
        "status": status,
        "finished_at": at("2026-03-05 10:00"),
    }


def review(number: int, state: str, by: str = "person") -> dict[str, Any]:
    return {
        "repository": "org/shop",
        "number": number,
        "submitted_at": at("2026-03-04 10:00"),
        "state": state,
        "by": by,
    }


def test_the_funnel_counts_what_each_place_stopped(engine):
    """CI 2 of 3 commits (a flake is none), review 1 of 2 pull requests, staging 1 of 2, canary 1
    of 1, production 1 of 2: five of six did not get as far."""
    kinds = [("staging", "staging"), ("eu-canary", "other"), ("production", "production")]
    rows = deployed(
        started("good", "2026-03-06 10:00"),
        started("bad", "2026-03-07 10:00", failed=True),
        started("not yet", "2026-03-08 10:00", failed=True, mature=False),
        **SHOP,
        builds=[
            run("a", "2026-03-03 10:00", 10, "failed"),
            run("b", "2026-03-03 11:00", 10, "failed"),
            run("b", "2026-03-03 12:00", 10, "failed", attempt=2),
            run("c", "2026-03-03 13:00", 10, "failed"),
            run("c", "2026-03-03 14:00", 10, "succeeded", attempt=2),
        ],
        reviews=[
            review(1, "changes_requested"),
            review(1, "approved"),
            review(2, "commented"),
            review(3, "changes_requested", by="bot"),
        ],
        deployments=[
            staging("s1", "failed"),
            staging("s2", "succeeded"),
            staging("s3", "cancelled"),
            staging("c1", "failed", "eu-canary"),
        ],
        environment_kinds=[{"environment": e, "tier": "", "kind": kind} for e, kind in kinds],
    )
    answer = ask("quality", rows, engine=engine)
    places = {
        place: (answer[f"stopped_{place}"].value, answer[f"stopped_{place}"].n)
        for place in ("ci", "review", "staging", "canary", "production")
    }
    assert places == {
        "ci": (2, 3), "review": (1, 2), "staging": (1, 2), "canary": (1, 1), "production": (1, 2),
    }  # fmt: skip
    assert (answer["contained_share"].value, answer["contained_share"].n) == (5 / 6, 6)
    assert answer["contained_share"].note is None


def test_a_canary_that_is_production_is_counted_once(engine):
    """One got through and went well, one got through and failed, one did not get through."""
    kinds = [("canary", "production"), ("production", "production")]
    rows = deployed(
        started("good", "2026-03-06 10:00", environment="canary"),
        started("bad", "2026-03-07 10:00", environment="canary", failed=True),
        started("whole", "2026-03-07 12:00"),
        **SHOP,
        deployments=[
            staging("good", "succeeded", "canary"),
            staging("bad", "succeeded", "canary"),
            staging("broken", "failed", "canary"),
            staging("not through", "failed", "production"),
        ],
        environment_kinds=[{"environment": e, "tier": "", "kind": kind} for e, kind in kinds],
        production_kinds=[{"kind": "production"}],
    )
    answer = ask("quality", rows, engine=engine)
    assert (answer["stopped_canary"].value, answer["stopped_canary"].n) == (2, 3)
    assert (answer["stopped_production"].value, answer["stopped_production"].n) == (0, 1)
    assert answer["stopped_staging"].value is None
    assert (answer["contained_share"].value, answer["contained_share"].n) == (1, 2)


def test_what_ci_stopped_is_of_all_commits_that_it_said_anything_of(engine):
    """Of a only the second attempt is known, b has only just begun in one of two checks."""
    answer = asked(
        engine,
        run("a", "2026-03-03 10:00", 10, "failed", attempt=2),
        run("b", "2026-03-03 11:00", 10, "failed"),
        run("b", "2026-03-03 11:00", None, "running", name="lint"),
        run("c", "2026-03-03 12:00", 10, "succeeded"),
        run("d", "2026-03-03 13:00", None, "running"),
    )
    assert (answer["stopped_ci"].value, answer["stopped_ci"].n) == (2, 3)
    assert (answer["first_pass_share"].value, answer["first_pass_share"].n) == (1 / 2, 2)


def test_what_facts_do_not_tell_is_unknown_and_said(engine):
    answer = asked(engine, run("a", "2026-03-03 10:00", 10, "failed"))
    for place in ("review", "staging", "canary"):
        found = answer[f"stopped_{place}"]
        assert (found.value, found.reason) == (None, text.UNKNOWN[place])
    assert answer["contained_share"].value == 1
    assert answer["contained_share"].note == (
        "without review, staging and canary, of which nothing is known"
    )
    axes = matplotlib.figure.Figure().subplots()
    answer.plot(axes)
    assert [label.get_text().split("\n")[1] for label in axes.get_xticklabels()] == [
        "of 1 commits", "unknown", "unknown", "unknown", "of 1 deployments",
    ]  # fmt: skip


def test_builds_of_other_repositories_are_not_counted(engine):
    answer = asked(engine, run("a", "2026-03-03 10:00", 10, "failed", repository="org/other"))
    assert answer["first_pass_share"].value is None


def test_without_builds_it_says_what_it_needs(engine):
    answer = asked(engine)
    assert answer["first_pass_share"].reason == text.NONE_BUILT
    assert answer.sentence == text.NEEDS_BUILDS
