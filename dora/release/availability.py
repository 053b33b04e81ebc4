"""Release availability: how much of the time we could have released, and what was ready.

A service can be released while the newest required CI runs of its default branches are green, no
freeze holds, and no incident of it is open. Time of which no run is known is unknown. A change is
ready once a required run that began after it landed has ended with the default branch green.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dora.metrics.tidying import tidy
from dora.release import readiness
from dora.release.base import Analysis, Answer, Asked
from dora.release.occurrences import DAY_US, HOUR_US
from dora.release.readiness import Service
from dora.stats.figure import Figure
from dora.words import availability as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

STATES = ("available", "red", "frozen", "blocked", "unknown")
"""What time is divided into."""


def _figures(asked: Asked) -> list[Figure]:
    found = readiness.services(asked, ANALYSIS)
    return [*_shares(found), *_spells(found), *_waiting(asked, found)]


def _shares(found: list[Service]) -> list[Figure]:
    """How much of the known time each state took, and how much of all time is unknown."""
    total = sum(one.asked.total for one in found)
    lasted = {state: sum(one.states[state].total for one in found) for state in STATES}
    known, n = total - lasted["unknown"], sum(one.known.total > 0 for one in found)
    told = [
        Figure(f"{state}_share", lasted[state] / known, "share", n, note=text.OF_KNOWN_TIME)
        if known
        else Figure(f"{state}_share", None, "share", 0, reason=text.NO_TRUNK)
        for state in STATES[:-1]
    ]
    unknown = lasted["unknown"] / total if total else None
    reason = None if total else text.NO_TIME
    return [*told, Figure("unknown_share", unknown, "share", len(found), reason=reason)]


def _spells(found: list[Service]) -> list[Figure]:
    """The longest time a default branch was red, and that nothing could be released."""
    if not any(one.known.total for one in found):
        return [
            Figure(name, None, "hours", 0, reason=text.NO_TRUNK)
            for name in ("red_longest", "closed_longest")
        ]
    red = [one.known & one.red for one in found]
    closed = [one.known - one.states["available"] for one in found]
    return [
        Figure(name, max(s.longest for s in spans) / HOUR_US, "hours", _number(spans))
        for name, spans in (("red_longest", red), ("closed_longest", closed))
    ]


def _number(spans: list[Any]) -> int:
    return sum(len(one.begins) for one in spans)


def _waiting(asked: Asked, found: list[Service]) -> list[Figure]:
    """Changes that were ready and not in production: at the end, the oldest, and on average."""
    end = _end(asked)
    found = [one for one in found if one.known.total]
    undelivered = sum(int((one.delivered > end).sum()) for one in found)
    if not found:
        units = {"waiting": "changes", "waiting_oldest": "days", "waiting_mean": "changes"}
        return [Figure(name, None, unit, 0, reason=text.NO_TRUNK) for name, unit in units.items()]
    waiting = np.concatenate([one.waiting(end) for one in found])
    n = len(waiting)
    oldest = float(end - waiting.min()) / DAY_US if n else None
    return [
        Figure("waiting", n, "changes", undelivered),
        Figure("waiting_oldest", oldest, "days", n, reason=None if n else text.NONE_WAITING),
        _mean(asked, found),
    ]


def _end(asked: Asked) -> int:
    """The last moment that is asked about."""
    return min(asked.window_us[1], asked.now_us)


def _mean(asked: Asked, found: list[Service]) -> Figure:
    """How many wait at a time, on average over the window of time."""
    begins, end = asked.window_us[0], _end(asked)
    if end <= begins:
        return Figure("waiting_mean", None, "changes", 0, reason=text.NO_TIME)
    waited, n = 0, 0
    for one in found:
        first = np.maximum(one.ready, begins)
        last = np.minimum(one.delivered, end)
        waited += int((last - first)[first < last].sum())
        n += int((first < last).sum())
    return Figure("waiting_mean", waited / (end - begins), "changes", n)


def _records(asked: Asked) -> pd.DataFrame:
    """One row a service and day: how long it was in each state, and what waited at its end."""
    import pandas as pd

    days = _days(asked)
    rows = []
    for one in readiness.services(asked, ANALYSIS):
        lasted = [np.diff(one.states[state].before(days)) / 1_000_000 for state in STATES]
        for place, end in enumerate(days[1:]):
            waiting = one.waiting(int(end))
            oldest = float(end - waiting.min()) / 1_000_000 if len(waiting) else None
            told = (float(seconds[place]) for seconds in lasted)
            counted = len(waiting) if one.known.total else None
            rows.append((one.name, _moment(days[place]), *told, counted, oldest))
    names = ["service", "begins_at", *STATES, "waiting", "waiting_oldest"]
    return tidy(pd.DataFrame(rows, columns=names, dtype=object))


def _days(asked: Asked) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where the local days of the window so far begin, and its end."""
    from dora import zones
    from dora.release.occurrences import microseconds

    window = asked.question.window
    days = asked.question.calendar.query("grain == 'window'")["day"]
    firsts = [microseconds(zones.first_instant(day, window.zone)) for day in days]
    end = _end(asked)
    return np.array([*(first for first in firsts if first < end), end], np.int64)


def _moment(us: int) -> np.datetime64:
    return np.datetime64(int(us), "us")


def _sentence(answer: Answer) -> str:
    return text.sentence({figure.name: figure for figure in answer.figures})


def _needs(asked: Asked) -> str:
    return text.needs(
        builds=bool(len(asked.question.tables.query("select 1 from trunk_checks limit 1"))),
        freezes=asked.plan.governs("freeze"),
        incidents=any(
            member.service in asked.question.directory.covered for member in asked.members
        ),
    )


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import waiting

    waiting(ax, answer.evidence, answer["waiting"].reason)


ANALYSIS = Analysis(
    name="availability",
    title="Release availability",
    about="How much of the time could we have released, and what was ready and waited?",
    models=("trunk_checks", "change_times", "known_incidents", "production_streams"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
