"""Which CI checks have to pass before a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dora import patterns

if TYPE_CHECKING:
    from dora.release.base import Asked


def load(asked: Asked) -> tuple[str, ...]:
    """Make the table `required_checks` where SELECTs can join it, and give its names.

    All checks are required where none is configured.
    """
    import pandas as pd

    known = asked.question.tables.query("select distinct name from ci_runs order by name")["name"]
    wanted = patterns.wildcard(asked.calendar.checks or ("*",))
    names = tuple(name for name in known if wanted.match(name))
    frame = pd.DataFrame({"name": list(names)}, dtype=object)
    asked.question.tables.load("required_checks", frame, {"name": "VARCHAR"})
    return names
