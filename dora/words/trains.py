"""Release trains as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dora.words import count, number
from dora.words.release import estimate

if TYPE_CHECKING:
    from dora.stats.figure import Figure

NO_TRAINS = "no release train is configured for these services"
NEEDS_TRAINS = "Nothing can be said of trains without [[calendar.trains]] in dora.toml."
NONE_DUE = "no train was due"
NONE_LEFT = "no train left"
NO_RIDERS = "no change landed for a train of this window"
EVENLY = "what changes that land evenly would wait: half the time between trains, and the cutoff"


def sentence(told: Mapping[str, Figure]) -> str:
    """How many trains left on time, how many changes missed theirs, and how long they waited."""
    planned = told["planned"]
    if planned.value is None:
        return ""
    if not planned.value:
        return "No train was due in this window."
    on_time, skipped = estimate(told["on_time_share"]), estimate(told["skipped_share"])
    due = count(int(planned.value), "departure")
    said = [f"Of {due} that were planned {on_time} left on time and {skipped} not at all."]
    missed, mean, expected = (told[n] for n in ("missed_share", "wait_mean", "wait_expected"))
    if missed.value is not None:
        riders = count(missed.n, "change")
        said.append(f"{estimate(missed)} of {riders} missed the train they were for.")
    if mean.value is not None and expected.value is not None:
        said.append(
            f"From landing to departure they waited {number(mean.value)} days on average; changes"
            f" that land evenly would wait {number(expected.value)}."
        )
    return " ".join(said)
