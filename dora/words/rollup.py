"""Groups rolled up, as words: what they did, what their mix did, and where that misleads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dora.words import count, estimate, missing, number, quantity, share
from dora.words.compared import signed

if TYPE_CHECKING:
    import pandas as pd

ONE_GROUP = "there is only one group"
EVENTS = "incidents are counted here, which no limits of a share hold for"
OVERLAP = "some records belong to several of the groups at once, so that the groups do not add up"
_NOUNS = {"service": "services", "team": "teams"}


def between(part: str, low: str, high: str) -> str:
    """A part of a change with what it may as well be."""
    return f"{part} (plausibly {low} to {high})"


def split(title: str, values: str, change: str, by: str, rate: str, mix: str) -> str:
    """What of a change the groups themselves made, and what their mix.

    Args:
        title: The metric.
        values: Both values with their windows.
        change: The whole change, signed.
        by: `service` or `team`.
        rate: What the groups themselves made of it, signed.
        mix: What their mix made of it, signed.
    """
    them = _NOUNS[by]
    return (
        f"{title}, {values}: {change}, of which {rate} from the {them} themselves and {mix} from "
        f"other shares of them."
    )


def summed(title: str, values: str, change: str, by: str, known: str, new: str) -> str:
    """The same for a frequency, which is a sum and has no mix."""
    them = _NOUNS[by]
    return (
        f"{title}, {values}: {change}, of which {known} from {them} that were there before and "
        f"{new} from new ones."
    )


def standardised(value: str, before: str, missing: float) -> str:
    """What the number would be in the mix of before.

    Args:
        value: That number, with its interval where one is known.
        before: The window before.
        missing: The share of that mix of which there is nothing now.
    """
    mix = f"In the mix of {before}"
    if missing:
        mix += f", without the {share(missing)} of it that there are none of now,"
    return f"{mix} it would be {value}."


def without_new(value: str) -> str:
    """What a frequency would be without the groups that are new."""
    return f"Without the new ones it would be {value}."


def reversed_sign(by: str, *, certain: bool | None) -> str:
    """The warning where the groups went one way and their roll-up the other (Simpson's paradox).

    Args:
        by: `service` or `team`.
        certain: Whether the groups' own direction is more than chance; None if that is not known.
    """
    sure = {True: ", by more than chance", False: ", if by no more than chance may do", None: ""}
    return (
        f"Mind the mix: the {_NOUNS[by]} themselves went the other way{sure[certain]}; "
        "the whole only follows which of them there is more of."
    )


def mostly_mix(by: str) -> str:
    """The remark where more of a change comes from the mix than from the groups."""
    return f"Most of it is the mix of {_NOUNS[by]}, not the {_NOUNS[by]} themselves."


def impossible(title: str, reason: str) -> str:
    """Why a change is not taken apart."""
    return f"{title} is not taken apart: {reason}."


def outside(by: str, groups: int, beyond: int, level: float) -> str:
    """How many groups differ from the whole by more than chance, and how many would by chance.

    Args:
        by: `service` or `team`.
        groups: How many there are.
        beyond: How many lie outside of the limits.
        level: Which share lies within by chance.
    """
    expected = groups * (1 - level)
    told = "none" if not beyond else f"{beyond:,}"
    return (
        f"Of {count(groups, by)} {told} {'lies' if beyond == 1 else 'lie'} outside of the "
        f"{share(level)} limits, where chance alone puts about {number(expected)}."
    )


def table(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The groups of a roll-up for reading, in the order of their names.

    Args:
        frame: A row a group, as `RollUp.frame` has it.
        by: `service` or `team`.
    """
    import pandas as pd

    rows = [_row(row, by) for row in frame.to_dict(orient="records")]
    shown = pd.DataFrame(rows, dtype=object)
    return shown.loc[:, shown.notna().any()] if rows else shown


def _row(row: dict[Any, Any], by: str) -> dict[str, Any]:
    unit = row["unit"]
    real = {name: None if missing(value) else value for name, value in row.items()}

    def told(name: str, write: Callable[[float], str]) -> str | None:
        value = real.get(name)
        return None if value is None else write(float(value))

    return {
        by: real[by],
        "now": estimate(real["value"], real["low"], real["high"], unit),
        "n": real["n"],
        "share of all": told("share", share),
        "before": quantity(real["value_before"], unit),
        "n before": real["n_before"],
        "share before": told("share_before", share),
        "from itself": told("rate", lambda part: signed(part, unit)),
        "from the mix": told("mix", lambda part: signed(part, unit)),
        "drawn to the whole": told("shrunk", share),
    }
