"""Flags against histories written by hand, on both engines."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import pytest

from dora.words import flags as text
from tests.metrics.harness import at, change, deployed
from tests.release.harness import ask, started

NOW = at("2026-04-01 00:00")
KINDS = {
    "environment_kinds": [
        {"environment": "production", "tier": "", "kind": "production"},
        {"environment": "staging", "tier": "", "kind": "staging"},
    ],
    "production_kinds": [{"kind": "production"}],
    "flag_services": [{"stated": name, "service": name} for name in ("shop", "search")],
}


def flag(key: str, when: str, share: float, **more: Any) -> dict[str, Any]:
    return {
        "source": "flags",
        "id": f"{key}/{when}/{share}/{more.get('environment', '')}",
        "flag": key,
        "environment": "production",
        "service": "shop",
        "changed_at": at(when),
        "share": share,
        **more,
    }


def behind(name: str, labels: str, delivered: str, days: float, number: int) -> dict[str, Any]:
    """A change whose pull request has these labels."""
    made = change(name, delivered, days * 24, pull_request_id=number)
    return made | {"number": number, "labels": labels}


def asked(engine, *flags: dict[str, Any], changes=(), calendar="", as_of=NOW, **more: Any):
    pulls = [
        {
            "pull_request_id": one["number"],
            "repository": "org/shop",
            "number": one["number"],
            "labels": one["labels"],
        }
        for one in changes
        if "number" in one
    ]
    tables = {
        **KINDS,
        "flag_changes": flags,
        "delivered_changes": changes,
        "pull_requests": pulls,
        "pull_request_times": pulls,
        **more,
    }
    rows = deployed(started("d", "2026-03-01 10:00"), **tables)
    return ask("flags", rows, calendar, engine=engine, as_of=as_of)


def test_what_is_deployed_is_released_when_its_flag_is_on_for_all(engine):
    """Delivered on the 3rd, a day after it was committed.

    On for a part on the 4th, for all on the 5th, off on the 6th and on again on the 8th: released
    on the 5th, two days after its delivery and three after it was committed.
    """
    history = [
        flag("basket", "2026-03-01 00:00", 0, action="created"),
        flag("basket", "2026-03-03 12:00", 1, environment="staging"),
        flag("basket", "2026-03-04 00:00", 0.2),
        flag("basket", "2026-03-05 00:00", 1),
        flag("basket", "2026-03-06 00:00", 0),
        flag("basket", "2026-03-08 00:00", 1),
    ]
    changes = [
        behind("a", "ui,flag:Basket", "2026-03-03 00:00", 1, 1),
        change("of no flag", "2026-03-03 00:00", 24),
        behind("other", "flag:unheard", "2026-03-03 00:00", 1, 2),
    ]
    answer = asked(engine, *history, changes=changes)
    assert (answer["flagged_share"].value, answer["flagged_share"].n) == (1 / 3, 3)
    assert answer["deployed_median"].value == pytest.approx(1)
    assert answer["released_median"].value == pytest.approx(3)
    assert answer["dark_median"].value == pytest.approx(2)
    early = asked(engine, *history, changes=changes, calendar="[calendar]\nreleased_share = 0.2\n")
    assert early["dark_median"].value == pytest.approx(1)


def test_what_is_delivered_while_its_flag_is_on_is_released_at_once(engine):
    """On the 7th it is off again, so that what goes out then is dark until the 8th."""
    history = [
        flag("basket", "2026-03-05 00:00", 1),
        flag("basket", "2026-03-06 00:00", 0),
        flag("basket", "2026-03-08 00:00", 1),
    ]
    changes = [
        behind("while on", "basket", "2026-03-05 12:00", 1, 1),
        behind("while off", "basket", "2026-03-07 00:00", 1, 2),
        behind("after", "basket", "2026-03-20 00:00", 1, 3),
    ]
    answer = asked(engine, *history, changes=changes)
    assert answer["dark_median"].value == pytest.approx(0)
    assert answer["dark_now"].value == 0
    only = asked(engine, *history, changes=changes[1:2])
    assert only["dark_median"].value == pytest.approx(1)


def test_what_is_never_released_waits_and_is_not_dropped(engine):
    """Dark for 1 and 2 days, and two still so after 11 and 29: half are released after 2 to 11.

    Kaplan and Meier: 3 of 4 are dark after one day, half after two; as that half lasts, and no
    later one is released, the middle of it is not known, and two days are the first at half.
    """
    flags_ = [
        flag("one", "2026-03-04 00:00", 1),
        flag("two", "2026-03-05 00:00", 1),
        flag("segment", "2026-03-04 00:00", 0.5),
    ]
    changes = [
        behind("a", "flag:one", "2026-03-03 00:00", 1, 1),
        behind("b", "flag:two", "2026-03-03 00:00", 1, 2),
        behind("c", "flag:segment", "2026-03-03 00:00", 1, 3),
        behind("d", "flag:segment", "2026-03-21 00:00", 1, 4),
    ]
    answer = asked(engine, *flags_, changes=changes)
    found = answer["dark_median"]
    assert (found.value, found.n, found.note) == (pytest.approx(2), 4, text.still(2))
    assert (answer["dark_now"].value, answer["dark_now"].n) == (2, 4)
    dark = asked(engine, *flags_, changes=changes[2:])
    assert (dark["dark_median"].value, dark["dark_median"].reason) == (None, text.NOT_REACHED)
    assert dark["deployed_median"].value == pytest.approx(1)


def test_what_goes_out_once_its_flag_is_gone_is_not_behind_it(engine):
    """A flag that was removed before it was on for all ends the waiting: dark for ten days then."""
    history = [
        flag("basket", "2026-03-02 00:00", 0.5),
        flag("basket", "2026-03-13 00:00", 0, action="removed"),
    ]
    changes = [
        behind("a", "basket", "2026-03-03 00:00", 1, 1),
        behind("takes it out", "basket", "2026-03-14 00:00", 1, 2),
    ]
    answer = asked(engine, *history, changes=changes)
    assert (answer["dark_median"].value, answer["dark_median"].n) == (None, 1)


def test_flags_are_owed_until_they_are_removed(engine):
    """Four flags lived for 10 and 20 days, and have been there for 40 and 50.

    Half are removed after 20 days. Of the two that are there one is stale: it has been on for all
    since it was created; the other is on for a part.
    """
    history = [
        flag("short", "2026-03-01 00:00", 1, action="created"),
        flag("short", "2026-03-11 00:00", 0, action="removed"),
        flag("longer", "2026-03-01 00:00", 1),
        flag("longer", "2026-03-21 00:00", 0, action="removed"),
        flag("stale", "2026-02-20 00:00", 1),
        flag("part", "2026-02-10 00:00", 0.5),
    ]
    answer = asked(engine, *history)
    assert (answer["flags"].value, answer["flags"].n) == (2, 4)
    assert (answer["stale_share"].value, answer["stale_share"].n) == (1 / 2, 2)
    assert answer["stale_oldest"].value == pytest.approx(40)
    assert answer["removed_median"].value == pytest.approx(20)
    assert answer["removed_median"].note == text.still(2)
    told = answer.evidence.set_index("flag")
    assert told["days"].to_dict() == {"short": 10, "longer": 20, "stale": 40, "part": 50}
    assert list(told.index[told["stale"].astype(bool)]) == ["stale"]
    axes = matplotlib.figure.Figure().subplots()
    answer.plot(axes)
    assert list(axes.lines[0].get_ydata()) == pytest.approx([1, 0.75, 0.5, 0.5])


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ([("2026-03-02 00:00", 1)], 1),  # thirty days old, and as long all on
        ([("2026-03-02 00:01", 1)], 0),  # not yet thirty days old
        ([("2026-02-01 00:00", 1), ("2026-03-25 00:00", 0)], 1),  # seven days all off
        ([("2026-02-01 00:00", 1), ("2026-03-25 00:01", 0)], 0),
        ([("2026-02-01 00:00", 1), ("2026-02-02 00:00", 0.9)], 0),
    ],
)
def test_a_flag_is_stale_when_it_is_old_and_has_not_moved_for_a_week(engine, changes, stale):
    answer = asked(engine, *(flag("f", when, share) for when, share in changes))
    assert answer["stale_share"].value == stale
    meant_to_stay = [flag("f", when, share, temporary=False) for when, share in changes]
    assert asked(engine, *meant_to_stay)["stale_share"].value == 0


def test_a_flag_is_stale_by_what_it_is_in_production(engine):
    """All on in production for 60 days; that it moved on a test system yesterday is no matter."""
    on = flag("f", "2026-01-31 00:00", 1)
    tried = flag("f", "2026-03-31 00:00", 0, environment="staging")
    answer = asked(engine, on, tried)
    assert answer["stale_share"].value == 1
    assert "1 flag is there; 100 % (21–100) are stale, the oldest of them 60 days old." in (
        answer.sentence
    )
    assert asked(engine, tried)["stale_share"].value == 0


def test_a_flag_that_is_made_anew_is_there(engine):
    history = [
        flag("f", "2026-03-01 00:00", 1),
        flag("f", "2026-03-05 00:00", 0, action="removed"),
        flag("f", "2026-03-09 00:00", 1, action="created"),
    ]
    answer = asked(engine, *history)
    assert answer["flags"].value == 1
    assert answer["removed_median"].reason == text.NOT_REACHED


def test_a_flag_that_is_archived_and_deleted_later_ended_when_it_was_archived(engine):
    """Made on the 1st, archived on the 11th, deleted on the 21st: it lived for ten days.

    What is delivered on the 15th is not behind it any more.
    """
    history = [
        flag("f", "2026-03-01 00:00", 0.5),
        flag("f", "2026-03-11 00:00", 0, action="removed"),
        flag("f", "2026-03-21 00:00", 0, action="removed"),
    ]
    changes = [
        behind("while it was there", "flag:f", "2026-03-05 00:00", 1, 1),
        behind("afterwards", "flag:f", "2026-03-15 00:00", 1, 2),
    ]
    answer = asked(engine, *history, changes=changes)
    assert answer["removed_median"].value == pytest.approx(10)
    assert (answer["flags"].value, answer["dark_median"].n) == (0, 1)


def test_what_goes_out_between_two_lives_of_a_flag_is_behind_none(engine):
    """Removed on the 5th and made anew on the 9th; what went out on the 3rd waited for two days,
    what went out on the 10th is dark for one day, until the flag is on for all."""
    history = [
        flag("f", "2026-03-01 00:00", 0.5),
        flag("f", "2026-03-05 00:00", 0, action="removed"),
        flag("f", "2026-03-09 00:00", 0, action="created"),
        flag("f", "2026-03-11 00:00", 1),
    ]
    changes = [
        behind("in its first life", "flag:f", "2026-03-03 00:00", 1, 1),
        behind("between", "flag:f", "2026-03-07 00:00", 1, 2),
        behind("in its second life", "flag:f", "2026-03-10 00:00", 1, 3),
    ]
    answer = asked(engine, *history, changes=changes)
    assert (answer["flagged_share"].value, answer["dark_median"].n) == (2 / 3, 2)
    first, second = (asked(engine, *history, changes=[changes[which]]) for which in (0, 2))
    assert (first["dark_median"].value, first["dark_median"].reason) == (None, text.NOT_REACHED)
    assert second["dark_median"].value == pytest.approx(1)


def test_a_flag_that_reaches_one_segment_after_the_other_is_released_with_the_last(engine):
    """A tenth of the users on the 3rd, half on the 5th, all on the 9th: dark for six days, and for
    two where half of the users are enough."""
    history = [
        flag("f", "2026-03-03 00:00", 0.1),
        flag("f", "2026-03-05 00:00", 0.5),
        flag("f", "2026-03-09 00:00", 1),
    ]
    changes = [behind("a", "flag:f", "2026-03-03 00:00", 1, 1)]
    assert asked(engine, *history, changes=changes)["dark_median"].value == pytest.approx(6)
    half = asked(engine, *history, changes=changes, calendar="[calendar]\nreleased_share = 0.5\n")
    assert half["dark_median"].value == pytest.approx(2)


def test_an_interval_that_is_open_above_says_so(engine):
    """Two of four dark for 1 and 2 days, the others for 11 and 29 so far: nobody knows the end."""
    flags_ = [
        flag("one", "2026-03-04 00:00", 1),
        flag("two", "2026-03-05 00:00", 1),
        flag("segment", "2026-03-04 00:00", 0.5),
    ]
    changes = [
        behind("a", "flag:one", "2026-03-03 00:00", 1, 1),
        behind("b", "flag:two", "2026-03-03 00:00", 1, 2),
        behind("c", "flag:segment", "2026-03-03 00:00", 1, 3),
        behind("d", "flag:segment", "2026-03-21 00:00", 1, 4),
    ]
    answer = asked(engine, *flags_, changes=changes)
    assert answer["released_median"].high is None
    assert "released after 3 days (2 or more)" in answer.sentence


def incident(name: str, detected: str, resolved: str | None, **more: Any) -> dict[str, Any]:
    return {
        "source": "pager",
        "incident": name,
        "service": "shop",
        "standing": "counts",
        "detected_at": at(detected),
        "resolved_at": at(resolved) if resolved else None,
        **more,
    }


def test_incidents_that_end_after_a_flag_is_turned_off_by_how_long_after(engine):
    """Ends 10 minutes, 50 minutes and 5 hours after a flag went off; of the others one has no flag
    turned off, in one it was off before it began, and in one a flag was removed."""
    history = [
        flag("f", "2026-03-02 09:00", 1),
        flag("f", "2026-03-02 10:50", 0),
        flag("g", "2026-03-03 10:10", 0),  # on until then as far as is known
        flag("f", "2026-03-04 05:00", 0.5),
        flag("f", "2026-03-04 06:00", 0),
        flag("f", "2026-03-04 06:30", 0),  # it was off already
        flag("h", "2026-03-05 10:30", 0, service="search"),
        flag("i", "2026-03-06 10:30", 0, environment="staging"),
        flag("j", "2026-03-07 09:59", 0),
        flag("k", "2026-03-08 10:30", 0, action="removed"),
    ]
    days = {2: "2026-03-02 10:00", 3: "2026-03-03 10:00", 4: "2026-03-04 05:30"}
    incidents = [
        incident(f"I{day}", days.get(day, f"2026-03-{day:02d} 10:00"), f"2026-03-{day:02d} 11:00")
        for day in range(2, 9)
    ]
    incidents.append(incident("open", "2026-03-02 10:00", None))
    answer = asked(engine, *history, known_incidents=incidents)
    found = {n: answer[f"switched_off_{n}"] for n in ("15m", "1h", "4h", "24h")}
    assert {name: round(f.value * 7) for name, f in found.items()} == {
        "15m": 1, "1h": 2, "4h": 2, "24h": 3,
    }  # fmt: skip
    assert {f.n for f in found.values()} == {7}


def test_without_flags_it_says_what_it_needs(engine):
    answer = asked(engine, known_incidents=[incident("I", "2026-03-02 10:00", "2026-03-02 11:00")])
    assert {f.reason for f in answer.figures} == {text.NONE_FLAGGED, text.NO_FLAGS}
    assert answer.sentence == text.NEEDS_FLAGS


def test_of_what_is_delivered_no_share_is_told_while_no_flag_is_known(engine):
    delivered = change("a", "2026-03-03 00:00", 24)
    unknown = asked(engine, changes=[delivered])["flagged_share"]
    assert (unknown.value, unknown.reason) == (None, text.NO_FLAGS)
    known = asked(engine, flag("basket", "2026-03-01 00:00", 0), changes=[delivered])
    assert (known["flagged_share"].value, known["flagged_share"].n) == (0, 1)


def test_without_labels_it_says_so(engine):
    answer = asked(engine, flag("f", "2026-03-02 09:00", 1))
    assert answer.needs == text.NEEDS_LABELS
