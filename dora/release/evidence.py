"""Evidence: which controls each production deployment passed, and every exception."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dora import patterns
from dora.metrics.tidying import tidy
from dora.release import freezes
from dora.release.base import Analysis, Answer, Asked, share_figure
from dora.stats.figure import Figure
from dora.words import evidence as words
from dora.words.release import NOTHING_STARTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CONTROLS = ("reviewed", "checks", "staging", "window", "freeze", "linked")
"""What is looked at for each deployment, in the order in which it happens."""

_EXCUSED = {
    **dict.fromkeys(("deployment", "service", "environment"), "VARCHAR"),
    "excused": "INTEGER",
}
_WANTED = {"pattern": "INTEGER", "name": "VARCHAR", "stated": "INTEGER"}


def _rows(asked: Asked, part: str) -> pd.DataFrame:
    asked.question.tables.load("excused", _excused(asked), _EXCUSED)
    asked.question.tables.load("wanted_checks", _wanted(asked), _WANTED)
    return asked.rows(ANALYSIS.sql(part))


def _excused(asked: Asked) -> pd.DataFrame:
    """What went out in a freeze that begins in the window, and whether something excuses it."""
    import pandas as pd

    if not asked.plan.governs("freeze"):
        return pd.DataFrame(columns=list(_EXCUSED), dtype=object)
    rows = freezes.excused(asked)
    rows = rows.assign(excused=rows["excuse"].notna().astype(int))
    return rows[list(_EXCUSED)].drop_duplicates(list(_EXCUSED)[:-1], keep="last")


def _wanted(asked: Asked) -> pd.DataFrame:
    """Which checks each pattern asks for; where none is stated, all that ran belong to one."""
    import pandas as pd

    known = asked.rows("select distinct r.name from ci_runs r order by r.name")["name"].tolist()
    stated = asked.calendar.checks
    rows = []
    for number, pattern in enumerate(stated or ("*",)):
        wanted = patterns.wildcard((pattern,))
        names = [name for name in known if wanted.match(name)]
        rows += [(number, name, int(bool(stated))) for name in names or [None]]
    return pd.DataFrame(rows, columns=list(_WANTED), dtype=object)


def _figures(asked: Asked) -> list[Figure]:
    rows = _rows(asked, "counts")
    counts, started = rows["n"].astype(int), bool(len(rows))
    shares = []
    for control in CONTROLS:
        states = counts.groupby(rows[control]).sum().to_dict()
        n, unknown = sum(states.values()) - states.get("none", 0), states.get("unknown", 0)
        name, reason = f"{control}_share", words.REASONS[control] if started else NOTHING_STARTED
        if n and n == unknown:
            shares.append(Figure(name, None, "share", int(n), reason=words.NOT_KNOWN))
            continue
        figure = share_figure(name, int(states.get("passed", 0)), int(n), reason)
        shares.append(replace(figure, note=words.unknown(int(unknown))))
    held = rows[list(CONTROLS)].isin(["passed", "none"]).all(axis=1)
    passed, n = int(counts[held].sum()), int(counts.sum())
    return [share_figure("complete_share", passed, n, NOTHING_STARTED), *shares]


def _records(asked: Asked) -> pd.DataFrame:
    """One row a deployment: what each control says of it, and its exceptions by name."""
    return tidy(_rows(asked, "evidence"))


def _sentence(answer: Answer) -> str:
    return words.sentence({figure.name: figure for figure in answer.figures}, CONTROLS)


def _needs(asked: Asked) -> str:
    lacking = [
        sort
        for sort, there in (
            ("[[calendar.windows]]", asked.plan.governs("window")),
            ("[[calendar.freezes]]", asked.plan.governs("freeze")),
            ("checks in [calendar]", bool(asked.calendar.checks)),
        )
        if not there
    ]
    return words.needs(lacking)


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.plots import palette
    from dora.release.pictures import shares

    rows = _rows(answer.asked, "counts")
    figures = []
    for control in CONTROLS:
        unknown = int(rows.loc[rows[control] == "unknown", "n"].sum())
        beside = f"\n{unknown:,} unknown" if unknown else ""
        figures.append((f"{words.NAMES[control]}{beside}", answer[f"{control}_share"]))
    shares(ax, figures, palette.now().other)
    ax.set_ylabel("share of deployments that passed")


ANALYSIS = Analysis(
    name="evidence",
    title="Evidence",
    about="Which controls did each production deployment pass, and where are the exceptions?",
    models=(
        *("started_deployments", "staged_deployments", "production_steps"),
        *("change_times", "pull_request_times", "known_incidents", "ci_runs"),
    ),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
