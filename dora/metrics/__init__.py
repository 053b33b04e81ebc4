"""The metrics, each a module and a `.sql` file of the same name; both are found by being here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from dora.errors import UnknownMetric
from dora.spelling import closest

if TYPE_CHECKING:
    from dora.metrics.base import Metric
    from dora.metrics.result import Result

__all__ = ["Metric", "Result", "find", "names", "verbs"]


@cache
def _known() -> dict[str, Metric]:
    stems = (
        e.name.removesuffix(".sql") for e in files(__name__).iterdir() if e.name.endswith(".sql")
    )
    metrics = [import_module(f"{__name__}.{stem}").METRIC for stem in stems]
    return {metric.name: metric for metric in sorted(metrics, key=lambda m: (m.order, m.name))}


def names() -> tuple[str, ...]:
    """The names of all metrics, in the order they are shown."""
    return tuple(_known())


def verbs() -> tuple[str, ...]:
    """The names of all metrics and their aliases."""
    return tuple(alias for m in _known().values() for alias in (m.name, *m.aliases))


def find(name: str) -> Metric:
    """The metric of that name or alias; `-` and `_` are the same.

    Raises:
        UnknownMetric: There is none; the hint names the nearest.
    """
    wanted = name.strip().casefold().replace("-", "_").replace(" ", "_")
    every = {alias: m for m in _known().values() for alias in (m.name, *m.aliases)}
    if wanted in every:
        return every[wanted]
    close = closest(wanted, every, most=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(names())}."
    raise UnknownMetric(f"There is no metric {name!r}.", hint=hint)


def __getattr__(name: str) -> object:
    if name == "Metric":
        from dora.metrics.base import Metric

        return Metric
    if name == "Result":
        from dora.metrics.result import Result

        return Result
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
