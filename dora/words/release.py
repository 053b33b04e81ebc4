"""Release management as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dora.words import apart, count, number, share

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NOTHING_STARTED = "no deployment started"
NO_WINDOWS = "no release window is configured for these services"
NO_REPAIR = "no deployment made to repair went out"
NONE_JUDGED = "no deployment is both old enough and of a service whose incidents would be known"
ONE_SIDE = "there are no deployments to compare on both sides"
NOTHING_LANDED = "no change landed while release windows were known"
CONFOUNDED = (
    "confounded: repairs go out when something is broken, so what goes out at other times was"
    " riskier to begin with"
)
NEEDS_WINDOWS = (
    "Without [[calendar.windows]] in dora.toml nothing can be said of what is inside of them;"
    " weekends and office hours need none."
)


NO_FREEZES = "no freeze is configured for these services"
NEEDS_FREEZES = "Nothing can be said of freezes without [[calendar.freezes]] in dora.toml."
KEPT = "nothing went out in a freeze"
NO_INCIDENT_SOURCE = "no source of incidents is mapped to any of these services"
NO_INCIDENT_EITHER_WAY = "no incident in the freezes nor in as much time before them"
NONE_BEFORE = "no incident in as much time before them, so that nothing can be divided by"


def points(value: float) -> str:
    """A difference of shares with its sign: `+3.2 points`."""
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{apart(value)} points"


def estimate(figure: Figure) -> str:
    """A figure with its interval: `12 % (8–17)`; its reason where it has no value."""
    if figure.value is None:
        return f"unknown: {figure.reason}"
    if figure.unit == "points":
        ends = (
            "" if figure.low is None else f" ({points(figure.low)} to {points(figure.high or 0)})"
        )
        return f"{points(figure.value)}{ends}"
    if figure.unit == "share":
        low, high = (share(end or 0).removesuffix(" %") for end in (figure.low, figure.high))
        return share(figure.value) + ("" if figure.low is None else f" ({low}–{high})")
    return f"{number(figure.value)} {figure.unit}{_around(figure)}"


def _around(figure: Figure) -> str:
    """The interval; one that is open above says so."""
    if figure.low is None:
        return ""
    if figure.high is None:
        return f" ({number(figure.low)} or more)"
    return f" ({number(figure.low)}–{number(figure.high)})"


def windows(told: Mapping[str, Figure]) -> str:
    """How much went out inside of the windows, whether that was safer, and what it cost."""
    weekend, outside = told["weekend_share"], told["off_hours_share"]
    if weekend.value is None:
        return f"Nothing to say: {weekend.reason}."
    when = f"{estimate(weekend)} of {weekend.n:,} deployments started on a weekend"
    said = [f"{when}, {estimate(outside)} outside of working hours."]
    inside = told["inside_share"]
    if inside.value is not None:
        said.append(f"{estimate(inside)} of {inside.n:,} started inside of a release window.")
        said.append(_safer(told["stratified_difference"]))
        said.append(_tax(told["window_tax_median"], told["window_tax_total"]))
    return " ".join(said)


def stratified(found: Figure, *, unknown: str, more: str, less: str, neither: str) -> str:
    """What a difference within the same service and size says, in the words for each outcome."""
    if found.value is None or found.low is None or found.high is None:
        return f"{unknown} cannot be told: {found.reason}."
    held = more if found.low > 0 else less if found.high < 0 else neither
    return f"{held}: {estimate(found)} within the same service and size, repairs left out."


def _safer(found: Figure) -> str:
    return stratified(
        found,
        unknown="Whether that is safer",
        more="Outside of them more fails",
        less="Outside of them less fails",
        neither="There is no evidence that windows make deployments safer",
    )


def _tax(median: Figure, total: Figure) -> str:
    if median.value is None:
        return f"What they cost is unknown: {median.reason}."
    return (
        f"Half of {median.n:,} changes that had landed waited {number(median.value)} days or more"
        f" for the next window, {number(total.value or 0)} days in all."
    )


def freezes(told: Mapping[str, Figure]) -> str:
    """How many freezes there were, whether they were kept, and what they cost and spared."""
    number_of = told["freezes"]
    if number_of.value is None:
        return ""
    if not number_of.value:
        return "No freeze began in this window."
    lasted = f"{count(int(number_of.value), 'freeze')} of {number(told['freeze_days'].value or 0)}"
    said = [f"{lasted} days in all; {_violations(told)}", _spared(told["incident_ratio"])]
    waited = told["change_days_waited"]
    if waited.n:
        days = number(waited.value or 0)
        said.append(f"{count(waited.n, 'change')} landed in them and waited {days} days together.")
    said.append(_after(told["thaw_difference"]))
    return " ".join(said)


def _violations(told: Mapping[str, Figure]) -> str:
    broken, excused = int(told["violations"].value or 0), int(told["exemptions"].value or 0)
    if not broken + excused:
        return "nothing went out in them."
    return (
        f"{count(broken + excused, 'deployment')} went out in them, of which {excused:,} had an"
        " exempt label, repaired something or went out amid an incident."
    )


def _spared(ratio: Figure) -> str:
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return f"Whether they spared incidents cannot be told: {ratio.reason}."
    ends = f"{number(ratio.value)} times ({number(ratio.low)}–{number(ratio.high)})"
    if ratio.high < 1:
        return f"Incidents were fewer than in as much time before: {ends} as many."
    if ratio.low > 1:
        return f"Incidents were more than in as much time before: {ends} as many."
    return f"There is no evidence that they spared incidents: {ends} as many as before."


def _after(difference: Figure) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return f"What the thaw did cannot be told: {difference.reason}."
    if difference.low > 0:
        return f"In the five days after, more failed than otherwise: {estimate(difference)}."
    if difference.high < 0:
        return f"In the five days after, less failed than otherwise: {estimate(difference)}."
    return f"There is no evidence that more fails in the days after: {estimate(difference)}."
