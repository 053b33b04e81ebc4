"""Pictures of how releases are managed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dora.release.base import Answer, Asked
    from dora.release.recoveries import Lengths
    from dora.stats.figure import Figure


_DAY = 86_400


def draw(answer: Answer, ax: Axes | None = None, *, theme: str = "light") -> Axes:
    """Draw an answer on `ax`, or on a figure of its own, and return the axes."""
    with palette.using(theme):
        drawn = new_axes() if ax is None else ax
        if ax is not None and theme != "light":
            palette.dress(ax)
        answer.analysis.draw(answer, drawn)
        whose = answer.asked.question.scopes[0].label
        furniture.entitle(drawn, f"{answer.analysis.title}, {whose}", caption(answer))
        furniture.describe(drawn, answer.sentence)
    return drawn


def caption(answer: Answer) -> str:
    """What it was made of: window, zone and rules."""
    from dora import words

    question = answer.asked.question
    return (
        f"{words.span(question.window)}, {question.window.zone}, as of"
        f" {words.instant(question.as_of)}; {words.rules_text(question.rules)}."
        " Bars: 95 % intervals."
    )


def shares(ax: Axes, figures: Sequence[tuple[str, Figure]], colour: str) -> None:
    """Shares beside each other, each with its interval and n below its name."""
    known = [(name, f) for name, f in figures if f.value is not None]
    if not known:
        furniture.say(ax, figures[0][1].reason or "")
        return
    at = np.arange(len(known))
    value, low, high = (
        np.array([getattr(f, end) for _, f in known], float) for end in ("value", "low", "high")
    )
    scales.shares(ax, high.tolist())
    around = np.vstack([value - low, high - value]).clip(min=0)
    ax.errorbar(at, value, yerr=around, fmt="o", color=colour, capsize=4, ms=7, lw=1.6)
    ax.set_xticks(at, [f"{name}\nn = {f.n:,}" for name, f in known], fontsize=8)
    ax.set_xlim(-0.6, len(known) - 0.4)
    furniture.plain(ax)


def counts(ax: Axes, figures: Sequence[tuple[str, Figure]]) -> None:
    """Counts as bars beside each other; a name without a bar says that it is unknown."""
    if all(figure.value is None for _, figure in figures):
        furniture.say(ax, figures[0][1].reason or "")
        return
    at = np.arange(len(figures))
    heights = [figure.value or 0 for _, figure in figures]
    scales.counts(ax, heights)
    ax.bar(at, heights, width=0.6, color=palette.now().other)
    said = ["unknown" if f.value is None else f"of {f.n:,} {f.unit}" for _, f in figures]
    names = [f"{name}\n{words}" for (name, _), words in zip(figures, said, strict=True)]
    ax.set_xticks(at, names, fontsize=8)
    furniture.plain(ax)


def failure_sides(answer: Answer, ax: Axes) -> None:
    """Failure rates inside and outside of release windows."""
    figures = [
        ("inside of a window", answer["failure_rate_inside"]),
        ("outside", answer["failure_rate_outside"]),
    ]
    shares(ax, figures, palette.now().hue("change_failure_rate"))
    ax.set_ylabel("change fail rate, repairs left out")


def departures(answer: Answer, ax: Axes) -> None:
    """How late each train left, by when it was planned."""
    told = answer.evidence
    known = told[told["slip"].notna()]
    if not len(told):
        furniture.say(ax, answer.sentence)
        return
    hue, grey = palette.now().other, palette.now().grey
    days = known["slip"].to_numpy(float) / _DAY
    ax.axhline(0, color=grey, lw=0.8)
    ax.scatter(known["planned_at"].to_numpy(), days, color=hue, s=26, gid="departed")
    skipped = told[told["state"] == "skipped"]["planned_at"].to_numpy()
    ax.scatter(skipped, np.zeros(len(skipped)), marker="x", color=grey, s=34, gid="skipped")
    ax.set_ylabel("days after its time; × skipped")
    ax.tick_params(axis="x", labelsize=8)
    furniture.plain(ax)


def waiting(ax: Axes, days: pd.DataFrame, otherwise: str | None) -> None:
    """How many changes were ready and waited at the end of each day, and when we could release."""
    if otherwise or not len(days):
        furniture.say(ax, otherwise or "")
        return
    hue = palette.now().other
    told = days.astype(dict.fromkeys(("waiting", "available", "unknown"), float))
    by_day = told.groupby("begins_at", sort=True)[["waiting", "available", "unknown"]].sum()
    moments, counted = by_day.index.to_numpy(), by_day["waiting"].to_numpy(float)
    closed = moments[(by_day["available"] == 0) & (by_day["unknown"] == 0)]
    for moment in closed:
        ax.axvspan(moment, moment + np.timedelta64(1, "D"), color=palette.now().faint, lw=0)
    scales.counts(ax, counted.tolist())
    ax.step(moments, counted, where="post", color=hue, lw=1.6)
    ax.set_ylabel("ready changes that wait\ngrey: days without a chance to release")
    ax.tick_params(axis="x", labelsize=8)
    furniture.plain(ax)


def calendar(asked: Asked, ax: Axes | None = None, *, theme: str = "light") -> Axes:
    """Draw deployments by day with the days that are frozen, and those with a release window."""
    from dora import metrics, plots

    result = metrics.find("deployment_frequency").ask(asked.question.pooled())
    drawn = plots.draw(result, "calendar", ax, theme=theme)
    with palette.using(theme):
        lead = result.window.start.weekday()
        for sort, days in asked.plan.days().items():
            for day in days:
                _mark(drawn, divmod(lead + (day - result.window.start).days, 7), sort)
    note = " Framed: frozen. Bar below: a release window was open."
    drawn.set_xlabel(f"{drawn.get_xlabel()}{note}", loc="left")
    return drawn


def _mark(ax: Axes, place: tuple[int, int], sort: str) -> None:
    week, weekday = place
    if sort == "frozen":
        ink = palette.now().ink
        ax.add_patch(
            Rectangle((week + 0.06, weekday + 0.06), 0.88, 0.88, fill=False, edgecolor=ink, lw=1.2,
                      gid="frozen")
        )  # fmt: skip
    else:
        grey = palette.now().grey
        ax.plot([week + 0.2, week + 0.8], [weekday + 0.9] * 2, color=grey, lw=1.2, gid="window")


def survival(ax: Axes, days: NDArray[np.float64], over: NDArray[np.bool_], otherwise: str) -> None:
    """How many flags are still there after so many days, with those counted that are."""
    from dora import stats

    if not len(days):
        furniture.say(ax, otherwise)
        return
    curve, hue = stats.kaplan_meier(days, over), palette.now().other
    times = np.concatenate([[0.0], curve.times, [max(float(days.max()), 1.0)]])
    ends = (curve.over, curve.low, curve.high)
    left, most, least = (
        1 - np.concatenate([[0.0], one, one[-1:] if len(one) else [0.0]]) for one in ends
    )
    ax.fill_between(times, least, most, step="post", color=hue, alpha=0.15, lw=0)
    ax.step(times, left, where="post", color=hue, lw=1.6)
    scales.shares(ax, [1.0])
    ax.set_ylabel(f"flags still there, n = {len(days):,}\nby days since they were created")
    furniture.plain(ax)


def recovery_curves(ax: Axes, found: Lengths, answer: Answer) -> None:
    """How many failures each kind of recovery has ended after so long, and which go on."""
    from dora.release.recoveries import KINDS
    from dora.words import immutability as words

    told = {kind: answer[f"recovery_median_{kind.replace(' ', '_')}"] for kind in KINDS}
    if not len(found.hours):
        furniture.say(ax, words.NO_FAILURE)
        return
    seconds = found.hours.clip(min=1 / 3600) * 3600
    scales.durations(ax, seconds.tolist(), axis="x")
    hues, most = palette.now().hues.values(), 0.0
    for (kind, figure), hue, style in zip(told.items(), hues, _STYLES, strict=True):
        curve = found.curve(kind)
        if figure.value is None:
            continue
        x = np.concatenate(
            [[ax.get_xlim()[0]], curve.times.clip(min=1 / 3600) * 3600, [seconds.max()]]
        )
        y = np.concatenate([[0.0], curve.over, curve.over[-1:]])
        ax.step(x, y, where="post", color=hue, ls=style, lw=1.8, label=words.recovery(kind, figure))
        _half(ax, figure, float(y[-1]) / 2, hue)
        most = max(most, float(y[-1]))
    waiting = found.waiting.clip(min=1 / 3600) * 3600
    if len(waiting):
        still = words.still_open(len(waiting))
        ax.plot(waiting, np.zeros(len(waiting)), ls="", marker="|", ms=9, mew=1.6,
                color=palette.now().grey, label=still, clip_on=False)  # fmt: skip
    scales.shares(ax, [most])
    ax.set_ylabel(f"share of the failures that began, n = {len(found.hours):,}")
    ax.legend(loc="best", frameon=False, fontsize=8)
    furniture.plain(ax)


_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""A line for each kind of recovery, told apart without colours."""


def _half(ax: Axes, figure: Figure, height: float, hue: str) -> None:
    """A mark where half of a kind is over; an interval without an end goes to the edge."""
    value, low, high = (
        edge if end is None else max(end * 3600, 1.0)
        for end, edge in (
            (figure.value, 1.0), (figure.low, 1.0), (figure.high, ax.get_xlim()[1] * 10),
        )
    )  # fmt: skip
    ax.errorbar(value, height, xerr=[[value - low], [high - value]], fmt="o", ms=6, color=hue,
                capsize=3, lw=1)  # fmt: skip
