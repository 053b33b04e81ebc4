"""A word that is not known is answered with the one that was probably meant."""

from __future__ import annotations

from dora.spelling import closest, suggestion

KNOWN = ["Production", "staging", "test"]


def test_the_word_most_alike_is_given_as_it_is_written_there() -> None:
    assert closest("prodction", KNOWN) == ["Production"]
    assert closest("STAGGING", KNOWN) == ["staging"]


def test_several_come_the_most_alike_first() -> None:
    # twice the letters that agree over all letters: 14 of 15, and 14 of 16
    assert closest("staging", ["staging12", "staging1", "x"], most=2) == ["staging1", "staging12"]


def test_how_much_has_to_agree_may_be_asked_for() -> None:
    # `abcd` and `abxy` share 2 of 4 letters: a half
    assert closest("abcd", ["abxy"], alike=0.5) == ["abxy"]
    assert closest("abcd", ["abxy"], alike=0.51) == []


def test_a_suggestion_is_a_question_or_else_all_there_is() -> None:
    assert suggestion("tset", KNOWN) == "Did you mean 'test'?"
    assert suggestion("zzz", KNOWN) == "There are: Production, staging, test."
