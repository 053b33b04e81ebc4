"""How often do verdicts, and arrows on means, speak where nothing changed, or miss what did?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tables import percent, table

from dora import stats
from dora.metrics.comparison import SURE, Change, rate_change, ratio_change, shift_change

DAYS = 90
REPEATS = 4000
ARROW = 0.1
"""A mean that moves by a tenth gets an arrow on the usual dashboard."""


@dataclass(frozen=True)
class Team:
    """How much a team delivers in a window."""

    name: str
    deployments: float
    changes: float
    failing: float
    rework: float


TEAMS = (
    Team("small", 25, 60, 0.15, 0.08),
    Team("middle", 100, 250, 0.12, 0.06),
    Team("large", 500, 1500, 0.1, 0.05),
)


@dataclass(frozen=True)
class Window:
    """What is counted of one window."""

    deployments: int
    failed: int
    reworked: int
    lead: np.ndarray
    restored: np.ndarray
    worth: float

    @classmethod
    def drawn(cls, team: Team, random: np.random.Generator, *, together: int = 1) -> Window:
        """Draw a window; changes that ride together share most of their lead time."""
        count = int(random.poisson(team.deployments))
        failed = int(random.binomial(count, team.failing))
        changes = int(random.poisson(team.changes))
        waits = random.normal(size=-(-changes // together)).repeat(together)[:changes]
        own = random.normal(size=changes)
        share = 0.0 if together == 1 else 0.5
        logs = 3.0 + 1.2 * (np.sqrt(share) * waits + np.sqrt(1 - share) * own)
        worth = stats.effective_size(logs, np.arange(changes) // together)
        return cls(
            count, failed, int(random.binomial(count, team.rework)),
            np.sort(np.exp(logs)), np.sort(random.lognormal(0.7, 1.0, failed)),
            worth,
        )  # fmt: skip

    def values(self) -> list[float | None]:
        """The means that arrows are drawn of."""
        rate = self.failed / self.deployments if self.deployments else None
        rework = self.reworked / self.deployments if self.deployments else None
        means = [float(part.mean()) if len(part) else None for part in (self.lead, self.restored)]
        return [self.deployments, means[0], rate, means[1], rework]


def changes(now: Window, before: Window) -> list[Change | None]:
    """The five differences, as the package makes them."""
    return [
        ratio_change((now.deployments, DAYS), (before.deployments, DAYS)),
        shift_change(now.lead * 3600, before.lead * 3600, sizes=(now.worth, before.worth)),
        rate_change((now.failed, now.deployments), (before.failed, before.deployments)),
        shift_change(now.restored * 3600, before.restored * 3600),
        rate_change((now.reworked, now.deployments), (before.reworked, before.deployments)),
    ]


def spoken(found: list[Change | None], *, corrected: bool) -> int:
    """How many of the five are called better or worse."""
    chances = [None if change is None else change.chance for change in found]
    judged = stats.holm(chances) if corrected else chances
    return sum(chance is not None and chance < SURE for chance in judged)


def arrows(now: Window, before: Window) -> int:
    """How many of the five means move by a tenth."""
    pairs = zip(now.values(), before.values(), strict=True)
    return sum(a is not None and bool(b) and abs(a / b - 1) >= ARROW for a, b in pairs)


def alarms() -> str:
    """Windows of which nothing changed: in how many is anything called better or worse?"""
    rows = []
    for team in TEAMS:
        for together in (1, 5):
            random = np.random.default_rng(17)
            seen = np.zeros(3)
            for _ in range(REPEATS // 4):
                now, before = (Window.drawn(team, random, together=together) for _ in range(2))
                found = changes(now, before)
                seen += [
                    spoken(found, corrected=True) > 0, spoken(found, corrected=False) > 0,
                    arrows(now, before) > 0,
                ]  # fmt: skip
            shares = seen / (REPEATS // 4)
            rides = "alone" if together == 1 else "in fives"
            size = f"{team.deployments:.0f} deployments, {team.changes:.0f} changes {rides}"
            rows.append([size, *(percent(share) for share in shares)])
    head = ["team and window", "any verdict (Holm)", "without Holm", "any arrow of 10 %"]
    return table(head, rows)


def power() -> str:
    """Single metrics that did change: how often is it found, and which way does an arrow point?"""
    rows = []
    for what, sizes in (
        ("lead time", (20, 50, 100, 250)),
        ("frequency", (12, 25, 50, 100)),
        ("failure rate from 10 %", (50, 100, 250, 500)),
    ):
        for n in sizes:
            cells: list[str] = []
            for factor in (1.5, 2.0):
                found, right, wrong = _found(what, n, factor)
                cells += [percent(found, 0), f"{percent(right, 0)} / {percent(wrong, 0)}"]
            rows.append([what, n, *cells])
    head = ["metric", "n a window", "× 1.5 found", "arrow right / wrong", "× 2 found",
            "arrow right / wrong"]  # fmt: skip
    return table(head, rows)


def _found(what: str, n: int, factor: float) -> tuple[float, float, float]:
    random = np.random.default_rng(n)
    seen = np.zeros(3)
    rounds = REPEATS // 4
    for _ in range(rounds):
        change, moved = _one(what, n, factor, random)
        sure = change is not None and change.chance < SURE and change.direction > 0
        seen += [sure, moved >= ARROW, moved <= -ARROW]
    found, right, wrong = (float(count) / rounds for count in seen)
    return found, right, wrong


def _one(
    what: str, n: int, factor: float, random: np.random.Generator
) -> tuple[Change | None, float]:
    """One comparison of a window in which a number is larger, and how far its mean moves."""
    if what == "lead time":
        now = np.sort(random.lognormal(3.0 + np.log(factor), 1.2, n)) * 3600
        before = np.sort(random.lognormal(3.0, 1.2, n)) * 3600
        return shift_change(now, before), float(now.mean() / before.mean() - 1)
    if what == "frequency":
        count, earlier = int(random.poisson(factor * n)), int(random.poisson(n))
        return ratio_change((count, DAYS), (earlier, DAYS)), count / max(earlier, 1) - 1
    hits, earlier = int(random.binomial(n, 0.1 * factor)), int(random.binomial(n, 0.1))
    return rate_change((hits, n), (earlier, n)), hits / max(earlier, 1) - 1
