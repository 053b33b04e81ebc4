"""How long failures last by what ends them, with those counted that go on.

What ends a failure first keeps all else from ending it: the kinds of recovery compete. The share of
failures that a kind has ended after so long is its cumulative incidence; those of all kinds add up
to the share that is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dora import stats
from dora.release.occurrences import HOUR_US
from dora.stats.figure import Figure
from dora.stats.survival import ABANDONED, OPEN, OVER
from dora.words import immutability as words

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dora.stats.survival import Curve

    Floats: TypeAlias = NDArray[np.float64]

KINDS = ("rollback", "revert", "fix forward", "flag off", "incident resolved")
"""What ends a failure."""


@dataclass(frozen=True, eq=False)
class Lengths:
    """How long each failure that began in the window lasted.

    Attributes:
        hours: Its length, so far where it goes on.
        ended_by: The place in `KINDS` of what ended it; below zero where it goes on.
    """

    hours: Floats
    ended_by: NDArray[np.int64]

    @property
    def waiting(self) -> Floats:
        """How long those have lasted that go on."""
        return self.hours[self.ended_by < 0]

    def curve(self, kind: str) -> Curve:
        """The share of all failures that this kind has ended after so long (Aalen, Johansen)."""
        ended = np.where(self.ended_by == KINDS.index(kind), OVER, ABANDONED)
        outcomes = np.where(self.ended_by < 0, OPEN, ended)
        return stats.cumulative_incidence(self.hours, outcomes)


def lengths(rows: pd.DataFrame, now_us: int) -> Lengths:
    """The failures that began in the window, from rows of kind, from_us and us."""
    import pandas as pd

    so_far = now_us - rows["from_us"].to_numpy(np.int64)
    us = rows["us"].to_numpy(float, na_value=np.nan)
    ended_by = pd.Categorical(rows["kind"], categories=KINDS).codes.astype(np.int64)
    return Lengths(np.where(np.isnan(us), so_far, us) / HOUR_US, ended_by)


def figures(found: Lengths) -> list[Figure]:
    """How many failures are open, and the time to recovery by kind."""
    n = len(found.hours)
    if not n:
        return [
            Figure("recovery_open", None, "failures", 0, reason=words.NO_FAILURE),
            *(Figure(_name(kind), None, "hours", 0, reason=words.NO_FAILURE) for kind in KINDS),
        ]
    return [
        Figure("recovery_open", len(found.waiting), "failures", n),
        *(_median(kind, found) for kind in KINDS),
    ]


def _name(kind: str) -> str:
    return f"recovery_median_{kind.replace(' ', '_')}"


def _median(kind: str, found: Lengths) -> Figure:
    """After how long half of what the kind ends is over.

    That is where its curve is at half of its height. The interval is that of the curve there
    (Brookmeyer and Crowley); with few of the kind among many it is too wide rather than too narrow.
    """
    curve = found.curve(kind)
    if not curve.ended:
        return Figure(_name(kind), None, "hours", 0, reason=words.never_ended_by(kind))
    half = curve.quantile(float(curve.over[-1]) / 2)
    note = words.still_open(len(found.waiting)) if len(found.waiting) else None
    return Figure(_name(kind), half.value, "hours", curve.ended, half.low, half.high, note=note)
