"""Who trades speed for stability? Services by lead time and failure rate, now and before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dora import metrics, words
from dora.plots import furniture, palette, scales
from dora.plots.figure import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.question import Question
    from dora.metrics.result import Result

MOST = 20
"""With more services than this the picture has those with most deployments."""

Span = tuple[float, float, float]
"""A value with both ends of its interval."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service stands: lead time in seconds, failure rate as a share, deployments."""

    speed: Span
    stability: Span
    n: int


def places(question: Question) -> dict[str, Place]:
    """Every service that has both numbers with their intervals."""
    directory, scope = question.directory, question.scopes[0]
    asked = replace(question, scopes=(scope, *directory.each(scope, ("service",))), grains=())
    speed = _rows(metrics.find("lead_time").ask(asked))
    stability = _rows(metrics.find("change_failure_rate").ask(asked))
    return {name: Place(speed[name][0], *stability[name]) for name in stability if name in speed}


def _rows(result: Result) -> dict[str, tuple[Span, int]]:
    """Each service's value with its interval, and n."""
    frame = result.frame[result.frame["scope"] == "service"]
    known = frame.dropna(subset=["value", "low", "high"])
    spans = zip(known["value"], known["low"], known["high"], strict=True)
    return {
        str(name): ((float(value), float(low), float(high)), int(n))
        for name, (value, low, high), n in zip(known["service"], spans, known["n"], strict=True)
    }


def draw(result: Result, ax: Axes | None = None) -> Axes:
    """Draw a mark a service with both intervals, and a line from where it was the window before."""
    ax = new_axes() if ax is None else ax
    now, before = places(result.question), places(result.question.pooled().over(None))
    names = sorted(now, key=lambda name: -now[name].n)[:MOST]
    if not names:
        furniture.say(ax, result.reason or "no service has both a lead time and a failure rate")
    else:
        for name in names:
            _mark(ax, name, now[name], before.get(name))
        shown = [now[name] for name in names] + [before[n] for n in names if n in before]
        scales.durations(ax, [edge for p in shown for edge in p.speed], axis="x")
        scales.shares(ax, [edge for p in shown for edge in p.stability])
        ax.tick_params(labelsize=8)
        ax.set_ylabel("change fail rate", fontsize=8)
        furniture.plain(ax)
    note = "Right is slower, up fails more. Bars: 95 % intervals. Grey: from the window before."
    furniture.label(ax, result, "Lead time and failure rate by service", note)
    furniture.describe(ax, alt_text(result))
    return ax


def _mark(ax: Axes, name: str, now: Place, before: Place | None) -> None:
    (x, left, right), (y, low, high) = now.speed, now.stability
    if before is not None:
        ax.annotate(
            "", (x, y), (before.speed[0], before.stability[0]), zorder=1,
            arrowprops={"arrowstyle": "->", "color": palette.now().grey, "lw": 1, "shrinkB": 5},
        )  # fmt: skip
    ax.plot([left, right], [y, y], color=palette.now().other, alpha=0.35, lw=1.4)
    ax.plot([x, x], [low, high], color=palette.now().other, alpha=0.35, lw=1.4)
    ax.scatter([x], [y], s=44, color=palette.now().other, zorder=3, gid="service")
    ax.annotate(furniture.name(name), (x, y), xytext=(6, 5), textcoords="offset points", fontsize=8)


def alt_text(result: Result) -> str:
    """The picture in words: each service's two numbers."""
    now = places(result.question)
    said = [
        f"{words.shortened(name)} {words.duration(p.speed[0])} and {words.share(p.stability[0])}"
        for name, p in sorted(now.items())[:MOST]
    ]
    whose = f"{furniture.whose(result)}, {result.window}"
    return f"Lead time and failure rate by service of {whose}: {'; '.join(said) or 'not known'}."
