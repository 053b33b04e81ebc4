"""What a text says caused an incident, and when one ended and began again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.causes import REFERENCE, cause, causes, pattern_fault
from connectors.files.paths import fault, text
from connectors.histories import History

SHA = "3f2a1bc0d4e5f60718293a4b5c6d7e8f90a1b2c3"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f"Caused by {SHA}.", {SHA}),
        (f"It was CAUSED BY: {SHA.upper()}", {SHA}),
        ("caused by commit 3f2a1bc, which we reverted", {"3f2a1bc"}),
        ("introduced by https://github.com/acme/shop/commit/3f2a1bc", {"3f2a1bc"}),
        ("caused by https://gitlab.com/a/b/shop/-/commit/3f2a1bc?x=1", {"3f2a1bc"}),
        ("caused by https://github.com/acme/shop/pull/77.", {"github.com/acme/shop#77"}),
        ("caused by [the fix|https://gitlab.com/a/b/shop/-/merge_requests/5]",
         {"gitlab.com/a/b/shop#5"}),
        ("caused by <https://ci.acme.example/runs/4711>, sorry",
         {"https://ci.acme.example/runs/4711"}),
        ("caused by deployment of the new cart", set()),
        ("caused by github.com/acme/shop#12", {"github.com/acme/shop#12"}),
        ("caused by the deployment 4711.", {"4711"}),
        ("caused by deploy release-88, broken by 0123abcd", {"release-88", "0123abcd"}),
        ("caused by a switch that failed", set()),
        ("caused by facade work", set()),
        ("because of 3f2a1bc", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_causes_are_found_in_sentences(said: str, expected: set[str]) -> None:
    assert set(causes(said)) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Deploy 3f2a1bc to production", ["3f2a1bc"]),
        ("Deployment rel-88 of checkout", ["rel-88"]),
        ("Merge https://github.com/acme/shop/pull/77", ["github.com/acme/shop#77"]),
        ("Roll out github.com/acme/shop#77 and 0123456789abcdef", ["github.com/acme/shop#77",
                                                                   "0123456789abcdef"]),
        ("The facade was defaced; deploy again", []),
    ],
)  # fmt: skip
def test_the_title_of_a_cause_refers_to_what_it_is(title: str, expected: list[str]) -> None:
    assert causes(title, pattern=REFERENCE) == expected


def test_a_pattern_of_ones_own_says_what_a_cause_is() -> None:
    assert causes("culprit=rel-7; caused by 3f2a1bc", pattern=r"culprit=([\w-]+)") == ["rel-7"]
    assert pattern_fault(r"culprit=(\S+)") is None


@pytest.mark.parametrize(
    ("stated", "expected"),
    [(" 4711 ", "4711"), ("3F2A1BC", "3f2a1bc"), ("Release-9", "Release-9")],
)
def test_a_cause_is_written_as_facts_have_it(stated: str, expected: str) -> None:
    assert cause(stated) == expected


START = datetime(2026, 3, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


@pytest.mark.parametrize(
    ("states", "first", "last", "reopenings"),
    [
        ([], None, None, 0),
        ([(1, False)], None, None, 0),
        ([(1, True)], 1, 1, 0),
        ([(1, True), (2, True)], 1, 1, 0),  # from one resolved status to another
        ([(1, True), (2, False)], 1, None, 1),
        ([(1, True), (2, False), (3, False), (5, True)], 1, 5, 1),
        ([(5, True), (1, True), (2, False)], 1, 5, 1),  # newest first, as some hosts list them
        ([(1, True), (1, False)], 1, None, 1),  # of one second: in the order given
    ],
)
def test_a_history_has_its_first_and_last_end(
    states: list[tuple[int, bool]], first: int | None, last: int | None, reopenings: int
) -> None:
    history = History.of((hour(at), resolved) for at, resolved in states)
    assert history.first == (None if first is None else hour(first))
    assert history.last == (None if last is None else hour(last))
    assert len(history.reopenings) == reopenings


@pytest.mark.parametrize(
    ("states", "stated", "first", "last"),
    [
        ([], 3, 3, 3),  # stated before anybody closed it
        ([(5, True)], 3, 3, 3),  # over at three, closed at five
        ([(5, True), (6, False), (9, True)], 8, 5, 8),  # about the second time
        ([(5, True), (6, False), (9, True)], 3, 3, 9),  # about the first: the second still counts
        ([(5, True), (6, False)], 3, 3, None),  # a reopening after it is not undone
        ([(5, True), (6, False)], 6, 5, 6),
    ],
)
def test_a_stated_end_replaces_the_close_of_its_stretch(
    states: list[tuple[int, bool]], stated: int, first: int, last: int | None
) -> None:
    history = History.of((hour(at), resolved) for at, resolved in states).corrected(hour(stated))
    assert history.first == hour(first)
    assert history.last == (None if last is None else hour(last))


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), unique_by=lambda state: state[0]))
def test_closes_and_reopenings_take_turns(states: list[tuple[int, bool]]) -> None:
    history = History.of((hour(at), resolved) for at, resolved in states)
    turns = sorted((*history.closes, *history.reopenings))
    assert turns[0::2] == list(history.closes)
    assert turns[1::2] == list(history.reopenings)
    resolved = max(states)[1] if states else False
    assert (history.last is not None) == resolved


OBJECT = {
    "name": "x",
    "a": {"b": [{"n": "p", "v": 1}, {"n": "q", "v": 2.5}]},
    "list": ["one, two", "three"],
    "single": ["one, two"],
    "none": None,
    "yes": True,
    "a.b": "literal",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", "x"),
        ("a.b", "literal"),  # a key that is written like a path goes before it
        ("a.b.n", "p,q"),
        ("a.b[0].v", "1"),
        ("a.b[-1].v", "2.5"),
        ("a.b[7].v", ""),
        ("a.b[n=q].v", "2.5"),
        ("a.b[n=z].v", ""),
        ("list", "one  two,three"),
        ("single", "one  two"),
        ("list[=three]", "three"),
        ("list[=four]", ""),
        ("none", ""),
        ("none.more", ""),
        ("yes", "true"),
        ("name.more", ""),
    ],
)
def test_paths_lead_to_texts(path: str, expected: str) -> None:
    assert fault(path) is None
    assert text(OBJECT, path) == expected
