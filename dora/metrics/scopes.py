"""Whom a number is about: everything, services, teams, and from when on we know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from dora.errors import UsageError
from dora.spelling import closest

if TYPE_CHECKING:
    import pandas as pd

    from dora.rules import Rules

ALWAYS = (date(1, 1, 1), date(9999, 12, 31))


class Tables(Protocol):
    """What metrics ask of a workspace: models built when needed, small tables in, frames out."""

    def need(self, *models: str) -> None:
        """Build these models and what they read, unless they are there."""

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Make a table from a frame."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a SELECT."""

    def with_rules(self, rules: Rules) -> Tables:
        """The same facts judged by other rules."""


@dataclass(frozen=True, slots=True)
class Member:
    """A service that belongs to a scope, from a day on until (and without) another."""

    service: str
    from_day: date = ALWAYS[0]
    until_day: date = ALWAYS[1]


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing that a number can be about.

    Attributes:
        kind: all, service, services, team or teams.
        service: The service's name, or several names, where services were chosen.
        team: The team's name, or several names, where teams were chosen.
        members: The services in it, with their days.
    """

    kind: str
    service: str | None = None
    team: str | None = None
    members: tuple[Member, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """What to call it in a title."""
        return " of ".join(name for name in (self.service, self.team) if name) or "all services"


@dataclass(frozen=True, slots=True)
class Directory:
    """Every service and team that the facts or the configuration name.

    Attributes:
        services: The services' names.
        teams: The members of each team; of a group, those of all teams below it.
        first_days: The day of each service's first successful production deployment.
        covered: The services whose incidents are known.
        parents: The group that a team, or a group, is in.
    """

    services: tuple[str, ...]
    teams: Mapping[str, tuple[Member, ...]]
    first_days: Mapping[str, date]
    covered: frozenset[str]
    parents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, tables: Tables) -> Directory:
        """Look them up."""
        tables.need("production_deployments")
        named = tables.query("select distinct service from services")
        owned = tables.query("select team, service, from_day, until_day from team_services")
        first = tables.query(
            "select service, min(dora_day(finished_at)) as first_day from production_deployments "
            "where succeeded and finished_at is not null group by service"
        )
        covered = tables.query("select distinct service from covered_services")
        first_days = dict(zip(first["service"], _days(first["first_day"]), strict=True))
        teams: dict[str, list[Member]] = {}
        for team, service, since, until in zip(
            owned["team"],
            owned["service"],
            _days(owned["from_day"]),
            _days(owned["until_day"]),
            strict=True,
        ):
            teams.setdefault(team, []).append(Member(service, since, until))
        services = {*named["service"], *owned["service"], *first_days}
        tree = tables.query("select team, parent from teams")
        parents = {str(t): str(p) for t, p in zip(tree["team"], tree["parent"], strict=True) if p}
        for team in {*tree["team"], *parents.values()}:
            teams.setdefault(team, [])
        return cls(
            tuple(sorted(services)),
            {team: _merged(_below(team, teams, parents)) for team in sorted(teams)},
            first_days,
            frozenset(covered["service"]),
            parents,
        )

    def scope(self, services: Sequence[str] = (), teams: Sequence[str] = ()) -> Scope:
        """The scope of chosen services and teams, pooled; everything where none is chosen.

        Raises:
            UsageError: There is no such service or team; the hint names the nearest.
        """
        if not services and not teams:
            return Scope("all", members=tuple(Member(service) for service in self.services))
        found = tuple(dict.fromkeys(find(name, self.services, "service") for name in services))
        owners = tuple(dict.fromkeys(find(name, tuple(self.teams), "team") for name in teams))
        if not owners:
            members = tuple(Member(service) for service in found)
        else:
            wanted = set(found)
            of_teams = [member for team in owners for member in self.teams[team]]
            members = _merged(m for m in of_teams if not wanted or m.service in wanted)
        word = "service" if found else "team"
        plural = "s" if len(found or owners) > 1 else ""
        return Scope(word + plural, ", ".join(found) or None, ", ".join(owners) or None, members)

    def each(self, scope: Scope, kinds: Iterable[str]) -> tuple[Scope, ...]:
        """The services and teams within a scope, one by one."""
        split: list[Scope] = []
        for kind in kinds:
            if kind == "service":
                by_service: dict[str, list[Member]] = {}
                for member in scope.members:
                    by_service.setdefault(member.service, []).append(member)
                split += [
                    Scope("service", name, scope.team, tuple(members))
                    for name, members in sorted(by_service.items())
                ]
            elif kind == "team":
                split += self._teams_within(scope)
            else:
                raise UsageError(f"There is no {kind!r} to split by.", hint="Use service or team.")
        return tuple(split)

    def _teams_within(self, scope: Scope) -> list[Scope]:
        named = set(scope.team.split(", ")) if scope.team else set(self.teams)
        chosen = {team for team in self.teams if named & {team, *self.groups_of(team)}}
        inside = {member.service for member in scope.members}
        teams = [
            (team, tuple(member for member in members if member.service in inside))
            for team, members in self.teams.items()
            if team in chosen
        ]
        return [Scope("team", None, team, members) for team, members in teams if members]

    def groups_of(self, team: str) -> list[str]:
        """The groups that a team is in, from the nearest outwards."""
        found: list[str] = []
        while team in self.parents and self.parents[team] not in found:
            team = self.parents[team]
            found.append(team)
        return found

    def known_from(self, scope: Scope) -> date | None:
        """The day of a scope's first successful production deployment, None if there is none."""
        starts = [
            max(self.first_days[member.service], member.from_day)
            for member in scope.members
            if member.service in self.first_days
            and self.first_days[member.service] < member.until_day
        ]
        return min(starts, default=None)

    def is_covered(self, scope: Scope) -> bool:
        """Whether the incidents of at least one of its services are known."""
        return any(member.service in self.covered for member in scope.members)

    def uncovered(self, scope: Scope) -> tuple[str, ...]:
        """Its services that deploy, and of whose incidents nothing is known."""
        names = {m.service for m in scope.members if m.service in self.first_days}
        return tuple(sorted(names - self.covered))


def find(name: str, known: Sequence[str], noun: str) -> str:
    """The full name of what was meant; a last part that only one has is enough.

    Raises:
        UsageError: Nothing, or more than one thing, has that name.
    """
    if name in known:
        return name
    tails = [candidate for candidate in known if candidate.rsplit("/", 1)[-1] == name]
    if len(tails) == 1:
        return tails[0]
    if tails:
        raise UsageError(
            f"{name!r} may be {_or(tails)}.", hint=f"Write the whole name of the {noun}."
        )
    whole = {candidate: candidate for candidate in known}
    short = {candidate.rsplit("/", 1)[-1]: candidate for candidate in known}
    near = closest(name, [*whole, *short], most=3, alike=0.5)
    close = list(dict.fromkeys((whole | short)[hit] for hit in near))
    if close:
        hint = f"Did you mean {_or(close)}?"
    elif known:
        hint = f"There are {', '.join(known[:8])}{' …' if len(known) > 8 else ''}."
    else:
        hint = f"The store knows of no {noun} yet."
    raise UsageError(f"There is no {noun} {name!r}.", hint=hint)


def _or(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _below(
    team: str, teams: Mapping[str, Sequence[Member]], parents: Mapping[str, str]
) -> list[Member]:
    """What a team owns, and every team below it, each once however the tree is written."""
    found, todo = [team], [team]
    while todo:
        above = todo.pop()
        inside = [name for name, parent in parents.items() if parent == above and name not in found]
        found += inside
        todo += inside
    return [member for name in found for member in teams.get(name, ())]


def _merged(members: Iterable[Member]) -> tuple[Member, ...]:
    """Memberships that overlap are one: what two chosen teams own together counts once."""
    merged: list[Member] = []
    for member in sorted(members, key=lambda m: (m.service, m.from_day, m.until_day)):
        last = merged[-1] if merged else None
        if last and last.service == member.service and member.from_day <= last.until_day:
            until = max(last.until_day, member.until_day)
            merged[-1] = Member(last.service, last.from_day, until)
        else:
            merged.append(member)
    return tuple(merged)


def _days(column: pd.Series[Any]) -> list[date]:
    """Days as Python dates, whatever the engine gave: 9999 is beyond nanoseconds."""
    import numpy as np

    return [
        value if type(value) is date else date.fromisoformat(str(np.datetime64(value, "D")))
        for value in column
    ]
