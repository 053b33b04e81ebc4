"""The calendar: every day of a window with its periods, and what the reporting zone adds to UTC.

Metrics join their records to this table by day, so that weeks, months, zero-filled gaps and what
is partial are data, the same in every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pandas as pd

from dora import zones
from dora.errors import BadWindow
from dora.windows import GRAINS, Window, period

__all__ = ["WINDOW", "calendar", "offsets"]

WINDOW = "window"
"""The grain that is the window itself."""

offsets = zones.offsets

_COLUMNS = ("day", "grain", "period_start", "period_end", "partial")


def calendar(window: Window, grains: Sequence[str], *, as_of: datetime) -> pd.DataFrame:
    """Every day of a window, once for each grain, with the period it falls into.

    Args:
        window: The days.
        grains: Any of `day`, `week`, `month`, `quarter`, and `window` for the window itself.
        as_of: What stands for now: a period that is not over by then is partial.

    Returns:
        Columns `day`, `grain`, `period_start`, `period_end` (the day after the period's last, also
        where the window ends before) and `partial`: the window cuts the period, or it is not over.
        Days are `datetime.date`, in order within each grain.

    Raises:
        BadWindow: A grain that does not exist.
    """
    rows: list[tuple[date, str, date, date, bool]] = []
    for grain in dict.fromkeys(grains):
        _known(grain)
        day = window.start
        while day < window.end:
            start, end = (window.start, window.end) if grain == WINDOW else period(day, grain)
            partial = _partial(start, end, window, as_of)
            last = min(end, window.end)
            rows += [(d, grain, start, end, partial) for d in _days(day, last)]
            day = last
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"partial": bool, "grain": object})


def _known(grain: str) -> None:
    if grain != WINDOW and grain not in GRAINS:
        raise BadWindow(f"There is no period {grain!r}.", hint=f"Periods: {', '.join(GRAINS)}.")


def _partial(start: date, end: date, window: Window, as_of: datetime) -> bool:
    cut = start < window.start or end > window.end
    return cut or not Window(start, end, window.zone).over(as_of)


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days)]
