"""Which way of releasing a service in fact follows, told from when it deploys.

No calendar is needed. Repairs are left out, and the rest is held against four ways of releasing, in
this order:

* *continuous*: most days with a deployment follow right on another;
* *trains*: half of the lengths between departures, or more, are within a quarter of the usual one,
  which is five days or longer; by chance it would be one in six. Where versions tell patches
  (1.4.2 mends 1.4.0), these are no departures;
* *windows*: four in five deployments fall into twelve hours of the week or fewer;
* *irregular*: none of these.

Beside it, a pause at the same time of several years is a *blackout*.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dora import zones
from dora.metrics.tidying import tidy
from dora.release.base import Analysis, Answer, Asked, share_figure
from dora.release.occurrences import DAY_US, HOUR_US
from dora.stats.figure import Figure
from dora.stats.rhythm import fewest_cells, rhythm
from dora.words import strategy as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WAYS = ("continuous", "trains", "windows", "irregular")

LEAST = 12
"""Fewer deployments than this follow nothing that could be told."""
LEAST_IN_WINDOWS = 40
"""Fewer would fit into a few hours of the week by chance."""
FEW_HOURS = 12
REGULAR = 0.5
LEAST_APART, MOST_APART = 5.0, 1.5
"""Days: trains leave at least so far apart, continuous deployments at most."""
LEAST_PAUSE, LONGER = 7.0, 3.0
"""A pause has so many days, and so many times the length that nine in ten stay below."""

_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
_PATCH = re.compile(r"\d+\.\d+\.(\d+)")


@dataclass(frozen=True, slots=True)
class Follows:
    """What a service follows.

    Attributes:
        service: The service.
        way: windows, trains, continuous or irregular; None where too little is known.
        n: How many deployments it is told from.
        usual_days: The usual length between them, in days.
        regular: The share of lengths within a quarter of it.
        hours: The fewest hours of the week that hold four in five of them.
        blackouts: How many pauses came again a year later.
    """

    service: str
    way: str | None
    n: int
    usual_days: float
    regular: float
    hours: int
    blackouts: int


def follow(service: str, us: Ints, zone: str, *, departures: Ints | None = None) -> Follows:
    """What a service follows, from the times of its deployments in microseconds.

    Args:
        service: Its name.
        us: When it deployed.
        zone: By whose clock.
        departures: Those of them that are no patches; all where nobody can tell.
    """
    left = rhythm((us if departures is None else departures) / DAY_US)
    days = rhythm(np.unique(us // DAY_US).astype(float))
    hours = fewest_cells(np.bincount(_hours_of_week(us, zone), minlength=168))
    way: str | None = None
    if len(us) >= LEAST:
        if days.usual <= MOST_APART:
            way = "continuous"
        elif left.n >= LEAST and left.regular >= REGULAR and left.usual >= LEAST_APART:
            way = "trains"
        elif len(us) >= LEAST_IN_WINDOWS and hours <= FEW_HOURS:
            way = "windows"
        else:
            way = "irregular"
    told = left if way == "trains" else days
    pauses = _blackouts(np.sort(us) / DAY_US)
    return Follows(service, way, len(us), told.usual, told.regular, hours, pauses)


def _hours_of_week(us: Ints, zone: str) -> Ints:
    local = us + np.array([_offset(int(hour), zone) for hour in us // HOUR_US], np.int64)
    return (local // HOUR_US + 24 * _EPOCH_WEEKDAY) % 168


@lru_cache(maxsize=100_000)
def _offset(hour: int, zone: str) -> int:
    """How far a zone is from UTC in an hour since 1970, in microseconds."""
    moment = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zones.zone(zone))
    shift = moment.utcoffset()
    return int(shift.total_seconds()) * 1_000_000 if shift else 0


def _blackouts(days: NDArray[np.float64]) -> int:
    """How many long pauses have another about a year after, give or take two weeks."""
    gaps = np.diff(days)
    if len(gaps) < LEAST:
        return 0
    long = gaps >= max(LEAST_PAUSE, LONGER * float(np.quantile(gaps, 0.9)))
    middles = days[:-1][long] + gaps[long] / 2
    return sum(bool(np.any(np.abs(middles - middle - 365.25) <= 14)) for middle in middles)


def patches(versions: Iterable[Any]) -> NDArray[np.bool_]:
    """Which versions are patches of another; none where most versions tell no such thing."""
    numbers = [_PATCH.search(v) if isinstance(v, str) else None for v in versions]
    if sum(found is not None for found in numbers) <= len(numbers) / 2:
        return np.zeros(len(numbers), bool)
    return np.array([found is not None and int(found[1]) > 0 for found in numbers], bool)


def followed(asked: Asked) -> list[Follows]:
    """What every service in scope follows."""
    rows = asked.rows(ANALYSIS.sql("deployments"))
    rows = rows[~rows["repair"].astype(bool)]
    names, us = rows["service"].to_numpy(object), rows["us"].to_numpy(np.int64)
    versions = rows["version"].to_numpy(object)
    zone = asked.question.window.zone
    found = []
    for name, rows_of in sorted(rows.groupby(names).indices.items()):
        departures = us[rows_of][~patches(versions[rows_of])]
        found.append(follow(str(name), us[rows_of], zone, departures=departures))
    return found


def _figures(asked: Asked) -> list[Figure]:
    found = followed(asked)
    told = Counter(one.way for one in found if one.way)
    known = sum(told.values())
    return [
        *(share_figure(f"{way}_share", told[way], known, text.TOO_FEW) for way in WAYS),
        share_figure(
            "blackout_share",
            sum(one.blackouts > 0 for one in found if one.way),
            known,
            text.TOO_FEW,
        ),
        *_goes_with(asked, {one.service: one.way for one in found}),
    ]


def _goes_with(asked: Asked, ways: dict[str, str | None]) -> Iterator[Figure]:
    """The change fail rate of the services that follow each way, pooled."""
    rows = asked.rows(ANALYSIS.sql("deployments"))
    by = rows["service"].map(ways)
    for way in WAYS:
        mine = rows[by == way]
        n, failed = int(mine["judged"].sum()), int(mine["failed"].sum())
        yield share_figure(f"failure_rate_{way}", failed, n, text.NONE_JUDGED)


def _records(asked: Asked) -> pd.DataFrame:
    """One row a service: what it follows, and by which signs."""
    import pandas as pd

    rows = [
        (f.service, f.way, f.n, f.usual_days, f.regular, f.hours, f.blackouts)
        for f in followed(asked)
    ]
    names = ["service", "follows", "n", "usual_days", "regular", "hours", "blackouts"]
    return tidy(pd.DataFrame(rows, columns=names, dtype=object))


def _sentence(answer: Answer) -> str:
    found = followed(answer.asked)
    if len(found) == 1 and found[0].way is not None:
        only = found[0]
        said = text.one(only.service, found[0].way, only.usual_days, only.regular, only.hours)
        return f"{said} {text.PAUSES}" if only.blackouts else said
    ways = {way: [one.service for one in found if one.way == way] for way in WAYS}
    return text.several(ways, sum(one.way is None for one in found))


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.plots import palette
    from dora.release.pictures import shares

    figures = [(way, answer[f"failure_rate_{way}"]) for way in WAYS]
    shares(ax, figures, palette.now().hue("change_failure_rate"))
    ax.set_ylabel("change fail rate")


ANALYSIS = Analysis(
    name="strategy",
    title="Ways of releasing",
    about="Which way of releasing does each service in fact follow, and what goes with it?",
    models=("started_deployments",),
    figures=_figures,
    sentence=_sentence,
    draw=_draw,
    records=_records,
)
