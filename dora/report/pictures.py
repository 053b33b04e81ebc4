"""The pictures of a report, inside of it: as addresses that hold the picture itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dora import plots
from dora.metrics.levels import Level
from dora.plots import benchmark
from dora.stats.levels import NEWEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

_DRAWN = (
    ("survival", "lead_time"),
    ("calendar", "deployment_frequency"),
    ("stages", "lead_time"),
    ("ages", "lead_time"),
    ("incidents", "time_to_restore"),
    ("sizes", "change_failure_rate"),
    ("funnel", "change_failure_rate"),
)


@dataclass(frozen=True)
class Picture:
    """A picture and its words.

    Attributes:
        axes: The picture as matplotlib has it.
        alt: What it shows, for those who cannot see it.
    """

    axes: Axes
    alt: str

    @cached_property
    def svg(self) -> bytes:
        """The drawing, its letters as outlines, so that it looks alike everywhere."""
        return self._bytes("svg")

    @cached_property
    def png(self) -> bytes:
        """The same for mail and chat, which show no drawings."""
        return self._bytes("png")

    @property
    def address(self) -> str:
        """The drawing as a `data:` address."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg).decode()}"

    def _bytes(self, form: str) -> bytes:
        buffer = io.BytesIO()
        plots.render(self.axes, buffer, form, outlines=True)
        return buffer.getvalue()


def gallery(results: Mapping[str, Result], by_week: Mapping[str, Result]) -> dict[str, Picture]:
    """Each metric's trend, by its name, and the further pictures, by theirs.

    Args:
        results: The metrics.
        by_week: The same over enough weeks for signal and noise to be told apart.
    """
    drawn = {name: picture(result, "trend") for name, result in results.items()}
    drawn |= {kind: picture(results[of], kind) for kind, of in _DRAWN}
    drawn["process"] = picture(by_week["lead_time"], "process")
    level = Level.of(results.values(), NEWEST)
    return drawn | {"benchmark": Picture(benchmark.strip(level), benchmark.described(level))}


def picture(result: Result, kind: str) -> Picture:
    """One picture of a result."""
    return Picture(plots.draw(result, kind), plots.alt_text(result, kind))
