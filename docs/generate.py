"""Writes the parts of the documentation that the code knows best.

`python docs/generate.py` brings README.md, the pages with generated parts and the pictures up to
date; a test runs the same functions and fails where what is committed is stale.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args, get_type_hints

import click
import examples
import tiny

from dora import metrics
from dora.cli import dora
from dora.connector import load
from dora.metrics.coverage_checks import CHECKS, FAULTS
from dora.models import models
from dora.plots import KINDS
from dora.records import RECORD_TYPES, columns
from dora.rules import Rules
from dora.rules.presets import PRESETS

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
STORE = DOCS / "store.md"
DEFINITIONS = DOCS / "definitions.md"
PICTURES = DOCS / "pictures.md"
READING = DOCS / "reading.md"

CONFIGURATION = DOCS / "configuration.md"

_HEAD = """\
# The store

<!-- Written by docs/generate.py. -->

One DuckDB file. Times are UTC. Each fact table also has `source`, the source that last gave the
row, and `commits` has `commit_id`, a number of its own. A later fact with the same key replaces the
earlier one.
"""


def metrics_table() -> str:
    """The metrics as a Markdown table, from their own definitions."""
    lines = ["| metric | what it is | n counts |", "|---|---|---|"]
    for name in metrics.names():
        metric = metrics.find(name)
        also = "".join(f", `{alias}`" for alias in metric.aliases)
        lines.append(
            f"| **{metric.title}** (`{name}`{also}) | {metric.definition} | {metric.noun}s |"
        )
    return "\n".join(lines)


def commands_table() -> str:
    """The commands as a Markdown table, from their own help."""
    lines = ["| command | what it does |", "|---|---|"]
    for name, command in dora.commands.items():
        context = click.Context(command, info_name=name)
        arguments = [
            p.make_metavar(context) for p in command.params if p.param_type_name == "argument"
        ]
        if isinstance(command, click.Group):
            arguments = ["|".join(command.commands)]
        usage = " ".join(["dora", name, *arguments]).replace("|", "\\|")
        lines.append(f"| `{usage}` | {(command.help or '').splitlines()[0]} |")
    return "\n".join(lines)


def readme(text: str) -> str:
    """A README with its generated tables as they should be."""
    for mark, table in (("metrics", metrics_table()), ("commands", commands_table())):
        pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    return text


def presets_table() -> str:
    """What each preset counts, and what of it is not reproduced, as a Markdown table."""
    lines = ["| preset | metric | what the product counts | not reproduced |", "|---|---|---|---|"]
    for preset in PRESETS:
        for metric, definition in preset.definitions.items():
            named = f"[{preset.title}]({preset.source}) (`{preset.name}`)"
            lacking = preset.lacking.get(metric, "")
            lines.append(f"| {named} | `{metric}` | {definition} | {lacking} |")
    return "\n".join(lines)


def definitions(text: str) -> str:
    """The definitions with the tables of coverage checks and presets as they should be."""
    lines = ["| of how many | these | bears on (at worst) |", "|---|---|---|"]
    for check in CHECKS:
        bears = ", ".join(f"`{name}` ({lowest})" for name, lowest in check.bears_on.items())
        scale = "never wrong" if check.scale == FAULTS else "may be missing"
        lines.append(f"| {check.statement} | {scale} | {bears} |")
    for mark, table in (("coverage", "\n".join(lines)), ("presets", presets_table())):
        pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    return text


def rules_table() -> str:
    """Every rule with its usual value as `dora.toml` has it, from its own description."""
    described = re.sub(r"\n {12}", " ", Rules.__doc__ or "")
    hints = get_type_hints(Rules)
    lines = ["| rule | usual | meaning |", "|---|---|---|"]
    for name, value in asdict(Rules()).items():
        (meaning,) = re.findall(rf"^ {{8}}{name}: (.*)$", described, flags=re.MULTILINE)
        choices = [c for c in get_args(hints[name]) if isinstance(c, str)]
        named = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        lines.append(f"| `{name}` | {_toml(value)} | {meaning}{named} |")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return f'`"{value // timedelta(hours=1)}h"`'
    if isinstance(value, dict):
        return "; ".join(f"`{key}` {_toml(part)}" for key, part in value.items())
    return f"`{json.dumps(value)}`"


def configuration(text: str) -> str:
    """The page on the configuration with the rules and the keys of sources as they should be."""

    def keys(found: re.Match[str]) -> str:
        fields = load(found[2]).Options.model_fields
        rows = [
            f"| `{field.alias or name}` | {'yes' if field.is_required() else ''} "
            f"| {field.description or ''} |"
            for name, field in fields.items()
        ]
        return "\n".join(
            [f"{found[1]}| key | needed | meaning |", "|---|---|---|", *rows, found[3]]
        )

    text = re.sub(
        r"(<!-- rules -->\n).*?(<!-- /rules -->)",
        lambda found: f"{found[1]}{rules_table()}\n{found[2]}",
        text,
        flags=re.DOTALL,
    )
    pattern = r"(<!-- keys: (\w+) -->\n).*?(<!-- /keys -->)"
    return re.sub(pattern, keys, text, flags=re.DOTALL)


def store() -> str:
    """Every table and column, as the records and the models describe them."""
    parts = [_HEAD, "## Facts\n"]
    for record_type in RECORD_TYPES:
        doc = (record_type.__doc__ or "").strip().splitlines()[0]
        parts.append(f"### `{record_type.table}`\n\n{doc} Key: {', '.join(record_type.key)}.\n")
        rows = [
            f"| `{c.name}` | {c.sql_type} | {'yes' if c.required else ''} | {c.doc} |"
            for c in columns(record_type).values()
        ]
        parts.append(
            "\n".join(["| column | type | always | meaning |", "|---|---|---|---|", *rows]) + "\n"
        )
    parts.append("## What is derived\n")
    parts.append(
        "Built in memory by whoever reads, for the rules in force; `dora query` and `d.sql()` know"
        " them by name.\n"
    )
    rows = [f"| `{m.name}` | {m.grain} | {m.rule} |" for m in models().values()]
    parts.append("\n".join(["| table | a row is | rule |", "|---|---|---|", *rows]) + "\n")
    return "\n".join(parts)


_GALLERY = """\
# The pictures

<!-- Written by docs/generate.py. -->

Each is drawn of a metric: `q.lead_time().plot("stages")` in a notebook,
`dora plot lead-time --kind stages -o stages.png` on the command line, as png, svg or pdf, with
`theme="dark"` or `--theme dark` for dark screens. All of them take and return matplotlib's `Axes`,
so that they can be put beside each other and changed. Below each stands what it was made of:
window, zone, n, rules and the grade of the data. Gaps are gaps, never zero.
"""


def gallery() -> str:
    """Every picture: the question it answers, and how to draw it."""
    parts = [_GALLERY]
    for kind, of in KINDS.items():
        doc = (import_module(f"dora.plots.{kind}").__doc__ or "").strip()
        drawn = ", ".join(f"`{name}`" for name in of) or "any metric"
        parts.append(f"## `{kind}`\n\n{doc}\n\nOf {drawn}.\n")
        parts.append(
            f"![The picture `{kind}` of the sample organisation](images/kinds/{kind}.png)\n"
        )
    return "\n".join(parts)


def reading(text: str, folder: Path) -> str:
    """How to read the numbers, with what its examples say and draw now."""
    return examples.answered(text, folder, vars(tiny))


def kinds(folder: Path) -> list[Path]:
    """One picture of each kind, of the sample organisation."""
    from dora import plots, sample

    folder.mkdir(parents=True, exist_ok=True)
    weeks = sample().window("2026-H1", by="week").as_of("2026-06-15")
    return [
        plots.save(weeks.metric((of or ("lead_time",))[0]).plot(kind), folder / f"{kind}.png")
        for kind, of in KINDS.items()
    ]


def pictures(folder: Path) -> list[Path]:
    """The pictures that the README shows, of the sample organisation."""
    from dora import plots, sample

    weeks = sample().window("2026-H1", by="week")
    page = plots.page([weeks.metric(name) for name in weeks.metrics])
    return [
        plots.save(weeks.lead_time().plot(), folder / "lead_time.png"),
        plots.save(page, folder / "overview.png"),
    ]


if __name__ == "__main__":
    README.write_text(readme(README.read_text("utf-8")), encoding="utf-8")
    STORE.write_text(store(), encoding="utf-8")
    DEFINITIONS.write_text(definitions(DEFINITIONS.read_text("utf-8")), encoding="utf-8")
    CONFIGURATION.write_text(configuration(CONFIGURATION.read_text("utf-8")), encoding="utf-8")
    PICTURES.write_text(gallery(), encoding="utf-8")
    READING.write_text(reading(READING.read_text("utf-8"), DOCS), encoding="utf-8")
    (DOCS / "images").mkdir(exist_ok=True)
    for picture in (*pictures(DOCS / "images"), *kinds(DOCS / "images" / "kinds")):
        print(picture.relative_to(DOCS.parent))
