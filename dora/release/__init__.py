"""Release management, measured: what windows, trains, freezes, staging and flags cost and bring."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from dora.errors import UsageError

if TYPE_CHECKING:
    from dora.release.base import Analysis

NAMES = (
    *("windows", "trains", "freezes", "availability", "staging", "immutability"),
    *("quality", "flags", "strategy", "evidence"),
)
"""The analyses, in the order they are told."""


def find(name: str) -> Analysis:
    """The analysis of that name.

    Raises:
        UsageError: There is none.
    """
    known = name.replace("-", "_")
    if known not in NAMES:
        raise UsageError(
            f"There is no analysis {name!r} of releases.", hint=f"There are: {', '.join(NAMES)}."
        )
    return cast("Analysis", import_module(f"dora.release.{known}").ANALYSIS)
