"""Which cells records fall in, worked out by hand on three days of three services."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from dora.metrics.placing import Placing
from dora.metrics.scopes import Member, Scope

FIRST = date(2026, 1, 4)
WHOLE = Scope("all", members=(Member("api"), Member("web"), Member("job")))
RED = Scope("team", team="red", members=(Member("api", until_day=date(2026, 1, 5)),))
BLUE = Scope(
    "team",
    team="blue",
    members=(Member("web"), Member("api", from_day=date(2026, 1, 5))),
)
# 4 January 2026 is a Sunday: the window is period 0, the week before period 1, the next period 2
WINDOW, WEEKS = np.array([0, 0, 0]), np.array([1, 2, 2])


@pytest.fixture
def placing():
    return Placing.of([WHOLE, RED, BLUE], FIRST, [WINDOW, WEEKS], 3, frozenset({0}))


def counted(placing, frame):
    found = [cells[cells >= 0] for cells in placing.cells(frame)]
    return np.bincount(np.concatenate(found), minlength=9).reshape(3, 3).tolist()


def records(placing, rows):
    places = [placing.services.index(service) for service, _ in rows]
    days = [day for _, day in rows]
    return pd.DataFrame({"place": places, "day": days, "us": range(len(rows))})


def test_a_record_is_in_every_scope_that_its_service_was_in_that_day(placing):
    rows = records(placing, [("api", 0), ("api", 1), ("web", 0), ("job", 2)])
    everything, red, blue = counted(placing, rows)
    assert everything == [4, 2, 2]
    assert red == [0, 1, 0], "api left the team on the second day"
    assert blue == [0, 1, 1], "web always, api from the second day on"


def test_only_the_first_scope_has_the_window_itself(placing):
    of_scopes = pd.DataFrame({"scope_id": [0, 1, 2, 2], "day": [0, 0, 1, 2], "us": [1, 2, 3, 4]})
    assert counted(placing, of_scopes) == [[1, 1, 0], [0, 1, 0], [0, 0, 2]]


def test_records_of_services_and_of_scopes_are_ranked_together(placing):
    services = records(placing, [("api", 0), ("web", 0)]).assign(us=[5, 9])
    scopes = pd.DataFrame({"scope_id": [0, 2], "day": [0, 0], "us": [7, 1]})
    groups = placing.grouped([services, scopes], 9)
    first_week, blue = 1, 7
    assert [groups.ranked(np.full(9, rank))[first_week] for rank in (1, 2, 3)] == [5, 7, 9]
    assert [groups.ranked(np.full(9, rank))[blue] for rank in (1, 2)] == [1, 9]
    assert groups.counts.tolist() == [3, 3, 0, 0, 1, 0, 0, 2, 0]


def test_no_scope_has_a_service():
    empty = Placing.of([Scope("team", team="new")], FIRST, [WINDOW], 1, frozenset())
    none = pd.DataFrame({"place": [], "day": [], "us": []}, dtype="int64")
    assert empty.grouped([none], 1).counts.tolist() == [0]


def test_counts_are_summed_over_the_services_of_a_scope(placing):
    rows = records(placing, [("api", 0), ("api", 1), ("web", 0), ("web", 0), ("job", 2)])
    rows["hits"] = [0, 2, 1, 0, 3]
    sums = placing.counted([rows], ("hits",))["hits"].reshape(3, 3).tolist()
    assert sums == [
        [6, 1, 5],
        [0, 0, 0],  # api's two are of the day after it left
        [0, 1, 2],
    ]


def test_counts_of_scopes_are_added_to_those_of_services(placing):
    rows = records(placing, [("web", 0)]).assign(hits=1)
    of_scopes = pd.DataFrame({"scope_id": [0, 1, 1], "day": [0, 0, 2], "hits": [1, 1, 1]})
    sums = placing.counted([rows, of_scopes], ("hits",))["hits"].reshape(3, 3).tolist()
    assert sums == [[2, 2, 0], [0, 1, 1], [0, 1, 0]]
    nothing = rows.iloc[:0]
    assert placing.counted([nothing], ("hits",))["hits"].tolist() == [0] * 9


def test_gaps_run_from_one_record_of_a_scope_to_the_next(placing):
    """From the last one before the window on; in a team while the service is in it."""
    told = [("web", -3, 10), ("api", 0, 50), ("web", 1, 75), ("api", 1, 80), ("job", 2, 81)]
    rows = records(placing, [(service, day) for service, day, _ in told])
    rows["us"] = [us for _, _, us in told]
    gaps = placing.gaps(rows.sample(frac=1, random_state=1), 9)
    found = [
        [gaps.ranked(np.full(9, rank))[cell] for rank in range(1, gaps.counts[cell] + 1)]
        for cell in range(9)
    ]
    everything, red, blue = found[:3], found[3:6], found[6:]
    assert everything == [[1, 5, 25, 40], [40], [1, 5, 25]]
    assert red == [[], [], []], "api was the only one of the team, once"
    assert blue == [[], [], [5, 65]], "web at 10 and 75, then api at 80"


def test_a_day_counts_once_however_many_services_have_a_record(placing):
    rows = records(placing, [("api", 1), ("web", 1), ("web", 1), ("job", 2), ("api", 0)])
    assert placing.days(rows).reshape(3, 3).tolist() == [[3, 1, 2], [0, 1, 0], [0, 0, 1]]
