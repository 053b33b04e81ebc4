"""The derived tables: what a change, a delivery, a failure and a recovery are, one SELECT a file.

Each file begins with what a row of its table stands for (`grain`), what tells rows apart (`key`),
which tables it reads (`reads`) and the sentence of DEFINITIONS that it carries out (`rule`). A
`Workspace` builds the ones that are asked for, in order, from the same facts for any rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dora import patterns
from dora.engines import UTC_OFFSETS, Engine, Offsets
from dora.rules import FAILURE_RULES, Rules

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from dora.config import Config

_HEADER = re.compile(r"^-- (grain|key|reads|rule): (.*)$")
_MICROSECOND = timedelta(microseconds=1)
_DATED = {
    "commits": "authored_at",
    "pull_requests": "opened_at",
    "deployments": "finished_at",
    "incidents": "detected_at",
}
"""The facts whose days are asked for, and the earliest time of each."""


@dataclass(frozen=True, slots=True)
class Model:
    """One derived table.

    Attributes:
        name: The table's name.
        grain: What a row stands for.
        key: The columns that tell rows apart.
        reads: The tables it is made from.
        rule: What it carries out, in a sentence.
        sql: The SELECT, header included.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    reads: tuple[str, ...]
    rule: str
    sql: str


def parse(name: str, sql: str) -> Model:
    """The model that a file's text describes; header lines of one kind are joined."""
    parts: dict[str, list[str]] = {"grain": [], "key": [], "reads": [], "rule": []}
    kind = ""
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        found = _HEADER.match(line)
        kind, text = (found[1], found[2]) if found else (kind, line[2:].strip())
        if kind:
            parts[kind].append(text)

    def names(kind: str) -> tuple[str, ...]:
        return tuple(n.strip() for n in ",".join(parts[kind]).split(",") if n.strip())

    return Model(
        name, " ".join(parts["grain"]), names("key"), names("reads"), " ".join(parts["rule"]), sql
    )


@cache
def models(engine: str = "") -> dict[str, Model]:
    """All models by name, each in the version of that engine where it has its own."""
    folder = files(__name__)
    found = {
        entry.name.removesuffix(".sql"): entry
        for place in (folder, folder / engine if engine else folder)
        if place.is_dir()
        for entry in place.iterdir()
        if entry.name.endswith(".sql")
    }
    return {n: parse(n, entry.read_text("utf-8")) for n, entry in sorted(found.items())}


def build_order(wanted: tuple[str, ...], known: Mapping[str, Model]) -> list[str]:
    """The models that are wanted and all that they are made from, each after what it reads.

    Raises:
        KeyError: A wanted model does not exist.
    """
    graph: dict[str, list[str]] = {}
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name not in graph:
            graph[name] = [table for table in known[name].reads if table in known]
            todo += graph[name]
    return list(TopologicalSorter(graph).static_order())


@cache
def rules_read(model: Model) -> frozenset[str]:
    """The columns of `rules` that a model may read: those that its text names anywhere."""
    if "rules" not in model.reads:
        return frozenset()
    text = re.sub(r"--.*", "", model.sql)
    return frozenset(re.findall(r"\w+", text)) & frozenset(_RULES_TYPES)


class Workspace:
    """The derived tables for one set of rules, built when they are first needed.

    Args:
        engine: Where the facts are. The workspace puts its own tables beside them, where other
            workspaces do not see them.
        rules: The definitions to follow.
        as_of: What counts as now; facts later than this do not exist.
        zone: The reporting time zone, as an IANA name.
    """

    def __init__(self, engine: Engine, *, rules: Rules, as_of: datetime, zone: str = "UTC") -> None:
        self.engine = engine
        self.rules = rules
        self.as_of = as_of.astimezone(UTC)
        self.zone = zone
        self._models = models(engine.name)
        self._built: set[str] = set()
        self._loaded: dict[str, pd.DataFrame] = {}
        self._row = rules_row(rules, as_of)
        self._set_rules()

    def with_rules(self, rules: Rules, *, as_of: datetime | None = None) -> Workspace:
        """The same facts judged by other rules; this workspace stays as it is.

        What is built here and hangs on none of the rules that differ is not built again.
        """
        row = rules_row(rules, as_of or self.as_of)
        keep = [
            name
            for name in self._built
            if all(self._row[column] == row[column] for column in self._hangs_on(name))
            and rules.environments == self.rules.environments
        ]
        other = Workspace(
            self.engine.fork(keep), rules=rules, as_of=as_of or self.as_of, zone=self.zone
        )
        other._built |= set(keep)
        return other

    def with_as_of(self, as_of: datetime) -> Workspace:
        """The same facts as they stood at another time; this workspace stays as it is."""
        return self.with_rules(self.rules, as_of=as_of)

    @property
    def built(self) -> set[str]:
        """The models that are built by now."""
        return set(self._built)

    def need(self, *names: str) -> None:
        """See to it that these models are built, and what they are made from."""
        for name in build_order(names, self._models):
            if name not in self._built:
                self.engine.build(name, self._models[name].sql)
                self._built.add(name)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a SELECT over facts, built models and loaded tables."""
        return self.engine.query(sql, parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The same as `query`, as plain rows."""
        return self.engine.rows(sql, parameters)

    def load(self, table: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
        """Put a frame beside the models as a table, such as a calendar or a scope.

        A frame that was the last one loaded under this name is not loaded again.
        """
        if self._loaded.get(table) is not frame:
            self.engine.load(table, frame, types)
            self._loaded[table] = frame

    def sql(self, model: str) -> str:
        """The SELECT that a model is, as this workspace runs it."""
        return self._models[model].sql

    def close(self) -> None:
        """Drop the tables of this workspace; the facts stay."""
        self.engine.close()

    def _hangs_on(self, model: str) -> set[str]:
        """The columns of `rules` that a model reads, itself or through others."""
        order = build_order((model,), self._models)
        return {column for name in order for column in rules_read(self._models[name])}

    def _set_rules(self) -> None:
        import pandas as pd

        row = self._row
        known = [row[name] for name in _PATTERN_COLUMNS]
        self.engine.prepare(offsets=self._offsets(), patterns=known)
        frame = pd.DataFrame({name: [value] for name, value in row.items()}, dtype=object)
        self.engine.load("rules", frame, _RULES_TYPES)
        kinds = pd.DataFrame({"kind": list(self.rules.environments)}, dtype=object)
        self.engine.load("production_kinds", kinds, {"kind": "VARCHAR"})

    def _offsets(self) -> Offsets:
        """The zone's offsets over the time of the facts, and a year more on both sides."""
        if self.zone == "UTC":
            return UTC_OFFSETS
        from dora.periods import offsets

        times = [
            first
            for table, column in _DATED.items()
            for (first,) in self.engine.rows(
                f"select min({column}) as first_at from {table} where {column} >= $since",
                {"since": datetime(1900, 1, 1, tzinfo=UTC)},
            )
            if first is not None
        ]
        start = min([*(t.date() for t in times), self.as_of.date()]) - timedelta(days=366)
        return offsets(self.zone, start, self.as_of.date() + timedelta(days=366))


_PATTERN_COLUMNS = (
    "hotfix_title",
    "hotfix_branch",
    "hotfix_label",
    "failure_label",
    "counted_severity",
)
_WORDS = (
    "change",
    "recovery",
    "caused_by",
    "recovery_start",
    "delivered",
    "clock_start",
    "failures_counted",
    "failed_attempts",
    "incident_link",
    "rollback_by",
    "rollback_blames",
)
_LENGTHS = ("failure_window_us", "hotfix_window_us", "maturity_us", "flag_window_us")
_FLAGS = (
    "baseline",
    "bot_changes",
    "external_incidents",
    "not_planned_incidents",
    "duplicate_incidents",
    "follow_cherry_picks",
)
_RULES_TYPES = (
    {"as_of": "TIMESTAMP"}
    | dict.fromkeys(_LENGTHS, "BIGINT")
    | dict.fromkeys(_FLAGS, "BOOLEAN")
    | {f"rule_{rule}": "BOOLEAN" for rule in FAILURE_RULES}
    | dict.fromkeys((*_WORDS, *_PATTERN_COLUMNS), "VARCHAR")
)


def rules_row(rules: Rules, as_of: datetime) -> dict[str, Any]:
    """The one row of the table `rules`, by column."""
    plain = (*_WORDS, *_FLAGS)
    lengths = {
        "failure_window_us": rules.failure_window,
        "hotfix_window_us": rules.hotfix_window,
        "maturity_us": rules.judged_after,
        "flag_window_us": rules.flag_window,
    }
    return (
        {"as_of": as_of.astimezone(UTC)}
        | {name: getattr(rules, name) for name in plain}
        | {name: None if t is None else t // _MICROSECOND for name, t in lengths.items()}
        | {f"rule_{rule}": rule in rules.failure_rules for rule in FAILURE_RULES}
        | {
            "hotfix_title": patterns.any_regex(rules.hotfix.titles),
            "hotfix_branch": patterns.any_wildcard(rules.hotfix.branches),
            "hotfix_label": patterns.any_label(rules.hotfix.labels),
            "failure_label": patterns.any_label(rules.failure_labels),
            "counted_severity": patterns.any_wildcard(rules.severities or ("*",)),
        }
    )


def open_workspace(
    store: Path,
    *,
    config: Config | None = None,
    rules: Rules,
    as_of: datetime,
    zone: str = "UTC",
    opened: duckdb.DuckDBPyConnection | None = None,
) -> Workspace:
    """A workspace over a published store.

    Where the configuration maps services or environments otherwise than it did when the store was
    last synced, the mapping and the lineage are made anew in memory.

    Args:
        store: The published file.
        config: The configuration; None for what the store remembers of it.
        rules: The definitions to follow.
        as_of: What counts as now.
        zone: The reporting time zone.
        opened: A connection to that store that is open already; the workspace takes it over.

    Raises:
        StoreError: The store is missing, damaged or too new.
    """
    from dora.engines.duckdb import DuckDB
    from dora.store import connect

    connection = opened or connect(store)
    _map(connection, config)
    return Workspace(DuckDB(connection), rules=rules, as_of=as_of, zone=zone)


def _map(connection: duckdb.DuckDBPyConnection, config: Config | None) -> None:
    """Map services and walk lineage in memory, unless the store was mapped and walked just so."""
    from dora import lineage, services

    known = set(
        connection.execute(
            "select distinct table_name, column_name from information_schema.columns"
        ).fetchall()
    )
    fits = known >= _MAPPED  # not in a store that an earlier version synced
    if fits and config is not None and not config.bare:
        fits = services.Directory.of(config) == services.remembered(connection)
    if not fits:
        services.write(connection, config)
    if not (fits and _WALKED in known):
        lineage.update(connection)


_MAPPED = {("service_map", "environment"), ("flag_services", "stated"), ("teams", "parent")}
_WALKED = ("stream_deployments", "cumulative")
