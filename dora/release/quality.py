"""Quality before production: what CI says, how soon and how reliably, and where faults are stopped.

Everything goes by the commits that were first built in the window of time. Runs that were cancelled
or skipped say nothing and are left out; how many is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dora.metrics.tidying import tidy
from dora.release import checks, trunk
from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.occurrences import HOUR_US, MINUTE_US
from dora.stats.figure import Figure
from dora.words import quality as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PLACES = ("ci", "review", "staging", "canary", "production")
"""Where faults are stopped, in the order a change comes by."""


def _figures(asked: Asked) -> list[Figure]:
    checks.load(asked)
    flakes = asked.rows(ANALYSIS.sql("flakes"))
    commits = asked.rows(ANALYSIS.sql("commits")).set_index("state")
    told = commits["n"].to_dict()
    passed, failed = (int(told.get(state, 0)) for state in ("passed", "failed"))
    return [
        share_figure("first_pass_share", passed, passed + failed, text.NONE_BUILT),
        *_signals(asked),
        *_flaky(flakes),
        *_red(asked),
        *_stopped(asked, int(commits["heard"].sum()), int(commits["stopped"].sum())),
        _left_out(flakes, int(told.get("unknown", 0))),
    ]


def _signals(asked: Asked) -> list[Figure]:
    """How long it takes until the first required check says something, in minutes."""
    minutes = asked.rows(ANALYSIS.sql("signals"))["us"].to_numpy(float) / MINUTE_US
    n = len(minutes)
    p90 = float(np.quantile(minutes, 0.9)) if n else None
    return [
        median_figure("signal_median", minutes, "minutes", text.NONE_ENDED),
        Figure("signal_p90", p90, "minutes", n, reason=None if n else text.NONE_ENDED),
    ]


def _flaky(rows: pd.DataFrame) -> list[Figure]:
    """Checks that both failed and passed on one commit, and how long their failures ran."""
    judged, flaky, timed, lost = (
        int(rows[name].sum()) for name in ("judged", "flaky", "timed", "lost_us")
    )
    reason = None if judged else text.NONE_BUILT
    if flaky and not timed:
        reason = text.NONE_TIMED
    lost_minutes = None if reason else lost / MINUTE_US
    return [
        share_figure("flaky_share", flaky, judged, text.NONE_BUILT),
        Figure("flaky_minutes", lost_minutes, "minutes", timed, reason=reason),
    ]


def _red(asked: Asked) -> list[Figure]:
    """How much of the known time the default branches were red, and the longest spell of it."""
    since, until = asked.window_us
    runs = asked.rows(ANALYSIS.sql("trunk"), since_us=since, until_us=until)
    found = trunk.trunks(asked, runs).values()
    known = sum(one.known.total for one in found)
    n = sum(one.known.total > 0 for one in found)
    if not known:
        return [
            Figure("red_share", None, "share", 0, reason=text.NO_TRUNK),
            Figure("red_longest", None, "hours", 0, reason=text.NO_TRUNK),
        ]
    spells = sum(len(one.red.begins) for one in found)
    share = sum(one.red.total for one in found) / known
    longest = max(one.red.longest for one in found) / HOUR_US
    return [
        Figure("red_share", share, "share", n, note=text.OF_KNOWN_TIME),
        Figure("red_longest", longest, "hours", spells),
    ]


def _stopped(asked: Asked, heard: int, in_ci: int) -> list[Figure]:
    """What was stopped where; a place that facts know nothing of is unknown."""
    counted = {"ci": (heard, in_ci)}
    [(n, stopped)] = asked.rows(ANALYSIS.sql("reviewed")).itertuples(index=False)
    counted["review"] = (int(n), int(stopped))
    for part in ("before", "after"):
        for place, n, stopped in asked.rows(ANALYSIS.sql(part)).itertuples(index=False):
            others, before = counted.get(place, (0, 0))
            counted[place] = (others + int(n), before + int(stopped))
    known = {place: counted[place] for place in PLACES if counted.get(place, (0, 0))[0]}
    return [*(_place(place, known) for place in PLACES), _contained(known)]


def _place(place: str, known: Mapping[str, tuple[int, int]]) -> Figure:
    name, unit = f"stopped_{place}", text.UNITS[place]
    if place not in known:
        return Figure(name, None, unit, 0, reason=text.UNKNOWN[place])
    n, stopped = known[place]
    return Figure(name, stopped, unit, n)


def _contained(known: Mapping[str, tuple[int, int]]) -> Figure:
    """The share of all that was stopped that did not get as far as production."""
    before = [place for place in PLACES[:-1] if place in known]
    if "production" not in known or not before:
        reason = text.UNKNOWN["production"] if before else text.NOTHING_BEFORE
        return Figure("contained_share", None, "share", 0, reason=reason)
    kept = sum(known[place][1] for place in before)
    figure = share_figure(
        "contained_share", kept, kept + known["production"][1], text.NOTHING_STOPPED
    )
    unknown = [place for place in PLACES if place not in known]
    return text.without(figure, unknown)


def _left_out(rows: pd.DataFrame, unknown: int) -> Figure:
    cancelled, running = (int(rows[name].sum()) for name in ("cancelled", "running"))
    note = text.left_out(cancelled, running, unknown)
    return Figure("left_out", cancelled + running, "runs", cancelled + running, note=note)


def _needs(asked: Asked) -> str:
    if not checks.load(asked):
        return text.NEEDS_BUILDS
    return "" if asked.calendar.checks else text.ALL_CHECKS


def _sentence(answer: Answer) -> str:
    return text.sentence({figure.name: figure for figure in answer.figures})


def _records(asked: Asked) -> pd.DataFrame:
    """One row a commit and required check: what it said first, and whether it was flaky."""
    checks.load(asked)
    rows = asked.rows(ANALYSIS.sql("evidence"))
    return tidy(rows.astype({"flaky": bool}))


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import counts

    counts(ax, [(text.PLACES[place], answer[f"stopped_{place}"]) for place in PLACES])
    ax.set_ylabel("stopped there")


ANALYSIS = Analysis(
    name="quality",
    title="Quality before production",
    about="How good and how quick is the word of CI, and where are faults stopped?",
    models=("ci_runs", "trunk_checks", "started_deployments"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
