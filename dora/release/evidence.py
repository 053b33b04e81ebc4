"""Evidence: which controls each production deployment passed, and every exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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

_KEY = ["source", "deployment", "service", "environment"]


def judged(asked: Asked) -> pd.DataFrame:
    """Every deployment with what each control says of it: passed, exception, unknown, none."""
    rows = asked.rows(ANALYSIS.sql("deployments"))
    changes = asked.rows(ANALYSIS.sql("changes"))
    rows = rows.merge(changes, on=_KEY, how="left")
    counts = list(changes.columns[len(_KEY) :])
    rows[counts] = rows[counts].astype(float).fillna(0).astype(int)
    said = rows.to_dict("records")
    checks, excuses = _Checks(asked), _excuses(asked)
    columns: dict[str, list[str]] = {
        "reviewed": [_reviewed(row) for row in said],
        "checks": [checks.of(row) for row in said],
        "staging": [_STAGED[row["staged"]] for row in said],
        "window": [_window(row) for row in said],
        "freeze": [_freeze(row, excuses) for row in said],
        "linked": [_linked(row) for row in said],
    }
    return rows.assign(**columns)


_STAGED = {"passed": "passed", "skipped": "exception", "unknown": "unknown", "none": "none"}


def _reviewed(row: Mapping[Any, Any]) -> str:
    """Whether another person had approved all that it delivers before that was merged."""
    if not row["changes"]:
        return _nothing_delivered(row)
    if row["approved"] == row["changes"]:
        return "passed"
    known = not row["pulls_unknown"] and not row["reviews_unknown"]
    return "exception" if known else "unknown"


def _linked(row: Mapping[Any, Any]) -> str:
    """Whether it says what it repairs, or all that it delivers came by a pull request."""
    if row["states_repair"]:
        return "passed"
    if not row["changes"]:
        return _nothing_delivered(row)
    if row["pulled"] == row["changes"]:
        return "passed"
    return "unknown" if row["pulls_unknown"] else "exception"


def _nothing_delivered(row: Mapping[Any, Any]) -> str:
    """A deployment again or back has nothing to review; what else it is, is not known."""
    return "none" if row["known"] and not row["baseline"] else "unknown"


def _window(row: Mapping[Any, Any]) -> str:
    if not row["has_windows"]:
        return "none"
    return "passed" if row["inside"] else "exception"


def _freeze(row: Mapping[Any, Any], excuses: Mapping[tuple[Any, ...], bool]) -> str:
    if not row["has_freezes"]:
        return "none"
    excused = excuses.get((row["deployment"], row["service"], row["environment"]))
    if not row["frozen"] or excused or row["amid_incident"] or isinstance(row["rework_kind"], str):
        return "passed"
    # Of a freeze that began before the window it is not known which labels it exempts.
    return "unknown" if excused is None and isinstance(row["labels"], str) else "exception"


def _excuses(asked: Asked) -> dict[tuple[Any, ...], bool]:
    """What went out in a freeze that begins in the window, and whether something excuses it."""
    if not asked.plan.governs("freeze"):
        return {}
    rows = freezes.excused(asked)
    keys = zip(rows["deployment"], rows["service"], rows["environment"], strict=True)
    return dict(zip(keys, rows["excuse"].notna().tolist(), strict=True))


class _Checks:
    """What CI had said of the deployed commits when their deployments started."""

    def __init__(self, asked: Asked) -> None:
        rows = asked.rows(ANALYSIS.sql("runs"))
        self._wanted = [patterns.wildcard((one,)) for one in asked.calendar.checks]
        self._built = set(asked.rows(ANALYSIS.sql("built"))["repository"])
        self._said: dict[tuple[Any, ...], dict[str, bool]] = {}
        keys = zip(*(rows[name] for name in _KEY), strict=True)
        for key, name, green in zip(keys, rows["name"], rows["green"], strict=True):
            self._said.setdefault(key, {})[name] = bool(green)

    def of(self, row: Mapping[Any, Any]) -> str:
        """Whether all that is required was green; of an unbuilt repository that is unknown."""
        said = self._said.get(tuple(row[name] for name in _KEY), {})
        if not self._wanted:
            required = [list(said.values())]
        else:
            required = [[said[name] for name in said if w.match(name)] for w in self._wanted]
        if all(ran and all(ran) for ran in required):
            return "passed"
        if not any(required) and (not self._wanted or row["repository"] not in self._built):
            return "unknown"
        return "exception" if row["known"] else "unknown"


def _figures(asked: Asked) -> list[Figure]:
    rows = judged(asked)
    shares = []
    for control in CONTROLS:
        said = rows[control]
        n, unknown = int((said != "none").sum()), int((said == "unknown").sum())
        figure = share_figure(
            f"{control}_share", int((said == "passed").sum()), n, words.REASONS[control]
        )
        shares.append(replace(figure, note=words.unknown(unknown)))
    held = rows[list(CONTROLS)].isin(["passed", "none"]).all(axis=1)
    complete = share_figure("complete_share", int(held.sum()), len(rows), NOTHING_STARTED)
    return [complete, *shares]


def _records(asked: Asked) -> pd.DataFrame:
    """One row a deployment: what each control says of it, and its exceptions by name."""
    rows = judged(asked)
    exceptions = [
        ", ".join(
            f"{control}: unknown" if row[control] == "unknown" else control
            for control in CONTROLS
            if row[control] in ("exception", "unknown")
        )
        for row in rows.to_dict("records")
    ]
    told = ["deployment", "service", "environment", "started_at", "version", "repository", "sha"]
    rows = rows.assign(exceptions=exceptions)
    return tidy(rows[[*told, *CONTROLS, "exceptions", "url"]].copy())


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

    figures = [(words.NAMES[control], answer[f"{control}_share"]) for control in CONTROLS]
    shares(ax, figures, palette.now().other)
    ax.set_ylabel("share of deployments that passed")


ANALYSIS = Analysis(
    name="evidence",
    title="Evidence",
    about="Which controls did each production deployment pass, and where are the exceptions?",
    models=(
        *("started_deployments", "staged_deployments", "production_steps"),
        *("delivered_changes", "known_incidents", "ci_runs"),
    ),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
