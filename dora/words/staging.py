"""Staging as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dora.words import count, duration
from dora.words.release import estimate, stratified

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NO_STAGING = "no deployment of these services to a staging environment is known"
NEEDS_STAGING = (
    "Nothing can be said of staging before deployments to it are known; [environments] in"
    " dora.toml says which environments are staging."
)
NONE_TOLD = "of no deployment is it known whether it had been on staging"
NONE_PASSED = "nothing went from staging to production"
NONE_FAILED = "no deployment failed of which it is known whether it had been on staging"
NOT_COMPARABLE = "the commit is not known on both staging and production"
NOTHING_AHEAD = "nothing is on staging alone"
_COMMITS = "`sha`, the commit of each and of those on staging, would tell"
BANDS = {
    "under_1h": "soaked < 1 hour",
    "1h_to_1d": "1 hour to 1 day",
    "1d_to_7d": "1 to 7 days",
    "over_7d": "7 days or more",
}


def sentence(told: Mapping[str, Figure]) -> str:
    """How much skipped staging, whether that mattered, and how far the two are apart."""
    skipped, soak = told["skipped_share"], told["soak_median"]
    said = []
    if skipped.value is not None:
        known = count(skipped.n, "deployment")
        said.append(f"{estimate(skipped)} of {known} had never been on staging.")
        if soak.value is not None:
            lasted = duration(soak.value * 86_400)
            said.append(f"Half of the others were there for {lasted} or more.")
        said += rest(told)
        said.append(_mattered(told["skip_difference"]))
    elif skipped.reason != NO_STAGING:
        wanted = f"; {_COMMITS}" if told["unknown"].value else ""
        said.append(f"Whether staging was skipped cannot be told: {skipped.reason}{wanted}.")
    ahead, behind = told["ahead_now"], told["behind_now"]
    if ahead.value is not None and behind.value is not None:
        said.append(
            f"Now {count(int(ahead.value), 'commit')} are on staging alone and"
            f" {count(int(behind.value), 'commit')} on production alone."
        )
    return " ".join(said)


def rest(told: Mapping[str, Figure]) -> list[str]:
    """Of how many more deployments nothing is known, to follow a share of those that are."""
    unknown = int(told["unknown"].value or 0)
    if not unknown:
        return []
    of = count(unknown, "more deployment")
    return [f"Of {of} it is not known; {_COMMITS}."]


def _mattered(found: Figure) -> str:
    return stratified(
        found,
        unknown="Whether that mattered",
        more="Without it more failed",
        less="Without it less failed",
        neither="There is no evidence that staging spared failures",
    )
