"""The options that commands share, each said once."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dora.config import Config
    from dora.delivery import Delivery
    from dora.metrics.result import Result

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet")
DEFAULT_CONFIG = Path("dora.toml")

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read: a configuration or a bare store, and as of when."""

    config: Path | None
    store: Path | None
    as_of: str | None

    def configuration(self) -> Config:
        """The configuration named, else what a bare store stands for, else `dora.toml` here."""
        from dora import config

        if self.config is None and self.store is not None:
            loaded = config.for_store(self.store)
        else:
            loaded = config.load(self.config or DEFAULT_CONFIG)
        self.moment(loaded.timezone)
        return loaded if self.store is None else replace(loaded, store=self.store)

    def moment(self, zone: str) -> datetime | None:
        """The instant that `--as-of` names, refused by every command alike if it is none."""
        from dora import windows

        return windows.as_of(self.as_of, zone=zone) if self.as_of else None

    def open(self) -> Delivery:
        """What a notebook gets from `dora.open(...)`."""
        from dora.delivery import Delivery

        delivery = Delivery.of(self.configuration())
        return delivery.as_of(self.as_of) if self.as_of else delivery


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of the record is asked for."""

    window: str
    by: str | None
    service: tuple[str, ...]
    team: tuple[str, ...]

    def of(self, delivery: Delivery, *, by: str | None = None) -> Delivery:
        """A delivery cut down to this part; `by` stands in where no periods were asked for."""
        chosen = delivery.window(self.window, by=self.by or by)
        if self.service:
            chosen = chosen.service(*self.service)
        return chosen.team(*self.team) if self.team else chosen


@dataclass(frozen=True, slots=True)
class Links:
    """What of the links between incidents and deployments is to be explained."""

    left_out: bool
    incident: str | None
    deployment: str | None
    sensitivity: bool

    def frames(self, result: Result) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """The answers, each as plain values and in words; none where nothing of it was asked."""
        from dora import words

        if self.left_out:
            return [(result.left_out, words.table(result.left_out))]
        if self.sensitivity:
            moved = result.sensitivity()
            return [(moved.frame, moved.shown)]
        if self.incident is None and self.deployment is None:
            return []
        told = result.explain(self.incident, self.deployment)
        asked = (self.incident, told.incidents), (self.deployment, told.deployments)
        return [(frame, words.table(frame)) for name, frame in asked if name is not None]

    def check(self, form: str | None, output: Path | None) -> None:
        """Refuse what does not go into one answer, or one file.

        Raises:
            UsageError: Several questions at once.
        """
        from dora.errors import UsageError
        from dora.words import listed

        asked = [
            f"--{name.replace('_', '-')}"
            for name in self.__slots__
            if getattr(self, name) not in (None, False)
        ]
        in_text = form in (None, "table", "markdown") and output is None
        if len(asked) > 1 and not (in_text and asked == ["--incident", "--deployment"]):
            told = listed(asked, most=4)
            raise UsageError(f"{told} do not go together.", hint="Ask for one after the other.")


def _log(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        form = "%(asctime)s %(name)s: %(message)s"
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=form)
        for name in ("dora", "connectors"):
            logging.getLogger(name).setLevel(logging.DEBUG)


def _together(
    name: str, kind: type[Any], *made: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """Options that reach their command as one object, under one name."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def gathered(**given: Any) -> Any:
            fields = {field: given.pop(field) for field in kind.__slots__}
            return command(**{name: kind(**fields)}, **given)

        result: Command = gathered
        for option in reversed(made):
            result = option(result)
        return result

    return decorate


verbose = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_log,
    help="Log what is asked of whom.",
)
max_wait = click.option(
    "--max-wait",
    metavar="DURATION",
    help="Wait no longer than that for a source, such as 30m, all in all.",
)
stale_after = click.option(
    "--stale-after",
    default="2d",
    show_default=True,
    metavar="DURATION",
    help="How long ago a source may have been read.",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks.")


def _place(config: str, store: str) -> Callable[[Command], Command]:
    file = click.Path(path_type=Path)
    return _together(
        "place",
        Place,
        click.option("-c", "--config", type=file, help=config),
        click.option("--store", type=file, help=store),
        click.option(
            "--as-of", metavar="TIME", help="Judge by what was known on that day or time."
        ),
        verbose,
    )


place = _place(
    "Configuration; dora.toml by default.",
    "A store to read; without -c no configuration is needed.",
)
new_place = _place(
    "Configuration to write; dora.toml by default.",
    "Store it names; dora.duckdb beside it by default.",
)

scope = _together(
    "scope",
    Scope,
    click.option(
        "--window",
        default="90d",
        show_default=True,
        help="90d, 2026-H1, 2026-03, 2026-03-01..2026-04-01, last-month …",
    ),
    click.option(
        "--by", type=click.Choice(("day", "week", "month", "quarter")), help="Split by period."
    ),
    click.option("--service", multiple=True, help="Only this service; may be repeated."),
    click.option("--team", multiple=True, help="Only this team's services; may be repeated."),
)


links = _together(
    "links",
    Links,
    click.option("--left-out", is_flag=True, help="Those left out, with the reason."),
    click.option("--incident", metavar="ID", help="What it was put down to; * is anything."),
    click.option("--deployment", metavar="ID", help="Why it failed or not; * is anything."),
    click.option(
        "--sensitivity", is_flag=True, help="How it moves with windows of 1 h, 6 h, 24 h, 72 h."
    ),
)


def output(command: Command) -> Command:
    """Where results go, and as what."""
    form = click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="By default what the file's name says, else a table.",
    )
    path = click.option(
        "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file."
    )
    return form(path(command))
