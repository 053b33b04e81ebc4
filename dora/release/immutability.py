"""Immutability: whether what was tried is what goes out, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dora.release import recoveries
from dora.release.base import Analysis, Answer, Asked, share_figure
from dora.stats.figure import Figure
from dora.words import immutability as words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def _figures(asked: Asked) -> list[Figure]:
    rows = asked.rows(ANALYSIS.sql("kinds"))
    return [
        *_artifacts(rows),
        *_hands(asked, rows),
        *_rollbacks(rows),
        *_recoveries(asked),
        *recoveries.figures(_lengths(asked)),
    ]


def _artifacts(rows: pd.DataFrame) -> Iterator[Figure]:
    """How much ran on staging as it is: by digest where that tells, else by commit."""
    of = rows.groupby("artifact")["n"].sum().to_dict()
    same, rebuilt = int(of.get("same digest", 0)), int(of.get("rebuilt", 0))
    yield share_figure("same_digest_share", same, same + rebuilt, words.NO_DIGEST)
    commit, other = int(of.get("same commit", 0)), int(of.get("other commit", 0))
    yield share_figure("same_commit_share", commit, commit + other, words.NO_COMMIT)
    yield Figure("unknown", int(of.get("unknown", 0)), "deployments", int(rows["n"].sum()))


def _hands(asked: Asked, rows: pd.DataFrame) -> Iterator[Figure]:
    """How much was changed by hand, of all changes: deployments, and manual changes without one."""
    changes = asked.rows(ANALYSIS.sql("changes")).iloc[0]
    alone = int(changes["n"])
    by_hand = alone + _true(rows, "manual")
    unknown = int(rows.loc[rows["manual"].isna(), "n"].sum())
    n = alone + int(rows["n"].sum())
    if not changes["ever"]:
        yield share_figure("manual_share", by_hand, n - unknown, words.NOT_MANUAL)
    elif unknown:
        yield _between("manual_share", by_hand, unknown, n)
    else:
        yield share_figure("manual_share", by_hand, n, words.NO_CHANGE)
    told = changes["ever"] or n > unknown
    yield share_figure(
        "manual_share_at_least", by_hand, n if told else 0,
        words.NO_CHANGE if changes["ever"] else words.NOT_MANUAL,
    )  # fmt: skip
    reason = None if changes["ever"] else words.NOT_RECORDED
    yield Figure("manual_changes", alone if changes["ever"] else None, "changes", n, reason=reason)


def _between(name: str, hits: int, unknown: int, n: int) -> Figure:
    """A share of which only the ends are known: none of the unknown ones, or all of them."""
    from dora import stats

    low, high = stats.wilson_interval(hits, n)[0], stats.wilson_interval(hits + unknown, n)[1]
    return Figure(
        name, None, "share", n, float(low), float(high), reason=words.partly_manual(unknown)
    )


def _rollbacks(rows: pd.DataFrame) -> Iterator[Figure]:
    """What was taken back, and how much of it without anybody asking."""
    rollbacks = rows[rows["rollback"] == 1]
    n = int(rollbacks["n"].sum())
    yield Figure("rollbacks", n, "deployments", n)
    otherwise = words.NOT_AUTOMATIC if n else words.NO_ROLLBACK
    known = int(rollbacks.loc[rollbacks["automatic"].notna(), "n"].sum())
    yield share_figure("automatic_rollback_share", _true(rollbacks, "automatic"), known, otherwise)


def _true(rows: pd.DataFrame, column: str) -> int:
    """Of how many deployments the facts say so; what they do not say is not counted."""
    known = rows[rows[column].notna()]
    return int(known.loc[known[column].astype(bool), "n"].sum())


def _recoveries(asked: Asked) -> Iterator[Figure]:
    found = asked.rows(ANALYSIS.sql("recoveries")).set_index("kind")["n"].to_dict()
    n = int(sum(found.values()))
    for kind in recoveries.KINDS:
        name = f"recovered_by_{kind.replace(' ', '_')}_share"
        yield share_figure(name, int(found.get(kind, 0)), n, words.NO_RECOVERY)


def _lengths(asked: Asked) -> recoveries.Lengths:
    return recoveries.lengths(asked.rows(ANALYSIS.sql("lengths")), asked.now_us)


def _sentence(answer: Answer) -> str:
    return words.sentence({figure.name: figure for figure in answer.figures}, recoveries.KINDS)


def _needs(asked: Asked) -> str:
    rows = asked.rows(ANALYSIS.sql("kinds"))
    digests = rows["artifact"].isin(["same digest", "rebuilt"]).any()
    lacking = {
        "digest": not digests,
        "manual": bool(rows["manual"].isna().all())
        and not asked.rows(ANALYSIS.sql("changes"))["ever"].iloc[0],
        "automatic": bool(rows.loc[rows["rollback"] == 1, "automatic"].isna().all()),
    }
    return words.needs([name for name, lacks in lacking.items() if lacks])


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import recovery_curves

    recovery_curves(ax, _lengths(answer.asked), answer)


ANALYSIS = Analysis(
    name="immutability",
    title="Immutability",
    about="Does what was tried on staging go out unchanged, and how are failures taken back?",
    models=(
        *("started_deployments", "production_artifacts", "recovered_deployments"),
        "manual_changes_in_production",
    ),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
)
