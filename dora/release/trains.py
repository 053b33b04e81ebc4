"""Release trains: whether they leave on time, and who misses them.

A train leaves with the first deployment, repairs apart, from its tolerance before its time until
the tolerance before the next one's. A change means to go with the first train whose cutoff comes
after it has landed; it misses that one if it is delivered with a later one, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dora.config.calendar import Train
from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.occurrences import DAY_US, SECOND_US
from dora.stats.figure import Figure
from dora.words import few_people
from dora.words import release as words
from dora.words import trains as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max
_PLANNED = """
select distinct p.name, p.from_us as us
from spans p
where p.sort = 'train'
order by p.name, p.from_us
"""


@dataclass(frozen=True, eq=False)
class Line:
    """One train of one service: what was planned, what left, and what rode on it.

    Attributes:
        service: The service.
        place: Its number among all of them.
        train: What the calendar says of it.
        planned: When it was to leave, one more than asked for at either end where there is one.
        asked: Which of these are in the window and due by now.
        departed: When it left; the largest number there is where it did not.
        extra: How many more deployments there were until the next one.
        deployments: Which of the service's deployments was the first of each; -1 for none.
    """

    service: str
    place: int
    train: Train
    planned: Ints
    asked: NDArray[np.bool_]
    departed: Ints
    extra: Ints
    deployments: Ints

    @property
    def left(self) -> NDArray[np.bool_]:
        """Which of them left."""
        return np.asarray(self.departed != _NEVER, bool)

    @cached_property
    def slip(self) -> Ints:
        """How much later than planned each left; meaningless where it did not."""
        return self.departed - self.planned

    @property
    def on_time(self) -> NDArray[np.bool_]:
        """Which left within the tolerance."""
        late = np.abs(np.where(self.left, self.slip, 0)) <= _us(self.train.tolerance)
        return np.asarray(self.left & late, bool)

    def meant(self, landed: Ints) -> Ints:
        """The train each change means to go with, by its place in the plan."""
        return np.searchsorted(self.planned - _us(self.train.cutoff), landed, side="left")

    def boarded(self, delivered: Ints) -> Ints:
        """The train each change went with; after the last one where it has not been delivered."""
        starts = self.planned - _us(self.train.tolerance)
        return np.searchsorted(starts, delivered, side="right") - 1


def _us(span: timedelta) -> int:
    return int(span.total_seconds()) * SECOND_US


def lines(asked: Asked) -> list[Line]:
    """The trains of every service in scope, in the order of services and of trains' names."""
    named = _rows(asked, "lines")
    departures = _rows(asked, "departures")
    bounds = _bounds(departures, len(named))
    us, planned = departures["us"].to_numpy(np.int64), _planned(asked)
    return [
        _line(asked, *planned[train], us[slice(*bounds[place : place + 2])], (service, place))
        for place, (service, train) in enumerate(named.itertuples(index=False))
    ]


def _rows(asked: Asked, part: str) -> pd.DataFrame:
    _load_boarding(asked)
    return asked.rows(ANALYSIS.sql(part))


def _bounds(rows: pd.DataFrame, lines: int) -> Ints:
    """Where the rows of each line begin among rows in the order of lines; their end too."""
    return np.searchsorted(rows["place"].to_numpy(np.int64), np.arange(lines + 1))


def _planned(asked: Asked) -> dict[str, tuple[Train, Ints]]:
    """The trains by their names, and when each is to leave."""
    trains = {train.name: train for train in asked.calendar.trains}
    rows = asked.rows(_PLANNED)
    return {
        str(name): (trains[str(name)], of["us"].to_numpy(np.int64))
        for name, of in rows.groupby("name", sort=True)
    }


def _line(asked: Asked, train: Train, planned: Ints, times: Ints, whose: tuple[str, int]) -> Line:
    first, last = asked.window_us
    slot = np.searchsorted(planned - _us(train.tolerance), times, side="right") - 1
    slots, first_of = np.unique(slot[slot >= 0], return_index=True)
    first_of += np.count_nonzero(slot < 0)  # the times are in order
    departed = np.full(len(planned), _NEVER)
    departed[slots] = times[first_of]
    chosen = np.full(len(planned), -1)
    chosen[slots] = first_of
    left = departed != _NEVER
    extra = np.bincount(slot[slot >= 0], minlength=len(planned)) - left
    due = (planned + _us(train.tolerance) <= asked.now_us) | left
    wanted = (planned >= first) & (planned < last) & due
    return Line(*whose, train, planned, wanted, departed, extra, chosen)


def _figures(asked: Asked) -> list[Figure]:
    if not asked.plan.governs("train"):
        return [Figure(name, None, unit, 0, reason=text.NO_TRAINS) for name, unit in _NAMES.items()]
    found = lines(asked)
    return [*_departures(found), *_riders(asked, found)]


_NAMES = {
    "planned": "departures",
    "on_time_share": "share",
    "skipped_share": "share",
    "extra_departures": "deployments",
    "slip_median": "days",
    "missed_share": "share",
    "wait_median": "days",
    "wait_mean": "days",
    "wait_expected": "days",
}
"""The figures and their units, in the order they are told."""


def _departures(found: list[Line]) -> Iterator[Figure]:
    planned = sum(int(line.asked.sum()) for line in found)
    on_time = sum(int((line.asked & line.on_time).sum()) for line in found)
    skipped = sum(int((line.asked & ~line.left).sum()) for line in found)
    extra = sum(int(line.extra[line.asked].sum()) for line in found)
    slips = np.concatenate(
        [np.array([], np.int64), *(line.slip[line.asked & line.left] for line in found)]
    )
    yield Figure("planned", planned, "departures", planned)
    yield share_figure("on_time_share", on_time, planned, text.NONE_DUE)
    yield share_figure("skipped_share", skipped, planned, text.NONE_DUE)
    yield Figure("extra_departures", extra, "deployments", planned)
    yield median_figure("slip_median", slips / DAY_US, "days", text.NONE_LEFT)


@dataclass(frozen=True, eq=False)
class _Riders:
    """The changes that meant to go with trains in the window: whose, whether they missed, waits.

    They are in the order of their lines' numbers.
    """

    ids: Ints
    places: Ints
    missed: NDArray[np.bool_]
    waits: NDArray[np.float64]

    @classmethod
    def of(cls, asked: Asked, found: list[Line]) -> _Riders:
        changes = _rows(asked, "changes")
        bounds = _bounds(changes, len(found))
        ids, landed = (changes[name].to_numpy(np.int64) for name in ("change_id", "landed_us"))
        delivered = changes["delivered_us"].to_numpy(float, na_value=np.inf)
        nothing = (np.array([], np.int64), np.array([], np.int64), np.array([], bool), np.array([]))
        parts = [nothing]
        for line in found:
            mine = slice(*bounds[line.place : line.place + 2])
            parts.append(_ride(line, ids[mine], landed[mine], delivered[mine]))
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _load_boarding(asked: Asked) -> None:
    """Make the table `boarding`: when changes landed that may be for a train in the window."""
    import pandas as pd

    first, last = asked.window_us
    rows = [
        (name, *_boarding(train, planned, first, last))
        for name, (train, planned) in _planned(asked).items()
    ]
    frame = pd.DataFrame(rows, columns=list(_BOARDING), dtype=object)
    asked.question.tables.load("boarding", frame, _BOARDING)


_BOARDING = {"name": "VARCHAR"} | dict.fromkeys(("after_us", "until_us", "opens_us"), "BIGINT")


def _boarding(train: Train, planned: Ints, first: int, last: int) -> tuple[int, int, int]:
    """After when, until when a change landed that is for a train in the window; when it opens."""
    inside = np.flatnonzero((planned >= first) & (planned < last))
    if not len(inside):
        return _NEVER, -_NEVER, _NEVER
    cutoffs = planned - _us(train.cutoff)
    after = int(cutoffs[inside[0] - 1]) if inside[0] else -_NEVER
    opens = after if inside[0] else int(planned[0]) - _us(train.tolerance)
    return after, int(cutoffs[inside[-1]]), opens


def _ride(line: Line, ids: Ints, landed: Ints, delivered: NDArray[np.float64]) -> tuple[Any, ...]:
    meant = line.meant(landed)
    known = meant < len(line.planned)
    slot = np.where(known, meant, 0)
    wanted = known & line.asked[slot] if len(line.planned) else known
    went = np.isfinite(delivered)
    moment = np.where(went, delivered, 0).astype(np.int64)
    boarded = np.where(went, line.boarded(moment), len(line.planned))
    wanted &= boarded >= 0  # what went before the first train was for none
    missed = boarded > slot
    waits = np.where(went, moment - landed, np.nan) / DAY_US
    places = np.full(len(ids), line.place)
    return tuple(column[wanted] for column in (ids, places, missed, waits))


def _riders(asked: Asked, found: list[Line]) -> Iterator[Figure]:
    riders = _Riders.of(asked, found)
    yield share_figure("missed_share", int(riders.missed.sum()), len(riders.ids), text.NO_RIDERS)
    waits = riders.waits[np.isfinite(riders.waits)]
    yield median_figure("wait_median", waits, "days", text.NO_RIDERS)
    reason = None if len(waits) else text.NO_RIDERS
    mean = float(waits.mean()) if len(waits) else None
    yield Figure("wait_mean", mean, "days", len(waits), reason=reason)
    yield _expected(found)
    yield from _by_team(asked, riders, found)


def _expected(found: list[Line]) -> Figure:
    """What changes that land evenly would wait: half a period and the cutoff, over all lines."""
    periods, waits, n = 0.0, 0.0, 0
    for line in found:
        gaps = np.diff(line.planned)[line.asked[1:]] / DAY_US
        cutoff = _us(line.train.cutoff) / DAY_US
        n += len(gaps)
        periods += float(gaps.sum())
        waits += float((gaps * (gaps / 2 + cutoff)).sum())
    if not periods:
        return Figure("wait_expected", None, "days", 0, reason=text.NONE_DUE)
    return Figure("wait_expected", waits / periods, "days", n, note=text.EVENLY)


def _by_team(asked: Asked, riders: _Riders, found: list[Line]) -> Iterator[Figure]:
    """How many of each team's changes missed their train; not of teams of a few people."""
    if not asked.question.directory.teams or not len(riders.ids):
        return
    places: dict[str, list[int]] = {}
    for line in found:
        places.setdefault(line.service, []).append(line.place)
    rode = np.bincount(riders.places)
    missed = np.bincount(riders.places[riders.missed], minlength=len(rode))
    authors = _authors(asked, riders)
    for team, members in asked.question.directory.teams.items():
        mine = {place for member in members for place in places.get(member.service, ())}
        inside = [place for place in mine if place < len(rode)]
        n, hits = int(rode[inside].sum()), int(missed[inside].sum())
        if not n:
            continue
        people = len(set[str]().union(*(authors.get(place, ()) for place in inside)))
        if 0 < people < asked.question.least_authors:
            reason = few_people(asked.question.least_authors)
            yield Figure("missed_share", None, "share", 0, reason=reason, team=team)
        else:
            yield share_figure("missed_share", hits, n, words.NOTHING_LANDED, team=team)


def _authors(asked: Asked, riders: _Riders) -> dict[int, set[str]]:
    """Who, under pseudonyms, wrote what rode on each line."""
    rows = _rows(asked, "authors")
    most = int(riders.places.max()) + 1
    theirs = rows["change_id"] * most + rows["place"]
    rode = rows[theirs.isin(riders.ids * most + riders.places) & (rows["place"] < most)]
    found: dict[int, set[str]] = {}
    for place, author in rode[["place", "author"]].drop_duplicates().itertuples(index=False):
        found.setdefault(place, set()).add(author)
    return found


_BOARD = (
    *("train", "service", "planned_at", "departed_at", "slip", "state", "extra"),
    *("deployment", "version", "url"),
)


def _evidence(asked: Asked) -> pd.DataFrame:
    """One row a departure that was planned: when it left, and whether on time."""
    import pandas as pd

    from dora.metrics.tidying import tidy

    found = lines(asked)
    bounds = _bounds(_rows(asked, "departures"), len(found))
    told = [column.tolist() for _, column in _rows(asked, "departed").items()]
    rows = [
        (*row, *(column[bounds[line.place] + k] if k >= 0 else None for column in told))
        for line in found
        for *row, k in _board(line)
    ]
    return tidy(pd.DataFrame(rows, columns=list(_BOARD), dtype=object))


def _board(line: Line) -> Iterator[tuple[Any, ...]]:
    """Each departure of a train, and last which of the service's deployments it was."""
    for k in np.flatnonzero(line.asked):
        named = (line.train.name, line.service, _moment(line.planned[k]))
        if not line.left[k]:
            yield *named, None, None, "skipped", 0, -1
            continue
        slip = int(line.slip[k])
        state = "on time" if line.on_time[k] else "late" if slip > 0 else "early"
        left = (_moment(line.departed[k]), slip / SECOND_US, state, int(line.extra[k]))
        yield *named, *left, int(line.deployments[k])


def _moment(us: int) -> np.datetime64:
    return np.datetime64(int(us), "us")


def _sentence(answer: Answer) -> str:
    return text.sentence({f.name: f for f in answer.figures if f.team is None})


def _needs(asked: Asked) -> str:
    return "" if asked.plan.governs("train") else text.NEEDS_TRAINS


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import departures

    departures(answer, ax)


ANALYSIS = Analysis(
    name="trains",
    title="Release trains",
    about="Do the trains leave on time, and who misses them?",
    models=("started_deployments", "change_times", "change_authors"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_evidence,
)
