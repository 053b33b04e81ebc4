"""What may stand in each part of `dora.toml`, and how its faults are worded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dora import connector, patterns, zones
from dora.config import lines as toml
from dora.config.lines import Path
from dora.config.privacy import Privacy
from dora.errors import BadWindow, ConfigError, ConnectorMissing
from dora.rules import EnvironmentKind, Rules
from dora.rules import parse as parse_rules
from dora.spelling import closest

if TYPE_CHECKING:
    from dora.config.deliver import Deliver

_SECRET = re.compile(
    r"(?:^|[_-])(?:token|password|passwd|secret|api[_-]?key|private[_-]?key|credentials?)$",
    re.IGNORECASE,
)
_SECRET_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


class Faults:
    """The faults found so far, each with the place it was found at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path, int] | None = None
        self._found: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, message: str) -> None:
        """A fault of the key at that path."""
        if self._lines is None:
            self._lines = toml.lines(self._text)
        line = toml.line_of(path, self._lines) or 1
        self._found.append((line, f"{_spoken(path)}: {message}"))

    def syntax(self, message: str) -> None:
        """The text is no TOML; the parser knows the line, unless it read on to the end."""
        place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        if place:
            message = f"{message[: place.start()]} (column {place[2]})"
        line = int(place[1]) if place else len(self._text.splitlines())
        self._found.append((line, message))

    def listed(self) -> tuple[str, ...]:
        """All of them, by line."""
        return tuple(f"line {line}: {message}" for line, message in sorted(self._found))


def _spoken(path: Path) -> str:
    """A path as a person would say it: `sources[2].path`, counted from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, as a question; else all of them."""
    known = sorted(known)
    close = closest(word, known)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)]
Name = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Part(BaseModel):
    """A table of the file. What checks one is built where one is read: most files have few."""

    model_config = ConfigDict(
        extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True
    )


class _Top(_Part):
    store: Name = "dora.duckdb"
    timezone: str = "UTC"
    identities: Literal["pseudonyms", "plain"] = "pseudonyms"
    store_titles: bool = True
    as_of: Literal["sync", "newest"] = "sync"
    privacy: dict[str, Any] = {}
    sources: list[dict[str, Any]] = []
    environments: dict[str, Any] = {}
    services: list[dict[str, Any]] = []
    teams: list[dict[str, Any]] = []
    rules: dict[str, Any] = {}
    deliver: list[dict[str, Any]] = []
    goals: dict[str, Any] = {}
    calendar: dict[str, Any] = {}


class _Source(_Part):
    model_config = ConfigDict(extra="ignore")
    name: Name
    kind: Name
    covers: Texts = []


_LISTS = ("repositories", "paths", "deployments", "environments", "aliases")


class _Membership(_Part):
    name: Name
    from_day: date = Field(date.min, alias="from")
    until_day: date = Field(date.max, alias="until")


class _Service(_Part):
    name: Name
    team: Name | None = None
    teams: list[_Membership] = []
    repositories: Texts = []
    paths: Texts = []
    deployments: Texts = []
    environments: Texts = []
    aliases: Texts = []


class _Team(_Part):
    name: Name
    parent: Name | None = None


def top(raw: dict[str, Any], faults: Faults) -> dict[str, Any]:
    """The keys at the top of the file; a faulty one takes its default."""
    values = _validated(_Top, raw, (), faults)
    if isinstance(values["timezone"], str):
        try:
            zones.zone(values["timezone"])
        except BadWindow as error:
            faults.add(("timezone",), f"{error.message} {error.hint}")
    return values


def _validated(
    model: type[BaseModel], raw: Mapping[str, Any], path: Path, faults: Faults
) -> dict[str, Any]:
    """What a model makes of a table; faulty keys are named and take their defaults."""
    kept = dict(raw)
    try:
        return _values(model.model_validate(kept))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = tuple(part for part in fault["loc"] if part != "[key]")
            faults.add((*path, *place), worded(fault, model))
            kept.pop(str(place[0]) if place else "", None)
    missing = {name for name, f in model.model_fields.items() if f.is_required()}
    if missing - set(kept):
        return {}
    return _validated(model, kept, path, Faults(""))


def _values(model: BaseModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}


def worded(fault: Any, model: type[BaseModel]) -> str:
    """A fault as pydantic found it, in our words."""
    key = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        known = [f.alias or name for name, f in _fields(model, fault["loc"]).items()]
        return f"there is no key {key!r} here; {nearest(key, known)}"
    if fault["type"] == "missing":
        return "it is missing"
    if fault["type"] == "list_type" and key in (
        "sources", "services", "deliver", "teams"
    ):  # fmt: skip
        return f"each entry begins with a line of its own, in two brackets: [[{key}]]"
    message = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]


def _fields(model: type[BaseModel], loc: Sequence[Any]) -> Mapping[str, Any]:
    inside = model is _Service and loc[0] == "teams" and len(loc) > 1
    return (_Membership if inside else model).model_fields


def tables(given: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries of an array of tables that are tables, with their numbers."""
    entries = given if isinstance(given, list) else []
    return ((number, entry) for number, entry in enumerate(entries) if isinstance(entry, dict))


def distinct(part: str, given: Any, faults: Faults) -> None:
    """No two entries of a part, such as `sources` or `calendar.trains`, may have one name."""
    seen: dict[Any, int] = {}
    for number, entry in tables(given):
        name = str(entry.get("name", number))
        if name in seen:
            message = f"{name!r} is the name of {part}[{seen[name] + 1}] already"
            faults.add((*part.split("."), number, "name"), message)
        seen.setdefault(name, number)


def source(
    number: int, raw: dict[str, Any], faults: Faults
) -> tuple[str, str, BaseModel, tuple[str, ...]] | None:
    """One entry of `[[sources]]`, its options checked by the connector that will take them."""
    path: Path = ("sources", number)
    own = _validated(_Source, raw, path, faults)
    given = {key: value for key, value in raw.items() if key not in _Source.model_fields}
    given = dict(_without_secrets(given, path, faults))
    kind = own.get("kind", raw.get("kind"))
    options = _options(kind, given, path, faults) if isinstance(kind, str) and kind else None
    if not own or options is None:
        return None
    return own["name"], own["kind"], options, tuple(own["covers"])


def _options(kind: str, given: dict[str, Any], path: Path, faults: Faults) -> BaseModel | None:
    try:
        model = connector.load(kind).Options
    except ConnectorMissing as error:
        close = closest(kind, connector.installed())
        meant = f" Did you mean {close[0]!r}?" if close else ""
        faults.add((*path, "kind"), f"{error.message}{meant} {error.hint}")
        return None
    kept = dict(_known_options(model, given, path, faults))
    try:
        return model.model_validate(kept)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.add((*path, *fault["loc"]), worded(fault, model))
    return None


def _known_options(
    model: type[BaseModel], given: Mapping[str, Any], path: Path, faults: Faults
) -> Iterator[tuple[str, Any]]:
    known = {f.alias or name for name, f in model.model_fields.items()}
    known |= set(model.model_fields) if model.model_config.get("populate_by_name") else set()
    for key, value in given.items():
        if key in known or model.model_config.get("extra") == "allow":
            yield key, value
        else:
            spoken = nearest(key, known | set(_Source.model_fields))
            faults.add((*path, key), f"there is no key {key!r} here; {spoken}")


def _without_secrets(
    given: Mapping[str, Any], path: Path, faults: Faults
) -> Iterator[tuple[str, Any]]:
    """What is no secret; a secret is refused without repeating it."""
    for key, value in given.items():
        if isinstance(value, str) and _SECRET.search(key):
            faults.add(
                (*path, key),
                "a secret may not stand in this file; put it into an environment variable and "
                f'name that: {key}_env = "{re.sub("[^A-Z0-9]", "_", key.upper())}"',
            )
        elif isinstance(value, str) and _SECRET_IN_URL.search(value):
            faults.add((*path, key), "the address holds a password; take it out of the address")
        else:
            yield key, value


def service(number: int, raw: dict[str, Any], faults: Faults) -> dict[str, Any] | None:
    """One entry of `[[services]]`; `teams` as name, first day and the day after the last."""
    path: Path = ("services", number)
    values = _validated(_Service, raw, path, faults)
    if not values:
        return None
    for place, glob in enumerate(values["paths"]):
        if glob.startswith("!"):
            faults.add((*path, "paths", place), f"{glob!r}: a path cannot be taken out again")
    teams = [(m.name, m.from_day, m.until_day) for m in values["teams"]]
    if values["team"] is not None:
        if teams:
            faults.add((*path, "team"), "give either team or teams, not both")
        teams = [(values["team"], date.min, date.max)]
    for place, (name, first, until) in enumerate(teams):
        if first >= until:
            faults.add(
                (*path, "teams", place),
                f"{name!r} owns it for no day: it is from {first} until {until}",
            )
    lists = {key: tuple(values[key]) for key in _LISTS}
    return {"name": values["name"], "teams": teams, **lists}


def names(given: Any, faults: Faults) -> None:
    """No name may stand for two services, be it an alias."""
    meant: dict[str, int] = {}
    for number, entry in tables(given):
        meant.setdefault(str(entry.get("name", "")).casefold(), number)
    for number, entry in tables(given):
        listed = _listed(entry.get("aliases", []))
        for place, alias in enumerate(listed if isinstance(listed, list) else []):
            other = meant.setdefault(str(alias).casefold(), number)
            if other != number:
                message = f"{alias!r} is a name of services[{other + 1}] already"
                faults.add(("services", number, "aliases", place), message)


def teams(given: Any, faults: Faults) -> list[tuple[str, str | None]]:
    """The entries of `[[teams]]` as name and parent; none may be below itself."""
    found: dict[str, str | None] = {}
    for number, entry in tables(given):
        values = _validated(_Team, entry, ("teams", number), faults)
        if values:
            found.setdefault(values["name"], values["parent"])
    distinct("teams", given, faults)
    for number, entry in tables(given):
        above, seen = found.get(str(entry.get("name"))), set[str]()
        while above is not None and above not in seen and above != entry.get("name"):
            seen.add(above)
            above = found.get(above)
        if above is not None and above == entry.get("name"):
            faults.add(("teams", number, "parent"), f"{above!r} would be a part of itself")
            found[above] = None
    return list(found.items())


def environments(given: Any, faults: Faults) -> dict[str, tuple[str, ...]]:
    """Wildcards of environments by kind."""
    kinds: dict[str, tuple[str, ...]] = {}
    for kind, listed in (given if isinstance(given, dict) else {}).items():
        texts = _listed(listed)
        path: Path = ("environments", kind)
        if kind not in get_args(EnvironmentKind):
            spoken = nearest(kind, get_args(EnvironmentKind))
            faults.add(path, f"there is no kind of environment {kind!r}; {spoken}")
        elif not isinstance(texts, list) or not all(isinstance(t, str) and t for t in texts):
            faults.add(path, 'it takes names or wildcards, such as ["prod*", "live"]')
        else:
            kinds[kind] = tuple(texts)
    return kinds


def privacy(given: Any, faults: Faults) -> Privacy:
    """How little is shown and how long it is kept."""
    try:
        return Privacy.model_validate(given if isinstance(given, dict) else {})
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.add(("privacy", *fault["loc"]), worded(fault, Privacy))
    return Privacy()


def deliver(number: int, raw: dict[str, Any], faults: Faults) -> Deliver | None:
    """One entry of `[[deliver]]`, checked as its kind asks for."""
    from dora.config import deliver as deliveries

    path: Path = ("deliver", number)
    kind = raw.get("kind", "folder")
    if kind not in deliveries.KINDS:
        faults.add(
            (*path, "kind"),
            f"there is no delivery {kind!r}; {nearest(str(kind), deliveries.KINDS)}",
        )
        return None
    given = {"name": f"{kind} {number + 1}"} | dict(_without_secrets(raw, path, faults))
    model = deliveries.KINDS[kind]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.add((*path, *fault["loc"]), worded(fault, model))
    return None


def rules(given: Any, faults: Faults) -> dict[str, Any]:
    """The rules that are given, as values of `Rules`."""
    values: dict[str, Any] = {}
    stated = given if isinstance(given, dict) else {}
    for key, value in sorted(stated.items(), key=lambda item: item[0] != "preset"):
        if key not in {*Rules.__dataclass_fields__, "preset"}:
            spoken = nearest(key, {*Rules.__dataclass_fields__, "preset"})
            faults.add(("rules", key), f"there is no rule {key!r}; {spoken}")
            continue
        try:
            values |= parse_rules({key: value})
        except ConfigError as error:
            for fault in error.faults:
                faults.add(("rules", key), fault.removeprefix(f"{key}: "))
    for title in values["hotfix"].titles if "hotfix" in values else ():
        why = patterns.fault(title)
        if why:
            faults.add(("rules", "hotfix", "titles"), f"{title!r} cannot be searched for: {why}")
    return values
