"""Commands that set up and read sources: quickstart, init, check, sync, status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dora.cli import options
from dora.cli.options import DEFAULT_CONFIG, Place
from dora.errors import UsageError

if TYPE_CHECKING:
    from dora.sync import Summary

_LEVELS = {"ok": "ok     ", "warning": "warning", "error": "error  "}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dora"),
    show_default=True,
    help="Folder for the configuration, the store, CSV files and pictures.",
)
@options.new_place
@options.quiet
def quickstart(path: Path, out: Path, place: Place, quiet: bool) -> None:
    """Read the local clone at PATH and show its five metrics, with nothing to configure."""
    from dora.cli.progress import reporting
    from dora.cli.reading import at_a_glance
    from dora.quickstart import quickstart as start

    with reporting(quiet) as progress:
        made = start(
            path, out, config=place.config, store=place.store, as_of=place.as_of, progress=progress
        )
    click.echo(f"{made.delivery!r}\n")
    click.echo(at_a_glance(made.delivery.overview()), nl=False)
    for remark in () if quiet else made.remarks:
        click.echo(f"- {remark}")
    click.echo(f"\nWritten:\n  {made.config}\n  {_from_here(made.store)}")
    for file in made.write(out):
        click.echo(f"  {file}")
    click.echo(f"\nGo on with: dora show lead-time -c {made.config} --by month")


def _from_here(path: Path) -> Path:
    """A path as it is seen from the current folder, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@click.command()
@options.new_place
@click.option("--path", type=click.Path(path_type=Path), help="Local clone to begin with.")
def init(place: Place, path: Path | None) -> None:
    """Write a configuration to begin with; it names the variables that hold tokens."""
    from dora.config import beside, starter
    from dora.frames import write_text

    config = place.config or DEFAULT_CONFIG
    place.moment("UTC")
    if config.exists():
        raise UsageError(
            f"{config} is already there.", hint="Name another file with -c, or edit that one."
        )
    clone = path or (Path() if Path(".git").exists() else None)
    sources = [] if clone is None else [_git_source(clone)]
    write_text(config, starter(sources, store=beside(config, place.store)))
    click.echo(config)
    click.echo(f"Edit it, then: dora check -c {config} && dora sync -c {config}", err=True)


def _git_source(clone: Path) -> dict[str, object]:
    from dora.connector import suggest

    rule, remark = suggest("git", clone)
    click.echo(remark, err=True)
    return {"name": "git", "kind": "git", "path": str(clone), "deployments": [rule]}


@click.command()
@options.place
def check(place: Place) -> int:
    """Check configuration, installation, sources and store; exit 1 if anything is wrong."""
    from dora.checks import findings

    worst = 0
    for finding in findings(place.configuration()):
        click.echo(f"{_LEVELS[finding.level]}  {finding.subject}: {finding.message}")
        if finding.hint:
            click.echo(f"         {finding.hint}")
        worst = max(worst, int(finding.level == "error"))
    return worst


@click.command()
@options.place
@click.option("--source", help="Only this source.")
@click.option("--full", is_flag=True, help="Read everything again.")
@click.option(
    "--reconcile", is_flag=True, help="Find now what was deleted or rewritten at the sources."
)
@options.max_wait
@options.quiet
def sync(
    place: Place,
    source: str | None,
    full: bool,
    reconcile: bool,
    max_wait: str | None,
    quiet: bool,
) -> int:
    """Read what is new from every source; exit 1 if one of them failed."""
    from dora.cli.progress import reporting
    from dora.rules import duration
    from dora.sync import sync as run

    longest = duration(max_wait) if max_wait else None
    with reporting(quiet) as progress:
        summary = run(
            place.configuration(),
            only=source,
            full=full,
            reconcile=reconcile,
            max_wait=longest,
            progress=progress,
        )
    _say(summary, quiet)
    return int(summary.failed)


def _say(summary: Summary, quiet: bool) -> None:
    for one in summary.sources:
        if one.error:
            click.echo(f"{one.name}: failed: {one.error}", err=True)
            if one.hint:
                click.echo(f"  {one.hint}", err=True)
        elif not quiet:
            click.echo(f"{one.name}: {one}", err=True)
        for note in () if quiet else one.notes:
            click.echo(f"  {note}", err=True)
        if one.rejected and not quiet:
            click.echo("  `dora status` says which rows were rejected, and why.", err=True)
    for note in () if quiet else summary.notes:
        click.echo(note, err=True)


@click.command()
@options.place
@options.output
def status(place: Place, form: str | None, output: Path | None) -> None:
    """Show how fresh and complete the record is, and what no rule classifies."""
    from dora.cli.reading import emit
    from dora.status import status as look

    frame = look(place.open())
    emit(frame, frame, form, output)
