"""In what rhythm do things happen? By the lengths between them, and by the hours they fall on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

AROUND = 0.25
"""How far from the usual length, as a part of it, a length is still like it."""

BY_CHANCE = 2**-0.75 - 2**-1.25
"""The share of lengths that is like the median where events happen at random (0.174): lengths are
exponential then, and fall below x medians with probability 1 − 2^−x."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How regular a series of events is.

    Attributes:
        usual: The median length between events; NaN with fewer than two events.
        regular: The share of lengths within a quarter of it; NaN likewise. About 0.17 by chance.
        n: How many lengths there are.
    """

    usual: float
    regular: float
    n: int


def rhythm(times: ArrayLike) -> Rhythm:
    """How regular events are, by the lengths of time between them.

    Unlike a phase, it forgives a late event that moves all later ones, as trains by agreement do.

    Args:
        times: When they happened, in any unit, in any order.
    """
    import numpy as np

    gaps = np.diff(np.sort(np.asarray(times, float)))
    if not len(gaps):
        return Rhythm(float("nan"), float("nan"), 0)
    usual = float(np.median(gaps))
    like = np.abs(gaps - usual) <= AROUND * usual
    return Rhythm(usual, float(like.mean()), len(gaps))


def fewest_cells(counts: ArrayLike, share: float = 0.8) -> int:
    """The fewest cells, such as hours of the week, that hold a share of all events."""
    import numpy as np

    largest = np.sort(np.asarray(counts, float))[::-1]
    total = largest.sum()
    if not total:
        return 0
    return int(np.searchsorted(np.cumsum(largest), share * total - 1e-9) + 1)
