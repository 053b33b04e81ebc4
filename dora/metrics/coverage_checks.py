"""What is checked of the record, on which metrics it bears, and from which share on it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PARTS = (95, 85, 70, 50)
"""Per cent that A, B, C and D need at least, of what may well be missing here and there."""

FAULTS = (99, 97, 95, 90)
"""The same of what should never be wrong."""

_Lowest = Literal["C", "E"]


@dataclass(frozen=True, slots=True)
class Count:
    """How much is as it should be.

    Attributes:
        good: What is.
        total: All that was looked at.
        examples: Names of what is not, where a few are worth saying.
    """

    good: int
    total: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the record is checked for.

    Attributes:
        name: What it is called in frames.
        statement: What is true of the good ones; follows `41 of 50`.
        remark: What follows from what is missing, and what to do about it.
        bears_on: The metrics it bears on, and the worst letter it alone can give each. `C` where
            the number stays true and only says less than it might.
        scale: The least per cent for A, B, C and D.
    """

    name: str
    statement: str
    remark: str
    bears_on: Mapping[str, _Lowest]
    scale: tuple[int, int, int, int] = PARTS


_FREQUENCY, _LEAD, _FAILURE = "deployment_frequency", "lead_time", "change_failure_rate"
_RESTORE, _REWORK = "time_to_restore", "rework_rate"


def _fully(*metrics: str) -> dict[str, _Lowest]:
    return dict.fromkeys(metrics, "E")


def _partly(*metrics: str) -> dict[str, _Lowest]:
    return dict.fromkeys(metrics, "C")


_ALL = (_FREQUENCY, _LEAD, _FAILURE, _RESTORE, _REWORK)

CHECKS = (
    Check(
        "sources_read",
        "sources were read to their end",
        "What the others hold is missing altogether; `dora sync` says why they fail.",
        _fully(*_ALL),
    ),
    Check(
        "sources_fresh",
        "sources were read the last time, and within a day of the newest",
        "All numbers are as of the source furthest behind; `dora sync` says why it is.",
        _partly(*_ALL),
    ),
    Check(
        "commits_readable",
        "repositories let their commits be read",
        "What the others deployed is in no lead time; `dora sync` says what the token lacks.",
        _fully(_LEAD) | _partly(_FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "pull_requests_readable",
        "repositories let their pull requests be read",
        "Of the others, stages and original commits are missing; `dora sync` says what the token"
        " lacks.",
        _partly(_LEAD, _FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "deployments_readable",
        "repositories let their deployments be read",
        "Those of the others are missing altogether; `dora sync` says what the token lacks.",
        _fully(*_ALL),
    ),
    Check(
        "incidents_readable",
        "repositories let their issues be read",
        "Incidents of the others are missing; `dora sync` says what the token lacks.",
        _fully(_FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "environments_classified",
        "deployments are to an environment of a known kind",
        "The others count nowhere; name their environments in [environments].",
        _fully(*_ALL),
    ),
    Check(
        "deployments_kept",
        "rows about deployments are facts",
        "The others were set aside; `dora status` says which, and why.",
        _fully(*_ALL),
        FAULTS,
    ),
    Check(
        "deployments_told_once",
        "deployments are told by one source alone",
        "The others count twice; let one source tell the deployments of a service.",
        _fully(_FREQUENCY, _FAILURE, _REWORK),
        FAULTS,
    ),
    Check(
        "deployments_in_order",
        "deployments ended after they began",
        "A clock ran backwards for the others; what they are held against may be off by as much.",
        _partly(_LEAD, _FAILURE, _RESTORE),
        FAULTS,
    ),
    Check(
        "no_silence",
        "days of services lie in no unusual silence",
        "Either nothing was deployed or nobody told of it; see whether the source still works.",
        _partly(_FREQUENCY, _LEAD, _FAILURE, _REWORK),
    ),
    Check(
        "commit_known",
        "deployments have a commit that is known",
        "What the others shipped is in no lead time, and rollbacks are not seen.",
        _fully(_LEAD) | _partly(_FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "delivery_certain",
        "delivered changes were surely delivered by that deployment",
        "The others followed a deployment of an unknown commit, and are in no lead time.",
        _fully(_LEAD),
    ),
    Check(
        "history_whole",
        "repositories have their whole history",
        "Fetch the whole of the others: git fetch --unshallow.",
        _fully(_LEAD) | _partly(_FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "committed_before_delivered",
        "delivered changes were committed before they were delivered",
        "A clock ran backwards for the others; they are in no lead time.",
        _fully(_LEAD),
        FAULTS,
    ),
    Check(
        "pull_request_known",
        "changes have a pull request",
        "The lead time of the others has no stages.",
        _partly(_LEAD),
    ),
    Check(
        "beginning_known",
        "changes begin where their author began",
        "The others may be squashes, made when they were merged, whose original commits nobody"
        " told: their lead time may be too short. Read pull requests from GitHub or GitLab.",
        _partly(_LEAD),
    ),
    Check(
        "commits_kept",
        "rows about commits are facts",
        "The others were set aside; `dora status` says which, and why.",
        _fully(_LEAD),
        FAULTS,
    ),
    Check(
        "pull_requests_kept",
        "rows about pull requests are facts",
        "The others were set aside; `dora status` says which, and why.",
        _fully(_LEAD),
        FAULTS,
    ),
    Check(
        "incidents_covered",
        "deployments are of services whose incidents are known",
        'The others are in no failure rate; add a source, or say covers = ["…"].',
        _fully(_FAILURE, _RESTORE, _REWORK),
    ),
    Check(
        "incidents_mapped",
        "incidents name a service that is known",
        "The others are in no metric; name their service, or map it in [[services]].",
        _fully(_FAILURE, _RESTORE),
    ),
    Check(
        "incidents_linked",
        "incidents are linked to a deployment",
        "The others are no change failures; say in them which deployment they come from.",
        _partly(_FAILURE, _RESTORE),
    ),
    Check(
        "incidents_ended",
        "incidents have an end, or are younger than 30 days",
        "The others may be over without anybody having closed them; close them.",
        _fully(_RESTORE),
    ),
    Check(
        "incidents_told_once",
        "incidents are told by one source alone",
        "The others may be one incident told twice; let one source tell those of a service.",
        _partly(_RESTORE),
        FAULTS,
    ),
    Check(
        "incidents_in_order",
        "incidents were detected before they were resolved",
        "A clock ran backwards for the others, or somebody mistyped; they are in no metric.",
        _fully(_FAILURE, _RESTORE),
        FAULTS,
    ),
    Check(
        "incidents_kept",
        "rows about incidents are facts",
        "The others were set aside; `dora status` says which, and why.",
        _fully(_FAILURE, _RESTORE, _REWORK),
        FAULTS,
    ),
)
"""Every check, in the order they are shown."""

READABLE = frozenset(check.name for check in CHECKS if check.name.endswith("_readable"))
"""The checks of what sources let be read."""
