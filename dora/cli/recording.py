"""`dora record`: a pipeline says what it has done, in one line of shell."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dora.cli.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from dora.recording.facts import Said

STDOUT = "-"

Command = Callable[..., Any]


@click.group()
def record() -> None:
    """Write down a deployment, an incident or a change; the next sync reads it."""


def _where(command: Command) -> Command:
    """Where the line goes, and how much is said of it."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="No remarks."),
        click.option(
            "--spool",
            metavar="DIR",
            help="Folder to write to; `dora.d` beside the configuration by default, - for stdout.",
        ),
        click.option(
            "-c", "--config", type=click.Path(path_type=Path), help="Configuration it belongs to."
        ),
    ):
        command = option(command)
    return command


@record.command()
@click.option("--service", required=True, help="What was deployed.")
@click.option("--environment", required=True, help="Where to, as in `production`.")
@click.option("--status", required=True, help="succeeded, failed, cancelled or running.")
@click.option("--sha", help="Commit deployed; the pipeline's own by default.")
@click.option("--started", "started_at", metavar="TIME", help="When it began.")
@click.option("--finished", "finished_at", metavar="TIME", help="When it ended; now by default.")
@click.option("--repository", help="host/owner/name or an address; the pipeline's by default.")
@click.option("--version", help="Version deployed.")
@click.option("--digest", help="Digest of the artifact deployed, such as sha256:….")
@click.option("--url", help="Web address; that of the pipeline's run by default.")
@click.option("--fixes", metavar="ID", help="Deployment or incident that this one fixes.")
@click.option("--rolls-back", metavar="ID", help="Deployment that this one undoes.")
@click.option("--unplanned", is_flag=True, help="It was not planned.")
@click.option(
    "--manual/--not-manual", default=None, help="By hand, past the pipeline, or surely not."
)
@click.option(
    "--automatic/--not-automatic", default=None, help="Begun by a machine unasked, or surely not."
)
@click.option("--labels", multiple=True, help="Label; may be repeated, or several with commas.")
@click.option("--id", metavar="ID", help="Its id; the same line again is the same deployment.")
@_where
def deployment(
    config: Path | None, spool: str | None, quiet: bool, labels: tuple[str, ...], **given: Any
) -> None:
    """Write down that something was deployed, or that it was tried."""
    from dora.recording import facts
    from dora.recording.pipelines import pipeline

    listed = _listed(labels)
    said = facts.deployment({**given, "labels": listed}, pipeline(os.environ), datetime.now(UTC))
    _write(said, config, spool, quiet)


@record.command()
@click.option("--service", required=True, help="What was hurt.")
@click.option("--detected", "detected_at", required=True, metavar="TIME", help="When it was seen.")
@click.option("--resolved", "resolved_at", metavar="TIME", help="When it was over.")
@click.option("--severity", help="How bad it was, in your own words.")
@click.option(
    "--caused-by",
    multiple=True,
    metavar="CAUSE",
    help="Deployment id or URL, commit, or repository#number; may be repeated.",
)
@click.option("--title", help="Title.")
@click.option("--url", help="Web address.")
@click.option("--external", is_flag=True, help="Caused outside: a provider, the network.")
@click.option("--duplicate-of", metavar="ID", help="Incident that this one repeats.")
@click.option("--id", metavar="ID", help="Its id; by default service and time of detection.")
@_where
def incident(config: Path | None, spool: str | None, quiet: bool, **given: Any) -> None:
    """Write down that users were hurt, and when it was over."""
    from dora.recording import facts

    _write(facts.incident(given, datetime.now(UTC)), config, spool, quiet)


@record.command()
@click.argument("flag")
@click.option("--environment", required=True, help="Where, as in `production`.")
@click.option("--on/--off", "on", default=None, help="It is on, or off, for all.")
@click.option("--share", type=float, metavar="SHARE", help="Share of users who see it, 0 to 1.")
@click.option("--created", "action", flag_value="created", help="It was created.")
@click.option("--removed", "action", flag_value="removed", help="It was removed altogether.")
@click.option("--temporary/--permanent", default=None, help="Whether it is meant to be removed.")
@click.option("--service", help="Service whose users see it.")
@click.option("--changed", "changed_at", metavar="TIME", help="When; now by default.")
@click.option("--url", help="Web address.")
@click.option("--id", metavar="ID", help="Its id; by default flag, environment and time.")
@_where
def flag(config: Path | None, spool: str | None, quiet: bool, **given: Any) -> None:
    """Write down that the feature flag FLAG was turned on, off or to a share."""
    from dora.recording import facts

    _write(facts.flag_change(given, datetime.now(UTC)), config, spool, quiet)


@record.command()
@click.option("--service", required=True, help="What was changed.")
@click.option("--environment", required=True, help="Where, as in `production`.")
@click.option("--name", required=True, help="What was done, in a few words.")
@click.option("--changed", "changed_at", metavar="TIME", help="When; now by default.")
@click.option("--url", help="Web address.")
@click.option("--labels", multiple=True, help="Label; may be repeated, or several with commas.")
@click.option("--id", metavar="ID", help="Its id; by default all of the above but the address.")
@_where
def manual_change(
    config: Path | None, spool: str | None, quiet: bool, labels: tuple[str, ...], **given: Any
) -> None:
    """Write down that something was changed by hand and no commit deployed."""
    from dora.recording import facts

    said = facts.manual_change({**given, "labels": _listed(labels) or None}, datetime.now(UTC))
    _write(said, config, spool, quiet)


def _listed(labels: tuple[str, ...]) -> list[str]:
    return [label.strip() for text in labels for label in text.split(",") if label.strip()]


def _write(said: Said, config: Path | None, spool: str | None, quiet: bool) -> None:
    """Add the line to the spool and say its id, or say the line itself."""
    from dora.recording import SPOOL
    from dora.recording.spool import append, as_line

    if spool == STDOUT:
        click.echo(as_line(said.values))
    else:
        folder = Path(spool) if spool else (config or DEFAULT_CONFIG).parent / SPOOL
        path = append(folder, as_line(said.values), datetime.now(UTC))
        click.echo(said.values["id"])
        if not quiet:
            click.echo(f"Added to {path}.", err=True)
    for remark in () if quiet else said.remarks:
        click.echo(remark, err=True)
