"""How long what began in a window takes, with what is not over: few records, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from dora import metrics
from dora.errors import UsageError
from dora.metrics.coverage import Coverage, Grade
from dora.metrics.survival import Survival
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

HOUR, SECOND = 3600.0, 1_000_000
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1), name="2026-02")


def begun(name, start, hours, service="shop", **given):
    """A change begun then and delivered so many hours later."""
    end = at(start) + timedelta(hours=hours)
    return change(name, end.strftime("%Y-%m-%d %H:%M"), hours, service, **given)


def waits(name, start, service="shop", **given):
    return {**change(name, None, 0, service), "committed_at": at(start), **given}


def pulled(number, start, hours, service="shop", *, given_up, out=None):
    return {
        "repository": "org/shop",
        "number": number,
        "sha": str(number),
        "service": service,
        "started_at": at(start),
        "us": int(hours * HOUR * SECOND),
        "given_up": given_up,
        "left_out": out,
    }


def shop(changes=(), **tables):
    first = deployment("first", "2026-01-15 10:00")
    return deployed(first, delivered_changes=list(changes), **tables)


def lead(rows, **given) -> Survival:
    return metrics.find("lead_time").ask(question(rows, **given)).survival()


def failure(name, failed, hours, service="shop"):
    recovered = None if hours is None else at(failed) + timedelta(hours=hours)
    return {
        "source": "ci", "deployment": name, "environment": "production", "service": service,
        "kind": "rollback", "rule": "rollback", "failed_at": at(failed), "recovered_at": recovered,
        "us": None if hours is None else int(hours * HOUR * SECOND), "open": hours is None,
    }  # fmt: skip


def test_what_began_counts_whenever_it_ended(engine):
    changes = [
        begun("a", "2026-03-02 10:00", 5),
        begun("b", "2026-03-30 10:00", 20),
        begun("before", "2026-02-20 10:00", 24 * 20),  # delivered in March, begun before
        waits("c", "2026-03-21 23:59", "shop"),
    ]
    found = lead(shop(changes), engine=engine)
    assert (found.n, found.over, found.waiting, found.given_up) == (3, 2, 1, 0)
    assert sorted(found.seconds / HOUR) == pytest.approx([5, 20, 240 + 59 / 3600])


def test_the_curve_is_kaplan_and_meiers():
    ends = [begun(f"d{h}", "2026-03-02 10:00", h) for h in (1, 2, 4, 8)]
    still = [waits(f"w{day}", f"2026-03-{day} 23:59:59") for day in (28, 29, 30)]
    found = lead(shop([*ends, *still]))
    # 7 under way: 1/7, 2/7, 3/7, 4/7, as nothing that waits has waited for less than 8 hours
    assert found.frame["over"].tolist() == pytest.approx([1 / 7, 2 / 7, 3 / 7, 4 / 7])
    assert found.frame["at_risk"].tolist() == [7, 6, 5, 4]
    assert found.median.value == 8 * HOUR
    assert found.quantiles["value"].isna().tolist() == [False, True, True]
    assert found.quantiles["told"][1].startswith("not reached")
    assert found.sentence.startswith(
        "Of 7 changes that began in 2026-03, half were delivered within 8 h (at least "
    )
    assert found.sentence.endswith("; 3 are not delivered yet.")


def test_a_median_may_not_be_reached():
    ends = [begun(f"d{h}", "2026-03-02 10:00", h) for h in (1, 2)]
    still = [waits(f"w{i}", "2026-03-10 10:00") for i in range(6)]
    found = lead(shop([*ends, *still]))
    assert found.median.value is None
    assert "2 are delivered so far, fewer than half" in found.sentence
    assert "6 are not delivered yet" in found.sentence


def test_pull_requests_that_never_landed_wait_or_were_given_up(engine):
    ends = [begun(f"d{h}", "2026-03-02 10:00", h) for h in (1, 2, 4)]
    pulls = [
        pulled(1, "2026-03-03 10:00", 3, given_up=True),
        pulled(2, "2026-03-03 10:00", 500, given_up=False),
        pulled(3, "2026-03-03 10:00", 9, given_up=True, out="bot"),
        pulled(4, "2026-02-03 10:00", 9, given_up=True),
    ]
    found = lead(shop(ends, unlanded_changes=pulls), engine=engine)
    assert (found.n, found.waiting, found.given_up) == (5, 1, 1)
    # 1/5, 2/5, then of 5 one was given up: 2/5 + (2/5 still under way) × 1/2
    assert found.curve.over.tolist() == pytest.approx([1 / 5, 2 / 5, 3 / 5])
    assert found.sentence == (
        "Of 5 changes that began in 2026-03: delivered after 1 h, 2 h and 4 h; still waiting "
        "after 21 d; given up after 3 h."
    )


def test_a_pull_request_of_several_services_counts_once_in_a_roll_up():
    both = [pulled(1, "2026-03-03 10:00", 3, name, given_up=True) for name in ("shop", "web")]
    firsts = [deployment(f"f{s}", "2026-01-15 10:00", s) for s in ("shop", "web")]
    rows = deployed(*firsts, unlanded_changes=both, delivered_changes=[])
    assert lead(rows).n == 1
    assert lead(rows, services=["web"]).n == 1


def test_before_a_services_record_begins_nothing_is_followed():
    rows = deployed(
        deployment("first", "2026-03-10 10:00"),
        delivered_changes=[
            begun("early", "2026-03-05 10:00", 24 * 9),
            begun("same day", "2026-03-10 12:00", 24),
            begun("after", "2026-03-11 12:00", 24),
        ],
    )
    assert lead(rows).n == 1


def test_what_does_not_count_in_lead_time_is_not_followed_either():
    out = ["bot", "before the record", "uncertain delivery", "negative duration"]
    changes = [{**begun(reason, "2026-03-02 10:00", 5), "left_out": reason} for reason in out]
    found = lead(shop(changes))
    assert found.n == 0
    assert found.sentence == "No change that began in 2026-03 is known."
    assert found.median.value is None
    assert len(found.frame) == 0


def test_open_failures_count_for_as_long_as_they_last(engine):
    rows = shop(
        recovered_deployments=[
            failure("a", "2026-03-02 10:00", 1),
            failure("b", "2026-03-03 10:00", 2),
            failure("c", "2026-03-30 23:59:59", None),
            failure("d", "2026-02-03 10:00", None),  # began before the window
        ]
    )
    result = metrics.find("time_to_restore").ask(question(rows, engine=engine))
    found = result.survival()
    assert sorted(found.seconds / HOUR) == [1, 2, 24]
    assert found.sentence == (
        "Of 3 failed deployments that began in 2026-03: recovered from after 1 h and 2 h; "
        "still waiting after 24 h."
    )


def month(number, hours, **given):
    return [
        begun(f"{number}.{i}", f"2026-{number:02d}-{1 + i:02d} 10:00", h)
        for i, h in enumerate(hours)
    ]


def test_two_windows_are_held_against_each_other_by_the_log_rank_test():
    slow, quick = [20 + i for i in range(12)], [2 + i for i in range(12)]
    compared = lead(shop(month(2, slow) + month(3, quick))).compare()
    assert compared.verdict == "better"
    assert compared.log_rank.statistic > 0
    assert compared.sentence.startswith(
        "Change lead time, with what is not over, got better: what began in 2026-03 takes less time"
    )
    assert lead(shop(month(2, quick) + month(3, slow))).compare(FEBRUARY).verdict == "worse"
    assert lead(shop(month(2, quick) + month(3, quick))).compare().verdict == "no evidence"
    assert lead(shop(month(2, quick) + month(3, quick[:3]))).compare().verdict == "too little data"


def test_a_doubtful_record_withholds_the_verdict(monkeypatch):
    doubtful = Grade("E", ("3 of 9 deployments have a commit that is known (33 %)",))
    monkeypatch.setattr(Coverage, "grade", lambda *_: doubtful)
    slow, quick = [20 + i for i in range(12)], [2 + i for i in range(12)]
    compared = lead(shop(month(2, slow) + month(3, quick))).compare()
    assert compared.verdict == "withheld"
    assert "3 of 9 deployments" in compared.sentence


def test_what_a_few_people_of_a_team_began_is_not_followed():
    mine = [begun(f"d{h}", "2026-03-02 10:00", h, authors=["ann", "bob"]) for h in range(1, 9)]
    ours = [{"team": "a", "service": "shop", "from_day": date(2026, 1, 1),
             "until_day": date(9999, 12, 31)}]  # fmt: skip
    rows = shop(mine, team_services=ours)
    assert lead(rows, teams=["a"]).n == 8
    hidden = lead(rows, teams=["a"], least_authors=5)
    assert (hidden.n, hidden.veiled) == (0, True)
    assert hidden.sentence.startswith("What began in 2026-03 is not told")


def test_only_lengths_of_time_have_a_curve():
    with pytest.raises(UsageError, match="no length of time"):
        metrics.find("change_failure_rate").ask(question(shop())).survival()


def test_the_picture_marks_what_waits():
    changes = [*month(3, [2, 4, 8]), waits("w", "2026-03-20 10:00"), waits("v", "2026-03-21 10:00")]
    result = metrics.find("lead_time").ask(question(shop(changes)))
    ax = result.survival().plot(Figure().subplots())
    (ticks,) = [line for line in ax.lines if line.get_gid() == "waiting"]
    assert len(ticks.get_xdata()) == 2
    assert ticks.get_ydata().tolist() == pytest.approx([3 / 5, 3 / 5])


def test_n_below_the_curve_is_what_began_not_what_was_delivered():
    changes = [*month(3, [2, 4, 8]), waits("w", "2026-03-20 10:00"), waits("v", "2026-03-21 10:00")]
    result = metrics.find("lead_time").ask(question(shop(changes)))
    assert result.n == 3
    assert "; n = 5; " in result.survival().plot(Figure().subplots()).get_xlabel().replace(
        "\n", " "
    )
    assert "; n = 5; " in result.survival()._repr_html_()


SPELLS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=12)


@settings(deadline=None, max_examples=25)
@given(SPELLS)
def test_whatever_there_is_gives_sentences_and_tables_without_a_nan(spells):
    changes, pulls = [], []
    for i, (kind, hours) in enumerate(spells):
        if kind == 0:
            changes.append(begun(f"c{i}", "2026-03-10 10:00", hours))
        elif kind == 1:
            changes.append(waits(f"c{i}", f"2026-03-{1 + hours % 28:02d} 10:00"))
        else:
            pulls.append(pulled(i, "2026-03-10 10:00", hours, given_up=kind == 2))
    found = lead(shop(changes, unlanded_changes=pulls))
    assert found.n == len(spells) == found.over + found.waiting + found.given_up
    assert not found.frame.isna().any().any()
    for text in (found.sentence, found._repr_html_(), found.compare().sentence):
        assert text
        assert "nan" not in text.casefold().replace("maintenance", "")
