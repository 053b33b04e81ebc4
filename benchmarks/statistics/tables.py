"""Small tables in Markdown, as the simulations print them and the documentation shows them."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; shares are written as percentages where they are texts already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage: `4.9 %`."""
    return f"{100 * value:.{digits}f} %"
