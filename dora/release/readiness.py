"""What each service could have released when, and which changes were ready for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from dora import zones
from dora.metrics.scopes import ALWAYS
from dora.release import checks, trunk
from dora.release.occurrences import microseconds
from dora.release.timelines import NONE, Spans, integers, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from dora.metrics.scopes import Member
    from dora.release.base import Analysis, Asked
    from dora.release.trunk import Trunk

    Ints: TypeAlias = NDArray[np.int64]

NEVER = np.iinfo(np.int64).max
_NOTHING = np.zeros(0, np.int64)
_NO_CHANGES = (_NOTHING, _NOTHING)


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
    since = int(rows["changes"]["landed_us"].to_numpy(np.int64).min(initial=asked.window_us[0]))
    runs = asked.rows(analysis.sql("trunk"), since_us=since)
    trunks, greens = trunk.trunks(asked, runs), _greens(runs)
    frozen, blocked = _frozen(rows["environments"]), _blocked(rows["blocked"], asked.now_us)
    changes = _changes(rows["changes"], rows["routes"], greens)
    members = _members(asked)
    owned = rows["repositories"].groupby("service", sort=True)["repository"].agg(list)
    found = []
    for name, repositories in zip(map(str, owned.index), owned, strict=True):
        window = _window(asked, members.get(name, []))
        known, red = _together([trunks[r] for r in repositories if r in trunks])
        ready, delivered = changes.get(name, _NO_CHANGES)
        held = (frozen.get(name, NONE), blocked.get(name, NONE))
        found.append(Service(name, window, known & window, red, *held, ready, delivered))
    return found


_PARTS = ("repositories", "environments", "blocked", "routes", "changes")


def _members(asked: Asked) -> dict[str, list[Member]]:
    """The services in scope, each with the spans of days in which it is."""
    found: dict[str, list[Member]] = {}
    for member in asked.members:
        found.setdefault(member.service, []).append(member)
    return found


def _window(asked: Asked, members: list[Member]) -> Spans:
    """The time that is asked about, as far as the service is in scope."""
    whole = trunk.so_far(asked)
    zone = asked.question.window.zone
    if any((member.from_day, member.until_day) == ALWAYS for member in members):
        return whole
    held = NONE
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
        return NONE, NONE
    known, red = found[0].known, found[0].red
    for one in found[1:]:
        known, red = known & one.known, red | one.red
    return known, red


def _places(rows: pd.DataFrame, by: str | list[str]) -> dict[Any, Ints]:
    """The places of the rows of each group."""
    return dict(cast("Mapping[Any, Ints]", rows.groupby(by, sort=False).indices))


def _frozen(rows: pd.DataFrame) -> dict[str, Spans]:
    """When a freeze held in all environments of each service."""
    begins, ends = integers(rows["from_us"], 0), integers(rows["until_us"], 0)
    found: dict[str, Spans] = {}
    for (name, _), mine in _places(rows, ["service", "environment"]).items():
        held = Spans.of(begins[mine], ends[mine])
        found[name] = found[name] & held if name in found else held
    return found


def _blocked(rows: pd.DataFrame, now: int) -> dict[str, Spans]:
    begins, ends = integers(rows["from_us"], 0), integers(rows["until_us"], now)
    groups = _places(rows, "service")
    return {str(name): Spans.of(begins[mine], ends[mine]) for name, mine in groups.items()}


def _greens(rows: pd.DataFrame) -> dict[str, tuple[Ints, Ints]]:
    """When the required runs began that ended with nothing red, and from when on that is known.

    The second is the first end of those that began no earlier; both of each repository.
    """
    begun, begins = integers(rows["begun_us"], 0), integers(rows["from_us"], 0)
    ends, red = integers(rows["until_us"], NEVER), rows["red"].astype(bool).to_numpy()
    found = {}
    for name, mine in _places(rows, "repository").items():
        failed = mine[red[mine]]
        green = mine[~Spans.of(begins[failed], ends[failed]).holds(begins[mine])]
        order = green[np.argsort(begun[green], kind="stable")]
        first = np.minimum.accumulate(begins[order][::-1])[::-1]
        found[str(name)] = (begun[order], first)
    return found


def _changes(
    rows: pd.DataFrame, routes: pd.DataFrame, greens: Mapping[str, tuple[Ints, Ints]]
) -> dict[str, tuple[Ints, Ints]]:
    """When the changes of each service were ready, and when they were delivered."""
    landed, delivered = integers(rows["landed_us"], 0), integers(rows["delivered_us"], NEVER)
    found: dict[str, tuple[Ints, Ints]] = {}
    mine = _places(rows, "route")
    for route, service, repository in routes.itertuples(index=False):
        if route not in mine:
            continue
        begun, ended = greens.get(repository, (_NOTHING, _NOTHING))
        place = np.searchsorted(begun, landed[mine[route]], side="left")
        ready, others = np.concatenate([ended, [NEVER]])[place], found.get(service, _NO_CHANGES)
        found[service] = (
            np.concatenate([others[0], ready]),
            np.concatenate([others[1], delivered[mine[route]]]),
        )
    return found
