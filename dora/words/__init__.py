"""Numbers, durations, intervals and reasons as plain words: the one place where text is made.

Knows nothing of metrics or stores: values and units come in, text goes out. Values are rounded
here and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from dora.rules import Rules

UNKNOWN = "unknown"
DASH = "–"

_MINUTE, _HOUR, _DAY, _YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400.0
_SCALES = ((_YEAR * 2, _YEAR, "y"), (_HOUR * 48, _DAY, "d"), (_HOUR, _HOUR, "h"))


def missing(value: Any) -> bool:
    """Whether there is no value: None, NaN or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def number(value: float) -> str:
    """A number to about three figures: 1,240 and 12.3 and 0.041."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10 or value == int(value):
        return _plain(f"{value:.1f}")
    return _plain(f"{value:.2f}" if size >= 0.1 else f"{value:.2g}")


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it: 45 s, 12 min, 5.2 h, 3.4 d, 2.1 y."""
    size, unit = duration_unit(seconds)
    return f"{_figures(seconds / size)} {unit}"


def duration_unit(seconds: float) -> tuple[float, str]:
    """The unit that suits a length of time: its seconds and its short name."""
    for least, size, unit in _SCALES:
        if abs(seconds) >= least:
            return size, unit
    return (_MINUTE, "min") if abs(seconds) >= _MINUTE else (1.0, "s")


def _figures(value: float) -> str:
    return _plain(f"{value:.1f}") if abs(value) < 9.95 else f"{value:,.0f}"


def share(value: float) -> str:
    """A share of one as a percentage: 12 %, 4.1 %; 0 % and 100 % are none and all."""
    return f"{_percent(value)} %"


def _percent(value: float) -> str:
    percent = value * 100
    shown = _figures(percent)
    if shown in ("0", "-0") and percent:
        return number(percent)
    return _plain(f"{min(percent, 99.9):.1f}") if shown == "100" and percent < 100 else shown


def apart(value: float) -> str:
    """How far two shares are apart, in points and without a sign: 12, 4.1, 0."""
    return _figures(abs(value) * 100)


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit: `3.2 d`, `12 %`, `4.1 per week`, `7 deployments`; `unknown` if none.

    Args:
        value: The value, None or NaN if there is none.
        unit: `seconds`, `share`, or a word that follows the number.
    """
    if value is None or missing(value):
        return UNKNOWN
    if unit == "seconds":
        return duration(value)
    if unit == "share":
        return share(value)
    return f"{number(value)} {unit.removesuffix('s') if value == 1 else unit}"


def interval(low: float | None, high: float | None, unit: str, *, like: float | None = None) -> str:
    """An interval without its unit, to stand after the value: `1.9–2.8`.

    Args:
        low: The low end, None if open.
        high: The high end, None if open.
        unit: As for `quantity`.
        like: The value it belongs to, whose unit of time both ends are then written in.
    """
    if low is None or missing(low):
        return ""
    if high is None or missing(high):
        return f"at least {quantity(low, unit)}" if low else ""
    if unit != "seconds":
        show = _percent if unit == "share" else number
        return f"{show(low)}{DASH}{show(high)}"
    size, _ = duration_unit(high if like is None else like)
    if low < size / 10 or high >= 1000 * size:  # one unit would say "0.0" or "30,000"
        return f"{duration(low)} {DASH} {duration(high)}"
    return f"{_figures(low / size)}{DASH}{_figures(high / size)}"


def estimate(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    """A value with its interval: `2.3 d (1.9–2.8)`; `at least 8 %` where only that is known."""
    if value is None or missing(value):
        lower = interval(low, high, unit)
        return f"{UNKNOWN}, {lower}" if lower else UNKNOWN
    around = interval(low, high, unit, like=value)
    return f"{quantity(value, unit)} ({around})" if around else quantity(value, unit)


def count(number_of: int, noun: str) -> str:
    """`1 deployment`, `3 deployments`."""
    plural = noun if number_of == 1 else f"{noun}s"
    return f"{number_of:,} {plural}"


def size(n: Any) -> str:
    """How many records are behind a mark: `n = 41`; where few people are, that is hidden."""
    return "n hidden" if missing(n) else f"n = {int(n):,}"


def listed(items: Sequence[str], *, most: int = 3) -> str:
    """Names in a sentence: `a, b and c`, `a, b, c and 4 more`."""
    names = list(items)
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def shortened(name: str, *, most: int = 28) -> str:
    """A long name cut in its middle, so that both of its ends still tell it apart."""
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[-tail:]}"


def instant(moment: datetime) -> str:
    """A moment in UTC, to the minute: `2026-03-01 12:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length(span: timedelta | None) -> str:
    """A length of time from the rules: `24 h`, `7 d`, `no limit`."""
    return "no limit" if span is None else duration(span.total_seconds())


# Why there is no value. One sentence each, fit to follow "unknown: ".
NOT_BEGUN = "the period has not begun"
BEFORE_FIRST = "before the first known deployment"
NO_DEPLOYMENT = "no successful production deployment is known"
NOTHING_DELIVERED = "no change was delivered"
NOTHING_DEPLOYED = "nothing was deployed"
NONE_COVERED = "no deployment of a service whose incidents are known"
NOTHING_MATURE = "no deployment is old enough to be judged"
NOTHING_RESTORED = "no failed deployment was recovered from"
NO_INCIDENTS = "no incident ended"


def few_people(least: int) -> str:
    """Why a team's number is not shown."""
    return f"not shown: fewer than {least} people are behind it, or behind one it would give away"


def not_covered(services: Sequence[str]) -> str:
    """Why a failure rate is only a lower bound: nobody told us of incidents."""
    whose = f" of {listed(services)}" if services else ""
    return (
        f"no incident source covers the deployments{whose}, "
        "so failures that left no rollback, revert or hotfix are not seen"
    )


def few(values: Sequence[float], unit: str) -> list[str]:
    """Below six values no interval exists, so the values themselves are said."""
    return [quantity(value, unit) for value in sorted(values)]


def summary(
    figure: str, n: int, *, aside: Sequence[str], reason: str | None, values: Sequence[str]
) -> str:
    """A line: `2.3 d (1.9–2.8), n = 41, 3 not delivered`.

    Args:
        figure: The value with its interval.
        n: How many records are behind it.
        aside: What else to say, such as what is still open.
        reason: Why there is no value.
        values: The values themselves, where they are too few for an interval.
    """
    shown = f"n = {n:,}" + (f" ({', '.join(values)})" if values else "")
    line = ", ".join([figure, shown, *aside])
    return f"{line}: {reason}" if reason else line


# What a number was made with
def span(window: Any) -> str:
    """A window in short, by its name if it has one: `2026-Q1`, `2026-03-02 to 2026-03-08`."""
    last = window.end - timedelta(days=1)
    return window.name if window.name and ".." not in window.name else f"{window.start} to {last}"


def window(span: Any) -> str:
    """A window by its name and days: `last-month (2026-10-01 to 2026-10-31)`."""
    days = f"{span.start} to {span.end - timedelta(days=1)}"
    return f"{span.name} ({days})" if span.name and ".." not in span.name else days


def rules_text(rules: Rules) -> str:
    """The preset, the rules that readers ask about first, and those of no preset.

    What a preset has is told by its name; what differs from the usual rules without being a
    preset is told one by one.
    """
    from dora.rules import presets

    usual, preset = type(rules)(), presets.of(rules)
    told = [
        f"preset {preset.title}" if preset else "own rules",
        f"change: {rules.change.replace('_', ' ')}",
        f"failure window {length(rules.failure_window)}",
        f"judged after {length(rules.judged_after)}",
    ]
    shown = {"change", "failure_window", "maturity"}
    for name in type(rules).__dataclass_fields__:
        value = getattr(rules, name)
        if preset is None and name not in shown and value != getattr(usual, name):
            told.append(f"{name.replace('_', ' ')}: {_rule(value)}")
    return ", ".join(told)


def _rule(value: Any) -> str:
    if isinstance(value, timedelta):
        return length(value)
    if isinstance(value, tuple):
        return listed([str(item) for item in value], most=6) or "none"
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def caption(result: Any, *, n: int | None = None) -> str:
    """What stands under a number: its window, zone, n (another where one is given) and rules."""
    counted = result.n if n is None else n
    return (
        f"{window(result.window)}, {result.window.zone}, "
        f"as of {instant(result.question.as_of)}; n = {counted:,}; {rules_text(result.rules)}"
    )


def definition(result: Any) -> str:
    """What a number means and what it was made with, in a few lines."""
    lines = [
        f"{result.metric.title}: {result.summary}",
        result.metric.definition,
        f"{result.question.scopes[0].label}; {caption(result)}",
    ]
    if result.value is not None and result.metric.needs_incidents and result.uncovered:
        lines.append(f"Not counted, as no incident source covers them: {listed(result.uncovered)}.")
    return "\n".join(lines)


# Tables
_LENGTHS = (
    "seconds", "coding", "pickup", "review", "merge_to_deploy", "between", "p75", "p90", "p95",
)  # fmt: skip
_SHAS = ("sha", "landed_sha", "change")
_SHA = re.compile("[0-9a-f]{40,64}")
_SPARSE = (
    "service", "team", "reason", "url", "version", "answer", "goal", "judgement",
    "lower", "upper", "signal", "verdict", "hints",
)  # fmt: skip
_HIDDEN = ("unit", "high", "period_end", "scope", "partial", "running", "sentence")
_MEASURED = ("value", "centre", "lower", "upper")


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame for reading: lengths of time, percentages and dates in words, empty for no value."""
    import pandas as pd

    rows = frame.to_dict(orient="records")
    shown = _readable(frame)
    cells = {name: [_cell(name, row) for row in rows] for name in shown}
    return pd.DataFrame(cells, dtype=object)


def _readable(frame: pd.DataFrame) -> list[str]:
    """The columns worth their room: intervals as one, nothing that is empty all the way down."""
    shown = []
    for name in frame.columns:
        if name in _HIDDEN:
            continue
        if name in _SPARSE and frame[name].isna().all():
            continue
        shown.append("interval" if name == "low" else str(name))
    return shown


def _cell(name: str, row: Mapping[Any, Any]) -> str | int | None:
    unit = row.get("unit", "")
    if name == "interval":
        return interval(row["low"], row["high"], unit, like=_real(row.get("value")))
    value = row[name]
    if missing(value):
        return None
    if name in _MEASURED:
        return quantity(float(value), unit)
    if name in _LENGTHS:
        return duration(float(value))
    if name == "period_start":
        unfinished = "partial" if row.get("partial") else "so far" if row.get("running") else ""
        return f"{value} ({unfinished})" if unfinished else str(value)
    if name in _SHAS and _SHA.fullmatch(str(value)):
        return str(value)[:10]
    return _simple(value)


def _simple(value: Any) -> str | int:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return number(value)
    return value if isinstance(value, int) else str(value)


def _real(value: Any) -> float | None:
    return None if missing(value) else float(value)


def html_table(frame: pd.DataFrame, *, most: int = 60) -> str:
    """A frame as an HTML table for a notebook, in words."""
    shown = table(frame.head(most))
    head = "".join(f"<th>{escape(str(name).replace('_', ' '))}</th>" for name in shown.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_filled(cell))}</td>' for cell in row)}</tr>"
        for row in shown.itertuples(index=False)
    )
    more = len(frame) - most
    note = f"<p><small>{more:,} more rows in <code>.frame</code></small></p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _filled(cell: Any) -> str:
    return "" if missing(cell) else str(cell)


def period(start: date, end: date) -> str:
    """A period in a word: `2026-03-02`, `2026-W10`, `Mar 2026`, `2026-Q1`, `2026`."""
    days = (end - start).days
    if days == 1:
        return start.isoformat()
    if days == 7 and start.weekday() == 0:
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02d}"
    months = (end.year - start.year) * 12 + end.month - start.month
    if start.day == end.day == 1 and months == 1:
        return f"{start:%b %Y}"
    if start.day == end.day == 1 and months == 3 and start.month % 3 == 1:
        return f"{start.year}-Q{start.month // 3 + 1}"
    return f"{start} to {end - timedelta(days=1)}"
