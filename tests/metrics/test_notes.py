"""Notes: when each is made, what it says, and what it lists, by records worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dora import metrics
from dora.metrics.notes import Notes
from dora.rules import Rules
from dora.words import notes as words
from tests.metrics.harness import MARCH, at, change, deployed, deployment, question
from tests.metrics.test_rollup import FEBRUARY, TEAMS


def compared(rows, **given):
    asked = question(rows, window=MARCH, **given)
    results = [metrics.find(name).ask(asked) for name in metrics.names()]
    return [result.compare(FEBRUARY) for result in results]


def notes(rows, **given):
    return Notes.of(compared(rows, **given))


def names(found):
    return [note.name for note in found]


def noted(name, day, note, service="shop"):
    return {
        "source": "ci", "deployment": name, "service": service, "environment": "production",
        "finished_at": at(f"2026-03-{day:02} 10:00"), "day": date(2026, 3, day), "note": note,
    }  # fmt: skip


def ten(**tables):
    return deployed(
        *(deployment(f"d{i}", f"2026-03-{i + 2:02} 10:00") for i in range(10)), **tables
    )


def test_deployments_that_bring_nothing_are_noted_with_the_frequency_without_them(engine):
    rows = ten(noted_deployments=[
        noted("d3", 5, "same commit"), noted("d5", 7, "same commit"), noted("d6", 8, "nothing new"),
        noted("x", 8, "same commit", "other"),
    ])  # fmt: skip
    [note] = notes(rows, engine=engine, services=["shop"])
    # 10 in 31 days are 2.26 a week, 7 are 1.58
    assert note.sentence == (
        "3 of 10 deployments (30 %) brought nothing new: 2 shipped the commit that was there "
        "already, and 1 shipped a commit with nothing new in it. Without them the frequency would "
        "be 1.58 per week."
    )
    assert note.records["deployment"].tolist() == ["d3", "d5", "d6"]
    assert (note.name, note.metrics) == ("redeployed", ("deployment_frequency",))


def test_bursts_are_noted_with_the_frequency_they_would_make_as_one(engine):
    rows = ten(noted_deployments=[noted(f"d{i}", i + 2, "soon after") for i in range(5)])
    [note] = notes(rows, engine=engine)
    assert note.sentence == (
        "5 of 10 deployments (50 %) followed within ten minutes of the one before, of the same "
        "service and environment. Counted as one with it, the frequency would be 1.13 per week."
    )


def test_a_few_among_many_and_those_of_other_windows_are_no_note():
    two = ten(noted_deployments=[noted("d3", 5, "same commit"), noted("d5", 7, "same commit")])
    assert names(notes(two)) == []
    crowd = deployed(
        *(deployment(f"d{i}", f"2026-03-{i % 28 + 1:02} {i % 24:02}:00") for i in range(100)),
        noted_deployments=[noted(f"d{i}", 5, "soon after") for i in range(4)],
    )
    assert names(notes(crowd)) == []  # 4 %
    early = [noted(f"d{i}", 5, "soon after") | {"day": date(2026, 2, 5)} for i in range(9)]
    assert names(notes(ten(noted_deployments=early))) == []


def incidents(*reopened):
    known = [
        {"source": "pager", "incident": name, "service": service, "standing": standing,
         "detected_at": at("2026-03-05 10:00")}
        for name, service, standing in [
            ("a", "shop", "counts"), ("b", "shop", "counts"), ("b", "blog", "counts"),
            ("c", "shop", "external"),
        ]
    ]  # fmt: skip
    again = [
        {"source": "pager", "incident": name, "service": service, "day": date(2026, 3, 5),
         "detected_at": at("2026-03-05 10:00"), "reopenings": 1}
        for name, service in reopened
    ]  # fmt: skip
    blog = deployment("e", "2026-03-02 10:00", "blog")
    both = (*ten()["production_deployments"], blog)
    return deployed(*both, known_incidents=known, reopened_incidents=again)


def test_an_incident_of_two_services_was_reopened_once(engine):
    rows = incidents(("b", "shop"), ("b", "blog"))
    [note] = notes(rows, engine=engine)
    assert note.sentence == (
        "1 of 2 incidents was closed and opened again. Their recovery lasts until the last close."
    )
    first = notes(rows, rules=Rules(recovery="first_close"))
    assert "until the first close, as the rules ask" in repr(first)
    assert names(notes(incidents())) == []


# February: 20 changes of 10 days each. March: 20 of 2 days, and some committed on 5 February wait.
def waiting(number, landed="2026-02-05 00:00"):
    made = [change(f"f{i}", "2026-02-20 10:00", 240) for i in range(20)]
    made += [change(f"m{i}", "2026-03-20 10:00", 48) for i in range(20)]
    made += [
        change(f"w{i}", None, 1, committed_at=at(landed), merged_at=at(landed))
        for i in range(number)
    ]
    return ten(delivered_changes=made)


def test_no_more_old_changes_than_before_are_no_note(engine):
    # at the end of February they had waited 23 days, for longer than 10, as well
    assert "tail" not in names(notes(waiting(6), engine=engine))


def test_a_tail_that_grew_is_noted(engine):
    # landed on 25 February: 3 days old when February ended, 34 when March did; usual is 10 days
    [note] = notes(waiting(6, "2026-02-25 00:00"), engine=engine)
    assert note.name == "tail"
    assert note.sentence == (
        "The median lead time fell from 10 d to 2 d, and it holds delivered changes only: 6 "
        "changes wait for longer than 10 d, which nine in ten did not take before; at the end of "
        "the window before it was 0."
    )
    assert note.records["record"].tolist() == [f"w{i}" for i in range(6)]
    assert names(notes(waiting(4, "2026-02-25 00:00"))) == []  # too few
    assert names(notes(waiting(60, "2026-03-25 00:00"))) == []  # and these are not old


def test_a_change_that_was_delivered_later_waited_then():
    late = change("late", "2026-03-15 10:00", 24 * 33)  # committed on 10 February, out in March
    rows = waiting(5, "2026-02-25 00:00")
    rows["delivered_changes"] = [*rows["delivered_changes"], late]
    [note] = notes(rows)
    assert note.sentence.endswith("at the end of the window before it was 1.")


def with_verdicts(rows, **verdicts):
    return [replace(c, verdict=verdicts.get(c.now.name, "no evidence")) for c in compared(rows)]


def test_one_that_improves_while_its_partner_worsens_is_noted():
    told = with_verdicts(ten(), lead_time="better", change_failure_rate="worse",
                         rework_rate="worse", time_to_restore="no evidence")  # fmt: skip
    [note] = Notes.of(told)
    assert note.sentence == (
        "Change lead time got better while change fail rate and deployment rework rate got worse: "
        "see whether the one was paid for with the other."
    )
    assert note.metrics == ("lead_time", "change_failure_rate", "rework_rate")
    safe = with_verdicts(ten(), change_failure_rate="better", deployment_frequency="worse")
    assert [n.metrics for n in Notes.of(safe)] == [("change_failure_rate", "deployment_frequency")]
    both = with_verdicts(ten(), lead_time="better", deployment_frequency="worse")
    assert names(Notes.of(both)) == []  # no partners: both are throughput
    doubted = with_verdicts(ten(), lead_time="better", change_failure_rate="withheld")
    assert names(Notes.of(doubted)) == []


def test_a_change_that_is_the_mix_of_services_is_noted():
    found = {n.name: n for n in notes(TEAMS)}
    assert "Mind the mix" in found["mix"].sentence
    assert found["mix"].records["service"].tolist() == ["calm", "wild"]


def test_nothing_to_note_says_what_cannot_be_seen():
    none = notes(ten())
    assert (len(none), none.unseen) == (0, words.UNSEEN)
    assert none.frame.empty
    assert list(none.frame.columns) == ["note", "metrics", "records", "sentence"]
    assert "labels that were taken off" in repr(none)
    assert len(notes({})) == 0
    assert len(Notes.of([])) == 0


def test_of_a_team_of_few_people_nothing_is_noted():
    rows = ten(
        noted_deployments=[noted(f"d{i}", i + 2, "soon after") for i in range(5)],
        team_services=[{"team": "tiny", "service": "shop", "from_day": date(1, 1, 1),
                        "until_day": date(9999, 12, 31)}],
        delivered_changes=[change("c", "2026-03-05 10:00", 5, authors=("one",))],
    )  # fmt: skip
    assert names(notes(rows, teams=["tiny"])) == ["bursts"]
    assert names(notes(rows, teams=["tiny"], least_authors=5)) == []


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (words.redeployed(4, 0, 8, "1"), "(50 %) brought nothing new: they shipped the commit"),
        (words.redeployed(0, 4, 8, "1"), "they shipped a commit with nothing new in it"),
        (words.reopened(3, 12, last_close=True), "3 of 12 incidents were closed and opened again"),
        (words.tail("2 d", "3 d", 1, 0, "9 d"), ": 1 change waits for longer than 9 d"),
    ],
)
def test_every_branch_is_a_sentence(said, part):
    assert part in said
    assert said.endswith(".")
