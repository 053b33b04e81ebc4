"""Immutability as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dora.words import count, duration, listed, waiting
from dora.words.release import estimate
from dora.words.staging import rest

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NO_DIGEST = "no digest is known both on staging and in production"
NO_COMMIT = "of no deployment without digests is it known whether its commit was on staging"
NOT_MANUAL = "nothing says which deployments were made by hand"
NOT_RECORDED = "no manual change of these services is known, in this window or before"
NO_CHANGE = "nothing was changed"
NOT_AUTOMATIC = "nothing says which rollbacks were begun by a machine"
NO_ROLLBACK = "nothing was rolled back"
NO_RECOVERY = "no failure ended"
NO_FAILURE = "no failure began"
_SAYS = {
    "digest": "`digest` (whether the same artifact was on staging)",
    "manual": "`manual` (what was changed by hand)",
    "automatic": "`automatic` (which rollbacks nobody had to ask for)",
}


_ENDED_BY = {
    "rollback": "a rollback",
    "revert": "a revert",
    "fix forward": "a fix forward",
    "flag off": "turning a flag off",
    "incident resolved": "something that is not known",
}


def needs(lacking: Sequence[str]) -> str:
    """Which columns of deployments would tell more, and what."""
    if not lacking:
        return ""
    return f"Deployments do not say {listed([_SAYS[name] for name in lacking])}."


def sentence(told: Mapping[str, Figure], recoveries: Sequence[str]) -> str:
    """How much went out as it was tried, how much by hand, and how failures ended."""
    said = []
    digest, commit = told["same_digest_share"], told["same_commit_share"]
    if digest.value is not None:
        of = count(digest.n, "deployment")
        said.append(f"{estimate(digest)} of {of} had the very artifact that was on staging.")
    elif commit.value is not None:
        of = count(commit.n, "deployment")
        said.append(f"{estimate(commit)} of {of} had the commit that was on staging.")
    said += rest(told) if said else []
    said += _by_hand(told["manual_share"], told["manual_share_at_least"])
    said += [*_ended(told, recoveries), *_lasted(told, recoveries)]
    back = told["automatic_rollback_share"]
    if back.value is not None:
        of = count(back.n, "rollback")
        said.append(f"{estimate(back)} of {of} were begun by a machine.")
    return " ".join(said)


def partly_manual(unknown: int) -> str:
    """Why it is not known how much was made by hand."""
    return f"of {count(unknown, 'deployment')} nothing says whether it was made by hand"


def never_ended_by(kind: str) -> str:
    """Why there is no time to recovery of a kind."""
    return f"no failure that began was ended by {_ENDED_BY[kind]}"


def still_open(n: int) -> str:
    """How many failures go on, of which nobody knows yet what will end them."""
    return f"{count(n, 'failure')} still open, counted for as long as they last"


def recovery(kind: str, figure: Figure) -> str:
    """A kind of recovery as a legend names it: how often, and after how long."""
    if figure.value is None:
        return f"{kind}, n = {figure.n:,}"
    return f"{kind}, n = {figure.n:,}: half of them within {duration(figure.value * 3600)}"


def _by_hand(manual: Figure, least: Figure) -> list[str]:
    of = f"of {count(least.n, 'change')}"
    if manual.value is not None:
        return [f"{estimate(manual)} of {count(manual.n, 'change')} were made by hand."]
    if least.value is not None:
        return [f"At least {estimate(least)} {of} were made by hand; {manual.reason}."]
    return []


def _lasted(told: Mapping[str, Figure], recoveries: Sequence[str]) -> list[str]:
    """After how long each kind of recovery was done."""
    figures = {kind: told[f"recovery_median_{kind.replace(' ', '_')}"] for kind in recoveries}
    parts = [f"{kind} {_hours(figure)}" for kind, figure in figures.items() if figure.value]
    return [f"Half of each were over within: {listed(parts, most=len(parts))}."] if parts else []


def _hours(figure: Figure) -> str:
    ends = (figure.value, figure.low, figure.high)
    value, low, high = (None if end is None else end * 3600 for end in ends)
    return waiting.quantile(value, low, high)


def _ended(told: Mapping[str, Figure], recoveries: Sequence[str]) -> list[str]:
    figures = {kind: told[f"recovered_by_{kind.replace(' ', '_')}_share"] for kind in recoveries}
    known = {kind: f for kind, f in figures.items() if f.value}
    if not known:
        return []
    n = next(iter(known.values())).n
    parts = [f"{kind} {estimate(figure)}" for kind, figure in known.items()]
    return [f"What ended {count(n, 'failure')}: {listed(parts, most=len(parts))}."]
