"""The table `[goals]`: what is aimed at, for everything, for a service or for a team."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dora import goals
from dora.config.checks import Faults, nearest
from dora.config.lines import Path
from dora.goals import Goal

_PARTS = {"services": "service", "teams": "team"}


def read(given: Any, faults: Faults) -> tuple[Goal, ...]:
    """The goals that are given; every one that cannot be read is a fault."""
    if not isinstance(given, dict):
        return ()
    own = {key: value for key, value in given.items() if key not in _PARTS}
    found = list(_goals(own, ("goals",), faults))
    for part, noun in _PARTS.items():
        tables = given.get(part, {})
        if not isinstance(tables, dict):
            faults.add(("goals", part), f"it takes a table for each {noun}: [goals.{part}.NAME]")
            continue
        for name, table in tables.items():
            place: Path = ("goals", part, name)
            if isinstance(table, dict):
                found += _goals(table, place, faults, **{noun: name})
            else:
                faults.add(place, f"it is a table of goals: [goals.{part}.{name}]")
    return tuple(found)


def _goals(table: Mapping[str, Any], place: Path, faults: Faults, **whose: str) -> Iterator[Goal]:
    seen: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        metric = goals.ALIASES.get(name, name)
        if metric not in goals.KINDS:
            spoken = nearest(key, [*goals.KINDS, *goals.ALIASES])
            faults.add((*place, key), f"there is no metric {key!r} to have a goal; {spoken}")
        elif metric in seen:
            faults.add((*place, key), f"it is the same as {seen[metric]}, which has a goal already")
        else:
            seen[metric] = key
            try:
                yield Goal(metric, goals.target(metric, value), **whose)
            except ValueError as error:
                faults.add((*place, key), str(error))
