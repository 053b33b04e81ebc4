"""Commands that look after the people behind the facts: privacy, forget."""

from __future__ import annotations

from pathlib import Path

import click

from dora.cli import options
from dora.cli.options import Place
from dora.errors import UsageError


@click.command()
@options.place
@options.output
def privacy(place: Place, form: str | None, output: Path | None) -> None:
    """Show what the store holds about people: every field, what for, and how long."""
    from dora.cli.reading import emit
    from dora.privacy.inventory import PURPOSE_NOTE, inventory

    config = place.configuration()
    frame = inventory(config)
    emit(frame, frame, form, output)
    click.echo(PURPOSE_NOTE, err=True)
    click.echo(
        f"Not shown: a team's numbers with fewer than {config.privacy.k} authors behind them.",
        err=True,
    )


@click.command()
@options.place
@click.argument("person", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody, by another key.")
def forget(place: Place, person: str | None, everybody: bool) -> None:
    """Take a PERSON ("Ada <ada@example.org>", a login), or all, out of the store for good."""
    from dora.privacy import forgetting

    if (person is None) is not everybody:
        raise UsageError(
            "Say who is to be forgotten.", hint='dora forget "Ada <ada@example.org>", or --all.'
        )
    config = place.configuration()
    if person is not None:
        gone = forgetting.forget(config, person)
        click.echo(
            f"Forgotten: {gone.rows:,} facts no longer say whose they are; the name was taken"
            f" out of {gone.texts:,} texts."
        )
        return
    gone = forgetting.forget_all(config)
    click.echo(
        f"Forgotten: {gone.rows:,} facts no longer say whose they are, and the key is another one."
    )
    click.echo("The next `dora sync` reads every source again, under the new key.")
