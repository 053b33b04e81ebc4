"""A result as a series of points, with the limits that suit what is counted.

Medians of periods get limits from moving ranges of their logarithms, rates and counts get those of
their distributions. What is rare is not counted by period at all, as most periods would be empty:
then the points are the records themselves, or what lies between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from dora import stats, zones
from dora.stats.signals import LEAST_POINTS
from dora.words import standing_out as words

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from dora.metrics.result import Result

    Floats: TypeAlias = NDArray[np.float64]

Kind = Literal["medians", "lengths", "rates", "counts", "gaps", "times"]

LEAST_HITS = 4
"""With fewer failures the gaps between them say nothing."""
RARE_HITS, RARE_COUNTS = 1.0, 2.0
"""With fewer hits, or events, in a usual period they are looked at one by one."""
_MOST = 60.0


@dataclass(frozen=True, eq=False)
class Series:
    """Points in order of time.

    Attributes:
        kind: medians, rates or counts of periods; lengths of single records; gaps, how many went
            well between two failures; times between two events.
        noun: What a point is, in a word or a few.
        starts: The first day of each point.
        ends: The day after its last.
        n: How many records each is made from.
        scaled: The points on a scale on which a level shifts evenly; empty where none is sought.
        least_spread: What a single record's deviation on that scale is at least.
        unit: The unit of the values.
        up_is_better: Which way is better.
        charted: The chart, given where each level begins.
        last_runs: Whether the last point is not over yet.
    """

    kind: Kind
    noun: str
    starts: list[date]
    ends: list[date]
    n: Floats
    scaled: Floats
    least_spread: float
    unit: str
    up_is_better: bool
    charted: Callable[[Sequence[int]], stats.Chart]
    last_runs: bool = False


def series_of(result: Result) -> Series | str:
    """The series that suits a result, or why there is none.

    Args:
        result: A result cut into periods of one scope.
    """
    frame = result.frame
    usable = ~frame["partial"].astype(bool) & frame["value"].notna() & frame["n"].notna()
    rows = frame[usable].reset_index(drop=True)
    if result.unit == "seconds":
        return _durations(result, rows)
    if result.unit == "share":
        return _rates(result, rows[rows["n"] > 0].reset_index(drop=True))
    return _counts(result, rows)


def _durations(result: Result, rows: pd.DataFrame) -> Series | str:
    import numpy as np

    rows = rows[rows["n"] > 0].reset_index(drop=True)
    grain = result.question.grains[0]
    if len(rows) >= LEAST_POINTS:
        return _logged("medians", grain, rows["value"].to_numpy(float), rows, _numbers(rows, "n"))
    if not result.metric.one_by_one:
        return words.too_short(len(rows), grain, LEAST_POINTS)
    over = result.evidence
    over = over[over["seconds"].notna()]
    if len(over) < LEAST_POINTS:
        return words.too_few(len(rows), len(over), result.metric.noun, LEAST_POINTS)
    over = over.sort_values("recovered_at", kind="stable").reset_index(drop=True)
    days = [zones.local_day(moment, result.window.zone) for moment in over["recovered_at"]]
    single = _days(days)
    noun = result.metric.noun
    return _logged("lengths", noun, over["seconds"].to_numpy(float), single, np.ones(len(over)))


def _days(days: Sequence[date]) -> pd.DataFrame:
    """Points that are days."""
    import pandas as pd

    after = [day + timedelta(days=1) for day in days]
    return pd.DataFrame({"period_start": list(days), "period_end": after})


def _logged(kind: Kind, noun: str, seconds: Floats, rows: pd.DataFrame, n: Floats) -> Series:
    import numpy as np

    logs = np.log(np.maximum(seconds, 1.0))  # a second, as a log has no place for zero

    def charted(starts: Sequence[int]) -> stats.Chart:
        found = stats.x_mr(logs, n, starts=starts)
        natural = {
            name: np.exp(np.clip(getattr(found, name), -_MOST, _MOST))
            for name in ("values", "centre", "lower", "upper", "moving", "moving_upper")
        }
        return replace(found, **natural)

    return Series(
        kind, noun, *_spans(rows), n, logs, 0.0, "seconds",
        False, charted,
    )  # fmt: skip


def _rates(result: Result, rows: pd.DataFrame) -> Series | str:
    import numpy as np

    hits, n = _numbers(rows, "hits"), _numbers(rows, "n")
    if len(rows) < LEAST_POINTS or hits.mean() < RARE_HITS:
        return _gaps(result, len(rows))
    if result.may_pass_one:
        return Series(
            "rates", result.question.grains[0], *_spans(rows), n,
            np.sqrt((hits + 3 / 8) / n), 0.5, "share",
            result.metric.higher_is_better, lambda starts: stats.laney_u(hits, n, starts=starts),
        )  # fmt: skip
    return Series(
        "rates", result.question.grains[0], *_spans(rows), n,
        np.arcsin(np.sqrt((hits + 3 / 8) / (n + 3 / 4))), 0.5, "share",
        result.metric.higher_is_better, lambda starts: stats.laney_p(hits, n, starts=starts),
    )  # fmt: skip


def _spans(rows: pd.DataFrame) -> tuple[list[date], list[date]]:
    return list(rows["period_start"]), list(rows["period_end"])


def _counts(result: Result, rows: pd.DataFrame) -> Series | str:
    import numpy as np

    counts = _numbers(rows, "n")
    if not len(rows) or counts.mean() < RARE_COUNTS:
        return _times(result, len(rows))
    if len(rows) < LEAST_POINTS:
        return words.too_short(len(rows), result.question.grains[0], LEAST_POINTS)
    days = np.array([(end - start).days for start, end in zip(*_spans(rows), strict=True)], float)

    def charted(starts: Sequence[int]) -> stats.Chart:
        found = stats.laney_u(counts, days, starts=starts)
        names = ("values", "centre", "lower", "upper")
        return replace(found, **{name: getattr(found, name) * days for name in names})

    return Series(
        "counts", result.question.grains[0], *_spans(rows), days,
        np.sqrt((counts + 3 / 8) / days), 0.5, str(rows["unit"].iloc[0]),
        result.metric.higher_is_better, charted,
    )  # fmt: skip


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    import numpy as np

    return rows[name].to_numpy(np.float64)


def _gaps(result: Result, periods: int) -> Series | str:
    """How many deployments went well before each failure, and since the last."""
    import numpy as np

    us, hit = _sequence(result)
    places = np.flatnonzero(hit)
    if len(places) < LEAST_HITS:
        return words.too_few(periods, len(places), result.metric.hit, LEAST_HITS)
    gaps = np.diff(np.concatenate([[-1], places])) - 1.0
    running = float(len(hit) - 1 - places[-1])
    days = _local_days(result, us[places])
    share = len(places) / len(hit)
    return _between(
        "gaps", gaps, running, days, "deployments", lambda: stats.g_chart(gaps, share), result
    )


def _times(result: Result, periods: int) -> Series | str:
    """The time before each deployment since the one before, and since the last."""
    import numpy as np

    us, _ = _sequence(result)
    if len(us) <= LEAST_POINTS:
        return words.too_few(periods, len(us), "deployment", LEAST_POINTS + 1)
    times = np.diff(us) / 1_000_000
    until = min(result.question.as_of, result.window.end_at).timestamp()
    running = max(0.0, until - float(us[-1]) / 1_000_000)
    days = _local_days(result, us[1:])
    return _between("times", times, running, days, "seconds", lambda: stats.t_chart(times), result)


def _between(
    kind: Kind,
    lengths: Floats,
    running: float,
    days: list[date],
    unit: str,
    charted: Callable[[], stats.Chart],
    result: Result,
) -> Series:
    """A series of what lies between events, with what has gone by since the last of them."""
    import numpy as np

    last = min(result.question.today, result.window.end - timedelta(days=1))
    points = _days([*days, max(last, days[-1])])
    between = {"gaps": f"gap between {result.metric.hit}s", "times": "gap between deployments"}
    return Series(
        kind, between[kind], *_spans(points),
        np.ones(len(lengths) + 1), np.zeros(0), 0.0, unit, kind == "gaps",
        lambda _: _with_running(charted(), running), last_runs=True,
    )  # fmt: skip


def _with_running(chart: stats.Chart, running: float) -> stats.Chart:
    """A chart with a further point that is not over: it may be too long already, not too short."""
    import numpy as np

    ends = {
        name: np.append(getattr(chart, name), getattr(chart, name)[-1])
        for name in ("centre", "lower", "upper")
    }
    signals = np.append(chart.signals, np.int8(running > chart.upper[-1]))
    return replace(
        chart, values=np.append(chart.values, running), signals=signals,
        hints=(*chart.hints, ()), **ends,
    )  # fmt: skip


def _sequence(result: Result) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """When what is counted happened, and what of it is a hit."""
    import numpy as np

    rows = result.question.pooled().query(result.metric.sql(result.question, "sequence"))
    rows = rows.iloc[: 0 if result.veiled else None]
    return rows["us"].to_numpy(np.int64), rows["hit"].to_numpy(np.int64) > 0


def _local_days(result: Result, us: NDArray[np.int64]) -> list[date]:
    zone = result.window.zone
    return [zones.local_day(datetime.fromtimestamp(int(t) / 1e6, UTC), zone) for t in us]
