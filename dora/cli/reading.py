"""Commands that read: show, explain, export, plot, query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dora.cli import options
from dora.cli.options import Place, Scope

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.overview import Overview


@click.command()
@click.argument("metric", required=False)
@options.scope
@options.place
@options.output
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL behind it instead.")
def show(
    metric: str | None,
    scope: Scope,
    place: Place,
    form: str | None,
    output: Path | None,
    only_sql: bool,
) -> None:
    """Show a METRIC by period and service, or all five at a glance."""
    from dora import words

    delivery = scope.of(place.open())
    if metric is None:
        overview = delivery.overview()
        if form is None and output is None:
            click.echo(at_a_glance(overview), nl=False)
        else:
            emit(overview.frame, words.table(overview.frame), form, output)
        return
    result = delivery.metric(metric)
    if only_sql:
        click.echo(result.sql)
        return
    emit(result.frame, words.table(result.frame), form, output)


@click.command()
@click.argument("metric")
@options.scope
@options.place
@options.output
@click.option("--left-out", is_flag=True, help="Those left out, with the reason.")
def explain(
    metric: str,
    scope: Scope,
    place: Place,
    form: str | None,
    output: Path | None,
    left_out: bool,
) -> None:
    """Show the records behind a METRIC, and those left out with the reason and the link."""
    from dora import words

    result = scope.of(place.open()).metric(metric)
    if left_out or form is not None or output is not None:
        frame = result.left_out if left_out else result.evidence
        emit(frame, words.table(frame), form, output)
        return
    click.echo(words.definition(result))
    click.echo(f"\nThe {words.count(len(result.evidence), 'record')} behind it:\n")
    emit(result.evidence, words.table(result.evidence), "table", None)
    click.echo(f"\nLeft out: {len(result.left_out):,}\n")
    if len(result.left_out):
        emit(result.left_out, words.table(result.left_out), "table", None)


@click.command()
@options.scope
@options.place
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("export"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("--format", "form", type=click.Choice(("csv", "parquet")), default="csv")
def export(scope: Scope, place: Place, out: Path, form: str) -> None:
    """Write every metric, the records behind it and every fact as CSV or Parquet."""
    from dora.export import export as write

    for path in write(scope.of(place.open()), out, form="parquet" if form == "parquet" else "csv"):
        click.echo(path)


@click.command()
@click.argument("metric")
@options.scope
@options.place
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to draw to: png, svg or pdf.",
)
@click.option("--kind", default="trend", show_default=True, help="Kind of picture.")
def plot(metric: str, scope: Scope, place: Place, output: Path, kind: str) -> None:
    """Draw a METRIC, or `overview` for all of them, to a png, svg or pdf file."""
    from dora import plots

    delivery = scope.of(place.open(), by="week")
    if metric == "overview":
        drawn = plots.page([delivery.metric(name) for name in delivery.metrics])
    else:
        drawn = delivery.metric(metric).plot(kind)
    plots.save(drawn, output)
    click.echo(output)


@click.command()
@click.argument("sql")
@options.place
@options.output
def query(sql: str, place: Place, form: str | None, output: Path | None) -> None:
    """Run SQL over the facts and all that is derived from them; nothing can be changed."""
    frame = place.open().sql(sql)
    emit(frame, frame, form, output)


def at_a_glance(overview: Overview) -> str:
    """All metrics in a small table, and below it why a value is missing, each reason once."""
    import pandas as pd

    from dora import frames, words

    rows = [
        {
            "metric": now.name,
            "value (95 % interval)": words.estimate(now.value, now.low, now.high, now.unit),
            "n": now.n,
            "beside": ", ".join(now.asides),
            "than before": verdict,
        }
        for now, verdict in ((c.now, c.verdict) for c in overview.comparisons)
    ]
    reasons: dict[str, list[str]] = {}
    for now in overview.results:
        if now.reason:
            reasons.setdefault(now.reason, []).append(now.name)
    table = frames.text(pd.DataFrame(rows, dtype=object), "table")
    said = [f"- {words.listed(names)}: {reason}.\n" for reason, names in reasons.items()]
    return "".join([table, "\n" if said else "", *said])


def emit(frame: pd.DataFrame, shown: pd.DataFrame, form: str | None, output: Path | None) -> None:
    """Files get plain values, terminals human words."""
    from dora import frames

    form = form or (frames.form_of(output) if output else "table")
    chosen = shown if form in ("table", "markdown") else frame
    if output is None:
        click.echo(frames.text(chosen, form), nl=False)
    else:
        frames.write(chosen, output, form)
