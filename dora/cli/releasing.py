"""The command that looks at how releases are managed."""

from __future__ import annotations

from pathlib import Path

import click

from dora.cli import options
from dora.cli.options import Place, Scope
from dora.errors import UsageError


@click.command()
@click.argument("analysis", required=False)
@options.scope
@options.place
@options.output
@click.option("--evidence", "records", is_flag=True, help="The records behind it instead.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write the compliance pack of `evidence` to.",
)
def release(
    analysis: str | None,
    scope: Scope,
    place: Place,
    form: str | None,
    output: Path | None,
    records: bool,
    folder: Path | None,
) -> None:
    """Show how releases are managed by an ANALYSIS, or a sentence on each."""
    from dora import release as analyses
    from dora import words
    from dora.cli.reading import emit
    from dora.release import pack

    if folder is not None and analysis != "evidence":
        raise UsageError(
            "--out goes with the analysis `evidence`.", hint="dora release evidence --out DIR"
        )
    if analysis is None and (records or form or output):
        raise UsageError(
            "Which analysis is to be written?", hint=f"Name one: {', '.join(analyses.NAMES)}."
        )
    if scope.by is not None:
        raise UsageError(
            "An analysis of releases is of the whole window; --by splits none.",
            hint="Ask for each period by itself: --window 2026-03.",
        )
    asked = scope.of(place.open()).release
    if analysis is None:
        for name in analyses.NAMES:
            click.echo(f"{name}: {asked.ask(name).sentence}")
        return
    answer = asked.ask(analysis)
    if folder is not None:
        for path in pack.write(answer, folder):
            click.echo(path)
        click.echo(answer.sentence, err=True)
        return
    frame = answer.evidence if records else answer.frame
    emit(frame, words.table(frame), form, output)
    click.echo(answer.sentence, err=True)
