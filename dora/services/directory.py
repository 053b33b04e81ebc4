"""What a configuration says about services, teams and environments, and who is meant by a name."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from dora import patterns
from dora.config import Membership, Service, Team, newest_team

if TYPE_CHECKING:
    from dora.config import Config

_LISTS = ("repositories", "paths", "deployments", "environments", "aliases")


@dataclass(frozen=True, slots=True)
class Directory:
    """What a configuration says about services, teams and environments.

    Attributes:
        services: The services that are told apart.
        environments: Wildcards of environments by kind.
        covers: Wildcards of the services whose incidents some source would know of.
        teams: The teams, and the group that each is in.
    """

    services: tuple[Service, ...] = ()
    environments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    covers: tuple[str, ...] = ()
    teams: tuple[Team, ...] = ()

    @classmethod
    def of(cls, config: Config) -> Directory:
        """The part of a configuration that maps services."""
        covers = tuple(pattern for source in config.sources for pattern in source.covers)
        return cls(config.services, config.environments, covers, config.teams)

    @classmethod
    def read(cls, text: str) -> Directory:
        """What `text` wrote down."""
        said = json.loads(text)
        return cls(
            tuple(_service(entry) for entry in said["services"]),
            {kind: tuple(listed) for kind, listed in said["environments"].items()},
            tuple(said["covers"]),
            tuple(Team(name, parent) for name, parent in said.get("teams", [])),
        )

    def text(self) -> str:
        """The same as JSON, for the store to keep."""
        services = [
            {
                "name": service.name,
                "teams": [[m.team, str(m.from_day), str(m.until_day)] for m in owners(service)],
                **{key: getattr(service, key) for key in _LISTS},
            }
            for service in self.services
        ]
        return json.dumps(
            {
                "services": services,
                "environments": self.environments,
                "covers": self.covers,
                "teams": [[team.name, team.parent] for team in self.teams],
            }
        )


def owners(service: Service) -> tuple[Membership, ...]:
    """Who owns a service and when; a team without dates has always owned it."""
    return service.teams or ((Membership(service.team),) if service.team else ())


def _service(entry: Mapping[str, Any]) -> Service:
    teams = tuple(
        Membership(team, date.fromisoformat(first), date.fromisoformat(until))
        for team, first, until in entry["teams"]
    )
    lists = {key: tuple(entry.get(key, ())) for key in _LISTS}
    return Service(name=entry["name"], team=newest_team(teams), teams=teams, **lists)


def tail_pattern(wildcards: Iterable[str]) -> re.Pattern[str]:
    """Fits a name, or what is behind any slash of it: `shop` fits `example.com/acme/shop`."""
    return patterns.wildcard([text for one in wildcards for text in (one, f"*/{one}")])


def default_service(repository: str) -> str:
    """The service of a repository that no configuration maps: its name without the host."""
    return repository.partition("/")[2] or repository or "unknown"


class Known:
    """The configured services, ready to be asked."""

    def __init__(self, directory: Directory) -> None:
        self.services = directory.services
        self._names = {s.name.casefold(): s for s in directory.services}
        aliases = ((alias, s) for s in directory.services for alias in s.aliases)
        self._aliases = {alias.casefold(): s for alias, s in aliases}
        self._repositories = {s.name: tail_pattern(s.repositories) for s in directory.services}
        self._deployments = {s.name: patterns.wildcard(s.deployments) for s in directory.services}
        self._environments = {s.name: patterns.wildcard(s.environments) for s in directory.services}
        self.touched: dict[str, set[str]] = {}
        self.deployed: set[str] = set()

    def named(self, stated: str) -> str:
        """The service that a source means by a name."""
        name = stated.casefold()
        service = self._names.get(name) or self._aliases.get(name)
        return service.name if service else stated

    def all_named(self, stated: str, deployed: Collection[str]) -> list[str]:
        """The services that a source means by a name, or by several separated by a comma.

        A name that is known as it is, or is deployed, may have a comma of its own.
        """
        name = stated.casefold()
        if name in self._names or name in self._aliases or stated in deployed:
            return [self.named(stated)]
        parts = [part.strip() for part in stated.split(",")]
        return list(dict.fromkeys(self.named(part) for part in parts if part))

    def told_apart_by(self, repository: str) -> tuple[bool, bool]:
        """Whether names of deployments, and of environments, tell a repository's services apart."""
        there = [s for s in self.services if self._may_be_built_from(s, repository)]
        return any(s.deployments for s in there), any(s.environments for s in there)

    def deployed_as(self, repository: str, name: str, environment: str) -> list[str]:
        """The services that a deployment is of: those whose every rule fits it."""
        return [
            s.name
            for s in self.services
            if self._may_be_built_from(s, repository)
            and (not s.deployments or self._deployments[s.name].match(name))
            and (not s.environments or self._environments[s.name].match(environment))
        ]

    def matching(self, repository: str) -> list[str]:
        """The configured services that a repository is built into."""
        return [s.name for s in self.services if self._built_from(s, repository)]

    def by_paths(self, name: str, repository: str) -> bool:
        """Whether a service is only a part of a repository."""
        service = self._names.get(name.casefold())
        if service is None or not service.paths:
            return False
        return not service.repositories or self._built_from(service, repository)

    def _built_from(self, service: Service, repository: str) -> bool:
        if service.paths and not service.repositories:
            return repository in self.touched.get(service.name, ())
        return bool(self._repositories[service.name].match(repository))

    def _may_be_built_from(self, service: Service, repository: str) -> bool:
        """Built from it, or told by names alone, wherever its code lives."""
        by_names = service.deployments or service.environments
        if by_names and not service.repositories and not service.paths:
            return True
        return self._built_from(service, repository)
