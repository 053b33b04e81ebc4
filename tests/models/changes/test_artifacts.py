"""Whether staging ran the same artifact: given and expected rows."""

from __future__ import annotations

from typing import Any

from tests.models.harness import Given

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def told(given: Given) -> dict[str, str]:
    return dict(given.rows("production_artifacts", "deployment, artifact"))


def stage(given: Given, name: str, commit: str | None, hour: float, **more: Any) -> None:
    given.deploy(name, commit, hour, **{"environment": "staging"} | more)


def test_the_same_digest_is_the_same_whatever_the_commit_is_called(given: Given):
    given.line("a b")
    stage(given, "s", "a", 10, digest=ONE)
    given.deploy("same", "a", 20, digest=ONE.upper())
    given.deploy("of another commit", "b", 30, digest=ONE)
    given.deploy("of an unknown one", None, 40, digest=ONE)
    assert set(told(given).values()) == {"same digest"}


def test_the_same_commit_with_another_digest_was_built_again(given: Given):
    given.line("a")
    stage(given, "s", "a", 10, digest=ONE)
    given.deploy("p", "a", 20, digest=TWO)
    assert told(given) == {"p": "rebuilt"}


def test_where_a_digest_is_not_known_on_both_it_is_not_built_again(given: Given):
    given.line("a b c")
    stage(given, "s1", "a", 10)
    stage(given, "s2", "b", 11, digest=ONE)
    stage(given, "s3", "c", 12, digest=ONE)
    stage(given, "s4", "c", 13)
    given.deploy("only production", "a", 20, digest=ONE.replace("1", "3"))
    given.deploy("only staging", "b", 21)
    given.deploy("one of two", "c", 22, digest=TWO)
    assert set(told(given).values()) == {"same commit"}


def test_staging_afterwards_tells_nothing(given: Given):
    given.line("a b")
    stage(given, "s1", "a", 10, digest=ONE)
    given.deploy("p", "b", 20, digest=TWO)
    stage(given, "s2", "b", 30, digest=TWO)
    assert told(given) == {"p": "other commit"}


def test_unknown_is_unknown_and_without_staging_there_is_nothing_to_tell(given: Given):
    given.line("a")
    given.deploy("first", "a", 5, digest=TWO)
    stage(given, "s", "a", 10, digest=ONE)
    given.deploy("p", None, 20)
    given.deploy("other digest, no commit", None, 30, digest=TWO)
    assert told(given) == {
        "first": "none",
        "p": "unknown",
        "other digest, no commit": "unknown",
    }
