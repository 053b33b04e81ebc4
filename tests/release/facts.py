"""Analyses of releases over facts, with the lineage and the models that are made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from dora import release
from dora.metrics.question import Question
from dora.metrics.scopes import Directory
from dora.records import Incident
from dora.release.base import Answer, Asked
from dora.release.plan import Plan
from dora.rules import Rules
from tests.metrics.harness import MARCH
from tests.models.harness import Given, at
from tests.release.harness import planned

_SERVICES: dict[str, str] = {
    "services": "service team",
    "teams": "team parent",
    "team_services": "team service from_day until_day",
    "covered_services": "service",
    "incident_services": "source incident service",
    "flag_services": "stated service",
}


def ask(name: str, given: Given, text: str = "", *, as_of: float = 31 * 24, **rules: Any) -> Answer:
    """The answer of an analysis for March; all incidents are of the one service, and known."""
    chosen = Rules().but(**rules)
    workspace = given.workspace(chosen, at(as_of))
    incidents = [fact for fact in given.facts if isinstance(fact, Incident)]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "services": [("shop", None)],
        "covered_services": [("shop",)],
        "incident_services": [("s", fact.id, "shop") for fact in incidents],
        "flag_services": [("shop", "shop")],
    }
    for table, named in _SERVICES.items():
        columns = named.split()
        frame = pd.DataFrame(rows.get(table, []), columns=columns, dtype=object)
        types = {c: "DATE" if c.endswith("_day") else "VARCHAR" for c in columns}
        workspace.engine.load(table, frame, types)
    directory = Directory.read(workspace)
    asked = Question(workspace, MARCH, (), at(as_of), chosen, (directory.scope(),), directory)
    laid_out = planned(text)
    return release.find(name).ask(Asked(asked, laid_out, Plan(laid_out, Path(), asked)))
