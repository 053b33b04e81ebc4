"""What cells are made of, and cells by scope and period: a part of `cells_in_pandas.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from history import AS_OF, DAYS, START
from scipy import stats

DAY = 86_400_000_000


def microseconds(moments: pd.Series[Any]) -> np.ndarray:
    """Since the window began."""
    values = moments.to_numpy().astype("datetime64[us]")
    return (values - np.datetime64(START.replace(tzinfo=None), "us")).astype(np.int64)


def now() -> int:
    """`as_of` on the same clock."""
    return int((AS_OF - START).total_seconds()) * 1_000_000


@dataclass
class Moments:
    """When something happened to which service, in microseconds of the window, and how long."""

    service: np.ndarray
    us: np.ndarray
    length: np.ndarray | None = None

    @property
    def day(self) -> np.ndarray:
        """The days, from 0."""
        return self.us // DAY

    def where(self, chosen: np.ndarray) -> Moments:
        """Some of them."""
        length = None if self.length is None else self.length[chosen]
        return Moments(self.service[chosen], self.us[chosen], length)


@dataclass
class Events:
    """Everything that cells are made from.

    Attributes:
        grid: The cells.
        done: Successful deployments.
        failed: Which of them failed their users.
        hotfix: Which of them were made to repair.
        attempts: Those that did not succeed.
        changes: Pull requests by delivery.
        waiting: Those not delivered, by merge.
        recoveries: Failures that are over, by their end.
        suffering: Those that are not, by their beginning.
    """

    grid: Grid
    done: Moments
    failed: np.ndarray
    hotfix: np.ndarray
    attempts: Moments
    changes: Moments
    waiting: Moments
    recoveries: Moments
    suffering: Moments


@dataclass
class Ranked:
    """Lengths cell by cell, ascending in each."""

    values: np.ndarray
    n: np.ndarray

    @classmethod
    def of_one(cls, lengths: np.ndarray) -> Ranked:
        """A single cell."""
        return cls(np.sort(lengths), np.array([len(lengths)]))

    @cached_property
    def some(self) -> np.ndarray:
        """The cells that have any."""
        return np.flatnonzero(self.n)

    @cached_property
    def first(self) -> np.ndarray:
        """Where those begin."""
        return (np.cumsum(self.n) - self.n)[self.some]

    def quantile(self, share: float) -> np.ndarray:
        """The linear quantile of each cell, in seconds."""
        place = share * (self.n[self.some] - 1)
        below = place.astype(np.int64)
        rest = place - below
        at = self.first + below
        after = self.values[np.minimum(at + 1, len(self.values) - 1)]
        found = np.full(len(self.n), np.nan)
        found[self.some] = (self.values[at] * (1 - rest) + after * rest) / 1e6
        return found

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """The exact order-statistic interval of the median, in seconds."""
        sizes, which = np.unique(self.n[self.some], return_inverse=True)
        rank = stats.binom.ppf(0.025, sizes, 0.5).astype(np.int64)
        rank += stats.binom.cdf(rank, sizes, 0.5) <= 0.025
        rank = rank[which]
        there, first, rank = (x[rank > 0] for x in (self.some, self.first, rank))
        low, high = np.full((2, len(self.n)), np.nan)
        low[there] = self.values[first + rank - 1] / 1e6
        high[there] = self.values[first + self.n[there] - rank] / 1e6
        return low, high


class Grid:
    """All services, each service and each team, a row each; by week, then by month."""

    def __init__(self, services: pd.Index, teams: pd.Index, team: np.ndarray) -> None:
        self.services, self.teams, self.team = services, teams, team
        days = np.datetime64(START.date(), "D") + np.arange(DAYS)
        months = days.astype("datetime64[M]")
        self.month = (months - months[0]).astype(np.int64)
        self.months, self.weeks = int(self.month[-1]) + 1, DAYS // 7
        each = np.unique(months)
        self.start = np.r_[days[::7], each.astype(days.dtype)]
        self.end = np.r_[days[::7] + 7, (each + 1).astype(days.dtype)]
        self.first_day, self.last_day = (
            (ends - days[0]).astype(np.int64) for ends in (self.start, self.end)
        )
        self.cut = (self.first_day < 0) | (self.last_day > DAYS)
        self.rows, self.periods = 1 + len(services) + len(teams), self.weeks + self.months
        self.by_team = np.argsort(team, kind="stable")
        self.team_starts = np.searchsorted(team[self.by_team], np.arange(len(teams)))

    def rolled(self, own: np.ndarray, how: np.ufunc = np.add) -> np.ndarray:
        """A table of services, with the rows of all and of the teams."""
        teams = how.reduceat(own[self.by_team], self.team_starts)
        return np.concatenate([how.reduce(own, axis=0)[None], own, teams])

    def counted(self, moments: Moments) -> np.ndarray:
        """How many there are in each cell."""
        service, day, wide = moments.service, moments.day, len(self.services)
        week = np.bincount(service * self.weeks + day // 7, minlength=wide * self.weeks)
        month = np.bincount(service * self.months + self.month[day], minlength=wide * self.months)
        return self.rolled(np.hstack([week.reshape(wide, -1), month.reshape(wide, -1)]))

    def whole(self, cells: np.ndarray) -> int:
        """The window's sum of all services: that of its weeks."""
        return int(cells[0, : self.weeks].sum())

    def running(self, cells: np.ndarray) -> np.ndarray:
        """The sum over each cell and those before it."""
        return np.hstack([p.cumsum(axis=1) for p in np.split(cells, [self.weeks], axis=1)])

    def days(self, moments: Moments) -> np.ndarray:
        """On how many days of each cell there is one."""
        own = np.zeros((len(self.services), DAYS), bool)
        own[moments.service, moments.day] = True
        found = self.rolled(own, np.logical_or)
        starts = np.searchsorted(self.month, np.arange(self.months))
        of_month = np.add.reduceat(found, starts, axis=1, dtype=np.int64)
        return np.hstack([found.reshape(self.rows, -1, 7).sum(axis=2), of_month])

    def _rows(self, service: np.ndarray) -> tuple[np.ndarray, ...]:
        """The rows that a service counts in."""
        first_team = 1 + len(self.services)
        return np.zeros_like(service), 1 + service, first_team + self.team[service]

    def ranked(self, moments: Moments) -> Ranked:
        """Lengths in order within each cell."""
        return self._ranked([(row, moments) for row in self._rows(moments.service)])

    def gaps(self, moments: Moments) -> Ranked:
        """Lengths between one and the next of a row, in the cell of the later."""
        bits = int(moments.us.max()).bit_length()
        pieces = []
        for row in self._rows(moments.service):
            packed = np.sort((row << bits) | moments.us)
            later = np.flatnonzero(packed[1:] >> bits == packed[:-1] >> bits) + 1
            us = packed & ((1 << bits) - 1)
            pieces.append(
                (packed[later] >> bits, Moments(row, us[later], us[later] - us[later - 1]))
            )
        return self._ranked(pieces)

    def _ranked(self, pieces: list[tuple[np.ndarray, Moments]]) -> Ranked:
        bits = max(int(m.length.max(initial=1)) for _, m in pieces).bit_length()
        sorted_pieces = []
        for row, moments in pieces:
            day, first = moments.day, row * self.periods
            cells = np.concatenate([first + day // 7, first + self.weeks + self.month[day]])
            # cell and length in one integer, which numpy sorts quickest
            packed = (cells << bits) | np.concatenate([moments.length, moments.length])
            packed.sort()
            sorted_pieces.append(packed)
        packed = np.concatenate(sorted_pieces)
        counts = np.bincount(packed >> bits, minlength=self.rows * self.periods)
        return Ranked(packed & ((1 << bits) - 1), counts)

    @property
    def places(self) -> dict[str, Any]:
        """Whose and when each cell is."""
        services, teams = len(self.services), len(self.teams)
        kind = np.repeat([0, 1, 2], [1, services, teams])
        service = np.r_[-1, np.arange(services), np.full(teams, -1)]
        team = np.r_[np.full(1 + services, -1), np.arange(teams)]
        coded = {
            "scope": (kind, ["all", "service", "team"]),
            "service": (service, self.services),
            "team": (team, self.teams),
        }
        whose = {
            name: pd.Categorical.from_codes(np.repeat(codes, self.periods), labels)
            for name, (codes, labels) in coded.items()
        }
        start, end = (ends.astype("datetime64[s]") for ends in (self.start, self.end))
        return whose | {
            "period_start": np.tile(start, self.rows),
            "period_end": np.tile(end, self.rows),
        }
