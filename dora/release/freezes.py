"""Freezes: whether they are kept, and whether they pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dora import stats
from dora.metrics.tidying import tidy
from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.comparing import crude_difference
from dora.release.occurrences import DAY_US
from dora.stats.figure import Figure
from dora.words import release as words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def _figures(asked: Asked) -> list[Figure]:
    if not asked.plan.governs("freeze"):
        return [
            Figure(name, None, unit, 0, reason=words.NO_FREEZES) for name, unit in _NAMES.items()
        ]
    spans = asked.rows(ANALYSIS.sql("spans"))
    phases = asked.rows(ANALYSIS.sql("phases"))
    lasted = float((spans["until_us"] - spans["from_us"]).sum()) / DAY_US
    return [
        Figure("freezes", len(spans), "freezes", len(spans)),
        Figure("freeze_days", lasted, "days", len(spans)),
        *_kept(asked),
        _balance(asked),
        _waited(asked),
        *_thaw(phases),
    ]


_NAMES = {
    "freezes": "freezes",
    "freeze_days": "days",
    "violations": "deployments",
    "exemptions": "deployments",
    "violation_share": "share",
    "incident_ratio": "times",
    "change_days_waited": "days",
    "batch_thaw": "changes",
    "batch_otherwise": "changes",
    "failure_rate_thaw": "share",
    "failure_rate_otherwise": "share",
    "thaw_difference": "points",
}
"""The figures and their units, in the order they are told."""


def _kept(asked: Asked) -> list[Figure]:
    """What went out in a freeze, and how much of it nothing excuses."""
    excuses = excused(asked)
    n, unexcused = len(excuses), int((excuses["excuse"].isna()).sum())
    return [
        Figure("violations", unexcused, "deployments", n),
        Figure("exemptions", n - unexcused, "deployments", n),
        share_figure("violation_share", unexcused, n, words.KEPT),
    ]


def excused(asked: Asked) -> pd.DataFrame:
    """What went out in freezes, each once, with its `excuse`: label, repair or incident."""
    rows = tidy(asked.rows(ANALYSIS.sql("evidence")))  # nothing is None, not a number
    exempt = {
        entry.name: {label.casefold() for label in entry.exempt} for entry in asked.calendar.freezes
    }
    excuses = []
    for freeze, labels, kind, amid in zip(
        rows["freeze"], rows["labels"], rows["rework_kind"], rows["amid_incident"], strict=True
    ):
        has = {label.strip().casefold() for label in str(labels or "").split(",")}
        by_label = bool(has & exempt.get(freeze, set()))
        excuses.append("label" if by_label else "repair" if kind else "incident" if amid else None)
    told = rows.assign(excuse=np.array([*excuses, None], dtype=object)[:-1])
    keys = ["deployment", "service", "environment", "started_at"]
    # In two freezes at once, it is excused where both excuse it.
    told = told.sort_values("excuse", na_position="first", kind="stable")
    return told.drop_duplicates(keys).sort_values(keys)


def _balance(asked: Asked) -> Figure:
    """Incidents in frozen time against those of as much time before it, per service and day."""
    counted = asked.rows(ANALYSIS.sql("incidents")).set_index("phase")["n"].to_dict()
    exposed = asked.rows(ANALYSIS.sql("exposure")).set_index("phase")["us"].to_dict()
    frozen, before = (int(counted.get(phase, 0)) for phase in ("frozen", "before"))
    days = [float(exposed.get(phase) or 0) / DAY_US for phase in ("frozen", "before")]
    n = frozen + before
    if not any(member.service in asked.question.directory.covered for member in asked.members):
        return Figure("incident_ratio", None, "times", n, reason=words.NO_INCIDENT_SOURCE)
    if not n or not all(days):
        return Figure("incident_ratio", None, "times", n, reason=words.NO_INCIDENT_EITHER_WAY)
    low, high = stats.poisson_ratio_interval(frozen, days[0], before, days[1])
    if not before:
        return Figure("incident_ratio", None, "times", n, float(low), None, words.NONE_BEFORE)
    value = frozen / days[0] / (before / days[1])
    return Figure("incident_ratio", value, "times", n, float(low), float(high))


def _waited(asked: Asked) -> Figure:
    found = asked.rows(ANALYSIS.sql("waits"))
    n, us = int(found["n"].iloc[0]), found["us"].iloc[0]
    days = float(us) / DAY_US if n else 0.0
    return Figure("change_days_waited", days, "days", n)


def _thaw(phases: pd.DataFrame) -> list[Figure]:
    """Size and failure rate in the five days after a freeze, and otherwise."""
    sides = {name: phases[phases["phase"] == name] for name in ("thaw", "otherwise")}
    counted = {
        name: (int(rows["failed"].sum()), int(rows["judged"].sum())) for name, rows in sides.items()
    }
    return [
        *(_batch(f"batch_{name}", rows) for name, rows in sides.items()),
        *(
            share_figure(f"failure_rate_{name}", *counted[name], words.NONE_JUDGED)
            for name in sides
        ),
        crude_difference("thaw_difference", sides["thaw"], sides["otherwise"]),
    ]


def _batch(name: str, rows: pd.DataFrame) -> Figure:
    sizes = np.repeat(rows["changes"].to_numpy(np.int64), rows["n"].to_numpy(np.int64))
    return median_figure(name, sizes.astype(float), "changes", words.NOTHING_STARTED)


def _sentence(answer: Answer) -> str:
    return words.freezes({figure.name: figure for figure in answer.figures})


def _needs(asked: Asked) -> str:
    return "" if asked.plan.governs("freeze") else words.NEEDS_FREEZES


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.plots import palette
    from dora.release.pictures import shares

    figures = [
        ("in the five days after a freeze", answer["failure_rate_thaw"]),
        ("otherwise", answer["failure_rate_otherwise"]),
    ]
    shares(ax, figures, palette.now().hue("change_failure_rate"))
    ax.set_ylabel("change fail rate")


ANALYSIS = Analysis(
    name="freezes",
    title="Freezes",
    about="Are freezes kept, do they spare us incidents, and what comes after them?",
    models=("started_deployments", "change_times", "known_incidents"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
)
