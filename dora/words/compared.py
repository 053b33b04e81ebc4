"""Did it change? Differences, verdicts and their reasons, as sentences to be read aloud.

"Plausibly" is what the 95 % interval holds, "reliably" four times in five. No verdict says why
something changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dora.words import DASH, apart, count, listed, number, quantity

_SIDES = {"seconds": ("shorter", "longer")}
_LOWER_HIGHER = ("lower", "higher")


def signed(value: float, unit: str) -> str:
    """A difference with its sign: `+1.2 d`, `−3 points`, `±0 points` where none would show."""
    size = _size(value, unit)
    sign = "±" if size.startswith("0 ") else "+" if value > 0 else "−"
    return f"{sign}{size}"


def _size(value: float, unit: str) -> str:
    """How large a difference is, whatever its direction: `1.2 d`, `3 points`, `1 point`."""
    if unit != "share":
        return quantity(abs(value), unit)
    points = apart(value)
    return f"{points} {'point' if points == '1' else 'points'}"


def change(kind: str, value: float, low: float, high: float, unit: str) -> str:
    """A difference or ratio with its interval, for a table: `−1.2 d (−2 d to −0.4 d)`."""
    if kind == "difference":
        return f"{signed(value, unit)} ({signed(low, unit)} to {signed(high, unit)})"
    figure = "from none" if math.isinf(value) else f"{number(value)} times"
    ends = f"{number(low)} or more" if math.isinf(high) else f"{number(low)}{DASH}{number(high)}"
    return f"{figure} ({ends})"


def few_records(n: int, n_before: int, noun: str) -> str:
    """Why two numbers cannot be compared."""
    return f"{count(n, noun)} against {n_before:,}"


def moved(kind: str, value: float, unit: str) -> str:
    """How far a number moved: `1.2 d shorter`, `3 points higher`, `1.5 times as often`."""
    if kind == "ratio":
        return "after none at all" if math.isinf(value) else f"{number(value)} times as often"
    if value == 0:
        return "no difference"
    return f"{_size(value, unit)} {_SIDES.get(unit, _LOWER_HIGHER)[value > 0]}"


def plausible(kind: str, low: float, high: float, unit: str) -> str:
    """What the true difference may be: `between 0.4 d and 2 d shorter`."""
    if kind == "ratio":
        if math.isinf(high):
            return f"at least {number(low)} times as often"
        return f"between {number(low)} and {number(high)} times as often"
    if low == high:
        return moved(kind, low, unit)
    if low * high <= 0:
        return f"between {moved(kind, low, unit)} and {moved(kind, high, unit)}"
    near, far = sorted((low, high), key=abs)
    return f"between {_size(near, unit)} and {moved(kind, far, unit)}"


def would_show(kind: str, fall: float | None, rise: float | None, unit: str) -> str:
    """From what size on a change would have shown reliably; empty where that cannot be said."""
    ends = [
        f"{number(end)} times" if kind == "ratio" else moved(kind, end, unit)
        for end in (fall, rise)
        if end is not None
    ]
    if not ends:
        return ""
    from_here = f"{' or '.join(ends)}{' as often' if kind == 'ratio' else ''} on"
    missing = " fall" if fall is None else " rise"
    rest = f", and no{missing} at all" if len(ends) == 1 else ""
    return f"a change would have shown reliably from {from_here}{rest}"


def got(title: str, verdict: str, values: str, figure: str, around: str) -> str:
    """A number got better or worse.

    Args:
        title: What was compared.
        verdict: better or worse.
        values: Both values, as `both` writes them.
        figure: How far it moved.
        around: What the true difference may be.
    """
    return f"{title} got {verdict}: {values}, {figure} (plausibly {around})."


def no_evidence(title: str, values: str, around: str, showing: str) -> str:
    """A number may have changed, and one cannot tell; that is not "no change"."""
    known = f"; {showing}" if showing else ""
    return f"{title}: no evidence of a change: {values}, plausibly {around}{known}."


def one_of_several(title: str, values: str, figure: str, among: int) -> str:
    """A difference that is plain alone, but not among several that are looked at together."""
    return (
        f"{title}: no evidence of a change: {values}, {figure}; alone that would be plain, but "
        f"among {among} numbers one moves as far by chance too often."
    )


def too_little(title: str, values: str) -> str:
    """Nobody could tell, whatever happened."""
    return f"Too little data to say whether the {_within(title)} changed: {values}."


def withheld(title: str, values: str, doubts: Sequence[str]) -> str:
    """No verdict, as the record itself cannot be trusted."""
    why = f": {listed(doubts)}" if doubts else ""
    return (
        f"No verdict on the {_within(title)} ({values}), as too much of the record is missing or "
        f"wrong{why}."
    )


def both(now: str, window: str, before: str, window_before: str) -> str:
    """Both values with their windows: `2.1 d in 2026-Q2 after 3.4 d in 2026-Q1`."""
    return f"{now} in {window} after {before} in {window_before}"


def unknown(window: str, reason: str | None) -> str:
    """Why one of two values cannot be compared: it is none."""
    return f"it is unknown in {window}{f' ({reason})' if reason else ''}"


def records(n: int, noun: str, values: Sequence[str]) -> str:
    """So few records that they are said themselves: `3 changes (2 h, 5 h and 9 h)`."""
    return f"{count(n, noun)}{f' ({listed(values, most=5)})' if values else ''}"


def together(n: int, noun: str, *, alike: bool) -> str:
    """Records that are worth fewer, as they came together: `60 changes of few deployments`."""
    return f"{count(n, noun)}{' that came in few deployments' if alike else ''}"


def share_of(rate: str, n: int, noun: str) -> str:
    """A rate with what it is a share of: `0 % of 3 deployments`."""
    return f"{rate} of {count(n, noun)}"


def _within(title: str) -> str:
    return title[:1].lower() + title[1:]


def headline(
    better: Sequence[str], worse: Sequence[str], same: int, before: str, *, withheld: int = 0
) -> str:
    """Ahead or behind, in a sentence for the top of a report.

    Args:
        better: What got better, by its title.
        worse: What got worse.
        same: How many could be compared and show no evidence of a change.
        before: What they are held against.
        withheld: How many have no verdict, as too much of the record is missing.
    """
    up, down = listed(better, most=5), listed(worse, most=5)
    if better and worse:
        return f"Mixed against {before}: {up} got better, {down} got worse."
    if better:
        return f"Ahead of {before}: {up} got better."
    if worse:
        return f"Behind {before}: {down} got worse."
    if same:
        return f"No evidence of a change against {before}."
    if withheld:
        return f"Too much of the record is missing to say what changed against {before}."
    return f"Too little data to say what changed against {before}."
