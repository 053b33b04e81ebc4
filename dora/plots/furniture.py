"""What every picture has: title, caption, and words where data is missing."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from dora import words
from dora.plots import palette
from dora.plots.figure import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dora.metrics.result import Result

_CAPTION_WIDTH = 102
_TITLE_WIDTH = 60


def colour_of(result: Result) -> str:
    """The hue of a metric."""
    return palette.now().hue(result.name)


def whose(result: Result) -> str:
    """Whom a result is about, as its title says it."""
    return result.question.scopes[0].label


def name(text: str) -> str:
    """A name as an axis shows it: of a readable length, its dollar signs no formulas."""
    return literal(words.shortened(text))


def literal(text: str) -> str:
    """Text that stays as it is where formulas between dollar signs would be typeset."""
    return text.replace("$", r"\$")


def label(ax: Axes, result: Result, title: str, note: str = "", *, n: int | None = None) -> None:
    """The title, and below the picture what it was made of and how to read it.

    Args:
        ax: The picture.
        result: What it is of.
        title: What it shows.
        note: How to read it.
        n: How many records it draws, where they are not those behind the result.
    """
    grade = result.question.coverage.grade(result.name).letter
    graded = f"; grade {grade}" if grade else ""
    caption = f"{words.caption(result, n=n)}{graded}.{f' {note}' if note else ''}"
    entitle(ax, f"{title}, {words.shortened(whose(result), most=_TITLE_WIDTH)}", caption)


def entitle(ax: Axes, title: str, caption: str) -> None:
    """A title above, and small below the picture what it was made of."""
    ax.set_title(literal(title), loc="left", fontsize=11, color=palette.now().ink)
    below = literal(fill(caption, _CAPTION_WIDTH))
    ax.set_xlabel(below, loc="left", fontsize=7.5, color=palette.now().grey)


def plain(ax: Axes, grid: str = "y") -> None:
    """Faint lines to read by, and no box around the picture."""
    ax.grid(axis="y" if grid == "y" else "x", color=palette.now().faint, lw=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def say(ax: Axes, reason: str) -> None:
    """Words in the middle of an empty picture."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color(palette.now().faint)
    ax.annotate(
        literal(fill(reason[0].upper() + reason[1:], 60)), (0.5, 0.5), xycoords="axes fraction",
        ha="center", va="center", color=palette.now().grey,
    )  # fmt: skip


def describe(ax: Axes, text: str) -> None:
    """Words for those who cannot see the picture."""
    if isinstance(ax, Picture):
        ax.alt_text = text
