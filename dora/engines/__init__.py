"""What runs the models: an engine holds tables, takes SELECTs, and knows a few functions of ours.

The models are portable SELECTs. What SQL engines do not agree on is kept in four functions that
every engine brings along, its prelude:

* `dora_us(time)`: whole microseconds since 1970, so that durations are exact integers;
* `dora_day(time)`: the day of that instant in the reporting time zone;
* `dora_ratio(a, b)`: a divided by b as a double, null where b is 0;
* `dora_matches(text, pattern)`: whether the pattern is found, case ignored; false for no text.

A name tells the type where an engine has no types of its own: `as_of` and what ends in `_at` is a
time, `day`, what ends in `_day` or begins with `period_` is a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import pandas as pd

Offsets = Sequence[tuple[datetime, int]]
"""From when on the reporting zone is how many seconds ahead of UTC, in order."""

UTC_OFFSETS: Offsets = ((datetime(1, 1, 1, tzinfo=UTC), 0),)


class Engine(Protocol):
    """A place where tables are and SELECTs run.

    Attributes:
        name: What it is called; its own versions of models are in the folder of that name.
    """

    name: ClassVar[str]

    def prepare(self, *, offsets: Offsets, patterns: Sequence[str]) -> None:
        """Define the prelude for one reporting zone.

        Args:
            offsets: The zone's offsets, in order; the first also holds for all time before it.
            patterns: The patterns that will be looked for, so that they are compiled once.
        """

    def build(self, table: str, select: str) -> None:
        """Make a table of this engine's own from a SELECT, in place of one of that name."""

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Make a table of this engine's own from a frame, in place of one of that name.

        Args:
            table: Its name.
            frame: Its rows; times are aware, or naive and UTC.
            types: The SQL type of columns, where the frame cannot tell it.
        """

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; times are naive and UTC."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a SELECT as a frame; times are naive and UTC."""

    def fork(self, keep: Collection[str] = ()) -> Engine:
        """Another engine over the same facts, whose own tables and prelude are apart.

        Args:
            keep: Tables built here that are there as well, as they are now.
        """

    def close(self) -> None:
        """Give back what it holds; the facts stay."""


def is_time(column: str) -> bool:
    """Whether a column of that name holds instants."""
    return column == "as_of" or column.endswith("_at")


def is_day(column: str) -> bool:
    """Whether a column of that name holds days."""
    return column == "day" or column.endswith("_day") or column.startswith("period_")
