"""Immutability: whether what was tried is what goes out, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dora.release.base import Analysis, Answer, Asked, share_figure
from dora.stats.figure import Figure
from dora.words import immutability as words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

RECOVERIES = ("rollback", "revert", "fix forward", "flag off", "incident resolved")
"""What ends a failure."""


def _figures(asked: Asked) -> list[Figure]:
    rows = asked.rows(ANALYSIS.sql("kinds"))
    return [*_artifacts(rows), *_hands(rows), *_recoveries(asked)]


def _artifacts(rows: pd.DataFrame) -> Iterator[Figure]:
    """How much ran on staging as it is: by digest where that tells, else by commit."""
    of = rows.groupby("artifact")["n"].sum().to_dict()
    same, rebuilt = int(of.get("same digest", 0)), int(of.get("rebuilt", 0))
    yield share_figure("same_digest_share", same, same + rebuilt, words.NO_DIGEST)
    commit, other = int(of.get("same commit", 0)), int(of.get("other commit", 0))
    yield share_figure("same_commit_share", commit, commit + other, words.NO_COMMIT)
    yield Figure("unknown", int(of.get("unknown", 0)), "deployments", int(rows["n"].sum()))


def _hands(rows: pd.DataFrame) -> Iterator[Figure]:
    """What was changed by hand, and what was taken back without anybody asking."""
    yield _stated("manual_share", rows, "manual", words.NOT_MANUAL)
    rollbacks = rows[rows["rollback"] == 1]
    n = int(rollbacks["n"].sum())
    yield Figure("rollbacks", n, "deployments", n)
    otherwise = words.NOT_AUTOMATIC if n else words.NO_ROLLBACK
    yield _stated("automatic_rollback_share", rollbacks, "automatic", otherwise)


def _stated(name: str, rows: pd.DataFrame, column: str, otherwise: str) -> Figure:
    """The share for which a column is true, of those of which the facts say it."""
    known = rows[rows[column].notna()]
    hits = known.loc[known[column].astype(bool), "n"].sum()
    return share_figure(name, int(hits), int(known["n"].sum()), otherwise)


def _recoveries(asked: Asked) -> Iterator[Figure]:
    found = asked.rows(ANALYSIS.sql("recoveries")).set_index("kind")["n"].to_dict()
    n = int(sum(found.values()))
    for kind in RECOVERIES:
        name = f"recovered_by_{kind.replace(' ', '_')}_share"
        yield share_figure(name, int(found.get(kind, 0)), n, words.NO_RECOVERY)


def _sentence(answer: Answer) -> str:
    return words.sentence({figure.name: figure for figure in answer.figures}, RECOVERIES)


def _needs(asked: Asked) -> str:
    rows = asked.rows(ANALYSIS.sql("kinds"))
    digests = rows["artifact"].isin(["same digest", "rebuilt"]).any()
    lacking = {
        "digest": not digests,
        "manual": bool(rows["manual"].isna().all()),
        "automatic": bool(rows.loc[rows["rollback"] == 1, "automatic"].isna().all()),
    }
    return words.needs([name for name, lacks in lacking.items() if lacks])


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.plots import palette
    from dora.release.pictures import shares

    figures = [
        (kind, answer[f"recovered_by_{kind.replace(' ', '_')}_share"]) for kind in RECOVERIES
    ]
    shares(ax, figures, palette.now().hue("time_to_restore"))
    ax.set_ylabel("share of recoveries")


ANALYSIS = Analysis(
    name="immutability",
    title="Immutability",
    about="Does what was tried on staging go out unchanged, and how are failures taken back?",
    models=("started_deployments", "production_artifacts", "recovered_deployments"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
)
