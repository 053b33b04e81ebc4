"""How sure a number is: intervals for counts, rates, medians and their differences."""

from dora.stats.grouped import Groups, Sample
from dora.stats.intervals import (
    difference_interval,
    poisson_interval,
    poisson_ratio_interval,
    quantile_ranks,
    rate_difference_interval,
    wilson_interval,
)

__all__ = [
    "Groups",
    "Sample",
    "difference_interval",
    "poisson_interval",
    "poisson_ratio_interval",
    "quantile_ranks",
    "rate_difference_interval",
    "wilson_interval",
]
