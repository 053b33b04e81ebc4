"""Immutability against facts whose figures are worked out by hand, on both engines."""

from __future__ import annotations

import pytest

from dora.records import FlagChange, Incident
from dora.words import immutability as words
from tests.models.harness import Given, at
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
    assert "that was on staging. Of 1 more it is not known." in answer.sentence
    told = answer.evidence.set_index("deployment")["artifact"].to_dict()
    assert told == {
        "same": "same digest",
        "rebuilt": "rebuilt",
        "commit": "same commit",
        "other": "other commit",
        "unknown": "unknown",
    }


def test_what_nobody_says_was_made_by_hand_is_neither(given):
    given.line("a b c d")
    given.deploy("p1", "a", 10, manual=True)
    given.deploy("p2", "b", 20, manual=False)
    given.deploy("p3", "c", 30, manual=False)
    given.deploy("p4", "d", 40)
    answer = ask("immutability", given)
    assert (answer["manual_share"].value, answer["manual_share"].n) == (1 / 3, 3)


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
    assert len(answer.plot(theme="dark").get_xticklabels()) == 5


def test_without_anything_given_it_says_what_would_tell(given):
    given.line("a")
    given.deploy("p", "a", 10)
    answer = ask("immutability", given)
    assert answer["same_digest_share"].reason == words.NO_DIGEST
    assert answer["manual_share"].reason == words.NOT_MANUAL
    assert answer["automatic_rollback_share"].reason == words.NO_ROLLBACK
    assert "`digest`" in answer.sentence
    assert "`manual`" in answer.sentence
