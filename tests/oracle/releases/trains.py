"""Release trains: when they left, and who missed them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise

from tests.oracle.changes import Row
from tests.oracle.releases.almanac import Entry
from tests.oracle.releases.asked import DAY, Asked, Figures, landed, middle, share
from tests.oracle.world import us

MICROSECOND = timedelta(microseconds=1)
Left = dict[int, list[int]]
"""What went out in each turn, in order."""


@dataclass(frozen=True)
class Line:
    """One train of one service, in the environments that it goes to."""

    asked: Asked
    train: Entry
    service: str

    @cached_property
    def planned(self) -> list[int]:
        return sorted({begun for begun, _ in self.train.spans(self.asked.first, self.asked.last)})

    @property
    def tolerance(self) -> int:
        return self.train.tolerance // MICROSECOND

    @property
    def cutoff(self) -> int:
        return self.train.cutoff // MICROSECOND

    def turn(self, instant: int) -> int | None:
        """Whose turn it is at an instant: from a tolerance before its time to that of the next."""
        return max(
            (k for k, due in enumerate(self.planned) if due - self.tolerance <= instant),
            default=None,
        )

    def departures(self) -> Left:
        """What went out in each turn, repairs apart."""
        found: Left = {}
        for row in self.asked.facts.starts:
            ours = row["service"] == self.service
            if ours and self.train.holds(self.service, row["environment"]) and not row["repair"]:
                turn = self.turn(row["us"])
                if turn is not None:
                    found.setdefault(turn, []).append(row["us"])
        return {turn: sorted(times) for turn, times in found.items()}

    def due(self, left: Left) -> list[int]:
        """The turns in the window that are due by now."""
        return [
            k
            for k, planned in enumerate(self.planned)
            if self.asked.inside(planned)
            and (k in left or planned + self.tolerance <= self.asked.now)
        ]

    def meant(self, change: Row) -> int | None:
        """The first train whose cutoff comes after a change has landed."""
        planned = enumerate(self.planned)
        return next((k for k, due in planned if due - self.cutoff >= landed(change)), None)


def lines(asked: Asked) -> list[Line]:
    return [
        Line(asked, train, service)
        for train in asked.almanac.trains
        for service in sorted({s for s, e in asked.places if train.holds(s, e)})
    ]


NAMES = (
    *("planned", "on_time_share", "skipped_share", "extra_departures", "slip_median"),
    *("missed_share", "wait_median", "wait_mean", "wait_expected"),
)


def trains(asked: Asked) -> Figures:
    found = [(line, line.departures()) for line in lines(asked)]
    if not found:
        return dict.fromkeys(NAMES, (None, 0))
    planned = skipped = extra = on_time = 0
    slips: list[int] = []
    for line, left in found:
        due = line.due(left)
        planned += len(due)
        skipped += sum(k not in left for k in due)
        extra += sum(len(left[k]) - 1 for k in due if k in left)
        mine = [left[k][0] - line.planned[k] for k in due if k in left]
        on_time += sum(abs(slip) <= line.tolerance for slip in mine)
        slips += mine
    return {
        "planned": (float(planned), planned),
        "on_time_share": share(on_time, planned),
        "skipped_share": share(skipped, planned),
        "extra_departures": (float(extra), planned),
        "slip_median": middle(slips, DAY),
        "wait_expected": _expected(found),
    } | _riders(found)


def _riders(found: list[tuple[Line, Left]]) -> Figures:
    missed, waits = [], []
    for line, left in found:
        due = set(line.due(left))
        for change in line.asked.changes:
            meant = line.meant(change) if change["service"] == line.service else None
            if meant is None or meant not in due:
                continue
            out = us(change["delivered_at"]) if change["delivered_at"] else None
            went = None if out is None else line.turn(out)
            if out is not None and went is None:
                continue  # it went out before there was any train
            missed.append(went is None or went > meant)
            if out is not None:
                waits.append(out - landed(change))
    return {
        "missed_share": share(sum(missed), len(missed)),
        "wait_median": middle(waits, DAY),
        "wait_mean": (sum(waits) / len(waits) / DAY if waits else None, len(waits)),
    }


def _expected(found: list[tuple[Line, Left]]) -> tuple[float | None, int]:
    """What changes that land evenly would wait: half the time to the train, and the cutoff."""
    squares = length = n = 0
    for line, left in found:
        due = set(line.due(left))
        for k, (before, planned) in enumerate(pairwise(line.planned), 1):
            if k in due:
                gap = planned - before
                squares += gap * (gap + 2 * line.cutoff)
                length += gap
                n += 1
    return (squares / 2 / length / DAY if length else None), n
