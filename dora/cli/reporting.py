"""Commands that write reports and deliver them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dora.cli import options
from dora.cli.options import Place, Scope
from dora.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from dora.delivery import Delivery
    from dora.report import Contents


@click.command()
@options.scope
@options.place
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="A .html, .md or .pdf file; with --split-by a folder.",
)
@click.option("--split-by", type=click.Choice(("team", "service")), help="A report for each.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("html", "md", "pdf")),
    default="html",
    show_default=True,
    help="With --split-by: what the files are.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A Jinja template of your own; docs/report.md says what it is given.",
)
@options.stale_after
def report(
    scope: Scope,
    place: Place,
    output: Path,
    split_by: str | None,
    form: str,
    template: Path | None,
    stale_after: str,
) -> int:
    """Write a report as a web page, Markdown or PDF; exit 1 if it is not up to date."""
    from dora.rules import duration

    if scope.by:
        raise UsageError("A report chooses its periods itself.", hint="Leave --by out.")
    delivery = scope.of(place.open())
    stale = False
    age = duration(stale_after)
    for path, contents in _written(delivery, output, split_by, form, template, age):
        click.echo(path)
        for warning in contents.warnings:
            click.echo(f"Not up to date: {warning}", err=True)
        stale = stale or bool(contents.warnings)
    return int(stale)


def _written(
    delivery: Delivery,
    output: Path,
    split_by: str | None,
    form: str,
    template: Path | None,
    stale_after: timedelta,
) -> Iterator[tuple[Path, Contents]]:
    from dora.report import write, write_each

    if split_by is None:
        yield output, write(delivery, output, template=template, stale_after=stale_after)
        return
    if output.suffix and not output.is_dir():
        raise UsageError(
            f"{output} is no folder.", hint="With --split-by, -o names a folder: -o reports."
        )
    yield from write_each(
        delivery,
        output,
        by=split_by,
        suffix=f".{form}",
        template=template,
        stale_after=stale_after,
    )


@click.command("run")
@options.place
@click.option("--again", multiple=True, metavar="NAME", help="Deliver this one once more.")
@options.stale_after
@options.max_wait
@options.quiet
def scheduled(
    place: Place, again: tuple[str, ...], stale_after: str, max_wait: str | None, quiet: bool
) -> int:
    """Sync, and deliver every report that is due, each once; exit 1 if anything went wrong."""
    from dora.cli.progress import reporting
    from dora.rules import duration
    from dora.running import run

    with reporting(quiet) as progress:
        came = run(
            place.configuration(),
            again=again,
            progress=progress,
            stale_after=duration(stale_after),
            max_wait=duration(max_wait) if max_wait else None,
        )
    for problem in came.problems:
        click.echo(problem, err=True)
    for warning in came.warnings:
        click.echo(f"Not up to date: {warning}", err=True)
    for one in came.outcomes:
        if not one.done:
            click.echo(f"{one.name}: not delivered: {one.message}\n  {one.hint}", err=True)
        elif not quiet:
            click.echo(f"{one.name}: {one.message}")
    return int(came.failed)
