"""Quality before production as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dora.words import count, listed, number, share
from dora.words.release import NONE_JUDGED, estimate

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NEEDS_BUILDS = (
    "Nothing can be said of CI without builds; the sources github and gitlab read them, files too."
)
ALL_CHECKS = "All checks are taken for required; `checks` in [calendar] names those that are."
NONE_BUILT = "no required check of a commit was over"
NONE_TIMED = "of no failure of a flaky check it is known how long it ran"
NONE_ENDED = "no required check of a commit is known to have ended"
NO_TRUNK = "no required check is known to have run on a default branch"
OF_KNOWN_TIME = "of the time from the first build of the default branch that is known"
NOTHING_BEFORE = "of nothing before production is known what it stopped"
NOTHING_STOPPED = "nothing was stopped anywhere"
PLACES = {
    "ci": "CI",
    "review": "review",
    "staging": "staging",
    "canary": "canary",
    "production": "production",
}
UNITS = {
    "ci": "commits",
    "review": "pull requests",
    "staging": "deployments",
    "canary": "deployments",
    "production": "deployments",
}
UNKNOWN = {
    "ci": NONE_BUILT,
    "review": "no review by another person is known",
    "staging": "no deployment to staging is known",
    "canary": "no deployment to an environment called canary is known",
    "production": NONE_JUDGED,
}


def without(figure: Figure, unknown: Sequence[str]) -> Figure:
    """The figure with a note on the places that nothing is known of."""
    if not unknown:
        return figure
    names = listed([PLACES[place] for place in unknown], most=len(PLACES))
    return replace(figure, note=f"without {names}, of which nothing is known")


def left_out(cancelled: int, running: int, unknown: int) -> str:
    """What was left out, and why."""
    return (
        f"{cancelled:,} cancelled or skipped, {running:,} not over yet;"
        f" {count(unknown, 'commit')} whose first attempt is not known"
    )


def sentence(told: Mapping[str, Figure]) -> str:
    """How good and quick the word of CI is, and where faults are stopped."""
    said = [_first(told), _flaky(told), _red(told), _contained(told)]
    return " ".join(one for one in said if one)


def _first(told: Mapping[str, Figure]) -> str:
    passed, median = told["first_pass_share"], told["signal_median"]
    if passed.value is None:
        return ""
    first = f"{estimate(passed)} of {count(passed.n, 'commit')} passed CI at the first attempt"
    if median.value is None:
        return f"{first}."
    p90 = number(told["signal_p90"].value or 0)
    return f"{first}; half had a word after {estimate(median)}, nine in ten after {p90}."


def _flaky(told: Mapping[str, Figure]) -> str:
    flaky, lost = told["flaky_share"], told["flaky_minutes"]
    if not flaky.value:
        return ""
    both = f"{estimate(flaky)} of the checks of a commit both failed and passed on it"
    if lost.value is None:
        return f"{both}; {lost.reason}."
    return f"{both}, and {number(lost.value)} minutes went into the failures among them."


def _red(told: Mapping[str, Figure]) -> str:
    red, longest = told["red_share"], told["red_longest"]
    if red.value is None:
        return ""
    spell = f", {number(longest.value or 0)} hours at the longest" if red.value else ""
    return f"Default branches were red {share(red.value)} of the time{spell}."


def _contained(told: Mapping[str, Figure]) -> str:
    contained = told["contained_share"]
    if contained.value is None:
        return ""
    beside = f" ({contained.note})" if contained.note else ""
    return (
        f"{estimate(contained)} of {contained.n:,} things that were stopped did not get as far as"
        f" production{beside}."
    )
