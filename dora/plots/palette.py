"""The colours of pictures, for light paper and for dark screens.

One hue a metric, which readers with any cone missing tell apart, and which stand out from the
paper. A picture takes the palette that is in force while it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

from dora.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme.

    Attributes:
        paper: Behind everything.
        ink: Words, and what must be seen first.
        grey: Words and lines beside the matter.
        faint: Lines to read by.
        empty: The lightest shade of a heatmap.
        hues: The hue of each metric.
        other: The hue of what belongs to no metric.
        stages: Shades of the stages of a change, first to last.
        bands: Shades behind a picture, nearest to the usual first.
    """

    paper: str
    ink: str
    grey: str
    faint: str
    empty: str
    hues: Mapping[str, str]
    other: str
    stages: tuple[str, str, str, str]
    bands: tuple[str, str, str]

    def hue(self, metric: str) -> str:
        """The hue of a metric, or of what belongs to none."""
        return self.hues.get(metric, self.other)


LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1A1A1A",
    grey="#595959",
    faint="#D9D9D9",
    empty="#F2F2F2",
    hues={
        "deployment_frequency": "#0072B2",
        "lead_time": "#D55E00",
        "change_failure_rate": "#CC79A7",
        "time_to_restore": "#009E73",
        "rework_rate": "#999933",
    },
    other="#0072B2",
    stages=("#F3B27A", "#E68A3E", "#D55E00", "#8A3D00"),
    bands=("#EFEFEF", "#E0E0E0", "#CFCFCF"),
)

DARK = Palette(
    paper="#16181C",
    ink="#F0F0F0",
    grey="#B4B8BF",
    faint="#43474F",
    empty="#262A31",
    hues={
        "deployment_frequency": "#56B4E9",
        "lead_time": "#F0803C",
        "change_failure_rate": "#E7A3CB",
        "time_to_restore": "#1FBF92",
        "rework_rate": "#C9C45A",
    },
    other="#56B4E9",
    stages=("#8A4A1C", "#C4642A", "#F0803C", "#FBC49C"),
    bands=("#22252B", "#2C3038", "#383D47"),
)

THEMES: Mapping[str, Palette] = {"light": LIGHT, "dark": DARK}

_now: ContextVar[Palette] = ContextVar("palette", default=LIGHT)


def now() -> Palette:
    """The palette in force."""
    return _now.get()


@contextmanager
def using(theme: str) -> Iterator[Palette]:
    """Draw with a palette; what is given no colour of its own has its ink on its paper.

    Raises:
        UsageError: There is no such theme.
    """
    if theme not in THEMES:
        raise UsageError(f"There is no theme {theme!r}.", hint=f"There are: {', '.join(THEMES)}.")
    chosen = THEMES[theme]
    token = _now.set(chosen)
    words = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
    papers = ("axes.facecolor", "figure.facecolor")
    given: dict[Any, Any] = {
        **dict.fromkeys(words, chosen.ink),
        **dict.fromkeys(papers, chosen.paper),
        "axes.edgecolor": chosen.grey,
    }
    try:
        with rc_context(given):
            yield chosen
    finally:
        _now.reset(token)


def readable_on(shade: tuple[float, float, float, float]) -> str:
    """Whether dark or light letters are read on a shade: WCAG's relative luminance decides."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shade[:3]]
    luminance = sum(part * c for part, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#1A1A1A" if luminance > 0.179 else "#FFFFFF"


def dress(ax: Axes) -> None:
    """Give axes that were made elsewhere the palette in force."""
    colours = now()
    ax.set_facecolor(colours.paper)
    for title in (ax.title, ax.yaxis.label):
        title.set_color(colours.ink)
    ax.tick_params(colors=colours.ink, which="both")
    ax.spines[:].set_edgecolor(colours.grey)
