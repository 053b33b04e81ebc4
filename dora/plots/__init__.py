"""Pictures of results: drawn on an `ax`, with nothing global, and described in words as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from dora.errors import UsageError

if TYPE_CHECKING:
    from io import BytesIO

    from matplotlib.axes import Axes

    from dora.metrics.result import Result

__all__ = ["KINDS", "alt_text", "draw", "kinds_of", "page", "render", "save"]

FORMATS = ("png", "svg", "pdf")
KINDS: Mapping[str, tuple[str, ...]] = {
    "trend": (),
    "process": (),
    "distribution": ("lead_time", "time_to_restore"),
    "survival": ("lead_time", "time_to_restore"),
    "stages": ("lead_time",),
    "ages": ("lead_time",),
    "calendar": ("deployment_frequency",),
    "hours": ("deployment_frequency",),
    "incidents": ("time_to_restore",),
    "sizes": ("change_failure_rate",),
    "quadrant": ("change_failure_rate",),
    "funnel": ("change_failure_rate", "rework_rate"),
    "fan": ("deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore"),
    "benchmark": ("deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore"),
}
"""The pictures, each with the metrics it can be drawn of; none named means any."""


class _Kind(Protocol):
    def draw(self, result: Result, ax: Axes | None = None) -> Axes: ...

    def alt_text(self, result: Result) -> str: ...


def draw(
    result: Result, kind: str = "trend", ax: Axes | None = None, *, theme: str = "light"
) -> Axes:
    """Draw a result on `ax`, or on a figure of its own, and return the axes.

    Args:
        result: What to draw.
        kind: The picture, one of `KINDS`. `trend`: each period's value with its interval.
            `process`: signal or noise, by level and limits. `distribution`: how long for how
            many, against the window before. `survival`: the same of what began in the window, with
            what is not over. `stages`: where the lead time goes. `ages`: what waits for
            production. `calendar` and `hours`: when deployments happen. `incidents`: failures over
            deployments. `sizes`: failure rate by changes per deployment. `quadrant`: lead time and
            failure rate by service. `funnel`: rates of services by size, with the limits of
            chance. `benchmark`: all numbers among DORA's levels. `fan`: the number by other
            products' formulas.
        ax: Where to draw.
        theme: `light`, or `dark` for dark screens.

    Raises:
        UsageError: There is no such picture, or not of this metric, or no such theme.
    """
    from dora.plots import palette

    chosen = _kind(result, kind)
    with palette.using(theme):
        if ax is not None and theme != "light":
            palette.dress(ax)
        return chosen.draw(result, ax)


def page(results: Sequence[Result], *, theme: str = "light") -> Axes:
    """Draw the trends of several results on one page, with the calendar of deployments.

    Raises:
        UsageError: There is no such theme.
    """
    from dora.plots import glance, palette

    with palette.using(theme):
        return glance.draw(results)


def alt_text(result: Result, kind: str = "trend") -> str:
    """What the picture shows, for those who cannot see it.

    Raises:
        UsageError: There is no such picture, or not of this metric.
    """
    return _kind(result, kind).alt_text(result)


def kinds_of(metric: str) -> list[str]:
    """The pictures that can be drawn of a metric."""
    return [kind for kind, of in KINDS.items() if not of or metric in of]


def _kind(result: Result, kind: str) -> _Kind:
    if kind not in KINDS:
        raise UsageError(
            f"There is no plot {kind!r}.", hint=f"There are: {', '.join(kinds_of(result.name))}."
        )
    if kind not in kinds_of(result.name):
        raise UsageError(
            f"There is no plot {kind!r} of {result.name}.",
            hint=f"It is drawn of {' and '.join(KINDS[kind])}; "
            f"of {result.name} there are: {', '.join(kinds_of(result.name))}.",
        )
    return cast("_Kind", import_module(f"dora.plots.{kind}"))


def render(ax: Axes, buffer: BytesIO, form: str, *, outlines: bool = False) -> None:
    """Write a picture into a buffer as png, svg or pdf, the same bytes for the same numbers.

    Args:
        ax: The picture.
        buffer: Where its bytes go.
        form: png, svg or pdf.
        outlines: Whether an svg has its letters as outlines, which look alike everywhere.
    """
    from dora.plots.figure import render as draw_into

    draw_into(ax, buffer, form, outlines=outlines)


def save(ax: Axes, path: str | Path) -> Path:
    """Write a picture to a png, svg or pdf file, the same bytes for the same numbers.

    Raises:
        UsageError: Another kind of file, or a place that cannot be written to.
    """
    from dora.plots.figure import write

    target = Path(path)
    form = target.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise UsageError(
            f"{target.name}: a picture is no {form or 'file without an ending'}.",
            hint=f"Let the name end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(ax, target, form)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", hint="Name another place."
        ) from error
    return target
