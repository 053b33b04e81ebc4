"""Statistics for delivery data: how sure a number is, whether it changed, what is signal or noise.

Plain arrays in, small frozen results out; nothing else of this package is needed. Every function
names the paper it comes from, and is tested against another implementation or published values.
"""

from dora.stats.attributes import g_chart, laney_p, laney_u, t_chart
from dora.stats.changes import ChangePoint, change_points
from dora.stats.comparing import (
    effective_size,
    frequencies_chance,
    holm,
    median_difference,
    median_interval,
    medians_chance,
    rates_chance,
)
from dora.stats.detecting import (
    detectable_frequencies,
    detectable_medians,
    detectable_rates,
)
from dora.stats.funnel import Shrunk, funnel_limits, shrink
from dora.stats.grouped import Groups, Sample
from dora.stats.intervals import (
    difference_interval,
    poisson_interval,
    poisson_ratio_interval,
    quantile_ranks,
    rate_difference_interval,
    wilson_interval,
)
from dora.stats.levels import Measured, Nearest, QuickCheck, nearest, quick_check
from dora.stats.rollup import (
    Split,
    Standardised,
    kitagawa,
    mixed_median,
    split_median,
    standardise,
)
from dora.stats.signals import Chart, x_mr
from dora.stats.spread import Spread, spread
from dora.stats.survival import (
    Curve,
    LogRank,
    Quantile,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
)
from dora.stats.trend import Trend, theil_sen

__all__ = [
    "ChangePoint",
    "Chart",
    "Curve",
    "Groups",
    "LogRank",
    "Measured",
    "Nearest",
    "Quantile",
    "QuickCheck",
    "Sample",
    "Shrunk",
    "Split",
    "Spread",
    "Standardised",
    "Trend",
    "change_points",
    "cumulative_incidence",
    "detectable_frequencies",
    "detectable_medians",
    "detectable_rates",
    "difference_interval",
    "effective_size",
    "frequencies_chance",
    "funnel_limits",
    "g_chart",
    "holm",
    "kaplan_meier",
    "kitagawa",
    "laney_p",
    "laney_u",
    "log_rank",
    "median_difference",
    "median_interval",
    "medians_chance",
    "mixed_median",
    "nearest",
    "poisson_interval",
    "poisson_ratio_interval",
    "quantile_ranks",
    "quick_check",
    "rate_difference_interval",
    "rates_chance",
    "shrink",
    "split_median",
    "spread",
    "standardise",
    "t_chart",
    "theil_sen",
    "wilson_interval",
    "x_mr",
]
