"""Exact quantiles of many groups at once, in whole numbers.

The same as the portable SQL of the metrics, by sorting once: for a million groups several times
quicker than an engine that keeps a list for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Whole numbers in order of size, to be taken by rank.

    Attributes:
        values: The numbers, ascending.
        order: Which number as given stands at each place.
    """

    values: Ints
    order: Ints

    @classmethod
    def of(cls, values: Ints) -> Sample:
        """Sort the numbers once; grouping them then moves ranks alone."""
        import numpy as np

        order = np.argsort(values)
        return cls(values[order], order)

    def grouped(self, groupings: Sequence[Ints], size: int) -> Groups:
        """The numbers of each group, in order; negative groups are left out.

        Args:
            groupings: Arrays of the group of each number as given, from 0 to `size` - 1; with
                several, a number is in several groups.
            size: How many groups there are.
        """
        import numpy as np

        bits = max(1, len(self.values).bit_length())
        pieces = []
        for groups in groupings:
            of_rank = groups[self.order]
            ranks = np.flatnonzero(of_rank >= 0)
            # group and rank in one integer: sorting plain integers is what numpy does quickest
            pieces.append((of_rank[ranks] << bits) | ranks)
        packed = np.concatenate([np.zeros(0, np.int64), *pieces])
        packed.sort()
        counts = np.bincount(packed >> bits, minlength=size)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return Groups(self.values[packed & ((1 << bits) - 1)], starts, counts)


@dataclass(frozen=True)
class Groups:
    """Sorted numbers of many groups, end to end.

    Attributes:
        values: The numbers, group by group, ascending in each.
        starts: Where each group begins.
        counts: How many numbers each has.
    """

    values: Ints
    starts: Ints
    counts: Ints

    def ranked(self, ranks: Ints) -> NDArray[np.float64]:
        """The number of that rank (from 1) in each group; NaN where there is none."""
        import numpy as np

        there = (ranks >= 1) & (ranks <= self.counts)
        found = np.full(len(self.counts), np.nan)
        found[there] = self.values[self.starts[there] + ranks[there] - 1]
        return found

    def mean(self) -> NDArray[np.float64]:
        """The mean of each group; NaN for no number."""
        import numpy as np

        found = np.full(len(self.counts), np.nan)
        some = np.flatnonzero(self.counts > 0)
        if len(some):
            sums = np.add.reduceat(self.values.astype(np.float64), self.starts[some])
            found[some] = sums / self.counts[some]
        return found

    def quantile(self, numerator: int, denominator: int) -> NDArray[np.float64]:
        """The linear quantile numerator/denominator, times the denominator; NaN for no number.

        In whole numbers throughout, so that it is exact: between two neighbours it is
        `a * (denominator - rest) + b * rest`.
        """
        import numpy as np

        some = np.flatnonzero(self.counts > 0)
        place, rest = np.divmod(numerator * (self.counts[some] - 1), denominator)
        at = self.starts[some] + place
        after = np.minimum(at + 1, len(self.values) - 1)  # its weight is 0 at a group's end
        exact = self.values[at] * (denominator - rest) + self.values[after] * rest
        found = np.full(len(self.counts), np.nan)
        found[some] = exact
        return found
