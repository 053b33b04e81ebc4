"""What is typed in a notebook: a scope, its rules, and the metrics of it.

Every verb gives another `Delivery` and leaves this one as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dora import metrics, models, words
from dora import windows as windows_of
from dora.errors import BadWindow, UsageError
from dora.metrics.question import Question
from dora.metrics.result import Result
from dora.rules import Rules
from dora.session import Session
from dora.windows import GRAINS, Window

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from dora.config import Config
    from dora.goals import Goal
    from dora.metrics.coverage import Coverage
    from dora.metrics.explaining import Explanation
    from dora.metrics.fan import Fan
    from dora.metrics.notes import Notes
    from dora.metrics.overview import Overview
    from dora.metrics.scopes import Directory
    from dora.release.asking import Releases
    from dora.report import Contents

DEFAULT_WINDOW = "90d"


def open_delivery(path: str | Path = "dora.toml") -> Delivery:
    """Open a configuration, or a store by itself, and look at the last 90 days.

    Args:
        path: A `dora.toml`, or a `.duckdb` file.

    Raises:
        ConfigError: The configuration has faults.
        StoreError: The store is missing, damaged or too new.
    """
    from dora import config

    place = Path(path)
    return Delivery.of(config.load(place) if place.suffix == ".toml" else config.for_store(place))


@dataclass(frozen=True, repr=False)
class Delivery:
    """How software is delivered: pick a window and a scope, then ask for a metric."""

    _session: Session
    _rules: Rules
    _window: str | Window = DEFAULT_WINDOW
    _grains: tuple[str, ...] = ()
    _services: tuple[str, ...] = ()
    _teams: tuple[str, ...] = ()
    _split: tuple[str, ...] = ()
    _as_of: datetime | None = field(default=None)

    @classmethod
    def of(cls, config: Config) -> Delivery:
        """The deliveries that a configuration's store knows of."""
        return cls(Session(config), config.rules)

    # Verbs
    def window(self, spec: str | Window, by: str | tuple[str, ...] | None = None) -> Delivery:
        """Another window such as `90d` or `2026-H1`, cut by day, week, month or quarter.

        Raises:
            BadWindow: The window or the period is not one of ours.
        """
        grains = (by,) if isinstance(by, str) else tuple(by or ())
        for grain in grains:
            if grain not in GRAINS:
                raise BadWindow(
                    f"There is no period {grain!r}.", hint=f"Periods: {', '.join(GRAINS)}."
                )
        changed = replace(self, _window=spec, _grains=grains)
        changed._resolved()  # a bad window is said here, not when a metric is asked for
        return changed

    def service(self, *names: str) -> Delivery:
        """Only these services, pooled. The last part of a name is enough where only one has it."""
        return replace(self, _services=names)

    def team(self, *names: str) -> Delivery:
        """Only the services of these teams, pooled, each for as long as the team owned it."""
        return replace(self, _teams=names)

    def each(self, *kinds: str) -> Delivery:
        """Frames with a row for each `service`, or each `team`, beside the pooled one."""
        return replace(self, _split=kinds or ("service",))

    def rules(self, **changes: Any) -> Delivery:
        """Other rules, such as `failure_window="72h"` or `preset="gitlab"`; nothing is read again.

        Raises:
            ConfigError: A rule or value that does not exist.
        """
        return replace(self, _rules=self._rules.but(**changes))

    def as_of(self, moment: str | datetime) -> Delivery:
        """As it was known then; a date means the end of that day.

        Raises:
            BadWindow: Neither a date nor a time with an offset.
        """
        zone = self._session.config.timezone
        instant = windows_of.as_of(moment, zone=zone) if isinstance(moment, str) else moment
        return replace(self, _as_of=instant)

    # Metrics
    def deployment_frequency(self) -> Result:
        """How often services are deployed."""
        return self.metric("deployment_frequency")

    def lead_time(self) -> Result:
        """How long a change takes from its first commit to production."""
        return self.metric("lead_time")

    def change_failure_rate(self) -> Result:
        """How often a deployment fails."""
        return self.metric("change_failure_rate")

    def time_to_restore(self) -> Result:
        """How long it takes to recover from a failed deployment."""
        return self.metric("time_to_restore")

    def rework_rate(self) -> Result:
        """How many deployments are unplanned repairs."""
        return self.metric("rework_rate")

    def metric(self, name: str) -> Result:
        """Any metric by its name or alias.

        Raises:
            UnknownMetric: There is none of that name.
        """
        return metrics.find(name).ask(self.question())

    def fan(self, metric: str = "change_failure_rate") -> Fan:
        """A metric by the formulas of other products: why does our number differ from theirs?

        Raises:
            UnknownMetric: There is none of that name.
        """
        return self.metric(metric).fan()

    def explain(
        self,
        metric: str = "change_failure_rate",
        *,
        incident: str | None = None,
        deployment: str | None = None,
    ) -> Explanation:
        """Which deployment each incident was put down to, and why each deployment failed or not.

        Args:
            metric: `change_failure_rate` or `time_to_restore`.
            incident: Only incidents of that id, whenever they were; `*` stands for anything.
            deployment: Only deployments of that id, whenever they were; `*` stands for anything.

        Raises:
            UsageError: The metric hangs on no link, or nothing has such an id.
        """
        return self.metric(metric).explain(incident, deployment)

    def overview(self) -> Overview:
        """Every metric: value, interval, n, and whether it changed since the window before."""
        from dora.metrics.overview import Overview

        question = self.question().pooled()
        results = [metrics.find(name).ask(question) for name in self.metrics]
        return Overview.of(results, self.goals)

    def notes(self) -> Notes:
        """What to mind when reading the numbers, such as deployments that bring nothing new."""
        return self.overview().notes

    def coverage(self) -> Coverage:
        """How far each metric can be trusted: a grade from A to E, and why."""
        return self.question().coverage

    @cached_property
    def release(self) -> Releases:
        """How releases are managed: `q.release.windows()` and further analyses."""
        from dora.release.asking import Releases

        return Releases(self.question().pooled(), self._session.config)

    def report(
        self, path: str | Path, *, template: Path | None = None, now: datetime | None = None
    ) -> Contents:
        """Write a report to a `.html`, `.md` or `.pdf` file; its `warnings` say if it is stale.

        Raises:
            UsageError: Another kind of file, a template with a fault, or no place to write to.
        """
        from dora.report import write

        return write(self, path, template=template, now=now)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources in the configuration; none for a store by itself."""
        return tuple(source.name for source in self._session.config.sources)

    @property
    def configured_services(self) -> tuple[str, ...]:
        """The names of the services in the configuration; for a store by itself, of its last."""
        return self._session.configured_services()

    @property
    def goals(self) -> tuple[Goal, ...]:
        """What the configuration aims at."""
        return self._session.config.goals

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics."""
        return metrics.names()

    @property
    def services(self) -> tuple[str, ...]:
        """The names of all services."""
        return self._space()[1].services

    @property
    def teams(self) -> tuple[str, ...]:
        """The names of all teams."""
        return tuple(self._space()[1].teams)

    def __getattr__(self, name: str) -> Callable[[], Result]:
        """Any other metric, and every alias, is a verb too."""
        if name.startswith("_") or name not in metrics.verbs():
            raise AttributeError(
                f"Delivery has no verb {name!r}; metrics: {', '.join(metrics.verbs())}"
            )
        return lambda: self.metric(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *metrics.verbs()})

    def __repr__(self) -> str:
        whose = ", ".join((*self._services, *self._teams)) or "all services"
        by = f" by {' and '.join(self._grains)}" if self._grains else ""
        return f"Delivery of {whose}, {self._resolved()}{by}, as of {words.instant(self._moment)}"

    def _repr_html_(self) -> str:
        from html import escape

        asked = ", ".join(f"{name}()" for name in ("overview", *self.metrics))
        whole = f"{words.listed(self.services) or 'none yet'}"
        teams = f"; teams: {words.listed(self.teams)}" if self.teams else ""
        return (
            f"<p><b>{escape(repr(self))}</b><br><small>services: {escape(whole + teams)}<br>"
            f"ask: {escape(asked)}; narrow: window(), service(), team(), each(), rules(), as_of()"
            "</small></p>"
        )

    # Underneath
    def sql(self, query: str) -> pd.DataFrame:
        """Any SELECT over the facts and all that is derived from them; nothing can be changed.

        Raises:
            UsageError: The engine does not understand it, or it is no single SELECT.
        """
        import duckdb

        _one_select(query)
        space, _ = self._space()
        named = set(re.findall(r"\w+", query.casefold()))
        space.need(*(model for model in models.models(space.engine.name) if model in named))
        try:
            return space.query(query)
        except duckdb.Error as error:
            raise UsageError(
                f"The query fails: {str(error).strip()}", hint="`show tables` lists the tables."
            ) from error

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection of its own to the facts, for reading."""
        return self._session.connect()

    def question(self) -> Question:
        """What every metric is asked: window, periods, scopes and rules."""
        space, directory = self._space()
        scope = directory.scope(self._services, self._teams)
        scopes = (scope, *directory.each(scope, self._split))
        return Question(
            space,
            self._resolved(),
            self._grains,
            self._moment,
            self._rules,
            scopes,
            directory,
            least_authors=self._session.config.privacy.k,
        )

    def _space(self) -> tuple[models.Workspace, Directory]:
        return self._session.workspace(self._rules, self._moment)

    @property
    def _moment(self) -> datetime:
        return self._as_of or self._session.now()

    def _resolved(self) -> Window:
        if isinstance(self._window, Window):
            return self._window
        zone = self._session.config.timezone
        return windows_of.window(self._window, as_of=self._moment, zone=zone)


def _one_select(query: str) -> None:
    """Refuse what would do more than look, such as COPY TO and ATTACH."""
    import duckdb

    try:
        kinds = [statement.type for statement in duckdb.extract_statements(query)]
    except duckdb.Error as error:
        raise UsageError(
            f"The query fails: {str(error).strip()}", hint="`show tables` lists the tables."
        ) from error
    if kinds != [duckdb.StatementType.SELECT]:
        raise UsageError(
            "A query is one SELECT; nothing can be changed or written by it.",
            hint="Write results to a file with -o, or open the store with another DuckDB.",
        )
