"""Staging: whether it is like production, whether what goes out was there, and what that brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dora.metrics.tidying import tidy
from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.comparing import failure_difference, failure_rate
from dora.release.drift import Drifts
from dora.release.occurrences import DAY_US, HOUR_US
from dora.stats.figure import Figure
from dora.words import staging as words
from dora.words.release import NONE_JUDGED, NOTHING_STARTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BANDS = {
    "under_1h": (0, HOUR_US),
    "1h_to_1d": (HOUR_US, DAY_US),
    "1d_to_7d": (DAY_US, 7 * DAY_US),
    "over_7d": (7 * DAY_US, np.inf),
}
"""How long something was on staging before it went out."""


def _figures(asked: Asked) -> list[Figure]:
    rows = asked.rows(ANALYSIS.sql("strata"))
    rows = rows.astype({"repair": bool, "soak_us": float, "judged": int, "failed": int})
    drifts = Drifts(asked, ANALYSIS)
    figures = [
        *_skips(rows),
        *_rates(rows),
        *_escapes(rows),
        *_apart(drifts, min(asked.now_us, asked.window_us[1])),
    ]
    if not _needs(asked):
        return figures
    return [f if f.value is not None else replace(f, reason=words.NO_STAGING) for f in figures]


def _skips(rows: pd.DataFrame) -> Iterator[Figure]:
    """How many were never on staging, and how long the others had been there."""
    told = rows[rows["state"].isin(["passed", "skipped"])]
    otherwise = words.NONE_TOLD if len(rows) else NOTHING_STARTED
    for name, some in (
        ("skipped_share", told),
        ("repairs_skipped_share", told[told["repair"]]),
    ):
        skipped = int((some["state"] == "skipped").sum())
        yield share_figure(name, skipped, len(some), otherwise)
    unknown = int((rows["state"] == "unknown").sum())
    yield Figure("unknown", unknown, "deployments", len(rows))
    soaks = rows["soak_us"].dropna().to_numpy(float) / DAY_US
    yield median_figure("soak_median", soaks, "days", words.NONE_PASSED)


def _rates(rows: pd.DataFrame) -> Iterator[Figure]:
    """Change fail rate with and without staging, and by how long it soaked; repairs left out."""
    told = rows[rows["state"].isin(["passed", "skipped"])]
    passed = (told["state"] == "passed").astype(bool)
    yield failure_rate("failure_rate_staged", told[passed])
    yield failure_rate("failure_rate_skipped", told[~passed])
    yield failure_difference("skip_difference", told.assign(passed=passed), "passed")
    for name, (least, most) in _BANDS.items():
        inside = (rows["soak_us"] >= least) & (rows["soak_us"] < most)
        yield failure_rate(f"failure_rate_soak_{name}", rows[inside])


def _escapes(rows: pd.DataFrame) -> Iterator[Figure]:
    """Failed production deployments that staging had let pass."""
    told = rows[rows["state"].isin(["passed", "skipped"])]
    if not told["judged"].sum():
        yield Figure("escapes", None, "deployments", 0, reason=NONE_JUDGED)
        yield Figure("escape_share", None, "share", 0, reason=NONE_JUDGED)
        return
    failed = told[told["failed"] == 1]
    escaped = int((failed["state"] == "passed").sum())
    yield Figure("escapes", escaped, "deployments", len(failed))
    yield share_figure("escape_share", escaped, len(failed), words.NONE_FAILED)


def _apart(drifts: Drifts, end_us: int) -> Iterator[Figure]:
    """Commits on staging alone and on production alone: at the end, and on average over the window.

    Args:
        drifts: What is apart, of each service.
        end_us: The end of the window so far.
    """
    now = [drift for drift in drifts.all if drift.ahead is not None]
    known = [drift for drift in drifts.all if drift.known_us]
    for side in ("ahead", "behind"):
        total = sum(len(getattr(drift, side)) for drift in now)
        yield _commits(f"{side}_now", total, len(now))
        spent = (getattr(drift, f"{side}_us") / drift.known_us for drift in known)
        yield _commits(f"{side}_mean", sum(spent), len(known))
    alone = drifts.alone()
    ahead = alone.loc[alone["state"] == "ahead", "us"]
    if not len(ahead):
        reason = words.NOTHING_AHEAD if now else words.NOT_COMPARABLE
        yield Figure("ahead_oldest", None, "days", 0, reason=reason)
    else:
        yield Figure("ahead_oldest", (end_us - int(ahead.min())) / DAY_US, "days", len(now))


def _commits(name: str, value: float, n: int) -> Figure:
    if not n:
        return Figure(name, None, "commits", 0, reason=words.NOT_COMPARABLE)
    return Figure(name, value, "commits", n)


def _records(asked: Asked) -> pd.DataFrame:
    """Each deployment and whether it had been on staging; then the commits on one side alone."""
    import pandas as pd

    told = asked.rows(ANALYSIS.sql("evidence"))
    told.insert(6, "soak", told.pop("soak_us").astype("Float64") / 1_000_000)
    commits = Drifts(asked, ANALYSIS).alone().drop(columns="us").astype(object)
    both = pd.concat([told, commits], ignore_index=True) if len(commits) else told
    columns = [*told.columns, "repository", "sha"]
    return tidy(both.reindex(columns=columns).astype({"soak": "Float64"}))


def _sentence(answer: Answer) -> str:
    return words.sentence({figure.name: figure for figure in answer.figures})


def _needs(asked: Asked) -> str:
    seen = asked.rows(ANALYSIS.sql("environments"))["n"].iloc[0]
    return "" if int(seen) else words.NEEDS_STAGING


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.plots import palette
    from dora.release.pictures import shares

    figures = [
        ("staging skipped", answer["failure_rate_skipped"]),
        ("had been on staging", answer["failure_rate_staged"]),
        *((words.BANDS[band], answer[f"failure_rate_soak_{band}"]) for band in _BANDS),
    ]
    shares(ax, figures, palette.now().hue("change_failure_rate"))
    ax.set_ylabel("change fail rate, repairs left out")


ANALYSIS = Analysis(
    name="staging",
    title="Staging",
    about="Is staging like production, is it skipped, and does passing it spare us failures?",
    models=(
        *("started_deployments", "staged_deployments", "staged_steps"),
        *("staged_contents", "kindred_commits"),
    ),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
