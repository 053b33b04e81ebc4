"""Spans of time in which something held, in microseconds, and what is left of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]

_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Spans:
    """Spans `[begins, ends)`, in order, that neither touch nor overlap.

    Attributes:
        begins: The first instant of each.
        ends: The first instant after each.
    """

    begins: Ints
    ends: Ints

    @classmethod
    def of(cls, begins: ArrayLike, ends: ArrayLike) -> Spans:
        """These spans in any order, those that touch or overlap as one."""
        first, last = np.asarray(begins, np.int64), np.asarray(ends, np.int64)
        some = first < last
        order = np.argsort(first[some], kind="stable")
        first, last = first[some][order], last[some][order]
        if not len(first):
            return NONE
        reached = np.maximum.accumulate(last)
        fresh = np.concatenate([[True], first[1:] > reached[:-1]])
        return cls(first[fresh], reached[np.concatenate([fresh[1:], [True]])])

    def __or__(self, other: Spans) -> Spans:
        return Spans.of(
            np.concatenate([self.begins, other.begins]), np.concatenate([self.ends, other.ends])
        )

    def __sub__(self, other: Spans) -> Spans:
        """What is in these and not in the others."""
        return self & other.outside() if len(self.begins) and len(other.begins) else self

    def __and__(self, other: Spans) -> Spans:
        """What is in both."""
        if not len(self.begins) or not len(other.begins):
            return NONE
        edges = np.unique(np.concatenate([self.begins, self.ends, other.begins, other.ends]))
        both = self.holds(edges[:-1]) & other.holds(edges[:-1])
        return Spans.of(edges[:-1][both], edges[1:][both])

    def outside(self) -> Spans:
        """All time that is not in these."""
        limits = np.iinfo(np.int64)
        return Spans.of(
            np.concatenate([[limits.min], self.ends]), np.concatenate([self.begins, [limits.max]])
        )

    def holds(self, moments: Ints) -> NDArray[np.bool_]:
        """Whether each of these moments is in a span."""
        if not len(self.begins):
            return np.zeros(len(moments), bool)
        place = np.searchsorted(self.begins, moments, side="right") - 1
        return np.asarray((place >= 0) & (moments < self.ends[place]), bool)

    def before(self, moments: Ints) -> Ints:
        """How long they have lasted together by each of these moments."""
        sums = np.concatenate([[0], np.cumsum(self.lengths)])
        place = np.searchsorted(self.begins, moments, side="right")
        if not len(self.begins):
            return np.zeros(len(moments), np.int64)
        still = np.maximum(self.ends[place - 1] - moments, 0)
        return np.asarray(sums[place] - np.where(place > 0, still, 0), np.int64)

    @property
    def lengths(self) -> Ints:
        """How long each lasts."""
        return self.ends - self.begins

    @property
    def total(self) -> int:
        """How long they last together."""
        return int(self.lengths.sum())

    @property
    def longest(self) -> int:
        """How long the longest lasts; 0 where there is none."""
        return int(self.lengths.max(initial=0))


NONE = Spans(_NOTHING, _NOTHING)
"""No time at all."""


def within(begins: int, ends: int) -> Spans:
    """One span; none where it ends before it begins."""
    return Spans.of([begins], [ends])


def integers(values: pd.Series[Any], missing: int) -> Ints:
    """Whole numbers, with one for what is missing."""
    return np.asarray(values.astype("Int64").fillna(missing), np.int64)
