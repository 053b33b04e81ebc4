"""When required CI checks of default branches were red, and when they were known at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dora.release.timelines import Spans, within

if TYPE_CHECKING:
    import pandas as pd

    from dora.release.base import Asked


@dataclass(frozen=True, slots=True)
class Trunk:
    """The default branch of a repository, in the window of time so far.

    Attributes:
        known: When any required check had said something.
        red: When the newest word of any required check was that it failed.
    """

    known: Spans
    red: Spans


def so_far(asked: Asked) -> Spans:
    """The window of time up to now."""
    begins, ends = asked.window_us
    return within(begins, min(ends, asked.now_us))


def trunks(asked: Asked, rows: pd.DataFrame) -> dict[str, Trunk]:
    """The default branch of each repository, from `repository, from_us, until_us, red`."""
    window = so_far(asked)
    begins = rows["from_us"].to_numpy(np.int64)
    ends = rows["until_us"].astype("Int64").fillna(asked.now_us).to_numpy(np.int64)
    red = rows["red"].astype(bool).to_numpy()
    found = {}
    for name, mine in rows.groupby("repository", sort=True).indices.items():
        known = Spans.of(begins[mine], ends[mine]) & window
        failed = mine[red[mine]]
        found[str(name)] = Trunk(known, Spans.of(begins[failed], ends[failed]) & window)
    return found
