"""Immutability as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dora.words import count, listed
from dora.words.release import estimate
from dora.words.staging import rest

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NO_DIGEST = "no digest is known both on staging and in production"
NO_COMMIT = "of no deployment without digests is it known whether its commit was on staging"
NOT_MANUAL = "nothing says which deployments were made by hand"
NOT_AUTOMATIC = "nothing says which rollbacks were begun by a machine"
NO_ROLLBACK = "nothing was rolled back"
NO_RECOVERY = "no failure ended"
_SAYS = {
    "digest": "`digest` whether the same artifact was on staging",
    "manual": "`manual` what was changed by hand",
    "automatic": "`automatic` which rollbacks nobody had to ask for",
}


def needs(lacking: Sequence[str]) -> str:
    """Which columns of deployments would tell more, and what."""
    if not lacking:
        return ""
    return f"Of deployments, {listed([_SAYS[name] for name in lacking])} would tell."


def sentence(told: Mapping[str, Figure], recoveries: Sequence[str]) -> str:
    """How much went out as it was tried, how much by hand, and how failures ended."""
    said = []
    digest, commit = told["same_digest_share"], told["same_commit_share"]
    if digest.value is not None:
        of = count(digest.n, "deployment")
        same = f"{estimate(digest)} of {of} had the very artifact that was on staging."
        said.append(f"{same}{rest(told)}")
    elif commit.value is not None:
        of = count(commit.n, "deployment")
        said.append(f"{estimate(commit)} of {of} had the commit that was on staging.{rest(told)}")
    manual, back = told["manual_share"], told["automatic_rollback_share"]
    if manual.value is not None:
        said.append(f"{estimate(manual)} of {count(manual.n, 'change')} were made by hand.")
    said += _ended(told, recoveries)
    if back.value is not None:
        of = count(back.n, "rollback")
        said.append(f"{estimate(back)} of {of} were begun by a machine.")
    return " ".join(said)


def _ended(told: Mapping[str, Figure], recoveries: Sequence[str]) -> list[str]:
    figures = {kind: told[f"recovered_by_{kind.replace(' ', '_')}_share"] for kind in recoveries}
    known = {kind: f for kind, f in figures.items() if f.value}
    if not known:
        return []
    n = next(iter(known.values())).n
    parts = [f"{kind} {estimate(figure)}" for kind, figure in known.items()]
    return [f"What ended {count(n, 'failure')}: {listed(parts, most=len(parts))}."]
