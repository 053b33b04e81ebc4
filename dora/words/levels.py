"""DORA's levels and the survey's answers as words."""

from __future__ import annotations

from collections.abc import Sequence

from dora.words import DASH, count, listed, number, share

FREQUENCIES = {
    1: "less than once in 6 months",
    2: "once a month to once in 6 months",
    3: "once a week to once a month",
    4: "once a day to once a week",
    5: "once an hour to once a day",
    6: "on demand, several an hour",
}
"""The survey's answers on how often is deployed."""

LENGTHS = {
    1: "more than 6 months",
    2: "1 to 6 months",
    3: "a week to a month",
    4: "a day to a week",
    5: "an hour to a day",
    6: "less than an hour",
}
"""The survey's answers on how long a change or a recovery takes."""

NO_VALUE = "not known"
PER_SERVICE = "per week and service"


def rates(low: float, high: float, *, within: bool) -> str:
    """The failure rates of a level that a rate is among, `0–15 %`, or `nearest to 20 %`."""
    named = share(high) if low == high else f"{number(low * 100)}{DASH}{share(high)}"
    return named if within else f"nearest to {named}"


def ungraded(letter: str) -> str:
    """Why a number takes part in no judgement, though it is known."""
    return f"too much of its record is missing (grade {letter})"


def either(levels: Sequence[str]) -> str:
    """One level, or those that are equally near: `high`, `elite or high`."""
    return " or ".join(levels)


def level(
    year: int, levels: Sequence[str], lacking: Sequence[tuple[str, str]], spanning: Sequence[str]
) -> str:
    """Which of a year's levels is nearest, what it was told without, and what stays open.

    Args:
        year: The year of the report.
        levels: The nearest level, or several that are equally near.
        lacking: The title of the number that is not known, and why.
        spanning: For each number whose interval holds more than one answer, a sentence.
    """
    several = len(levels) > 1
    said = f"Equally near to {' and '.join(levels)}" if several else f"Nearest to {levels[0]}"
    without = "".join(f", told without {title.lower()} ({why})" for title, why in lacking)
    return " ".join([f"{said} of {year}{without}.", *spanning])


def spanning(title: str, low: str, high: str) -> str:
    """That a number's interval holds more than one answer."""
    return f"{title} may be anything from “{low}” to “{high}”."


def no_level(year: int, known: int, lacking: Sequence[tuple[str, str]]) -> str:
    """Why there is no level: fewer than three numbers.

    Args:
        year: The year of the report.
        known: How many numbers are known.
        lacking: The titles of those that are not, and why.
    """
    why = "; ".join(f"{title.lower()}: {reason}" for title, reason in lacking)
    return f"No level of {year}: it takes three numbers of four, and {_known(known)} ({why})."


def _known(known: int) -> str:
    return {0: "none is known", 1: "one is known"}.get(known, f"{known} are known")


def score(value: float | None, titles: Sequence[str]) -> str:
    """The score of the Quick Check, and what it is the mean of."""
    if value is None:
        return "No Quick Check score: none of its four numbers is known."
    answers = f"{count(len(titles), 'answer')}: {listed(titles, most=4)}"
    told = "all four answers" if len(titles) == 4 else answers
    return f"Quick Check score {value:.1f} of 10, from {told}."
