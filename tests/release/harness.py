"""Analyses of releases over marts filled by hand and a calendar written as a user would."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from dora import release
from dora.config import calendar
from dora.config.checks import Faults
from dora.models import models
from dora.release.base import Answer, Asked
from dora.release.plan import Plan
from tests.metrics.harness import at, change, deployment, question

SHOP = {
    "repositories": [{"repository": "org/shop", "default_branch": "main"}],
    "service_map": [
        {
            "repository": "org/shop",
            "stated": "",
            "name": "*",
            "environment": "*",
            "service": "shop",
        }
    ],
}


def planned(text: str) -> calendar.Calendar:
    """The calendar that a part of a `dora.toml` says; it has no faults."""
    faults = Faults(text)
    found = calendar.read(tomllib.loads(text).get("calendar", {}), faults)
    assert not faults, faults.listed()
    return found


def ask(
    name: str,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    text: str = "",
    *,
    base: Path = Path(),
    **given: Any,
) -> Answer:
    """The answer of an analysis for marts with these rows."""
    asked = question(rows, **given)
    for model in ("started_deployments", "ci_runs", "trunk_checks", "flag_states"):
        asked.tables.engine.build(model, models()[model].sql)
    laid_out = planned(text)
    return release.find(name).ask(Asked(asked, laid_out, Plan(laid_out, base, asked)))


def delivering(sizes: Mapping[str, int], service: str = "shop") -> dict[str, list[dict[str, Any]]]:
    """So many changes for each deployment by its name, and the steps that deliver them."""
    steps = {name: number for number, name in enumerate(sizes, 1)}
    changes = [
        change(f"{name}-{n}", "2026-03-10 12:00", 1, service, deployment=name, step=steps[name])
        for name, size in sizes.items()
        for n in range(size)
    ]
    rows = [
        {
            "step": step,
            "source": "ci",
            "deployment": name,
            "service": service,
            "environment": "production",
        }
        for name, step in steps.items()
    ]
    return {"delivered_changes": changes, "production_steps": rows}


def started(name: str, moment: str, **more: Any) -> dict[str, Any]:
    """A deployment that took five minutes, by when it started."""
    begins = at(moment)
    ends = f"{begins + timedelta(minutes=5):%Y-%m-%d %H:%M}"
    return deployment(name, ends, **more) | {"started_at": begins}


def run(sha: str, begins: str, minutes: float | None, status: str, **more: Any) -> dict[str, Any]:
    """An attempt that took so many minutes; None for one that goes on."""
    name, attempt = more.get("name", "test"), more.get("attempt", 1)
    begun = at(begins)
    return {
        "source": "ci",
        "id": f"{sha}/{name}/{attempt}/{begins}",
        "repository": "org/shop",
        "sha": sha,
        "name": name,
        "attempt": attempt,
        "status": status,
        "started_at": begun,
        "finished_at": None if minutes is None else begun + timedelta(minutes=minutes),
        **more,
    }


def main(sha: str, begins: str, minutes: float, status: str, **more: Any) -> dict[str, Any]:
    """The same on the default branch."""
    return run(sha, begins, minutes, status, branch="main", **more)
