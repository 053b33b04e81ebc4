"""Numbers about a few people are not shown, nor those that would give them away."""

from __future__ import annotations

import pytest

from dora import metrics, words
from tests.metrics.harness import change, deployed, deployment, question

HIDDEN = words.few_people(3)
OWNED = [
    {"team": team, "service": service, "from_day": "0001-01-01", "until_day": "9999-12-31"}
    for team, service in (("red", "a"), ("blue", "b"), ("green", "c"))
]


def delivered(service: str, day: int, *authors: str) -> list[dict[str, object]]:
    """A change of each author, delivered that day of March."""
    return [
        change(
            f"{service}{day}{author}",
            f"2026-03-{day:02d} 12:00",
            24,
            service,
            repository=f"org/{service}",
            authors=(author,),
        )
        for author in authors
    ]


def marts(*changes: list[dict[str, object]]) -> dict[str, object]:
    flat = [one for several in changes for one in several]
    days = sorted({(c["service"], c["delivered_at"]) for c in flat})
    ships = [deployment(f"d{n}", f"{when:%Y-%m-%d %H:%M}", s) for n, (s, when) in enumerate(days)]
    return deployed(*ships, delivered_changes=flat, team_services=OWNED)


def ask(rows, metric="lead_time", **given):
    return metrics.find(metric).ask(question(rows, least_authors=3, **given))


def shown(result, name="n"):
    """What a column holds for each scope, by what it is called."""
    labels = result.frame["team"].fillna("all")
    values = [None if words.missing(v) else int(v) for v in result.frame[name]]
    return dict(zip(labels, values, strict=True))


def test_a_team_of_too_few_is_not_shown_nor_the_next_smallest_that_would_tell_it(engine):
    rows = marts(
        delivered("a", 3, "ada", "ben"),
        delivered("b", 4, "cleo", "dan", "eve"),
        delivered("c", 5, "fay", "gil", "hal", "ida"),
    )
    result = ask(rows, each=("team",), engine=engine)
    # 9 − 3 − 4 would be the two of red; with blue gone too, only red and blue together are known
    assert shown(result) == {"all": 9, "blue": None, "green": 4, "red": None}
    reasons = dict(zip(result.frame["team"].fillna("all"), result.frame["reason"], strict=True))
    assert reasons == {"all": None, "blue": HIDDEN, "green": None, "red": HIDDEN}
    for column in ("value", "low", "high", "p75", "p90", "p95", "open"):
        assert shown(result, column)["red"] is None


def test_one_hidden_week_takes_another_with_it_where_the_whole_is_shown(engine):
    rows = marts(
        delivered("a", 3, "ada", "ben"),  # the week of 2 March: two people
        delivered("a", 10, "ada", "ben", "cleo", "dan"),  # four
        delivered("a", 17, "ada", "ben", "cleo"),  # three: the next smallest
    )
    result = ask(rows, teams=("red",), by="week", engine=engine)
    assert result.n == 9
    assert not result.veiled
    by_week = dict(zip(result.frame["period_start"], result.frame["n"], strict=True))
    told = {f"{day:%m-%d}": None if words.missing(n) else int(n) for day, n in by_week.items()}
    expected = {"02-23": 0, "03-02": None, "03-09": 4, "03-16": None, "03-23": 0, "03-30": 0}
    assert told == expected


@pytest.mark.parametrize("metric", metrics.names())
def test_a_hidden_answer_shows_no_number_and_no_record(metric, engine):
    rows = marts(delivered("a", 3, "ada", "ben"))
    result = ask(rows, metric, teams=("red",), engine=engine)
    if not result.veiled:  # nothing failed and nothing was recovered: there is nothing to hide
        assert metric == "time_to_restore"
        return
    assert (result.value, result.low, result.high, result.reason) == (None, None, None, HIDDEN)
    assert not any(result.counts.values())
    assert len(result.evidence) == 0
    assert len(result.left_out) == 0
    assert "n =" not in repr(result)
    assert HIDDEN in repr(result)


def test_services_are_no_people(engine):
    rows = marts(delivered("a", 3, "ada"))
    assert ask(rows, services=("a",), engine=engine).n == 1
    assert ask(rows, engine=engine).n == 1


def test_where_no_author_is_known_nobody_can_be_told_from_others(engine):
    rows = marts(delivered("a", 3, "ada"))
    rows["change_authors"] = []
    assert ask(rows, teams=("red",), engine=engine).n == 1


def test_exactly_as_many_as_asked_for_are_shown(engine):
    rows = marts(delivered("a", 3, "ada", "ben", "cleo"))
    assert ask(rows, teams=("red",), engine=engine).n == 3
