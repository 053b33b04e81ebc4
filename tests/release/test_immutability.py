"""Immutability against facts whose figures are worked out by hand, on both engines."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dora.records import FlagChange, Incident, ManualChange
from dora.release import recoveries
from dora.release.occurrences import HOUR_US
from dora.words import immutability as words
from tests.models.harness import Given, at, sha
from tests.release.facts import ask

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture(params=["duckdb", "sqlite"])
def given(request: pytest.FixtureRequest) -> Given:
    return Given(request.param)


def test_what_ran_on_staging_is_told_by_digest_else_by_commit(given):
    given.line("a b c d e")
    for hour, name, digest in ((1, "a", ONE), (2, "b", ONE.replace("1", "3")), (3, "c", None)):
        given.deploy(f"s-{name}", name, hour, environment="staging", digest=digest)
    given.deploy("same", "a", 10, digest=ONE)
    given.deploy("rebuilt", "b", 20, digest=TWO)
    given.deploy("commit", "c", 30)
    given.deploy("other", "d", 40)
    given.deploy("unknown", None, 50)
    answer = ask("immutability", given)
    assert (answer["same_digest_share"].value, answer["same_digest_share"].n) == (1 / 2, 2)
    assert (answer["same_commit_share"].value, answer["same_commit_share"].n) == (1 / 2, 2)
    assert (answer["unknown"].value, answer["unknown"].n) == (1, 5)
    assert "that was on staging. Of 1 more deployment it is not known; `sha`" in answer.sentence
    told = answer.evidence.set_index("deployment")["artifact"].to_dict()
    assert told == {
        "same": "same digest",
        "rebuilt": "rebuilt",
        "commit": "same commit",
        "other": "other commit",
        "unknown": "unknown",
    }


def test_a_tag_that_is_given_anew_or_moved_is_told_by_what_it_names(given):
    """`1.2-rc1` of staging goes out as `1.2`, the same artifact; `latest` is another by then."""
    given.line("a b c")
    for name, commit, hour, version, digest in (
        ("s1", "a", 1, "1.2-rc1", ONE),
        ("s2", "b", 2, "latest", TWO),
    ):
        given.deploy(name, commit, hour, environment="staging", version=version, digest=digest)
    given.deploy("renamed", "a", 10, version="1.2", digest=ONE)
    given.deploy("moved", "c", 20, version="latest", digest="sha256:" + "3" * 64)
    answer = ask("immutability", given)
    told = answer.evidence.set_index("deployment")["artifact"].to_dict()
    assert told == {"renamed": "same digest", "moved": "other commit"}
    assert (answer["same_digest_share"].value, answer["same_digest_share"].n) == (1, 1)
    assert (answer["same_commit_share"].value, answer["same_commit_share"].n) == (0, 1)


def test_what_nobody_says_was_made_by_hand_is_neither(given):
    given.line("a b c d")
    given.deploy("p1", "a", 10, manual=True)
    given.deploy("p2", "b", 20, manual=False)
    given.deploy("p3", "c", 30, manual=False)
    given.deploy("p4", "d", 40)
    answer = ask("immutability", given)
    assert (answer["manual_share"].value, answer["manual_share"].n) == (1 / 3, 3)


def by_hand(given: Given, id_: str, hour: float, **more: Any) -> None:
    stated = {"environment": "production", "service": "shop"} | more
    given.facts.append(ManualChange(id_, changed_at=at(hour), **stated))


def test_changes_by_hand_that_deploy_nothing_are_changes_too(given):
    """Two of three changes: one of two deployments, and a manual change.

    What was done on staging, in another service, before the window, and what will be done later
    does not count. Wilson's interval of 2 of 3 is 0.2077 to 0.9385 (z = 1.959964: centre
    (2 + z²/2) / (3 + z²) = 0.5731, half width z / (3 + z²) · sqrt(2·1/3 + z²/4) = 0.3654).
    """
    given.line("a b")
    given.deploy("p1", "a", 10, manual=True)
    given.deploy("p2", "b", 20, manual=False)
    given.deploy("s1", "a", 5, environment="staging")
    by_hand(given, "limit", 30, name="raised the memory limit", url="https://chat/1")
    by_hand(given, "on staging", 31, environment="staging")
    by_hand(given, "elsewhere", 32, service="search")
    by_hand(given, "in february", -30)
    by_hand(given, "unheard of", 33, environment="nowhere")
    by_hand(given, "to come", 31 * 24 + 1)
    answer = ask("immutability", given)
    share = answer["manual_share"]
    assert (share.value, share.n) == (2 / 3, 3)
    assert (share.low, share.high) == (
        pytest.approx(0.2077, abs=1e-4),
        pytest.approx(0.9385, abs=1e-4),
    )
    assert answer["manual_share_at_least"].value == 2 / 3
    assert (answer["manual_changes"].value, answer["manual_changes"].n) == (1, 3)
    told = answer.evidence.set_index("deployment")
    assert told["change"].to_dict() == {
        "p1": "deployment", "p2": "deployment", "limit": "manual change",
    }  # fmt: skip
    assert list(told.loc["limit", ["name", "url"]]) == ["raised the memory limit", "https://chat/1"]
    assert "67 % (21–94) of 3 changes were made by hand." in answer.sentence


def test_a_manual_change_is_no_deployment(given):
    given.line("a")
    given.deploy("p1", "a", 10)
    by_hand(given, "limit", 30)
    assert given.rows("production_deployments", "deployment") == [("p1",)]


def test_where_deployments_do_not_say_it_only_the_ends_of_the_share_are_known(given):
    """One manual change and four deployments, of one of which nothing is said: 1 or 2 of 5.

    Wilson: 1 of 5 is 0.0362 to 0.6245, 2 of 5 is 0.1176 to 0.7693.
    """
    given.line("a b c d")
    for hour, name in enumerate("abc", 10):
        given.deploy(name, name, hour, manual=False)
    given.deploy("d", "d", 20)
    by_hand(given, "limit", 30)
    answer = ask("immutability", given)
    share, least = answer["manual_share"], answer["manual_share_at_least"]
    assert (share.value, share.n, share.reason) == (None, 5, words.partly_manual(1))
    ends = pytest.approx(0.0362, abs=1e-4), pytest.approx(0.7693, abs=1e-4)
    assert (share.low, share.high) == ends
    assert (least.value, least.n) == (1 / 5, 5)
    assert least.high == pytest.approx(0.6245, abs=1e-4)
    assert "At least 20 % (3.6–62) of 5 changes were made by hand" in answer.sentence


def test_no_manual_change_is_none_only_where_they_are_told(given):
    given.line("a")
    given.deploy("p1", "a", 10)
    silent = ask("immutability", given)
    assert silent["manual_changes"].reason == words.NOT_RECORDED
    assert silent["manual_share_at_least"].reason == words.NOT_MANUAL
    by_hand(given, "in february", -30)
    told = ask("immutability", given)
    assert (told["manual_changes"].value, told["manual_share_at_least"].value) == (0, 0)
    assert told["manual_share_at_least"].high == pytest.approx(0.7935, abs=1e-4)  # 0 of 1
    assert "`manual`" not in told.sentence


def test_rollbacks_are_by_machine_or_by_hand_or_unknown(given):
    given.line("a b")
    for hour, name, more in (
        (10, "a", {}),
        (11, "b", {"automatic": True}),  # no rollback
        (12, "a", {"automatic": True}),
        (13, "b", {}),
        (14, "a", {"automatic": False}),
        (15, "b", {}),
        (16, "a", {}),
    ):
        given.deploy(f"p{hour}", name, hour, **more)
    answer = ask("immutability", given)
    assert answer["rollbacks"].value == 3
    assert (answer["automatic_rollback_share"].value, answer["automatic_rollback_share"].n) == (
        1 / 2,
        2,
    )


def test_recoveries_are_told_by_what_ended_them(given):
    """One by a rollback, one by nothing that is known, one by a flag; one is open."""
    given.line("a b c d e f")
    given.deploy("p1", "a", 10)
    given.deploy("bad", "b", 20)
    given.deploy("back", "a", 30)
    for day, name in ((5, "c"), (10, "d"), (15, "e")):
        given.deploy(f"p-{name}", name, day * 24)
    given.facts += [
        Incident("closed", at(5 * 24 + 1), resolved_at=at(5 * 24 + 5)),
        Incident("by flag", at(10 * 24 + 1), resolved_at=at(10 * 24 + 5)),
        Incident("open", at(15 * 24 + 1)),
        FlagChange("1", "basket", "production", at(9 * 24), 1.0, service="shop"),
        FlagChange("2", "basket", "production", at(10 * 24 + 4.5), 0.0, service="shop"),
    ]
    answer = ask("immutability", given)
    shares = {
        kind: answer[f"recovered_by_{kind}_share"].value
        for kind in ("rollback", "revert", "fix_forward", "flag_off", "incident_resolved")
    }
    third = pytest.approx(1 / 3)
    assert shares == {
        "rollback": third,
        "revert": 0,
        "fix_forward": 0,
        "flag_off": third,
        "incident_resolved": third,
    }


def test_a_revert_and_a_fix_forward_end_failures_too(given):
    """`b` is reverted ten hours after it went out; `fix` mends `d` after twenty hours."""
    given.line("a b r d e")
    given.says("r", "reverts", sha("b"))
    for name, hour, more in (
        ("a", 10, {}), ("b", 20, {}), ("r", 30, {}), ("d", 40, {}), ("e", 60, {"fixes": "p-d"}),
    ):  # fmt: skip
        given.deploy(f"p-{name}", name, hour, **more)
    answer = ask("immutability", given)
    shares = {
        kind: answer[f"recovered_by_{kind}_share"].value for kind in ("revert", "fix_forward")
    }
    assert shares == {"revert": 1 / 2, "fix_forward": 1 / 2}
    assert answer["recovery_median_revert"].value == pytest.approx(10)
    assert answer["recovery_median_fix_forward"].value == pytest.approx(20)


def test_how_long_failures_last_is_told_by_what_ends_them(given):
    """Seven failures. Rollbacks after 2 and 4 hours, flags off after 1, 3 and 10; one ends after 6
    for no reason that is known, and one is open after 5.

    Aalen and Johansen, at risk 7, 6, 5, 4, then 3 of which one is open, 2 and 1: under way are
    1, 6/7, 5/7, 4/7 and 3/7 before what ends after 6 hours. Rollback: 1/7 after 2 hours and 2/7
    after 4, half of it after 2 to 4 hours, so 3 in the middle. Flag off: 1/7 after 1, 2/7 after 3,
    and what is left, 3/7 · 1/2 = 3/14, after 10; its half, 1/4, is reached after 3. Not known:
    3/7 · 1/2 = 3/14 after 6. Together they are all.
    """
    lasted = {
        "r1": (2, "rollback"), "r2": (4, "rollback"), "f1": (1, "flag off"), "f2": (3, "flag off"),
        "f3": (10, "flag off"), "i": (6, "incident resolved"), "o": (5, None),
    }  # fmt: skip
    rows = pd.DataFrame(
        [(kind, 0 if kind else HOUR_US, hours * HOUR_US if kind else None)
         for hours, kind in lasted.values()],
        columns=["kind", "from_us", "us"],
    )  # fmt: skip
    found = recoveries.lengths(rows, now_us=6 * HOUR_US)
    curves = {kind: found.curve(kind) for kind in recoveries.KINDS}
    assert list(curves["rollback"].over) == pytest.approx([1 / 7, 2 / 7])
    assert list(curves["flag off"].over) == pytest.approx([1 / 7, 2 / 7, 2 / 7 + 3 / 14])
    assert sum(curve.over[-1] for curve in curves.values() if curve.ended) == pytest.approx(1)
    told = {figure.name: figure for figure in recoveries.figures(found)}
    assert (told["recovery_open"].value, told["recovery_open"].n) == (1, 7)
    medians = {name: (f.value, f.n) for name, f in told.items() if name != "recovery_open"}
    assert medians == {
        "recovery_median_rollback": (pytest.approx(3), 2),
        "recovery_median_revert": (None, 0),
        "recovery_median_fix_forward": (None, 0),
        "recovery_median_flag_off": (pytest.approx(3), 3),
        "recovery_median_incident_resolved": (pytest.approx(6), 1),
    }
    assert told["recovery_median_revert"].reason == words.never_ended_by("revert")
    assert told["recovery_median_rollback"].note == words.still_open(1)


def test_leaving_open_failures_out_would_make_a_kind_look_quicker():
    """Ended after 1 and 9 hours, and one open for 2: of three half the height, 2/3, is at 9 hours.

    After 1 hour 1/3 are over, after 9 all: the height is 1, its half 1/2 is reached at 9 hours.
    Of the two that ended alone, half took 5 hours.
    """
    rows = pd.DataFrame(
        [("rollback", 0, HOUR_US), ("rollback", 0, 9 * HOUR_US), (None, 0, None)],
        columns=["kind", "from_us", "us"],
    )
    found = recoveries.lengths(rows, now_us=2 * HOUR_US)
    told = {figure.name: figure for figure in recoveries.figures(found)}
    assert told["recovery_median_rollback"].value == pytest.approx(9)


def test_the_kinds_of_recovery_are_drawn_as_they_end_failures(given):
    """A rollback after ten hours, a resolution after four, one open: two lines and a tick."""
    given.line("a b c d")
    given.deploy("p1", "a", 10)
    given.deploy("bad", "b", 20)
    given.deploy("back", "a", 30)
    given.deploy("c", "c", 5 * 24)
    given.deploy("d", "d", 15 * 24)
    given.facts += [
        Incident("closed", at(5 * 24 + 1), resolved_at=at(5 * 24 + 5)),
        Incident("open", at(15 * 24 + 1)),
    ]
    answer = ask("immutability", given)
    for theme in ("light", "dark"):
        axes = answer.plot(theme=theme)
        said = [text.get_text() for text in axes.get_legend().get_texts()]
        assert said == [
            "rollback, n = 1: half of them within 10 h",
            "incident resolved, n = 1: half of them within 4 h",
            "1 failure still open, counted for as long as they last",
        ]
        steps = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
        assert [list(line.get_ydata())[-1] for line in steps] == pytest.approx([1 / 3, 1 / 3])
        assert len({line.get_color() for line in steps}) == 2
        assert len({line.get_linestyle() for line in steps}) == 2


def test_without_a_failure_the_picture_says_so(given):
    given.line("a")
    given.deploy("p1", "a", 10)
    answer = ask("immutability", given)
    assert answer["recovery_median_rollback"].reason == words.NO_FAILURE
    (said,) = [text.get_text() for text in answer.plot().texts]
    assert said == "No failure began"


def test_without_anything_given_it_says_what_would_tell(given):
    given.line("a")
    given.deploy("p", "a", 10)
    answer = ask("immutability", given)
    assert answer["same_digest_share"].reason == words.NO_DIGEST
    assert answer["manual_share"].reason == words.NOT_MANUAL
    assert answer["automatic_rollback_share"].reason == words.NO_ROLLBACK
    assert "`digest`" in answer.sentence
    assert "`manual`" in answer.sentence
