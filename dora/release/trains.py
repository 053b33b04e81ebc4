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


@dataclass(frozen=True, eq=False)
class Line:
    """One train of one service: what was planned, what left, and what rode on it.

    Attributes:
        service: The service.
        train: What the calendar says of it.
        planned: When it was to leave, one more than asked for at either end where there is one.
        asked: Which of these are in the window and due by now.
        departed: When it left; the largest number there is where it did not.
        extra: How many more deployments there were until the next one.
        deployments: The rows of the first deployment of each; -1 where there was none.
    """

    service: str
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
    """The trains of every service in scope."""
    planned = asked.rows(ANALYSIS.sql("planned"))
    departures = asked.rows(ANALYSIS.sql("departures"))
    whose, us = departures["service"].to_numpy(object), departures["us"].to_numpy(np.int64)
    trains = {train.name: train for train in asked.calendar.trains}
    found = []
    for service, name in sorted({*zip(planned["service"], planned["name"], strict=True)}):
        times = planned[(planned["service"] == service) & (planned["name"] == name)]
        rows = np.flatnonzero(whose == service)
        found.append(
            _line(asked, service, trains[name], times["us"].to_numpy(np.int64), us[rows], rows)
        )
    return found


def _line(asked: Asked, service: str, train: Train, planned: Ints, times: Ints, rows: Ints) -> Line:
    first, last = asked.window_us
    starts = planned - _us(train.tolerance)
    place = np.searchsorted(starts, times, side="right") - 1
    departed = np.full(len(planned), _NEVER)
    chosen = np.full(len(planned), -1)
    inside = place >= 0
    slots, first_of = np.unique(place[inside], return_index=True)
    departed[slots] = times[inside][first_of]
    chosen[slots] = rows[inside][first_of]
    extra = np.bincount(place[inside], minlength=len(planned)) - (departed != _NEVER)
    due = (planned + _us(train.tolerance) <= asked.now_us) | (departed != _NEVER)
    wanted = (planned >= first) & (planned < last) & due
    return Line(service, train, planned, wanted, departed, extra, chosen)


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
    """The changes that meant to go with trains in the window: whose, whether they missed, waits."""

    ids: Ints
    services: NDArray[np.object_]
    missed: NDArray[np.bool_]
    waits: NDArray[np.float64]

    @classmethod
    def of(cls, asked: Asked, found: list[Line]) -> _Riders:
        changes = asked.rows(ANALYSIS.sql("changes"))
        by_service = dict(tuple(changes.groupby("service", sort=False)))
        parts = [
            _ride(line, by_service[line.service]) for line in found if line.service in by_service
        ]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else []
        empty = (np.array([], np.int64), np.array([], object), np.array([], bool), np.array([]))
        return cls(*(joined or empty))


def _ride(line: Line, changes: pd.DataFrame) -> tuple[Any, ...]:
    landed = changes["landed_us"].to_numpy(np.int64)
    delivered = changes["delivered_us"].to_numpy(float, na_value=np.inf)
    meant = line.meant(landed)
    known = meant < len(line.planned)
    place = np.where(known, meant, 0)
    wanted = known & line.asked[place] if len(line.planned) else known
    went = np.isfinite(delivered)
    at = np.where(went, delivered, 0).astype(np.int64)
    missed = ~went | (line.boarded(at) > place)
    waits = np.where(went, at - landed, np.nan) / DAY_US
    ids = changes["change_id"].to_numpy(np.int64)
    services = np.full(len(changes), line.service, object)
    return tuple(column[wanted] for column in (ids, services, missed, waits))


def _riders(asked: Asked, found: list[Line]) -> Iterator[Figure]:
    riders = _Riders.of(asked, found)
    yield share_figure("missed_share", int(riders.missed.sum()), len(riders.ids), text.NO_RIDERS)
    waits = riders.waits[np.isfinite(riders.waits)]
    yield median_figure("wait_median", waits, "days", text.NO_RIDERS)
    reason = None if len(waits) else text.NO_RIDERS
    mean = float(waits.mean()) if len(waits) else None
    yield Figure("wait_mean", mean, "days", len(waits), reason=reason)
    yield _expected(found)
    yield from _by_team(asked, riders)


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


def _by_team(asked: Asked, riders: _Riders) -> Iterator[Figure]:
    """How many of each team's changes missed their train; not of teams of a few people."""
    if not asked.question.directory.teams or not len(riders.ids):
        return
    authors = asked.rows(ANALYSIS.sql("authors"))
    for team, members in asked.question.directory.teams.items():
        inside = np.isin(riders.services, [member.service for member in members])
        n = int(inside.sum())
        if not n:
            continue
        people = authors.loc[authors["change_id"].isin(riders.ids[inside]), "author"].nunique()
        if 0 < people < asked.question.least_authors:
            reason = few_people(asked.question.least_authors)
            yield Figure("missed_share", None, "share", 0, reason=reason, team=team)
        else:
            hits = int(riders.missed[inside].sum())
            yield share_figure("missed_share", hits, n, words.NOTHING_LANDED, team=team)


_BOARD = (
    *("train", "service", "planned_at", "departed_at", "slip", "state", "extra"),
    *("deployment", "version", "url"),
)


def _evidence(asked: Asked) -> pd.DataFrame:
    """One row a departure that was planned: when it left, and whether on time."""
    import pandas as pd

    from dora.metrics.tidying import tidy

    departures = asked.rows(ANALYSIS.sql("departures"))
    rows = [row for line in lines(asked) for row in _board(line, departures)]
    return tidy(pd.DataFrame(rows, columns=list(_BOARD), dtype=object))


def _board(line: Line, departures: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    for k in np.flatnonzero(line.asked):
        named = (line.train.name, line.service, _moment(line.planned[k]))
        if not line.left[k]:
            yield *named, None, None, "skipped", 0, None, None, None
            continue
        slip = int(line.slip[k])
        state = "on time" if line.on_time[k] else "late" if slip > 0 else "early"
        told = departures.loc[line.deployments[k], ["deployment", "version", "url"]]
        left = (_moment(line.departed[k]), slip / SECOND_US, state, int(line.extra[k]))
        yield *named, *left, *told


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
