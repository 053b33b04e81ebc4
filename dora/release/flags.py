"""Flags: when what is deployed is released, how long flags stay, and what turning them off mends.

A change and a flag belong together where a label of its pull request is the flag's key, or `flag:`
and the key. It is released when the flag first reaches the threshold in production, at its
delivery at the earliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dora import stats
from dora.metrics.tidying import tidy
from dora.release.base import Analysis, Answer, Asked, median_figure, share_figure
from dora.release.occurrences import DAY_US, MINUTE_US
from dora.stats.figure import Figure
from dora.words import flags as text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]

_STALE_AGE, _STALE_STILL = 30 * DAY_US, 7 * DAY_US
"""How old a flag that is stale is at least, and how long it has been all on or all off."""
_WITHIN = {"15m": 15, "1h": 60, "4h": 240, "24h": 1440}
"""How many minutes before the end of an incident a flag was turned off at most."""
NEVER = np.iinfo(np.int64).max
_GONE = -1


@dataclass(frozen=True, eq=False)
class Guarded:
    """Changes that are behind flags, delivered in the window of time.

    Attributes:
        rows: change_id, service, flag, committed_us, delivered_us of each, and ends_us: when its
            flag was removed, else now.
        released: When each was released; the largest number where it is not.
    """

    rows: pd.DataFrame
    released: Ints

    def lengths(self, since: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Days from a time to the release, so far where it is not, and whether it is."""
        over = self.released != NEVER
        ends = np.where(over, self.released, self.rows["ends_us"].to_numpy(np.int64))
        return (ends - self.rows[since].to_numpy(np.int64)) / DAY_US, over


def guarded(asked: Asked) -> Guarded:
    """Which changes are behind which flags, and when they were released."""
    states = asked.rows(ANALYSIS.sql("states")).astype({"share": float, "removed": bool})
    keys = {str(flag).casefold(): flag for flag in states["flag"]}
    rows = asked.rows(ANALYSIS.sql("deliveries"))
    rows["flag"] = [_flags(labels, keys) for labels in rows["labels"]]
    rows = rows.explode("flag").dropna(subset=["flag"]).reset_index(drop=True)
    rows["ends_us"] = _ends(states, rows, asked.now_us)
    # What is delivered once its flag is gone is not behind it: as a rule it takes it out.
    rows = rows[rows["ends_us"] != _GONE].reset_index(drop=True)
    reached = states[~states["removed"] & (states["share"] >= asked.calendar.released_share)]
    spans = dict(iter(reached.groupby(["service", "flag"], sort=False)))
    released = [
        _released(spans.get((service, flag)), int(delivered), int(end))
        for service, flag, delivered, end in zip(
            *(rows[name] for name in ("service", "flag", "delivered_us", "ends_us")), strict=True
        )
    ]
    return _last(Guarded(rows, np.array(released, np.int64)))


def _flags(labels: str, keys: dict[str, str]) -> list[str]:
    named = [label.strip().casefold() for label in labels.split(",")]
    found = {keys.get(name.removeprefix("flag:").strip()) for name in named}
    return sorted(flag for flag in found if flag is not None)


def _ends(states: pd.DataFrame, rows: pd.DataFrame, now: int) -> Ints:
    """When the flag of each change was removed after its delivery, else now; gone if before."""
    lives = {
        key: (one["us"].to_numpy(np.int64), one["removed"].to_numpy(bool))
        for key, one in states.groupby(["service", "flag"], sort=False)
    }
    ends = np.full(len(rows), now, np.int64)
    told = zip(rows["service"], rows["flag"], rows["delivered_us"], strict=True)
    for place, (service, flag, delivered) in enumerate(told):
        us, removed = lives.get((service, flag), (np.empty(0, np.int64), np.empty(0, bool)))
        before = int(np.searchsorted(us, int(delivered), side="right"))
        later = us[before:][removed[before:]]
        if before and removed[before - 1]:
            ends[place] = _GONE
        elif len(later):
            ends[place] = later[0]
    return ends


def _released(reached: pd.DataFrame | None, delivered: int, end: int) -> int:
    """The first moment, from delivery until its removal, at which the flag is at the threshold."""
    if reached is None:
        return NEVER
    begins = reached["us"].to_numpy(np.int64)
    ends = reached["until_us"].astype("Int64").fillna(NEVER).to_numpy(np.int64)
    later = np.maximum(begins, delivered)[(ends > delivered) & (begins <= end)]
    return int(later.min(initial=NEVER))


def _last(found: Guarded) -> Guarded:
    """A change behind several flags is released with the last of them."""
    rows = found.rows.assign(released=found.released)
    keys = ["change_id", "service"]
    rows = rows.sort_values("released", kind="stable").drop_duplicates(keys, keep="last")
    rows = rows.sort_values(keys).reset_index(drop=True)
    return Guarded(rows.drop(columns="released"), rows["released"].to_numpy(np.int64))


def _figures(asked: Asked) -> list[Figure]:
    found = guarded(asked)
    delivered = int(asked.rows(ANALYSIS.sql("delivered"))["n"].iloc[0])
    known = lives(asked)
    n = len(found.rows)
    days = (found.rows["delivered_us"] - found.rows["committed_us"]).to_numpy(float) / DAY_US
    return [
        share_figure("flagged_share", n, delivered, text.NONE_DELIVERED)
        if len(known[0])
        else Figure("flagged_share", None, "share", 0, reason=text.NO_FLAGS),
        median_figure("deployed_median", days, "days", text.NONE_FLAGGED),
        _waited("released_median", *found.lengths("committed_us")),
        _waited("dark_median", *found.lengths("delivered_us")),
        Figure("dark_now", int((found.released == NEVER).sum()), "changes", n)
        if n
        else Figure("dark_now", None, "changes", 0, reason=text.NONE_FLAGGED),
        *_debt(asked, *known),
        *_recoveries(asked),
    ]


def _waited(name: str, days: NDArray[np.float64], over: NDArray[np.bool_]) -> Figure:
    """A median that counts what is not released yet for as long as it has waited."""
    if not len(days):
        return Figure(name, None, "days", 0, reason=text.NONE_FLAGGED)
    return _median(name, days, over)


def _median(name: str, days: NDArray[np.float64], over: NDArray[np.bool_]) -> Figure:
    found = stats.kaplan_meier(days, over).median
    still = int((~over).sum())
    reason = text.NOT_REACHED if found.value is None else None
    note = text.still(still) if still else None
    return Figure(name, found.value, "days", len(days), found.low, found.high, reason, note)


def lives(asked: Asked) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.bool_]]:
    """Every flag that is known, how many days it has lived, and whether it is removed."""
    rows = asked.rows(ANALYSIS.sql("lives"))
    gone = rows["removed_us"].astype("Int64").fillna(NEVER).to_numpy(np.int64)
    removed = gone != NEVER
    ends = np.where(removed, gone, asked.now_us)
    return rows, (ends - rows["begun_us"].to_numpy(np.int64)) / DAY_US, removed


def _debt(
    asked: Asked, rows: pd.DataFrame, days: NDArray[np.float64], removed: NDArray[np.bool_]
) -> list[Figure]:
    """Flags that are there, those that are stale, and how long flags live."""
    if not len(rows):
        units = {"flags": "flags", "stale_share": "share", "stale_oldest": "days"}
        units |= {"removed_median": "days"}
        return [Figure(name, None, unit, 0, reason=text.NO_FLAGS) for name, unit in units.items()]
    alive = int((~removed).sum())
    stale = _stale(rows, asked.now_us) & ~removed
    oldest = float(days[stale].max()) if stale.any() else None
    return [
        Figure("flags", alive, "flags", len(rows)),
        share_figure("stale_share", int(stale.sum()), alive, text.NO_FLAGS),
        Figure(
            "stale_oldest", oldest, "days", int(stale.sum()),
            reason=None if oldest is not None else text.NONE_STALE,
        ),
        _median("removed_median", days, removed),
    ]  # fmt: skip


def _stale(rows: pd.DataFrame, now: int) -> NDArray[np.bool_]:
    """Which flags, if they are there still, have long been all on or all off for no purpose."""
    most, least = (rows[name].to_numpy(float, na_value=np.nan) for name in ("most", "least"))
    settled = ((most == 0) & (least == 0)) | ((most == 1) & (least == 1))
    old = now - rows["begun_us"].to_numpy(np.int64) >= _STALE_AGE
    still = now - rows["settled_us"].to_numpy(float, na_value=np.nan) >= _STALE_STILL
    permanent = rows["temporary"].to_numpy(float, na_value=np.nan) == 0
    return np.asarray(settled & old & still & ~permanent, bool)


def _recoveries(asked: Asked) -> list[Figure]:
    """How many incidents ended within so long after a flag of their service was turned off."""
    us = asked.rows(ANALYSIS.sql("recoveries"))["us"].to_numpy(float, na_value=np.nan)
    known = bool(len(asked.question.tables.query("select 1 from flag_states limit 1")))
    n = len(us) if known else 0
    reason = text.NONE_RESOLVED if known else text.NO_FLAGS
    return [
        share_figure(
            f"switched_off_{name}",
            int((us <= minutes * MINUTE_US).sum()) if known else 0,
            n,
            reason,
        )
        for name, minutes in _WITHIN.items()
    ]


def _records(asked: Asked) -> pd.DataFrame:
    """One row a flag: how long it has lived, whether it is removed or stale, and what it guards."""
    rows, days, removed = lives(asked)
    behind = guarded(asked).rows["flag"].value_counts()
    told = rows[["source", "flag"]].assign(
        begun_at=rows["begun_us"].to_numpy(np.int64).astype("datetime64[us]"),
        removed=removed,
        days=days,
        stale=_stale(rows, asked.now_us) & ~removed,
        changes=[int(behind.get(flag, 0)) for flag in rows["flag"]],
    )
    return tidy(told)


def _sentence(answer: Answer) -> str:
    return text.sentence({figure.name: figure for figure in answer.figures})


def _needs(asked: Asked) -> str:
    if not len(asked.question.tables.query("select 1 from flag_states limit 1")):
        return text.NEEDS_FLAGS
    return "" if len(guarded(asked).rows) else text.NEEDS_LABELS


def _draw(answer: Answer, ax: Axes) -> None:
    from dora.release.pictures import survival

    _, days, removed = lives(answer.asked)
    survival(ax, days, removed, answer["removed_median"].reason or text.NO_FLAGS)


ANALYSIS = Analysis(
    name="flags",
    title="Flags",
    about="When is what we deploy released, how long do flags stay, and what do they mend?",
    models=("flag_states", "change_times", "pull_request_times", "known_incidents"),
    figures=_figures,
    sentence=_sentence,
    needs=_needs,
    draw=_draw,
    records=_records,
)
