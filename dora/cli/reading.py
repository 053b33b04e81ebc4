"""Commands that read: show, explain, export, plot, query."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dora.cli import options
from dora.cli.options import Links, Place, Scope
from dora.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.overview import Overview
    from dora.metrics.result import Result
    from dora.metrics.signals import Signals
    from dora.metrics.survival import Survival


@click.command()
@click.argument("metric", required=False)
@options.scope
@options.place
@options.output
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL behind it instead.")
@click.option("--signals", is_flag=True, help="Tell signal from noise, and when a level changed.")
@click.option("--survival", is_flag=True, help="How long what began takes, unfinished included.")
@click.option(
    "--all-presets", is_flag=True, help="By the formulas of other products, side by side."
)
@click.option(
    "--levels",
    "year",
    type=int,
    is_flag=False,
    flag_value=0,
    metavar="[YEAR]",
    help="Hold all against DORA's levels of a year, by default the newest.",
)
def show(
    metric: str | None,
    scope: Scope,
    place: Place,
    form: str | None,
    output: Path | None,
    only_sql: bool,
    signals: bool,
    survival: bool,
    all_presets: bool,
    year: int | None,
) -> None:
    """Show a METRIC by period and service, or all five at a glance."""
    from dora import words

    asked = {"sql": only_sql, "signals": signals, "survival": survival}
    _agree(metric, {**asked, "all-presets": all_presets, "levels": year is not None})
    delivery = scope.of(place.open())
    if year is not None:
        emit_levels(delivery.overview(), year, form, output)
    elif metric is None:
        emit_overview(delivery.overview(), form, output)
    elif only_sql:
        click.echo(delivery.metric(metric).sql)
    elif signals:
        emit_signals(delivery.metric(metric).signals(), form, output)
    elif survival:
        emit_survival(delivery.metric(metric).survival(), form, output)
    elif all_presets:
        fan = delivery.metric(metric).fan()
        emit(fan.frame, fan.shown, form, output)
    else:
        result = delivery.metric(metric)
        emit(result.frame, words.table(result.frame), form, output)


def _agree(metric: str | None, asked: Mapping[str, bool]) -> None:
    """Refuse questions that do not go together, or not with a metric, or not without.

    Raises:
        UsageError: There are such.
    """
    from dora import metrics, words

    given = [f"--{name}" for name, wanted in asked.items() if wanted]
    if len(given) > 1:
        told = words.listed(given, most=len(given))
        raise UsageError(f"{told} do not go together.", hint="Ask for one after the other.")
    if metric is not None and given == ["--levels"]:
        raise UsageError(
            f"A level takes all metrics, not {metric} alone.", hint="Leave the metric away."
        )
    if metric is None and given and given != ["--levels"]:
        raise UsageError(
            f"{given[0]} is of one metric.", hint=f"Name it: {', '.join(metrics.names())}."
        )


@click.command()
@click.argument("metric")
@options.scope
@options.place
@options.output
@options.links
def explain(
    metric: str,
    scope: Scope,
    place: Place,
    form: str | None,
    output: Path | None,
    links: Links,
) -> None:
    """Show the records behind a METRIC, and those left out with the reason and the link."""
    from dora import words

    links.check(form, output)
    result = scope.of(place.open()).metric(metric)
    frames = links.frames(result)
    if not frames and (form is not None or output is not None):
        frames = [(result.evidence, words.table(result.evidence))]
    for frame, shown in frames:
        emit(frame, shown, form, output)
    if frames:
        return
    click.echo(words.definition(result))
    click.echo(f"\nThe {words.count(len(result.evidence), 'record')} behind it:\n")
    emit(result.evidence, words.table(result.evidence), "table", None)
    click.echo(f"\nLeft out: {len(result.left_out):,}\n")
    if len(result.left_out):
        emit(result.left_out, words.table(result.left_out), "table", None)
    if result.links_matter:
        _say_links(result)


def _say_links(result: Result) -> None:
    """Every incident with what it could be put down to, every deployment with the reason."""
    from dora import words

    told = result.explain()
    for title, frame in (
        ("What each incident was put down to, and what else it could have been", told.incidents),
        ("Why each deployment is failed, fine or pending", told.deployments),
    ):
        if len(frame):
            click.echo(f"\n{title}:\n")
            emit(frame, words.table(frame), "table", None)


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
@click.option(
    "--theme", default="light", show_default=True, help="light, or dark for dark screens."
)
def plot(metric: str, scope: Scope, place: Place, output: Path, kind: str, theme: str) -> None:
    """Draw a METRIC, or `overview` for all of them, to a png, svg or pdf file."""
    from dora import plots

    delivery = scope.of(place.open(), by="week")
    if metric == "overview":
        drawn = plots.page([delivery.metric(name) for name in delivery.metrics], theme=theme)
    else:
        drawn = delivery.metric(metric).plot(kind, theme=theme)
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

    goals = {j.standing.result.name: str(j) for j in overview.judgements}
    rows = [
        {
            "metric": now.name,
            "value (95 % interval)": words.estimate(now.value, now.low, now.high, now.unit),
            "n": now.n,
            "beside": ", ".join(now.asides),
            "than before": verdict,
            **({"goal": goals.get(now.name, "")} if goals else {}),
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


def emit_overview(overview: Overview, form: str | None, output: Path | None) -> None:
    """A row a metric; for people a small table, and what to mind."""
    from dora import words

    if form is not None or output is not None:
        emit(overview.frame, words.table(overview.frame), form, output)
        return
    click.echo(at_a_glance(overview), nl=False)
    for note in overview.notes:
        click.echo(f"- {note.sentence}")


def emit_signals(found: Signals, form: str | None, output: Path | None) -> None:
    """Every point with its limits; for people after what comes of them in a sentence."""
    from dora import words

    if form is None and output is None:
        click.echo(f"{found.sentence}\n")
    emit(found.frame, words.table(found.frame), form, output)


def emit_survival(found: Survival, form: str | None, output: Path | None) -> None:
    """The whole curve; for people a sentence, and after how long most are over."""
    from dora import frames, words

    if form is not None or output is not None:
        emit(found.frame, found.frame, form, output)
        return
    click.echo(f"{found.sentence}\n")
    told = found.quantiles
    shown = told[["told"]].assign(share=[words.share(share) for share in told["share"]])
    columns = {"told": f"{found.result.metric.done} within"}
    click.echo(frames.text(shown[["share", "told"]].rename(columns=columns), "table"), nl=False)


def emit_levels(overview: Overview, year: int, form: str | None, output: Path | None) -> None:
    """Where each metric stands among a year's levels; for people with the level and the score."""
    from dora import frames, words

    level = overview.level(year) if year else overview.level()
    if form is not None or output is not None:
        emit(level.frame, words.table(level.frame), form, output)
        return
    shown = words.table(level.frame.drop(columns=["answer_low", "answer_high"]))
    click.echo(frames.text(shown, "table"))
    for sentence in (level.sentence, overview.quick_check().sentence, f"Source: {level.source}."):
        click.echo(sentence)


def emit(frame: pd.DataFrame, shown: pd.DataFrame, form: str | None, output: Path | None) -> None:
    """Files get plain values, terminals human words."""
    from dora import frames

    form = form or (frames.form_of(output) if output else "table")
    chosen = shown if form in ("table", "markdown") else frame
    if output is None:
        click.echo(frames.text(chosen, form), nl=False)
    else:
        frames.write(chosen, output, form)
