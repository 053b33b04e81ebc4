"""What each service could have released when, and which changes were ready for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dora import zones
from dora.metrics.scopes import ALWAYS
from dora.release import checks, trunk
from dora.release.occurrences import microseconds
from dora.release.timelines import Spans, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from dora.release.base import Analysis, Asked
    from dora.release.trunk import Trunk

    Ints: TypeAlias = NDArray[np.int64]

NEVER = np.iinfo(np.int64).max
_NONE = Spans.of([], [])


@dataclass(frozen=True, eq=False)
class Service:
    """One service in the window of time so far.

    Attributes:
        name: The service.
        asked: The time that is asked about.
        known: When the state of all its default branches that have builds is known.
        red: When any of them was red.
        frozen: When a freeze held in all of its environments.
        blocked: When an incident of it was open.
        ready: When each of its changes was first ready, its default branch being green.
        delivered: When each was delivered; the largest number where it is not.
    """

    name: str
    asked: Spans
    known: Spans
    red: Spans
    frozen: Spans
    blocked: Spans
    ready: Ints
    delivered: Ints

    @cached_property
    def states(self) -> dict[str, Spans]:
        """The time that is asked about in parts: of what holds at once, the first is taken."""
        found = {"unknown": self.asked - self.known}
        left = self.known
        for name in ("red", "frozen", "blocked"):
            held: Spans = getattr(self, name)
            found[name] = left & held
            left -= held
        return found | {"available": left}

    def waiting(self, moment: int) -> Ints:
        """When those changes were ready that wait at a moment."""
        return self.ready[(self.ready <= moment) & (moment < self.delivered)]


def services(asked: Asked, analysis: Analysis) -> list[Service]:
    """Every service in scope."""
    checks.load(asked)
    rows = {part: asked.rows(analysis.sql(part)) for part in _PARTS}
    trunks = trunk.trunks(asked, rows["trunk"])
    by_repository = rows["trunk"].groupby("repository", sort=False)
    greens = {str(name): _green(mine) for name, mine in by_repository}
    frozen, blocked = _frozen(rows["environments"]), _blocked(rows["blocked"], asked.now_us)
    changes = dict(tuple(rows["changes"].groupby("service", sort=False)))
    owned = rows["repositories"].groupby("service", sort=True)["repository"].agg(list)
    found = []
    for name, repositories in zip(map(str, owned.index), owned, strict=True):
        window = _window(asked, name)
        known, red = _together([trunks[r] for r in repositories if r in trunks])
        ready, delivered = _ready(changes.get(name), greens)
        held = (frozen.get(name, _NONE), blocked.get(name, _NONE))
        found.append(Service(name, window, known & window, red, *held, ready, delivered))
    return found


_PARTS = ("repositories", "trunk", "environments", "blocked", "changes")


def _window(asked: Asked, service: str) -> Spans:
    """The time that is asked about, as far as the service is in scope."""
    whole = trunk.so_far(asked)
    members = [member for member in asked.members if member.service == service]
    zone = asked.question.window.zone
    if any((member.from_day, member.until_day) == ALWAYS for member in members):
        return whole
    held = _NONE
    for member in members:
        first, last = (
            NEVER * sign if day in ALWAYS else microseconds(zones.first_instant(day, zone))
            for sign, day in ((-1, member.from_day), (1, member.until_day))
        )
        held |= within(first, last)
    return whole & held


def _together(found: list[Trunk]) -> tuple[Spans, Spans]:
    """When all are known, and when any is red."""
    if not found:
        return _NONE, _NONE
    known, red = found[0].known, found[0].red
    for one in found[1:]:
        known, red = known & one.known, red | one.red
    return known, red


def _frozen(rows: pd.DataFrame) -> dict[str, Spans]:
    """When a freeze held in all environments of each service."""
    found: dict[str, Spans] = {}
    for (name, _), mine in rows.groupby(["service", "environment"], sort=False):
        service = str(name)
        spans = mine.dropna(subset=["from_us"])
        held = Spans.of(spans["from_us"].astype("int64"), spans["until_us"].astype("int64"))
        found[service] = found[service] & held if service in found else held
    return found


def _blocked(rows: pd.DataFrame, now: int) -> dict[str, Spans]:
    ends = rows["until_us"].astype("Int64").fillna(now).to_numpy(np.int64)
    begins = rows["from_us"].to_numpy(np.int64)
    groups = rows.groupby("service", sort=False).indices
    return {str(name): Spans.of(begins[mine], ends[mine]) for name, mine in groups.items()}


def _green(rows: pd.DataFrame) -> tuple[Ints, Ints]:
    """When the required runs began that ended with nothing red, and from when on that is known.

    The second is the first end of those that began no earlier.
    """
    red = rows["red"].astype(bool).to_numpy()
    begins = rows["from_us"].to_numpy(np.int64)
    ends = rows["until_us"].astype("Int64").fillna(NEVER).to_numpy(np.int64)
    green = ~Spans.of(begins[red], ends[red]).holds(begins)
    begun, ended = rows["begun_us"].to_numpy(np.int64)[green], begins[green]
    order = np.argsort(begun, kind="stable")
    first = np.minimum.accumulate(ended[order][::-1])[::-1]
    return begun[order], first


def _ready(rows: pd.DataFrame | None, greens: Mapping[str, tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """When each change was ready, and when it was delivered, in any order."""
    parts = list(_of_repositories(rows, greens)) if rows is not None else []
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    ready, delivered = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ready, delivered


def _of_repositories(
    rows: pd.DataFrame, greens: Mapping[str, tuple[Ints, Ints]]
) -> Iterator[tuple[Ints, Ints]]:
    for repository, mine in rows.groupby("repository", sort=False):
        begun, ended = greens.get(str(repository), (np.zeros(0, np.int64),) * 2)
        landed = mine["landed_us"].to_numpy(np.int64)
        place = np.searchsorted(begun, landed, side="left")
        ready = np.concatenate([ended, [NEVER]])[place]
        delivered = mine["delivered_us"].astype("Int64").fillna(NEVER).to_numpy(np.int64)
        yield np.asarray(ready, np.int64), np.asarray(delivered, np.int64)
