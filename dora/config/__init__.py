"""`dora.toml`: where the facts come from, what they are called here, and the rules to judge by.

Every fault of a file is named at once, each with its line. A secret never stands in it, only the
name of the environment variable that holds it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dora import connector
from dora.config import calendar as calendar_of
from dora.config import checks
from dora.config import goals as goals_of
from dora.config.calendar import Calendar
from dora.config.checks import Faults
from dora.config.privacy import Privacy
from dora.config.starter import beside, starter
from dora.errors import ConfigError
from dora.goals import Goal
from dora.recording import SPOOL, SPOOL_KIND
from dora.rules import Rules

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dora.config.deliver import Deliver

__all__ = [
    "Config",
    "Membership",
    "Service",
    "Source",
    "Team",
    "beside",
    "for_store",
    "load",
    "starter",
]

STORE = "dora.duckdb"
"""The store beside the configuration, unless it names another."""


AsOf = Literal["sync", "newest"]


@dataclass(frozen=True, slots=True)
class Source:
    """One source of facts.

    Attributes:
        name: What it is called here; facts of the store carry it.
        kind: The connector that reads it.
        options: The connector's own options, checked.
        covers: Wildcards of the services whose incidents this source would know of.
    """

    name: str
    kind: str
    options: BaseModel
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """A team's ownership of a service, from a day on, until another and without it."""

    team: str
    from_day: date = date.min
    until_day: date = date.max


def newest_team(teams: Sequence[Membership]) -> str | None:
    """The team that owns a service last."""
    newest = max(teams, key=lambda membership: membership.until_day, default=None)
    return newest.team if newest else None


@dataclass(frozen=True, slots=True)
class Service:
    """What is deployed and fails as one.

    Attributes:
        name: Its name.
        team: The team that owns it, the newest where that changed.
        repositories: Wildcards of the repositories it is built from.
        paths: Path globs of its part of them; none means all.
        teams: Every team that has owned it, and when.
        deployments: Wildcards of the names that its deployments have; none means all.
        environments: Wildcards of the environments it is deployed to; none means all.
        aliases: Other names that sources have for it, those of incidents above all.
    """

    name: str
    team: str | None = None
    repositories: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    teams: tuple[Membership, ...] = ()
    deployments: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """A team, or a group of teams.

    Attributes:
        name: Its name.
        parent: The group that it is in, if any.
    """

    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything `dora.toml` says, checked.

    Attributes:
        path: The file it was read from; None for a store opened without one.
        base: The folder that relative paths are seen from.
        store: The store.
        timezone: IANA name of the reporting zone.
        identities: Whether people are kept as pseudonyms or in plain words.
        store_titles: Whether subjects and titles are kept; without, rules that read them see none.
        privacy: How the people behind the numbers are protected.
        as_of: What stands for now: the last `sync`, or the `newest` fact.
        sources: Where facts come from.
        environments: Wildcards of environments, by the kind they are.
        services: The services that are told apart.
        rules: The rules to judge by.
        deliver: Where reports go.
        teams: The teams that are in groups, and the groups.
        goals: What is aimed at.
        calendar: When releases are meant to happen, and when not.
    """

    path: Path | None
    base: Path
    store: Path
    timezone: str = "UTC"
    identities: Literal["pseudonyms", "plain"] = "pseudonyms"
    store_titles: bool = True
    privacy: Privacy = field(default_factory=Privacy)
    as_of: AsOf = "sync"
    sources: tuple[Source, ...] = ()
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    rules: Rules = field(default_factory=Rules)
    deliver: tuple[Deliver, ...] = ()
    teams: tuple[Team, ...] = ()
    goals: tuple[Goal, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def bare(self) -> bool:
        """Whether it says nothing but where the store is; the store then speaks for itself."""
        return self.path is None and not (
            self.sources or self.services or self.environments or self.teams
        )


def for_store(path: str | Path) -> Config:
    """What stands for a configuration where there is only a store."""
    store = Path(path).expanduser().absolute()
    return Config(path=None, base=store.parent, store=store)


def load(path: str | Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        ConfigError: The file cannot be read, or has faults; all of them are listed.
    """
    path = Path(path).expanduser().absolute()
    text = _read(path)
    faults = Faults(text)
    raw = _parse(text, path, faults)
    config = _config(path, raw, faults)
    if faults:
        raise _faulty(path, faults)
    return config


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise ConfigError(
            f"There is no configuration {path}.",
            hint="`dora init` writes one; `--store FILE` opens a store without one.",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", hint="Name a file that can be read."
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path} is not UTF-8 text.",
            hint="Save it as UTF-8 and try again.",
            faults=(f"line {line}: byte {error.object[error.start]:#04x} is no UTF-8",),
        ) from None


def _parse(text: str, path: Path, faults: Faults) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.syntax(str(error))
        raise _faulty(path, faults) from None


def _faulty(path: Path, faults: Faults) -> ConfigError:
    listed = faults.listed()
    count = "a fault" if len(listed) == 1 else f"{len(listed)} faults"
    return ConfigError(
        f"{path} has {count}:",
        hint="Correct the file; `dora check` reads it again.",
        faults=listed,
    )


def _config(path: Path, raw: dict[str, Any], faults: Faults) -> Config:
    top = checks.top(raw, faults)
    store = Path(top["store"]).expanduser()
    return Config(
        path=path,
        base=path.parent,
        store=path.parent / store,
        timezone=top["timezone"],
        identities=top["identities"],
        store_titles=top["store_titles"],
        privacy=checks.privacy(raw.get("privacy", {}), faults),
        as_of=top["as_of"],
        sources=_with_spool(_sources(raw.get("sources", []), faults), path.parent),
        environments=checks.environments(raw.get("environments", {}), faults),
        services=tuple(_services(raw.get("services", []), faults)),
        rules=Rules(**checks.rules(raw.get("rules", {}), faults)),
        deliver=tuple(_deliveries(raw.get("deliver", []), faults)),
        teams=tuple(Team(*team) for team in checks.teams(raw.get("teams", []), faults)),
        goals=goals_of.read(raw.get("goals", {}), faults),
        calendar=calendar_of.read(raw.get("calendar", {}), faults),
    )


def _deliveries(given: Sequence[dict[str, Any]], faults: Faults) -> list[Deliver]:
    found = [checks.deliver(number, entry, faults) for number, entry in checks.tables(given)]
    checks.distinct("deliver", given, faults)
    return [one for one in found if one is not None]


def _sources(given: Sequence[dict[str, Any]], faults: Faults) -> list[Source]:
    found = [checks.source(number, entry, faults) for number, entry in checks.tables(given)]
    checks.distinct("sources", given, faults)
    return [Source(*values) for values in found if values is not None]


def _with_spool(sources: Sequence[Source], base: Path) -> tuple[Source, ...]:
    """The sources, and the folder beside them that pipelines push to, if it is there."""
    pushed = [s.options for s in sources if s.kind == SPOOL_KIND]
    named = {(base / getattr(options, "path", SPOOL)).resolve() for options in pushed}
    folder = base / SPOOL
    if not folder.is_dir() or folder.resolve() in named or SPOOL in {s.name for s in sources}:
        return tuple(sources)
    options = connector.load(SPOOL_KIND).Options.model_validate({"path": SPOOL})
    return (*sources, Source(SPOOL, SPOOL_KIND, options))


def _services(given: Sequence[dict[str, Any]], faults: Faults) -> list[Service]:
    services = []
    for number, entry in checks.tables(given):
        values = checks.service(number, entry, faults)
        if values is None:
            continue
        teams = tuple(Membership(*membership) for membership in values.pop("teams"))
        services.append(Service(team=newest_team(teams), teams=teams, **values))
    checks.distinct("services", given, faults)
    checks.names(given, faults)
    return services
